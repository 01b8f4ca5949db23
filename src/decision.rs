//! The vocabulary that everything else speaks: what was decided about a request, and why.
//!
//! A denial is a value, not an error. It names exactly one [`Cause`] of a closed set; the status,
//! the words, the headers and the log line are all derived from it.

use std::rc::Rc;

use crate::allowance::Grant;
use crate::cause::{Cause, Notice, PaymentFailure, QuotaState, Remedy};
use crate::config::RouteIndex;
use crate::identity::{AccountName, Identity};
use crate::quota::Charge;
use crate::time::Timestamp;
use crate::token::TokenError;
use crate::words::words;

/// The gate's decision about a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Answer at the edge.
    Deny(Box<Denial>),
    /// Hand it to the origin.
    Pass(Box<Pass>),
}

/// A request that goes to the origin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pass {
    /// The route; `None` where the configuration is not known.
    pub route: Option<RouteIndex>,
    /// The verified caller; `None` on open routes.
    pub identity: Option<Rc<Identity>>,
    /// The quotas this request was counted in, as they stand after it.
    pub quotas: Vec<QuotaState>,
    /// Warnings for the caller.
    pub notices: Vec<Notice>,
    /// The units that were spent, so that they can be given back when the origin fails.
    pub charge: Option<Charge>,
    /// The free page that was counted, if one was.
    pub free_page: Option<Box<FreePage>>,
    /// The caller's new cookie, as the value of a `Set-Cookie` field.
    pub set_cookie: Option<String>,
    /// The reason why this passed without all of its checks, if so.
    pub degraded: Option<Degraded>,
    /// A CORS preflight on a gated route: the caller gets the origin's CORS headers and no more,
    /// since many origins answer any `OPTIONS` with the resource itself.
    pub is_preflight: bool,
}

/// A page that a reader without an account sees for free, and that counts once it is delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FreePage {
    /// The count that it was added to.
    pub grant: Grant,
    /// The reader's count with it, as the value of a `Set-Cookie` field. Only for a page that was
    /// delivered.
    pub set_cookie: String,
}

words! {
    /// A pass that was not properly checked, because something of ours was broken.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum Degraded {
        /// The ledger did not answer, and the route or plan lets requests pass then.
        CheckerUnavailable = "checker-unavailable",
        /// The configuration is invalid, and the operator chose to pass.
        Misconfigured = "misconfigured",
        /// The gate itself failed, and the operator chose to pass.
        Panicked = "panicked",
    }
}

/// A request that is answered at the edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The one reason.
    pub cause: Cause,
    /// Remedies for the caller, best first.
    pub remedies: Vec<Remedy>,
    /// The quota that denied, if one did.
    pub quota: Option<QuotaState>,
    /// All quotas that the request would have been counted in, the one that denied among them.
    pub quotas: Vec<QuotaState>,
    /// The earliest time at which a retry can succeed, where waiting alone helps.
    pub retry_at: Option<Timestamp>,
    /// Facts for the sentence that explains it.
    pub facts: Facts,
}

impl Denial {
    /// A denial for `cause` with nothing else known.
    pub fn new(cause: Cause) -> Self {
        Self {
            cause,
            remedies: Vec::new(),
            quota: None,
            quotas: Vec::new(),
            retry_at: None,
            facts: Facts::default(),
        }
    }
}

/// Facts beside the cause. Never holds a secret or a token.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// `tenant/account` of the verified caller; for the log, not for the body.
    pub account: Option<AccountName>,
    /// Display name of the caller's plan.
    pub plan: Option<String>,
    /// Entitlements the route asks for and the caller lacks.
    pub missing: Vec<String>,
    /// Whether the scopes of this API key alone leave it out.
    pub is_beyond_scopes: bool,
    /// The reason to refuse a token: safe for the caller to see.
    pub token_error: Option<TokenError>,
    /// The time at which the thing that ended did end, such as the grace or the trial.
    pub since: Option<Timestamp>,
    /// The reason of the failed charge, as far as a payer may know.
    pub payment_failure: Option<PaymentFailure>,
    /// For the operator's log only: what exactly went wrong on our side.
    pub operator_detail: Option<String>,
}
