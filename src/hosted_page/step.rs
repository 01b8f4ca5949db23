//! The steps of the machine: the request, needs, which the edge performs, and ends.

use crate::billing::api::StatusAndBody;
use crate::billing::inbox::{CustomerKey, InboxRequest};
use crate::billing::sessions::{SessionReply, SessionRequest};
use crate::billing::{CallError, ProviderCall};
use crate::config::Config;
use crate::endpoint::HostedPage;
use crate::gate::KnownAccount;
use crate::identity::AccountName;
use crate::request::{RequestFacts, ReturnPath};
use crate::step;

/// A request for the way to a page.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The facts of the request.
    pub facts: &'a RequestFacts,
    /// The page at the provider.
    pub page: &'a HostedPage,
    /// The page of this site to come back to.
    pub path: &'a ReturnPath,
    /// The plans, the providers and the configured addresses.
    pub config: &'a Config,
    /// The caller.
    pub known: &'a KnownAccount,
}

/// The next step of a request.
pub enum Step<'a> {
    /// Something to perform before the request can go on.
    Need(Need<'a>),
    /// The end of the request.
    End(Ended),
}

/// Something that only the platform can do, and the rest of the request, which resumes with its
/// outcome. The error of an outcome is its reason, for the operator's log.
pub enum Need<'a> {
    /// Ask the account's object for leave to make a link.
    AskSessions(Pending<'a, SessionCall, Result<SessionReply, String>>),
    /// Ask the inbox for a customer.
    AskInbox(Pending<'a, InboxRequest, Result<Option<CustomerKey>, String>>),
    /// Call the API of a provider.
    CallProvider(Pending<'a, ProviderCall<'a>, Result<StatusAndBody, CallError>>),
    /// Have the account's object keep a link. Where that fails, the next request makes another.
    KeepSession(Pending<'a, SessionCall, ()>),
}

/// A need's input, and the rest of the request.
pub type Pending<'a, Input, Outcome> = step::Pending<'a, Input, Outcome, Step<'a>>;

/// A message about links to an account's object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionCall {
    /// The account's name, `tenant/account`.
    pub account: AccountName,
    /// The message.
    pub request: SessionRequest,
}

/// The end of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// Go there.
    LeadTo(String),
    /// Nothing is known without making a link, which a `HEAD` doesn't.
    Nothing,
    /// The account had too many links made.
    TooMany {
        /// The time until another may be made, in seconds.
        retry_after_s: u64,
    },
    /// There is no plan of this id.
    NoPlan,
    /// The plan is not sold any more.
    NotOnSale,
    /// There is no way at the moment.
    Unavailable(Unavailable),
}

/// The reason why there is no way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unavailable {
    /// No page is known for this caller.
    NoPage,
    /// The provider makes no link at the moment.
    ProviderSilent,
}

/// The end of a request, and its trace in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// The end.
    pub end: End,
    /// A line for the log, where something failed on the way.
    pub log_line: Option<String>,
}

/// The next step, or the reason why no link is made.
pub(super) type Progress<'a> = Result<Step<'a>, Hitch>;

/// The reason why no link is made.
pub(super) enum Hitch {
    /// `HEAD` goes nowhere.
    Head,
    /// No provider has a page for this caller.
    NoPage,
    /// The account's object gives no leave: its reason.
    Sessions(String),
    /// The account had too many links made.
    TooMany {
        /// The time until another may be made, in seconds.
        retry_after_s: u64,
    },
    /// The provider, or the inbox that knows its customers, did not answer well: the reason.
    Provider(String),
}

impl Step<'_> {
    pub(super) const fn lead_to<'a>(url: String) -> Step<'a> {
        Step::End(Ended { end: End::LeadTo(url), log_line: None })
    }
}
