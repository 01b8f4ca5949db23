//! Leads a customer to the provider's portal or checkout, by a link that the provider makes for
//! this one visit; or to the configured address, where there is no key for that or no answer.

use worker::web_sys::Response;

use super::endpoints::problem;
use super::visit::Visit;
use crate::answer;
use crate::config::Config;
use crate::gate::KnownAccount;
use crate::request::ReturnPath;

/// What a customer wants at the provider.
pub(super) enum Aim {
    /// To buy a plan.
    Checkout {
        /// The plan's id.
        plan: String,
    },
    /// To change the payment method, or the subscription.
    Portal,
}

/// Leads there, and back to `path` afterwards.
#[expect(clippy::unused_async, reason = "the provider is asked")]
pub(super) async fn lead(
    visit: &Visit,
    config: &Config,
    aim: &Aim,
    _path: &ReturnPath,
    _known: &KnownAccount,
) -> Response {
    let configured = match aim {
        Aim::Portal => config.brand.account_url.as_deref(),
        Aim::Checkout { plan } => match config.plans.iter().find(|other| other.id == *plan) {
            Some(plan) if plan.on_sale => {
                plan.buy_url.as_deref().or(config.brand.plans_url.as_deref())
            }
            Some(_) => return problem(visit, 404, "This plan is not on sale.", &[]),
            None => return problem(visit, 404, "There is no such plan.", &[]),
        },
    };
    match configured {
        Some(url) => {
            visit.answer(&|asker, place, brand| answer::leads_to(url, asker, place, brand))
        }
        None => problem(visit, 503, "There is no page for this at the moment.", &[]),
    }
}
