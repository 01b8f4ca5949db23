//! From a schedule that fails to a short story: everything that the failure doesn't need is left
//! out.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::faults::Fault;
use crate::rules::Rule;
use crate::schedule::Schedule;
use crate::troubles::Trouble;
use crate::world::{Options, Outcome, run};

/// A failure that can be read.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) schedule: Schedule,
    pub(crate) outcome: Outcome,
}

/// Leaves out kinds of trouble and requests, as long as the same rule is broken.
pub(crate) fn shrink(schedule: &Schedule, fault: Option<Fault>, compares: bool) -> Story {
    let options = Options { fault, compares, tells: true, ..Options::default() };
    let outcome = run(schedule, &options);
    let rule = outcome.broken.as_ref().map(|broken| broken.rule);
    let mut story = Story { schedule: schedule.clone(), outcome };
    let mut options = options;
    let Some(rule) = rule else { return story };
    for _ in 0..ROUNDS {
        let before = (story.schedule.troubles, options.left_out.len());
        leave_out_troubles(&mut story, &options, rule);
        leave_out_requests(&mut story, &mut options, rule);
        if before == (story.schedule.troubles, options.left_out.len()) {
            break;
        }
    }
    story
}

fn leave_out_troubles(story: &mut Story, options: &Options, rule: Rule) {
    for trouble in Trouble::ALL {
        if !story.schedule.troubles.has(trouble) {
            continue;
        }
        let schedule = story.schedule.clone().without(trouble);
        if let Some(outcome) = still_breaks(&schedule, options, rule) {
            *story = Story { schedule, outcome };
        }
    }
    for index in (0..story.schedule.strikes.len()).rev() {
        let mut schedule = story.schedule.clone();
        schedule.strikes.remove(index);
        if let Some(outcome) = still_breaks(&schedule, options, rule) {
            *story = Story { schedule, outcome };
        }
    }
}

/// Leaves out ever smaller parts of the requests.
fn leave_out_requests(story: &mut Story, options: &mut Options, rule: Rule) {
    let mut runs = 0;
    let is_kept = |request: &&(usize, u64), left_out: &HashSet<_>| !left_out.contains(*request);
    let mut part = story.outcome.requests.len().div_ceil(2);
    while part > 0 {
        let mut first = 0;
        loop {
            let left_out = &options.left_out;
            let all = story.outcome.requests.iter();
            let kept: Vec<_> = all.filter(|request| is_kept(request, left_out)).copied().collect();
            if first >= kept.len() || runs > MOST_RUNS {
                break;
            }
            let mut fewer = options.clone();
            fewer.left_out.extend(kept.iter().skip(first).take(part));
            runs += 1;
            match still_breaks(&story.schedule, &fewer, rule) {
                Some(outcome) => {
                    *options = fewer;
                    story.outcome = outcome;
                }
                None => first += part,
            }
        }
        part /= 2;
    }
}

fn still_breaks(schedule: &Schedule, options: &Options, rule: Rule) -> Option<Outcome> {
    let outcome = run(schedule, options);
    let is_same = outcome.broken.as_ref().is_some_and(|broken| broken.rule == rule);
    is_same.then_some(outcome)
}

impl Story {
    /// As text, for the person who has to find the mistake.
    pub(crate) fn text(&self) -> String {
        let Self { schedule, outcome } = self;
        let lines = &outcome.story;
        let (mut text, most) = match &outcome.broken {
            Some(broken) => (format!("{:?}: {}\n", broken.rule, broken.how), MOST_LINES),
            None => ("every rule holds\n".to_owned(), usize::MAX),
        };
        let skipped = lines.len().saturating_sub(most);
        let (seed, starts_at) = (schedule.seed, schedule.starts_at.rfc3339_exact());
        let troubles = schedule.troubles.names();
        let _ = writeln!(text, "seed {seed}, from {starts_at}; what it takes: {troubles}");
        for plan in &schedule.plans {
            for quota in &plan.quotas {
                let _ = writeln!(text, "plan {}: {quota:?}", plan.id);
            }
        }
        for meter in &schedule.meters {
            let _ = writeln!(text, "meter {}: {:?}", meter.id, meter.lost);
        }
        for account in &schedule.accounts {
            let _ = writeln!(text, "account: {:?} {:?}", account.record.own.plan, account.packs);
        }
        if skipped > 0 {
            let _ = writeln!(text, "({skipped} lines before)");
        }
        for line in &lines[skipped..] {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(
            text,
            "again: TOLLGATE_SEED={seed} cargo test --test simulation every_rule -- --nocapture"
        );
        text
    }
}

const ROUNDS: usize = 4;
const MOST_RUNS: usize = 2_000;
const MOST_LINES: usize = 120;
