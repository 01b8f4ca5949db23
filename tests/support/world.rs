//! Everything around the gate, without a Worker: a clock that stands still, ledgers in memory, an
//! issuer, and the steps performed as the edge performs them.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use tollgate::config::Config;
use tollgate::decision::Decision;
use tollgate::gate::{self, Errand, Gate, Memory, Outcome, Step};
use tollgate::quota::{Ledger, LedgerReply, LedgerRequest};
use tollgate::request::RequestFacts;
use tollgate::time::Timestamp;

use crate::bindings::Vars;
use crate::memory_store::MemoryStore;
use crate::tokens::{is_right, mint};

/// 2026-12-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// One isolate and what it talks to.
pub(crate) struct World {
    pub(crate) config: Rc<Config>,
    pub(crate) memory: Memory,
    pub(crate) now: Timestamp,
    pub(crate) ledger_is_down: bool,
    pub(crate) is_within_burst: bool,
    /// What an issuer's JWKS URL answers.
    pub(crate) key_set: Result<String, String>,
    /// The steps that were performed, in a word each.
    pub(crate) performed: Vec<&'static str>,
    ledgers: BTreeMap<String, (Ledger, MemoryStore)>,
}

impl World {
    pub(crate) fn new(vars: &Vars) -> Self {
        let config = Config::parse(vars).map_err(|invalid| invalid.mistakes).unwrap();
        Self {
            memory: Memory::new(config.issuers.len(), "isolate".to_owned()),
            config: Rc::new(config),
            now: NOW,
            ledger_is_down: false,
            is_within_burst: true,
            key_set: Err("no server".to_owned()),
            performed: Vec::new(),
            ledgers: BTreeMap::new(),
        }
    }

    /// Puts an account's record, as an operator writes it.
    pub(crate) fn put_account(&mut self, name: &str, record: &str) {
        let record = serde_json::from_str(record).unwrap();
        let (_, store) = self.ledgers.entry(name.to_owned()).or_default();
        Ledger::put_account(store, record, "test", self.now).unwrap();
    }

    /// Everything that is counted for an account, over all meters and windows.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        self.ledgers.get(name).map_or(0, |(_, store)| store.counters.values().sum())
    }

    /// Lets time pass.
    pub(crate) fn pass_ms(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    /// Serves a request to the end, errands included.
    pub(crate) fn serve(&mut self, asks: &str, token: Option<&str>) -> Decision {
        let mut gate = self.gate(asks, token);
        let mut step = gate.start(&mut self.memory, self.now);
        let decision = loop {
            match step {
                Step::Done(decision) => break decision,
                needed => {
                    let outcome = self.perform(&needed);
                    step = gate.resume(outcome, &mut self.memory, self.now);
                }
            }
        };
        for errand in gate.take_errands() {
            self.run(errand);
        }
        decision
    }

    /// A request that was not looked at yet: `GET /path`, with a bearer token. The method
    /// `PREFLIGHT` stands for what a browser sends before a request to another site.
    pub(crate) fn gate(&self, asks: &str, token: Option<&str>) -> Gate {
        let (method, path) = asks.split_once(' ').unwrap();
        let bearer = token.map_or_else(String::new, |token| format!("Bearer {token}"));
        let lines = match method {
            "PREFLIGHT" => {
                format!("OPTIONS\nhttps://api.example{path}\nhttps://app.example\nGET")
            }
            _ => format!("{method}\nhttps://api.example{path}\n\n\n{bearer}"),
        };
        let facts = RequestFacts::from_lines(&lines).unwrap();
        Gate::new(Rc::clone(&self.config), Rc::new(facts))
    }

    /// What the edge does about a step.
    pub(crate) fn perform(&mut self, step: &Step) -> Outcome {
        let (word, outcome) = match step {
            Step::CallLedger { account, request } => {
                let reply = self.ask_ledger(account, request).map(Box::new);
                ("ledger", Outcome::LedgerAnswered(reply))
            }
            Step::FetchKeys { .. } => ("keys", Outcome::KeysFetched(self.key_set.clone())),
            Step::LimitBurst { .. } => ("burst", Outcome::BurstAnswered(self.is_within_burst)),
            Step::VerifySignature(check) => {
                ("verify", Outcome::SignatureVerified(Ok(is_right(check))))
            }
            Step::Wait { for_ms } => {
                self.pass_ms(i64::from(*for_ms));
                ("wait", Outcome::Waited)
            }
            Step::Done(_) => panic!("nothing is to be done"),
        };
        self.performed.push(word);
        outcome
    }

    fn run(&mut self, errand: Errand) {
        match errand {
            Errand::RefreshKeys { issuer } => {
                self.performed.push("refresh");
                let body = self.key_set.clone();
                let _ = gate::keys_refreshed(issuer, body, &mut self.memory, self.now);
            }
            Errand::Report { account, request } => {
                self.performed.push("report");
                let _ = self.ask_ledger(&account, &request);
            }
        }
    }

    fn ask_ledger(&mut self, name: &str, request: &LedgerRequest) -> Result<LedgerReply, String> {
        if self.ledger_is_down {
            return Err("no answer in time".to_owned());
        }
        let (ledger, store) = self.ledgers.entry(name.to_owned()).or_default();
        let reply = ledger.handle(store, &self.config.plans, request, self.now);
        reply.map_err(|error| error.to_string())
    }
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
