//! Performs the gate's steps with what was given, and tells each in words.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use tollgate::account::{ApiKey, KeyOwner};
use tollgate::config::{Config, KeySource};
use tollgate::decision::Decision;
use tollgate::gate::{Gate, Memory, Outcome as Answered, Step};
use tollgate::quota::{Ledger, LedgerReply, LedgerRequest};
use tollgate::request::RequestFacts;
use tollgate::time::Timestamp;
use tollgate::token::{SignatureCheck, Unverified};
use tollgate::usage::AccountUsage;

use super::caller::stand_in_keys;
use super::store::Rows;
use super::words;
use crate::commands::remote::AccountName;
use crate::commands::{crypto, http};

/// Everything around the gate.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Scene {
    pub(super) config: Rc<Config>,
    pub(super) now: Timestamp,
    pub(super) rows: Rows,
    /// What the request carries, if it carries something.
    pub(super) token: Option<String>,
    /// Whose an API key is.
    pub(super) owner: AccountName,
    /// Whether the token is no real one.
    pub(super) is_stand_in: bool,
    /// Whether its signature is taken on trust.
    pub(super) is_trusted: bool,
    /// Whether the checksum of its API key is taken on trust.
    pub(super) is_resigned: bool,
    /// A key set in the place of one at a URL.
    pub(super) keys: Option<PathBuf>,
    pub(super) online: bool,
    pub(super) ledger_is_down: bool,
    pub(super) is_over_burst: bool,
    pub(super) provider_is_down: bool,
}

/// What happened, in order, and how it ended.
pub(super) struct Story {
    pub(super) steps: Vec<(&'static str, String)>,
    pub(super) end: End,
    pub(super) route: Option<usize>,
}

/// How a request ended.
pub(super) enum End {
    Decision(Decision),
    Usage(Box<AccountUsage>),
}

impl Scene {
    /// One request from its facts to its end. `is_usage` is whether it asks how its account stands.
    pub(super) fn play(&mut self, facts: &Rc<RequestFacts>, is_usage: bool) -> Story {
        let config = Rc::clone(&self.config);
        let mut memory =
            Memory::new(config.issuers.len(), "explain".to_owned(), config.deadlines.origin_ms);
        let begin = if is_usage { Gate::for_usage } else { Gate::new };
        let mut gate = begin(Rc::clone(&config), Rc::clone(facts));
        let mut step = gate.start(&mut memory, self.now);
        let mut steps = Vec::new();
        if let Some(index) = gate.route() {
            steps.push(("route", words::route(&config, index)));
        }
        if !words::is_ungated(&config, gate.route(), facts) {
            let stands_in = self.is_stand_in;
            steps.push(("credential", words::credential(&config, facts, stands_in)));
        }
        let end = loop {
            let outcome = match step {
                Step::Done(decision) => break End::Decision(decision),
                Step::ShowUsage(usage) => break End::Usage(usage),
                step => self.perform(&step, &mut steps),
            };
            step = gate.resume(outcome, &mut memory, self.now);
        };
        Story { steps, end, route: gate.route() }
    }

    fn perform(&mut self, step: &Step, steps: &mut Vec<(&'static str, String)>) -> Answered {
        match step {
            Step::VerifySignature(check) => {
                let (outcome, text) = self.verify(check);
                steps.push(("signature", text));
                if let (Ok(true), Some(text)) = (&outcome, self.who()) {
                    steps.push(("caller", text));
                }
                Answered::SignatureVerified(outcome)
            }
            Step::FetchKeys { issuer } => {
                let (outcome, text) = self.fetch_keys(*issuer);
                steps.push(("keys", text));
                Answered::KeysFetched(outcome)
            }
            Step::FindKey { .. } => {
                if self.is_resigned {
                    let text = "taken on trust, without GATE_SECRET".to_owned();
                    steps.push(("checksum", text));
                }
                let (owner, text) = self.find_key();
                steps.push(("key", text));
                Answered::KeyFound(owner)
            }
            Step::LimitBurst { binding, key } => {
                let said = if self.is_over_burst { "beyond" } else { "within" };
                steps.push(("burst", format!("{key} is {said} the rate of {binding}")));
                Answered::BurstAnswered(!self.is_over_burst)
            }
            Step::CallLedger { account, request } => {
                let reply = self.ask_ledger(request);
                let (config, now) = (&self.config, self.now);
                steps.push(("ledger", words::ledger(account, request, &reply, config, now)));
                Answered::LedgerAnswered(reply.map(Box::new))
            }
            Step::ReadUsage { account, plan, member } => {
                let terms = self.config.terms();
                let (plan, member) = (plan.as_deref(), Some(member.as_str()));
                let usage = Ledger::usage(&self.rows, terms, plan, member, self.now);
                let usage = usage.map_err(|error| error.to_string());
                let usage = if self.ledger_is_down { Err(NO_ANSWER.to_owned()) } else { usage };
                steps.push(("ledger", format!("{account} is asked how it stands")));
                Answered::UsageRead(usage.map(Box::new))
            }
            Step::Wait { for_ms } => {
                self.now = self.now.plus_ms(i64::from(*for_ms));
                Answered::Waited
            }
            Step::ReadOutage => {
                let said = if self.provider_is_down { "is" } else { "is not" };
                steps.push(("outage", format!("the payment provider {said} seen to be down")));
                Answered::OutageRead(Ok(self.provider_is_down))
            }
            // The loop in `play` ends before these, or nobody asked for them.
            Step::Done(_) | Step::ShowAccount(_) | Step::ShowStatus(_) | Step::ShowUsage(_) => {
                Answered::Waited
            }
        }
    }

    /// Whose an API key is: the account's whose record was given, if that lists it.
    fn find_key(&self) -> (Result<Option<KeyOwner>, String>, String) {
        let id = ApiKey::id_in(self.token.as_deref().unwrap_or_default());
        let Some(record) = &self.rows.account else {
            let text = format!("{id}: only a running gate knows whose; --account gives a record");
            return (Err("whose it is was not given".to_owned()), text);
        };
        let Some(key) = record.keys.iter().find(|key| key.id == id) else {
            return (Ok(None), format!("{id}: the given record doesn't list it"));
        };
        let account = self.owner.to_string();
        let text = format!("{id} is of {account}, as its record says");
        (Ok(Some(KeyOwner { account, key: id.to_owned(), member: key.member.clone() })), text)
    }

    fn verify(&self, check: &SignatureCheck) -> (Result<bool, String>, String) {
        if self.is_trusted {
            let why = if self.is_stand_in { "there is none to check" } else { "taken on trust" };
            return (Ok(true), why.to_owned());
        }
        let verdict = crypto::verify(check);
        let alg = check.algorithm.name();
        let kid = check.keys.first().and_then(|key| key.kid.as_deref());
        let key = kid.map_or_else(String::new, |kid| format!(", key {kid:?}"));
        let text = match &verdict {
            Ok(true) => format!("verified ({alg}{key})"),
            Ok(false) => format!("does not fit the issuer's key ({alg}{key})"),
            Err(reason) => format!("a key can't be used: {reason}"),
        };
        (verdict, text)
    }

    /// Who the token is about, as its issuer's claims are read.
    fn who(&self) -> Option<String> {
        let unverified = Unverified::parse(self.token.as_deref()?).ok()?;
        let (_, issuer) = self.config.issuer(unverified.issuer()?)?;
        let identity = issuer.mapping.read(unverified.claims()).ok()?.identity;
        Some(words::caller(&identity, issuer))
    }

    fn fetch_keys(&self, issuer: usize) -> (Result<String, String>, String) {
        let source = self.config.issuers.get(issuer).map(|issuer| &issuer.keys);
        let url = match source {
            Some(KeySource::Url(url)) => url.as_str(),
            _ => "nowhere",
        };
        let (body, from) = match (&self.keys, &self.token) {
            (Some(file), _) => {
                let text = fs::read_to_string(file).map_err(|error| error.to_string());
                (text, format!("read from {} in the place of {url}", file.display()))
            }
            (None, Some(token)) if self.is_trusted => {
                (stand_in_keys(token), format!("not needed from {url}"))
            }
            (None, _) if self.online => {
                let got = http::get(url).and_then(http::Response::good);
                (got.map_err(|failure| failure.to_string()), format!("fetched from {url}"))
            }
            (None, _) => {
                let hint = "--online fetches them, --keys FILE reads them, --trust-token does \
                            without";
                (Err("not fetched".to_owned()), format!("are at {url}; {hint}"))
            }
        };
        let text = match &body {
            Err(reason) if reason != "not fetched" => format!("{from}: {reason}"),
            _ => from,
        };
        (body, text)
    }

    fn ask_ledger(&mut self, request: &LedgerRequest) -> Result<LedgerReply, String> {
        if self.ledger_is_down {
            return Err(NO_ANSWER.to_owned());
        }
        let reply =
            Ledger::default().handle(&mut self.rows, self.config.terms(), request, self.now);
        reply.map_err(|error| error.to_string())
    }
}

const NO_ANSWER: &str = "no answer in time";
