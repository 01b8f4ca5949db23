//! The step machine: one request, from its facts to a decision.
//!
//! The gate does no I/O. [`Gate::start`] and [`Gate::resume`] return what is needed next as a
//! [`Step`]; the edge does it and hands the [`Outcome`] back. In the steady state the first step is
//! already [`Step::Done`]: everything needed is in the isolate's [`Memory`].
//!
//! The order of the checks, which is also the order in which a request can be denied:
//! facts → route → credential → token → account → decision (`docs/life-of-a-request.md`).

mod account;
mod afterwards;
mod api_key;
mod asking;
pub mod captured;
mod memory;
mod outage;
mod remedies;
mod sign_in;
mod standing;
mod token;
mod usage;
mod visitor;
mod way_back;

pub use afterwards::{COST_HEADER, OriginAnswer, Settlement, give_back, settle, told, watch};
pub use captured::Visitor;
pub use memory::Memory;
pub use outage::outage_told;
pub use remedies::fault;
pub use token::keys_refreshed;
pub use visitor::{readers_reported, readers_to_report, settle_page};
pub use way_back::KnownAccount;

use std::rc::Rc;

use memory::Caller;
use remedies::bad_request;
use sign_in::Brought;

use crate::account::{ApiKey, KeyOwner};
use crate::allowance::{Reader, ReportDue};
use crate::cause::Cause;
use crate::config::{Config, Route};
use crate::decision::{Decision, Denial, Pass};
use crate::identity::Identity;
use crate::quota::{Charge, LedgerReply, LedgerRequest, Usage};
use crate::request::{RequestFacts, RouteMatch, credential, match_route, readings};
use crate::time::Timestamp;
use crate::token::{MAX_TOKEN_BYTES, SignatureCheck, TokenError};
use crate::usage::AccountUsage;

/// What the gate needs next.
#[derive(Debug)]
pub enum Step {
    /// Ask the ledger of this account.
    CallLedger {
        /// The account's name, `tenant/account`.
        account: String,
        /// What to ask.
        request: LedgerRequest,
    },
    /// Nothing: this is the decision.
    Done(Decision),
    /// Fetch the key set of this issuer.
    FetchKeys {
        /// Index of the issuer in the configuration.
        issuer: usize,
    },
    /// Ask the directory whose API key this is.
    FindKey {
        /// The name of the object that may know.
        directory: String,
        /// The key's hash.
        hash: String,
    },
    /// Ask a rate-limit binding about this key.
    LimitBurst {
        /// The binding's name.
        binding: String,
        /// Who is counted.
        key: String,
    },
    /// Ask the desk whether the payment provider seems to be down.
    ReadOutage,
    /// Read how this account stands from its ledger.
    ReadUsage {
        /// The account's name.
        account: String,
        /// The plan that the token names.
        plan: Option<String>,
        /// Whose own quotas are meant.
        member: String,
    },
    /// Nothing: this is what [`Gate::for_account`] asks for.
    ShowAccount(Box<KnownAccount>),
    /// Nothing: this is what [`Gate::for_status`] asks for: why access is denied, if it is.
    ShowStatus(Option<Box<Denial>>),
    /// Nothing: this is what [`Gate::for_usage`] asks for.
    ShowUsage(Box<AccountUsage>),
    /// Verify this signature.
    VerifySignature(SignatureCheck),
    /// Look again after this time: another request is doing what this one needs.
    Wait {
        /// Milliseconds.
        for_ms: u32,
    },
}

/// What came of a [`Step`].
#[derive(Debug)]
pub enum Outcome {
    /// Of [`Step::LimitBurst`]: whether the request is within the rate.
    BurstAnswered(bool),
    /// Of [`Step::FindKey`]: whose it is, if it is one; or why that isn't said.
    KeyFound(Result<Option<KeyOwner>, String>),
    /// Of [`Step::FetchKeys`]: the body, or why there is none.
    KeysFetched(Result<String, String>),
    /// Of [`Step::CallLedger`]: the reply, or why there is none.
    LedgerAnswered(Result<Box<LedgerReply>, String>),
    /// Of [`Step::ReadOutage`]: whether it is, or why nobody knows.
    OutageRead(Result<bool, String>),
    /// Of [`Step::VerifySignature`]: whether it is right, or why no key could be used.
    SignatureVerified(Result<bool, String>),
    /// Of [`Step::ReadUsage`]: what the ledger knows, or why it doesn't say.
    UsageRead(Result<Box<Usage>, String>),
    /// Of [`Step::Wait`].
    Waited,
}

/// Something to do after the response, off the request's path.
#[derive(Debug)]
pub enum Errand {
    /// Ask the desk whether the payment provider seems to be down, and hand the answer to
    /// [`outage_told`].
    AskOutage,
    /// Fetch an issuer's keys again and hand them to [`keys_refreshed`].
    RefreshKeys {
        /// Index of the issuer in the configuration.
        issuer: usize,
    },
    /// Wait for so long, then send [`readers_to_report`] to the object that this shard is at, and
    /// hand the reply to [`readers_reported`]. What gets lost need not be sent again.
    ReportReaders(ReportDue),
    /// Send a message to an account's ledger and hand the reply to [`told`].
    Tell {
        /// The account's name.
        account: String,
        /// The message.
        request: LedgerRequest,
    },
    /// Ask [`watch`] what to do about this lease, and do it, until it is done.
    Watch {
        /// The account's name.
        account: String,
        /// The lease.
        lease: u64,
    },
}

/// One request on its way to a decision.
#[derive(Debug)]
pub struct Gate {
    config: Rc<Config>,
    facts: Rc<RequestFacts>,
    purpose: Purpose,
    route: Option<usize>,
    progress: Progress,
    started_at: Timestamp,
    waits: u32,
    is_demand_noted: bool,
    brought: Option<Box<Brought>>,
    provider_outage: bool,
    /// Whether the caller's token alone says what it may do: paying changes nothing before the
    /// next one.
    by_token_alone: bool,
    errands: Vec<Errand>,
}

/// What a request asks of the gate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// To be let through.
    Passage,
    /// How the caller's own account stands.
    Usage,
    /// Whether a GET of this path would pass.
    Status,
    /// Who the caller is, and its account's record.
    Account,
}

/// How far the request is.
#[derive(Debug)]
enum Progress {
    /// Nothing was asked for: not begun yet, or decided.
    Idle,
    /// The directory is being asked whose API key this is.
    ApiKey(Rc<str>),
    /// This issuer's keys are being fetched.
    Keys(usize),
    /// A signature is being verified.
    Signature(Box<token::Candidate>),
    /// The caller is known; the burst limit is being asked.
    Burst(Rc<Caller>),
    /// The rate-limit binding is being asked whether this reader may start a count.
    Start(Box<Reader>),
    /// The ledger is being asked: the message's number, and what was set aside for the request.
    Ledger(Rc<Caller>, (u64, Charge)),
    /// A message of another request to the same ledger is under way.
    Held(Rc<Caller>),
    /// The ledger is being asked how the caller's account stands.
    Usage(Rc<Caller>),
    /// The desk is being asked whether the payment provider is down.
    Outage(Rc<Caller>),
    /// Another request fetches the keys.
    Waiting,
}

impl Gate {
    /// A request that was not looked at yet.
    pub fn new(config: Rc<Config>, facts: Rc<RequestFacts>) -> Self {
        Self::of(Purpose::Passage, config, facts)
    }

    /// A request that asks how its own account stands. It has no route, and is never passed: it
    /// ends with [`Step::ShowUsage`] or a denial.
    pub fn for_usage(config: Rc<Config>, facts: Rc<RequestFacts>) -> Self {
        Self::of(Purpose::Usage, config, facts)
    }

    fn of(purpose: Purpose, config: Rc<Config>, facts: Rc<RequestFacts>) -> Self {
        let (progress, started_at) = (Progress::Idle, Timestamp::default());
        let provider_outage = config.provider_outage;
        Self {
            config,
            facts,
            purpose,
            route: None,
            progress,
            started_at,
            waits: 0,
            is_demand_noted: false,
            brought: None,
            provider_outage,
            by_token_alone: false,
            errands: Vec::new(),
        }
    }

    /// Begins. `now` is the edge's clock, read once for the request.
    pub fn start(&mut self, memory: &mut Memory, now: Timestamp) -> Step {
        self.started_at = now;
        self.provider_outage = self.config.provider_outage || memory.outage.is_on(now);
        match self.purpose {
            Purpose::Passage => {}
            Purpose::Status => return self.begin_status(memory, now),
            Purpose::Usage | Purpose::Account => return self.check_credential(memory, now),
        }
        if self.facts.is_odd_upgrade() {
            return self.deny(*bad_request("only a GET can become a WebSocket"), None);
        }
        let index = match self.find_route() {
            Ok(index) => index,
            Err(denial) => return self.deny(*denial, None),
        };
        self.route = Some(index);
        let is_open = self.config.routes.get(index).is_some_and(|route| route.open);
        if is_open || self.facts.is_preflight() {
            return self.pass(Pass { is_preflight: !is_open, ..Pass::default() });
        }
        self.check_credential(memory, now)
    }

    /// Goes on with what came of the last step. An outcome that nobody asked for is a fault of the
    /// edge and denies.
    pub fn resume(&mut self, outcome: Outcome, memory: &mut Memory, now: Timestamp) -> Step {
        let progress = std::mem::replace(&mut self.progress, Progress::Idle);
        match (progress, outcome) {
            (Progress::Waiting, Outcome::Waited) => self.check_credential(memory, now),
            (Progress::Held(caller), Outcome::Waited) => self.check_account(&caller, memory, now),
            (Progress::ApiKey(key), Outcome::KeyFound(found)) => {
                self.key_found(key, found, memory, now)
            }
            (Progress::Keys(issuer), Outcome::KeysFetched(body)) => {
                self.keys_fetched(issuer, body, memory, now)
            }
            (Progress::Signature(candidate), Outcome::SignatureVerified(verdict)) => {
                self.signature_verified(*candidate, verdict, memory, now)
            }
            (Progress::Burst(caller), Outcome::BurstAnswered(is_within)) => {
                self.burst_answered(&caller, is_within, memory, now)
            }
            (Progress::Start(reader), Outcome::BurstAnswered(is_within)) => {
                self.start_answered(*reader, is_within, memory, now)
            }
            (Progress::Ledger(caller, asked), Outcome::LedgerAnswered(reply)) => {
                self.ledger_answered(&caller, asked, reply, memory, now)
            }
            (Progress::Outage(caller), Outcome::OutageRead(is_on)) => {
                self.outage_read(&caller, is_on, memory, now)
            }
            (Progress::Usage(caller), Outcome::UsageRead(usage)) => {
                self.usage_read(&caller, usage, memory, now)
            }
            // Not with what it holds: that may be an account or a key set, and this is logged.
            _ => self.misconfigured("the edge answered something that was not asked"),
        }
    }

    /// Index of the route that was matched.
    pub fn route(&self) -> Option<usize> {
        self.route
    }

    /// What is known of the request.
    pub fn facts(&self) -> &RequestFacts {
        &self.facts
    }

    /// What is to be done after the response. Empty when called again.
    pub fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    fn find_route(&self) -> Result<usize, Box<Denial>> {
        let readings =
            readings(&self.facts.path).map_err(|error| bad_request(&error.to_string()))?;
        let patterns = self.config.routes.iter().map(|route| (&route.pattern, route.open));
        match match_route(&patterns, &self.facts.method, self.facts.host(), &readings) {
            RouteMatch::One(index) => Ok(index),
            RouteMatch::Ambiguous => {
                Err(bad_request("servers may read the path as different routes"))
            }
            RouteMatch::None => Err(bad_request("no route matches")),
        }
    }

    fn check_credential(&mut self, memory: &mut Memory, now: Timestamp) -> Step {
        let (config, facts) = (Rc::clone(&self.config), Rc::clone(&self.facts));
        match credential::find(&config.credentials, &facts) {
            // Before anything looks at all of it.
            Some(found) if found.token.len() > MAX_TOKEN_BYTES => {
                self.invalid_token(TokenError::TooLarge)
            }
            Some(found) if found.token.starts_with(ApiKey::MARK) => {
                self.check_key(found.token, memory, now)
            }
            Some(found) => self.check_token(found.token, memory, now),
            None => self.check_visitor(memory, now),
        }
    }

    /// The route that was matched; `None` only before it was.
    fn matched(&self) -> Option<&Route> {
        self.config.routes.get(self.route?)
    }

    fn requires(&self) -> &[String] {
        self.matched().map_or(&[], |route| &route.requires)
    }

    /// The one place where a request passes. A request for the gate itself never does, wherever it
    /// came from.
    fn pass(&self, mut pass: Pass) -> Step {
        if self.purpose != Purpose::Passage {
            return self.misconfigured("a request for the gate itself was about to be passed on");
        }
        pass.route = self.route;
        Step::Done(Decision::Pass(Box::new(pass)))
    }

    /// Denies, with the remedies that the configuration knows; `caller` is who was denied.
    fn deny(&self, denial: Denial, caller: Option<&Identity>) -> Step {
        Step::Done(Decision::Deny(Box::new(self.completed(denial, caller))))
    }

    /// A denial with everything that is known about it, remedies included.
    fn completed(&self, mut denial: Denial, caller: Option<&Identity>) -> Denial {
        let plan = caller.and_then(|identity| identity.plan.as_deref());
        if let Some(identity) = caller {
            denial.facts.account = Some(identity.account_name());
            let known = plan.and_then(|id| self.config.plan(id));
            denial.facts.plan = known.map(|plan| plan.name.clone());
        }
        let way_back = caller.and_then(|_| self.way_back());
        let (config, now) = (&self.config, self.started_at);
        remedies::fill_in(&mut denial, config, self.requires(), plan, way_back.as_deref(), now);
        denial
    }

    /// A mistake of ours or the operator's: never the caller's fault.
    fn misconfigured(&self, detail: &str) -> Step {
        let denial = fault(Cause::Misconfigured, detail, Some(&self.config));
        Step::Done(Decision::Deny(Box::new(denial)))
    }
}
