//! Many requests at once, on an isolate without any memory yet.

use tollgate::cause::Cause;
use tollgate::decision::Decision;
use tollgate::gate::{Gate, Need, Outcome, Process, Step};
use tollgate::time::Timestamp;

use crate::world::{Arrival, World, token};
use crate::{ALICE, BIG, cause, meet, passed, performed, world};

/// The time of an answer of the ledger.
const ANSWER_MS: i64 = 20;
const CROWD: usize = 64;

/// Serves requests that all begin now, each going on when what it waits for is there.
pub(crate) fn serve_all(world: &mut World, arrivals: Vec<Arrival>) -> Vec<Decision> {
    let mut decisions: Vec<_> = arrivals.iter().map(|_| None).collect();
    let mut waiting: Vec<(Timestamp, usize, Outcome)> = Vec::new();
    let mut gates: Vec<Gate> = Vec::new();
    let mut steps: Vec<(usize, Step<Decision>)> = Vec::new();
    for arrival in arrivals {
        let (gate, step) = arrival.start(&mut world.memory, world.now);
        steps.push((gates.len(), step));
        gates.push(gate);
    }
    loop {
        for (index, step) in steps.drain(..) {
            let need = match step {
                Step::End(decision) => {
                    decisions[index] = Some(decision);
                    world.run(gates[index].take_errands());
                    continue;
                }
                Step::Need(need) => need,
            };
            let (after_ms, outcome) = match need {
                Need::Wait { for_ms } => (i64::from(for_ms), Outcome::Waited),
                Need::CallLedger { .. } => (ANSWER_MS, world.meet(&need)),
                need => (1, world.meet(&need)),
            };
            waiting.push((world.now.plus_ms(after_ms), index, outcome));
        }
        let Some(next) = waiting.iter().map(|(at, ..)| *at).min() else { break };
        world.pass_ms(next.ms_since(world.now));
        let place = waiting.iter().position(|(at, ..)| *at == next).unwrap();
        let (_, index, outcome) = waiting.remove(place);
        steps.push((index, gates[index].resume(outcome, &mut world.memory, world.now)));
    }
    decisions.into_iter().map(Option::unwrap).collect()
}

fn crowd(world: &World) -> Vec<Arrival> {
    let token = token("{}");
    (0..CROWD).map(|_| world.arrival("GET /api", Some(&token))).collect()
}

fn asked(world: &mut World) -> usize {
    performed(world).iter().filter(|word| **word == "ledger").count()
}

#[test]
fn a_crowd_at_a_cold_isolate_costs_the_ledger_two_or_three_calls() {
    let mut world = world();
    world.put_account(ALICE, BIG);
    let gates = crowd(&world);
    let started = world.now;
    let decisions = serve_all(&mut world, gates);
    let done = performed(&mut world);
    let messages = done.iter().filter(|word| matches!(**word, "ledger" | "tell")).count();
    assert!((2..=3).contains(&messages), "{done:?}");
    assert!(world.now.ms_since(started) < 120, "nobody waits for long: {:?}", world.now);
    let mut used: Vec<_> =
        decisions.iter().map(|decision| passed(decision).quotas[0].used).collect();
    used.sort_unstable();
    assert_eq!(used, (1..=CROWD as u64).collect::<Vec<_>>());
    world.settle_down();
    assert_eq!(world.counted(ALICE), CROWD as u64);
}

#[test]
fn a_crowd_gets_exactly_what_there_is() {
    let mut world = world();
    let gates = crowd(&world);
    let decisions = serve_all(&mut world, gates);
    let refused: Vec<_> = decisions.iter().filter_map(cause).collect();
    assert_eq!(refused, [Cause::QuotaExhausted; CROWD - 2]);
    assert!(asked(&mut world) <= 4);
    world.settle_down();
    assert_eq!(world.counted(ALICE), 2);
}

#[test]
fn a_crowd_before_a_ledger_that_is_down_costs_one_call() {
    let mut world = world();
    world.put_account(ALICE, BIG);
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    performed(&mut world);
    world.ledger_is_down = true;
    let gates = crowd(&world);
    for decision in serve_all(&mut world, gates) {
        assert!(passed(&decision).degraded.is_some());
    }
    assert_eq!(asked(&mut world), 1);
    world.ledger_is_down = false;
    world.pass_ms(3_000);
    passed(&world.serve("GET /api", Some(&token)));
    let rows = world.store(ALICE).unwrap();
    let degraded: u64 = rows.counters.values().map(|counter| counter.degraded).sum();
    assert_eq!(degraded, CROWD as u64);
}

#[test]
fn whoever_waits_for_a_request_that_was_broken_off_asks_itself() {
    let mut world = world();
    world.put_account(ALICE, BIG);
    let mut gates = crowd(&world);
    let (mut lost, step) = gates.pop().unwrap().start(&mut world.memory, world.now);
    let outcome = meet(&mut world, &step);
    let step = lost.resume(outcome, &mut world.memory, world.now);
    let Step::Need(Need::CallLedger { account, request }) = step else { panic!("{step:?}") };
    // The ledger grants it a unit, and the answer gets lost.
    world.ask_ledger(&account, &request).unwrap();
    drop(lost);
    let started = world.now;
    performed(&mut world);
    for decision in serve_all(&mut world, gates) {
        passed(&decision);
    }
    let waited_ms = world.now.ms_since(started);
    assert!((1_500..1_700).contains(&waited_ms), "its deadline, and a little: {waited_ms}");
    assert!(asked(&mut world) <= 2);
    world.settle_down();
    assert_eq!(world.counted(ALICE), CROWD as u64 - 1, "what never arrived has gone back");
}

#[test]
fn an_answer_that_comes_after_the_deadline_is_not_taken() {
    let mut world = world();
    world.put_account(ALICE, BIG);
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    let (mut slow, step) =
        world.arrival("GET /api", Some(&token)).start(&mut world.memory, world.now);
    let late = meet(&mut world, &step);
    // The isolate was stopped for a while; meanwhile another request has asked.
    world.pass_ms(1_500);
    let decision = world.serve("GET /api", Some(&token));
    let told = passed(&decision).quotas[0].used;
    assert_eq!(told, 1, "the ledger has taken back what the first never named");
    let step = slow.resume(late, &mut world.memory, world.now);
    assert!(matches!(step, Step::Need(Need::Wait { .. })), "{step:?}");
    let step = slow.resume(Outcome::Waited, &mut world.memory, world.now);
    let outcome = meet(&mut world, &step);
    let step = slow.resume(outcome, &mut world.memory, world.now);
    let Step::End(decision) = step else { panic!("{step:?}") };
    assert_eq!(passed(&decision).quotas[0].used, 2);
}
