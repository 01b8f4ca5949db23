//! The gate's own endpoints, under `/_tollgate/`: never gated, never forwarded.

use std::rc::Rc;

use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use worker::web_sys::Request;

use super::fetch::{asker, respond, with_place};
use super::isolate::Isolate;
use super::{admin, glue};
use crate::answer::{self, Answer};
use crate::config::signing_algorithm;
use crate::decision::Cause;
use crate::request::{RequestFacts, readings};
use crate::strict_json;

/// Answers a request for one of the gate's own endpoints.
///
/// # Errors
///
/// Never; the type is that of a promise.
pub(super) async fn answer(
    isolate: Rc<Isolate>,
    request: Request,
    facts: Rc<RequestFacts>,
) -> Result<JsValue, JsValue> {
    let (isolate, facts) = (&isolate, &*facts);
    let prefix = with_place(isolate, facts, |place, _| place.prefix.to_owned());
    let rest = facts.path.strip_prefix(prefix.as_str()).unwrap_or_default();
    if readings(&facts.path).is_err() {
        let detail = "The path can't be read: servers disagree about what it means.";
        return Ok(respond(&problem(isolate, facts, 400, detail)).into());
    }
    let is_read = matches!(facts.method.as_str(), "GET" | "HEAD");
    let answer = match rest {
        "health" if is_read => health(isolate, facts),
        "jwks.json" if is_read => jwks(isolate, facts),
        _ if rest.starts_with("problems/") && is_read => explain(isolate, facts, rest),
        _ if rest == "admin" || rest.starts_with("admin/") => {
            admin::answer(isolate, &request, facts, rest).await
        }
        #[cfg(feature = "drills")]
        "drill/panic" => drill_panic(),
        "health" | "jwks.json" => {
            let mut answer = problem(isolate, facts, 405, "Only GET and HEAD work here.");
            answer.headers.push(("Allow", "GET, HEAD".into()));
            answer
        }
        _ => problem(isolate, facts, 404, "The gate has no such endpoint."),
    };
    Ok(respond(&answer).into())
}

/// An error of one of these endpoints.
pub(super) fn problem(
    isolate: &Isolate,
    facts: &RequestFacts,
    status: u16,
    detail: &str,
) -> Answer {
    let title = match status {
        400 => "Bad request",
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        413 => "Content too large",
        415 => "Unsupported media type",
        503 => "Unavailable",
        _ => "Error",
    };
    with_place(isolate, facts, |place, brand| {
        answer::problem(status, title, detail, &asker(facts), place, brand)
    })
}

/// A JSON answer that nobody may keep.
pub(super) fn json_answer(status: u16, facts: &RequestFacts, json: String) -> Answer {
    let body = if facts.method == "HEAD" { String::new() } else { json };
    let headers = vec![
        ("Content-Type", "application/json".into()),
        ("Cache-Control", "no-store".into()),
        ("X-Content-Type-Options", "nosniff".into()),
    ];
    Answer { status, headers, body }
}

fn health(isolate: &Isolate, facts: &RequestFacts) -> Answer {
    match &isolate.config {
        Ok(config) => {
            let value = json!({ "status": "ok", "warnings": config.warnings });
            json_answer(200, facts, format!("{value:#}\n"))
        }
        Err(invalid) => {
            let value = json!({ "status": "misconfigured", "mistakes": invalid.mistakes });
            json_answer(503, facts, format!("{value:#}\n"))
        }
    }
}

/// The public half of `ASSERTION_KEY`, so that origins can check assertions (RFC 7517 §5).
fn jwks(isolate: &Isolate, facts: &RequestFacts) -> Answer {
    let key = isolate.config.as_ref().ok().and_then(|config| config.assertion_key.as_deref());
    let keys: Vec<Value> = key.and_then(public_jwk).into_iter().collect();
    let mut answer = json_answer(200, facts, json!({ "keys": keys }).to_string());
    answer.headers.retain(|(name, _)| *name != "Cache-Control");
    answer.headers.push(("Cache-Control", "public, max-age=300".into()));
    answer
}

/// A JWK without its private members; none for a shared secret.
fn public_jwk(jwk: &str) -> Option<Value> {
    let (algorithm, _) = signing_algorithm(jwk).ok()?;
    let mut value = strict_json::parse(jwk).ok()?;
    let members = value.as_object_mut()?;
    members.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y" | "kid"));
    members.insert("alg".to_owned(), algorithm.into());
    members.insert("use".to_owned(), "sig".into());
    (algorithm != "HS256").then_some(value)
}

fn explain(isolate: &Isolate, facts: &RequestFacts, rest: &str) -> Answer {
    let word = rest.strip_prefix("problems/").unwrap_or_default();
    match Cause::from_word(word) {
        Some(cause) => with_place(isolate, facts, |place, brand| {
            answer::explained(cause, &asker(facts), place, brand)
        }),
        None => problem(isolate, facts, 404, "There is no problem type of this name."),
    }
}

/// Panics, for the tests that watch how a panic is survived. Not part of a deployed build.
#[cfg(feature = "drills")]
fn drill_panic() -> Answer {
    #[expect(clippy::panic, reason = "this is the drill")]
    {
        panic!("a drill");
    }
}

/// The body of a request, at most `max_bytes` of it.
///
/// # Errors
///
/// Why it can't be had.
pub(super) async fn body_of(request: &Request, max_bytes: u32) -> Result<String, String> {
    let promise = glue::read_body(request, max_bytes, BODY_DEADLINE_MS);
    super::isolate::settle(promise).await.map(|text| text.as_string().unwrap_or_default())
}

/// A client that sends a small record slower than this isn't one of ours.
const BODY_DEADLINE_MS: u32 = 10_000;
