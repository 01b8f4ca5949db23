//! Many isolates of one account before its ledger, on a clock of their own: nothing fails here, so
//! that what is counted is the price of leases and not of faults.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use tollgate::account::{AccountRecord, Status};
use tollgate::config::Plan;
use tollgate::quota::holder::{Ask, Watch};
use tollgate::quota::{Cost, GrantOutcome, Holder, Ledger, LedgerRequest, Period, Quota, Terms};
use tollgate::time::Timestamp;

use crate::memory_store::MemoryStore;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) isolates: usize,
    /// Requests of all isolates together, in a thousand seconds.
    pub(crate) requests_per_1000_s: u64,
    /// Requests that come together, so that millions of them can be told.
    pub(crate) batch: u64,
    pub(crate) limit: u64,
    pub(crate) for_ms: u64,
    /// Before which nothing is counted.
    pub(crate) warm_up_ms: u64,
    /// Whether to end with the first refusal.
    pub(crate) until_refused: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) calls: u64,
    pub(crate) rows_written: u64,
    /// Requests that waited for the ledger.
    pub(crate) waited: u64,
    /// Units that isolates held at the first refusal.
    pub(crate) stranded: u64,
    /// Time that the ledger's calls took, without any database.
    pub(crate) ledger_time: Duration,
    pub(crate) seconds: u64,
}

pub(crate) fn run(scene: Scene) -> Figures {
    let mut fleet = Fleet::new(scene);
    while let Some(Reverse((at_ms, _, event))) = fleet.queue.pop() {
        fleet.now_ms = at_ms;
        if at_ms > scene.for_ms || fleet.is_over {
            break;
        }
        fleet.happen(event);
    }
    fleet.figures.seconds = (scene.for_ms - scene.warm_up_ms) / 1_000;
    fleet.figures
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Event {
    Request(usize),
    /// A message reaches the ledger: its place in `messages`.
    Hears(usize),
    /// The answer to it reaches the isolate.
    Answered(usize),
    Watch(usize, u64),
}

struct Isolate {
    holder: Holder,
    fresh_until_ms: u64,
    /// Requests that wait, each as a batch.
    waiting: u64,
}

struct Message {
    isolate: usize,
    request: LedgerRequest,
    reply: Option<tollgate::quota::LedgerReply>,
    /// Whether a request waits for it.
    is_on_path: bool,
}

struct Fleet {
    scene: Scene,
    plans: Vec<Plan>,
    ledger: Ledger,
    store: MemoryStore,
    isolates: Vec<Isolate>,
    messages: Vec<Option<Message>>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    events: u64,
    random: u64,
    now_ms: u64,
    is_over: bool,
    figures: Figures,
}

impl Fleet {
    fn new(scene: Scene) -> Self {
        let quota = Quota {
            meter: "api".into(),
            limit: scene.limit,
            period: Period::Month,
            ..Quota::default()
        };
        let plan = Plan { id: "pro".into(), quotas: vec![quota], ..Plan::default() };
        let account = AccountRecord {
            plan: Some("pro".into()),
            status: Status::Active,
            ..AccountRecord::default()
        };
        let isolate = |number: usize| Isolate {
            holder: Holder::new(&format!("isolate-{number}:1"), 30_000),
            fresh_until_ms: 0,
            waiting: 0,
        };
        let mut fleet = Self {
            scene,
            plans: vec![plan],
            ledger: Ledger::default(),
            store: MemoryStore { account: Some(account), ..MemoryStore::default() },
            isolates: (0..scene.isolates).map(isolate).collect(),
            messages: Vec::new(),
            queue: BinaryHeap::new(),
            events: 0,
            random: SEED,
            now_ms: 0,
            is_over: false,
            figures: Figures::default(),
        };
        for isolate in 0..scene.isolates {
            let pause_ms = fleet.pause_ms();
            fleet.later(pause_ms, Event::Request(isolate));
        }
        fleet
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Request(isolate) => {
                let pause_ms = self.pause_ms();
                self.later(pause_ms, Event::Request(isolate));
                let (costs, now) = (self.costs(), self.now());
                self.isolates[isolate].holder.note_demand(&costs, None, now);
                if self.counts() {
                    self.figures.requests += self.scene.batch;
                }
                self.serve(isolate, 1);
            }
            Event::Hears(place) => self.hear(place),
            Event::Answered(place) => self.answered(place),
            Event::Watch(isolate, lease) => self.watch(isolate, lease),
        }
    }

    /// Serves requests of an isolate, those that wait for the first time among them.
    fn serve(&mut self, isolate: usize, new: u64) {
        let (costs, now) = (self.costs(), self.now());
        let one = &mut self.isolates[isolate];
        let mut open = std::mem::take(&mut one.waiting) + new;
        while open > 0 && one.holder.take(&costs, None, now).is_some() {
            open -= 1;
        }
        if open == 0 {
            return self.top_up(isolate);
        }
        one.waiting = open;
        if self.counts() {
            self.figures.waited += new.min(open) * self.scene.batch;
        }
        match self.isolates[isolate].holder.ask(&costs, None, None, DEADLINE_MS, now) {
            Ask::Send { request, .. } => {
                self.isolates[isolate].waiting -= 1;
                self.send(isolate, *request, true);
            }
            Ask::Wait => {}
            Ask::Unavailable => panic!("nothing fails here"),
        }
    }

    fn top_up(&mut self, isolate: usize) {
        let (now, now_ms) = (self.now(), self.now_ms);
        let one = &mut self.isolates[isolate];
        let refresh = now_ms + REFRESH_AHEAD_MS >= one.fresh_until_ms;
        if let Some(request) = one.holder.top_up(None, refresh, DEADLINE_MS, now) {
            self.send(isolate, request, false);
        }
    }

    fn send(&mut self, isolate: usize, request: LedgerRequest, is_on_path: bool) {
        if self.counts() {
            self.figures.calls += 1;
        }
        let place = self.messages.len();
        self.messages.push(Some(Message { isolate, request, reply: None, is_on_path }));
        self.later(ONE_WAY_MS, Event::Hears(place));
    }

    fn hear(&mut self, place: usize) {
        let now = self.now();
        let Some(message) = &mut self.messages[place] else { return };
        let terms = Terms { plans: &self.plans, ..Terms::default() };
        let writes = self.store.writes;
        let begun = Instant::now();
        let reply = self.ledger.handle(&mut self.store, terms, &message.request, now).unwrap();
        let took = begun.elapsed();
        message.reply = Some(reply);
        if self.counts() {
            self.figures.ledger_time += took;
            self.figures.rows_written += (self.store.writes - writes) as u64;
        }
        self.later(ONE_WAY_MS, Event::Answered(place));
    }

    fn answered(&mut self, place: usize) {
        let now = self.now();
        let Some(Message { isolate, request, reply: Some(reply), is_on_path }) =
            self.messages[place].take()
        else {
            return;
        };
        let one = &mut self.isolates[isolate];
        let answered = one.holder.answered(&request.holder, request.number, &reply, now).unwrap();
        one.fresh_until_ms = self.now_ms + u64::from(reply.horizon_ms);
        if is_on_path && matches!(reply.grant, Some(GrantOutcome::Refused { .. })) {
            let held = |one: &Isolate| one.holder.available("api", None, now);
            self.figures.stranded = self.isolates.iter().map(held).sum();
            self.is_over = self.scene.until_refused;
            return;
        }
        for lease in answered.to_watch {
            self.later(0, Event::Watch(isolate, lease));
        }
        self.serve(isolate, 0);
    }

    fn watch(&mut self, isolate: usize, lease: u64) {
        let now = self.now();
        match self.isolates[isolate].holder.watch(lease, DEADLINE_MS, now) {
            Watch::Done => {}
            Watch::Wait(ms) => self.later(ms.max(1).unsigned_abs(), Event::Watch(isolate, lease)),
            Watch::Send(request) => {
                self.send(isolate, request, false);
                self.later(2 * ONE_WAY_MS + 1, Event::Watch(isolate, lease));
            }
        }
    }

    fn later(&mut self, in_ms: u64, event: Event) {
        self.events += 1;
        self.queue.push(Reverse((self.now_ms + in_ms, self.events, event)));
    }

    fn now(&self) -> Timestamp {
        START.plus_ms(i64::try_from(self.now_ms).unwrap())
    }

    fn counts(&self) -> bool {
        self.now_ms >= self.scene.warm_up_ms
    }

    fn costs(&self) -> [Cost; 1] {
        [Cost { meter: "api".into(), units: self.scene.batch }]
    }

    /// Until an isolate's next batch: requests come independently of one another.
    fn pause_ms(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        let isolates = self.scene.isolates as f64;
        let mean_ms =
            1e6 * isolates * self.scene.batch as f64 / self.scene.requests_per_1000_s as f64;
        (-(1.0 - uniform).ln() * mean_ms).round() as u64
    }
}

/// 2026-12-01T00:00:00Z.
const START: Timestamp = Timestamp::from_seconds(1_796_083_200);
const SEED: u64 = 20_261_124;
const DEADLINE_MS: u32 = 1_000;
/// Half of a round trip between an isolate and the object.
const ONE_WAY_MS: u64 = 25;
/// As in `src/gate/asking.rs`.
const REFRESH_AHEAD_MS: u64 = 2_000;
