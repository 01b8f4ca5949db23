//! Checks that the classes of Durable Objects that the configuration needs are bound.

use super::findings::Findings;
use super::{Bindings, Config, Mistake, SubscriptionSource};
use crate::identity::ObjectClass;

/// Checks the binding of each class.
pub(super) fn check(config: &Config, bindings: &dyn Bindings, findings: &mut Findings) {
    let has = |class: ObjectClass| bindings.has_resource(class.binding());
    let is_metered = config.routes.iter().any(|route| route.metering.is_some());
    let reads_accounts =
        config.issuers.iter().any(|issuer| issuer.subscription != SubscriptionSource::Token);
    let gives_away = config.routes.iter().any(|route| route.free.is_some());
    let takes_money = !config.billing.is_empty();
    let keeps_accounts = is_metered || reads_accounts || takes_money;
    for (class, is_needed, by) in [
        (ObjectClass::Ledger, keeps_accounts, "meters, billing or account records that need it"),
        (ObjectClass::Inbox, takes_money, "billing that needs it"),
        (ObjectClass::ReaderRegistry, gives_away, "free allowances that need it"),
    ] {
        if is_needed && !has(class) {
            findings.mistakes.push(unbound(class, &format!("but {by}")));
        }
    }
    let has_operators = !config.operators.is_empty() && has(ObjectClass::Ledger);
    let makes_keys = has_operators && !config.gate_secrets.is_empty();
    for (class, is_missed, so_that) in [
        (ObjectClass::Inbox, has_operators && !takes_money, "list accounts and events"),
        (ObjectClass::KeyDirectory, makes_keys, "make API keys, and every one is refused"),
    ] {
        if is_missed && !has(class) {
            let so_that = format!("so that operators can't {so_that}");
            findings.warnings.push(unbound(class, &so_that));
        }
    }
}

fn unbound(class: ObjectClass, but: &str) -> Mistake {
    let (binding, name) = (class.binding(), class.name());
    Mistake::new(
        binding,
        "",
        &format!("no Durable Object binding, {but}"),
        "the bindings and the migration of the shipped wrangler.toml",
        &format!("[[durable_objects.bindings]] name = \"{binding}\"  class_name = \"{name}\""),
    )
}
