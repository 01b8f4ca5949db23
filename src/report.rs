//! What is logged about decisions: one JSON object a line, without personal data.

use serde::Serialize;

use crate::config::{Config, LogLevel};
use crate::decision::{Denial, Source};
use crate::request::RequestFacts;
use crate::time::Timestamp;
use crate::token::TokenError;

/// The log line of a denial, if the operator wants it. The query is left out, since it may hold a
/// token, and so is the account's name.
pub fn log_line(
    denial: &Denial,
    route: Option<usize>,
    facts: &RequestFacts,
    config: &Config,
    support_id: &str,
    now: Timestamp,
) -> Option<String> {
    let is_fault = denial.cause.source() != Source::Caller;
    match config.log {
        LogLevel::Off => return None,
        LogLevel::Faults if !is_fault => return None,
        LogLevel::Denials | LogLevel::Faults => {}
    }
    let pattern = route.and_then(|index| config.routes.get(index));
    let line = DenialLine {
        event: "denied",
        at: now.rfc3339(),
        cause: denial.cause.word(),
        status: denial.cause.status(),
        route: pattern.map(|route| route.pattern.text.as_str()),
        method: &facts.method,
        host: facts.host(),
        path: &facts.path,
        token_error: denial.facts.token_error.map(TokenError::code),
        detail: denial.facts.operator_detail.as_deref(),
        support_id,
    };
    serde_json::to_string(&line).ok()
}

/// The log line of something that is wrong on the operator's side. `support_id` is what the caller
/// was told, where somebody was.
pub fn fault_line(what: &str, reason: &str, support_id: Option<&str>) -> String {
    let line = FaultLine { event: "fault", what, reason, support_id };
    serde_json::to_string(&line).unwrap_or_default()
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
    #[serde(skip_serializing_if = "Option::is_none")]
    support_id: Option<&'a str>,
}
