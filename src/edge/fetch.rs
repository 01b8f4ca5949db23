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
use super::glue::settle;
use super::isolate::now;
use super::ledger::Message;
use super::origin::Passage;
use super::visit::{Visit, respond};
use super::way_back::Asked;
use super::{desk, errands, glue, ledger, way_back};
use crate::account::KeyOwner;
use crate::cause::Cause;
use crate::config::{Config, LEDGER_BINDING};
use crate::decision::{Decision, Degraded, Denial, Pass};
use crate::gate::{self, Errand, Gate, OriginAnswer, Outcome, Step};
use crate::plan::FailurePolicy;
use crate::usage::AccountUsage;

/// Serves a request. Returns a `Response`, the origin's promise of one, or an array that holds a
/// promise which this module has yet to keep; null where it is for [`backstage`](super).
#[cfg_attr(not(feature = "backstage"), wasm_bindgen)]
pub fn handle(request: Request, env: &JsValue, context: JsValue) -> JsValue {
    let visit = Visit::new(request, env);
    let is_own = visit.is_own();
    let asked = if is_own { Asked::of(&visit) } else { None };
    let asked = match asked {
        #[cfg(feature = "drills")]
        None if visit.facts.path.ends_with("/drill/panic") => return later(drills::panic()),
        #[cfg(feature = "drills")]
        None if visit.facts.path.ends_with("/drill/verify") => return later(drills::verify(visit)),
        None if is_own => return JsValue::NULL,
        Some(Err(reason)) => return way_back::refuse(&visit, reason).into(),
        Some(Ok(asked)) => Some(asked),
        None => None,
    };
    let Ok(config) = visit.isolate.config.as_ref().map(Rc::clone) else {
        let policy = if is_own { FailurePolicy::Deny } else { visit.on_misconfigured() };
        return visit.unchecked(policy, Degraded::Misconfigured, "invalid configuration");
    };
    let mut gate = gate_for(asked.as_ref(), &config, &visit);
    let first = gate.start(&mut visit.isolate.memory.borrow_mut(), now());
    let exchange = Exchange { visit, config, context, asked };
    match first {
        Step::Done(decision) => exchange.finish(gate, decision),
        step => later(exchange.pursue(gate, step)),
    }
}

/// Answers a request whose origin could not be reached.
#[cfg_attr(not(feature = "backstage"), wasm_bindgen)]
pub fn handle_origin_failure(request: Request, env: &JsValue, reason: &JsValue) -> JsValue {
    Visit::new(request, env).origin_failed(&reason.as_string().unwrap_or_default()).into()
}

/// Answers a request that a panic left behind, from a new instance of the module: as the operator
/// chose for a gate that is broken.
///
/// `reason` is a string. As `&str` it would be written into the memory of the old instance before
/// the new one is made.
#[wasm_bindgen]
pub fn handle_panic(request: Request, env: &JsValue, reason: &JsValue) -> JsValue {
    let visit = Visit::new(request, env);
    // What was begun may have reached the origin; only what is harmless twice is sent again.
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
    asked: Option<Asked>,
}

impl Exchange {
    /// Acts on a decision that needed no waiting; waits all the same where an assertion has to be
    /// signed.
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
        if assertion.is_none() && passage.to_assert().is_some() {
            return later(self.pursue(gate, Step::Done(decision)));
        }
        self.run_errands(gate.take_errands());
        match passage.send(assertion.as_deref(), now()) {
            Ok(promise) => promise.into(),
            Err(reason) => self.visit.origin_failed(&reason).into(),
        }
    }

    /// Does what the gate asks for until it has decided, and acts on the decision.
    async fn pursue(self, mut gate: Gate, mut step: Step) -> Result<JsValue, JsValue> {
        let decision = loop {
            let outcome = match step {
                Step::Done(decision) => break decision,
                Step::ShowAccount(known) => {
                    self.run_errands(gate.take_errands());
                    let Some(asked) = &self.asked else { break unasked() };
                    let led = way_back::show_account(&self.visit, &self.config, asked, &known);
                    return Ok(led.await.into());
                }
                Step::ShowStatus(denial) => {
                    self.run_errands(gate.take_errands());
                    let Some(asked) = &self.asked else { break unasked() };
                    let denial = denial.as_deref();
                    return Ok(way_back::show_status(&self.visit, asked, denial).into());
                }
                Step::ShowUsage(usage) => return Ok(self.show_usage(&mut gate, &usage).into()),
                step => self.take(step).await,
            };
            step = gate.resume(outcome, &mut self.visit.isolate.memory.borrow_mut(), now());
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
                let reply = self.ask_ledger(&account, &Message::Ask(request)).await;
                Outcome::LedgerAnswered(reply.and_then(|reply| ledger::read(&reply)))
            }
            Step::FetchKeys { issuer } => {
                Outcome::KeysFetched(errands::fetch_keys(&self.config, issuer).await)
            }
            Step::FindKey { directory, hash } => {
                Outcome::KeyFound(self.find_key(&directory, hash).await)
            }
            Step::LimitBurst { binding, key } => {
                Outcome::BurstAnswered(self.is_within_burst(&binding, &key).await)
            }
            Step::ReadOutage => Outcome::OutageRead(self.read_outage().await),
            Step::ReadUsage { account, plan, member } => {
                let message = Message::Usage { plan, member: Some(member) };
                let usage = self.ask_ledger(&account, &message).await;
                Outcome::UsageRead(usage.and_then(|usage| ledger::read(&usage)))
            }
            Step::VerifySignature(check) => {
                Outcome::SignatureVerified(self.visit.isolate.verifier.verify(&check).await)
            }
            Step::Wait { for_ms } => {
                let _ = settle(glue::pause(for_ms)).await;
                Outcome::Waited
            }
            // The loop in `pursue` ends before these.
            Step::Done(_) | Step::ShowAccount(_) | Step::ShowStatus(_) | Step::ShowUsage(_) => {
                Outcome::Waited
            }
        }
    }

    /// Whether a payment provider seems to be down.
    async fn read_outage(&self) -> Result<bool, String> {
        desk::is_outage(&self.visit.isolate, &self.config).await
    }

    /// Asks the ledger, and sees it through should the caller hang up: the answer may hold units.
    async fn ask_ledger(&self, account: &str, message: &Message) -> Result<String, String> {
        let promise = ledger::send(&self.visit.isolate, &self.config, account, message)?;
        glue::wait_until(&self.context, &promise);
        ledger::reply(promise).await
    }

    /// Whose API key it is. Without objects there are none.
    async fn find_key(&self, directory: &str, hash: String) -> Result<Option<KeyOwner>, String> {
        if self.visit.isolate.resource(LEDGER_BINDING).is_none() {
            return Ok(None);
        }
        let reply = self.ask_ledger(directory, &Message::FindKey(hash)).await?;
        ledger::read(&reply)
    }

    /// Whether the rate-limit binding lets the request through. A binding that fails does: a burst
    /// limit protects the origin, and must not become an outage of its own.
    async fn is_within_burst(&self, binding: &str, key: &str) -> bool {
        let Some(limiter) = self.visit.isolate.resource(binding) else { return true };
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
                    let denial = self.visit.fault(Cause::Misconfigured, &reason);
                    self.give_back(&pass);
                    return Ok(self.deny(&denial, pass.route).into());
                }
                None => {}
            }
        }
        let sent = match passage.send(assertion.as_deref(), now()) {
            Ok(promise) => settle(promise).await,
            Err(reason) => Err(reason),
        };
        sent.or_else(|reason| Ok(self.visit.origin_failed(&reason).into()))
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

    fn show_usage(&self, gate: &mut Gate, usage: &AccountUsage) -> Response {
        self.run_errands(gate.take_errands());
        respond(&self.visit.context().responder().usage(usage))
    }

    fn deny(&self, denial: &Denial, route: Option<usize>) -> Response {
        let route = route.and_then(|index| self.config.routes.get(index));
        self.visit.deny(denial, route)
    }

    fn run_errands(&self, errands: Vec<Errand>) {
        errands::run(&self.visit.isolate, &self.config, &self.context, errands);
    }
}

fn gate_for(asked: Option<&Asked>, config: &Rc<Config>, visit: &Visit) -> Gate {
    let (config, facts) = (Rc::clone(config), Rc::clone(&visit.facts));
    match asked {
        None => Gate::new(config, facts),
        Some(Asked::Usage) => Gate::for_usage(config, facts),
        Some(Asked::Status { path, .. }) => Gate::for_status(config, &facts, path),
        Some(Asked::Provider { .. }) => Gate::for_account(config, facts),
    }
}

/// The decision where the gate shows what nobody asked for.
fn unasked() -> Decision {
    let detail = "the gate shows what nobody asked for";
    Decision::Deny(Box::new(gate::fault(Cause::Misconfigured, detail, None)))
}

fn later(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let array = Array::new();
    array.push(&future_to_promise(work));
    array.into()
}
