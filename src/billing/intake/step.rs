//! The steps of the machine: needs, which the edge performs, and ends.

use super::refusal::Refusal;
use crate::account::Provider;
use crate::billing::api::StatusAndBody;
use crate::billing::error::CallError;
use crate::billing::inbox::{Incoming, Taken};
use crate::billing::step::{Fault, ProviderCall};
use crate::request::BodyError;
use crate::step::Pending;
use crate::token::SignatureCheck;

/// The next step of the intake.
pub enum Step<'a> {
    /// Something to perform before it can go on.
    Need(Need<'a>),
    /// Its end.
    End(End),
}

/// Something that only the platform can do, and the rest of the intake.
pub enum Need<'a> {
    /// Read the request's content.
    Read(Pending<'a, Wanted, Content, Step<'a>>),
    /// Verify a signature. The outcome is whether it is right; an error is the platform's reason
    /// why a key can't be used.
    Verify(Pending<'a, SignatureCheck, Result<bool, String>, Step<'a>>),
    /// Call the provider's API.
    CallProvider(Pending<'a, ProviderCall<'a>, Result<StatusAndBody, CallError>, Step<'a>>),
    /// Have the inbox keep the event. The outcome is its reply for each; an error is the reason
    /// why there is none.
    TakeIn(Pending<'a, Vec<Incoming>, Result<Vec<Taken>, String>, Step<'a>>),
}

/// The parts of a request that are needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// The names of header fields, in lower case.
    pub headers: &'static [&'static str],
    /// The most bytes of the body.
    pub max_bytes: u32,
}

/// The content of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    /// Those of the wanted header fields that it has.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Result<String, BodyError>,
}

/// The end of the intake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The inbox has the event.
    Received(Receipt),
    /// The webhook was refused.
    Refused(Refusal),
}

/// A webhook that was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The sender.
    pub provider: Provider,
    /// Whether the event was known before.
    pub is_repeated: bool,
    /// Whether it names another account for its customer than was named before.
    pub is_conflict: bool,
    /// After how many milliseconds to ask the provider for the account of a customer
    /// ([`look_soon`](crate::billing::run::look_soon)), unless an event has named it by then.
    pub look_after_ms: Option<u32>,
}

/// The next step; a refusal is an end.
pub(super) type Progress<'a> = Result<Step<'a>, Refusal>;

impl Step<'_> {
    pub(super) fn of(progress: Progress<'_>) -> Step<'_> {
        progress.unwrap_or_else(|refusal| Step::End(End::Refused(refusal)))
    }
}

impl Receipt {
    /// The answer's body, with status 200.
    pub const fn json(self) -> &'static str {
        if self.is_repeated { REPEATED } else { RECEIVED }
    }
}

impl End {
    /// Something for the operator's log, where there is something.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Received(Receipt { is_conflict: true, provider, .. }) => {
                let reason =
                    format!("a customer of {} is named by several accounts", provider.word());
                Some(Fault { what: "billing-conflict", reason })
            }
            Self::Received(_) => None,
            Self::Refused(refusal) => {
                refusal.reason().map(|reason| Fault { what: "webhook", reason })
            }
        }
    }
}

const RECEIVED: &str = "{\"received\":true}\n";
const REPEATED: &str = "{\"received\":true,\"repeated\":true}\n";
