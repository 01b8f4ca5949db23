//! Answers that nobody asked for.

use proptest::prelude::*;
use tollgate::account::AccountRecord;
use tollgate::cause::{Cause, QuotaState};
use tollgate::decision::Decision;
use tollgate::gate::{Outcome, Step};
use tollgate::plan::{Quota, Window};
use tollgate::quota::{GrantOutcome, Lease, LedgerReply, RefusalReason};

use crate::world::{World, token};
use crate::{cause, key_set, world, world_with_url};

/// One outcome of each kind.
fn outcomes() -> Vec<Outcome> {
    vec![
        Outcome::BurstAnswered(true),
        Outcome::KeysFetched(key_set("ed")),
        Outcome::LedgerAnswered(Ok(Box::default())),
        Outcome::SignatureVerified(Ok(true)),
        Outcome::UsageRead(Ok(Box::default())),
        Outcome::Waited,
    ]
}

fn decision(step: Step) -> Decision {
    match step {
        Step::Done(decision) => decision,
        step => panic!("it goes on with {step:?}"),
    }
}

#[test]
fn before_the_start_nothing_is_taken() {
    for outcome in outcomes() {
        let mut world = world();
        let mut gate = world.gate("GET /vault", Some(&token("{}")));
        let step = gate.resume(outcome, &mut world.memory, world.now);
        assert_eq!(cause(&decision(step)), Some(Cause::Misconfigured));
    }
}

#[test]
fn after_the_decision_nothing_is_taken() {
    for outcome in outcomes() {
        let mut world = world();
        let mut gate = world.gate("GET /vault", None);
        let first = decision(gate.start(&mut world.memory, world.now));
        assert_eq!(cause(&first), Some(Cause::SignInRequired));
        let step = gate.resume(outcome, &mut world.memory, world.now);
        assert_eq!(cause(&decision(step)), Some(Cause::Misconfigured));
    }
}

/// A request that was followed up to its step of this kind.
fn up_to(world: &mut World, kind: &str) -> tollgate::gate::Gate {
    let mut gate = world.gate("GET /fast", Some(&token("{}")));
    let mut step = gate.start(&mut world.memory, world.now);
    while name(&step) != kind {
        let outcome = world.perform(&step);
        step = gate.resume(outcome, &mut world.memory, world.now);
    }
    gate
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::CallLedger { .. } => "ledger",
        Step::Done(_) => panic!("it is over"),
        Step::FetchKeys { .. } => "keys",
        Step::FindKey { .. } => panic!("it is no API key"),
        Step::LimitBurst { .. } => "burst",
        Step::ReadUsage { .. }
        | Step::ShowAccount(_)
        | Step::ShowStatus(_)
        | Step::ShowUsage(_) => panic!("it is not about usage"),
        Step::ReadOutage => panic!("no provider is configured"),
        Step::VerifySignature(_) => "verify",
        Step::Wait { .. } => "wait",
    }
}

#[test]
fn the_wrong_answer_denies_as_misconfigured_and_says_nothing_of_its_content() {
    let right = ["burst", "keys", "ledger", "verify", "usage", "wait"];
    for asked in ["keys", "verify", "burst", "ledger"] {
        for (outcome, kind) in outcomes().into_iter().zip(right) {
            if asked == kind {
                continue;
            }
            let mut world = world_with_url("ed");
            let mut gate = up_to(&mut world, asked);
            let step = gate.resume(outcome, &mut world.memory, world.now);
            let Decision::Deny(denial) = decision(step) else {
                panic!("{kind} for {asked} passed");
            };
            assert_eq!(denial.cause, Cause::Misconfigured, "{kind} for {asked}");
            let detail = denial.facts.operator_detail.unwrap();
            assert!(!detail.contains("kty") && !detail.contains("alice"), "{detail}");
        }
    }
}

/// A ledger's reply of any kind, fitting or not.
fn reply() -> impl Strategy<Value = LedgerReply> {
    let grant = prop_oneof![
        Just(None),
        Just(Some(GrantOutcome::UnknownPlan)),
        Just(Some(GrantOutcome::NoPlan)),
        Just(Some(GrantOutcome::Void)),
        (prop::collection::vec(lease(), 0..3), 0_usize..3).prop_map(|(leases, wants)| {
            Some(GrantOutcome::Granted { leases, quotas: vec![vec![quota()]; wants] })
        }),
        prop::sample::select(vec!["api", "other", ""]).prop_map(|meter| {
            let reason = RefusalReason::QuotaExhausted;
            let (quota, quotas) = (quota(), vec![quota()]);
            Some(GrantOutcome::Refused { reason, meter: meter.to_owned(), quota, quotas })
        }),
    ];
    let account = prop_oneof![
        Just(None),
        Just(Some(AccountRecord::default())),
        Just(Some(serde_json::from_str(crate::PRO).unwrap())),
    ];
    (account, grant, any::<u32>()).prop_map(|(account, grant, horizon_ms)| LedgerReply {
        account,
        grant,
        horizon_ms,
    })
}

fn lease() -> impl Strategy<Value = Lease> {
    let id = prop_oneof![4 => 0_u64..6, 1 => any::<u64>()];
    let units = prop_oneof![4 => 0_u64..9, 1 => any::<u64>()];
    let flags = any::<(bool, bool)>();
    (id, units.clone(), units, any::<u64>(), flags).prop_map(
        |(id, units, credits, lifetime_ms, (is_lenient, is_of_member))| Lease {
            id,
            units,
            lifetime_ms,
            credits,
            is_lenient,
            is_of_member,
        },
    )
}

fn quota() -> QuotaState {
    let quota = Quota { meter: "api".to_owned(), ..Quota::default() };
    QuotaState::new(&quota, Window::default(), 5, 5)
}

fn outcome() -> impl Strategy<Value = TestOutcome> {
    prop_oneof![
        4 => Just(TestOutcome::Right),
        1 => any::<bool>().prop_map(TestOutcome::Burst),
        1 => "[ -~]{0,40}".prop_map(|body| TestOutcome::Keys(Ok(body))),
        1 => Just(TestOutcome::Keys(key_set("other"))),
        1 => Just(TestOutcome::Keys(Err("broken".to_owned()))),
        2 => reply().prop_map(|reply| TestOutcome::Ledger(Ok(Box::new(reply)))),
        1 => Just(TestOutcome::Ledger(Err("broken".to_owned()))),
        1 => any::<bool>().prop_map(TestOutcome::Signature),
        1 => Just(TestOutcome::Usage),
        1 => Just(TestOutcome::Waited),
    ]
}

/// An outcome that can be copied and shown; `Right` is the one that fits the step.
#[derive(Clone, Debug)]
enum TestOutcome {
    Burst(bool),
    Keys(Result<String, String>),
    Ledger(Result<Box<LedgerReply>, String>),
    Right,
    Signature(bool),
    Usage,
    Waited,
}

impl TestOutcome {
    fn of(self, step: &Step, world: &mut World) -> Outcome {
        match self {
            Self::Burst(is_within) => Outcome::BurstAnswered(is_within),
            Self::Keys(body) => Outcome::KeysFetched(body),
            Self::Ledger(reply) => Outcome::LedgerAnswered(reply),
            Self::Right if matches!(step, Step::Done(_)) => Outcome::Waited,
            Self::Right => world.perform(step),
            Self::Usage => Outcome::UsageRead(Ok(Box::default())),
            Self::Signature(is_right) => Outcome::SignatureVerified(Ok(is_right)),
            Self::Waited => Outcome::Waited,
        }
    }
}

/// More steps than any way through the gate has: 150 waits for keys (a deadline of 3 s in steps of
/// 20 ms), 65 for the ledger (twice its deadline of 1 s, in steps that grow to 32 ms), a fetch, and
/// a few of each kind.
const MOST_STEPS: usize = 230;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, cases: 96, ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_edge_answers_the_gate_decides(
        outcomes in proptest::collection::vec(outcome(), 0..12),
        path in prop_oneof![
            Just("GET /premium"), Just("GET /api"), Just("GET /fast"), Just("GET /%zz"),
            Just("GET /vault"), Just("GET /mixed"), Just("HEAD /heads"),
        ],
        kid in prop_oneof![Just("ed"), Just("other")],
        step_ms in 0_i64..5_000,
    ) {
        let mut world = world_with_url("ed");
        let token = crate::tokens::mint(&crate::world::claims("{}"), kid);
        let mut outcomes = outcomes.into_iter();
        // Several requests share the memory that the ones before them left.
        for _ in 0..3 {
            let mut gate = world.gate(path, Some(&token));
            let mut step = gate.start(&mut world.memory, world.now);
            for _ in 0..MOST_STEPS {
                if matches!(step, Step::Done(_)) {
                    break;
                }
                world.pass_ms(step_ms);
                let outcome = outcomes.next().unwrap_or(TestOutcome::Right).of(&step, &mut world);
                step = gate.resume(outcome, &mut world.memory, world.now);
            }
            prop_assert!(matches!(step, Step::Done(_)), "no decision, but {step:?}");
            world.run(gate.take_errands());
            // And one more, which nobody asked for.
            let extra = outcomes.next().unwrap_or(TestOutcome::Waited).of(&step, &mut world);
            let step = gate.resume(extra, &mut world.memory, world.now);
            prop_assert_eq!(cause(&decision(step)), Some(Cause::Misconfigured));
        }
    }
}
