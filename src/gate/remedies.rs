//! Ways out for a denied caller, best first.

use std::borrow::Cow;

use crate::cause::{Action, Cause, Mend, QuotaState, Remedy};
use crate::config::{Brand, Config};
use crate::decision::Denial;
use crate::identity::AccountName;
use crate::plan::{Enforcement, Plan};
use crate::request::return_path::encode;
use crate::time::Timestamp;

/// Fills in the remedies of a denial from what the operator configured.
///
/// `requires` are the entitlements that the route asks for: plans on offer include all of them.
/// `current` is the id of the plan that the caller has, which is no way out of its own limits.
/// `way_back` is where a known caller comes back to, as the value of a `return` parameter; then
/// links lead through the gate to the provider, and it can be asked whether access is back. `now`
/// is when references to the caller's account are signed, where configured links ask for one.
pub(super) fn fill_in(
    denial: &mut Denial,
    config: &Config,
    requires: &[String],
    current: Option<&str>,
    way_back: Option<&str>,
    now: Timestamp,
) {
    let brand = &config.brand;
    let caller = denial.facts.account.clone();
    let links = Links { config, way_back, account: caller.as_ref(), now };
    let account = links.account_page();
    let account = account.as_deref();
    let any = |plan: &&Plan| plan.includes(requires);
    let full = denial.quota.as_ref();
    let larger = |plan: &&Plan| {
        let is_other = Some(plan.id.as_str()) != current;
        is_other && plan.includes(requires) && full.is_none_or(|quota| holds_more(plan, quota))
    };
    let remedies = &mut denial.remedies;
    match denial.cause {
        Cause::CardExpired | Cause::PaymentFailed => {
            remedies.push(Remedy::new(Action::UpdatePayment, account));
        }
        Cause::PaymentIncomplete => remedies.push(Remedy::new(Action::FinishPayment, account)),
        Cause::SubscriptionPaused => {
            remedies.push(Remedy::new(Action::ResumeSubscription, account));
        }
        Cause::InvalidToken | Cause::SignInRequired | Cause::CredentialRevoked => {
            remedies.push(Remedy::new(Action::SignIn, brand.sign_in_url.as_deref()));
        }
        Cause::CreditsExhausted => remedies.push(Remedy::new(Action::BuyCredits, account)),
        Cause::CostExceedsQuota => {
            remedies.push(Remedy::new(Action::ReduceCost, None));
            offer_plans(remedies, links, larger);
        }
        Cause::PaymentRequired | Cause::AllowanceExhausted => {
            offer_plans(remedies, links, any);
            remedies.push(Remedy::new(Action::SignIn, brand.sign_in_url.as_deref()));
        }
        Cause::NoSubscription | Cause::SubscriptionExpired | Cause::TrialEnded => {
            offer_plans(remedies, links, any);
        }
        Cause::PlanLacksEntitlement | Cause::QuotaExhausted => {
            offer_plans(remedies, links, larger);
        }
        Cause::AccountSuspended
        | Cause::BadRequest
        | Cause::CheckerUnavailable
        | Cause::Misconfigured
        | Cause::NotForSale
        | Cause::OriginUnavailable
        | Cause::RateLimited => {}
    }
    if let Some(way_back) = way_back.filter(|_| denial.cause.mend() == Mend::Payment) {
        let href = format!("{}status?return={way_back}", config.prefix);
        remedies.push(Remedy::new(Action::CheckAgain, Some(&href)));
    }
    if denial.retry_at.is_some() {
        remedies.push(Remedy::new(Action::Wait, None));
    }
    offer_support(denial, brand);
}

/// Destinations of remedies.
#[derive(Clone, Copy)]
struct Links<'a> {
    config: &'a Config,
    way_back: Option<&'a str>,
    /// The caller's account, where it is known.
    account: Option<&'a AccountName>,
    now: Timestamp,
}

impl<'a> Links<'a> {
    /// The page to come back to, where the gate can ask the provider for a link.
    fn through_gate(self) -> Option<&'a str> {
        let has_key = self.config.billing.first().is_some_and(|one| one.api_key.is_some());
        self.way_back.filter(|_| has_key)
    }

    /// The page for payment methods and subscriptions.
    fn account_page(self) -> Option<Cow<'a, str>> {
        match self.through_gate() {
            Some(path) => {
                let prefix = &self.config.prefix;
                Some(Cow::Owned(format!("{prefix}billing/portal?return={path}")))
            }
            None => self.config.brand.account_url.as_deref().map(Cow::Borrowed),
        }
    }

    /// The place to buy the plan.
    fn checkout(self, plan: &Plan) -> Option<String> {
        match self.through_gate() {
            Some(path) if !plan.prices.is_empty() => {
                let (prefix, id) = (&self.config.prefix, encode(&plan.id));
                Some(format!("{prefix}billing/checkout?plan={id}&return={path}"))
            }
            _ => plan.buy_url.as_deref().map(|url| self.signed(url)).or_else(|| self.plans_page()),
        }
    }

    /// The page of all plans on sale.
    fn plans_page(self) -> Option<String> {
        self.config.brand.plans_url.as_deref().map(|url| self.signed(url))
    }

    /// A configured link, with a reference to the caller's account where it asks for one.
    fn signed(self, url: &str) -> String {
        self.config.with_reference(url, self.account, self.now)
    }
}

/// The plans that open the door, each with the place to buy it; else the plans page.
fn offer_plans(remedies: &mut Vec<Remedy>, links: Links<'_>, fits: impl Fn(&&Plan) -> bool) {
    let config = links.config;
    let offers = config.plans.iter().filter(|plan| plan.on_sale).filter(fits);
    let before = remedies.len();
    remedies.extend(offers.take(MAX_OFFERS).map(|plan| Remedy {
        action: Action::ChoosePlan,
        href: links.checkout(plan),
        plan: Some(plan.offer()),
    }));
    if remedies.len() == before {
        remedies.push(Remedy::new(Action::ChoosePlan, links.plans_page().as_deref()));
    }
}

/// Whether the plan has no quota of the same name, or a larger one.
fn holds_more(plan: &Plan, full: &QuotaState) -> bool {
    let mut same = plan.quotas.iter().filter(|quota| quota.name() == full.name);
    let is_larger = |limit: u64| limit > full.limit && limit > full.used;
    same.all(|quota| match (quota.enforcement, quota.overage_max) {
        (Enforcement::Hard, _) => is_larger(quota.limit),
        (Enforcement::Soft, Some(overage_max)) => {
            is_larger(quota.limit.saturating_add(overage_max))
        }
        (Enforcement::Soft, None) => true,
    })
}

/// More than this many choices is a price list, which belongs on the plans page.
const MAX_OFFERS: usize = 3;

/// A request that can't be understood; `detail` is for the log.
pub(super) fn bad_request(detail: &str, config: &Config) -> Denial {
    fault(Cause::BadRequest, detail, Some(config))
}

/// A denial that is none of the caller's account's doing, so that no payment mends it: the request
/// can't be understood, or something of ours or the operator's is broken. `detail` is for the log.
/// Without a configuration there are no remedies.
pub fn fault(cause: Cause, detail: &str, config: Option<&Config>) -> Denial {
    let mut denial = Denial::new(cause);
    denial.facts.operator_detail = Some(detail.to_owned());
    if let Some(config) = config {
        offer_support(&mut denial, &config.brand);
    }
    denial
}

/// The last remedy. Nobody helps with a request that only its sender can understand.
fn offer_support(denial: &mut Denial, brand: &Brand) {
    if denial.cause != Cause::BadRequest && brand.support_url.is_some() {
        let remedy = Remedy::new(Action::ContactSupport, brand.support_url.as_deref());
        denial.remedies.push(remedy);
    }
}
