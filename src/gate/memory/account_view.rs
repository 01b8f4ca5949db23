//! An isolate's memory of one account.

use std::rc::Rc;

use super::Caller;
use crate::account::AccountRecord;
use crate::bounded_map::Weight;
use crate::cause::QuotaState;
use crate::plan::Cost;
use crate::quota::{Holder, Merge, RefusalReason};
use crate::time::Timestamp;
use crate::wire;

/// Everything that is remembered about an account.
#[derive(Debug)]
pub(crate) struct AccountView {
    /// Its units that this isolate holds.
    pub(crate) holder: Holder,
    /// The ledger's last word on the account; `None` before its first.
    pub(crate) snapshot: Option<Snapshot>,
    /// Refused wants, each with the time until which it need not be asked for again.
    refusals: Vec<RefusedWant>,
    /// Free pages that callers had read before they signed in, and that are counted by now.
    merged: Vec<Merge>,
    weight: Weight,
}

/// The account as its ledger knew it at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// `None` where the ledger has no record of the account.
    pub(crate) record: Option<Rc<AccountRecord>>,
    /// The time of reading.
    pub(crate) read_at: Timestamp,
    /// The time until which it is good enough to decide by.
    fresh_until: Timestamp,
}

/// A refusal of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct LedgerRefusal {
    pub(crate) reason: RefusalReason,
    /// The quota that refused, as it stood.
    pub(crate) quota: QuotaState,
    /// All quotas of what was wanted.
    pub(crate) quotas: Vec<QuotaState>,
}

/// A want that the ledger refused.
#[derive(Clone, Debug)]
struct RefusedWant {
    /// The meter that was in the way.
    meter: String,
    /// Units that were asked for. A cheaper request may still pass, and a dearer one may be refused
    /// for a reason that no waiting helps against.
    units: u64,
    /// The member: others may have room of their own.
    member: Option<String>,
    /// The plan, as far as the token names one.
    plan: Option<String>,
    refusal: Rc<LedgerRefusal>,
    until: Timestamp,
}

impl RefusedWant {
    fn is_about(&self, cost: &Cost, caller: &Caller) -> bool {
        self.meter == cost.meter
            && self.units == cost.units
            && self.member.as_deref() == Some(caller.member())
            && self.plan == caller.identity.plan
    }
}

impl AccountView {
    pub(super) fn new(holder: Holder, mut weight: Weight) -> Self {
        weight.set(VIEW_BYTES);
        Self { holder, snapshot: None, refusals: Vec::new(), merged: Vec::new(), weight }
    }

    /// Keeps the ledger's record of the account. It may be good for longer than usual: for
    /// `horizon_ms`, where the ledger has so many holders that they should come less often.
    pub(crate) fn keep(&mut self, record: Option<AccountRecord>, horizon_ms: u32, now: Timestamp) {
        let written = record.as_ref().map_or(0, |record| wire::encode(record).len());
        // Its texts with their pointers.
        self.weight.set(VIEW_BYTES.saturating_add(written.saturating_mul(3)));
        let fresh_until = now.plus_ms(SNAPSHOT_TTL_MS.max(i64::from(horizon_ms)));
        self.snapshot = Some(Snapshot { record: record.map(Rc::new), read_at: now, fresh_until });
    }

    /// The snapshot, if it is fresh.
    pub(crate) fn fresh(&self, now: Timestamp) -> Option<Snapshot> {
        self.snapshot.clone().filter(|snapshot| now < snapshot.fresh_until)
    }

    /// The last record, however old.
    pub(crate) fn last_record(&self) -> Option<Rc<AccountRecord>> {
        self.snapshot.as_ref()?.record.clone()
    }

    /// Whether a snapshot has to be read soon: there is none, or it is about to be too old.
    pub(crate) fn is_refresh_due(&self, now: Timestamp) -> bool {
        let is_old = |snapshot: &Snapshot| snapshot.fresh_until.plus_ms(-REFRESH_AHEAD_MS) <= now;
        self.snapshot.as_ref().is_none_or(is_old)
    }

    /// Makes the snapshot good for a shorter time, since it denied the caller: one who has just
    /// paid must be back within seconds.
    pub(crate) fn distrust(&mut self, now: Timestamp) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.fresh_until = snapshot.fresh_until.min(now.plus_ms(DENIAL_TTL_MS));
        }
    }

    /// Forgets refusals: something was paid, perhaps.
    pub(crate) fn forget_refusals(&mut self) {
        self.refusals.clear();
    }

    /// The refusal that still covers one of these costs.
    pub(crate) fn refusal(
        &self,
        costs: &[Cost],
        caller: &Caller,
        now: Timestamp,
    ) -> Option<Rc<LedgerRefusal>> {
        let covers = |refused: &&RefusedWant| {
            now < refused.until && costs.iter().any(|cost| refused.is_about(cost, caller))
        };
        self.refusals.iter().find(covers).map(|refused| Rc::clone(&refused.refusal))
    }

    /// Remembers that the ledger refused one of these costs, on this meter, to a caller.
    pub(crate) fn remember_refusal(
        &mut self,
        refusal: LedgerRefusal,
        meter: &str,
        costs: &[Cost],
        caller: &Caller,
        now: Timestamp,
    ) {
        let Some(cost) = costs.iter().find(|cost| cost.meter == meter) else { return };
        let refused = RefusedWant {
            meter: meter.to_owned(),
            units: cost.units,
            member: Some(caller.member().to_owned()),
            plan: caller.identity.plan.clone(),
            until: now.plus_ms(DENIAL_TTL_MS).min(refusal.quota.resets_at),
            refusal: Rc::new(refusal),
        };
        self.refusals.retain(|other| now < other.until);
        self.refusals.insert(0, refused);
        self.refusals.truncate(MAX_REFUSALS);
    }

    /// Whether all of it is counted.
    pub(crate) fn has_merged(&self, merge: &Merge) -> bool {
        self.merged.iter().any(|other| other.name == merge.name && other.units >= merge.units)
    }

    pub(crate) fn remember_merged(&mut self, merge: Merge) {
        self.merged.retain(|other| other.name != merge.name);
        self.merged.insert(0, merge);
        self.merged.truncate(MAX_MERGED);
    }
}

/// Time for which a good standing holds without asking. A revocation may take as long, or longer
/// where the ledger has so many holders that they should come less often.
const SNAPSHOT_TTL_MS: i64 = 10_000;
/// Time before that at which a request has the snapshot renewed off its path.
const REFRESH_AHEAD_MS: i64 = 2_000;
/// Time for which a denial holds; also the longest that somebody who has paid is kept out.
const DENIAL_TTL_MS: i64 = 3_000;
/// A view without its record: leases, refusals, and its place in the map.
const VIEW_BYTES: usize = 1_500;
const MAX_REFUSALS: usize = 8;
/// Of one account: beyond that the ledger gets a merge twice, and the second changes nothing.
const MAX_MERGED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded_map::BoundedMap;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    fn view() -> AccountView {
        let map = BoundedMap::<String, ()>::weighed(1, 1_000_000);
        AccountView::new(Holder::new("isolate:1", 0), map.weight())
    }

    #[test]
    fn a_snapshot_is_fresh_for_ten_seconds_and_for_three_after_a_denial() {
        let mut view = view();
        assert!(view.fresh(NOW).is_none() && view.is_refresh_due(NOW));
        view.keep(None, 0, NOW);
        assert!(view.fresh(NOW.plus_ms(9_999)).is_some());
        assert!(view.fresh(NOW.plus_ms(10_000)).is_none());
        assert!(
            !view.is_refresh_due(NOW.plus_ms(7_999)) && view.is_refresh_due(NOW.plus_ms(8_000))
        );
        view.distrust(NOW);
        assert!(view.fresh(NOW.plus_ms(2_999)).is_some());
        assert!(view.fresh(NOW.plus_ms(3_000)).is_none());
    }

    #[test]
    fn a_busy_ledger_has_its_snapshots_kept_for_longer() {
        let mut view = view();
        view.keep(None, 60_000, NOW);
        assert!(view.fresh(NOW.plus_ms(59_999)).is_some());
    }
}
