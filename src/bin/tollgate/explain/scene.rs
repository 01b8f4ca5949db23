//! Meets the gate's needs with what was given, and puts each in words.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use tollgate::account::{ApiKey, KeyOwner};
use tollgate::config::{Config, IssuerIndex, KeySource, RouteIndex};
use tollgate::decision::Decision;
use tollgate::gate::{CallError, Gate, Inquiry, Memory, Need, Outcome, Process, Step};
use tollgate::quota::{Ledger, LedgerReply, LedgerRequest, Usage};
use tollgate::request::RequestFacts;
use tollgate::time::Timestamp;
use tollgate::token::{SignatureCheck, Unverified};
use tollgate::usage::AccountUsage;

use super::caller::stand_in_keys;
use super::store::Rows;
use super::words;
use crate::commands::remote::AccountArgument;
use crate::commands::{crypto, http};

/// Everything around the gate.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Scene {
    pub(super) config: Rc<Config>,
    pub(super) now: Timestamp,
    pub(super) rows: Rows,
    /// The credential of the request, if it has one.
    pub(super) token: Option<String>,
    /// The owner of an API key.
    pub(super) owner: AccountArgument,
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

/// The events of a request in order, and its end.
pub(super) struct Story {
    pub(super) steps: Vec<(&'static str, String)>,
    pub(super) end: End,
    pub(super) route: Option<RouteIndex>,
}

/// The end of a request.
pub(super) enum End {
    Decision(Decision),
    Usage(Box<AccountUsage>),
}

impl Scene {
    /// One request from its facts to its end. `is_usage` is whether it asks how its account stands.
    pub(super) fn play(&mut self, facts: &Rc<RequestFacts>, is_usage: bool) -> Story {
        let (config, facts) = (Rc::clone(&self.config), Rc::clone(facts));
        let mut memory =
            Memory::new(config.issuers.len(), "explain".to_owned(), config.deadlines.origin_ms);
        if is_usage {
            let begun = Inquiry::usage(config, Rc::clone(&facts), &mut memory, self.now);
            self.follow(begun, &facts, memory, |usage| match usage {
                Ok(usage) => End::Usage(usage),
                Err(denial) => End::Decision(Decision::Deny(denial)),
            })
        } else {
            let begun = Gate::start(config, Rc::clone(&facts), &mut memory, self.now);
            self.follow(begun, &facts, memory, End::Decision)
        }
    }

    fn follow<P: Process>(
        &mut self,
        begun: (P, Step<P::End>),
        facts: &RequestFacts,
        mut memory: Memory,
        end_of: impl FnOnce(P::End) -> End,
    ) -> Story {
        let (mut process, mut step) = begun;
        let route = process.route();
        let mut steps = Vec::new();
        if let Some(index) = route {
            steps.push(("route", words::route(&self.config, index)));
        }
        if !words::is_ungated(&self.config, route, facts) {
            let stands_in = self.is_stand_in;
            steps.push(("credential", words::credential(&self.config, facts, stands_in)));
        }
        let end = loop {
            let need = match step {
                Step::End(end) => break end_of(end),
                Step::Need(need) => need,
            };
            let outcome = self.meet(&need, &mut steps);
            step = process.resume(outcome, &mut memory, self.now);
        };
        Story { steps, end, route }
    }

    fn meet(&mut self, need: &Need, steps: &mut Vec<(&'static str, String)>) -> Outcome {
        match need {
            Need::FindKey { .. } => {
                if self.is_resigned {
                    let text = "taken on trust, without GATE_SECRET".to_owned();
                    steps.push(("checksum", text));
                }
                let (owner, text) = self.find_key();
                steps.push(("key", text));
                Outcome::KeyFound(owner)
            }
            Need::FetchKeys { issuer } => {
                let (body, text) = self.fetch_keys(*issuer);
                steps.push(("keys", text));
                Outcome::KeysFetched(body)
            }
            Need::VerifySignature(check) => {
                let (verdict, text) = self.verify(check);
                steps.push(("signature", text));
                if let (Ok(true), Some(text)) = (&verdict, self.who()) {
                    steps.push(("caller", text));
                }
                Outcome::SignatureVerified(verdict)
            }
            Need::LimitBurst { binding, key } => {
                let said = if self.is_over_burst { "beyond" } else { "within" };
                steps.push(("burst", format!("{key} is {said} the rate of {binding}")));
                Outcome::BurstAnswered(!self.is_over_burst)
            }
            Need::CallLedger { account, request } => {
                let reply = self.ask_ledger(request);
                let (config, now) = (&self.config, self.now);
                steps.push(("ledger", words::ledger(account, request, &reply, config, now)));
                Outcome::LedgerAnswered(reply.map(Box::new))
            }
            Need::ReadUsage { account, plan, member } => {
                let usage = self.read_usage(plan.as_deref(), member);
                steps.push(("ledger", format!("{account} is asked how it stands")));
                Outcome::UsageRead(usage.map(Box::new))
            }
            Need::ReadOutage => {
                let said = if self.provider_is_down { "is" } else { "is not" };
                steps.push(("outage", format!("the payment provider {said} seen to be down")));
                Outcome::OutageRead(Ok(self.provider_is_down))
            }
            Need::Wait { for_ms } => {
                self.now = self.now.plus_ms(i64::from(*for_ms));
                Outcome::Waited
            }
        }
    }

    /// The owner of an API key: the account of the given record, if that lists it.
    fn find_key(&self) -> (Result<Option<KeyOwner>, CallError>, String) {
        let id = ApiKey::id_in(self.token.as_deref().unwrap_or_default());
        let Some(record) = &self.rows.account else {
            let text = format!("{id}: only a running gate knows whose; --account gives a record");
            let error = CallError::Unreachable("whose it is was not given".to_owned());
            return (Err(error), text);
        };
        let Some(key) = record.keys.iter().find(|key| key.id == id) else {
            return (Ok(None), format!("{id}: the given record doesn't list it"));
        };
        let account = self.owner.name().clone();
        let text = format!("{id} is of {account}, as its record says");
        (Ok(Some(KeyOwner { account, key: id.to_owned(), member: key.member.clone() })), text)
    }

    fn verify(&self, check: &SignatureCheck) -> (Result<bool, CallError>, String) {
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
        (verdict.map_err(CallError::Fault), text)
    }

    /// The caller that the token names, as its issuer's claims are read.
    fn who(&self) -> Option<String> {
        let unverified = Unverified::parse(self.token.as_deref()?).ok()?;
        let (_, issuer) = self.config.issuer(unverified.issuer()?)?;
        let identity = issuer.mapping.read(unverified.claims()).ok()?.identity;
        Some(words::caller(&identity, issuer))
    }

    fn fetch_keys(&self, issuer: IssuerIndex) -> (Result<String, CallError>, String) {
        let source = self.config.issuer_at(issuer).map(|issuer| &issuer.keys);
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
        (body.map_err(CallError::Unreachable), text)
    }

    fn ask_ledger(&mut self, request: &LedgerRequest) -> Result<LedgerReply, CallError> {
        self.reach_ledger()?;
        let reply =
            Ledger::default().handle(&mut self.rows, self.config.terms(), request, self.now);
        reply.map_err(|error| CallError::Unreachable(error.to_string()))
    }

    fn read_usage(&self, plan: Option<&str>, member: &str) -> Result<Usage, CallError> {
        self.reach_ledger()?;
        let usage = Ledger::usage(&self.rows, self.config.terms(), plan, Some(member), self.now);
        usage.map_err(|error| CallError::Unreachable(error.to_string()))
    }

    fn reach_ledger(&self) -> Result<(), CallError> {
        let answer = (!self.ledger_is_down).then_some(());
        answer.ok_or_else(|| CallError::Unreachable(NO_ANSWER.to_owned()))
    }
}

const NO_ANSWER: &str = "no answer in time";
