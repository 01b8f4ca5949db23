//! Properties of the ledger under any messages, in any order, on a clock that jumps.
//!
//! A second, simpler book is kept from the messages and replies alone; after every message the two
//! must agree.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "ledger_properties/book.rs"]
mod book;
#[path = "support/memory_store.rs"]
mod memory_store;

use std::collections::{BTreeMap, BTreeSet};

use book::Book;
use memory_store::MemoryStore;
use proptest::prelude::*;
use proptest::sample::Index;
use tollgate::account::{AccountRecord, Status, Subscription};
use tollgate::plan::{Enforcement, Lost, Meter, Period, Plan, Quota, Scope, Terms};
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::ledger::LEASE_MARGIN_MS;
use tollgate::quota::store::{Announcement, Counter};
use tollgate::quota::{
    CreditPack, GrantOutcome, LeaseReport, Ledger, LedgerReply, LedgerRequest, Want,
};
use tollgate::time::Timestamp;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_books_agree(
        quotas in quotas(),
        packs in packs(),
        anchor in prop::option::of((-4_000_000_000_i64..4_000_000_000).prop_map(|ms| START.plus_ms(ms))),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(quotas, packs, anchor);
        for step in steps {
            world.take(step)?;
        }
    }
}

/// 2026-11-30T23:59:00Z: a minute, an hour, a day and a month are about to end.
const START: Timestamp = Timestamp::from_seconds(1_796_083_140);
/// `c` has no quota; what is lost of `b` goes back.
const METERS: [&str; 3] = ["a", "b", "c"];
const MEMBERS: [Option<&str>; 3] = [None, Some("m"), Some("n")];
const HOLDERS: [&str; 3] = ["h", "i", "j"];
/// Time for which the ledger waits for news of a holder, and the time until it looks then.
const FORGET_MS: i64 = LEASE_LIFETIME_MS + LEASE_MARGIN_MS;
const LOOK_MS: i64 = 30_000;

#[derive(Clone, Debug)]
enum Step {
    /// Time passes, or goes back a little.
    Clock(i64),
    /// A new message of a holder.
    Send { holder: usize, skipped: u64, wants: Vec<RawWant>, reports: Vec<RawReport> },
    /// An earlier message arrives once more.
    Again(Index),
}

/// Meter, member, needed, ahead.
type RawWant = (usize, usize, u64, u64);
/// Whether a lease is named, and its totals.
type RawReport = (bool, u64, u64);

fn step() -> impl Strategy<Value = Step> {
    let units = || prop_oneof![20 => 0_u64..9, 1 => Just(u64::MAX)];
    let want = (0..METERS.len(), 0..MEMBERS.len(), units(), units());
    let report = (prop::bool::weighted(0.8), units(), units());
    let wants = prop::collection::vec(want, 0..4);
    let reports = prop::collection::vec(report, 8);
    prop_oneof![
        4 => prop_oneof![
            4 => -5_000_i64..40_000,
            2 => 0_i64..400_000,
            1 => 0_i64..4_000_000_000,
        ].prop_map(Step::Clock),
        10 => (0..HOLDERS.len(), 0_u64..3, wants, reports).prop_map(
            |(holder, skipped, wants, reports)| Step::Send { holder, skipped, wants, reports }
        ),
        3 => any::<Index>().prop_map(Step::Again),
    ]
}

/// At most one quota per meter, period and scope, as the configuration demands.
fn quotas() -> impl Strategy<Value = Vec<Quota>> {
    let quota = (
        prop::sample::select(METERS.split_last().unwrap().1),
        prop::sample::select(Period::ALL.as_slice()),
        prop_oneof![10 => 0_u64..20, 1 => Just(u64::MAX)],
        prop_oneof![
            4 => Just((Enforcement::Hard, None)),
            1 => prop::option::of(0_u64..5).prop_map(|most| (Enforcement::Soft, most)),
        ],
        prop_oneof![Just(0), -720..=720],
        prop::bool::weighted(0.3),
        prop_oneof![Just(0), 0_u64..30],
    );
    prop::collection::vec(quota, 0..6).prop_map(|drawn| {
        let unique: BTreeMap<_, _> = drawn
            .into_iter()
            .map(|(meter, period, limit, ends, utc_offset_min, is_of_member, rollover_max)| {
                let (meter, (enforcement, overage_max)) = (meter.to_owned(), ends);
                let scope = if is_of_member { Scope::Member } else { Scope::Account };
                let quota = Quota {
                    meter,
                    limit,
                    period,
                    utc_offset_min,
                    enforcement,
                    scope,
                    overage_max,
                    rollover_max,
                    trial_limit: None,
                };
                (quota.name().to_string(), quota)
            })
            .collect();
        unique.into_values().collect()
    })
}

fn packs() -> impl Strategy<Value = Vec<CreditPack>> {
    let expires_at = prop::option::of((-10_000_i64..100_000).prop_map(|ms| START.plus_ms(ms)));
    prop::collection::vec((0_u64..9, expires_at), 0..4).prop_map(|drawn| {
        let pack = |(number, (units, expires_at))| CreditPack {
            id: format!("p{number}"),
            units,
            left: units,
            added_at: START,
            expires_at,
        };
        drawn.into_iter().enumerate().map(pack).collect()
    })
}

struct World {
    ledger: Ledger,
    store: MemoryStore,
    plans: Vec<Plan>,
    meters: Vec<Meter>,
    now: Timestamp,
    /// The number that each holder used last.
    numbers: [u64; HOLDERS.len()],
    sent: Vec<LedgerRequest>,
    book: Book,
}

impl World {
    fn new(quotas: Vec<Quota>, packs: Vec<CreditPack>, anchor: Option<Timestamp>) -> Self {
        let own = Subscription {
            plan: Some("p".into()),
            status: Status::Active,
            cycle_anchor: anchor,
            ..Subscription::default()
        };
        let account = AccountRecord::from(own);
        let (id, lost, notify_at) = ("b".to_owned(), Lost::Lenient, vec![80]);
        Self {
            ledger: Ledger::default(),
            book: Book::new(quotas.clone(), packs.clone(), anchor),
            store: MemoryStore { account: Some(account), packs, ..MemoryStore::default() },
            plans: vec![Plan { id: "p".into(), quotas, ..Plan::default() }],
            meters: vec![Meter { id, name: None, lost, notify_at, keep_days: None }],
            now: START,
            numbers: [0; HOLDERS.len()],
            sent: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let request = match step {
            Step::Clock(ms) => {
                self.now = self.now.plus_ms(ms);
                return Ok(());
            }
            Step::Send { holder, skipped, wants, reports } => {
                self.compose(holder, skipped, &wants, &reports)
            }
            Step::Again(_) if self.sent.is_empty() => return Ok(()),
            Step::Again(which) => which.get(&self.sent).clone(),
        };
        self.forget_the_gone()?;
        let is_news = request.number > self.book.heard(&request.holder);
        let before = self.store.clone();
        let reply = self.call(&request);
        prop_assert_eq!(&reply.account, &self.store.account);
        if is_news {
            self.book.hear(&request, self.now);
            let outcome = reply.grant.as_ref();
            prop_assert_eq!(outcome.is_some(), !request.wants.is_empty());
            if let Some(outcome) = outcome {
                self.book.note(&request, outcome, self.now)?;
            }
        } else {
            prop_assert_eq!(&reply.grant, &Some(GrantOutcome::Void));
            prop_assert_eq!(&self.store, &before);
        }
        self.check()?;
        // The same message again is void, with any outcome of the first.
        let before = self.store.clone();
        prop_assert_eq!(self.call(&request).grant, Some(GrantOutcome::Void));
        prop_assert_eq!(&self.store, &before);
        self.sent.push(request);
        Ok(())
    }

    fn compose(
        &mut self,
        holder: usize,
        skipped: u64,
        wants: &[RawWant],
        reports: &[RawReport],
    ) -> LedgerRequest {
        let name = HOLDERS[holder];
        let number = self.numbers[holder] + 1 + skipped;
        self.numbers[holder] = number + (wants.len() as u64).max(1) - 1;
        let want = |(meter, member, needed, ahead): &RawWant| Want {
            meter: METERS[*meter].to_owned(),
            member: MEMBERS[*member].map(str::to_owned),
            needed: *needed,
            ahead: *ahead,
        };
        // Its own leases, some of which it settled long ago, and one that never was.
        let ids = self.book.leases_ever(name).into_iter().chain([u64::MAX]);
        let named = ids.zip(reports.iter().cycle()).filter(|(_, (is_named, ..))| *is_named);
        let report = |(id, (_, spent, returned)): (u64, &RawReport)| LeaseReport {
            id,
            spent: *spent,
            returned: *returned,
        };
        LedgerRequest {
            holder: name.to_owned(),
            number,
            wants: wants.iter().map(want).collect(),
            leases: named.map(report).collect(),
            ..LedgerRequest::default()
        }
    }

    fn call(&mut self, request: &LedgerRequest) -> LedgerReply {
        let (plans, meters) = (&self.plans, &self.meters);
        let terms = Terms { plans, meters, announces: true, ..Terms::default() };
        self.ledger.handle(&mut self.store, terms, request, self.now).unwrap()
    }

    /// Has the ledger look for holders that are gone. It may not do so too soon, nor much too late.
    fn forget_the_gone(&mut self) -> Result<(), TestCaseError> {
        let names = |store: &MemoryStore| store.holders.keys().cloned().collect::<BTreeSet<_>>();
        let before = names(&self.store);
        self.call(&LedgerRequest { holder: "reader".into(), ..LedgerRequest::default() });
        let left = names(&self.store);
        for name in &before {
            let silent_ms = self.now.ms_since(self.book.seen_at(name));
            if left.contains(name) {
                prop_assert!(silent_ms < FORGET_MS + LOOK_MS, "{} {}", name, silent_ms);
            } else {
                prop_assert!(silent_ms >= FORGET_MS, "{} {}", name, silent_ms);
                self.book.forget(name, "b");
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let counted = self.store.counters.iter().map(|(key, counter)| {
            let Counter { used, carried, .. } = *counter;
            (key.clone(), (used, carried))
        });
        prop_assert_eq!(counted.collect::<BTreeMap<_, _>>(), self.book.counted());
        let left: Vec<_> = self.store.packs.iter().map(|pack| pack.left).collect();
        prop_assert_eq!(left, self.book.left());
        for announcement in &self.store.announcements {
            let is_reached = matches!(announcement, Announcement::Threshold(one)
                if one.used * 100 >= one.limit.min(1 << 50) * 80);
            prop_assert!(is_reached, "{announcement:?}");
        }
        self.book.check()
    }
}
