//! Bodies: of requests, read with a bound, and of answers in JSON.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, Response};

use super::glue;
use super::visit::{Visit, respond};
use crate::answer::{Answer, Headers};
use crate::request::BodyError;

/// The body of a request, at most `max_bytes` of it.
///
/// # Errors
///
/// It is longer, or can't be had.
pub(super) async fn body_of(request: &Request, max_bytes: u32) -> Result<String, BodyError> {
    let read = JsFuture::from(glue::read_body(request, max_bytes, BODY_DEADLINE_MS)).await;
    let text = read.map_err(|error| {
        if error.is_instance_of::<glue::BodyTooLong>() {
            BodyError::TooLarge { max_bytes }
        } else {
            BodyError::Unreadable(glue::message_of(&error))
        }
    })?;
    text.as_string().ok_or_else(|| BodyError::Unreadable("it is no text".to_owned()))
}

/// A JSON answer, with `headers` of its own; nobody may keep it unless `cache_control` says so.
pub(super) fn json_response(
    visit: &Visit,
    status: u16,
    json: String,
    cache_control: &'static str,
    mut headers: Headers,
) -> Response {
    let body = if visit.facts.method == "HEAD" { String::new() } else { json };
    if status != 204 {
        headers.push(("Content-Type", "application/json".into()));
    }
    headers.push(("Cache-Control", cache_control.into()));
    headers.push(("X-Content-Type-Options", "nosniff".into()));
    respond(&Answer { status, headers, body })
}

/// A client that sends a small record slower than this isn't one of ours.
const BODY_DEADLINE_MS: u32 = 10_000;
