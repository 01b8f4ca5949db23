//! The operator's endpoints: `admin/accounts/<tenant or ->/<account>`, and its `/audit`.
//!
//! They ask for `ADMIN_TOKEN` in the `Authorization` header, never in the query, and every write
//! leaves an entry in the account's audit trail.

use worker::web_sys::Response;

use super::endpoints::{body_of, json_response, problem};
use super::ledger_object::{Message, call};
use super::visit::Visit;
use crate::account::AccountRecord;
use crate::config::Config;
use crate::identity::account_name;
use crate::strict_json;

/// Answers a request under `admin/`.
pub(super) async fn answer(visit: &Visit, rest: &str) -> Response {
    let Ok(config) = &visit.isolate.config else {
        return problem(visit, 503, "The configuration is invalid; see health.", &[]);
    };
    if let Some(refused) = refuse(visit, config) {
        return refused;
    }
    let Some(target) = Target::parse(rest) else {
        return problem(visit, 404, "Try admin/accounts/<tenant or ->/<account>.", &[]);
    };
    match (visit.facts.method.as_str(), target.is_audit) {
        ("GET" | "HEAD", false) => read(visit, config, &target).await,
        ("GET" | "HEAD", true) => audit(visit, config, &target).await,
        ("PUT", false) => write(visit, config, &target).await,
        (_, is_audit) => {
            let allowed = if is_audit { "GET, HEAD" } else { "GET, HEAD, PUT" };
            problem(visit, 405, "Accounts can be read and put.", &[("Allow", allowed)])
        }
    }
}

/// Which account, and what of it.
struct Target {
    account: String,
    is_audit: bool,
}

impl Target {
    fn parse(rest: &str) -> Option<Self> {
        let mut parts = rest.strip_prefix("admin/accounts/")?.split('/');
        let tenant = decoded(parts.next()?)?;
        let account = decoded(parts.next()?)?;
        let is_audit = match (parts.next(), parts.next()) {
            (None, None) => false,
            (Some("audit"), None) => true,
            _ => return None,
        };
        let tenant = (tenant != "-").then_some(tenant);
        let account = account_name(tenant.as_deref(), &account);
        Some(Self { account, is_audit })
    }
}

/// The longest record that makes sense; a body beyond it is refused unread.
const MAX_RECORD_BYTES: u32 = 64 * 1024;
const AUDIT_ENTRIES: usize = 100;

/// Why a request may not use these endpoints, if it may not.
fn refuse(visit: &Visit, config: &Config) -> Option<Response> {
    let Some(expected) = &config.admin_token else {
        let detail = "These endpoints are closed: the operator has set no ADMIN_TOKEN.";
        return Some(problem(visit, 404, detail, &[]));
    };
    let given = visit.request.headers().get("authorization").ok().flatten().unwrap_or_default();
    let is_right = given
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .is_some_and(|(_, token)| same(token.trim(), expected));
    if is_right {
        return None;
    }
    let detail = "Send the operator's token as Authorization: Bearer; it is not taken elsewhere.";
    let challenge = ("WWW-Authenticate", "Bearer realm=\"tollgate-admin\"");
    Some(problem(visit, 401, detail, &[challenge]))
}

async fn read(visit: &Visit, config: &Config, target: &Target) -> Response {
    match call(&visit.isolate, config, &target.account, &Message::Read).await {
        Ok(record) if record == "null" => problem(visit, 404, "There is no such account.", &[]),
        Ok(record) => json_response(visit, 200, record, "no-store"),
        Err(reason) => unavailable(visit, &reason),
    }
}

async fn audit(visit: &Visit, config: &Config, target: &Target) -> Response {
    let message = Message::Audit { limit: AUDIT_ENTRIES };
    match call(&visit.isolate, config, &target.account, &message).await {
        Ok(entries) => json_response(visit, 200, format!("{{\"entries\":{entries}}}"), "no-store"),
        Err(reason) => unavailable(visit, &reason),
    }
}

async fn write(visit: &Visit, config: &Config, target: &Target) -> Response {
    let body = match body_of(&visit.request, MAX_RECORD_BYTES).await {
        Ok(body) => body,
        Err(reason) => return problem(visit, 400, &format!("The body: {reason}."), &[]),
    };
    let record = match parse_record(&body, config) {
        Ok(record) => record,
        Err(reason) => return problem(visit, 400, &reason, &[]),
    };
    let message = Message::Write { record: Box::new(record), actor: "admin".to_owned() };
    match call(&visit.isolate, config, &target.account, &message).await {
        Ok(record) => json_response(visit, 200, record, "no-store"),
        Err(reason) => unavailable(visit, &reason),
    }
}

fn parse_record(body: &str, config: &Config) -> Result<AccountRecord, String> {
    let value =
        strict_json::parse(body).map_err(|error| format!("The body isn't JSON: {error}."))?;
    // A derived reader would take a list for the fields in their order.
    if !value.is_object() {
        return Err("The record: expected an object such as {\"plan\":\"pro\"}.".to_owned());
    }
    let record: AccountRecord =
        serde_json::from_str(body).map_err(|error| format!("The record: {error}."))?;
    if let Some(plan) = &record.plan
        && config.plan(plan).is_none()
    {
        let known: Vec<_> = config.plans.iter().map(|plan| plan.id.as_str()).collect();
        return Err(format!("PLANS has no plan {plan:?}; it has {}.", known.join(", ")));
    }
    Ok(record)
}

fn unavailable(visit: &Visit, reason: &str) -> Response {
    problem(visit, 503, &format!("The account's ledger did not answer: {reason}."), &[])
}

/// Compares in a time that does not depend on where the two differ.
fn same(given: &str, expected: &str) -> bool {
    let difference = given
        .bytes()
        .zip(expected.bytes())
        .fold(0_u8, |difference, (left, right)| difference | (left ^ right));
    difference == 0 && given.len() == expected.len()
}

/// A path segment, percent-decoded; `None` where that leaves nothing or no UTF-8.
fn decoded(segment: &str) -> Option<String> {
    let text = js_sys::decode_uri_component(segment).ok()?.as_string()?;
    (!text.is_empty()).then_some(text)
}
