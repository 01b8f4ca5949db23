//! Checks of a running gate: health, clocks, keys, webhooks, and what its operator should look at.

use serde_json::{Value, json};
use tollgate::billing::spec_of;
use tollgate::config::{Config, KeySource};
use tollgate::token::{KeyRing, KeyRingKind};

use super::findings::{Findings, Kind};
use super::ping;
use crate::commands::http::{self, Response};
use crate::commands::remote::Gate;
use crate::commands::{Failure, clock};

/// Looks at the gate whose endpoints are below `base`.
pub(super) fn check(
    base: &str,
    config: &Config,
    token_variable: Option<&str>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    if !check_health(base, config, findings) {
        return Ok(());
    }
    check_keys(config, findings);
    check_webhooks(base, config, findings)?;
    if let Some(name) = token_variable {
        let gate = Gate::new(base, name)?;
        check_operations(&gate, findings);
    }
    Ok(())
}

/// Whether there is a gate that can be asked more.
fn check_health(base: &str, config: &Config, findings: &mut Findings) -> bool {
    let url = format!("{base}health");
    let response = match http::get(&url) {
        Ok(response) => response,
        Err(failure) => {
            findings.add_failure("health", &failure);
            return false;
        }
    };
    let json = serde_json::from_str::<Value>(&response.body).unwrap_or_default();
    let told = |field: &str| json.get(field).and_then(Value::as_array).cloned();
    match json.get("status").and_then(Value::as_str) {
        Some("ok") => findings.add(Kind::Good, "health", "the gate works"),
        Some("misconfigured") => {}
        _ => {
            let status = response.status;
            let reason = format!("{url} answers {status}, and not as a gate would");
            findings.add(Kind::Unreachable, "health", reason);
            return false;
        }
    }
    for mistake in told("mistakes").unwrap_or_default() {
        findings.add(Kind::Mistake, "health", in_words(&mistake));
    }
    let warnings = told("warnings").unwrap_or_default();
    compare_warnings(&warnings, config, findings);
    check_clock("the gate", &response, findings);
    json.get("status").is_some_and(|status| status == "ok")
}

/// The gate's warnings are those of the file that it runs; others are of another file.
fn compare_warnings(warnings: &[Value], config: &Config, findings: &mut Findings) {
    let here: Vec<_> = config.warnings.iter().map(|warning| json!(warning)).collect();
    for warning in warnings.iter().filter(|warning| !here.contains(warning)) {
        findings.add(Kind::Warning, "health", in_words(warning));
    }
    let gone = here.iter().filter(|warning| !warnings.contains(warning)).count();
    if gone > 0 {
        let detail = format!("{gone} of this file's warnings are not the gate's: it runs another");
        findings.add(Kind::Warning, "health", detail);
    }
}

/// A mistake as the gate reports it.
fn in_words(mistake: &Value) -> String {
    let part = |name: &str| mistake.get(name).and_then(Value::as_str).unwrap_or_default();
    let (variable, field) = (part("variable"), part("field"));
    format!("{variable}{field}: found {}; expected {}", part("found"), part("expected"))
}

/// Compares the clock of the server that answered with ours.
pub(super) fn check_clock(whose: &str, response: &Response, findings: &mut Findings) {
    let date = response.header("date").and_then(clock::read_http_date);
    let Some(theirs) = date else {
        findings.add(Kind::Skipped, "clock", format!("{whose} sends no Date"));
        return;
    };
    // It was read at some time between, and has whole seconds only.
    let (sent_at, received_at) = response.between;
    let latest = theirs.plus_ms(999);
    let ahead_ms = if theirs > received_at {
        theirs.ms_since(received_at)
    } else {
        latest.min(sent_at).ms_since(sent_at)
    };
    let seconds = ahead_ms.unsigned_abs().div_euclid(1_000);
    let way = if ahead_ms > 0 { "ahead of" } else { "behind" };
    let length = clock::length_in_words(seconds);
    let (kind, detail) = match seconds {
        0..=2 => (Kind::Good, format!("{whose} and this machine agree")),
        3..=59 => (Kind::Warning, format!("{whose} is {length} {way} this machine")),
        _ => {
            let harm = "tokens and webhooks are refused as too old or too new";
            (Kind::Mistake, format!("{whose} is {length} {way} this machine: {harm}"))
        }
    };
    findings.add(kind, "clock", detail);
}

fn check_keys(config: &Config, findings: &mut Findings) {
    for issuer in &config.issuers {
        let KeySource::Url(url) = &issuer.keys else { continue };
        let check = format!("keys of {}", issuer.rules.issuer);
        match http::get(url).and_then(Response::good) {
            Err(failure) => findings.add_failure(check, &failure),
            Ok(body) => match KeyRing::parse(&body, KeyRingKind::Fetched) {
                Ok(ring) => {
                    let count = ring.keys().len();
                    findings.add(Kind::Good, check, format!("{count} usable at {url}"));
                }
                Err(error) => {
                    findings.add(Kind::Mistake, check, format!("{url}: {error}"));
                }
            },
        }
    }
}

/// Sends a signed, harmless event with each secret of each provider.
fn check_webhooks(base: &str, config: &Config, findings: &mut Findings) -> Result<(), Failure> {
    for billing in &config.billing {
        let provider = billing.provider;
        let url = format!("{base}webhooks/{}", provider.word());
        let name = spec_of(provider).webhook_secret.name;
        let count = billing.webhook_secrets.len();
        for (index, secret) in billing.webhook_secrets.iter().enumerate() {
            let which = match count {
                1 => name.to_owned(),
                _ => format!("{name} ({} of {count})", index.saturating_add(1)),
            };
            let check = format!("webhook {}", provider.word());
            if secret.starts_with("whpk_") {
                let detail = format!("{which} is a public key: nothing here can sign with it");
                findings.add(Kind::Skipped, check, detail);
                continue;
            }
            let response = match ping::send(provider, secret, &url, clock::now())? {
                Ok(response) => response,
                Err(failure) => {
                    findings.add_failure(check, &failure);
                    continue;
                }
            };
            let json = serde_json::from_str::<Value>(&response.body).unwrap_or_default();
            let said = json.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
            let (kind, detail) = match response.status {
                200 => (Kind::Good, format!("{which} is right at {url}")),
                400 => (Kind::Mistake, format!("{url} refuses what {which} signs: {said}")),
                404 => (Kind::Mistake, format!("{url} is not there: {said}")),
                status => (Kind::Unreachable, format!("{url} answers {status}: {said}")),
            };
            findings.add(kind, check, detail);
        }
    }
    Ok(())
}

/// Notes states that the gate's operator should look at.
fn check_operations(gate: &Gate, findings: &mut Findings) {
    match gate.get("outage") {
        Ok(outage) => {
            let is = |name: &str| outage.get(name) == Some(&Value::Bool(true));
            for (name, detail) in [
                ("declared", "an outage of the payment provider is declared (PROVIDER_OUTAGE)"),
                ("detected", "the gate sees an outage of the payment provider"),
            ] {
                if is(name) {
                    findings.add(Kind::Warning, "outage", detail);
                }
            }
        }
        Err(failure) => return add_refusal(findings, "operator", &failure),
    }
    match gate.get("events?state=failed&limit=100") {
        Err(failure) => add_refusal(findings, "events", &failure),
        Ok(list) => {
            let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            let ids = items.iter().filter_map(|item| item.get("id")?.as_str());
            let ids: Vec<_> = ids.take(5).collect();
            let (kind, detail) = match items.len() {
                0 => (Kind::Good, "none has failed".to_owned()),
                count => {
                    let ids = ids.join(", ");
                    (Kind::Warning, format!("{count} have failed ({ids}): `tollgate events list`"))
                }
            };
            findings.add(kind, "events", detail);
        }
    }
}

fn add_refusal(findings: &mut Findings, check: &str, failure: &Failure) {
    let kind = if failure.is_refusal() { Kind::Mistake } else { Kind::Unreachable };
    findings.add(kind, check, failure.to_string());
}
