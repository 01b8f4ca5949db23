use super::*;

const PREFIX: &str = "/_tollgate/";

fn facts(method: &str, target: &str) -> RequestFacts {
    RequestFacts::from_lines(&format!("{method}\nhttps://a.example{target}\n\n\n")).unwrap()
}

/// `GET health`: the method, and the path below the prefix with its query.
fn routed(request: &str) -> Result<Endpoint<'static>, Refusal> {
    let (method, rest) = request.split_once(' ').unwrap();
    let facts = Box::leak(Box::new(facts(method, &[PREFIX, rest].concat())));
    route(facts, PREFIX)
}

fn status(path: &str, attempt: usize) -> Endpoint<'static> {
    let path = ReturnPath::new(path, PREFIX).unwrap();
    Endpoint::Account(AccountEndpoint::Status { path, attempt })
}

fn hosted(page: HostedPage, path: &str) -> Endpoint<'static> {
    let path = ReturnPath::new(path, PREFIX).unwrap();
    Endpoint::Account(AccountEndpoint::HostedPage { page, path })
}

/// A right path of each row, in their order.
const EXAMPLES: [&str; 10] = [
    "health",
    "jwks.json",
    "problems/payment-required",
    "usage",
    "status",
    "refresh",
    "billing/portal",
    "billing/checkout?plan=pro",
    "webhooks/stripe",
    "admin/outage",
];
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "get", "post"];

#[test]
fn each_row_is_found_by_its_own_path_alone() {
    assert_eq!(EXAMPLES.len(), ENDPOINTS.len());
    for (row, example) in ENDPOINTS.iter().zip(EXAMPLES) {
        let path = example.split('?').next().unwrap();
        let found = ENDPOINTS.iter().filter(|other| other.parameter(path).is_some());
        assert_eq!(found.map(|row| row.path).collect::<Vec<_>>(), [row.path]);
    }
}

#[test]
fn each_row_leads_to_its_endpoint() {
    let plan = "pro".to_owned();
    let endpoints = [
        Endpoint::Health,
        Endpoint::KeySet,
        Endpoint::Explanation(Cause::PaymentRequired),
        Endpoint::Account(AccountEndpoint::Usage),
        status("/", 0),
        status("/", 0),
        hosted(HostedPage::Portal, "/"),
        hosted(HostedPage::Checkout { plan }, "/"),
        Endpoint::Webhook("stripe"),
        Endpoint::Operation("admin/outage"),
    ];
    for ((row, example), endpoint) in ENDPOINTS.iter().zip(EXAMPLES).zip(endpoints) {
        let methods: &[&str] = match row.method {
            Method::Get => &["GET", "HEAD"],
            Method::Post => &["POST"],
            Method::OfOperation => &METHODS,
        };
        for method in methods {
            assert_eq!(routed(&format!("{method} {example}")), Ok(endpoint.clone()), "{example}");
        }
        let is_gates = matches!(endpoint, Endpoint::Account(_));
        assert_eq!(is_gates, row.access == Access::Caller, "{example}");
    }
}

#[test]
fn every_other_method_is_refused_as_its_row_says() {
    for (row, example) in ENDPOINTS.iter().zip(EXAMPLES) {
        for method in METHODS.into_iter().filter(|method| !row.method.is(method)) {
            let found = routed(&format!("{method} {example}"));
            match row.path {
                "webhooks/{provider}" => assert_eq!(found, Ok(Endpoint::Webhook("stripe"))),
                "problems/{cause}" => assert_eq!(found, Err(Refusal::NoEndpoint)),
                "refresh" => {
                    let refusal = found.unwrap_err();
                    assert_eq!((refusal.status(), refusal.allow()), (405, Some("POST")));
                    assert_eq!(refusal.detail(), "Only POST works here.");
                }
                path => {
                    let refusal = found.unwrap_err();
                    let is_405 = (refusal.status(), refusal.allow()) == (405, Some("GET, HEAD"));
                    assert!(is_405, "{method} {path}: {refusal:?}");
                    assert_eq!(refusal.detail(), "Only GET and HEAD work here.");
                }
            }
        }
    }
}

#[test]
fn a_wrong_method_comes_before_a_wrong_query() {
    for path in ["status", "refresh", "billing/portal", "billing/checkout"] {
        let refusal = routed(&format!("PUT {path}?return=//evil.example")).unwrap_err();
        assert_eq!(refusal.status(), 405, "{path}");
    }
}

#[test]
fn what_is_no_endpoint_is_404() {
    let others = [
        "",
        "nope",
        "health/",
        "healthy",
        "Health",
        "problems",
        "webhooks",
        "administrator",
        "usage/",
        "usage/x",
        "billing",
        "billing/",
        "billing/portal/",
        "refresh/",
        "status/x",
        "drill/panic",
        "jwks.json/",
        "JWKS.JSON",
    ];
    for path in others {
        for method in METHODS {
            assert_eq!(routed(&format!("{method} {path}")), Err(Refusal::NoEndpoint), "{path}");
        }
    }
    assert_eq!(Refusal::NoEndpoint.status(), 404);
    assert_eq!(Refusal::NoEndpoint.detail(), "The gate has no such endpoint.");
}

#[test]
fn an_endpoint_is_spelled_in_one_way() {
    for target in ["/_TOLLGATE/health", "//_tollgate/health", "/%5ftollgate/health", "/health"] {
        assert_eq!(route(&facts("GET", target), PREFIX), Err(Refusal::NoEndpoint), "{target}");
    }
    assert_eq!(route(&facts("GET", "/.gate/health"), "/.gate/"), Ok(Endpoint::Health));
    assert_eq!(route(&facts("GET", "/_tollgate"), PREFIX), Err(Refusal::NoEndpoint));
    for facts in [facts("GET", "/_tollgate/%zz"), RequestFacts::default()] {
        let refusal = route(&facts, PREFIX).unwrap_err();
        assert_eq!((refusal, refusal.status()), (Refusal::UnreadablePath, 400));
        let detail = "The path can't be read: servers disagree about what it means.";
        assert_eq!(refusal.to_string(), detail);
    }
}

#[test]
fn parameters_are_the_rest_of_the_path() {
    for word in ["", "nope", "Payment-Required", "payment-required/", "payment-required/x"] {
        let refusal = routed(&format!("GET problems/{word}")).unwrap_err();
        assert_eq!((refusal, refusal.status()), (Refusal::NoProblemType, 404), "{word}");
        assert_eq!(refusal.detail(), "There is no problem type of this name.");
    }
    for word in ["", "stripe/", "nope"] {
        assert_eq!(routed(&format!("POST webhooks/{word}")), Ok(Endpoint::Webhook(word)));
    }
    for path in ["admin", "admin/", "admin/accounts/-/a%2Fb"] {
        assert_eq!(routed(&format!("PUT {path}")), Ok(Endpoint::Operation(path)));
    }
}

#[test]
fn a_preflight_is_answered_where_pages_of_other_origins_read() {
    let preflight = |path: &str, origin: &str, method: &str| {
        let url = format!("https://a.example{PREFIX}{path}");
        let lines = format!("OPTIONS\n{url}\n{origin}\n{method}\n");
        let facts = RequestFacts::from_lines(&lines).unwrap();
        route(&facts, PREFIX).map(|endpoint| endpoint == Endpoint::Preflight)
    };
    for (row, example) in ENDPOINTS.iter().zip(EXAMPLES) {
        let found = preflight(example, "https://app.example", "GET");
        let is_read = ["usage", "status"].contains(&row.path);
        assert_eq!(found == Ok(true), is_read, "{example}: {found:?}");
        assert_eq!(
            preflight(example, "", ""),
            routed(&format!("OPTIONS {example}")).map(|_| false)
        );
    }
}

#[test]
fn queries_are_read_by_their_names() {
    assert_eq!(routed("GET status?return=/a%3Fb&attempt=3"), Ok(status("/a?b", 3)));
    assert_eq!(routed("POST refresh?attempt=7&x=y"), Ok(status("/", 7)));
    for attempt in ["", "-1", "x", "99999999999999999999999"] {
        assert_eq!(routed(&format!("GET status?attempt={attempt}")), Ok(status("/", 0)));
    }
    let page = HostedPage::Checkout { plan: "a b".to_owned() };
    assert_eq!(routed("GET billing/checkout?plan=a+b&return=/c"), Ok(hosted(page, "/c")));
    assert_eq!(routed("HEAD billing/portal?return=/c"), Ok(hosted(HostedPage::Portal, "/c")));
    assert_eq!(
        routed("GET usage?return=//evil.example"),
        Ok(Endpoint::Account(AccountEndpoint::Usage))
    );
}

#[test]
fn a_wrong_query_is_refused_with_what_would_be_right() {
    let path = "The query: expected a path of this site, such as return=/articles/1.";
    let plan = "The query: expected the id of a plan, such as plan=pro.";
    for (request, detail) in [
        ("GET status?return=//evil.example", path),
        ("POST refresh?return=/_tollgate/status", path),
        ("GET billing/portal?return=https://evil.example/", path),
        ("HEAD billing/checkout?plan=pro&return=x", path),
        ("GET billing/checkout?return=x", path),
        ("GET billing/checkout", plan),
        ("GET billing/checkout?plan", plan),
        ("GET billing/checkout?plan=%ff", plan),
    ] {
        let refusal = routed(request).unwrap_err();
        assert_eq!((refusal.status(), &*refusal.detail()), (400, detail), "{request}");
        assert_eq!((refusal.code(), refusal.allow()), ("query", None));
    }
}
