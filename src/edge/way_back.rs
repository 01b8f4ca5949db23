//! The gate's endpoints that need to know who asks: `usage`, and the way back in: `status`,
//! `refresh`, `billing/portal` and `billing/checkout`.

use worker::web_sys::Response;

use super::billing;
use super::visit::{Visit, problem, respond};
use crate::config::Config;
use crate::decision::Denial;
use crate::gate::KnownAccount;
use crate::request::ReturnPath;
use crate::request::return_path::parameter;

/// What is asked, of the account of whoever asks.
pub(super) enum Asked {
    /// How it stands.
    Usage,
    /// Whether access to a path is back; looked for so many times.
    Status {
        /// The path.
        path: ReturnPath,
        /// How often was looked before.
        attempt: usize,
    },
    /// To be led to the provider.
    Provider {
        /// What to do there.
        aim: billing::Aim,
        /// Where to come back to.
        path: ReturnPath,
    },
}

impl Asked {
    /// What a request for one of these endpoints asks; `None` where it is for another.
    ///
    /// # Errors
    ///
    /// What is wrong with its query.
    pub(super) fn of(visit: &Visit) -> Option<Result<Self, &'static str>> {
        let rest = visit.facts.path.strip_prefix(visit.prefix())?;
        let method = visit.facts.method.as_str();
        let is_right = match rest {
            "refresh" => method == "POST",
            "usage" | "status" | "billing/portal" | "billing/checkout" => {
                matches!(method, "GET" | "HEAD")
            }
            _ => false,
        };
        is_right.then(|| Self::read(rest, visit))
    }

    fn read(rest: &str, visit: &Visit) -> Result<Self, &'static str> {
        if rest == "usage" {
            return Ok(Self::Usage);
        }
        let query = visit.facts.query.as_deref();
        let path = ReturnPath::of_query(query, visit.prefix())?;
        let value = |name| parameter(query, name).flatten();
        match rest {
            "billing/portal" => Ok(Self::Provider { aim: billing::Aim::Portal, path }),
            "billing/checkout" => {
                let plan = value("plan").ok_or("expected the id of a plan, such as plan=pro")?;
                Ok(Self::Provider { aim: billing::Aim::Checkout { plan }, path })
            }
            _ => {
                let attempt = value("attempt").and_then(|number| number.parse().ok());
                Ok(Self::Status { path, attempt: attempt.unwrap_or(0) })
            }
        }
    }
}

/// Answers a request whose query is wrong.
pub(super) fn refuse(visit: &Visit, reason: &str) -> Response {
    problem(visit, 400, &format!("The query: {reason}."), &[])
}

/// Whether access is back.
pub(super) fn show_status(visit: &Visit, asked: &Asked, denial: Option<&Denial>) -> Response {
    let Asked::Status { path, attempt } = asked else {
        return problem(visit, 500, "Nobody asked for a status.", &[]);
    };
    respond(&visit.context().responder().status(denial, path, *attempt))
}

/// Leads to the provider.
pub(super) async fn show_account(
    visit: &Visit,
    config: &Config,
    asked: &Asked,
    known: &KnownAccount,
) -> Response {
    match asked {
        Asked::Provider { aim, path } => billing::lead(visit, config, aim, path, known).await,
        Asked::Status { .. } | Asked::Usage => {
            problem(visit, 500, "Nobody asked for an account.", &[])
        }
    }
}
