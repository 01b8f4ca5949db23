//! Checks for settings that are valid by themselves, but leave payments without their account or
//! let the wrong ones count.

use super::findings::Findings;
use super::{Bindings, Config};
use crate::account::Provider;
use crate::billing::reference::PLACEHOLDER;
use crate::billing::{Billing, ReferenceNeed, spec_of};

/// Only a signed reference counts where a payer may write the account's name.
pub(super) fn check_references(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    if !config.gate_secrets.is_empty() {
        return;
    }
    let asks = |url: &Option<String>| url.as_ref().is_some_and(|url| url.contains(PLACEHOLDER));
    let asks_for_one =
        asks(&config.brand.plans_url) || config.plans.iter().any(|plan| asks(&plan.buy_url));
    let is_needed = |one: &&Billing| match spec_of(one.provider).reference {
        ReferenceNeed::Never => false,
        ReferenceNeed::Always => true,
        ReferenceNeed::WithKey => one.api_key.is_some(),
    };
    let needed = config.billing.iter().find(is_needed);
    let found = match needed {
        Some(one) => format!("nothing, beside BILLING's {:?}", one.provider.word()),
        None if asks_for_one => format!("nothing, beside a link with {PLACEHOLDER}"),
        None => return,
    };
    findings.warn(
        "GATE_SECRET",
        "",
        &found,
        "a secret that signs references to accounts; without one every payment waits \
                   until an operator links its customer",
        "openssl rand -base64 32",
    );
}

/// A payment link that doesn't carry a reference leaves its payment to be linked by hand.
pub(super) fn check_links_carry_references(
    config: &Config,
    _: &dyn Bindings,
    findings: &mut Findings,
) {
    if config.billing.is_empty() {
        return;
    }
    for (index, plan) in config.plans.iter().enumerate() {
        let Some(url) = plan.buy_url.as_deref() else { continue };
        let links = Provider::ALL.into_iter().filter_map(|one| spec_of(one).payment_link);
        let is_link = links.into_iter().any(|start| url.starts_with(start));
        if is_link && !url.contains(PLACEHOLDER) {
            findings.warn(
                "PLANS",
                &format!("[{index}].buy_url"),
                "a payment link without a reference to the account",
                &format!("{PLACEHOLDER} in it, so that its payment finds the account"),
                "https://buy.stripe.com/abc?client_reference_id={reference}",
            );
        }
    }
}

/// Test mode opens a gate to everybody with a test card.
pub(super) fn check_modes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, one) in config.billing.iter().enumerate() {
        let mut warn = |variable: &str, field: String, found: &str, expected: &str| {
            findings.warn(variable, &field, found, expected, "");
        };
        if one.test {
            let found = "true: whoever pays with a test card is let in";
            warn("BILLING", format!("[{index}].test"), found, "false in production");
        }
        let spec = spec_of(one.provider);
        let is_test = |key: &str| spec.test_keys.iter().any(|start| key.starts_with(start));
        let is_test_key = one.api_key.as_deref().is_some_and(is_test);
        if is_test_key && !one.test {
            let expected = "a key of the live mode, or test = true in BILLING";
            warn(spec.api_key.name, String::new(), "a key of the test mode", expected);
        }
        if spec.has_stores && one.store.is_none() {
            let found = "nothing: events of every store that signs with this secret count";
            warn("BILLING", format!("[{index}].store"), found, "the id of your store");
        }
    }
}

/// The payment of a dispute stands in the API alone.
pub(super) fn check_disputes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, one) in config.billing.iter().enumerate() {
        let spec = spec_of(one.provider);
        let needs_key = spec.dispute_needs_key && one.suspends_on_dispute;
        if needs_key && one.api_key.is_none() {
            findings.warn(
                "BILLING",
                &format!("[{index}].on_dispute"),
                &format!("\"suspend\" without {}", spec.api_key.name),
                &format!(
                    "a key, since {}'s events seldom say which payment is disputed; a dispute of \
                     something else suspends nobody",
                    spec.name
                ),
                &format!("npx wrangler secret put {}", spec.api_key.name),
            );
        }
    }
}
