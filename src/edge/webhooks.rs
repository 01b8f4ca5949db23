//! `POST webhooks/<provider>`: performs what the intake of a webhook needs
//! ([`crate::billing::intake`]).

use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Response;

use super::body::{body_of, json_response};
use super::glue::resolved;
use super::isolate::now;
use super::provider_api::perform_all;
use super::provider_call::call;
use super::visit::{Visit, problem};
use super::{glue, inbox};
use crate::billing::intake::{Content, End, Need, Receipt, Refusal, Request, Step, start};
use crate::billing::{ProviderCall, run};
use crate::config::Config;
use crate::report;
use crate::step::Pending;

/// Answers a request for `webhooks/<word>`.
pub(super) async fn answer(visit: &Visit, word: &str, context: &JsValue) -> Response {
    let Ok(config) = &visit.isolate.config else {
        return respond(visit, &End::Refused(Refusal::Misconfigured));
    };
    let request = Request { word, method: &visit.facts.method };
    let mut step = start(request, config.providers());
    loop {
        step = match step {
            Step::Need(need) => perform(visit, config, need).await,
            Step::End(end) => {
                if let End::Received(Receipt { look_after_ms: Some(after_ms), .. }) = end {
                    look_soon(visit, config, context, after_ms);
                }
                return respond(visit, &end);
            }
        };
    }
}

async fn perform<'a>(visit: &Visit, config: &Config, need: Need<'a>) -> Step<'a> {
    match need {
        Need::Read(Pending { input, rest }) => {
            let headers = visit.request.headers();
            let read = |name: &&'static str| Some((*name, headers.get(name).ok().flatten()?));
            let headers = input.headers.iter().filter_map(read).collect();
            let body = body_of(&visit.request, input.max_bytes).await;
            rest.resume(Content { headers, body }, now())
        }
        Need::Verify(Pending { input, rest }) => {
            let verified = visit.isolate.verifier.verify(&input).await;
            rest.resume(verified, now())
        }
        Need::CallProvider(Pending { input: ProviderCall { billing, request }, rest }) => {
            let answered = call(config, billing, &request).await;
            rest.resume(answered, now())
        }
        Need::TakeIn(Pending { input, rest }) => {
            let taken = inbox::take_in(&visit.isolate, config, input).await;
            rest.resume(taken, now())
        }
    }
}

/// Has customers looked for in a moment, after the response.
fn look_soon(visit: &Visit, config: &Rc<Config>, context: &JsValue, after_ms: u32) {
    let (isolate, config) = (Rc::clone(&visit.isolate), Rc::clone(config));
    let promise = future_to_promise(async move {
        let _ = resolved(glue::pause(after_ms)).await;
        // Failures are in the log by then.
        let _ = perform_all(&isolate, &config, run::look_soon(config.providers(), now())).await;
        Ok(JsValue::UNDEFINED)
    });
    glue::wait_until(context, &promise);
}

fn respond(visit: &Visit, end: &End) -> Response {
    if let Some(fault) = end.fault() {
        worker::console_error!("{}", report::fault_line(fault.what, &fault.reason));
    }
    match end {
        End::Received(receipt) => {
            json_response(visit, 200, receipt.json().to_owned(), "no-store", Vec::new())
        }
        End::Refused(refusal) => {
            problem(visit, refusal.status(), &refusal.detail(), refusal.headers())
        }
    }
}
