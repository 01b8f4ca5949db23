//! The return of access: for somebody who has just paid, and for a program that waits for that.

use serde::Serialize;

use super::body::{push_line, to_json};
use super::message::{advice, detail, instruction, title};
use crate::cause::Remedy;
use crate::decision::Denial;
use crate::request::ReturnPath;
use crate::time::Timestamp;

/// The next look.
pub(super) struct Look<'a> {
    /// The page that was refused.
    pub(super) path: &'a str,
    /// The address of the next look.
    pub(super) again: &'a str,
    /// The time until then, in seconds; `None` where it was looked often enough.
    pub(super) again_s: Option<u64>,
}

/// The pause before the look of this number: longer and longer, for two minutes in all.
pub(super) fn pause_s(attempt: usize) -> Option<u64> {
    PAUSES_S.get(attempt).copied()
}

/// The address of the look of this number.
pub(super) fn look_url(prefix: &str, path: &ReturnPath, attempt: usize) -> String {
    format!("{prefix}status?return={}&attempt={attempt}", path.encoded())
}

/// As JSON.
pub(super) fn json(denial: Option<&Denial>, path: &str, again_s: u64, now: Timestamp) -> String {
    to_json(&Body {
        access: denial.is_none(),
        path,
        cause: denial.map(|denial| denial.cause.word()),
        title: denial.map(|denial| title(denial.cause)),
        detail: denial.map(|denial| detail(denial, now)),
        advice: denial.map(advice),
        remedies: denial.map_or(&[], |denial| &denial.remedies),
        retry_after_s: denial.map(|_| again_s),
    })
}

/// As plain text.
pub(super) fn text(denial: Option<&Denial>, path: &str, again_s: u64, now: Timestamp) -> String {
    let mut out = String::with_capacity(256);
    let Some(denial) = denial else {
        push_line(&mut out, &["Access is back: ", path]);
        return out;
    };
    push_line(&mut out, &["Not yet. ", title(denial.cause), "."]);
    push_line(&mut out, &[]);
    push_line(&mut out, &[&detail(denial, now), " ", advice(denial)]);
    for remedy in &denial.remedies {
        let what = instruction(remedy, denial.retry_at, now);
        push_line(&mut out, &["- ", &what, ": ", remedy.safe_href().unwrap_or("-")]);
    }
    push_line(&mut out, &["Ask again in ", &again_s.to_string(), " s."]);
    out
}

const PAUSES_S: [u64; 8] = [1, 2, 3, 5, 8, 13, 21, 34];

#[derive(Serialize)]
struct Body<'a> {
    access: bool,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<std::borrow::Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Remedy]>::is_empty")]
    remedies: &'a [Remedy],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}
