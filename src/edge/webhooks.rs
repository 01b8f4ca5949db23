//! `POST webhooks/<provider>`: what payment providers send. A webhook counts as received once the
//! inbox has it in its database; before that the provider is told to send it again.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::Response;

use super::body::{body_of, json_response};
use super::glue::resolved;
use super::isolate::now;
use super::visit::{Visit, problem};
use super::{glue, inbox, provider_api};
use crate::account::Provider;
use crate::billing::webhook::{self, Webhook};
use crate::billing::{Billing, events_of, spec_of};
use crate::config::Config;
use crate::report;

/// Answers a request for `webhooks/<word>`.
pub(super) async fn answer(visit: &Visit, word: &str, context: &JsValue) -> Response {
    let Ok(config) = &visit.isolate.config else {
        return again(visit, "The configuration is invalid; see health.");
    };
    let provider = Provider::from_word(word);
    let Some(billing) = provider.and_then(|provider| config.billing(provider)) else {
        return problem(visit, 404, "BILLING names no provider of this name.", &[]);
    };
    if visit.facts.method != "POST" {
        return problem(visit, 405, "Only POST works here.", &[("Allow", "POST")]);
    }
    let body = match body_of(&visit.request, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => {
            return problem(visit, error.status(), &format!("The body: {error}."), &[]);
        }
    };
    let webhook = Webhook { headers: headers(visit, billing), body: &body };
    if let Err(reason) = verify(visit, billing, &webhook).await {
        worker::console_error!("{}", report::fault_line("webhook", &reason));
        return problem(visit, 400, &format!("This is no webhook of {word}: {reason}."), &[]);
    }
    let taken = match provider_api::incoming(config, billing, &webhook).await {
        Ok(incoming) => inbox::take_in(&visit.isolate, config, vec![incoming]).await,
        Err(reason) => Err(reason),
    };
    match taken {
        Ok(taken) => {
            if taken.iter().any(|taken| taken.is_conflict) {
                let reason = format!("a customer of {word} is named by several accounts");
                worker::console_error!("{}", report::fault_line("billing-conflict", &reason));
            }
            let is_repeated = taken.first().is_some_and(|taken| taken.is_repeated);
            if billing.api_key.is_some() && taken.iter().any(|taken| taken.is_waiting) {
                ask_soon(visit, config, context);
            }
            let json = if is_repeated { REPEATED } else { RECEIVED };
            json_response(visit, 200, json.to_owned(), "no-store", Vec::new())
        }
        Err(reason) => {
            worker::console_error!("{}", report::fault_line("webhook", &reason));
            again(visit, &format!("The webhook could not be kept: {reason}. Send it again."))
        }
    }
}

/// Asks the provider whose customer it is, unless an event says so in the meantime.
fn ask_soon(visit: &Visit, config: &Rc<Config>, context: &JsValue) {
    let (isolate, config) = (Rc::clone(&visit.isolate), Rc::clone(config));
    let promise = future_to_promise(async move {
        let _ = resolved(glue::pause(ASK_AFTER_MS)).await;
        provider_api::look_soon(&isolate, &config).await;
        Ok(JsValue::UNDEFINED)
    });
    glue::wait_until(context, &promise);
}

/// Those of its header fields that prove its sender.
fn headers(visit: &Visit, billing: &Billing) -> Vec<(&'static str, String)> {
    let headers = visit.request.headers();
    let read = |name: &'static str| Some((name, headers.get(name).ok().flatten()?));
    events_of(billing.provider).headers.iter().copied().filter_map(read).collect()
}

/// Whether one of the secrets made one of the signatures; else why the webhook isn't genuine.
async fn verify(visit: &Visit, billing: &Billing, webhook: &Webhook<'_>) -> Result<(), String> {
    let checks = webhook::checks(billing, webhook, now()).map_err(|error| error.to_string())?;
    for check in &checks {
        if visit.isolate.verifier.verify(check).await? {
            return Ok(());
        }
    }
    let secret = spec_of(billing.provider).webhook_secret.name;
    Err(format!("its signature was not made with {secret} over this body"))
}

fn again(visit: &Visit, detail: &str) -> Response {
    problem(visit, 503, detail, &[("Retry-After", "10")])
}

/// When the inbox has those who wait on its list.
const ASK_AFTER_MS: u32 = 2_500;
const RECEIVED: &str = "{\"received\":true}\n";
const REPEATED: &str = "{\"received\":true,\"repeated\":true}\n";
/// Providers send some ten KB; Stripe's largest objects stay below 256.
const MAX_BODY_BYTES: u32 = 512 * 1024;
