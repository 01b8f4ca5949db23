//! Answers that nobody asked for.

use proptest::prelude::*;
use tollgate::account::AccountRecord;
use tollgate::cause::{Cause, QuotaState};
use tollgate::decision::Decision;
use tollgate::gate::{CallError, Gate, Need, Outcome, Process, Step};
use tollgate::plan::{Quota, Window};
use tollgate::quota::{GrantOutcome, Lease, LedgerReply, RefusalReason};

use crate::world::{World, account_record, token, unreachable};
use crate::{cause, key_set, world, world_with_url};

/// One outcome of each kind.
fn outcomes() -> Vec<Outcome> {
    vec![
        Outcome::KeyFound(Ok(None)),
        Outcome::KeysFetched(key_set("ed")),
        Outcome::SignatureVerified(Ok(true)),
        Outcome::BurstAnswered(true),
        Outcome::LedgerAnswered(Ok(Box::default())),
        Outcome::UsageRead(Ok(Box::default())),
        Outcome::OutageRead(Ok(false)),
        Outcome::Waited,
    ]
}

fn decision(step: Step<Decision>) -> Decision {
    match step {
        Step::End(decision) => decision,
        Step::Need(need) => panic!("it goes on with {need:?}"),
    }
}

#[test]
fn after_the_decision_nothing_is_taken() {
    for outcome in outcomes() {
        let mut world = world();
        let arrival = world.arrival("GET /vault", None);
        let (mut gate, step) = arrival.start(&mut world.memory, world.now);
        assert_eq!(cause(&decision(step)), Some(Cause::SignInRequired));
        let step = gate.resume(outcome, &mut world.memory, world.now);
        assert_eq!(cause(&decision(step)), Some(Cause::Misconfigured));
    }
}

#[test]
fn without_a_route_nothing_is_taken() {
    for outcome in outcomes() {
        let mut world = world();
        let arrival = world.arrival("GET /%zz", None);
        let (mut gate, step) = arrival.start(&mut world.memory, world.now);
        assert_eq!(cause(&decision(step)), Some(Cause::BadRequest));
        let step = gate.resume(outcome, &mut world.memory, world.now);
        assert_eq!(cause(&decision(step)), Some(Cause::Misconfigured));
    }
}

/// A request that was followed up to its need of this kind.
fn up_to(world: &mut World, kind: &str) -> Gate {
    let arrival = world.arrival("GET /fast", Some(&token("{}")));
    let (mut gate, mut step) = arrival.start(&mut world.memory, world.now);
    loop {
        let Step::Need(need) = step else { panic!("it is over") };
        if name(&need) == kind {
            return gate;
        }
        let outcome = world.meet(&need);
        step = gate.resume(outcome, &mut world.memory, world.now);
    }
}

fn name(need: &Need) -> &'static str {
    match need {
        Need::FindKey { .. } => panic!("it is no API key"),
        Need::FetchKeys { .. } => "keys",
        Need::VerifySignature(_) => "verify",
        Need::LimitBurst { .. } => "burst",
        Need::CallLedger { .. } => "ledger",
        Need::ReadUsage { .. } => panic!("it is not about usage"),
        Need::ReadOutage => panic!("no provider is configured"),
        Need::Wait { .. } => "wait",
    }
}

#[test]
fn the_wrong_answer_denies_as_misconfigured_and_says_nothing_of_its_content() {
    let right = ["key", "keys", "verify", "burst", "ledger", "usage", "outage", "wait"];
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
        Just(Some(account_record(crate::PRO))),
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
        1 => Just(TestOutcome::Keys(Err(unreachable("broken")))),
        2 => reply().prop_map(|reply| TestOutcome::Ledger(Ok(Box::new(reply)))),
        1 => Just(TestOutcome::Ledger(Err(unreachable("broken")))),
        1 => any::<bool>().prop_map(TestOutcome::Signature),
        1 => Just(TestOutcome::Usage),
        1 => Just(TestOutcome::Waited),
    ]
}

/// An outcome that can be copied and shown; `Right` is the one that fits the step.
#[derive(Clone, Debug)]
enum TestOutcome {
    Burst(bool),
    Keys(Result<String, CallError>),
    Ledger(Result<Box<LedgerReply>, CallError>),
    Right,
    Signature(bool),
    Usage,
    Waited,
}

impl TestOutcome {
    fn of(self, step: &Step<Decision>, world: &mut World) -> Outcome {
        match self {
            Self::Burst(is_within) => Outcome::BurstAnswered(is_within),
            Self::Keys(body) => Outcome::KeysFetched(body),
            Self::Ledger(reply) => Outcome::LedgerAnswered(reply),
            Self::Right => match step {
                Step::End(_) => Outcome::Waited,
                Step::Need(need) => world.meet(need),
            },
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
            let arrival = world.arrival(path, Some(&token));
            let (mut gate, mut step) = arrival.start(&mut world.memory, world.now);
            for _ in 0..MOST_STEPS {
                if matches!(step, Step::End(_)) {
                    break;
                }
                world.pass_ms(step_ms);
                let outcome = outcomes.next().unwrap_or(TestOutcome::Right).of(&step, &mut world);
                step = gate.resume(outcome, &mut world.memory, world.now);
            }
            prop_assert!(matches!(step, Step::End(_)), "no decision, but {step:?}");
            world.run(gate.take_errands());
            // And one more, which nobody asked for.
            let extra = outcomes.next().unwrap_or(TestOutcome::Waited).of(&step, &mut world);
            let step = gate.resume(extra, &mut world.memory, world.now);
            prop_assert_eq!(cause(&decision(step)), Some(Cause::Misconfigured));
        }
    }
}
