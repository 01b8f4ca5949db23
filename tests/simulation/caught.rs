//! The simulation can fail: each deliberate fault breaks the rules that it should, without a look at
//! the ledger's rows after each call, and its story is short.

use crate::faults::Fault;
use crate::rules::Rule;
use crate::schedule::Schedule;
use crate::shrinking::shrink;
use crate::world::{Options, run};

/// The rules that each fault breaks.
const CAUGHT_BY: [(Fault, &[Rule]); 26] = [
    (Fault::NoDebitAtGrant, &[Rule::QuotaExceeded, Rule::PassedUncharged]),
    (Fault::CreditsNotDebited, &[Rule::CreditsOverspent]),
    (Fault::CreditsNeverExpire, &[Rule::SpentAfterItsEnd]),
    (Fault::RepeatsAreCounted, &[Rule::SpentGoneUnit]),
    (Fault::OldMessagesAreHeard, &[Rule::HeardAgain]),
    (Fault::ReportsAreDropped, &[Rule::QuotaExceeded]),
    (Fault::ReturnsAddUp, &[Rule::QuotaExceeded, Rule::PassedUncharged]),
    (Fault::ReclaimsTooEarly, &[Rule::ForgottenTooSoon]),
    (Fault::LeasesLiveLonger, &[Rule::SpentAfterItsEnd]),
    (Fault::LeasesOutliveWindows, &[Rule::SpentAfterItsEnd]),
    (Fault::ClocksAreTooSlow, &[Rule::SpentAfterItsEnd]),
    (Fault::RefundInTheWrongWindow, &[Rule::QuotaExceeded, Rule::ChargedForNothing]),
    (Fault::StrictIsLenient, &[Rule::QuotaExceeded, Rule::PassedUncharged]),
    (Fault::FailedCallsStay, &[Rule::ChargedForNothing]),
    (Fault::AnswersBeforeItWrites, &[Rule::QuotaExceeded]),
    (Fault::MembersShare, &[Rule::MembersMixedUp]),
    (Fault::UnitsComeBackTwice, &[Rule::SpentTwice, Rule::ReportIsWrong]),
    (Fault::NothingIsGivenBack, &[Rule::ChargedForNothing]),
    (Fault::NamesAreReused, &[Rule::SpentGoneUnit]),
    (Fault::RefusalsAreKept, &[Rule::RefusedTooLong]),
    (Fault::DebitsTwice, &[Rule::RefusedWithRoom, Rule::ChargedForNothing]),
    (Fault::LenientIsStrict, &[Rule::ChargedForNothing]),
    (Fault::OutagesAreCountedAgain, &[Rule::OutageCountedTwice]),
    (Fault::AUnitIsMissing, &[Rule::Underpaid]),
    (Fault::LiveRowsAreNotWritten, &[Rule::QuotaExceeded, Rule::HeardAgain]),
    (Fault::FurtherHoldersFallOut, &[Rule::HeardAgain, Rule::ChargedForNothing]),
];

#[test]
fn every_deliberate_fault_is_caught() {
    for (fault, rules) in CAUGHT_BY {
        let mut missing = rules.to_vec();
        let mut seeds = 0..MOST_SCHEDULES;
        while !missing.is_empty() {
            let seed =
                seeds.next().unwrap_or_else(|| panic!("{fault:?} does not break {missing:?}"));
            if let Some(rule) = broken_by(seed, fault) {
                missing.retain(|other| *other != rule);
            }
        }
        println!("{fault:?} breaks {rules:?} within {} schedules", seeds.start);
    }
}

#[test]
fn every_rule_can_be_broken() {
    for rule in Rule::ALL {
        assert!(CAUGHT_BY.iter().any(|(_, rules)| rules.contains(&rule)), "{rule:?}");
    }
}

#[test]
fn the_story_of_a_failure_is_short() {
    let fault = Fault::NoDebitAtGrant;
    let is_it = |seed: &u64| broken_by(*seed, fault) == Some(Rule::QuotaExceeded);
    let seed = (0..MOST_SCHEDULES).find(is_it).unwrap();
    let story = shrink(&Schedule::new(seed), Some(fault), false);
    let text = story.text();
    assert!(text.starts_with("QuotaExceeded: "), "{text}");
    assert!(text.contains(&format!("TOLLGATE_SEED={seed} ")), "{text}");
    assert!(story.outcome.story.len() < 30, "{text}");
}

#[test]
fn a_seed_replays_exactly() {
    let options = Options { tells: true, ..Options::default() };
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| run(&Schedule::new(seed), &options));
        assert_eq!(first.events, second.events);
        assert!(first.story == second.story, "seed {seed}");
    }
}

fn broken_by(seed: u64, fault: Fault) -> Option<Rule> {
    let options = Options { fault: Some(fault), compares: false, ..Options::default() };
    run(&Schedule::new(seed), &options).broken.map(|broken| broken.rule)
}

const MOST_SCHEDULES: u64 = 3_000;
