//! A reader who always comes with the latest cookie gets exactly the allowance, on any isolates and
//! with any fate of the reports.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use tollgate::allowance::{ReaderMemory, ReadersReply, ReadersRequest, Verdict};

use crate::site::Site;

#[derive(Clone, Debug)]
enum Step {
    /// Reads this page at this isolate; the origin fails where it is `false`.
    Read(usize, u32, bool),
    /// An isolate sends its reports off.
    Send(usize),
    /// One of the reports under way arrives; its answer is under way then.
    Arrive(Index),
    /// One of the answers under way arrives.
    Answer(Index),
    /// One of the reports under way gets lost.
    Lose(Index),
    /// The platform ends an isolate.
    Forget(usize),
    /// Time passes, within the month.
    Clock(i64),
}

const ISOLATES: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..ISOLATES, 0_u32..9, prop::bool::weighted(0.9))
            .prop_map(|(isolate, page, works)| Step::Read(isolate, page, works)),
        3 => (0..ISOLATES).prop_map(Step::Send),
        3 => any::<Index>().prop_map(Step::Arrive),
        3 => any::<Index>().prop_map(Step::Answer),
        1 => any::<Index>().prop_map(Step::Lose),
        1 => (0..ISOLATES).prop_map(Step::Forget),
        2 => (0_i64..20_000).prop_map(Step::Clock),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn honest_readers_get_what_they_are_due(
        limit in 1_u32..6,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut site = Site::new(&format!("{limit} per month"), ISOLATES);
        let mut reports: Vec<(usize, ReadersRequest)> = Vec::new();
        let mut answers: Vec<(usize, ReadersReply)> = Vec::new();
        let mut cookie: Option<String> = None;
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Read(isolate, page, false) => {
                    site.get_failing(isolate, cookie.as_deref(), page);
                }
                Step::Read(isolate, page, true) => {
                    let served = site.get(isolate, cookie.as_deref(), page);
                    let is_left = seen.len() < limit as usize;
                    match &served.view.verdict {
                        Verdict::AlreadySeen => prop_assert!(seen.contains(&page)),
                        Verdict::Counted(_) => prop_assert!(is_left && !seen.contains(&page)),
                        Verdict::UsedUp => prop_assert!(!is_left && !seen.contains(&page)),
                    }
                    if served.grant().is_some() {
                        seen.insert(page);
                        cookie = served.cookie;
                    }
                    prop_assert_eq!(served.view.quota.used, seen.len() as u64);
                }
                Step::Send(isolate) => {
                    let sent = site.take(isolate);
                    reports.extend(sent.into_iter().map(|report| (isolate, report)));
                }
                Step::Arrive(which) if !reports.is_empty() => {
                    let (isolate, report) = reports.swap_remove(which.index(reports.len()));
                    answers.push((isolate, site.report(&report)));
                }
                Step::Answer(which) if !answers.is_empty() => {
                    let (isolate, reply) = answers.swap_remove(which.index(answers.len()));
                    site.isolates[isolate].correct(&reply.corrections);
                }
                Step::Lose(which) if !reports.is_empty() => {
                    reports.swap_remove(which.index(reports.len()));
                }
                Step::Forget(isolate) => site.isolates[isolate] = ReaderMemory::default(),
                Step::Clock(ms) => site.now = site.now.plus_ms(ms),
                Step::Arrive(_) | Step::Answer(_) | Step::Lose(_) => {}
            }
        }
    }
}
