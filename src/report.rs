//! What is logged about decisions: one JSON object a line, without personal data.

use serde::Serialize;

use crate::config::{LogLevel, Route};
use crate::decision::{Denial, Source};
use crate::request::RequestFacts;
use crate::time::Timestamp;
use crate::token::TokenError;

/// The log line of a denial, if the operator wants it. The query is left out, since it may hold a
/// token, and so is the account's name.
pub fn log_line(
    denial: &Denial,
    route: Option<&Route>,
    facts: &RequestFacts,
    level: LogLevel,
    support_id: &str,
    now: Timestamp,
) -> Option<String> {
    let is_fault = denial.cause.source() != Source::Caller;
    match level {
        LogLevel::Off => return None,
        LogLevel::Faults if !is_fault => return None,
        LogLevel::Denials | LogLevel::Faults => {}
    }
    let line = DenialLine {
        event: "denied",
        at: now.rfc3339(),
        cause: denial.cause.word(),
        status: denial.cause.status(),
        route: route.map(|route| route.pattern.text.as_str()),
        method: &facts.method,
        host: facts.host(),
        path: &facts.path,
        token_error: denial.facts.token_error.map(TokenError::code),
        detail: denial.facts.operator_detail.as_deref(),
        support_id,
    };
    serde_json::to_string(&line).ok()
}

/// The log line of something that is wrong on the operator's side, beside any one denial.
pub fn fault_line(what: &str, reason: &str) -> String {
    serde_json::to_string(&FaultLine { event: "fault", what, reason }).unwrap_or_default()
}

#[derive(Serialize)]
struct DenialLine<'a> {
    event: &'static str,
    at: String,
    cause: &'static str,
    status: u16,
    route: Option<&'a str>,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    support_id: &'a str,
}

#[derive(Serialize)]
struct FaultLine<'a> {
    event: &'static str,
    what: &'a str,
    reason: &'a str,
}
