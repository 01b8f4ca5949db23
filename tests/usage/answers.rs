//! The answers, as JSON, text and a page.

use serde_json::{Value, json};
use tollgate::answer::{self, Answer, Asker, Place, Responder};
use tollgate::config::Brand;
use tollgate::quota::CreditPack;
use tollgate::time::Timestamp;
use tollgate::usage::AccountUsage;

use crate::{Isolate, NOW, shown, token, usage, vars};

pub(crate) fn pack(left: u64, expires_at: Option<Timestamp>) -> CreditPack {
    CreditPack { id: "invoice-17".into(), units: 500, left, added_at: NOW, expires_at }
}

fn told(isolate: &mut Isolate, used: [u64; 3], credits: Vec<CreditPack>) -> AccountUsage {
    let mut counts = usage(&isolate.config, used, "null");
    counts.credits = credits;
    shown(isolate.told(&token("{}"), counts))
}

fn answer(isolate: &Isolate, told: &AccountUsage, asker: Asker<'_>) -> Answer {
    let place = Place {
        base_url: "https://api.example",
        prefix: "/_tollgate/",
        credential_headers: "x-api-key",
    };
    let asker = Asker { host: "api.example", path: "/_tollgate/usage", ..asker };
    Responder { asker, place, brand: &isolate.config.brand, now: NOW }.usage(told)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(other, _)| *other == name);
    found.map(|(_, value)| value.as_ref())
}

#[test]
fn json_has_all_of_it() {
    let mut isolate = Isolate::new(&vars());
    let credits = vec![pack(200, Some(NOW.plus_seconds(60))), pack(300, None)];
    let told = told(&mut isolate, [3, 4, 6], credits);
    let answer = answer(&isolate, &told, Asker { method: "GET", ..Asker::default() });
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "Content-Type"), Some("application/json"));
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    assert!(header(&answer, "Vary").unwrap().ends_with(", x-api-key"));
    let policy =
        r#""api/month";r=7;t=2678400, "api/day/member";r=0;t=86400, "tokens/hour";r=0;t=3600"#;
    assert_eq!(header(&answer, "RateLimit"), Some(policy));
    let notices = concat!(
        r#"quota-near-limit;quota="api/day/member";percent=90, "#,
        r#"soft-quota-passed;quota="tokens/hour""#,
    );
    assert_eq!(header(&answer, "Tollgate-Notice"), Some(notices));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        body,
        json!({
            "plan": { "id": "free", "name": "Free <b>" },
            "notices": [
                { "notice": "quota-near-limit", "quota": "api/day/member", "percent": 90 },
                { "notice": "soft-quota-passed", "quota": "tokens/hour" },
            ],
            "quotas": [
                { "name": "api/month", "meter": "api", "meter_name": "API calls", "limit": 10, "used": 3,
                  "left": 7, "resets_at": "2027-01-01T00:00:00Z", "window_s": 2_678_400, "enforcement": "hard" },
                { "name": "api/day/member", "meter": "api", "meter_name": "API calls", "limit": 4, "used": 4,
                  "left": 0, "resets_at": "2026-12-02T00:00:00Z", "window_s": 86_400, "enforcement": "hard" },
                { "name": "tokens/hour", "meter": "tokens", "meter_name": "tokens", "limit": 5, "used": 6,
                  "left": 0, "resets_at": "2026-12-01T01:00:00Z", "window_s": 3_600, "enforcement": "soft" },
            ],
            "credits": [
                { "left": 200, "expires_at": "2026-12-01T00:01:00Z" },
                { "left": 300, "expires_at": null },
            ],
            "credits_left": 500,
        })
    );
}

#[test]
fn json_says_what_is_in_the_way() {
    let mut isolate = Isolate::new(&vars());
    let told = told(&mut isolate, [10, 1, 0], Vec::new());
    let answer = answer(&isolate, &told, Asker::default());
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["cause"], "quota-exhausted");
    assert_eq!(body["remedies"][0]["href"], "https://g.example/buy/pro");
    assert_eq!(answer.status, 200, "that is no refusal of this request");
    assert_eq!(header(&answer, "Tollgate-Cause"), None);
}

#[test]
fn text_is_for_a_terminal() {
    let mut isolate = Isolate::new(&vars());
    let credits = vec![pack(200, Some(NOW.plus_seconds(86_400))), pack(1, None)];
    let told = told(&mut isolate, [3, 4, 6], credits);
    let answer = answer(&isolate, &told, Asker { accept: "text/plain", ..Asker::default() });
    let expected = "\
Free <b>

API calls per month: 3 of 10 used. 7 left. Starts again on 1 January 2027, 00:00 UTC.
API calls per day, your own: 4 of 4 used. Used up: further requests are paid with your credits. Starts again on 2 December 2026, 00:00 UTC.
tokens per hour: 6 of 5 used. 1 beyond the limit, which is counted and not refused. Starts again in 60 minutes.
Credits: 201 units in all.
Credits: 200 units until 2 December 2026, 00:00 UTC.
Credits: 1 unit without an end.

- See plans: https://g.example/plans
- Your account: https://g.example/account
- Contact support: mailto:help@g.example
";
    assert_eq!(answer.body, expected);
}

#[test]
fn text_says_what_is_in_the_way() {
    let mut isolate = Isolate::new(&vars());
    let told = told(&mut isolate, [10, 1, 0], Vec::new());
    let answer = answer(&isolate, &told, Asker { accept: "text/plain", ..Asker::default() });
    assert!(answer.body.contains("\nYour plan's limit is reached. You have used all 10 api units"));
    assert!(
        answer
            .body
            .contains("API calls per month: 10 of 10 used. Used up: further requests are refused.")
    );
    assert!(answer.body.contains("\n- Choose the plan Pro (€20): https://g.example/buy/pro\n"));
}

#[test]
fn the_page_escapes_and_links() {
    let mut isolate = Isolate::new(&vars());
    let told = told(&mut isolate, [10, 1, 0], Vec::new());
    let answer = answer(&isolate, &told, Asker { fetch_mode: "navigate", ..Asker::default() });
    assert_eq!(header(&answer, "Content-Type"), Some("text/html; charset=utf-8"));
    assert!(header(&answer, "Content-Security-Policy").unwrap().starts_with("default-src 'none'"));
    let page = &answer.body;
    assert!(page.contains("<h1>Free &#60;b&#62;</h1>"), "{page}");
    assert!(!page.contains("<script") && !page.contains("style="));
    assert_eq!(page.matches("<progress ").count(), 3);
    assert!(
        page.contains(
            r#"<time datetime="2027-01-01T00:00:00Z">on 1 January 2027, 00:00 UTC</time>"#
        )
    );
    let hrefs: Vec<_> =
        page.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let expected = [
        "https://g.example/buy/pro",
        "https://g.example/plans",
        "https://g.example/account",
        "mailto:help@g.example",
        "",
    ];
    assert_eq!(hrefs, expected, "each place once, the way out first");
}

#[test]
fn head_gets_the_same_header_fields() {
    let mut isolate = Isolate::new(&vars());
    let told = told(&mut isolate, [1, 1, 1], Vec::new());
    let get = answer(&isolate, &told, Asker { method: "GET", ..Asker::default() });
    let head = answer(&isolate, &told, Asker { method: "HEAD", ..Asker::default() });
    assert_eq!((head.headers, head.body.as_str()), (get.headers, ""));
}

#[test]
fn pages_elsewhere_may_ask_with_a_credential_of_their_own() {
    let asker = Asker { origin: "https://app.example", ..Asker::default() };
    let place = Place {
        base_url: "https://api.example",
        prefix: "/_tollgate/",
        credential_headers: "x-api-key",
    };
    let brand = Brand::default();
    let answer = Responder { asker, place, brand: &brand, now: NOW }.usage_preflight();
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(header(&answer, "Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(header(&answer, "Access-Control-Allow-Headers"), Some("Authorization, x-api-key"));
    assert_eq!(header(&answer, "Access-Control-Allow-Credentials"), None);
}

#[test]
fn operators_see_whole_packs() {
    let told = answer::credits_json(&[pack(200, Some(NOW.plus_ms(1))), pack(0, None)]);
    let body: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        body["packs"],
        json!([
            { "id": "invoice-17", "units": 500, "left": 200, "added_at": "2026-12-01T00:00:00Z", "expires_at": "2026-12-01T00:00:00.001Z" },
            { "id": "invoice-17", "units": 500, "left": 0, "added_at": "2026-12-01T00:00:00Z", "expires_at": null },
        ])
    );
}
