//! The table of the gate's own endpoints, held against the guide and against the operators' table;
//! and the answers that the router and the plain endpoints give.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]

#[path = "support/bindings.rs"]
mod bindings;

use serde_json::{Value, json};
use tollgate::admin::OPERATIONS;
use tollgate::answer::{Answer, Asker, Place, Responder};
use tollgate::config::{Brand, Config};
use tollgate::endpoint::{Access, ENDPOINTS, Endpoint, Input, Method, Output, Refusal, route};
use tollgate::hosted_page::{End, Unavailable};
use tollgate::request::RequestFacts;
use tollgate::time::Timestamp;

use bindings::Vars;

#[test]
fn the_guide_lists_exactly_the_endpoints_there_are() {
    let guide = include_str!("../docs/operations.md");
    let head = "| endpoint | for | input | output | answers |\n| --- | --- | --- | --- | --- |\n";
    let (_, table) = guide.split_once(head).unwrap();
    let rows = table.lines().take_while(|line| line.starts_with("| "));
    let listed: Vec<_> = rows.map(|row| row.rsplit_once(" | ").unwrap().0.to_owned()).collect();
    let expected: Vec<_> = ENDPOINTS
        .iter()
        .map(|row| {
            let method = match row.method {
                Method::Get => "GET ",
                Method::Post => "POST ",
                Method::OfOperation => "",
            };
            let callers = match row.access {
                Access::Everybody => "everybody",
                Access::Caller => "callers",
                Access::Provider => "the payment provider",
                Access::Operator => "operators",
            };
            let input = match row.input {
                Input::None => "–".to_owned(),
                Input::Query(names) => {
                    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                }
                Input::Event => "event".to_owned(),
                Input::OfOperation => "of the operation".to_owned(),
            };
            let output = match row.output {
                Output::Json => "JSON",
                Output::Negotiated => "page, JSON or text",
                Output::Redirection => "redirection or JSON",
                Output::OfOperation => "of the operation",
            };
            format!("| `{method}{}` | {callers} | {input} | {output}", row.path)
        })
        .collect();
    assert_eq!(listed, expected, "in this order");
}

#[test]
fn every_operation_of_operators_is_routed_to_their_table() {
    for operation in OPERATIONS {
        let facts = facts(operation.method, operation.path);
        assert_eq!(route(&facts, PREFIX), Ok(Endpoint::Operation(operation.path)));
    }
    let others = ENDPOINTS.iter().filter(|row| row.access != Access::Operator);
    assert!(others.into_iter().all(|row| !row.path.starts_with("admin")));
}

/// Names that the query of an endpoint reads change what it is asked; no others do.
#[test]
fn each_query_is_read_by_the_names_in_the_table() {
    let names = ["return=/a", "attempt=3", "plan=team"];
    for row in ENDPOINTS.iter().filter(|row| row.access == Access::Caller) {
        let method = if row.method == Method::Post { "POST" } else { "GET" };
        let base = format!("{}?plan=pro", row.path);
        let plain = facts(method, &base);
        for pair in names {
            let name = pair.split('=').next().unwrap();
            let with = facts(method, &format!("{}?{pair}&plan=pro", row.path));
            let is_read = route(&with, PREFIX) != route(&plain, PREFIX);
            let is_listed = matches!(row.input, Input::Query(listed) if listed.contains(&name));
            assert_eq!(is_read, is_listed, "{} {pair}", row.path);
        }
    }
}

#[test]
fn health_shows_warnings_or_mistakes() {
    let config = Config::parse(&vars()).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let answer = asked("GET", |responder| responder.health(Ok(&config)));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "{\n  \"status\": \"ok\",\n  \"warnings\": []\n}\n");
    let headers: Vec<_> =
        answer.headers.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let expected = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    assert_eq!(headers, expected);

    let invalid = Config::parse(&vars().with("ROUTES", json!([]))).unwrap_err();
    let answer = asked("GET", |responder| responder.health(Err(&invalid)));
    assert_eq!(answer.status, 503);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["status"], "misconfigured");
    assert_eq!(body["mistakes"][0]["variable"], "ROUTES");
    let head = asked("HEAD", |responder| responder.health(Err(&invalid)));
    assert_eq!((head.status, head.headers, head.body.as_str()), (503, answer.headers, ""));
}

#[test]
fn the_key_set_holds_public_halves_alone() {
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "k1",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let config = Config::parse(&vars().with("ASSERTION_KEY", json!(key.to_string()))).unwrap();
    let answer = asked("GET", |responder| responder.key_set(Some(&config)));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["keys"][0]["kid"], "k1");
    assert_eq!(body["keys"][0].get("d"), None);
    assert_eq!(header(&answer, "Cache-Control"), Some("public, max-age=300"));
    let plain = Config::parse(&vars()).unwrap();
    for config in [None, Some(&plain)] {
        let answer = asked("GET", |responder| responder.key_set(config));
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"keys":[]}"#));
    }
}

#[test]
fn a_refusal_is_a_problem_with_the_methods_that_work() {
    let answer = asked("PUT", |responder| {
        responder.refused(&route(&facts("PUT", "usage"), PREFIX).unwrap_err())
    });
    assert_eq!((answer.status, header(&answer, "Allow")), (405, Some("GET, HEAD")));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["detail"], "Only GET and HEAD work here.");
    let answer = asked("GET", |responder| responder.refused(&Refusal::NoEndpoint));
    assert_eq!((answer.status, header(&answer, "Allow")), (404, None));
}

#[test]
fn the_end_of_a_visit_is_a_way_or_a_problem() {
    let of = |end: End| {
        let answer = asked("GET", |responder| responder.hosted_page(&end));
        let retry_after = header(&answer, "Retry-After").map(str::to_owned);
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        (answer.status, retry_after, body["detail"].as_str().unwrap_or_default().to_owned())
    };
    let seconds = |number: &str| Some(number.to_owned());
    assert_eq!(of(End::LeadTo("https://a.example/".to_owned())), (200, None, String::new()));
    assert_eq!(of(End::Nothing), (204, None, String::new()));
    assert_eq!(of(End::NoPlan), (404, None, "There is no such plan.".to_owned()));
    assert_eq!(of(End::NotOnSale), (404, None, "This plan is not on sale.".to_owned()));
    let (status, retry_after, detail) = of(End::TooMany { retry_after_s: 50 });
    assert_eq!((status, retry_after), (429, seconds("50")));
    assert!(detail.contains("Nothing is wrong with your account"), "{detail}");
    for (reason, start) in [
        (Unavailable::NoPage, "There is no page for this at the moment."),
        (Unavailable::ProviderSilent, "Our payment provider does not answer at the moment."),
    ] {
        let (status, retry_after, detail) = of(End::Unavailable(reason));
        assert_eq!((status, retry_after), (503, seconds("30")));
        assert!(detail.starts_with(start), "{detail}");
    }
}

const PREFIX: &str = "/_tollgate/";

fn facts(method: &str, path: &str) -> RequestFacts {
    let lines = format!("{method}\nhttps://a.example{PREFIX}{path}\n\n\n");
    RequestFacts::from_lines(&lines).unwrap()
}

fn asked(method: &str, answer: impl Fn(&Responder<'_>) -> Answer) -> Answer {
    let place = Place { base_url: "https://a.example", prefix: PREFIX, credential_headers: "" };
    let asker = Asker { method, path: "/_tollgate/x", ..Asker::default() };
    let (brand, now) = (Brand::default(), Timestamp::from_seconds(1_796_083_200));
    answer(&Responder { asker, place, brand: &brand, now })
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(found, _)| *found == name);
    found.map(|(_, value)| value.as_ref())
}

fn vars() -> Vars {
    Vars::default()
        .with_objects()
        .with("ORIGIN", json!("https://o.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
}
