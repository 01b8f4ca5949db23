//! One request: facts in, response out.
//!
//! In the steady state everything is known already, and the whole of it runs without a single
//! `await`: [`handle`] returns the response itself, or the promise of the origin's. Only a request
//! that needs something first (a signature, the ledger, keys) becomes a future.

use std::rc::Rc;

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::{Request, Response};

use super::isolate::{Isolate, now, settle};
use super::origin::{Passage, send_unchecked};
use super::{endpoints, glue, ledger_object};
use crate::account::FailurePolicy;
use crate::answer::{self, Answer, Asker, Place};
use crate::config::{Brand, Config, KeySource, LogLevel, Route};
use crate::decision::{Cause, Decision, Degraded, Denial, Pass};
use crate::gate::{self, Errand, Gate, Outcome, Step};
use crate::report;
use crate::request::{Reach, RequestFacts, readings};

/// Serves a request. Returns a `Response`, the origin's promise of one, or an array that holds a
/// promise which this module has yet to keep.
#[wasm_bindgen]
pub fn handle(request: Request, env: &JsValue, context: JsValue) -> JsValue {
    let isolate = Isolate::of(env);
    let lines = glue::read_request(&request, &isolate.credential_headers);
    let Some(facts) = RequestFacts::from_lines(&lines).map(Rc::new) else {
        return refuse_unreadable(&isolate).into();
    };
    if is_own(&isolate, &facts) {
        return later(endpoints::answer(isolate, request, facts));
    }
    let config = match &isolate.config {
        Ok(config) => Rc::clone(config),
        Err(invalid) => {
            let policy = invalid.fallback.on_misconfigured;
            let why = Degraded::Misconfigured;
            return unchecked(&isolate, &request, &facts, policy, why, "invalid configuration");
        }
    };
    let mut gate = Gate::new(Rc::clone(&config), Rc::clone(&facts));
    let first = gate.start(&mut isolate.memory.borrow_mut(), now());
    let exchange = Exchange { isolate, config, facts, request, context };
    match first {
        Step::Done(decision) => exchange.finish(gate, decision),
        step => later(exchange.pursue(gate, step)),
    }
}

/// Answers a request whose origin could not be reached.
#[wasm_bindgen]
pub fn handle_origin_failure(request: &Request, env: &JsValue, reason: &JsValue) -> JsValue {
    let isolate = Isolate::of(env);
    let lines = glue::read_request(request, &isolate.credential_headers);
    let Some(facts) = RequestFacts::from_lines(&lines) else {
        return refuse_unreadable(&isolate).into();
    };
    origin_failed(&isolate, &facts, &reason.as_string().unwrap_or_default()).into()
}

/// Answers a request that a panic left behind, from a new instance of the module: as the operator
/// chose for a gate that is broken.
///
/// `reason` is a string. As `&str` it would be written into the memory of the old instance before
/// the new one is made.
#[wasm_bindgen]
pub fn handle_panic(
    request: &Request,
    env: &JsValue,
    _context: JsValue,
    reason: &JsValue,
) -> JsValue {
    let isolate = Isolate::of(env);
    let lines = glue::read_request(request, &isolate.credential_headers);
    let Some(facts) = RequestFacts::from_lines(&lines) else {
        return refuse_unreadable(&isolate).into();
    };
    let policy = match &isolate.config {
        Ok(config) => config.on_misconfigured,
        Err(invalid) => invalid.fallback.on_misconfigured,
    };
    // What was begun may have reached the origin; only what is harmless twice is sent again.
    let is_safe = matches!(facts.method.as_str(), "GET" | "HEAD")
        && !request.body_used()
        && !is_own(&isolate, &facts);
    let may_pass = is_safe && !is_own(&isolate, &facts);
    let policy = if may_pass { policy } else { FailurePolicy::Deny };
    let reason = reason.as_string().unwrap_or_default();
    unchecked(&isolate, request, &facts, policy, Degraded::Panicked, &reason)
}

/// One request and everything it needs on its way.
struct Exchange {
    isolate: Rc<Isolate>,
    config: Rc<Config>,
    facts: Rc<RequestFacts>,
    request: Request,
    context: JsValue,
}

impl Exchange {
    /// Acts on a decision that needed no waiting; waits all the same where an assertion has to be
    /// signed or units may have to go back.
    fn finish(self, mut gate: Gate, decision: Decision) -> JsValue {
        let pass = match &decision {
            Decision::Deny(denial) => {
                self.run_errands(gate.take_errands());
                return self.deny(denial, gate.route()).into();
            }
            Decision::Pass(pass) => pass,
        };
        let passage = self.passage(pass);
        let assertion = passage.known_assertion(now());
        let must_sign = assertion.is_none() && passage.to_assert().is_some();
        if must_sign || pass.charge.is_some() {
            return later(self.pursue(gate, Step::Done(decision)));
        }
        self.run_errands(gate.take_errands());
        match passage.send(&self.request, assertion.as_deref(), now()) {
            Ok(promise) => promise.into(),
            Err(reason) => origin_failed(&self.isolate, &self.facts, &reason).into(),
        }
    }

    /// Does what the gate asks for until it has decided, and acts on the decision.
    async fn pursue(self, mut gate: Gate, mut step: Step) -> Result<JsValue, JsValue> {
        let decision = loop {
            let outcome = match step {
                Step::Done(decision) => break decision,
                step => self.take(step).await,
            };
            step = gate.resume(outcome, &mut self.isolate.memory.borrow_mut(), now());
        };
        self.run_errands(gate.take_errands());
        match decision {
            Decision::Deny(denial) => Ok(self.deny(&denial, gate.route()).into()),
            Decision::Pass(pass) => self.pass(*pass).await,
        }
    }

    async fn take(&self, step: Step) -> Outcome {
        match step {
            Step::CallLedger { account, request } => {
                let reply = ledger_object::ask(&self.isolate, &self.config, &account, &request);
                Outcome::LedgerAnswered(reply.await.map(Box::new))
            }
            Step::FetchKeys { issuer } => {
                Outcome::KeysFetched(fetch_keys(&self.config, issuer).await)
            }
            Step::LimitBurst { binding, key } => {
                Outcome::BurstAnswered(self.is_within_burst(&binding, &key).await)
            }
            Step::VerifySignature(check) => {
                Outcome::SignatureVerified(self.isolate.verifier.verify(&check).await)
            }
            Step::Wait { for_ms } => {
                let _ = settle(glue::pause(for_ms)).await;
                Outcome::Waited
            }
            // The loop in `pursue` ends before this.
            Step::Done(_) => Outcome::Waited,
        }
    }

    /// Whether the rate-limit binding lets the request through. A binding that fails does: a burst
    /// limit protects the origin, and must not become an outage of its own.
    async fn is_within_burst(&self, binding: &str, key: &str) -> bool {
        let Some(limiter) = self.isolate.resource(binding) else { return true };
        let deadline_ms = self.config.deadlines.ledger_ms;
        let answer = settle(glue::limit_burst(&limiter, key, deadline_ms)).await;
        answer.map_or(true, |is_within| is_within.is_truthy())
    }

    async fn pass(self, pass: Pass) -> Result<JsValue, JsValue> {
        let passage = self.passage(&pass);
        let mut assertion = passage.known_assertion(now());
        if assertion.is_none() {
            match passage.sign_assertion(now()).await {
                Some(Ok(signed)) => assertion = Some(signed),
                Some(Err(reason)) => {
                    let reason = format!("ASSERTION_KEY: {reason}");
                    let denial = fault(&self.isolate, Cause::Misconfigured, &reason);
                    return Ok(self.deny(&denial, pass.route).into());
                }
                None => {}
            }
        }
        let sent = match passage.send(&self.request, assertion.as_deref(), now()) {
            Ok(promise) => settle(promise).await,
            Err(reason) => Err(reason),
        };
        let failed = match &sent {
            Ok(response) => response.unchecked_ref::<Response>().status() >= 500,
            Err(_) => true,
        };
        if failed {
            self.refund(&pass);
        }
        sent.or_else(|reason| Ok(origin_failed(&self.isolate, &self.facts, &reason).into()))
    }

    fn passage<'a>(&'a self, pass: &'a Pass) -> Passage<'a> {
        Passage { isolate: &self.isolate, config: &self.config, facts: &self.facts, pass }
    }

    fn refund(&self, pass: &Pass) {
        let route = pass.route.and_then(|index| self.config.routes.get(index));
        let wants_refund = route.is_some_and(|route| route.refund);
        if let (Some(charge), Some(identity), true) = (&pass.charge, &pass.identity, wants_refund) {
            self.run_errands(vec![gate::refund(identity.account_name(), charge)]);
        }
    }

    fn deny(&self, denial: &Denial, route: Option<usize>) -> Response {
        let route = route.and_then(|index| self.config.routes.get(index));
        deny(&self.isolate, &self.facts, denial, route)
    }

    /// Runs what is left to do after the response, with the runtime's leave to take its time.
    fn run_errands(&self, errands: Vec<Errand>) {
        for errand in errands {
            let (isolate, config) = (Rc::clone(&self.isolate), Rc::clone(&self.config));
            let promise = future_to_promise(async move {
                if let Err(reason) = run_errand(&isolate, &config, errand).await {
                    worker::console_error!("{}", report::fault_line("errand", &reason));
                }
                Ok(JsValue::UNDEFINED)
            });
            wait_until(&self.context, &promise);
        }
    }
}

async fn run_errand(isolate: &Isolate, config: &Config, errand: Errand) -> Result<(), String> {
    match errand {
        Errand::RefreshKeys { issuer } => {
            let body = fetch_keys(config, issuer).await;
            gate::keys_refreshed(issuer, body, &mut isolate.memory.borrow_mut(), now())
        }
        Errand::Report { account, request } => {
            ledger_object::ask(isolate, config, &account, &request).await.map(|_| ())
        }
    }
}

async fn fetch_keys(config: &Config, issuer: usize) -> Result<String, String> {
    let Some(KeySource::Url(url)) = config.issuers.get(issuer).map(|issuer| &issuer.keys) else {
        return Err("the issuer has no JWKS URL".to_owned());
    };
    let promise = glue::fetch_text(url, config.deadlines.jwks_ms, MAX_JWKS_BYTES);
    settle(promise).await.map(|text| text.as_string().unwrap_or_default())
}

/// A key set is a few KB; anything much larger isn't one.
const MAX_JWKS_BYTES: u32 = 64 * 1024;

/// The response made of an answer.
pub(super) fn respond(answer: &Answer) -> Response {
    glue::make_response(answer.status, &glue::lines(&answer.headers), &answer.body)
        .unwrap_or_else(|_| Response::error())
}

/// What the answers need to know about a request.
pub(super) fn asker(facts: &RequestFacts) -> Asker<'_> {
    Asker {
        method: &facts.method,
        accept: &facts.accept,
        origin: &facts.origin,
        fetch_mode: &facts.fetch_mode,
        fetch_site: &facts.fetch_site,
        host: facts.host(),
        path: &facts.path,
    }
}

/// Calls `then` with the gate's place and the operator's brand; the default ones while the
/// configuration is invalid.
pub(super) fn with_place<T>(
    isolate: &Isolate,
    facts: &RequestFacts,
    then: impl FnOnce(&Place<'_>, &Brand) -> T,
) -> T {
    let base_url = facts.base_url();
    let (prefix, brand) = match &isolate.config {
        Ok(config) => (config.prefix.as_str(), &config.brand),
        Err(invalid) => (invalid.fallback.prefix.as_str(), &Brand::default()),
    };
    let credential_headers = isolate.credential_names.as_str();
    then(&Place { base_url: &base_url, prefix, credential_headers }, brand)
}

/// Answers a denial, and logs it under the support id that the answer shows.
fn deny(
    isolate: &Isolate,
    facts: &RequestFacts,
    denial: &Denial,
    route: Option<&Route>,
) -> Response {
    let support_id = isolate.support_id();
    let level = isolate.config.as_ref().map_or(LogLevel::default(), |config| config.log);
    if let Some(line) = report::log_line(denial, route, facts, level, &support_id, now()) {
        worker::console_log!("{line}");
    }
    let answer = with_place(isolate, facts, |place, brand| {
        answer::denied(denial, &asker(facts), place, brand, &support_id, now())
    });
    respond(&answer)
}

/// Passes a request without its checks, or answers 503: as the operator chose.
fn unchecked(
    isolate: &Isolate,
    request: &Request,
    facts: &RequestFacts,
    policy: FailurePolicy,
    why: Degraded,
    reason: &str,
) -> JsValue {
    let origin = match &isolate.config {
        Ok(config) => Some(&config.origin),
        Err(invalid) => invalid.fallback.origin.as_ref(),
    };
    if let (FailurePolicy::Pass, Some(origin)) = (policy, origin) {
        worker::console_error!("{}", report::fault_line(why.word(), reason));
        return match send_unchecked(isolate, request, origin, facts, why) {
            Ok(promise) => promise.into(),
            Err(reason) => origin_failed(isolate, facts, &reason).into(),
        };
    }
    let denial = fault(isolate, Cause::Misconfigured, reason);
    deny(isolate, facts, &denial, None).into()
}

fn origin_failed(isolate: &Isolate, facts: &RequestFacts, reason: &str) -> Response {
    let denial = fault(isolate, Cause::OriginUnavailable, reason);
    deny(isolate, facts, &denial, None)
}

fn fault(isolate: &Isolate, cause: Cause, reason: &str) -> Denial {
    gate::fault(cause, reason, isolate.config.as_deref().ok())
}

/// The runtime hands out absolute URLs; should it ever not, that is a bad request.
fn refuse_unreadable(isolate: &Isolate) -> Response {
    let facts = RequestFacts::default();
    deny(isolate, &facts, &Denial::new(Cause::BadRequest), None)
}

/// Whether a request is for the gate's own endpoints in any reading of its path, or can't be read
/// at all: such a request is never forwarded.
fn is_own(isolate: &Isolate, facts: &RequestFacts) -> bool {
    let prefix = match &isolate.config {
        Ok(config) => &config.prefix,
        Err(invalid) => &invalid.fallback.prefix,
    };
    readings(&facts.path).map_or(true, |readings| readings.reach(prefix) != Reach::Outside)
}

fn later(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let array = Array::new();
    array.push(&future_to_promise(work));
    array.into()
}

fn wait_until(context: &JsValue, promise: &Promise) {
    let wait_until = Reflect::get(context, &JsValue::from_str("waitUntil"));
    if let Some(wait_until) = wait_until.ok().and_then(|f| f.dyn_into::<js_sys::Function>().ok()) {
        let _ = wait_until.call1(context, promise);
    }
}
