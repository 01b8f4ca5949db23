//! Bodies: of requests, read with a bound, and of answers in JSON.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, Response};

use super::glue;
use super::visit::{Visit, respond};
use crate::answer::{Answer, Headers, json_answer};
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
    let mut answer = json_answer(&visit.facts.method, status, json, cache_control);
    headers.append(&mut answer.headers);
    respond(&Answer { headers, ..answer })
}

/// A client that sends a small record slower than this isn't one of ours.
const BODY_DEADLINE_MS: u32 = 10_000;
