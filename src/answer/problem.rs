//! Problem details (RFC 9457) and their plain text twin.

use serde::Serialize;

use super::message::{advice, explanation, instruction, title};
use super::page::usable_href;
use crate::cause::{Cause, PaymentFailure, QuotaState, Remedy};
use crate::decision::Denial;
use crate::time::Timestamp;

/// Everything about one denial that every format shows.
pub(super) struct Told<'a> {
    pub(super) denial: &'a Denial,
    pub(super) type_uri: &'a str,
    pub(super) detail: &'a str,
    pub(super) instance: &'a str,
    pub(super) support_id: &'a str,
    pub(super) now: Timestamp,
}

impl Told<'_> {
    /// As `application/problem+json`.
    pub(super) fn json(&self) -> String {
        let denial = self.denial;
        to_json(&Problem {
            type_uri: self.type_uri,
            title: title(denial.cause),
            status: denial.cause.status(),
            detail: self.detail,
            instance: self.instance,
            cause: denial.cause.word(),
            payment_failure: denial.facts.payment_failure.map(PaymentFailure::word),
            advice: denial.facts.payment_failure.map(|_| advice(denial)),
            remedies: &denial.remedies,
            retryable: is_retryable(denial),
            support_id: self.support_id,
            quota: denial.quota.as_ref().map(Quota::of),
            violated_policies: denial.quota.as_ref().map(|quota| [quota.name.as_str()]),
        })
    }

    /// As plain text.
    pub(super) fn text(&self) -> String {
        let cause = self.denial.cause;
        let mut out = String::with_capacity(BODY_CAPACITY);
        push_line(&mut out, &[title(cause)]);
        push_line(&mut out, &[]);
        push_line(&mut out, &[self.detail, " ", advice(self.denial)]);
        push_line(&mut out, &[]);
        for remedy in &self.denial.remedies {
            let what = instruction(remedy, self.denial.retry_at, self.now);
            match usable_href(remedy) {
                Some(href) => push_line(&mut out, &["- ", &what, ": ", href]),
                None => push_line(&mut out, &["- ", &what]),
            }
        }
        if !self.denial.remedies.is_empty() {
            push_line(&mut out, &[]);
        }
        push_line(&mut out, &["Cause: ", cause.word()]);
        push_line(&mut out, &["Support id: ", self.support_id]);
        push_line(&mut out, &["About this: ", self.type_uri]);
        out
    }
}

/// A problem of the gate's own endpoints, without a type of its own (RFC 9457 §4.2.1).
pub(super) fn plain_json(status: u16, title: &str, detail: &str, instance: &str) -> String {
    to_json(&PlainProblem { type_uri: "about:blank", title, status, detail, instance })
}

/// The same as plain text.
pub(super) fn plain_text(title: &str, detail: &str) -> String {
    let mut out = String::with_capacity(title.len().saturating_add(detail.len()));
    push_line(&mut out, &[title]);
    push_line(&mut out, &[]);
    push_line(&mut out, &[detail]);
    out
}

/// What a cause means, as JSON.
pub(super) fn explanation_json(cause: Cause, type_uri: &str) -> String {
    let told = explanation(cause);
    to_json(&ExplanationBody {
        type_uri,
        cause: cause.word(),
        title: title(cause),
        status: cause.status(),
        meaning: told.meaning,
        caller: told.caller,
        operator: told.operator,
    })
}

/// What a cause means, as plain text.
pub(super) fn explanation_text(cause: Cause) -> String {
    let told = explanation(cause);
    let mut out = String::with_capacity(BODY_CAPACITY);
    push_line(&mut out, &[title(cause)]);
    for (heading, text) in [
        ("What it means", told.meaning),
        ("What you can do", told.caller),
        ("For the operator", told.operator),
    ] {
        push_line(&mut out, &[]);
        push_line(&mut out, &[heading, ": ", text]);
    }
    out
}

/// Whether waiting alone helps. An outage ends on its own, a broken configuration does not.
fn is_retryable(denial: &Denial) -> bool {
    denial.retry_at.is_some()
        || matches!(denial.cause, Cause::CheckerUnavailable | Cause::OriginUnavailable)
}

/// One line for a terminal: what came from elsewhere can't move its cursor.
pub(super) fn push_line(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.extend(part.chars().map(|one| if one.is_control() { ' ' } else { one }));
    }
    out.push('\n');
}

pub(super) fn to_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(BODY_CAPACITY);
    // Neither can fail: the types hold no map with odd keys, and JSON is UTF-8.
    let _ = serde_json::to_writer(&mut bytes, value);
    String::from_utf8(bytes).unwrap_or_default()
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    type_uri: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    cause: &'a str,
    /// Why a charge failed, and what helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_failure: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a str>,
    remedies: &'a [Remedy],
    retryable: bool,
    support_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<Quota<'a>>,
    /// The member that draft-ietf-httpapi-ratelimit-headers defines for its problem types.
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'a str; 1]>,
}

#[derive(Serialize)]
struct Quota<'a> {
    name: &'a str,
    limit: u64,
    used: u64,
    resets_at: String,
}

impl<'a> Quota<'a> {
    fn of(state: &'a QuotaState) -> Self {
        let QuotaState { name, limit, used, resets_at, .. } = state;
        Self { name, limit: *limit, used: *used, resets_at: resets_at.rfc3339() }
    }
}

#[derive(Serialize)]
struct PlainProblem<'a> {
    #[serde(rename = "type")]
    type_uri: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
}

#[derive(Serialize)]
struct ExplanationBody<'a> {
    #[serde(rename = "type")]
    type_uri: &'a str,
    cause: &'a str,
    title: &'a str,
    status: u16,
    meaning: &'a str,
    caller: &'a str,
    operator: &'a str,
}

/// Holds an ordinary body without growing.
const BODY_CAPACITY: usize = 1_024;
