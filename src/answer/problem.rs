//! Problem details (RFC 9457) and their plain text twin.

use serde::Serialize;

use super::asker::Asker;
use super::body::{BODY_CAPACITY, push_line, to_json};
use super::message::{advice, explanation, instruction, title};
use super::refusal::{CACHE_CONTROL, CONTENT_TYPE, CONTENT_TYPE_OPTIONS, Problem, Quota};
use super::response::Answer;
use crate::cause::{Cause, Mend, PaymentFailure, QuotaState};
use crate::decision::Denial;
use crate::time::Timestamp;

/// Everything about one denial that every format shows.
pub(super) struct DenialView<'a> {
    pub(super) denial: &'a Denial,
    pub(super) type_uri: &'a str,
    pub(super) detail: &'a str,
    pub(super) instance: &'a str,
    pub(super) support_id: &'a str,
    pub(super) now: Timestamp,
}

impl DenialView<'_> {
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
            quota: denial.quota.as_ref().map(quota_of),
            violated_policies: denial.quota.as_ref().map(|quota| [&quota.name]),
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
            match remedy.safe_href() {
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

/// An error of an endpoint for programs: problem details (RFC 9457) for every caller.
pub fn problem_json(status: u16, title: &str, detail: &str, asker: &Asker<'_>) -> Answer {
    let body = plain_json(status, title, detail, &asker.instance());
    let headers = vec![
        (CONTENT_TYPE, "application/problem+json".into()),
        (CACHE_CONTROL, "no-store".into()),
        (CONTENT_TYPE_OPTIONS, "nosniff".into()),
    ];
    Answer { status, headers, body: if asker.wants_body() { body } else { String::new() } }
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

/// The meaning of a cause, as JSON.
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

/// The meaning of a cause, as plain text.
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
    denial.retry_at.is_some() || denial.cause.mend() == Mend::Itself
}

fn quota_of(state: &QuotaState) -> Quota<'_> {
    let QuotaState { name, limit, used, resets_at, .. } = state;
    Quota { name, limit: *limit, used: *used, resets_at: resets_at.rfc3339() }
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
