//! The gate's own endpoints, under `/_tollgate/`: never gated, never forwarded.

use serde_json::json;
use wasm_bindgen::JsValue;
use worker::web_sys::Response;

use super::body::json_response;
use super::visit::{Visit, problem, respond};
use super::{admin, webhooks};
use crate::answer::Headers;
use crate::cause::Cause;
use crate::config::AssertionKeys;

/// Answers a request for one of the gate's own endpoints.
///
/// # Errors
///
/// Never; the type is that of a promise.
pub(super) async fn answer(visit: Visit, context: JsValue) -> Result<JsValue, JsValue> {
    let method = visit.facts.method.as_str();
    let rest = visit.facts.path.strip_prefix(visit.prefix()).unwrap_or_default();
    if visit.facts.readings().is_err() {
        let detail = "The path can't be read: servers disagree about what it means.";
        return Ok(problem(&visit, 400, detail, &[]).into());
    }
    let is_read = matches!(method, "GET" | "HEAD");
    let response = match rest {
        "health" if is_read => health(&visit),
        "jwks.json" if is_read => jwks(&visit),
        _ if rest.starts_with("problems/") && is_read => explain(&visit, rest),
        _ if rest == "admin" || rest.starts_with("admin/") => admin::answer(&visit, rest).await,
        _ if rest.starts_with("webhooks/") => {
            let word = rest.strip_prefix("webhooks/").unwrap_or_default();
            webhooks::answer(&visit, word, &context).await
        }
        "usage" | "status" if visit.facts.is_preflight() => {
            respond(&visit.context().responder().usage_preflight())
        }
        "health" | "jwks.json" | "usage" | "status" | "billing/portal" | "billing/checkout" => {
            problem(&visit, 405, "Only GET and HEAD work here.", &[("Allow", "GET, HEAD")])
        }
        "refresh" => problem(&visit, 405, "Only POST works here.", &[("Allow", "POST")]),
        _ => problem(&visit, 404, "The gate has no such endpoint.", &[]),
    };
    Ok(response.into())
}

fn health(visit: &Visit) -> Response {
    let (status, value) = match &visit.isolate.config {
        Ok(config) => (200, json!({ "status": "ok", "warnings": config.warnings })),
        Err(invalid) => (503, json!({ "status": "misconfigured", "mistakes": invalid.mistakes })),
    };
    json_response(visit, status, format!("{value:#}\n"), "no-store", Headers::new())
}

/// The public halves of `ASSERTION_KEY`, so that origins can check assertions (RFC 7517 §5).
fn jwks(visit: &Visit) -> Response {
    let config = visit.isolate.config.as_ref().ok();
    let keys = config.and_then(|config| config.assertion_keys.as_ref());
    let keys = keys.map(AssertionKeys::public).unwrap_or_default();
    json_response(
        visit,
        200,
        json!({ "keys": keys }).to_string(),
        "public, max-age=300",
        Headers::new(),
    )
}

fn explain(visit: &Visit, rest: &str) -> Response {
    let word = rest.strip_prefix("problems/").unwrap_or_default();
    match Cause::from_word(word) {
        Some(cause) => respond(&visit.context().responder().explained(cause)),
        None => problem(visit, 404, "There is no problem type of this name.", &[]),
    }
}
