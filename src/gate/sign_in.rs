//! Who has signed in and still brings the cookie of free pages: what they used of the allowance
//! counts for the account, once, and the cookie is taken away.

use super::Gate;
use super::memory::{AccountView, Caller};
use crate::allowance::{Allowance, COOKIE_NAME, Reader, ReaderCount, cleared_cookie};
use crate::config::{Config, Route};
use crate::gate::Visitor;
use crate::quota::Merge;
use crate::time::Timestamp;

/// What a caller brings along from before it signed in.
#[derive(Debug)]
pub(super) struct Brought {
    reader: Reader,
    counts: Vec<(Allowance, Merge)>,
    /// The place of the one that the message under way to the ledger carries.
    sent: Option<usize>,
}

impl Gate {
    /// Looks for the cookie. What no meter counts stays where it is.
    pub(super) fn find_brought(&self, caller: &Caller, now: Timestamp) -> Option<Box<Brought>> {
        let key = self.config.allowance_key.as_ref()?;
        let value = Visitor::of(&self.config, &self.facts).cookie(COOKIE_NAME)?;
        let reader = Reader::read(value, key, self.facts.host(), now)?;
        let mut counts = Vec::new();
        for count in reader.counts(now) {
            push_merges(&mut counts, &self.config, &count, caller.member());
        }
        (!counts.is_empty()).then(|| Box::new(Brought { reader, counts, sent: None }))
    }

    /// Whether the account's ledger has to hear of something before the request goes on.
    pub(super) fn has_to_merge(&self, view: &AccountView) -> bool {
        self.brought.as_ref().is_some_and(|brought| brought.next(view).is_some())
    }

    /// What the next message to the ledger is to carry.
    pub(super) fn next_merge(&mut self, view: &AccountView) -> Option<Box<Merge>> {
        let brought = self.brought.as_mut()?;
        brought.sent = brought.next(view);
        let (_, merge) = brought.counts.get(brought.sent?)?;
        Some(Box::new(merge.clone()))
    }

    /// Notes that the message was heard.
    pub(super) fn merge_heard(&mut self, view: &mut AccountView) {
        if let Some(brought) = &mut self.brought
            && let Some(sent) = brought.sent.take()
            && let Some((_, merge)) = brought.counts.get(sent)
        {
            view.remember_merged(merge.clone());
        }
    }

    /// What is left of the cookie once the ledger has heard of everything; `None` before that.
    pub(super) fn cookie_after_merge(&self, view: &AccountView, now: Timestamp) -> Option<String> {
        let brought = self.brought.as_ref().filter(|brought| brought.next(view).is_none())?;
        let mut reader = brought.reader.clone();
        for (allowance, _) in &brought.counts {
            reader.forget(*allowance);
        }
        if reader.counts(now).is_empty() {
            return Some(cleared_cookie());
        }
        let key = self.config.allowance_key.as_ref()?;
        Some(reader.set_cookie(key, self.facts.host(), now))
    }
}

impl Brought {
    /// One at a time: there is hardly ever more than one.
    fn next(&self, view: &AccountView) -> Option<usize> {
        self.counts.iter().position(|(_, merge)| !view.has_merged(merge))
    }
}

/// Adds what a reader's count is on the meters of the first route that gives it away and counts
/// callers. Where the origin says what a page costs, nobody knows what these have cost.
fn push_merges(
    merges: &mut Vec<(Allowance, Merge)>,
    config: &Config,
    read: &ReaderCount,
    member: &str,
) {
    let ReaderCount { count, used } = *read;
    let is_it = |route: &&Route| {
        let is_counted = route.metering.as_ref().is_some_and(|metering| !metering.is_settled);
        is_counted && route.free == Some(count.allowance)
    };
    let Some(route) = config.routes.iter().find(is_it) else { return };
    for cost in route.metering.iter().flat_map(|metering| &metering.costs) {
        let merge = Merge {
            name: format!("{count} {}", cost.meter),
            meter: cost.meter.clone(),
            member: Some(member.to_owned()),
            units: cost.units.saturating_mul(used.into()),
            ends_at: count.allowance.window(count.starts_at).ends_at,
        };
        merges.push((count.allowance, merge));
    }
}
