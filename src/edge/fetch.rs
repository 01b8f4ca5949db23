//! One request: facts in, response out.
//!
//! In the steady state everything is known already, and the whole of it runs without a single
//! `await`: [`handle`] returns the response itself, or the promise of the origin's. Only a request
//! that needs something first (a signature, the ledger, keys) becomes a future.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::{Request, Response};

#[cfg(feature = "drills")]
use super::drills;
use super::glue::forward::{self, ForwardFailure};
use super::glue::resolved;
use super::isolate::now;
use super::origin::{self, Passage};
use super::visit::{Visit, respond};
use super::{errands, glue, hosted_page, inbox, object_call};
use crate::account::KeyOwner;
use crate::cause::Cause;
use crate::config::{Config, RouteIndex};
use crate::decision::{Decision, Degraded, Denial, Pass};
use crate::endpoint::{AccountEndpoint, Endpoint, route};
use crate::gate::{
    self, Access, Begun, CallError, Errand, Gate, Inquiry, Need, OriginAnswer, Outcome, Process,
    Step,
};
use crate::hosted_page::Request as PageRequest;
use crate::identity::ObjectName;
use crate::message::{KeyDirectoryMessage, LedgerMessage};
use crate::plan::FailurePolicy;
use crate::wire::Field;

/// Serves a request. Returns a `Response`, the origin's promise of one, or a one-element array
/// around a promise that this module resolves; null where it is for [`backstage`](super).
#[cfg_attr(not(feature = "backstage"), wasm_bindgen)]
pub fn handle(request: Request, env: &JsValue, context: JsValue) -> JsValue {
    origin::register();
    let visit = Visit::new(request, env);
    let is_own = visit.is_own();
    let asked = if is_own { account_endpoint(&visit) } else { None };
    let asked = match asked {
        #[cfg(feature = "drills")]
        None if visit.facts.path.ends_with("/drill/panic") => return later(drills::panic()),
        #[cfg(feature = "drills")]
        None if visit.facts.path.ends_with("/drill/verify") => return later(drills::verify(visit)),
        None if is_own => return JsValue::NULL,
        asked => asked,
    };
    let Ok(config) = visit.isolate.config.as_ref().map(Rc::clone) else {
        let policy = if is_own { FailurePolicy::Deny } else { visit.on_misconfigured() };
        return visit.unchecked(policy, Degraded::Misconfigured, "invalid configuration");
    };
    let exchange = Exchange { visit, config, context };
    match asked {
        Some(asked) => later(exchange.inquire(asked)),
        None => exchange.serve(),
    }
}

/// Answers a request whose promise, as [`handle`] returned it, was rejected with `error`.
#[cfg_attr(not(feature = "backstage"), wasm_bindgen)]
pub fn handle_origin_failure(request: Request, env: &JsValue, error: &JsValue) -> JsValue {
    Visit::new(request, env).origin_failed(&ForwardFailure::of(error)).into()
}

/// Answers a request that a panic left behind, from a new instance of the module: as the operator
/// chose for a gate that is broken.
///
/// `reason` is a string. As `&str` it would be written into the memory of the old instance before
/// the new one is made.
#[wasm_bindgen]
pub fn handle_panic(request: Request, env: &JsValue, reason: &JsValue) -> JsValue {
    origin::register();
    let visit = Visit::new(request, env);
    // The request may have reached the origin; only one that is harmless twice is sent again.
    let is_safe = matches!(visit.facts.method.as_str(), "GET" | "HEAD")
        && !visit.request.body_used()
        && !visit.is_own();
    let policy = if is_safe { visit.on_misconfigured() } else { FailurePolicy::Deny };
    let reason = reason.as_string().unwrap_or_default();
    visit.unchecked(policy, Degraded::Panicked, &reason)
}

/// One request on its way through the gate.
struct Exchange {
    visit: Visit,
    config: Rc<Config>,
    context: JsValue,
}

impl Exchange {
    /// Serves a request that wants to pass.
    fn serve(self) -> JsValue {
        let (config, facts) = (Rc::clone(&self.config), Rc::clone(&self.visit.facts));
        let memory = &self.visit.isolate.memory;
        let (gate, first) = Gate::start(config, facts, &mut memory.borrow_mut(), now());
        match first {
            Step::End(decision) => self.finish(gate, decision),
            Step::Need(need) => later(self.pursue(gate, need)),
        }
    }

    /// Acts on a decision that needed no waiting; waits all the same where an assertion has to be
    /// signed.
    fn finish(self, mut gate: Gate, decision: Decision) -> JsValue {
        self.run_errands(gate.take_errands());
        let pass = match decision {
            Decision::Deny(denial) => return self.deny(&denial, gate.route()).into(),
            Decision::Pass(pass) => pass,
        };
        let passage = self.passage(&pass);
        let assertion = passage.known_assertion(now());
        if assertion.is_none() && passage.to_assert().is_some() {
            return later(self.pass(pass));
        }
        match passage.send(assertion.as_deref(), now()) {
            Ok(promise) => promise.into(),
            Err(failure) => self.visit.origin_failed(&failure).into(),
        }
    }

    /// Meets the gate's needs until it has decided, and acts on the decision.
    async fn pursue(self, mut gate: Gate, need: Need) -> Result<JsValue, JsValue> {
        match self.end_of(&mut gate, Step::Need(need)).await {
            Decision::Deny(denial) => Ok(self.deny(&denial, gate.route()).into()),
            Decision::Pass(pass) => self.pass(pass).await,
        }
    }

    /// Answers a request about the caller's own account.
    async fn inquire(self, asked: AccountEndpoint) -> Result<JsValue, JsValue> {
        let (config, facts) = (Rc::clone(&self.config), Rc::clone(&self.visit.facts));
        let memory = &self.visit.isolate.memory;
        let response = match asked {
            AccountEndpoint::Usage => {
                let begun = Inquiry::usage(config, facts, &mut memory.borrow_mut(), now());
                match self.answer_to(begun).await {
                    Ok(usage) => respond(&self.visit.context().responder().usage(&usage)),
                    Err(denied) => denied,
                }
            }
            AccountEndpoint::Status { path, attempt } => {
                let begun = Inquiry::access(config, &facts, &path, &mut memory.borrow_mut(), now());
                let access = match begun {
                    Some(begun) => self.answer_to(begun).await,
                    None => Ok(Access::Open),
                };
                match access {
                    Ok(access) => {
                        let context = self.visit.context();
                        respond(&context.responder().status(access.denial(), &path, attempt))
                    }
                    Err(denied) => denied,
                }
            }
            AccountEndpoint::HostedPage { page, path } => {
                let begun = Inquiry::account(config, facts, &mut memory.borrow_mut(), now());
                match self.answer_to(begun).await {
                    Ok(known) => {
                        let facts = &self.visit.facts;
                        let (page, path, config) = (&page, &path, &self.config);
                        let request = PageRequest { facts, page, path, config, known: &known };
                        hosted_page::lead(&self.visit, request).await
                    }
                    Err(denied) => denied,
                }
            }
        };
        Ok(response.into())
    }

    /// The answer to an inquiry, or the response to a denied one.
    async fn answer_to<A>(&self, begun: Begun<A>) -> Result<A, Response> {
        let (mut inquiry, first) = begun;
        let end = self.end_of(&mut inquiry, first).await;
        end.map_err(|denial| self.deny(&denial, inquiry.route()))
    }

    /// Meets the needs of a process until it has ended.
    async fn end_of<P: Process>(&self, process: &mut P, mut step: Step<P::End>) -> P::End {
        let end = loop {
            let need = match step {
                Step::End(end) => break end,
                Step::Need(need) => need,
            };
            let outcome = self.meet(need).await;
            step = process.resume(outcome, &mut self.visit.isolate.memory.borrow_mut(), now());
        };
        self.run_errands(process.take_errands());
        end
    }

    async fn meet(&self, need: Need) -> Outcome {
        match need {
            Need::FindKey { directory, hash } => {
                Outcome::KeyFound(self.find_key(&directory, hash).await)
            }
            Need::FetchKeys { issuer } => {
                Outcome::KeysFetched(errands::fetch_keys(&self.config, issuer).await)
            }
            Need::VerifySignature(check) => {
                let verdict = self.visit.isolate.verifier.verify(&check).await;
                Outcome::SignatureVerified(verdict.map_err(CallError::Fault))
            }
            Need::LimitBurst { binding, key } => {
                Outcome::BurstAnswered(self.is_within_burst(&binding, &key).await)
            }
            Need::CallLedger { account, request } => {
                let reply = self
                    .ask_object(&ObjectName::Ledger(account), &LedgerMessage::Ask(*request))
                    .await;
                Outcome::LedgerAnswered(reply.map(Box::new))
            }
            Need::ReadUsage { account, plan, member } => {
                let message = LedgerMessage::Usage { plan, member: Some(member) };
                let usage = self.ask_object(&ObjectName::Ledger(account), &message).await;
                Outcome::UsageRead(usage.map(Box::new))
            }
            Need::ReadOutage => {
                let is_down = inbox::is_outage(&self.visit.isolate, &self.config).await;
                Outcome::OutageRead(is_down)
            }
            Need::Wait { for_ms } => {
                let _ = resolved(glue::pause(for_ms)).await;
                Outcome::Waited
            }
        }
    }

    /// Asks an object, and sees it through should the caller hang up: the answer may hold units.
    async fn ask_object<T: Field>(
        &self,
        object: &ObjectName,
        message: &impl Field,
    ) -> Result<T, CallError> {
        let promise = object_call::send(&self.visit.isolate, &self.config, object, message)
            .map_err(CallError::Fault)?;
        glue::wait_until(&self.context, &promise);
        let reply = object_call::reply(promise).await.map_err(CallError::Unreachable)?;
        object_call::read(&reply).map_err(CallError::Unreadable)
    }

    /// The owner of an API key. Without objects there are no keys.
    async fn find_key(
        &self,
        directory: &ObjectName,
        hash: String,
    ) -> Result<Option<KeyOwner>, CallError> {
        if self.visit.isolate.resource(directory.class().binding()).is_none() {
            return Ok(None);
        }
        self.ask_object(directory, &KeyDirectoryMessage::Find(hash)).await
    }

    /// Whether the rate-limit binding lets the request through. A binding that fails does: a burst
    /// limit protects the origin, and must not become an outage of its own.
    async fn is_within_burst(&self, binding: &str, key: &str) -> bool {
        let Some(limiter) = self.visit.isolate.resource(binding) else { return true };
        let deadline_ms = self.config.deadlines.ledger_ms;
        let answer = resolved(glue::limit_burst(&limiter, key, deadline_ms)).await;
        answer.map_or(true, |is_within| is_within.is_truthy())
    }

    async fn pass(self, pass: Box<Pass>) -> Result<JsValue, JsValue> {
        let passage = self.passage(&pass);
        let mut assertion = passage.known_assertion(now());
        if assertion.is_none() {
            match passage.sign_assertion(now()).await {
                Some(Ok(signed)) => assertion = Some(signed),
                Some(Err(reason)) => {
                    let reason = format!("ASSERTION_KEY: {reason}");
                    let denial = self.visit.fault(Cause::Misconfigured, &reason);
                    self.give_back(&pass);
                    return Ok(self.deny(&denial, pass.route).into());
                }
                None => {}
            }
        }
        let sent = match passage.send(assertion.as_deref(), now()) {
            Ok(promise) => forward::response(promise).await,
            Err(failure) => Err(failure),
        };
        sent.or_else(|failure| Ok(self.visit.origin_failed(&failure).into()))
    }

    fn passage<'a>(&'a self, pass: &'a Pass) -> Passage<'a> {
        let Self { visit, config, context, .. } = self;
        Passage { visit, config, context, pass }
    }

    /// Gives a charge back for a request that was never sent.
    fn give_back(&self, pass: &Pass) {
        if let Some(page) = &pass.free_page {
            let memory = &mut self.visit.isolate.memory.borrow_mut();
            gate::settle_page(&page.grant, &OriginAnswer::default(), memory, now());
        }
        if let (Some(charge), Some(identity)) = (&pass.charge, &pass.identity) {
            let memory = &mut self.visit.isolate.memory.borrow_mut();
            let errands = gate::give_back(&identity.account_name(), charge, memory, now());
            self.run_errands(errands);
        }
    }

    fn deny(&self, denial: &Denial, route: Option<RouteIndex>) -> Response {
        let route = route.and_then(|index| self.config.route(index));
        self.visit.deny(denial, route)
    }

    fn run_errands(&self, errands: Vec<Errand>) {
        errands::run(&self.visit.isolate, &self.config, &self.context, errands);
    }
}

/// The request for an endpoint about the caller's own account. The other module answers any other,
/// and those that are wrong.
fn account_endpoint(visit: &Visit) -> Option<AccountEndpoint> {
    match route(&visit.facts, visit.prefix()) {
        Ok(Endpoint::Account(asked)) => Some(asked),
        _ => None,
    }
}

fn later(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let array = Array::new();
    array.push(&future_to_promise(work));
    array.into()
}
