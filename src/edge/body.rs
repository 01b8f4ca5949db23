//! The bodies of requests to the gate's own endpoints.

use std::fmt;

use js_sys::RangeError;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::Request;

use super::glue::{message_of, read_body};

/// The reason why a request's body could not be read.
pub(super) enum BodyError {
    /// It has more bytes than are taken.
    TooLong(String),
    /// It broke off, or was too slow.
    Broken(String),
}

impl BodyError {
    /// The HTTP status of the answer to it.
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::TooLong(_) => 413,
            Self::Broken(_) => 400,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::TooLong(reason) | Self::Broken(reason)) = self;
        formatter.write_str(reason)
    }
}

/// The body of a request, at most `max_bytes` of it.
///
/// # Errors
///
/// It is too long, broke off, or was too slow.
pub(super) async fn body_of(request: &Request, max_bytes: u32) -> Result<String, BodyError> {
    let promise = read_body(request, max_bytes, BODY_DEADLINE_MS);
    match JsFuture::from(promise).await {
        Ok(text) => Ok(text.as_string().unwrap_or_default()),
        Err(error) if error.is_instance_of::<RangeError>() => {
            Err(BodyError::TooLong(message_of(&error)))
        }
        Err(error) => Err(BodyError::Broken(message_of(&error))),
    }
}

/// A client that sends a small record slower than this isn't one of ours.
const BODY_DEADLINE_MS: u32 = 10_000;
