//! Pages before a browser, an attacker, and a reader of the documentation.

use sha2::{Digest, Sha256};
use tollgate::answer::{Answer, Asker, Format, Place, Responder};
use tollgate::cause::{Action, Cause, QuotaState, Remedy};
use tollgate::config::Brand;
use tollgate::decision::Denial;
use tollgate::plan::QuotaName;

use crate::{
    BROWSER, FORMATS, NOW, PLACE, asker, brand, denial, field, json, quota, refuse, upgrade,
};

#[test]
fn hostile_text_stays_text() {
    let hostile = "<script>alert(1)</script>\"'&\r\nSet-Cookie: a=b\u{1b}[2J";
    let brand = Brand {
        name: hostile.into(),
        color: "red;}</style><script>".into(),
        logo_url: Some("https://x.example;script-src *\"onerror=1".into()),
        ..Brand::default()
    };
    let mut denial = denial(Cause::PlanLacksEntitlement);
    denial.facts.plan = Some(hostile.into());
    denial.facts.missing = vec![hostile.into()];
    let name = QuotaName { meter: hostile.into(), ..quota().name };
    denial.quota = Some(QuotaState { name, ..quota() });
    denial.remedies = vec![
        Remedy { href: Some("javascript:alert(1)".into()), ..upgrade() },
        Remedy { href: Some("//evil.example/x".into()), ..upgrade() },
        Remedy { href: Some(format!("https://shop.example/{hostile}")), ..upgrade() },
    ];
    let place = Place { base_url: hostile, ..PLACE };
    for (accept, _) in FORMATS {
        let asker = Asker {
            path: hostile,
            host: hostile,
            origin: hostile,
            fetch_site: "same-site",
            ..asker("GET", accept)
        };
        let responder = Responder { asker, place, brand: &brand, now: NOW };
        let got = responder.denied(&denial, hostile);
        for (name, value) in &got.headers {
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
        }
        match asker.format() {
            Format::Html => {
                assert!(!without_markup(&got.body).contains("<script"), "{}", got.body);
                assert!(!got.body.contains("href=\"javascript") && !got.body.contains("href=\"//"));
                assert_eq!(got.body.matches("<style>").count(), 2);
                let policy = field(&got, "Content-Security-Policy").unwrap();
                assert!(!policy.contains("script-src") && !policy.contains("img-src"), "{policy}");
            }
            Format::Json => assert_eq!(json(&got)["support_id"], hostile),
            Format::Text => {
                assert!(!got.body.contains('\u{1b}') && !got.body.contains('\r'));
                assert!(!got.body.contains("\nSet-Cookie"));
            }
        }
    }
}

#[test]
fn the_policy_allows_the_pages_own_styles_and_logo_and_nothing_else() {
    for (cause, color) in [(Cause::QuotaExhausted, "#7a1f5c"), (Cause::Misconfigured, "")] {
        let brand = Brand { color: color.into(), ..brand() };
        let asker = asker("GET", BROWSER);
        let responder = Responder { asker, place: PLACE, brand: &brand, now: NOW };
        let denied = responder.denied(&denial(cause), "id");
        let explained = responder.explained(cause);
        let problem = responder.problem(404, "No such page.");
        for got in [denied, explained, problem] {
            let hashes: Vec<_> = got.body.split("<style>").skip(1).map(hash_source).collect();
            let expected = format!(
                "default-src 'none'; style-src {}; img-src https://cdn.example; base-uri 'none'; \
                 form-action 'self'; frame-ancestors 'none'",
                hashes.join(" ")
            );
            assert_eq!(hashes.len(), 2);
            assert_eq!(field(&got, "Content-Security-Policy"), Some(expected.as_str()));
            assert!(!got.body.contains("style="));
            assert!(!without_markup(&got.body).contains("<script"));
        }
    }
}

fn explain(cause: Cause, accept: &str) -> Answer {
    let asker = asker("GET", accept);
    Responder { asker, place: PLACE, brand: &brand(), now: NOW }.explained(cause)
}

/// A page without the one block of data that may stand in it.
fn without_markup(page: &str) -> String {
    page.replacen(PAYWALL_MARKUP, "", 1)
}

const PAYWALL_MARKUP: &str = "<script type=\"application/ld+json\">\
     {\"@context\":\"https://schema.org\",\"@type\":\"WebPage\",\"isAccessibleForFree\":false}</script>";

#[test]
fn a_page_that_asks_for_money_says_so_to_search_engines_and_no_other_does() {
    for cause in Cause::ALL {
        let page = refuse(&denial(cause), &asker("GET", BROWSER));
        let (head, body) = page.body.split_once("<body>").unwrap();
        assert_eq!(head.contains(PAYWALL_MARKUP), page.status == 402, "{}", cause.word());
        assert!(!body.contains("application/ld+json"));
        let explained = explain(cause, BROWSER);
        assert!(!explained.body.contains("application/ld+json"));
    }
    let (_, json) = PAYWALL_MARKUP.split_once('>').unwrap();
    let json = json.strip_suffix("</script>").unwrap();
    let markup: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(markup["isAccessibleForFree"], false, "a boolean, as schema.org has it");
}

/// The CSP source of the style element whose text `rest` begins with.
fn hash_source(rest: &str) -> String {
    use base64::Engine as _;
    let (sheet, _) = rest.split_once("</style>").unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(sheet));
    format!("'sha256-{hash}'")
}

#[test]
fn a_page_leads_to_the_first_remedy_and_shows_the_quota() {
    let mut denial = denial(Cause::QuotaExhausted);
    denial.remedies.push(Remedy::new(Action::ContactSupport, Some("mailto:help@example.com")));
    let page = refuse(&denial, &asker("GET", BROWSER)).body;
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(page.contains("<html lang=\"en\""));
    assert_eq!(page.matches("button primary").count(), 1);
    assert!(page.contains("<a class=\"button primary\" href=\"https://shop.example/pro\">Get Pro"));
    assert!(page.contains("href=\"mailto:help@example.com\""));
    assert!(page.contains("starts again on 1 December 2026, 00:00 UTC."));
    assert!(page.contains("max=\"1000\" value=\"1000\""));
    assert!(page.contains("1,000 of 1,000 used"));
    assert!(page.contains("<time datetime=\"2026-12-01T00:00:00Z\">"));
    assert!(page.len() < 10_000, "{} bytes", page.len());
}

#[test]
fn a_page_without_links_offers_to_try_again_but_never_repeats_a_post_as_a_get() {
    let denial = Denial::new(Cause::CheckerUnavailable);
    let page = refuse(&denial, &asker("GET", BROWSER)).body;
    assert!(page.contains("<a class=\"button primary\" href=\"\">Try again</a>"));
    assert!(page.contains("Our problem, not yours"));
    assert!(!refuse(&denial, &asker("POST", BROWSER)).body.contains("Try again</a>"));
    let page = refuse(&Denial::new(Cause::NotForSale), &asker("GET", BROWSER)).body;
    assert!(page.contains("<a href=\"\">Try again</a>") && !page.contains("button primary"));
}

#[test]
fn every_cause_is_explained_to_everybody() {
    for cause in Cause::ALL {
        let explained = |accept| explain(cause, accept);
        let body = json(&explained(""));
        let problem = json(&refuse(&denial(cause), &asker("GET", "")));
        assert_eq!(body["type"], problem["type"]);
        assert_eq!(body["title"], problem["title"]);
        for member in ["meaning", "caller", "operator"] {
            let text = body[member].as_str().unwrap();
            assert!(text.len() > 10 && text.ends_with('.'), "{}: {text}", cause.word());
            assert!(explained("text/plain").body.contains(text));
        }
        for (accept, _) in FORMATS {
            let got = explained(accept);
            assert_eq!(got.status, 200);
            assert_eq!(field(&got, "Vary"), Some("Accept, Sec-Fetch-Mode"));
            assert_eq!(field(&got, "Cache-Control"), Some("public, max-age=300"));
        }
    }
}

#[test]
fn the_gates_own_errors_are_negotiated_too() {
    let problem = |method, accept| {
        let detail = "There is nothing at <this> address.";
        let asker = asker(method, accept);
        Responder { asker, place: PLACE, brand: &brand(), now: NOW }.problem(404, detail)
    };
    let body = json(&problem("GET", "*/*"));
    let expected = serde_json::json!({
        "type": "about:blank", "title": "Not found", "status": 404,
        "detail": "There is nothing at <this> address.", "instance": "/v1/reports/42",
    });
    assert_eq!(body, expected);
    let page = problem("GET", BROWSER);
    assert_eq!(page.status, 404);
    assert!(page.body.contains("<h1>Not found</h1>") && !page.body.contains("<this>"));
    assert_eq!(problem("GET", "text/plain").body.lines().next(), Some("Not found"));
    assert_eq!(field(&page, "Cache-Control"), Some("no-store"));
    assert!(problem("HEAD", "*/*").body.is_empty());
}
