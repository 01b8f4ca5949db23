//! The exports of the second module: everything that no request through the gate needs. Operators,
//! payment providers, the clock and the Durable Objects come in here, so that the module that
//! requests go through stays small.

use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Request;

use super::isolate::{Isolate, now};
use super::visit::Visit;
use super::{endpoints, provider_api};
use crate::billing::run;

/// Answers a request for one of the gate's own endpoints that `handle` of the other module leaves
/// to this one. Returns an array that holds a promise which this module has yet to keep.
#[wasm_bindgen]
pub fn handle_own(request: Request, env: &JsValue, context: JsValue) -> JsValue {
    let answer = endpoints::answer(Visit::new(request, env), context);
    let array = Array::new();
    array.push(&future_to_promise(answer));
    array.into()
}

/// Does what is due every few minutes, by the `crons` of `wrangler.toml`.
#[wasm_bindgen]
pub fn handle_scheduled(env: &JsValue) -> Promise {
    let isolate = Isolate::of(env);
    future_to_promise(async move {
        if let Ok(config) = isolate.config.as_ref().map(Rc::clone) {
            // Failures are in the log by then.
            let reconciled = run::reconcile(config.providers(), now());
            let _ = provider_api::perform_all(&isolate, &config, reconciled).await;
        }
        Ok(JsValue::UNDEFINED)
    })
}
