//! A ledger with a plan and an account, and a holder whose reports the test makes up.

use tollgate::account::{AccountRecord, Status, Subscription};
use tollgate::cause::QuotaState;
use tollgate::plan::{Enforcement, Meter, Period, Plan, Quota, QuotaName, Scope, Terms};
use tollgate::quota::store::CounterKey;
use tollgate::quota::{
    CreditPack, GrantOutcome, Lease, LeaseReport, Ledger, LedgerReply, LedgerRequest,
    RefusalReason, Want,
};
use tollgate::time::Timestamp;

use crate::memory_store::MemoryStore;

/// 2026-12-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A quota on the meter `api`.
pub(crate) fn quota(period: Period, limit: u64) -> Quota {
    Quota { meter: "api".into(), limit, period, ..Quota::default() }
}

/// The same, soft.
pub(crate) fn soft(period: Period, limit: u64) -> Quota {
    Quota { enforcement: Enforcement::Soft, ..quota(period, limit) }
}

/// The same, for each member on its own.
pub(crate) fn each(period: Period, limit: u64) -> Quota {
    Quota { scope: Scope::Member, ..quota(period, limit) }
}

/// The same quota on another meter.
#[expect(clippy::needless_pass_by_value, reason = "it is written where it is passed")]
pub(crate) fn on(meter: &str, quota: Quota) -> Quota {
    Quota { meter: meter.into(), ..quota }
}

pub(crate) fn meter(id: &str) -> Meter {
    let (id, notify_at) = (id.to_owned(), vec![80, 95]);
    Meter { id, name: None, lost: tollgate::plan::Lost::Strict, notify_at, keep_days: None }
}

/// A want of a request on the meter `api`.
pub(crate) fn want(needed: u64, ahead: u64) -> Want {
    Want { meter: "api".into(), member: None, needed, ahead }
}

pub(crate) fn want_of(member: &str, needed: u64, ahead: u64) -> Want {
    Want { member: Some(member.into()), ..want(needed, ahead) }
}

/// A ledger with a plan `p`, and an account on it.
pub(crate) struct Bench {
    pub(crate) ledger: Ledger,
    pub(crate) store: MemoryStore,
    pub(crate) plans: Vec<Plan>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) announces: bool,
    pub(crate) now: Timestamp,
}

impl Bench {
    pub(crate) fn new(quotas: Vec<Quota>) -> Self {
        let plan = Plan { id: "p".into(), quotas, ..Plan::default() };
        let own = Subscription {
            plan: Some("p".into()),
            status: Status::Active,
            ..Subscription::default()
        };
        let store = MemoryStore { account: Some(own.into()), ..MemoryStore::default() };
        Self {
            ledger: Ledger::default(),
            store,
            plans: vec![plan],
            meters: Vec::new(),
            announces: false,
            now: NOW,
        }
    }

    pub(crate) fn with_credits(mut self, units: u64) -> Self {
        self.sell("pack", units, None);
        self
    }

    pub(crate) fn sell(&mut self, id: &str, units: u64, expires_at: Option<Timestamp>) {
        let pack = CreditPack { id: id.into(), units, left: 0, added_at: self.now, expires_at };
        Ledger::add_credits(&mut self.store, pack, "test", self.now).expect("the store works");
    }

    pub(crate) fn record(&mut self) -> &mut AccountRecord {
        self.store.account.as_mut().expect("the bench has an account")
    }

    pub(crate) fn call(&mut self, request: &LedgerRequest) -> LedgerReply {
        let Self { ledger, store, plans, meters, announces, now } = self;
        let terms = Terms { plans, meters, announces: *announces, ..Terms::default() };
        ledger.handle(store, terms, request, *now).expect("the store works")
    }

    /// Every counter, in the order of meter, member, period and start.
    pub(crate) fn used(&self) -> Vec<u64> {
        self.store.counters.values().map(|counter| counter.used).collect()
    }

    /// The count of the period that started then.
    pub(crate) fn used_in(&self, period: Period, starts_at: Timestamp) -> u64 {
        let key = CounterKey { meter: "api".into(), member: None, period, starts_at };
        self.store.counters.get(&key).map_or(0, |counter| counter.used)
    }

    pub(crate) fn credits(&self) -> u64 {
        self.store.packs.iter().map(|pack| pack.left).sum()
    }
}

/// A holder that keeps its leases and names them in each message.
pub(crate) struct Hand {
    pub(crate) name: &'static str,
    pub(crate) number: u64,
    pub(crate) leases: Vec<LeaseReport>,
}

impl Hand {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, number: 1, leases: Vec::new() }
    }

    /// A message with these wants.
    pub(crate) fn message(&mut self, wants: Vec<Want>) -> LedgerRequest {
        let number = self.number;
        self.number += u64::try_from(wants.len()).unwrap_or(1).max(1);
        LedgerRequest {
            holder: self.name.into(),
            number,
            wants,
            leases: self.leases.clone(),
            ..LedgerRequest::default()
        }
    }

    /// Asks, and keeps what it gets.
    pub(crate) fn ask(&mut self, bench: &mut Bench, wants: Vec<Want>) -> GrantOutcome {
        let request = self.message(wants);
        let outcome = bench.call(&request).grant.expect("a want has an outcome");
        for lease in leases(&outcome) {
            self.leases.push(LeaseReport { id: lease.id, spent: lease.units, returned: 0 });
        }
        outcome
    }

    /// Asks for units of `api`; the units that it got, `None` where it was refused.
    pub(crate) fn get(&mut self, bench: &mut Bench, needed: u64, ahead: u64) -> Option<u64> {
        let outcome = self.ask(bench, vec![want(needed, ahead)]);
        units(&outcome)
    }

    /// Says that it will not spend so much of a lease.
    pub(crate) fn give_back(&mut self, bench: &mut Bench, id: u64, returned: u64) {
        let lease = self.leases.iter_mut().find(|lease| lease.id == id);
        let lease = lease.expect("it was granted");
        (lease.spent, lease.returned) = (0, returned);
        self.tell(bench);
    }

    /// Sends a message that wants nothing.
    pub(crate) fn tell(&mut self, bench: &mut Bench) {
        let request = self.message(Vec::new());
        assert_eq!(bench.call(&request).grant, None);
    }
}

/// The leases of a grant.
pub(crate) fn leases(outcome: &GrantOutcome) -> &[Lease] {
    match outcome {
        GrantOutcome::Granted { leases, .. } => leases,
        _ => &[],
    }
}

/// All units of a grant; `None` where it was refused.
pub(crate) fn units(outcome: &GrantOutcome) -> Option<u64> {
    match outcome {
        GrantOutcome::Granted { leases, .. } => Some(leases.iter().map(|lease| lease.units).sum()),
        _ => None,
    }
}

/// The quotas of a grant's first want.
pub(crate) fn told(outcome: &GrantOutcome) -> Vec<(&str, u64, u64)> {
    let GrantOutcome::Granted { quotas, .. } = outcome else { panic!("{outcome:?}") };
    quotas.first().map(|quotas| states(quotas)).unwrap_or_default()
}

/// A quota's name as a text that outlives what it was read of.
pub(crate) fn lasting(name: &QuotaName) -> &'static str {
    name.to_string().leak()
}

/// Name, used and limit of each.
pub(crate) fn states(quotas: &[QuotaState]) -> Vec<(&str, u64, u64)> {
    quotas.iter().map(|quota| (lasting(&quota.name), quota.used, quota.limit)).collect()
}

/// The reason and the quota.
pub(crate) fn refused(outcome: &GrantOutcome) -> Option<(RefusalReason, &str)> {
    match outcome {
        GrantOutcome::Refused { reason, quota, .. } => Some((*reason, lasting(&quota.name))),
        _ => None,
    }
}
