//! What holds in the ledger whatever is asked of it, in whatever order, on a clock that jumps.
//!
//! A second, simpler book is kept from the replies alone; after every message the two must agree.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "support/memory_store.rs"]
mod memory_store;

use std::collections::BTreeMap;

use memory_store::MemoryStore;
use proptest::prelude::*;
use proptest::sample::Index;
use tollgate::account::AccountRecord;
use tollgate::config::Plan;
use tollgate::decision::QuotaState;
use tollgate::quota::store::{CounterWindow, MAX_UNITS};
use tollgate::quota::{
    Enforcement, GrantOutcome, LeaseReport, Ledger, LedgerReply, LedgerRequest, Period, Quota, Want,
};
use tollgate::time::Timestamp;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_books_agree(
        quotas in quotas(),
        credits in 0_u64..12,
        anchor in prop::option::of((-4_000_000_000_i64..4_000_000_000).prop_map(|ms| START.plus_ms(ms))),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(quotas, credits, anchor);
        for step in steps {
            world.take(step)?;
        }
    }
}

/// 2026-11-30T23:59:00Z: a minute, an hour, a day and a month are about to end.
const START: Timestamp = Timestamp::from_seconds(1_796_083_140);
/// `c` has no quota.
const METERS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    /// Time passes, or goes back a little.
    Clock(i64),
    /// A new message.
    Send { want: Option<(usize, u64)>, reports: Vec<(Index, u64)> },
    /// An earlier message arrives once more.
    Again(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let units = prop_oneof![20 => 0_u64..9, 1 => Just(u64::MAX)];
    let want = prop::option::weighted(0.8, (0..METERS.len(), units.clone()));
    let reports = prop::collection::vec((any::<Index>(), units), 0..3);
    prop_oneof![
        4 => prop_oneof![
            4 => -5_000_i64..40_000,
            2 => 0_i64..400_000,
            1 => 0_i64..4_000_000_000,
        ].prop_map(Step::Clock),
        10 => (want, reports).prop_map(|(want, reports)| Step::Send { want, reports }),
        3 => any::<Index>().prop_map(Step::Again),
    ]
}

/// At most one quota per meter and period, as the configuration demands.
fn quotas() -> impl Strategy<Value = Vec<Quota>> {
    let quota = (
        prop::sample::select(METERS.split_last().unwrap().1),
        prop::sample::select(Period::ALL.as_slice()),
        prop_oneof![10 => 0_u64..20, 1 => Just(u64::MAX)],
        prop_oneof![4 => Just(Enforcement::Hard), 1 => Just(Enforcement::Soft)],
        prop_oneof![Just(0), -720..=720],
    );
    prop::collection::vec(quota, 0..6).prop_map(|drawn| {
        let unique: BTreeMap<_, _> = drawn
            .into_iter()
            .map(|(meter, period, limit, enforcement, utc_offset_min)| {
                let meter = meter.to_owned();
                let quota = Quota { meter, limit, period, utc_offset_min, enforcement };
                (quota.name(), quota)
            })
            .collect();
        unique.into_values().collect()
    })
}

/// A lease as the second book has it.
#[derive(Debug)]
struct Held {
    meter: String,
    windows: Vec<CounterWindow>,
    units: u64,
    credits: u64,
    returned: u64,
}

impl Held {
    fn credits_out(&self) -> u64 {
        self.credits - self.returned.min(self.credits)
    }

    fn quota_out(&self) -> u64 {
        self.units - self.returned - self.credits_out()
    }
}

struct World {
    ledger: Ledger,
    store: MemoryStore,
    plans: Vec<Plan>,
    credits: u64,
    anchor: Option<Timestamp>,
    now: Timestamp,
    sent: Vec<LedgerRequest>,
    /// The latest lease of each name.
    book: BTreeMap<String, Held>,
    /// Leases that were forgotten and whose names were used again.
    closed: Vec<Held>,
}

impl World {
    fn new(quotas: Vec<Quota>, credits: u64, anchor: Option<Timestamp>) -> Self {
        let account = AccountRecord {
            plan: Some("p".into()),
            credits,
            cycle_anchor: anchor,
            ..AccountRecord::default()
        };
        Self {
            ledger: Ledger::default(),
            store: MemoryStore { account: Some(account), ..MemoryStore::default() },
            plans: vec![Plan { id: "p".into(), quotas, ..Plan::default() }],
            credits,
            anchor,
            now: START,
            sent: Vec::new(),
            book: BTreeMap::new(),
            closed: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let request = match step {
            Step::Clock(ms) => {
                self.now = self.now.plus_ms(ms);
                return Ok(());
            }
            Step::Send { want, reports } => self.compose(want, &reports),
            Step::Again(_) if self.sent.is_empty() => return Ok(()),
            Step::Again(which) => which.get(&self.sent).clone(),
        };
        self.hear(&request);
        let known = request.want.as_ref().is_some_and(|want| self.is_known(&want.lease));
        let reply = self.call(&request);
        if let (Some(want), Some(outcome)) = (&request.want, &reply.grant) {
            self.note(want, outcome, known)?;
        }
        prop_assert_eq!(&reply.account, &self.store.account);
        self.check()?;
        let before = self.store.clone();
        let again = self.call(&request);
        prop_assert_eq!(again, reply);
        prop_assert_eq!(&self.store.counters, &before.counters);
        prop_assert_eq!(&self.store.leases, &before.leases);
        prop_assert_eq!(&self.store.account, &before.account);
        self.sent.push(request);
        Ok(())
    }

    fn compose(&self, want: Option<(usize, u64)>, reports: &[(Index, u64)]) -> LedgerRequest {
        let sequence = self.sent.len();
        let want = want.map(|(meter, units)| Want {
            lease: format!("{}:{sequence}", sequence % 3),
            meter: METERS[meter].to_owned(),
            units,
        });
        let names: Vec<_> = self.book.keys().cloned().chain(["x:0".to_owned()]).collect();
        let report = |(which, returned): &(Index, u64)| LeaseReport {
            lease: which.get(&names).clone(),
            spent: 0,
            returned: *returned,
        };
        LedgerRequest { plan: None, want, reports: reports.iter().map(report).collect() }
    }

    fn call(&mut self, request: &LedgerRequest) -> LedgerReply {
        self.ledger.handle(&mut self.store, &self.plans, request, self.now).unwrap()
    }

    /// Whether the ledger still listens for a lease of this name.
    fn is_known(&self, name: &str) -> bool {
        self.store.leases.get(name).is_some_and(|row| self.now < row.forget_at)
    }

    fn hear(&mut self, request: &LedgerRequest) {
        for report in &request.reports {
            let known = self.is_known(&report.lease);
            if let Some(held) = self.book.get_mut(&report.lease).filter(|_| known) {
                held.returned = held.returned.max(report.returned.min(held.units));
            }
        }
    }

    /// Writes a grant into the second book, and checks that each outcome was the right one.
    fn note(
        &mut self,
        want: &Want,
        outcome: &GrantOutcome,
        known: bool,
    ) -> Result<(), TestCaseError> {
        let quotas: Vec<_> = self.quotas(&want.meter).cloned().collect();
        match outcome {
            GrantOutcome::Granted { lease, units, credits_spent, quotas: states, .. } if known => {
                let held = &self.book[lease];
                prop_assert_eq!((*units, *credits_spent), (held.units, held.credits));
                prop_assert_eq!(states.len(), quotas.len());
            }
            GrantOutcome::Granted { lease, units, credits_spent, .. } => {
                prop_assert_eq!((lease, *units), (&want.lease, want.units));
                prop_assert!(!quotas.is_empty());
                let window = |quota: &Quota| CounterWindow {
                    period: quota.period,
                    starts_at: quota.window(self.now, self.anchor).starts_at,
                };
                let held = Held {
                    meter: want.meter.clone(),
                    windows: quotas.iter().map(window).collect(),
                    units: *units,
                    credits: *credits_spent,
                    returned: 0,
                };
                self.closed.extend(self.book.insert(lease.clone(), held));
            }
            GrantOutcome::Refused { quota, quotas: states, .. } => {
                let credits = self.store.account.as_ref().map_or(0, |record| record.credits);
                let short = |state: &QuotaState| {
                    let hard = state.enforcement == Enforcement::Hard;
                    let most = if hard { state.limit.min(MAX_UNITS) } else { MAX_UNITS };
                    (most - state.used).saturating_add(credits) < want.units
                };
                prop_assert!(!known && short(quota) && states.contains(quota));
            }
            GrantOutcome::Unlimited => prop_assert!(quotas.is_empty()),
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    }

    fn quotas(&self, meter: &str) -> impl Iterator<Item = &Quota> {
        self.plans[0].quotas.iter().filter(move |quota| quota.meter == meter)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let mut expected = BTreeMap::new();
        for held in self.book.values().chain(&self.closed) {
            for window in &held.windows {
                *expected.entry((held.meter.clone(), *window)).or_insert(0) += held.quota_out();
            }
        }
        let mut counted = self.store.counters.clone();
        counted.retain(|_, used| *used > 0);
        expected.retain(|_, used| *used > 0);
        prop_assert_eq!(&counted, &expected);
        for ((meter, window), used) in counted {
            let quota = self.quotas(&meter).find(|quota| quota.period == window.period).unwrap();
            let hard = quota.enforcement == Enforcement::Hard;
            prop_assert!(!hard || used <= quota.limit, "{} {used}", quota.name());
        }
        let left = self.store.account.as_ref().map_or(0, |record| record.credits);
        let out: u64 = self.book.values().chain(&self.closed).map(Held::credits_out).sum();
        prop_assert_eq!(left + out, self.credits);
        Ok(())
    }
}
