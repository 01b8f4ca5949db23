//! Checks that go beyond syntax: a configuration that can be read and still locks people out.

use super::billing_checks::{
    check_disputes, check_links_carry_references, check_modes, check_references,
};
use super::{
    Anonymous, Bindings, Config, Mistake, OriginTarget, SubscriptionSource, Uncounted, allowances,
};

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// What makes the configuration unusable.
    pub(super) mistakes: Vec<Mistake>,
    /// What is probably not meant.
    pub(super) warnings: Vec<Mistake>,
}

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
    (&["ROUTES", "ISSUERS"], check_who_can_pass),
    (&["ROUTES", "ISSUERS"], check_what_tokens_carry),
    (&["ISSUERS"], check_tenants),
    (&["ROUTES", "ISSUERS"], check_ledger),
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

/// The binding of the Durable Object class that keeps accounts.
pub const LEDGER_BINDING: &str = "LEDGER";

fn check_catch_all(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    if !config.routes.last().is_some_and(|route| route.pattern.is_catch_all()) {
        findings.mistakes.push(Mistake {
            variable: "ROUTES".to_owned(),
            field: String::new(),
            found: "routes that leave some requests unmatched".to_owned(),
            expected: "a last route that matches everything and says what happens to the rest"
                .to_owned(),
            example: "[[vars.ROUTES]] match = \"/**\"  open = true".to_owned(),
        });
    }
}

fn check_unreachable_routes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        let covering =
            config.routes.iter().take(index).position(|other| other.pattern.covers(&route.pattern));
        if let Some(earlier) = covering {
            findings.warnings.push(Mistake {
                variable: "ROUTES".to_owned(),
                field: format!("[{index}].match"),
                found: "a route that is never reached".to_owned(),
                expected: format!("it before route [{earlier}], which matches all of it"),
                example: String::new(),
            });
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
        findings.warnings.push(Mistake {
            variable: "ROUTES".to_owned(),
            field: format!("[{index}].forward_overrides"),
            found: "headers that replace the method of a request, beside routes that tell methods \
                    apart"
                .to_owned(),
            expected: "routes without methods; as it stands a POST may arrive as a GET that \
                       another route is about"
                .to_owned(),
            example: String::new(),
        });
    }
}

/// The platform reports `HIT` only for answers that it keeps. A service may ask a cache of its own.
fn check_cache_hits(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        let uncounted = route.metering.as_ref().map_or(&[][..], |metering| &metering.uncounted);
        let origin = route.origin.as_ref().unwrap_or(&config.origin);
        let is_url = matches!(origin, OriginTarget::Url(_));
        if uncounted.contains(&Uncounted::CacheHit) && !route.cache && is_url {
            findings.warnings.push(Mistake {
                variable: "ROUTES".to_owned(),
                field: format!("[{index}].uncounted"),
                found: "\"cache-hit\" on a route whose answers the platform doesn't keep"
                    .to_owned(),
                expected: "cache = true beside it".to_owned(),
                example: "cache = true".to_owned(),
            });
        }
    }
}

fn check_who_can_pass(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let is_gated = config.routes.iter().any(|route| !route.open);
    if is_gated && config.issuers.is_empty() {
        findings.mistakes.push(Mistake {
            variable: "ISSUERS".to_owned(),
            field: String::new(),
            found: "routes that ask for a token, and nobody who could sign one".to_owned(),
            expected: "at least one issuer; as it stands every such request is refused".to_owned(),
            example: "[[vars.ISSUERS]] iss = \"https://login.example.com\"".to_owned(),
        });
    }
}

/// Where tokens say what was paid for, and no issuer's claims have a place for it, all are refused.
fn check_what_tokens_carry(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
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
        findings.warnings.push(Mistake {
            variable: "ROUTES".to_owned(),
            field: format!("[{index}].requires"),
            found: "entitlements that no token can carry, so that every token is refused"
                .to_owned(),
            expected: "in ISSUERS the claim that names plan or entitlements, or subscription = \
                       \"account\""
                .to_owned(),
            example: "claims = { plan = \"plan\" }".to_owned(),
        });
    }
}

/// Without a tenant, two issuers that both know a `sub` of `1` mean the same account.
fn check_tenants(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    let nameless =
        config.issuers.iter().enumerate().filter(|(_, issuer)| issuer.mapping.tenant.is_none());
    for (index, _) in nameless.skip(1) {
        findings.warnings.push(Mistake {
            variable: "ISSUERS".to_owned(),
            field: format!("[{index}].claims.tenant"),
            found: "a second issuer whose tokens name no tenant, so that both share account names"
                .to_owned(),
            expected: "the claim that names the tenant, unless both know the same accounts"
                .to_owned(),
            example: "claims = { tenant = \"org\" }".to_owned(),
        });
    }
}

fn check_ledger(config: &Config, bindings: &dyn Bindings, findings: &mut Findings) {
    let is_metered = config.routes.iter().any(|route| route.metering.is_some());
    let reads_accounts =
        config.issuers.iter().any(|issuer| issuer.subscription != SubscriptionSource::Token);
    let gives_away = config.routes.iter().any(|route| route.free.is_some());
    let takes_money = !config.billing.is_empty();
    if (is_metered || reads_accounts || gives_away || takes_money)
        && !bindings.has_resource(LEDGER_BINDING)
    {
        findings.mistakes.push(Mistake {
            variable: LEDGER_BINDING.to_owned(),
            field: String::new(),
            found: "no Durable Object binding, but meters, allowances, billing or account records \
                    that need it"
                .to_owned(),
            expected: "the binding and migration of the shipped wrangler.toml".to_owned(),
            example: "[[durable_objects.bindings]] name = \"LEDGER\"  class_name = \"Ledger\""
                .to_owned(),
        });
    }
}

fn check_bursts(config: &Config, bindings: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        for (field, binding) in [("burst", &route.burst), ("free_burst", &route.free_burst)] {
            let Some(binding) = binding.as_deref() else { continue };
            if !bindings.has_resource(binding) {
                findings.mistakes.push(Mistake {
                    variable: "ROUTES".to_owned(),
                    field: format!("[{index}].{field}"),
                    found: format!("no rate-limit binding {binding:?}"),
                    expected: format!("[[ratelimits]] name = {binding:?} in wrangler.toml"),
                    example: "simple = { limit = 100, period = 10 }".to_owned(),
                });
            }
        }
    }
}

fn check_allowances(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    findings.mistakes.extend(allowances::check_key(config));
    findings.mistakes.extend(allowances::check_number(config));
    findings.warnings.extend(allowances::check_crawlers(config));
}

/// A route whose entitlements no plan includes opens only to tokens that carry them themselves.
fn check_opened_routes(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    for (index, route) in config.routes.iter().enumerate() {
        let is_sold = config.plans.iter().any(|plan| plan.includes(&route.requires));
        if !config.plans.is_empty() && !route.requires.is_empty() && !is_sold {
            findings.warnings.push(Mistake {
                variable: "ROUTES".to_owned(),
                field: format!("[{index}].requires"),
                found: format!("{:?}, which no plan includes", route.requires),
                expected: "a plan with all of them; until then nobody can buy a way in".to_owned(),
                example: String::new(),
            });
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
            findings.mistakes.push(Mistake {
                variable: "PLANS".to_owned(),
                field: String::new(),
                found: format!("no plan at all, but a meter on route [{index}]"),
                expected: "at least one plan; without any, every such request is refused"
                    .to_owned(),
                example: "[[vars.PLANS]] id = \"pro\"".to_owned(),
            });
            continue;
        }
        for cost in metering.costs.iter().filter(|cost| !limited.contains(&cost.meter.as_str())) {
            findings.warnings.push(Mistake {
                variable: "ROUTES".to_owned(),
                field: format!("[{index}].meter"),
                found: format!("{:?}, on which no plan has a quota", cost.meter),
                expected: "a quota in a plan; without one the meter limits nobody".to_owned(),
                example: "quotas = [{ meter = \"api\", limit = 1000, per = \"month\" }]".to_owned(),
            });
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
            findings.warnings.push(Mistake {
                variable: "METERS".to_owned(),
                field: format!("[{index}].id"),
                found: format!("{:?}, which no route counts on", meter.id),
                expected: "the id of a meter on a route".to_owned(),
                example: "meter = \"api\"".to_owned(),
            });
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
            findings.warnings.push(Mistake {
                variable: "PLANS".to_owned(),
                field: format!("[{index}].buy_url"),
                found: "a plan on sale that nobody can reach".to_owned(),
                expected: "a buy_url here, or a plans_url in BRAND".to_owned(),
                example: "buy_url = \"https://example.com/buy/pro\"".to_owned(),
            });
        }
    }
}

/// Operators can make API keys, and without the secret none is made or taken.
fn check_api_keys(config: &Config, _: &dyn Bindings, findings: &mut Findings) {
    if !config.operators.is_empty() && config.gate_secrets.is_empty() {
        findings.warnings.push(Mistake {
            variable: "GATE_SECRET".to_owned(),
            field: String::new(),
            found: "nothing, so that operators can't make API keys and every one is refused"
                .to_owned(),
            expected: "a secret of at least 32 bytes".to_owned(),
            example: "npx wrangler secret put GATE_SECRET".to_owned(),
        });
    }
}
