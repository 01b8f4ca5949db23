//! The steps of the machine: needs, which the edge performs, and ends.

use serde::Serialize;

use super::message::{CallError, ObjectCall};
use crate::admin::refusal::{REPLAYED, Refusal};
use crate::admin::reply::Reply;
use crate::admin::view::to_json;
use crate::answer::{self, Answer, Asker, Headers};
use crate::billing::run::RunError;
use crate::config::Config;
use crate::identity::AccountName;
use crate::request::BodyError;
use crate::step;
use crate::time::Timestamp;

/// The next step of a request.
pub enum Step<'a> {
    /// Something to perform before the request can go on.
    Need(Need<'a>),
    /// The end of the request.
    End(End),
}

/// Something that only the platform can do, and the rest of the request, which resumes with its
/// outcome.
pub enum Need<'a> {
    /// Read the body of the request: at most this many bytes.
    Body(Pending<'a, u32, Result<String, BodyError>>),
    /// Call an object. The outcome is its reply in bytes.
    Call(Pending<'a, Box<ObjectCall>, Result<Vec<u8>, CallError>>),
    /// Read every customer of an account again at its payment provider, and have the ledger take
    /// over the news. The outcome is the number of customers.
    Reread(Pending<'a, Reread<'a>, Result<usize, RunError>>),
    /// Draw random bits: two texts, base64url, of this many bytes each.
    Random(Pending<'a, [u32; 2], [String; 2]>),
    /// Render the `OpenAPI` document.
    Document(Pending<'a, (), String>),
}

/// A need's input, and the rest of the request.
pub type Pending<'a, Input, Outcome> = step::Pending<'a, Input, Outcome, Step<'a>>;

/// The next step; a refusal is an end.
pub(super) type Progress<'a> = Result<Step<'a>, Refusal>;

/// The input of [`Need::Reread`].
#[derive(Clone, Debug)]
pub struct Reread<'a> {
    /// The keys and addresses of the providers.
    pub config: &'a Config,
    /// The account's name.
    pub account: AccountName,
}

/// The end of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// It was done.
    Done(Done),
    /// It was refused.
    Refused(Refusal),
}

/// The outcome of a request that was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Done {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON; empty with 204.
    pub json: String,
    /// Whether it is the answer to an earlier request under the same idempotency key.
    pub is_replay: bool,
    /// A line for the log, where something beside the request itself failed.
    pub log_line: Option<String>,
}

/// A need with this input, and the rest of the request.
pub(super) fn pending<'a, Input, Outcome: 'a>(
    input: Input,
    rest: impl FnOnce(Outcome, Timestamp) -> Progress<'a> + 'a,
) -> Pending<'a, Input, Outcome> {
    Pending::new(input, move |outcome, now| Step::of(rest(outcome, now)))
}

impl Step<'_> {
    pub(super) fn of(progress: Progress<'_>) -> Step<'_> {
        progress.unwrap_or_else(|refusal| Step::End(End::Refused(refusal)))
    }

    pub(super) const fn done<'a>(done: Done) -> Step<'a> {
        Step::End(End::Done(done))
    }
}

impl End {
    /// The answer to a request with this method and path, both as sent. Nobody may keep it.
    pub fn answer(&self, method: &str, path: &str) -> Answer {
        match self {
            Self::Done(done) => done.answer(method),
            Self::Refused(refusal) => {
                let asker = Asker { method, path, ..Asker::default() };
                let (status, title) = (refusal.status(), refusal.title());
                let mut answer = answer::problem_json(status, title, &refusal.detail(), &asker);
                answer.headers.extend(refusal.headers());
                answer
            }
        }
    }

    /// A line for the log, where something beside the request itself failed.
    pub fn log_line(&self) -> Option<&str> {
        match self {
            Self::Done(done) => done.log_line.as_deref(),
            Self::Refused(_) => None,
        }
    }
}

impl Done {
    /// The reply to a read, or to a write that needs no ledger's.
    pub(super) fn view(view: &impl Serialize) -> Self {
        Self::json(200, to_json(view))
    }

    pub(super) const fn json(status: u16, json: String) -> Self {
        Self { status, json, is_replay: false, log_line: None }
    }

    /// The reply of a ledger, if it did not refuse.
    pub(super) fn by_ledger(reply: Reply) -> Result<Self, Refusal> {
        let Reply { status, body, is_replay, new_key: _ } = reply;
        if status < 400 {
            Ok(Self { is_replay, ..Self::json(status, body) })
        } else {
            Err(Refusal::ByLedger { status, detail: body, is_replay })
        }
    }

    fn answer(&self, method: &str) -> Answer {
        let mut headers = Headers::new();
        if self.is_replay {
            headers.push(REPLAYED);
        }
        if self.status != 204 {
            headers.push(("Content-Type", "application/json".into()));
        }
        headers.push(("Cache-Control", "no-store".into()));
        headers.push(("X-Content-Type-Options", "nosniff".into()));
        let body = if method == "HEAD" { String::new() } else { self.json.clone() };
        Answer { status: self.status, headers, body }
    }
}
