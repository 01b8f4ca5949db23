//! The gate's endpoints that need to know who asks: `usage`, and the way back in: `status`,
//! `refresh`, `billing/portal` and `billing/checkout`.

use worker::web_sys::Response;

use super::billing;
use super::visit::{Visit, problem, respond};
use crate::config::Config;
use crate::gate::{Access, KnownAccount};
use crate::request::ReturnPath;
use crate::request::return_path::parameter;

/// A request about the caller's own account.
pub(super) enum Asked {
    /// How it stands.
    Usage,
    /// Whether access to a path is back.
    Status(Status),
    /// The way to the provider.
    Provider(Provider),
}

/// A path to come back to, which was tried so many times.
pub(super) struct Status {
    /// The path.
    pub(super) path: ReturnPath,
    attempt: usize,
}

/// A visit to the provider.
pub(super) struct Provider {
    /// The business there.
    aim: billing::Aim,
    /// The path to come back to.
    path: ReturnPath,
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
            "billing/portal" => Ok(Self::Provider(Provider { aim: billing::Aim::Portal, path })),
            "billing/checkout" => {
                let plan = value("plan").ok_or("expected the id of a plan, such as plan=pro")?;
                Ok(Self::Provider(Provider { aim: billing::Aim::Checkout { plan }, path }))
            }
            _ => {
                let attempt = value("attempt").and_then(|number| number.parse().ok());
                Ok(Self::Status(Status { path, attempt: attempt.unwrap_or(0) }))
            }
        }
    }
}

/// Answers a request whose query is wrong.
pub(super) fn refuse(visit: &Visit, reason: &str) -> Response {
    problem(visit, 400, &format!("The query: {reason}."), &[])
}

impl Status {
    /// Shows whether access is back.
    pub(super) fn show(&self, visit: &Visit, access: &Access) -> Response {
        let denial = match access {
            Access::Open => None,
            Access::Denied(denial) => Some(&**denial),
        };
        respond(&visit.context().responder().status(denial, &self.path, self.attempt))
    }
}

impl Provider {
    /// Leads to the provider.
    pub(super) async fn lead(
        &self,
        visit: &Visit,
        config: &Config,
        known: &KnownAccount,
    ) -> Response {
        billing::lead(visit, config, &self.aim, &self.path, known).await
    }
}
