//! Everything around the gate, without a Worker: a clock that stands still, ledgers in memory, an
//! issuer, and the gate's needs met as the edge meets them.

#![allow(dead_code, reason = "not every suite needs all of it")]

#[path = "memory_readers.rs"]
mod memory_readers;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use tollgate::account::{AccountRecord, KeyOwner};
use tollgate::admin::record::shown;
use tollgate::allowance::{COOKIE_NAME, Readers, ReportDue};
use tollgate::billing::{BillingEvent, apply};
use tollgate::config::Config;
use tollgate::decision::{Decision, Denial};
use tollgate::gate::{
    self, Access, CallError, Errand, Gate, Inquiry, Memory, Need, OriginAnswer, Outcome, Process,
    Step,
};
use tollgate::identity::{AccountName, ObjectName};
use tollgate::quota::holder::WatchAction;
use tollgate::quota::{CreditPack, Ledger, LedgerReply, LedgerRequest, Usage};
use tollgate::request::{RequestFacts, ReturnPath};
use tollgate::time::Timestamp;

use crate::bindings::Vars;
use crate::memory_store::MemoryStore;
use crate::tokens::{is_right, mint};
use memory_readers::MemoryReaders;

/// 2026-12-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// One isolate and what it talks to.
pub(crate) struct World {
    pub(crate) config: Rc<Config>,
    pub(crate) memory: Memory,
    pub(crate) now: Timestamp,
    pub(crate) ledger_is_down: bool,
    /// The owners of API keys by their hashes, or why the directory doesn't answer.
    pub(crate) directory: Result<BTreeMap<String, KeyOwner>, CallError>,
    pub(crate) is_within_burst: bool,
    /// The inbox's verdict on the payment provider.
    pub(crate) provider_outage: Result<bool, CallError>,
    /// The answer of an issuer's JWKS URL.
    pub(crate) key_set: Result<String, CallError>,
    /// The cookie of free pages that the visitor keeps: its value.
    pub(crate) cookie: Option<String>,
    /// The visitor's address.
    pub(crate) address: String,
    /// The platform's category of the visitor.
    pub(crate) bot_category: String,
    /// The protocol that the visitor would rather speak.
    pub(crate) upgrade: String,
    /// The needs that were met and the errands that were done, in a word each.
    pub(crate) performed: Vec<&'static str>,
    ledgers: BTreeMap<String, (Ledger, MemoryStore)>,
    /// Leases that are watched, and when each is to be looked at again.
    watches: Vec<(Timestamp, AccountName, u64)>,
    /// Reports of readers that are due, and when.
    reports: Vec<(Timestamp, ReportDue)>,
    readers: BTreeMap<u8, (Readers, MemoryReaders)>,
}

/// A request that was not looked at yet.
pub(crate) struct Arrival {
    config: Rc<Config>,
    pub(crate) facts: Rc<RequestFacts>,
}

impl Arrival {
    pub(crate) fn start(self, memory: &mut Memory, now: Timestamp) -> (Gate, Step<Decision>) {
        Gate::start(self.config, self.facts, memory, now)
    }
}

impl World {
    pub(crate) fn new(vars: &Vars) -> Self {
        let config = Config::parse(vars).map_err(|invalid| invalid.mistakes).unwrap();
        Self {
            memory: new_memory(&config, "isolate"),
            config: Rc::new(config),
            now: NOW,
            ledger_is_down: false,
            directory: Ok(BTreeMap::new()),
            is_within_burst: true,
            provider_outage: Ok(false),
            key_set: Err(unreachable("no server")),
            cookie: None,
            address: String::new(),
            bot_category: String::new(),
            upgrade: String::new(),
            performed: Vec::new(),
            ledgers: BTreeMap::new(),
            watches: Vec::new(),
            reports: Vec::new(),
            readers: BTreeMap::new(),
        }
    }

    /// Another isolate takes this one's place, which is gone without a word.
    pub(crate) fn start_anew(&mut self, isolate: &str) {
        self.memory = new_memory(&self.config, isolate);
        self.watches.clear();
        self.reports.clear();
    }

    /// Puts an account's record, as an operator writes it.
    pub(crate) fn put_account(&mut self, name: &str, record: &str) {
        let record = account_record(record);
        let (_, store) = self.ledgers.entry(name.to_string()).or_default();
        Ledger::put_account(store, record, "test", self.now).unwrap();
    }

    /// Puts an account's record as it is, with what is not an operator's to write.
    pub(crate) fn set_account(&mut self, name: &str, record: &str) {
        let (_, store) = self.ledgers.entry(name.to_string()).or_default();
        store.account = Some(account_record(record));
    }

    /// Sells an account credits that never expire.
    pub(crate) fn add_credits(&mut self, name: &str, id: &str, units: u64) {
        let pack =
            CreditPack { id: id.to_owned(), units, left: 0, added_at: NOW, expires_at: None };
        let (_, store) = self.ledgers.entry(name.to_string()).or_default();
        Ledger::add_credits(store, pack, "test", self.now).unwrap();
    }

    /// Everything that is counted for an account, over all meters and windows: leases that are out
    /// included.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let counters = self.store(name).map(|store| store.counters.values());
        counters.into_iter().flatten().map(|counter| counter.used).sum()
    }

    /// The rows of an account, if anybody ever asked about it.
    pub(crate) fn store(&self, name: &str) -> Option<&MemoryStore> {
        self.ledgers.get(name).map(|(_, store)| store)
    }

    /// Lets time pass, and looks after leases meanwhile.
    pub(crate) fn pass_ms(&mut self, ms: i64) {
        let until = self.now.plus_ms(ms);
        while let Some(next) = self.watches.iter().map(|(at, ..)| *at).min()
            && next <= until
        {
            self.now = self.now.max(next);
            let place = self.watches.iter().position(|(at, ..)| *at == next).unwrap();
            let (_, account, lease) = self.watches.remove(place);
            self.watch(account, lease);
        }
        self.now = until;
        let (due, later) = self.reports.drain(..).partition(|(at, _)| *at <= until);
        self.reports = later;
        for (_, due) in due {
            self.report_readers(due);
        }
    }

    /// Lets so much time pass that every lease is over, and nothing more is to be done.
    pub(crate) fn settle_down(&mut self) {
        self.pass_ms(60_000);
        assert!(self.watches.is_empty(), "{:?}", self.watches);
    }

    /// Serves a request to the end, errands included.
    pub(crate) fn serve(&mut self, asks: &str, token: Option<&str>) -> Decision {
        let begun = self.arrival(asks, token).start(&mut self.memory, self.now);
        self.end_of(begun)
    }

    /// Asks whether access to a path is back, to the end: why it isn't.
    pub(crate) fn status(&mut self, path: &str, token: &str) -> Option<Denial> {
        let facts = self.arrival("GET /_tollgate/status", Some(token)).facts;
        let path = ReturnPath::new(path, "/_tollgate/").unwrap();
        let config = Rc::clone(&self.config);
        let begun = Inquiry::access(config, &facts, &path, &mut self.memory, self.now)?;
        match self.end_of(begun) {
            Ok(Access::Open) => None,
            Ok(Access::Denied(denial)) | Err(denial) => Some(*denial),
        }
    }

    /// Meets the needs of a request until it has ended, and runs its errands.
    pub(crate) fn end_of<P: Process>(&mut self, begun: (P, Step<P::End>)) -> P::End {
        let (mut process, mut step) = begun;
        let end = loop {
            let need = match step {
                Step::End(end) => break end,
                Step::Need(need) => need,
            };
            let outcome = self.meet(&need);
            step = process.resume(outcome, &mut self.memory, self.now);
        };
        self.run(process.take_errands());
        end
    }

    /// Has an account's ledger take in a provider's event.
    pub(crate) fn bill(&mut self, name: &str, event: &BillingEvent) {
        let (_, store) = self.ledgers.entry(name.to_string()).or_default();
        store.account = Some(apply(store.account.take().unwrap_or_default(), event, self.now));
    }

    /// Serves a request, and has the origin answer it with 200 if it passes.
    pub(crate) fn visit(&mut self, asks: &str, token: Option<&str>) -> Decision {
        let decision = self.serve(asks, token);
        if matches!(decision, Decision::Pass(_)) {
            let answer = OriginAnswer { status: 200, ..OriginAnswer::default() };
            self.origin_answers(&decision, &answer);
        }
        decision
    }

    /// The edge's work once the origin of a passed request has answered; returns the mistake in
    /// that answer.
    pub(crate) fn origin_answers(
        &mut self,
        decision: &Decision,
        answer: &OriginAnswer<'_>,
    ) -> Option<String> {
        let Decision::Pass(pass) = decision else { panic!("it never got to the origin") };
        if let Some(set_cookie) = &pass.set_cookie {
            self.keep_cookie(set_cookie);
        }
        if let Some(page) = &pass.free_page {
            let (is_delivered, errands) =
                gate::settle_page(&page.grant, answer, &mut self.memory, self.now);
            self.run(errands);
            if is_delivered {
                self.keep_cookie(&page.set_cookie);
            }
        }
        let (charge, identity) = (pass.charge.as_ref()?, pass.identity.as_ref()?);
        let route = self.config.route(pass.route?).unwrap();
        let settlement = gate::settle(route, charge, answer);
        let account = identity.account_name();
        let errands = gate::give_back(&account, &settlement.returned, &mut self.memory, self.now);
        self.run(errands);
        settlement.fault
    }

    /// A request that was not looked at yet: `GET /path`, with a bearer token. The method
    /// `PREFLIGHT` stands for what a browser sends before a request to another site.
    pub(crate) fn arrival(&self, asks: &str, token: Option<&str>) -> Arrival {
        let (method, path) = asks.split_once(' ').unwrap();
        let bearer = token.map_or_else(String::new, |token| format!("Bearer {token}"));
        let kept = |value| format!("theme=dark; {COOKIE_NAME}={value}");
        let cookie = self.cookie.as_ref().map_or_else(String::new, kept);
        let (address, bot, upgrade) = (&self.address, &self.bot_category, &self.upgrade);
        let lines = match method {
            "PREFLIGHT" => {
                format!("OPTIONS\nhttps://api.example{path}\nhttps://app.example\nGET\n{upgrade}")
            }
            _ => format!(
                "{method}\nhttps://api.example{path}\n\n\n{upgrade}\n{bearer}\n{cookie}\n\n{address}\n{bot}"
            ),
        };
        let facts = RequestFacts::from_lines(&lines).unwrap();
        Arrival { config: Rc::clone(&self.config), facts: Rc::new(facts) }
    }

    /// Meets a need, as the edge does.
    pub(crate) fn meet(&mut self, need: &Need) -> Outcome {
        let (word, outcome) = match need {
            Need::FindKey { directory, hash } => {
                let byte = u8::from_str_radix(hash.get(..2).unwrap(), 16).unwrap();
                assert_eq!(*directory, ObjectName::KeyDirectory(byte));
                let found = self.directory.as_ref().map(|known| known.get(hash).cloned());
                ("key", Outcome::KeyFound(found.map_err(Clone::clone)))
            }
            Need::FetchKeys { .. } => ("keys", Outcome::KeysFetched(self.key_set.clone())),
            Need::VerifySignature(check) => {
                ("verify", Outcome::SignatureVerified(Ok(is_right(check))))
            }
            Need::LimitBurst { .. } => ("burst", Outcome::BurstAnswered(self.is_within_burst)),
            Need::CallLedger { account, request } => {
                let reply = self.ask_ledger(account, request).map(Box::new);
                ("ledger", Outcome::LedgerAnswered(reply))
            }
            Need::ReadUsage { account, plan, member } => {
                let usage = self.read_usage(account, plan.as_deref(), member).map(Box::new);
                ("usage", Outcome::UsageRead(usage))
            }
            Need::ReadOutage => ("outage", Outcome::OutageRead(self.provider_outage.clone())),
            Need::Wait { for_ms } => {
                self.pass_ms(i64::from(*for_ms));
                ("wait", Outcome::Waited)
            }
        };
        self.performed.push(word);
        outcome
    }

    /// Sees errands through, as far as that needs no time.
    pub(crate) fn run(&mut self, errands: Vec<Errand>) {
        let mut open = errands;
        while let Some(errand) = open.pop() {
            match errand {
                Errand::RefreshKeys { issuer } => {
                    self.performed.push("refresh");
                    let body = self.key_set.clone();
                    let _ = gate::keys_refreshed(issuer, body, &mut self.memory, self.now);
                }
                Errand::ReportReaders(due) => {
                    self.reports.push((self.now.plus_ms(i64::from(due.after_ms)), due));
                }
                Errand::Tell { account, request } => {
                    self.performed.push("tell");
                    open.extend(self.tell(&account, &request));
                }
                Errand::AskOutage => {
                    self.performed.push("ask-outage");
                    let is_on = self.provider_outage.clone();
                    let _ = gate::outage_reported(is_on, &mut self.memory, self.now);
                }
                Errand::Watch { account, lease } => self.watch(account, lease),
            }
        }
    }

    fn report_readers(&mut self, due: ReportDue) {
        let Some(request) = gate::readers_to_report(due, &mut self.memory) else { return };
        self.performed.push("report");
        if self.ledger_is_down {
            return;
        }
        let (object, store) = self.readers.entry(due.shard).or_default();
        let reply = object.handle(store, &request, self.now).unwrap();
        gate::readers_reported(&reply, &mut self.memory);
    }

    /// A browser's handling of a `Set-Cookie` field.
    fn keep_cookie(&mut self, set_cookie: &str) {
        let value = set_cookie.strip_prefix(COOKIE_NAME).and_then(|rest| rest.strip_prefix('='));
        let value = value.and_then(|rest| rest.split(';').next()).unwrap();
        self.cookie = (!value.is_empty()).then(|| value.to_owned());
    }

    /// Looks after a lease until there is something to wait for.
    fn watch(&mut self, account: AccountName, lease: u64) {
        loop {
            match gate::watch(&account, lease, &self.config, &mut self.memory, self.now) {
                WatchAction::Done => return,
                WatchAction::Send(request) => {
                    self.performed.push("give-back");
                    let _ = self.tell(&account, &request);
                }
                WatchAction::Wait(ms) => {
                    self.watches.push((self.now.plus_ms(ms.max(1)), account, lease));
                    return;
                }
            }
        }
    }

    fn tell(&mut self, account: &AccountName, request: &LedgerRequest) -> Vec<Errand> {
        let reply = self.ask_ledger(account, request);
        let message = (request.holder.as_str(), request.number);
        gate::ledger_replied(account, message, reply.as_ref().ok(), &mut self.memory, self.now)
    }

    fn read_usage(
        &mut self,
        name: &AccountName,
        plan: Option<&str>,
        member: &str,
    ) -> Result<Usage, CallError> {
        if self.ledger_is_down {
            return Err(unreachable("no answer in time"));
        }
        let (_, store) = self.ledgers.entry(name.to_string()).or_default();
        let usage = Ledger::usage(store, self.config.terms(), plan, Some(member), self.now);
        usage.map_err(|error| unreachable(&error.to_string()))
    }

    /// The edge's way to ask a ledger.
    pub(crate) fn ask_ledger(
        &mut self,
        name: &AccountName,
        request: &LedgerRequest,
    ) -> Result<LedgerReply, CallError> {
        if self.ledger_is_down {
            return Err(unreachable("no answer in time"));
        }
        let (ledger, store) = self.ledgers.entry(name.to_string()).or_default();
        let reply = ledger.handle(store, self.config.terms(), request, self.now);
        reply.map_err(|error| unreachable(&error.to_string()))
    }
}

/// A call that nothing answers.
pub(crate) fn unreachable(reason: &str) -> CallError {
    CallError::Unreachable(reason.to_owned())
}

fn new_memory(config: &Config, isolate: &str) -> Memory {
    Memory::new(config.issuers.len(), isolate.to_owned(), config.deadlines.origin_ms)
}

/// A token of `https://id.example` for `alice` that is valid for ten minutes; `changes` is a JSON
/// object of claims that differ, null for one that is left out.
pub(crate) fn token(changes: &str) -> String {
    mint(&claims(changes), "ed")
}

/// The claims of [`token`].
pub(crate) fn claims(changes: &str) -> Value {
    let mut claims = json!({
        "iss": "https://id.example", "aud": "https://api.example", "sub": "alice",
        "iat": NOW.plus_seconds(-60).as_seconds(), "exp": NOW.plus_seconds(600).as_seconds(),
    });
    let changes: Value = serde_json::from_str(changes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// The record that this JSON shows.
pub(crate) fn account_record(json: &str) -> AccountRecord {
    shown::read(serde_json::from_str(json).unwrap()).unwrap()
}
