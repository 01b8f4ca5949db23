//! The check that prices and plans fit together.

use serde_json::Value;
use tollgate::billing::{Billing, events_of};
use tollgate::config::Config;
use tollgate::plan::{Plan, plan_named};

use super::findings::{Findings, Kind};
use super::gate::check_clock;
use super::providers::{Offer, offers, read};

/// Compares what providers sell with what plans say they are called there.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    let mut known: Vec<Offer> = Vec::new();
    let mut is_whole = true;
    for billing in &config.billing {
        let check = format!("prices {}", billing.provider.word());
        let Some(key) = &billing.api_key else {
            let detail = "not compared with the plans: there is no API key";
            findings.add(Kind::Skipped, check, detail);
            is_whole = false;
            continue;
        };
        match offers(billing, key) {
            Ok((found, response)) => {
                check_clock(billing.provider.word(), &response, findings);
                check_offers(&check, &found, config, findings);
                known.extend(found);
            }
            Err(failure) => {
                is_whole = false;
                let kind = if failure.is_refusal() { Kind::Mistake } else { Kind::Unreachable };
                findings.add(kind, check, failure.to_string());
            }
        }
    }
    if is_whole && !config.billing.is_empty() {
        for plan in &config.plans {
            check_plan(plan, &known, config, findings);
        }
    }
}

/// Notes offers on sale at the provider that mean no plan here: their buyers get nothing.
fn check_offers(check: &str, found: &[Offer], config: &Config, findings: &mut Findings) {
    let means_a_plan =
        |offer: &Offer| offer.names.iter().any(|name| plan_named(&config.plans, name).is_some());
    let lost: Vec<_> = found.iter().filter(|offer| !means_a_plan(offer)).collect();
    for offer in &lost {
        let detail = format!("{} is on sale, and no plan's `prices` has it", offer.label);
        findings.add(Kind::Warning, check, detail);
    }
    if lost.is_empty() {
        let count = found.len();
        findings.add(Kind::Good, check, format!("{count} on sale, each in a plan"));
    }
}

/// Notes the names of a plan that the provider doesn't have, or sells no more.
fn check_plan(plan: &Plan, known: &[Offer], config: &Config, findings: &mut Findings) {
    let check = format!("plan {}", plan.id);
    let is_known = |name: &String| known.iter().any(|offer| offer.names.contains(name));
    for (index, name) in plan.prices.iter().enumerate() {
        if is_known(name) {
            continue;
        }
        let is_archived = config.billing.iter().any(|billing| is_archived(billing, name));
        // The first is what checkout sells.
        let is_sold = index == 0 && plan.on_sale;
        let (kind, detail) = match (is_archived, is_sold) {
            (true, true) => (Kind::Mistake, "is archived at the provider: nobody can buy the plan"),
            (true, false) => (Kind::Good, "is archived at the provider: it goes on for who has it"),
            (false, _) => (Kind::Mistake, "is not known to the provider"),
        };
        findings.add(kind, &check, format!("the price {name:?} {detail}"));
    }
    if plan.on_sale && plan.prices.is_empty() && plan.buy_url.is_none() {
        let has_page = config.brand.plans_url.is_some();
        let place = if has_page { "only BRAND's plans_url may sell it" } else { "nobody sells it" };
        let detail = format!("it is on sale without `prices` or a buy_url: {place}");
        findings.add(Kind::Warning, &check, detail);
    }
}

/// Whether a provider has a price that it doesn't sell. Only a provider is asked at which old
/// prices are archived as a rule.
fn is_archived(billing: &Billing, name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut kinds = events_of(billing.provider).catalogue.archived.iter();
    let Some((_, path)) = kinds.find(|(start, _)| name.starts_with(start)) else { return false };
    let Some(key) = billing.api_key.as_deref().filter(|_| is_plain) else { return false };
    let found = read(billing, key, &format!("{path}{name}"));
    let found = found.ok().flatten();
    found.is_some_and(|found| found.get("active") == Some(&Value::Bool(false)))
}
