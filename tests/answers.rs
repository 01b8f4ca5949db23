//! Answers seen from outside: every cause in every format, negotiation, fields and escaping.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests: what is wrong has to be loud"
)]

#[path = "answers/fields.rs"]
mod fields;
#[path = "answers/negotiation.rs"]
mod negotiation;
#[path = "answers/pages.rs"]
mod pages;
#[path = "answers/refusal_table.rs"]
mod refusal_table;
#[path = "answers/structured_fields.rs"]
mod structured_fields;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use tollgate::allowance::Allowance;
use tollgate::answer::{Answer, Asker, Format, Place, Responder};
use tollgate::cause::{Action, Cause, QuotaState, Remedy};
use tollgate::config::Brand;
use tollgate::decision::Denial;
use tollgate::identity::AccountName;
use tollgate::plan::{Enforcement, PlanOffer, QuotaName};
use tollgate::time::Timestamp;
use tollgate::token::TokenError;

const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200 - 86_400);
const RESET: Timestamp = Timestamp::from_seconds(1_796_083_200);
const PLACE: Place<'static> =
    Place { base_url: "https://api.example", prefix: "/_tollgate/", credential_headers: "" };
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const FORMATS: [(&str, &str); 3] = [
    (BROWSER, "text/html; charset=utf-8"),
    ("", "application/problem+json"),
    ("text/plain", "text/plain; charset=utf-8"),
];

fn brand() -> Brand {
    Brand {
        name: "Northwind Data".into(),
        color: "#7a1f5c".into(),
        logo_url: Some("https://cdn.example/logo.svg?v=2".into()),
        ..Brand::default()
    }
}

fn asker<'a>(method: &'a str, accept: &'a str) -> Asker<'a> {
    let path = "/v1/reports/42?token=very-secret";
    Asker { method, accept, host: "api.example", path, ..Asker::default() }
}

fn quota() -> QuotaState {
    QuotaState {
        name: QuotaName::parse("api/month").unwrap(),
        limit: 1_000,
        used: 1_000,
        resets_at: RESET,
        window_s: 2_592_000,
        enforcement: Enforcement::Hard,
    }
}

fn upgrade() -> Remedy {
    let plan =
        PlanOffer { id: "pro".into(), name: "Pro".into(), price: Some("€20 a month".into()) };
    let href = Some("https://shop.example/pro".into());
    Remedy { action: Action::ChoosePlan, href, plan: Some(plan) }
}

/// A denial with everything that can be known about its cause.
fn denial(cause: Cause) -> Denial {
    let mut denial = Denial::new(cause);
    denial.facts.plan = Some("Starter".into());
    denial.facts.account = AccountName::parse("acme/secret-account").ok();
    denial.facts.operator_detail = Some("LEDGER binding has no namespace".into());
    denial.facts.since = Some(NOW.plus_seconds(-86_400));
    match cause {
        Cause::AllowanceExhausted
        | Cause::CostExceedsQuota
        | Cause::QuotaExhausted
        | Cause::RateLimited => denial.quota = Some(quota()),
        Cause::NotForSale | Cause::PlanLacksEntitlement => {
            denial.facts.missing = vec!["archive".into(), "exports".into()];
        }
        Cause::InvalidToken => denial.facts.token_error = Some(TokenError::Expired),
        _ => {}
    }
    match cause {
        Cause::QuotaExhausted | Cause::AllowanceExhausted => denial.retry_at = Some(RESET),
        Cause::RateLimited => denial.retry_at = Some(NOW.plus_seconds(12)),
        _ => {}
    }
    denial.remedies = vec![upgrade(), Remedy::new(Action::Wait, None)];
    denial
}

fn refuse(denial: &Denial, asker: &Asker<'_>) -> Answer {
    Responder { asker: *asker, place: PLACE, brand: &brand(), now: NOW }.denied(denial, "7c1e-42")
}

fn field<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut found = answer.headers.iter().filter(|(other, _)| *other == name);
    let value = found.next().map(|(_, value)| value.as_ref());
    assert!(found.next().is_none(), "{name} stands twice");
    value
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

/// The header fields that may not depend on the format.
fn lasting_fields(answer: &Answer) -> BTreeMap<&str, &str> {
    let of_the_format = ["Content-Type", "Content-Security-Policy"];
    let lasting = answer.headers.iter().filter(|(name, _)| !of_the_format.contains(name));
    lasting.map(|(name, value)| (*name, value.as_ref())).collect()
}

#[test]
fn every_cause_has_its_status_and_the_same_fields_in_every_format() {
    for cause in Cause::ALL {
        let denial = denial(cause);
        let first = refuse(&denial, &asker("GET", ""));
        for (accept, content_type) in FORMATS {
            let got = refuse(&denial, &asker("GET", accept));
            let head = refuse(&denial, &asker("HEAD", accept));
            assert_eq!(got.status, cause.status());
            assert_eq!(field(&got, "Content-Type"), Some(content_type));
            assert_eq!(lasting_fields(&got), lasting_fields(&first), "{}", cause.word());
            assert_eq!(field(&got, "Tollgate-Cause"), Some(cause.word()));
            assert_eq!((head.status, &head.headers), (got.status, &got.headers));
            assert!(head.body.is_empty() && !got.body.is_empty());
            let is_page = content_type.starts_with("text/html");
            assert_eq!(field(&got, "Content-Security-Policy").is_some(), is_page);
            assert!(got.body.contains("7c1e-42"), "no support id");
        }
    }
}

#[test]
fn nothing_internal_or_secret_is_told() {
    for cause in Cause::ALL {
        let denial = denial(cause);
        for (accept, _) in FORMATS {
            let got = refuse(&denial, &asker("GET", accept));
            let whole = format!("{got:?}");
            for secret in ["LEDGER", "secret-account", "very-secret"] {
                assert!(!whole.contains(secret), "{} tells {secret}", cause.word());
            }
        }
    }
}

#[test]
fn problem_details_have_every_member() {
    for cause in Cause::ALL {
        let denial = denial(cause);
        let body = json(&refuse(&denial, &asker("GET", "application/json")));
        let word = cause.word();
        assert_eq!(body["type"], format!("https://api.example/_tollgate/problems/{word}"));
        assert_eq!(body["status"], cause.status());
        assert_eq!(body["cause"], word);
        assert_eq!(body["instance"], "/v1/reports/42");
        assert_eq!(body["support_id"], "7c1e-42");
        assert!(body["title"].as_str().is_some_and(|title| title.len() > 10));
        assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.')));
        assert_eq!(body["remedies"][0]["action"], "choose-plan");
        assert_eq!(body["remedies"][0]["href"], "https://shop.example/pro");
        assert_eq!(body["remedies"][0]["plan"]["price"], "€20 a month");
        assert_eq!(body["remedies"][1], serde_json::json!({ "action": "wait" }));
        let outage = matches!(cause, Cause::CheckerUnavailable | Cause::OriginUnavailable);
        assert_eq!(body["retryable"], denial.retry_at.is_some() || outage);
        if denial.quota.is_some() {
            assert_eq!(body["violated-policies"], serde_json::json!(["api/month"]));
            let quota = serde_json::json!({
                "name": "api/month", "limit": 1_000, "used": 1_000,
                "resets_at": "2026-12-01T00:00:00Z",
            });
            assert_eq!(body["quota"], quota);
        } else {
            assert!(body.get("quota").is_none() && body.get("violated-policies").is_none());
        }
    }
}

#[test]
fn a_used_up_allowance_is_told_as_people_say_it() {
    let told = |text: &str| {
        let allowance = Allowance::parse(text).unwrap();
        let mut denial = Denial::new(Cause::AllowanceExhausted);
        denial.quota = Some(allowance.state(allowance.limit(), NOW));
        json(&refuse(&denial, &asker("GET", "")))["detail"].as_str().unwrap().to_owned()
    };
    let again = "The count starts again on 1 December 2026, 00:00 UTC.";
    assert_eq!(
        told("5 per month"),
        format!("You have used all 5 pages that are free per month. {again}")
    );
    assert_eq!(
        told("1 per month"),
        format!("You have used the 1 page that is free per month. {again}")
    );
}

#[test]
fn details_say_the_facts() {
    let told = |cause, expected: &[&str]| {
        let body = json(&refuse(&denial(cause), &asker("GET", "")));
        let detail = body["detail"].as_str().unwrap().to_owned();
        for fact in expected {
            assert!(detail.contains(fact), "{detail:?} lacks {fact:?}");
        }
    };
    told(Cause::QuotaExhausted, &["1,000 api units", "Starter", "per month", "1 December 2026"]);
    told(Cause::AllowanceExhausted, &["1,000 api units that are free", "1 December 2026"]);
    told(Cause::PlanLacksEntitlement, &["archive and exports", "Starter"]);
    told(Cause::NotForSale, &["archive and exports"]);
    told(Cause::PaymentFailed, &["Starter", "29 November 2026"]);
    told(Cause::CardExpired, &["card on file has expired", "29 November 2026"]);
    told(Cause::TrialEnded, &["Starter", "29 November 2026"]);
    told(Cause::SubscriptionExpired, &["Starter", "29 November 2026"]);
    told(Cause::RateLimited, &["in 12 seconds"]);
    told(Cause::InvalidToken, &["has expired"]);
    for ours in [Cause::CheckerUnavailable, Cause::Misconfigured, Cause::OriginUnavailable] {
        told(ours, &["Nothing is wrong with your account or your payment"]);
    }

    let mut nearly = denial(Cause::QuotaExhausted);
    nearly.quota = Some(QuotaState { used: 997, ..quota() });
    let body = json(&refuse(&nearly, &asker("GET", "")));
    assert!(body["detail"].as_str().unwrap().starts_with("You have 3 left of the 1,000"));
}

#[test]
fn every_cause_makes_sense_with_nothing_known() {
    for cause in Cause::ALL {
        for (accept, _) in FORMATS {
            let got = refuse(&Denial::new(cause), &asker("GET", accept));
            assert!(!got.body.contains("  ") || accept == BROWSER, "{}", got.body);
            assert!(!got.body.contains("None") && got.body.len() > 100);
        }
    }
}

#[test]
fn the_instance_is_a_path_of_this_host_without_its_query() {
    let denial = denial(Cause::NoSubscription);
    let instance =
        |path| json(&refuse(&denial, &Asker { path, ..asker("GET", "") }))["instance"].clone();
    assert_eq!(instance("/a/b?token=x"), "/a/b");
    assert_eq!(instance("/a/b#token"), "/a/b");
    assert_eq!(instance("//evil.example/x"), "/.//evil.example/x");
    assert_eq!(instance("/\\evil \u{e4}"), "/%5Cevil%20%C3%A4");
    let long = format!("/{}", "\u{e4}".repeat(5_000));
    assert!(instance(&long).as_str().unwrap().len() < 4_000);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_and_any_clock_gets_a_whole_answer(
        cause in proptest::sample::select(Cause::ALL.to_vec()),
        (path, accept, origin, plan) in (any::<String>(), any::<String>(), any::<String>(), any::<String>()),
        (limit, used, window_s) in any::<(u64, u64, u64)>(),
        (now, resets, retry) in any::<(i64, i64, i64)>(),
    ) {
        let mut denial = denial(cause);
        denial.facts.plan = Some(plan.clone());
        denial.retry_at = Some(Timestamp::from_millis(retry));
        let resets_at = Timestamp::from_millis(resets);
        let name = QuotaName { meter: plan, ..quota().name };
        denial.quota = Some(QuotaState { name, limit, used, resets_at, window_s, ..quota() });
        for accept in [accept.as_str(), BROWSER, "text/plain", "application/json"] {
            let asker = Asker { accept, origin: &origin, path: &path, ..asker("GET", "") };
            let now = Timestamp::from_millis(now);
            let brand = brand();
            let responder = Responder { asker, place: PLACE, brand: &brand, now };
            let got = responder.denied(&denial, &path);
            prop_assert!(!got.body.is_empty());
            for (name, value) in &got.headers {
                prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", name);
            }
            for name in ["RateLimit", "RateLimit-Policy"] {
                let value = field(&got, name).unwrap();
                prop_assert_eq!(structured_fields::parse_list(value).unwrap().len(), 1);
            }
            if asker.format() == Format::Json {
                prop_assert!(json(&got)["cause"] == cause.word());
            }
        }
    }
}
