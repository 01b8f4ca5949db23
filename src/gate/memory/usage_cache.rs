//! Usage that was read a moment ago. A page that is loaded again and again then costs its ledger
//! one call in a while.

use std::rc::Rc;

use crate::identity::AccountName;
use crate::quota::Usage;
use crate::time::Timestamp;

/// The reads of a moment ago, the last one first.
#[derive(Debug, Default)]
pub(crate) struct UsageCache(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    key: UsageKey,
    read: UsageRead,
    until: Timestamp,
}

/// The account, the plan that the token names, and the member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UsageKey {
    pub(crate) account: AccountName,
    pub(crate) plan: Option<String>,
    pub(crate) member: String,
}

/// The state of a read.
#[derive(Clone, Debug)]
pub(crate) enum UsageRead {
    /// A request is reading it.
    UnderWay,
    /// The ledger has answered.
    Known(Rc<Usage>),
    /// It has not.
    Failed,
}

impl UsageCache {
    /// A read that is no older than `max_age_ms`, if there is one.
    pub(crate) fn find(
        &mut self,
        key: &UsageKey,
        max_age_ms: i64,
        now: Timestamp,
    ) -> Option<UsageRead> {
        let is_old = |entry: &Entry| {
            let is_known = matches!(entry.read, UsageRead::Known(_));
            is_known && entry.until.ms_since(now) < KEEP_MS.saturating_sub(max_age_ms)
        };
        self.0.retain(|entry| now < entry.until && !is_old(entry));
        // A ledger that fails one member fails them all.
        let is_it = |entry: &&Entry| {
            let fails = matches!(entry.read, UsageRead::Failed);
            entry.key == *key || (fails && entry.key.account == key.account)
        };
        self.0.iter().find(is_it).map(|entry| entry.read.clone())
    }

    /// Notes that a request reads it, for `deadline_ms` at most.
    pub(crate) fn begin(&mut self, key: &UsageKey, deadline_ms: u32, now: Timestamp) {
        self.put(key, UsageRead::UnderWay, now.plus_ms(i64::from(deadline_ms)));
    }

    /// Keeps what was read, or that it could not be read (`None`).
    pub(crate) fn end(&mut self, key: &UsageKey, usage: Option<Rc<Usage>>, now: Timestamp) {
        let read = usage.map_or(UsageRead::Failed, UsageRead::Known);
        self.put(key, read, now.plus_ms(KEEP_MS));
    }

    fn put(&mut self, key: &UsageKey, read: UsageRead, until: Timestamp) {
        self.0.retain(|entry| entry.key != *key);
        self.0.insert(0, Entry { key: key.clone(), read, until });
        self.0.truncate(MAX_ENTRIES);
    }
}

/// Time for which a read is kept, in milliseconds, and a failed one not repeated.
pub(crate) const KEEP_MS: i64 = 2_000;
/// Of all accounts: beyond that the ledger is asked. A few KB each.
const MAX_ENTRIES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    fn key(member: &str) -> UsageKey {
        UsageKey {
            account: AccountName::parse("-/acme").unwrap(),
            plan: None,
            member: member.into(),
        }
    }

    #[test]
    fn a_read_is_found_for_as_long_as_the_caller_allows() {
        let mut cache = UsageCache::default();
        cache.end(&key("ann"), Some(Rc::default()), NOW);
        assert!(cache.find(&key("bob"), KEEP_MS, NOW).is_none(), "another member's");
        assert!(cache.find(&key("ann"), KEEP_MS, NOW.plus_ms(1_999)).is_some());
        assert!(cache.find(&key("ann"), 500, NOW.plus_ms(501)).is_none());
        assert!(cache.find(&key("ann"), KEEP_MS, NOW).is_none(), "and is forgotten");
    }

    #[test]
    fn a_failed_read_counts_for_all_members_and_one_under_way_for_its_own() {
        let mut cache = UsageCache::default();
        cache.begin(&key("ann"), 1_000, NOW);
        assert!(matches!(cache.find(&key("ann"), KEEP_MS, NOW), Some(UsageRead::UnderWay)));
        assert!(cache.find(&key("bob"), KEEP_MS, NOW).is_none());
        cache.end(&key("ann"), None, NOW);
        assert!(matches!(cache.find(&key("bob"), KEEP_MS, NOW), Some(UsageRead::Failed)));
    }
}
