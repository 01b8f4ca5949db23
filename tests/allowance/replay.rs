//! The gain of a reader who keeps every cookie and always sends the one that is worth most.
//!
//! With `n` isolates (one that has lost its memory counts anew) the bound is
//! `limit + (n - 1) × (limit - 1)` pages: an isolate never lets a reader past the limit by its own
//! knowledge, and all but the first view need a cookie that has a count of at least one. Each isolate
//! adds to the limit only until its first report since the allowance was used up is answered.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use tollgate::allowance::{ReaderMemory, ReadersReply, ReadersRequest};

use crate::site::Site;

#[derive(Clone, Debug)]
enum Step {
    /// Comes to this isolate with one of the cookies, for a page that was never seen.
    Replay(usize, Index),
    /// The same with the cookie that has the lowest count, and several times.
    Burst(usize, u8),
    /// An isolate sends its reports off.
    Send(usize),
    /// One of the reports under way arrives, and is answered at once or later.
    Arrive(Index),
    /// One of the answers under way arrives.
    Answer(Index),
    /// One of the reports under way gets lost.
    Lose(Index),
    /// The platform ends an isolate.
    Forget(usize),
}

const ISOLATES: usize = 4;

fn step(may_lose: bool) -> impl Strategy<Value = Step> {
    let loses = u32::from(may_lose);
    prop_oneof![
        8 => (0..ISOLATES, any::<Index>()).prop_map(|(isolate, which)| Step::Replay(isolate, which)),
        2 => (0..ISOLATES, 1_u8..8).prop_map(|(isolate, times)| Step::Burst(isolate, times)),
        3 => (0..ISOLATES).prop_map(Step::Send),
        4 => any::<Index>().prop_map(Step::Arrive),
        4 => any::<Index>().prop_map(Step::Answer),
        loses => any::<Index>().prop_map(Step::Lose),
        1 => (0..ISOLATES).prop_map(Step::Forget),
    ]
}

/// A reader with all of its cookies, and everything that is under way.
struct Attack {
    site: Site,
    cookies: Vec<String>,
    seen: BTreeSet<u32>,
    reports: Vec<(usize, u32, ReadersRequest)>,
    answers: Vec<(usize, u32, ReadersReply)>,
    /// Number of times that each isolate has lost its memory.
    lives: Vec<u32>,
    /// Isolates that were answered when all was known to be used up.
    settled: Vec<bool>,
    limit: u8,
}

impl Attack {
    fn new(limit: u8) -> Self {
        let mut site = Site::new(&format!("{limit} per month"), ISOLATES);
        let first = site.get(0, None, 0).cookie.unwrap();
        Self {
            site,
            cookies: vec![first],
            seen: BTreeSet::from([0]),
            reports: Vec::new(),
            answers: Vec::new(),
            lives: vec![0; ISOLATES],
            settled: vec![false; ISOLATES],
            limit,
        }
    }

    fn replay(&mut self, isolate: usize, which: usize) -> Result<(), TestCaseError> {
        let page = u32::try_from(self.seen.len()).unwrap();
        let cookie = self.cookies[which].clone();
        let served = self.site.get(isolate, Some(&cookie), page);
        if served.grant().is_some() {
            prop_assert!(!self.settled[isolate], "isolate {isolate} knew better");
            self.seen.insert(page);
            self.cookies.extend(served.cookie);
        }
        Ok(())
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Replay(isolate, which) => {
                self.replay(isolate, which.index(self.cookies.len()))?;
            }
            Step::Burst(isolate, times) => {
                for _ in 0..times {
                    self.replay(isolate, 0)?;
                }
            }
            Step::Send(isolate) => {
                let life = self.lives[isolate];
                let sent = self.site.take(isolate);
                self.reports.extend(sent.into_iter().map(|report| (isolate, life, report)));
            }
            Step::Arrive(which) if !self.reports.is_empty() => {
                let at = which.index(self.reports.len());
                let (isolate, life, report) = self.reports.swap_remove(at);
                let reply = self.site.report(&report);
                self.answers.push((isolate, life, reply));
            }
            Step::Answer(which) if !self.answers.is_empty() => {
                let at = which.index(self.answers.len());
                let (isolate, life, reply) = self.answers.swap_remove(at);
                if life != self.lives[isolate] {
                    return Ok(());
                }
                self.site.isolates[isolate].correct(&reply.corrections);
                let is_used_up = |used: u8| used == self.limit;
                self.settled[isolate] |=
                    reply.corrections.iter().any(|correction| is_used_up(correction.used));
            }
            Step::Lose(which) if !self.reports.is_empty() => {
                self.reports.swap_remove(which.index(self.reports.len()));
            }
            Step::Forget(isolate) => {
                self.site.isolates[isolate] = ReaderMemory::default();
                self.lives[isolate] += 1;
                self.settled[isolate] = false;
            }
            Step::Arrive(_) | Step::Answer(_) | Step::Lose(_) => {}
        }
        Ok(())
    }

    fn bound(&self) -> usize {
        let isolates = ISOLATES + self.lives.iter().sum::<u32>() as usize;
        let limit = usize::from(self.limit);
        limit + (isolates - 1) * (limit - 1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replaying_is_bounded_whatever_happens(
        limit in 1_u8..7,
        steps in prop::collection::vec(step(true), 1..150),
    ) {
        let mut attack = Attack::new(limit);
        for step in steps {
            attack.take(&step)?;
            prop_assert!(attack.seen.len() <= attack.bound());
        }
    }

    #[test]
    fn where_reports_are_answered_a_used_up_allowance_adds_one_page_per_isolate(
        limit in 2_u8..7,
        which in prop::collection::vec((0..ISOLATES, any::<Index>()), 1..60),
    ) {
        let mut attack = Attack::new(limit);
        for _ in 1..limit {
            attack.replay(0, attack.cookies.len() - 1)?;
        }
        attack.site.sync(0);
        prop_assert_eq!(attack.seen.len(), usize::from(limit));
        for (isolate, which) in which {
            attack.replay(isolate, which.index(attack.cookies.len()))?;
            attack.site.sync(isolate);
        }
        prop_assert!(attack.seen.len() < usize::from(limit) + ISOLATES);
    }
}

#[test]
fn the_bound_is_reached_by_a_burst_before_any_report() {
    let mut attack = Attack::new(5);
    for isolate in 0..ISOLATES {
        attack.take(&Step::Burst(isolate, 20)).unwrap();
    }
    assert_eq!(attack.seen.len(), attack.bound());
    assert_eq!(attack.bound(), 17);
    for isolate in 0..ISOLATES {
        attack.site.sync(isolate);
        attack.take(&Step::Burst(isolate, 20)).unwrap();
    }
    assert_eq!(attack.seen.len(), 17, "and not passed later");
}

#[test]
fn an_old_cookie_is_found_out_by_the_report_of_its_first_view() {
    let mut site = Site::new("5 per month", 2);
    let first = site.get(0, None, 1);
    let mut cookie = first.cookie.clone();
    for number in 2..=5 {
        cookie = site.get(0, cookie.as_deref(), number).cookie;
    }
    site.sync(0);
    assert_eq!(site.highest(first.reader), 5);
    assert!(site.get(1, first.cookie.as_deref(), 6).grant().is_some(), "not known here yet");
    site.sync(1);
    let held = site.get(1, first.cookie.as_deref(), 7);
    assert!(held.grant().is_none());
    assert_eq!(held.view.quota.used, 5);
}
