//! One request of an operator, as a machine: [`start`] and
//! [`Rest::resume`](crate::step::Rest::resume) return the next [`Step`], which is a [`Need`] to be
//! performed, or the [`End`] with its answer.
//!
//! Each need carries the rest of its request, which takes exactly the outcome of that need. So a
//! request can't be resumed with the outcome of something else, and an end can't be resumed at all.
//!
//! The checks come in this order: public document (no check), configuration, token (404 without any
//! operator, 401), path (404), method (405), role (403), query (400), content type (415), body
//! (413, 400), idempotency key (400), and then those of the operation.

mod account;
mod call;
mod inbox;
mod invocation;
mod message;
mod step;
mod write;

pub use message::{AccountRequest, CallError, ObjectCall, ObjectRequest};
pub use step::{Done, End, Need, Pending, Reread, Step};

use invocation::Invocation;
use step::{Progress, pending};

use super::idempotency::IdempotencyKey;
use super::operation::{Access, Endpoint, Input, Operation, OperationId, find};
use super::query::Query;
use super::refusal::Refusal;
use crate::config::{Config, Operator};
use crate::time::Timestamp;

/// The facts of a request. Header fields are as sent, empty where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The raw method.
    pub method: &'a str,
    /// The raw path, with the prefix.
    pub path: &'a str,
    /// The raw path behind the prefix.
    pub endpoint: &'a str,
    /// The raw query, without its question mark.
    pub query: &'a str,
    /// `Authorization`.
    pub authorization: &'a str,
    /// `Content-Type`.
    pub content_type: &'a str,
    /// `Idempotency-Key`; an empty one is a mistake.
    pub idempotency_key: Option<&'a str>,
}

/// Begins a request, which came at `now`; `config` is `None` while the configuration is invalid.
pub fn start<'a>(request: Request<'a>, config: Option<&'a Config>, now: Timestamp) -> Step<'a> {
    Step::of(begin(request, config, now))
}

fn begin<'a>(request: Request<'a>, config: Option<&'a Config>, now: Timestamp) -> Progress<'a> {
    let endpoint = find(request.endpoint);
    let operation = endpoint.as_ref().and_then(|endpoint| endpoint.operation(request.method));
    if operation.is_some_and(|operation| operation.access == Access::Public) {
        return Ok(document());
    }
    let config = config.ok_or(Refusal::Misconfigured)?;
    let operator = operator(config, request.authorization)?;
    let endpoint = endpoint.ok_or(Refusal::NoEndpoint)?;
    let operation =
        operation.ok_or_else(|| Refusal::MethodNotAllowed { allow: endpoint.allowed_methods() })?;
    check_role(operation, operator)?;
    let query = Query::parse(request.query, operation.query)?;
    let Endpoint { parameters, .. } = endpoint;
    let (body, idempotency_key) = (String::new(), None);
    let invocation = Invocation { config, operator, parameters, query, body, idempotency_key };
    match operation.input {
        Input::None => invoke(operation.id, invocation, now),
        Input::Empty | Input::Object(_) => read_body(operation.id, invocation, request),
    }
}

/// Reads the body and the idempotency key of a write. Where a write has no use for the key, a
/// mistake in it is refused all the same.
fn read_body<'a>(
    id: OperationId,
    invocation: Invocation<'a>,
    request: Request<'a>,
) -> Progress<'a> {
    let kind = request.content_type.split(';').next().unwrap_or_default();
    if !CONTENT_TYPES.contains(&kind.trim().to_ascii_lowercase().as_str()) {
        return Err(Refusal::UnsupportedMediaType);
    }
    let rest = move |body: Result<String, _>, now| {
        let body = body.map_err(Refusal::Body)?;
        let parts = [request.method, request.path, &body, &invocation.operator.name];
        let key = request.idempotency_key.map(|key| IdempotencyKey::new(key, &parts));
        let idempotency_key = key.transpose()?;
        invoke(id, Invocation { body, idempotency_key, ..invocation }, now)
    };
    Ok(Step::Need(Need::Body(pending(MAX_BODY_BYTES, rest))))
}

fn invoke(id: OperationId, invocation: Invocation<'_>, now: Timestamp) -> Progress<'_> {
    match id {
        OperationId::AddCredits => write::add_credits(invocation, now),
        OperationId::AddKey => write::add_key(invocation),
        OperationId::ListAccounts => inbox::list_accounts(&invocation),
        OperationId::ListAudit => account::list_audit(&invocation),
        OperationId::ListConflicts => inbox::list_conflicts(&invocation),
        OperationId::ListCredits => account::list_credits(&invocation),
        OperationId::ListEvents => inbox::list_events(&invocation),
        OperationId::ListKeys => account::list_keys(&invocation),
        OperationId::ListSubscriptions => account::list_subscriptions(&invocation),
        OperationId::PutAccount => write::put_account(invocation),
        OperationId::PutCustomer => inbox::put_customer(&invocation),
        OperationId::ReadAccount => account::read(&invocation),
        OperationId::ReadCustomer => inbox::read_customer(&invocation),
        OperationId::ReadDocument => Ok(document()),
        OperationId::ReadEvent => inbox::read_event(&invocation),
        OperationId::ReadOutage => Ok(inbox::read_outage(&invocation)),
        OperationId::ReadUsage => account::read_usage(&invocation),
        OperationId::Reread => write::reread(invocation),
        OperationId::RetryEvent => inbox::retry_event(&invocation),
        OperationId::Revoke => write::revoke(invocation, now),
        OperationId::RevokeKey => write::revoke_key(invocation),
        OperationId::RotateKey => write::rotate_key(invocation),
    }
}

fn document<'a>() -> Step<'a> {
    let rest = |json, _| Ok(Step::done(Done::json(200, json)));
    Step::Need(Need::Document(pending((), rest)))
}

/// The operator whose token a request carries.
fn operator<'a>(config: &'a Config, authorization: &str) -> Result<&'a Operator, Refusal> {
    if config.operators.is_empty() {
        return Err(Refusal::Closed);
    }
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim());
    Operator::of(&config.operators, token).ok_or(Refusal::Unauthorized)
}

fn check_role(operation: &Operation, operator: &Operator) -> Result<(), Refusal> {
    match operation.access {
        Access::Role(needed) if operator.role < needed => {
            Err(Refusal::Forbidden { needed, found: operator.role })
        }
        Access::Role(_) | Access::Public => Ok(()),
    }
}

/// The longest body that makes sense; one beyond it is refused as it comes.
const MAX_BODY_BYTES: u32 = 64 * 1024;

/// The types of a body of JSON, also of clients that send every text under another one by
/// default: `curl -d` and `fetch`. No page of another site can use that, since it has no token.
const CONTENT_TYPES: [&str; 4] =
    ["", "application/json", "text/plain", "application/x-www-form-urlencoded"];
