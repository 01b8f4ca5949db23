//! A holder and the ledger that it asks.

use tollgate::account::{AccountRecord, Status, Subscription};
use tollgate::plan::{Cost, Lost, Meter, Period, Plan, Quota, Scope, Terms};
use tollgate::quota::holder::{Answered, Ask};
use tollgate::quota::{Charge, Holder, Ledger, LedgerReply, LedgerRequest, Want};
use tollgate::time::Timestamp;

use crate::memory_store::MemoryStore;

/// 2026-12-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);
pub(crate) const DEADLINE_MS: u32 = 1_000;
/// The time in which units may be given back after they were taken.
pub(crate) const REFUND_MS: i64 = 30_000;

pub(crate) struct Pair {
    pub(crate) holder: Holder,
    pub(crate) store: MemoryStore,
    pub(crate) plans: Vec<Plan>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) now: Timestamp,
    pub(crate) member: Option<&'static str>,
    ledger: Ledger,
}

impl Pair {
    /// With so many units of `api` a month.
    pub(crate) fn new(limit: u64) -> Self {
        Self::with(vec![monthly("api", limit)])
    }

    pub(crate) fn with(quotas: Vec<Quota>) -> Self {
        let plan = Plan { id: "p".into(), quotas, ..Plan::default() };
        let own = Subscription {
            plan: Some("p".into()),
            status: Status::Active,
            ..Subscription::default()
        };
        let account = AccountRecord::from(own);
        Self {
            holder: Holder::new("h", REFUND_MS),
            store: MemoryStore { account: Some(account), ..MemoryStore::default() },
            plans: vec![plan],
            meters: Vec::new(),
            now: NOW,
            member: None,
            ledger: Ledger::default(),
        }
    }

    /// The same, where lost units go back.
    pub(crate) fn lenient(limit: u64) -> Self {
        let (id, lost) = ("api".to_owned(), Lost::Lenient);
        let meter = Meter { id, name: None, lost, notify_at: Vec::new(), keep_days: None };
        Self { meters: vec![meter], ..Self::new(limit) }
    }

    pub(crate) fn pass_ms(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    pub(crate) fn available(&self) -> u64 {
        self.holder.available("api", self.member, self.now)
    }

    /// Everything that is counted of `api` for the account.
    pub(crate) fn counted(&self) -> u64 {
        let of_account = self
            .store
            .counters
            .iter()
            .filter(|(key, _)| key.meter == "api" && key.member.is_none());
        of_account.map(|(_, counter)| counter.used).sum()
    }

    /// Notes the demand of a request, and takes what is held.
    pub(crate) fn take(&mut self, costs: &[Cost]) -> Option<Charge> {
        self.holder.note_demand(costs, self.member, self.now);
        self.holder.take(costs, self.member, self.now)
    }

    pub(crate) fn ask(&mut self, costs: &[Cost]) -> Ask {
        self.holder.ask(costs, self.member, None, DEADLINE_MS, self.now)
    }

    /// Asks, where it can be asked.
    pub(crate) fn request(&mut self, costs: &[Cost]) -> (LedgerRequest, Charge) {
        match self.ask(costs) {
            Ask::Send { request, charge } => (*request, charge),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn top_up(&mut self, refresh: bool) -> Option<LedgerRequest> {
        self.holder.top_up(None, refresh, DEADLINE_MS, self.now)
    }

    /// The ledger's reply to a message.
    pub(crate) fn deliver(&mut self, request: &LedgerRequest) -> LedgerReply {
        let terms = Terms { plans: &self.plans, meters: &self.meters, ..Terms::default() };
        let reply = self.ledger.handle(&mut self.store, terms, request, self.now);
        reply.expect("the store works")
    }

    /// Delivers a message and has the answer taken over.
    pub(crate) fn exchange(&mut self, request: &LedgerRequest) -> Answered {
        let reply = self.deliver(request);
        let answered = self.holder.answered("h", request.number, &reply, self.now);
        answered.expect("it is waited for")
    }

    /// Serves a request: from what is held, or by asking; `None` where it is refused.
    pub(crate) fn serve(&mut self, costs: &[Cost]) -> Option<Charge> {
        if let Some(charge) = self.take(costs) {
            return Some(charge);
        }
        let (request, set_aside) = self.request(costs);
        let charge = set_aside.plus(self.exchange(&request).charge);
        let is_whole = costs.iter().all(|cost| charge.units_of(&cost.meter) == cost.units);
        if is_whole {
            return Some(charge);
        }
        self.holder.give_back(&charge, self.now);
        None
    }

    /// Serves requests of one unit at an even pace, and fetches more whenever it is time to.
    pub(crate) fn serve_evenly(&mut self, requests: usize, every_ms: i64) {
        for _ in 0..requests {
            self.pass_ms(every_ms);
            self.serve(&api(1)).expect("there is enough");
            if let Some(request) = self.top_up(false) {
                self.exchange(&request);
            }
        }
    }
}

pub(crate) fn monthly(meter: &str, limit: u64) -> Quota {
    Quota { meter: meter.into(), limit, period: Period::Month, ..Quota::default() }
}

pub(crate) fn each(limit: u64) -> Quota {
    Quota { scope: Scope::Member, ..monthly("api", limit) }
}

/// A cost on the meter `api`.
pub(crate) fn api(units: u64) -> [Cost; 1] {
    [cost("api", units)]
}

pub(crate) fn cost(meter: &str, units: u64) -> Cost {
    Cost { meter: meter.into(), units }
}

/// The units needed and asked ahead, by want.
pub(crate) fn sizes(request: &LedgerRequest) -> Vec<(u64, u64)> {
    request.wants.iter().map(|Want { needed, ahead, .. }| (*needed, *ahead)).collect()
}
