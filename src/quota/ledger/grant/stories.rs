//! Short stories of an account and its wants: the place to try out a change to granting. The
//! ledger's promises as a whole are tested in `tests/ledger` and `tests/simulation`.

#[path = "../../../../tests/support/memory_store.rs"]
mod memory_store;

use std::num::NonZeroU64;

use self::memory_store::MemoryStore;
use super::super::subscriber::Subscriber;
use super::{GrantContext, grant_wants};
use crate::plan::{Period, Plan, Quota, Scope, Terms};
use crate::quota::ledger::LedgerError;
use crate::quota::store::{Counter, CounterKey, HolderRow};
use crate::quota::{
    CreditPack, GrantOutcome, LeaseReport, Ledger, LedgerRequest, RefusalReason, Want,
};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// An account with a plan, and one holder.
struct Story {
    store: MemoryStore,
    plan: Plan,
    row: HolderRow,
    next_number: u64,
}

#[test]
fn units_are_debited_in_every_window_of_their_meter() {
    let mut story = Story::of([quota("api", Period::Minute, 5), quota("api", Period::Month, 9)]);
    assert_eq!(story.gets([want("api", 3, 0)]), [3]);
    assert_eq!(story.used(), [3, 3]);
    assert_eq!(story.row.leases[0].windows.len(), 2);
}

#[test]
fn a_window_that_several_wants_share_is_debited_once_for_each() {
    let each = Quota { scope: Scope::Member, ..quota("api", Period::Month, 8) };
    let mut story = Story::of([quota("api", Period::Month, 10), each]);
    let of = |member: &str, needed| Want { member: Some(member.into()), ..want("api", needed, 0) };
    let (_, quota) = story.is_refused([of("alice", 6), of("bob", 6)]);
    assert_eq!(quota, "api/month", "each alone would fit, together they don't");
    assert_eq!(story.gets([of("alice", 6), of("bob", 4)]), [6, 4]);
    assert_eq!(story.used(), [10, 6, 4], "the account's, alice's and bob's");
}

#[test]
fn credits_that_an_earlier_want_uses_are_not_there_for_the_next() {
    let mut story = Story::of([quota("a", Period::Month, 1), quota("b", Period::Month, 1)]);
    story.buys(4);
    // Three and two credits.
    let refused = story.is_refused([want("a", 4, 0), want("b", 3, 0)]);
    assert_eq!(refused, (RefusalReason::CreditsExhausted, "b/month".to_owned()));
    assert_eq!((story.used(), story.credits()), (vec![], 4), "a refusal debits nothing");
    assert_eq!(story.gets([want("a", 3, 0), want("b", 3, 0)]), [3, 3]);
    assert_eq!((story.used(), story.credits()), (vec![1, 1], 0));
}

#[test]
fn credits_are_left_alone_where_the_quota_is_enough() {
    let mut story = Story::of([quota("api", Period::Month, 100)]);
    story.buys(1_000);
    assert_eq!(story.gets([want("api", 1, 90)]), [1 + 24], "a quarter of the quota's 99");
    assert_eq!(story.credits(), 1_000);
}

#[test]
fn the_last_unit_goes_to_the_first_that_needs_it() {
    let mut story = Story::of([quota("api", Period::Month, 1)]);
    assert_eq!(story.gets([want("api", 0, 10)]), [0; 0], "not to a want ahead of demand");
    assert_eq!(story.gets([want("api", 1, 10)]), [1]);
    let refused = story.is_refused([want("api", 1, 0)]);
    assert_eq!(refused, (RefusalReason::QuotaExhausted, "api/month".to_owned()));
}

#[test]
fn each_reason_to_refuse_has_a_story() {
    // Limits per day and month, credits that were bought, units that are used already; the need.
    for (limits, bought, used, needed, expected) in [
        // A new day, or month, would help.
        ([5, 9], None, 5, 1, (RefusalReason::QuotaExhausted, "api/day")),
        ([5, 9], None, 9, 1, (RefusalReason::QuotaExhausted, "api/month")),
        // So would credits, of which there were some once.
        ([5, 9], Some(2), 5, 3, (RefusalReason::CreditsExhausted, "api/day")),
        // No day is that long, not even with credits.
        ([5, 9], None, 0, 6, (RefusalReason::CostExceedsQuota, "api/day")),
        ([5, 9], Some(2), 0, 8, (RefusalReason::CostExceedsQuota, "api/day")),
        // A quota of nothing sells a meter by credits alone; without any it sells nothing.
        ([0, 9], Some(2), 0, 3, (RefusalReason::CreditsExhausted, "api/day")),
        ([0, 9], None, 0, 1, (RefusalReason::CostExceedsQuota, "api/day")),
    ] {
        let [day, month] = limits;
        let quotas = [quota("api", Period::Day, day), quota("api", Period::Month, month)];
        let mut story = Story::of(quotas);
        story.uses(used);
        if let Some(units) = bought {
            story.buys(units);
        }
        let (reason, name) = story.is_refused([want("api", needed, 0)]);
        assert_eq!((reason, name.as_str()), expected, "{limits:?} {bought:?} {used} {needed}");
    }
}

#[test]
fn a_lease_is_called_by_the_place_of_its_want() {
    let mut story = Story::of([quota("a", Period::Month, 9), quota("b", Period::Month, 9)]);
    // Nothing limits `x`, which needs no lease.
    story.gets([want("a", 1, 0), want("x", 1, 0), want("b", 1, 0)]);
    story.gets([want("a", 1, 0)]);
    let ids: Vec<_> = story.row.leases.iter().map(|lease| lease.id).collect();
    assert_eq!(ids, [1, 3, 4]);
}

#[test]
fn a_broken_rule_is_a_fault_with_a_name() {
    let mut story = Story::of([quota("api", Period::Month, 9)]);
    story.gets([want("api", 5, 0)]);
    let report = |returned| LedgerRequest {
        holder: "h".into(),
        number: 2,
        leases: vec![LeaseReport { id: 1, spent: 0, returned }],
        ..LedgerRequest::default()
    };
    // A row that somebody changed: five units are to go back to a count of four.
    story.row.name = "h".into();
    story.row.forget_at = NOW.plus_seconds(60);
    story.store.holders.insert("h".into(), story.row.clone());
    story.store.counters.values_mut().for_each(|counter| counter.used = 4);
    assert_eq!(story.hears(&report(5)), Err(LedgerError::TooFewUnits));
    assert_eq!(story.hears(&report(4)), Ok(()));
    let last = LedgerRequest { number: u64::MAX, ..report(4) };
    assert_eq!(story.hears(&last), Err(LedgerError::LastNumber));
}

#[test]
fn units_never_go_back_to_a_pack_beyond_its_size() {
    let mut story = Story::of([quota("api", Period::Month, 0)]);
    story.buys(5);
    story.gets([want("api", 5, 0)]);
    let mut filled = story.store.packs.clone();
    filled[0].left = 1;
    let back = |story: &mut Story| {
        let lease = story.row.leases[0].clone();
        super::super::heard::take_back(&mut story.store, &lease, 5)
    };
    story.store.packs = filled;
    assert_eq!(back(&mut story), Err(LedgerError::TooManyUnits));
    story.store.packs.clear();
    assert_eq!(back(&mut story), Err(LedgerError::UnknownPack));
}

impl Story {
    fn of<const N: usize>(quotas: [Quota; N]) -> Self {
        let plan = Plan { id: "pro".into(), quotas: quotas.into(), ..Plan::default() };
        let (store, row) = (MemoryStore::default(), HolderRow::default());
        Self { store, plan, row, next_number: 1 }
    }

    fn buys(&mut self, units: u64) {
        let pack = CreditPack { id: "p".into(), units, left: 0, added_at: NOW, expires_at: None };
        Ledger::add_credits(&mut self.store, pack, "story", NOW).unwrap();
    }

    /// Writes units down as used in the windows of all quotas.
    fn uses(&mut self, used: u64) {
        for Quota { meter, period, .. } in &self.plan.quotas {
            let starts_at = period.window(NOW, None, 0).starts_at;
            let (meter, period) = (meter.clone(), *period);
            let key = CounterKey { meter, member: None, period, starts_at };
            self.store.counters.insert(key, Counter { used, ..Counter::default() });
        }
    }

    /// The units of each lease that the wants get.
    fn gets<const N: usize>(&mut self, wants: [Want; N]) -> Vec<u64> {
        match self.asks(wants.into()) {
            GrantOutcome::Granted { leases, .. } => leases.iter().map(|one| one.units).collect(),
            outcome => panic!("{outcome:?}"),
        }
    }

    /// The reason and the quota that refuse the wants.
    fn is_refused<const N: usize>(&mut self, wants: [Want; N]) -> (RefusalReason, String) {
        match self.asks(wants.into()) {
            GrantOutcome::Refused { reason, quota, .. } => (reason, quota.name.to_string()),
            outcome => panic!("{outcome:?}"),
        }
    }

    fn asks(&mut self, wants: Vec<Want>) -> GrantOutcome {
        let number = self.next_number;
        self.next_number = number.strict_add(u64::try_from(wants.len()).unwrap());
        let request = LedgerRequest { number, wants, ..LedgerRequest::default() };
        let context = GrantContext {
            terms: Terms::default(),
            plan: &self.plan,
            subscriber: Subscriber::default(),
            holders: NonZeroU64::MIN,
            now: NOW,
        };
        grant_wants(&mut self.store, &context, &request, &mut self.row).unwrap()
    }

    /// Has the whole ledger hear a message, of which nothing is kept where it fails.
    fn hears(&mut self, request: &LedgerRequest) -> Result<(), LedgerError> {
        let mut store = self.store.clone();
        Ledger::default().handle(&mut store, Terms::default(), request, NOW).map(|_| ())
    }

    /// The counts of all windows, by meter, member and period.
    fn used(&self) -> Vec<u64> {
        self.store.counters.values().map(|counter| counter.used).collect()
    }

    fn credits(&self) -> u64 {
        self.store.packs.iter().map(|pack| pack.left).sum()
    }
}

fn want(meter: &str, needed: u64, ahead: u64) -> Want {
    Want { meter: meter.into(), member: None, needed, ahead }
}

fn quota(meter: &str, period: Period, limit: u64) -> Quota {
    Quota { meter: meter.into(), limit, period, ..Quota::default() }
}
