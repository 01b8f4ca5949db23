//! Asks an account's ledger object whether a link to the provider is to be made, and hands it one
//! that was.

use worker::web_sys::Response;

use super::ledger::{Message, call, read};
use super::visit::{Visit, respond};
use crate::answer::refusal::RETRY_AFTER;
use crate::billing::sessions::{SessionReply, SessionRequest};
use crate::config::Config;
use crate::identity::AccountName;

/// The answer of the account's object about a link for this wish.
///
/// # Errors
///
/// The reason why it gives none.
pub(super) async fn begin(
    visit: &Visit,
    config: &Config,
    account: &AccountName,
    wish: &str,
) -> Result<SessionReply, String> {
    let message = Message::Session(SessionRequest::Begin { wish: wish.to_owned() });
    read(&call(&visit.isolate, config, &account.into(), &message).await?)
}

/// Hands it the link. Where it gets lost, the next request makes another.
pub(super) async fn keep(
    visit: &Visit,
    config: &Config,
    account: &AccountName,
    wish: String,
    url: &str,
) {
    let message = Message::Session(SessionRequest::Made { wish, url: url.to_owned() });
    let _ = call(&visit.isolate, config, &account.into(), &message).await;
}

/// The response where there were too many.
pub(super) fn too_many(visit: &Visit, retry_after_s: u64) -> Response {
    let mut answer = visit.context().responder().problem(429, TOO_MANY);
    answer.headers.push((RETRY_AFTER, retry_after_s.to_string().into()));
    respond(&answer)
}

const TOO_MANY: &str = "You have asked for this very often within a minute. Nothing is wrong with your account; \
     please try again in a moment.";
