//! The log of decisions: one JSON object a line, without personal data.

pub mod announcement;

use serde::Serialize;

use crate::cause::Source;
use crate::config::{LogLevel, Route};
use crate::decision::Denial;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use crate::identity::AccountName;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

    fn facts() -> RequestFacts {
        let lines = [
            "GET",
            "https://api.example:8443/premium?token=secret",
            "",
            "",
            "",
            "Bearer secret",
            "tollgate=secret",
            "secret",
        ];
        RequestFacts::from_lines(&lines.join("\n")).unwrap()
    }

    fn line(denial: &Denial, level: LogLevel) -> Option<Value> {
        let line = log_line(denial, None, &facts(), level, "iso-1", NOW)?;
        assert!(!line.contains('\n'), "one line");
        Some(serde_json::from_str(&line).unwrap())
    }

    #[test]
    fn a_line_says_what_was_denied_and_nothing_of_the_caller() {
        let mut denial = Denial::new(Cause::InvalidToken);
        denial.facts.account = AccountName::parse("acme/alice").ok();
        denial.facts.token_error = Some(TokenError::Expired);
        let expected = json!({
            "event": "denied", "at": "2026-12-01T00:00:00Z", "cause": "invalid-token",
            "status": 401, "route": null, "method": "GET", "host": "api.example",
            "path": "/premium", "token_error": "expired", "support_id": "iso-1",
        });
        assert_eq!(line(&denial, LogLevel::Denials), Some(expected));
    }

    #[test]
    fn the_level_chooses() {
        for cause in Cause::ALL {
            let denial = Denial::new(cause);
            let is_fault = cause.source() != Source::Caller;
            assert!(line(&denial, LogLevel::Denials).is_some());
            assert_eq!(line(&denial, LogLevel::Faults).is_some(), is_fault, "{}", cause.word());
            assert_eq!(line(&denial, LogLevel::Off), None);
        }
    }

    #[test]
    fn a_fault_is_one_line_whatever_its_reason() {
        let line = fault_line("panicked", "a\nb\"c");
        assert_eq!(line, r#"{"event":"fault","what":"panicked","reason":"a\nb\"c"}"#);
    }
}
