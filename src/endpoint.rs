//! The endpoints of the gate's own, below `PREFIX`: their table, and the router that reads it. Such
//! a request is never gated and never forwarded.
//!
//! A test holds the table in `docs/operations.md` to this one. The operators' endpoints are one row
//! here; their own table is `admin::operation`.

mod refusal;
mod table;

pub use refusal::Refusal;
pub use table::{Access, ENDPOINTS, Input, Method, Output, Row};

use table::{Id, WrongMethod};

use crate::cause::Cause;
use crate::request::return_path::parameter;
use crate::request::{RequestFacts, ReturnPath};

/// A right request for one of the endpoints.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint<'a> {
    /// Whether the gate is well.
    Health,
    /// The public keys of assertions.
    KeySet,
    /// The meaning of a cause.
    Explanation(Cause),
    /// A matter of the caller's own account. The module that serves requests answers it, since it
    /// alone knows callers; the other module answers everything else.
    Account(AccountEndpoint),
    /// Whether a page of another origin may ask for something about the caller's account.
    Preflight,
    /// An event of the payment provider of this word, which may be none.
    Webhook(&'a str),
    /// A matter of operators, by its path below the prefix.
    Operation(&'a str),
}

/// A request about the caller's own account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccountEndpoint {
    /// The standing of the account.
    Usage,
    /// Whether access to a page is back.
    Status {
        /// The page.
        path: ReturnPath,
        /// Number of earlier attempts.
        attempt: usize,
    },
    /// The way to a page of the payment provider.
    HostedPage {
        /// The page there.
        page: HostedPage,
        /// The page to come back to.
        path: ReturnPath,
    },
}

/// A page that a payment provider makes for one visit of a customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HostedPage {
    /// The portal, where the payment method or the subscription is changed.
    Portal,
    /// The checkout of a plan.
    Checkout {
        /// The plan's id, as the caller wrote it.
        plan: String,
    },
}

/// The endpoint that a request is for. `prefix` starts and ends with a slash.
///
/// # Errors
///
/// There is none, or the request for it is wrong.
pub fn route<'a>(facts: &'a RequestFacts, prefix: &str) -> Result<Endpoint<'a>, Refusal> {
    if facts.readings().is_err() {
        return Err(Refusal::UnreadablePath);
    }
    let path = facts.path.strip_prefix(prefix).ok_or(Refusal::NoEndpoint)?;
    let find = |row: &'static Row| Some((row, row.parameter(path)?));
    let (row, parameter) = ENDPOINTS.iter().find_map(find).ok_or(Refusal::NoEndpoint)?;
    if row.has_preflight && facts.is_preflight() {
        return Ok(Endpoint::Preflight);
    }
    if !row.method.is(&facts.method) {
        match row.wrong_method {
            WrongMethod::NotAllowed => return Err(Refusal::MethodNotAllowed(row.method)),
            WrongMethod::NoEndpoint => return Err(Refusal::NoEndpoint),
            WrongMethod::CheckedLater => {}
        }
    }
    let query = Query { text: facts.query.as_deref(), prefix };
    let account = match row.id {
        Id::Health => return Ok(Endpoint::Health),
        Id::KeySet => return Ok(Endpoint::KeySet),
        Id::Explanation => {
            let cause = Cause::from_word(parameter).ok_or(Refusal::NoProblemType)?;
            return Ok(Endpoint::Explanation(cause));
        }
        Id::Webhook => return Ok(Endpoint::Webhook(parameter)),
        Id::Operation => return Ok(Endpoint::Operation(path)),
        Id::Usage => AccountEndpoint::Usage,
        Id::Status => {
            let path = query.return_path()?;
            let attempt = query.value("attempt").and_then(|number| number.parse().ok());
            AccountEndpoint::Status { path, attempt: attempt.unwrap_or(0) }
        }
        Id::Portal => {
            AccountEndpoint::HostedPage { path: query.return_path()?, page: HostedPage::Portal }
        }
        Id::Checkout => {
            let path = query.return_path()?;
            let plan = query.value("plan").ok_or(Refusal::Query(NO_PLAN))?;
            AccountEndpoint::HostedPage { path, page: HostedPage::Checkout { plan } }
        }
    };
    Ok(Endpoint::Account(account))
}

/// The query of an endpoint that leads back to a page.
#[derive(Clone, Copy)]
struct Query<'a> {
    text: Option<&'a str>,
    prefix: &'a str,
}

impl Query<'_> {
    fn return_path(self) -> Result<ReturnPath, Refusal> {
        ReturnPath::of_query(self.text, self.prefix).map_err(Refusal::Query)
    }

    fn value(self, name: &str) -> Option<String> {
        parameter(self.text, name).flatten()
    }
}

const NO_PLAN: &str = "expected the id of a plan, such as plan=pro";

#[cfg(test)]
mod tests;
