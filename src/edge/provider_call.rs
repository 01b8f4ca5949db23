//! Calls of payment providers' APIs.

use super::glue;
use super::glue::resolved;
use crate::billing::api::{ApiRequest, StatusAndBody};
use crate::billing::{Billing, CallError};
use crate::config::Config;

/// Sends a request to a provider's API, and to no other host.
///
/// # Errors
///
/// The reason for the lack of an answer.
pub(super) async fn call(
    config: &Config,
    billing: &Billing,
    request: &ApiRequest,
) -> Result<StatusAndBody, CallError> {
    request.check_host(billing)?;
    let ApiRequest { method, url, headers, body } = request;
    let (lines, deadline_ms) = (glue::lines(headers), config.deadlines.billing_ms);
    let promise = glue::call_api(method, url, &lines, body, deadline_ms, MAX_ANSWER_BYTES);
    let answer = resolved(promise).await.map_err(CallError::NoAnswer)?;
    let answer = answer.as_string().unwrap_or_default();
    let (status, body) = answer.split_once('\n').unwrap_or_default();
    let status = status.parse().map_err(|_| CallError::NoStatus)?;
    Ok((status, body.to_owned()))
}

/// A page of a hundred events.
const MAX_ANSWER_BYTES: u32 = 4 * 1024 * 1024;
