//! The header fields of denials and of passed requests.

use tollgate::answer::{self, Asker, Place, Responder};
use tollgate::cause::{Cause, Notice, QuotaState};
use tollgate::config::Brand;
use tollgate::decision::Degraded;
use tollgate::plan::QuotaName;

use crate::structured_fields::{self, Bare, Item};
use crate::{NOW, PLACE, RESET, asker, brand, denial, field, quota, refuse};

#[test]
fn retry_after_stands_only_where_waiting_helps() {
    for cause in Cause::ALL {
        let denial = denial(cause);
        let got = refuse(&denial, &asker("GET", ""));
        let seconds = match cause {
            Cause::QuotaExhausted | Cause::AllowanceExhausted => Some("86400"),
            Cause::RateLimited => Some("12"),
            _ => None,
        };
        assert_eq!(field(&got, "Retry-After"), seconds, "{}", cause.word());
    }
    let mut late = denial(Cause::RateLimited);
    late.retry_at = Some(NOW.plus_seconds(-5));
    assert_eq!(field(&refuse(&late, &asker("GET", "")), "Retry-After"), Some("1"));
}

#[test]
fn a_challenge_stands_on_401_alone_and_names_an_error_only_for_a_bad_token() {
    for cause in Cause::ALL {
        let got = refuse(&denial(cause), &asker("GET", ""));
        let expected = match cause {
            Cause::SignInRequired => Some("Bearer realm=\"Northwind Data\""),
            Cause::InvalidToken => Some(
                "Bearer realm=\"Northwind Data\", error=\"invalid_token\", \
                 error_description=\"The token has expired.\"",
            ),
            Cause::CredentialRevoked => Some(
                "Bearer realm=\"Northwind Data\", error=\"invalid_token\", \
                 error_description=\"The token was revoked.\"",
            ),
            _ => None,
        };
        assert_eq!(field(&got, "WWW-Authenticate"), expected);
    }
    let foreign = Brand { name: "Käse \"& Co\"".into(), ..Brand::default() };
    let denial = denial(Cause::SignInRequired);
    let asker = asker("GET", "");
    let responder = Responder { asker, place: PLACE, brand: &foreign, now: NOW };
    let got = responder.denied(&denial, "id");
    assert_eq!(field(&got, "WWW-Authenticate"), Some("Bearer realm=\"api.example\""));
}

#[test]
fn an_answer_is_never_stored_and_varies_on_what_it_reads() {
    let vary = "Accept, Authorization, Cookie, Origin, Sec-Fetch-Mode, Sec-Fetch-Site";
    for cause in Cause::ALL {
        let got = refuse(&denial(cause), &asker("GET", ""));
        assert_eq!(field(&got, "Cache-Control"), Some("no-store"));
        assert_eq!(field(&got, "Vary"), Some(vary));
        let link =
            format!("<https://api.example/_tollgate/problems/{}>; rel=\"help\"", cause.word());
        assert_eq!(field(&got, "Link"), Some(link.as_str()));
        assert_eq!(field(&got, "Content-Language"), Some("en"));
        assert_eq!(field(&got, "X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(field(&got, "X-Robots-Tag"), Some("noindex"));
    }
    let place = Place { credential_headers: "x-api-key", ..PLACE };
    let denial = denial(Cause::NoSubscription);
    let brand = brand();
    let responder = Responder { asker: asker("GET", ""), place, brand: &brand, now: NOW };
    let got = responder.denied(&denial, "id");
    assert_eq!(field(&got, "Vary"), Some(format!("{vary}, x-api-key").as_str()));
}

#[test]
fn scripts_of_the_same_site_may_read_an_answer_to_their_cookies_and_others_may_not() {
    let denial = denial(Cause::QuotaExhausted);
    let cors = |origin, fetch_site| {
        let got = refuse(&denial, &Asker { origin, fetch_site, ..asker("GET", "") });
        let exposed = field(&got, "Access-Control-Expose-Headers").map(str::to_owned);
        let allowed = field(&got, "Access-Control-Allow-Origin").map(str::to_owned);
        let with_cookies = field(&got, "Access-Control-Allow-Credentials") == Some("true");
        (allowed, with_cookies, exposed)
    };
    assert_eq!(cors("", "none"), (None, false, None));
    let (allowed, with_cookies, exposed) = cors("https://app.example", "same-site");
    assert_eq!((allowed.as_deref(), with_cookies), (Some("https://app.example"), true));
    for name in ["RateLimit", "Retry-After", "Tollgate-Cause", "WWW-Authenticate", "Link"] {
        assert!(exposed.as_deref().unwrap().split(", ").any(|other| other == name), "{name}");
    }
    for (origin, site) in [
        ("https://evil.example", "cross-site"),
        ("https://app.example", ""),
        ("null", "cross-site"),
        ("null", "same-site"),
        ("https://a.example\r\nX: y", "same-site"),
        ("https://a.example, https://b.example", "same-site"),
    ] {
        let (allowed, with_cookies, _) = cors(origin, site);
        assert_eq!((allowed.as_deref(), with_cookies), (Some("*"), false), "{origin:?}");
    }
}

fn name(text: &str) -> QuotaName {
    QuotaName::parse(text).unwrap()
}

#[test]
fn quota_fields_are_structured_fields_with_every_quota() {
    let day = QuotaState {
        name: name("we\"ird\\ n\u{e4}me/day"),
        limit: u64::MAX,
        used: 3,
        window_s: 86_400,
        ..quota()
    };
    let headers = answer::passed_headers(&[quota(), day], &[], None, NOW);
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["RateLimit", "RateLimit-Policy"]);
    assert!(headers[0].1.starts_with("\"api/month\";r=0;t=86400, "), "{}", headers[0].1);
    assert!(headers[1].1.starts_with("\"api/month\";q=1000;w=2592000, "));

    let left = structured_fields::parse_list(&headers[0].1).unwrap();
    let policies = structured_fields::parse_list(&headers[1].1).unwrap();
    assert_eq!(left[1].bare, Bare::String("we\"ird\\ n?me/day".into()));
    assert_eq!(left[1].parameters["r"], Bare::Integer(999_999_999_999_999));
    assert_eq!(left[1].parameters["t"], Bare::Integer(86_400));
    assert_eq!(policies[1].parameters["q"], Bare::Integer(999_999_999_999_999));
    assert_eq!(policies[1].parameters["w"], Bare::Integer(86_400));

    let denied = refuse(&denial(Cause::QuotaExhausted), &asker("GET", ""));
    assert_eq!(field(&denied, "RateLimit"), Some("\"api/month\";r=0;t=86400"));
    assert_eq!(field(&denied, "RateLimit-Policy"), Some("\"api/month\";q=1000;w=2592000"));
    let other = refuse(&denial(Cause::PaymentFailed), &asker("GET", ""));
    assert_eq!((field(&other, "RateLimit"), field(&other, "RateLimit-Policy")), (None, None));
}

#[test]
fn a_passed_request_is_told_its_notices_and_that_it_was_not_checked() {
    assert_eq!(answer::passed_headers(&[], &[], None, NOW), []);
    let notices = [
        Notice::PaymentGrace { until: RESET },
        Notice::ProviderOutage,
        Notice::QuotaNearLimit { quota: name("api/day/member"), percent: 95 },
        Notice::SoftQuotaPassed { quota: name("api/month") },
        Notice::SubscriptionEnding { at: RESET },
    ];
    let headers = answer::passed_headers(&[], &notices, Some(Degraded::CheckerUnavailable), NOW);
    assert_eq!(headers[1], ("Tollgate-Degraded", "checker-unavailable".into()));
    assert_eq!(headers[0].0, "Tollgate-Notice");
    assert!(headers[0].1.starts_with("payment-grace;until=\"2026-12-01T00:00:00Z\", "));
    let items = structured_fields::parse_list(&headers[0].1).unwrap();
    let words: Vec<_> = items.iter().map(|Item { bare, .. }| bare.clone()).collect();
    let expected = [
        "payment-grace",
        "provider-outage",
        "quota-near-limit",
        "soft-quota-passed",
        "subscription-ending",
    ];
    assert_eq!(words, expected.map(|word| Bare::Token(word.into())));
    assert_eq!(items[2].parameters["quota"], Bare::String("api/day/member".to_owned()));
    assert_eq!(items[2].parameters["percent"], Bare::Integer(95));
    assert_eq!(items[3].parameters["quota"], Bare::String("api/month".to_owned()));
}
