//! What a denied caller can do about it, best first.

use crate::config::{Config, Plan};
use crate::decision::{Action, Cause, Denial, Enforcement, QuotaState, Remedy};

/// Fills in the remedies of a denial from what the operator configured.
///
/// `requires` are the entitlements that the route asks for: plans on offer include all of them.
/// `current` is the id of the plan that the caller has, which is no way out of its own limits.
pub(super) fn fill_in(
    denial: &mut Denial,
    config: &Config,
    requires: &[String],
    current: Option<&str>,
) {
    let brand = &config.brand;
    let account = brand.account_url.as_deref();
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
            offer_plans(remedies, config, larger);
        }
        Cause::PaymentRequired | Cause::AllowanceExhausted => {
            offer_plans(remedies, config, any);
            remedies.push(Remedy::new(Action::SignIn, brand.sign_in_url.as_deref()));
        }
        Cause::NoSubscription | Cause::SubscriptionExpired | Cause::TrialEnded => {
            offer_plans(remedies, config, any);
        }
        Cause::PlanLacksEntitlement | Cause::QuotaExhausted => {
            offer_plans(remedies, config, larger);
        }
        Cause::AccountSuspended
        | Cause::BadRequest
        | Cause::CheckerUnavailable
        | Cause::Misconfigured
        | Cause::NotForSale
        | Cause::OriginUnavailable
        | Cause::RateLimited => {}
    }
    if denial.retry_at.is_some() {
        remedies.push(Remedy::new(Action::Wait, None));
    }
    if denial.cause != Cause::BadRequest && brand.support_url.is_some() {
        remedies.push(Remedy::new(Action::ContactSupport, brand.support_url.as_deref()));
    }
}

/// The plans that open the door, each with the place to buy it; else the plans page.
fn offer_plans(remedies: &mut Vec<Remedy>, config: &Config, fits: impl Fn(&&Plan) -> bool) {
    let plans_url = config.brand.plans_url.as_deref();
    let offers = config.plans.iter().filter(|plan| plan.on_sale).filter(fits);
    let before = remedies.len();
    remedies.extend(offers.take(MAX_OFFERS).map(|plan| Remedy {
        action: Action::ChoosePlan,
        href: plan.buy_url.as_deref().or(plans_url).map(str::to_owned),
        plan: Some(plan.offer()),
    }));
    if remedies.len() == before {
        remedies.push(Remedy::new(Action::ChoosePlan, plans_url));
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
