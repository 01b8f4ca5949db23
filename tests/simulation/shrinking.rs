//! From a schedule that fails to a short story: whatever the failure doesn't need is left out.

use std::collections::HashSet;

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
    /// As text, for whoever has to find the mistake.
    pub(crate) fn text(&self) -> String {
        let Self { schedule, outcome } = self;
        let Some(broken) = &outcome.broken else { return "nothing is broken".to_owned() };
        let lines = &outcome.story;
        let skipped = lines.len().saturating_sub(MOST_LINES);
        let mut text = format!("{:?}: {}\n", broken.rule, broken.how);
        text.push_str(&format!(
            "seed {}, from {}; what it takes: {}\n",
            schedule.seed,
            schedule.starts_at.rfc3339_exact(),
            schedule.troubles.names(),
        ));
        for plan in &schedule.plans {
            for quota in &plan.quotas {
                text.push_str(&format!("plan {}: {quota:?}\n", plan.id));
            }
        }
        for meter in &schedule.meters {
            text.push_str(&format!("meter {}: {:?}\n", meter.id, meter.lost));
        }
        for account in &schedule.accounts {
            text.push_str(&format!("account: {:?} {:?}\n", account.record.plan, account.packs));
        }
        if skipped > 0 {
            text.push_str(&format!("({skipped} lines before)\n"));
        }
        for line in &lines[skipped..] {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!(
            "again: TOLLGATE_SEED={} cargo test --test simulation -- --nocapture\n",
            schedule.seed
        ));
        text
    }
}

const ROUNDS: usize = 4;
const MOST_RUNS: usize = 2_000;
const MOST_LINES: usize = 120;
