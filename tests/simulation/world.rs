//! The world of a schedule: one clock, everything that happens in order, and what comes of it.

use std::collections::HashSet;

use tollgate::plan::{Meter, Terms};
use tollgate::quota::{Charge, Holder, Ledger, LedgerReply, LedgerRequest};
use tollgate::time::Timestamp;

use crate::book::Book;
use crate::faults::{self, Fault};
use crate::queue::Queue;
use crate::random::Random;
use crate::rules::{Broken, Rule};
use crate::schedule::{Schedule, Strike};
use crate::slab::Slab;
use crate::store::{Changed, Store};

/// The options of a run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// A deliberate fault.
    pub(crate) fault: Option<Fault>,
    /// Whether the ledger's rows are held against the book after every call.
    pub(crate) compares: bool,
    /// Whether the story is kept.
    pub(crate) tells: bool,
    /// Requests that are left out: the isolate, and which of its requests.
    pub(crate) left_out: HashSet<(usize, u64)>,
    /// Whether the ledger's time is measured.
    pub(crate) measures: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fault: None,
            compares: true,
            tells: false,
            left_out: HashSet::new(),
            measures: false,
        }
    }
}

/// The result of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) events: u64,
    pub(crate) broken: Option<Broken>,
    pub(crate) story: Vec<String>,
    /// Requests that came: the isolate, and which of its requests.
    pub(crate) requests: Vec<(usize, u64)>,
    pub(crate) tally: Tally,
}

/// The events of a run, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) schedules: u64,
    pub(crate) events: u64,
    pub(crate) requests: u64,
    pub(crate) passed: u64,
    pub(crate) refused: u64,
    pub(crate) unavailable: u64,
    /// Requests that waited for the ledger.
    pub(crate) waited: u64,
    pub(crate) calls: u64,
    pub(crate) ledger_calls: u64,
    /// Units taken from leases after more than five seconds without a request.
    pub(crate) held_across_gaps: u64,
    /// Leases that were kept for longer than that, and then returned.
    pub(crate) returned_after_gaps: u64,
    /// The same that died with their isolates.
    pub(crate) lost_in_gaps: u64,
    /// The longest that a unit was refused: one that the ledger had, one that it or a living isolate
    /// had, and one that it would take back.
    pub(crate) longest_refused_ms: [u64; 3],
    pub(crate) liveness_proofs: u64,
    pub(crate) cpu_ns: u64,
    /// The time of the ledgers, where it is measured.
    pub(crate) ledger_ns: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.events += other.events;
        self.requests += other.requests;
        self.passed += other.passed;
        self.refused += other.refused;
        self.unavailable += other.unavailable;
        self.waited += other.waited;
        self.calls += other.calls;
        self.ledger_calls += other.ledger_calls;
        self.held_across_gaps += other.held_across_gaps;
        self.returned_after_gaps += other.returned_after_gaps;
        self.lost_in_gaps += other.lost_in_gaps;
        for (longest, other) in self.longest_refused_ms.iter_mut().zip(other.longest_refused_ms) {
            *longest = other.max(*longest);
        }
        self.liveness_proofs += other.liveness_proofs;
        self.cpu_ns += other.cpu_ns;
    }
}

/// The next event.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request comes to an isolate, or a number of them at once.
    Arrive { isolate: usize },
    /// A request that waits looks again.
    Poll { request: usize },
    /// A message reaches its ledger.
    Deliver { call: usize },
    /// An answer reaches its isolate.
    Reply { call: usize, reply: Box<LedgerReply> },
    /// The ledger's error reaches the isolate.
    Refuse { call: usize },
    /// An answer is no longer waited for.
    Deadline { call: usize },
    /// An errand looks after a lease.
    Watch { isolate: usize, life: u32, account: usize, lease: u64, until_ms: u64 },
    /// An origin has answered a request that passed.
    Origin { isolate: usize, life: u32, account: usize, back: Box<Charge> },
    /// A strike, at a time of its own.
    Strike { index: usize },
    /// An event in an isolate while a message of it is under way.
    Fate { strike: Box<Strike> },
}

/// A ledger with its rows, and the book beside it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) ledger: Ledger,
    pub(crate) store: Store,
    pub(crate) book: Book,
    pub(crate) is_out: bool,
    /// True for a ledger of the later release.
    pub(crate) is_later: bool,
}

/// An isolate.
#[derive(Debug)]
pub(crate) struct Isolate {
    /// Rises when it dies and another takes its place.
    pub(crate) life: u32,
    pub(crate) demand: Random,
    pub(crate) luck: Random,
    pub(crate) requests: u64,
    pub(crate) left_in_burst: u64,
    pub(crate) views: Vec<(usize, View)>,
}

/// An isolate's memory of an account.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) holder: Holder,
    /// The holder's place in the book.
    pub(crate) place: usize,
    pub(crate) fresh_until: Timestamp,
    /// The plan that the ledger said last, as a place in the schedule's plans.
    pub(crate) plan: Option<usize>,
    pub(crate) refusals: Vec<Refused>,
}

/// A refusal that is remembered.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) meter: usize,
    pub(crate) units: u64,
    pub(crate) member: usize,
    pub(crate) until: Timestamp,
}

/// A request that is not decided yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) isolate: usize,
    pub(crate) life: u32,
    pub(crate) account: usize,
    pub(crate) route: usize,
    pub(crate) member: usize,
    pub(crate) started_at: Timestamp,
    pub(crate) waits: u32,
    pub(crate) is_noted: bool,
    /// Whether it is one of those that prove liveness.
    pub(crate) is_probe: bool,
}

/// A message and the request that waits for its answer.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request: LedgerRequest,
    pub(crate) isolate: usize,
    pub(crate) life: u32,
    pub(crate) account: usize,
    /// The holder's place in the book.
    pub(crate) place: usize,
    pub(crate) purpose: Purpose,
    /// The units set aside for the request that waits.
    pub(crate) charge: Charge,
    /// Whether its answer is still waited for.
    pub(crate) is_open: bool,
    /// Events that are still to come of it.
    pub(crate) events: u32,
}

/// The purpose of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A request waits for it.
    Request(usize),
    /// It reports, or tops up.
    Tell,
    /// An errand gives a lease back.
    Watch { lease: u64, until_ms: u64 },
}

/// The world.
#[derive(Debug)]
pub(crate) struct World<'s> {
    pub(crate) schedule: &'s Schedule,
    pub(crate) options: &'s Options,
    pub(crate) now_ms: u64,
    pub(crate) queue: Queue<Event>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) isolates: Vec<Isolate>,
    pub(crate) pending: Slab<Pending>,
    pub(crate) calls: Slab<Call>,
    pub(crate) changed: Changed,
    /// Of a deliberate fault.
    pub(crate) lenient: Vec<Meter>,
    pub(crate) members: Vec<String>,
    /// No trouble any more: what is under way comes through.
    pub(crate) is_calm: bool,
    pub(crate) probe: Option<crate::liveness::Probe>,
    pub(crate) outcome: Outcome,
}

/// Runs a schedule until all is quiet, and looks at what is left; then proves that who has units
/// left gets them.
pub(crate) fn run(schedule: &Schedule, options: &Options) -> Outcome {
    let mut world = World::new(schedule, options);
    world.go_on();
    world.calm_down();
    world.prove_liveness();
    world.outcome.tally.events = world.outcome.events;
    world.outcome.tally.schedules = 1;
    for Account { book, .. } in &world.accounts {
        world.outcome.tally.held_across_gaps += book.held_across_gaps;
        world.outcome.tally.returned_after_gaps += book.returned_after_gaps;
        world.outcome.tally.lost_in_gaps += book.lost_in_gaps;
    }
    world.outcome
}

impl<'s> World<'s> {
    pub(crate) fn new(schedule: &'s Schedule, options: &'s Options) -> Self {
        let is_packed = schedule.is_packed() || options.fault.is_some_and(Fault::is_of_packing);
        let account = |account: &crate::schedule::Account| Account {
            ledger: Ledger::default(),
            store: Store::new(account.record.clone(), &account.packs, options.fault, is_packed),
            book: Book::new(account.record.clone(), &account.packs),
            is_out: false,
            is_later: false,
        };
        let isolate = |index: usize| Isolate {
            life: 0,
            demand: Random::new(schedule.seed, 1_000 + 2 * index as u64),
            luck: Random::new(schedule.seed, 1_001 + 2 * index as u64),
            requests: 0,
            left_in_burst: 0,
            views: Vec::new(),
        };
        let mut world = Self {
            schedule,
            options,
            now_ms: 0,
            queue: Queue::new(Random::new(schedule.seed, 1)),
            accounts: schedule.accounts.iter().map(account).collect(),
            isolates: (0..schedule.isolates.len()).map(isolate).collect(),
            pending: Slab::default(),
            calls: Slab::default(),
            changed: Changed::default(),
            lenient: options.fault.map_or_else(Vec::new, |_| faults::lenient(schedule)),
            members: (0..schedule.members).map(|member| format!("m{member}")).collect(),
            is_calm: false,
            probe: None,
            outcome: Outcome::default(),
        };
        for (index, (at_ms, _)) in schedule.strikes.iter().enumerate() {
            world.queue.push(*at_ms, Event::Strike { index });
        }
        for (index, isolate) in schedule.isolates.iter().enumerate() {
            world.queue.push(isolate.first_ms, Event::Arrive { isolate: index });
        }
        world
    }

    /// Has happen what is to happen, until nothing is left or a rule is broken.
    pub(crate) fn go_on(&mut self) {
        while self.go_one() {}
    }

    /// The same until a time.
    pub(crate) fn go_until(&mut self, ms: u64) {
        while self.now_ms < ms && self.go_one() {}
    }

    /// Has one thing happen. Whether there is more to come.
    pub(crate) fn go_one(&mut self) -> bool {
        let is_over = self.probe.as_ref().is_some_and(|probe| probe.is_over);
        if is_over || self.outcome.broken.is_some() {
            return false;
        }
        let Some((at_ms, event)) = self.queue.pop() else { return false };
        self.now_ms = self.now_ms.max(at_ms);
        self.outcome.events += 1;
        self.happen(event);
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { isolate } => self.arrive(isolate),
            Event::Poll { request } => self.visit(request),
            Event::Deliver { call } => self.deliver(call),
            Event::Reply { call, reply } => self.replied(call, &reply),
            Event::Refuse { call } | Event::Deadline { call } => self.unanswered(call),
            Event::Watch { isolate, life, account, lease, until_ms } => {
                if self.is_alive(isolate, life) {
                    self.watch(isolate, account, lease, until_ms);
                }
            }
            Event::Origin { isolate, life, account, back } => {
                if self.is_alive(isolate, life) {
                    self.tell(isolate, || format!("the origin's answer brings back {back:?}"));
                    self.give_back(isolate, account, &back);
                }
            }
            Event::Strike { index } => self.strike(&self.schedule.strikes[index].1),
            Event::Fate { strike } => self.strike(&strike),
        }
    }

    fn strike(&mut self, strike: &Strike) {
        match strike {
            Strike::Dies { isolate } => self.die(*isolate),
            Strike::Evicts { isolate, account } => self.evict(*isolate, *account),
            Strike::Restarts { account } => self.restart(*account),
            Strike::OutageBegins { account } => self.accounts[*account].is_out = true,
            Strike::OutageEnds { account } => self.accounts[*account].is_out = false,
            Strike::PlanChanges { account, record } => {
                self.put_account(*account, record.as_ref().clone());
            }
            Strike::TopUp { account, pack } => self.add_credits(*account, pack.clone()),
        }
    }

    pub(crate) fn is_alive(&self, isolate: usize, life: u32) -> bool {
        self.isolates[isolate].life == life
    }

    /// The time on a ledger's clock.
    pub(crate) fn ledger_now(&self) -> Timestamp {
        self.schedule.starts_at.plus_ms(i64::try_from(self.now_ms).unwrap())
    }

    /// The time on an isolate's clock.
    pub(crate) fn now_at(&self, isolate: usize) -> Timestamp {
        let clock = &self.schedule.isolates[isolate];
        let now_ms = i64::try_from(self.now_ms).unwrap();
        let ahead_ms = now_ms * self.drift_ppm(isolate) / 1_000_000 + clock.clock_offset_ms;
        self.schedule.starts_at.plus_ms(now_ms + ahead_ms)
    }

    /// Until when an isolate that waits for this long on its own clock has waited.
    pub(crate) fn after(&self, isolate: usize, ms: i64) -> u64 {
        let ms = u64::try_from(ms.max(0)).unwrap();
        let rate = u64::try_from(1_000_000 + self.drift_ppm(isolate)).unwrap();
        self.now_ms + (ms * 1_000_000).div_ceil(rate)
    }

    fn drift_ppm(&self, isolate: usize) -> i64 {
        if self.options.fault == Some(Fault::ClocksAreTooSlow) {
            return -200_000;
        }
        self.schedule.isolates[isolate].clock_drift_ppm
    }

    pub(crate) fn terms(&self) -> Terms<'s> {
        let meters = &self.schedule.meters;
        let plans = &self.schedule.plans;
        Terms { plans, meters, announces: true, ..Terms::default() }
    }

    pub(crate) fn tell(&mut self, isolate: usize, what: impl FnOnce() -> String) {
        if self.options.tells {
            let line = format!("{:>9} ms  isolate {isolate}: {}", self.now_ms, what());
            self.outcome.story.push(line);
        }
    }

    pub(crate) fn tell_of(&mut self, account: usize, what: impl FnOnce() -> String) {
        if self.options.tells {
            let line = format!("{:>9} ms  ledger {account}: {}", self.now_ms, what());
            self.outcome.story.push(line);
        }
    }

    /// Takes over what the book of an account found.
    pub(crate) fn check(&mut self, account: usize) {
        if let Some(broken) = self.accounts[account].book.broken.take() {
            self.outcome.broken.get_or_insert(broken);
        }
    }

    pub(crate) fn fail(&mut self, rule: Rule, how: String) {
        self.outcome.broken.get_or_insert(Broken { rule, how });
    }
}
