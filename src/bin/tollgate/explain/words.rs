//! The gate's steps in words.

use std::fmt::Write as _;

use tollgate::account::{AccountRecord, Subscription, judge};
use tollgate::cause::QuotaState;
use tollgate::config::{Anonymous, Config, Issuer, Route, RouteIndex, SubscriptionSource};
use tollgate::gate::CallError;
use tollgate::identity::{AccountName, Identity};
use tollgate::quota::{GrantOutcome, LedgerReply, LedgerRequest};
use tollgate::request::{CredentialSource, RequestFacts, credential};
use tollgate::time::Timestamp;

use crate::commands::clock;

/// The route, and its demands.
pub(super) fn route(config: &Config, index: RouteIndex) -> String {
    let Some(route) = config.route(index) else { return "none".to_owned() };
    let place = index.get();
    let before = config.routes.iter().take(place).map(|route| route.pattern.text.as_str());
    let before: Vec<_> = before.collect();
    let mut text = format!("{:?} (ROUTES[{place}]): {}", route.pattern.text, asks(route));
    if !before.is_empty() {
        let _ = write!(text, "\nnot {}", before.join(", "));
    }
    text
}

fn asks(route: &Route) -> String {
    if route.open {
        return "open to everybody".to_owned();
    }
    let mut asks = Vec::new();
    if !route.requires.is_empty() {
        asks.push(format!("requires {}", route.requires.join(", ")));
    }
    for cost in route.metering.iter().flat_map(|metering| &metering.costs) {
        asks.push(format!("costs {} of {}", units(cost.units), cost.meter));
    }
    if let Some(binding) = &route.burst {
        asks.push(format!("bursts limited by {binding}"));
    }
    if let Some(free) = route.free {
        let (limit, period) = (free.limit(), free.period().word());
        asks.push(format!("{limit} free per {period} without a credential"));
    }
    if route.anonymous == Anonymous::Offer {
        asks.push("offered for sale to whoever sends no credential".to_owned());
    }
    if asks.is_empty() { "a credential, and no more".to_owned() } else { asks.join("; ") }
}

/// Whether the request passes before anybody asks for a credential, or never gets so far.
pub(super) fn is_ungated(config: &Config, route: Option<RouteIndex>, facts: &RequestFacts) -> bool {
    let own = facts.path.starts_with(&config.prefix);
    let route = route.and_then(|index| config.route(index));
    facts.is_preflight() || route.map_or(!own, |route| route.open)
}

/// The credential of the request.
pub(super) fn credential(config: &Config, facts: &RequestFacts, stands_in: bool) -> String {
    let name = |source: &CredentialSource| match source {
        CredentialSource::Bearer => "Authorization: Bearer".to_owned(),
        CredentialSource::Cookie(name) => format!("the cookie {name}"),
        CredentialSource::Header(name) => format!("the header {name}"),
        CredentialSource::Query(name) => format!("the query's {name}"),
    };
    if let Some(found) = credential::find(&config.credentials, facts) {
        let what = if stands_in { "as if a token stood" } else { "found" };
        return format!("{what} in {}", name(found.source));
    }
    let all: Vec<_> = config.credentials.iter().map(name).collect();
    format!("none; looked at {}", all.join(", "))
}

/// The subject of a token.
pub(super) fn caller(identity: &Identity, issuer: &Issuer) -> String {
    let mut text = identity.account_name().to_string();
    if let Some(subject) = &identity.subject {
        let _ = write!(text, ", member {subject}");
    }
    if let Some(plan) = &identity.plan {
        let _ = write!(text, ", plan {plan}");
    }
    if !identity.entitlements.is_empty() {
        let _ = write!(text, ", entitled to {}", identity.entitlements.join(", "));
    }
    let decides = match issuer.subscription {
        SubscriptionSource::Account => "the account's record says what was paid for",
        SubscriptionSource::Both => "token and record say together what was paid for",
        SubscriptionSource::Token => "the token says what was paid for",
    };
    format!("{text} (of {}; {decides})", issuer.rules.issuer)
}

/// A message to the ledger and its reply.
pub(super) fn ledger(
    account: &AccountName,
    request: &LedgerRequest,
    reply: &Result<LedgerReply, CallError>,
    config: &Config,
    now: Timestamp,
) -> String {
    let wants: Vec<_> = request.wants.iter().filter(|want| want.needed > 0).collect();
    let wants: Vec<_> =
        wants.iter().map(|want| format!("{} of {}", units(want.needed), want.meter)).collect();
    let what = if wants.is_empty() { "its record".to_owned() } else { wants.join(" and ") };
    let mut text = format!("{account} is asked for {what}");
    match reply {
        Err(error) => {
            let _ = write!(text, ": {}", error.reason());
        }
        Ok(reply) => {
            for line in record(reply.account.as_ref(), config, now) {
                let _ = write!(text, "\n{line}");
            }
            if let Some(grant) = &reply.grant {
                let _ = write!(text, "\n{}", granted(grant));
            }
        }
    }
    text
}

/// The account's record, a line for each thing that decides.
fn record(record: Option<&AccountRecord>, config: &Config, now: Timestamp) -> Vec<String> {
    let Some(record) = record else { return vec!["there is no record of it".to_owned()] };
    let mut lines = Vec::new();
    if record.suspended {
        lines.push("suspended by the operator".to_owned());
    }
    let judgement = judge(record, &config.plans, None, config.provider_outage, now);
    let name = |one: &Subscription| {
        let billed =
            record.billed.iter().find(|billed| std::ptr::eq(&raw const billed.subscription, one));
        billed.map_or_else(
            || "the operator's".to_owned(),
            |billed| format!("{} {}", billed.provider.word(), billed.id),
        )
    };
    for one in &judgement.good {
        lines.push(format!("{}: {}: opens what it was bought for", name(one), state(one, now)));
    }
    for refused in &judgement.denied {
        let one = refused.subscription;
        let since = refused.since.map(|at| format!(", {}", clock::distance(at, now)));
        let since = since.unwrap_or_default();
        let cause = refused.cause.word();
        lines.push(format!("{}: {}: opens nothing ({cause}{since})", name(one), state(one, now)));
    }
    if judgement.good.is_empty() && judgement.denied.is_empty() {
        lines.push("it has no subscription".to_owned());
    }
    let extra: Vec<_> = record.extra_entitlements().flatten().map(String::as_str).collect();
    if !extra.is_empty() {
        lines.push(format!("entitled to {} beside its plans", extra.join(", ")));
    }
    if let Some(at) = record.tokens_revoked_before {
        lines.push(format!("tokens issued before {} are revoked", at.rfc3339()));
    }
    lines
}

/// A subscription's plan, status and the times that decide.
fn state(one: &Subscription, now: Timestamp) -> String {
    let plans: Vec<_> = one.plan_ids().collect();
    let plans = if plans.is_empty() { "no plan".to_owned() } else { plans.join(" + ") };
    let mut text = format!("{plans}, {}", one.status.word());
    for (what, at) in [
        ("paid until", one.current_period_ends_at),
        ("trial until", one.trial_ends_at),
        ("ends", one.ends_at),
        ("charge failed", one.payment_failed_at),
    ] {
        if let Some(at) = at {
            let _ = write!(text, ", {what} {} ({})", at.rfc3339(), clock::distance(at, now));
        }
    }
    if let Some(failure) = one.payment_failure {
        let _ = write!(text, ", {}", failure.word());
    }
    text
}

fn granted(grant: &GrantOutcome) -> String {
    match grant {
        GrantOutcome::Granted { leases, .. } => {
            let credits: u64 = leases.iter().map(|lease| lease.credits).sum();
            let of = if credits > 0 { format!(", {credits} from credits") } else { String::new() };
            format!("granted{of}")
        }
        GrantOutcome::Refused { quota: full, .. } => format!("refused: {}", quota(full)),
        GrantOutcome::UnknownPlan => "refused: PLANS doesn't define the plan".to_owned(),
        GrantOutcome::NoPlan => "refused: neither token nor record names a plan".to_owned(),
        GrantOutcome::Void => "void".to_owned(),
    }
}

/// A quota and how much of it is used.
pub(super) fn quota(state: &QuotaState) -> String {
    let QuotaState { name, limit, used, resets_at, .. } = state;
    format!("{name}: {used} of {limit} used, starts again {}", resets_at.rfc3339())
}

fn units(count: u64) -> String {
    if count == 1 { "1 unit".to_owned() } else { format!("{count} units") }
}
