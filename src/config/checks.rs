//! Checks that go beyond syntax: a configuration that can be read and still locks people out.

use super::billing_checks::{
    check_disputes, check_links_carry_references, check_modes, check_references,
};
use super::findings::Findings;
use super::{
    Anonymous, Bindings, Config, Mistake, OriginTarget, SubscriptionSource, Uncounted,
    allowance_checks, object_checks,
};

/// Checks what could be read: a check is left out where one of its variables has `mistakes`, since
/// what is missing there would only lead to more of them.
pub(super) fn check(config: &Config, bindings: &impl Bindings, mistakes: &[Mistake]) -> Findings {
    let is_clean = |variable: &str| mistakes.iter().all(|mistake| mistake.variable != variable);
    let mut findings = Findings::default();
    for (variables, check) in CHECKS {
        if variables.iter().all(|variable| is_clean(variable)) {
            check(config, bindings, &mut findings);
        }
    }
    findings
}

/// A check, and the variables that it looks at.
type Check = (&'static [&'static str], fn(&Config, &dyn Bindings, &mut Findings));

const CHECKS: &[Check] = &[
    (&["ROUTES"], check_catch_all),
    (&["ROUTES"], check_unreachable_routes),
    (&["ROUTES"], check_overrides),
    (&["ROUTES", "ORIGIN"], check_cache_hits),
    (&["ROUTES", "ISSUERS"], check_callers_can_pass),
    (&["ROUTES", "ISSUERS"], check_token_rights),
    (&["ISSUERS"], check_tenants),
    (&["ROUTES", "ISSUERS"], object_checks::check),
    (&["ROUTES"], check_bursts),
    (&["ROUTES", "ALLOWANCE_KEY"], check_allowances),
    (&["ROUTES", "PLANS"], check_opened_routes),
    (&["ROUTES", "PLANS"], check_metered_routes),
    (&["ROUTES", "METERS"], check_meters),
    (&["ROUTES", "PLANS", "BRAND"], check_plans_can_be_bought),
    (&["BILLING", "GATE_SECRET"], check_references),
    (&["BILLING", "PLANS", "BRAND"], check_links_carry_references),
    (&["BILLING"], check_modes),
    (&["BILLING"], check_disputes),
    (&["ADMIN_TOKEN", "ADMIN_TOKENS", "GATE_SECRET"], check_api_keys),
];

fn check_catch_all(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    if !config.routes.last().is_some_and(|route| route.pattern.is_catch_all()) {
        findings.mistake(
            "ROUTES",
            "",
            "routes that leave some requests unmatched",
            "a last route that matches everything and says what happens to the rest",
            "[[vars.ROUTES]] match = \"/**\"  open = true",
        );
    }
}

fn check_unreachable_routes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        let covering =
            config.routes.iter().take(index).position(|other| other.pattern.covers(&route.pattern));
        if let Some(earlier) = covering {
            findings.warn(
                "ROUTES",
                &format!("[{index}].match"),
                "a route that is never reached",
                &format!("it before route [{earlier}], which matches all of it"),
                "",
            );
        }
    }
}

/// A route is chosen by the method that was sent. An origin that takes another method from a header
/// may do the work of another route.
fn check_overrides(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    if !config.routes.iter().any(|route| route.pattern.names_methods()) {
        return;
    }
    let keeping = config.routes.iter().enumerate().filter(|(_, route)| route.forward_overrides);
    for (index, _) in keeping {
        findings.warn(
            "ROUTES",
            &format!("[{index}].forward_overrides"),
            "headers that replace the method of a request, beside routes that tell methods \
                    apart",
            "routes without methods; as it stands a POST may arrive as a GET that \
                       another route is about",
            "",
        );
    }
}

/// The platform reports `HIT` only for answers that it keeps. A service may ask a cache of its own.
fn check_cache_hits(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        let uncounted = route.metering.as_ref().map_or(&[][..], |metering| &metering.uncounted);
        let origin = route.origin.as_ref().unwrap_or(&config.origin);
        let is_url = matches!(origin, OriginTarget::Url(_));
        if uncounted.contains(&Uncounted::CacheHit) && !route.cache && is_url {
            findings.warn(
                "ROUTES",
                &format!("[{index}].uncounted"),
                "\"cache-hit\" on a route whose answers the platform doesn't keep",
                "cache = true beside it",
                "cache = true",
            );
        }
    }
}

fn check_callers_can_pass(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let is_gated = config.routes.iter().any(|route| !route.open);
    if is_gated && config.issuers.is_empty() {
        findings.mistake(
            "ISSUERS",
            "",
            "routes that ask for a token, and nobody who could sign one",
            "at least one issuer; as it stands every such request is refused",
            "[[vars.ISSUERS]] iss = \"https://login.example.com\"",
        );
    }
}

/// Rights that come from tokens need an issuer whose claims have a place for them; without one, all
/// callers are refused.
fn check_token_rights(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let can_open = config.issuers.iter().any(|issuer| {
        let mapping = &issuer.mapping;
        let is_told = mapping.plan.is_some() || mapping.entitlements.is_some();
        is_told || issuer.subscription != SubscriptionSource::Token
    });
    if can_open || config.issuers.is_empty() {
        return;
    }
    let gated = config.routes.iter().enumerate();
    for (index, _) in gated.filter(|(_, route)| !route.open && !route.requires.is_empty()) {
        findings.warn(
            "ROUTES",
            &format!("[{index}].requires"),
            "entitlements that no token can carry, so that every token is refused",
            "in ISSUERS the claim that names plan or entitlements, or subscription = \
                       \"account\"",
            "claims = { plan = \"plan\" }",
        );
    }
}

/// Without a tenant, two issuers that both know a `sub` of `1` mean the same account.
fn check_tenants(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let nameless =
        config.issuers.iter().enumerate().filter(|(_, issuer)| issuer.mapping.tenant.is_none());
    for (index, _) in nameless.skip(1) {
        findings.warn(
            "ISSUERS",
            &format!("[{index}].claims.tenant"),
            "a second issuer whose tokens name no tenant, so that both share account names",
            "the claim that names the tenant, unless both know the same accounts",
            "claims = { tenant = \"org\" }",
        );
    }
}

fn check_bursts(config: &Config, bindings: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        for (field, binding) in [("burst", &route.burst), ("free_burst", &route.free_burst)] {
            let Some(binding) = binding.as_deref() else { continue };
            if !bindings.has_resource(binding) {
                findings.mistake(
                    "ROUTES",
                    &format!("[{index}].{field}"),
                    &format!("no rate-limit binding {binding:?}"),
                    &format!("[[ratelimits]] name = {binding:?} in wrangler.toml"),
                    "simple = { limit = 100, period = 10 }",
                );
            }
        }
    }
}

fn check_allowances(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    findings.mistakes.extend(allowance_checks::check_key(config));
    findings.mistakes.extend(allowance_checks::check_number(config));
    findings.warnings.extend(allowance_checks::check_crawlers(config));
}

/// A route that asks for entitlements of no plan opens only to tokens that carry them themselves.
fn check_opened_routes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        let is_sold = config.plans.iter().any(|plan| plan.includes(&route.requires));
        if !config.plans.is_empty() && !route.requires.is_empty() && !is_sold {
            findings.warn(
                "ROUTES",
                &format!("[{index}].requires"),
                &format!("{:?}, which no plan includes", route.requires),
                "a plan with all of them; until then nobody can buy a way in",
                "",
            );
        }
    }
}

fn check_metered_routes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let limited: Vec<_> = config
        .plans
        .iter()
        .flat_map(|plan| plan.quotas.iter().map(|quota| quota.meter.as_str()))
        .collect();
    for (index, route) in config.routes.iter().enumerate() {
        let Some(metering) = &route.metering else { continue };
        if config.plans.is_empty() {
            findings.mistake(
                "PLANS",
                "",
                &format!("no plan at all, but a meter on route [{index}]"),
                "at least one plan; without any, every such request is refused",
                "[[vars.PLANS]] id = \"pro\"",
            );
            continue;
        }
        for cost in metering.costs.iter().filter(|cost| !limited.contains(&cost.meter.as_str())) {
            findings.warn(
                "ROUTES",
                &format!("[{index}].meter"),
                &format!("{:?}, on which no plan has a quota", cost.meter),
                "a quota in a plan; without one the meter limits nobody",
                "quotas = [{ meter = \"api\", limit = 1000, per = \"month\" }]",
            );
        }
    }
}

/// An entry about a meter that nothing counts on is most likely misspelt.
fn check_meters(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let on_routes =
        config.routes.iter().filter_map(|route| route.metering.as_ref()).flat_map(|m| &m.costs);
    let counted: Vec<_> = on_routes.map(|cost| cost.meter.as_str()).collect();
    for (index, meter) in config.meters.iter().enumerate() {
        if !counted.contains(&meter.id.as_str()) {
            findings.warn(
                "METERS",
                &format!("[{index}].id"),
                &format!("{:?}, which no route counts on", meter.id),
                "the id of a meter on a route",
                "meter = \"api\"",
            );
        }
    }
}

fn check_plans_can_be_bought(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let offers = config.routes.iter().any(|route| {
        let is_offered = route.anonymous == Anonymous::Offer || route.free.is_some();
        !route.open && (is_offered || !route.requires.is_empty())
    });
    let has_plans_page = config.brand.plans_url.is_some();
    for (index, plan) in config.plans.iter().enumerate() {
        if offers && plan.on_sale && plan.buy_url.is_none() && !has_plans_page {
            findings.warn(
                "PLANS",
                &format!("[{index}].buy_url"),
                "a plan on sale that nobody can reach",
                "a buy_url here, or a plans_url in BRAND",
                "buy_url = \"https://example.com/buy/pro\"",
            );
        }
    }
}

/// Operators can make API keys, and without the secret none is made or taken.
fn check_api_keys(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    if !config.operators.is_empty() && config.gate_secrets.is_empty() {
        findings.warn(
            "GATE_SECRET",
            "",
            "nothing, so that operators can't make API keys and every one is refused",
            "a secret of at least 32 bytes",
            "npx wrangler secret put GATE_SECRET",
        );
    }
}
