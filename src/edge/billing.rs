//! Calls of the payment providers' APIs.

use super::glue;
use super::glue::settle;
use crate::billing::Billing;
use crate::billing::api::ApiRequest;
use crate::config::Config;

/// What a provider's API answered: the status and the body.
pub(super) type Answered = (u16, String);

/// Sends a request to a provider's API, and to no other host.
///
/// # Errors
///
/// Why there is no answer.
pub(super) async fn call(
    config: &Config,
    billing: &Billing,
    request: &ApiRequest,
) -> Result<Answered, String> {
    let path = request.url.strip_prefix(billing.api_url.as_str());
    if !path.is_some_and(|path| path.starts_with('/')) {
        return Err("a request to a host that BILLING does not name".to_owned());
    }
    let ApiRequest { method, url, headers, body } = request;
    let (lines, deadline_ms) = (glue::lines(headers), config.deadlines.billing_ms);
    let promise = glue::call_api(method, url, &lines, body, deadline_ms, MAX_ANSWER_BYTES);
    let answer = settle(promise).await?.as_string().unwrap_or_default();
    let (status, body) = answer.split_once('\n').unwrap_or_default();
    let status = status.parse().map_err(|_| "an answer without a status".to_owned())?;
    Ok((status, body.to_owned()))
}

/// A page of a hundred events.
const MAX_ANSWER_BYTES: u32 = 4 * 1024 * 1024;
