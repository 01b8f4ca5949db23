//! The requests to each provider, and the reading of its answers.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tollgate::account::Provider;
use tollgate::billing::api::{self, ApiAnswer, ApiRequest, Completion, Reread, Sale};
use tollgate::billing::webhook::Webhook;
use tollgate::billing::{BillingError, BillingEvent, News};
use tollgate::identity::AccountName;
use tollgate::plan::Plan;

use super::fixture::{NOW, account, billing, event, plans};
use super::{others, stripe};

static ALICE: LazyLock<AccountName> = LazyLock::new(|| account("acme/alice"));

fn sale() -> Sale<'static> {
    Sale {
        price: "price_1",
        account: &ALICE,
        reference: Some("tgr_x"),
        customer: None,
        return_url: "https://a.example/b?c=d&e",
        cancel_url: "https://a.example/",
        idempotency_key: "k1",
    }
}

fn header<'a>(request: &'a ApiRequest, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(other, _)| *other == name);
    found.map(|(_, value)| value.as_str())
}

fn body(request: &ApiRequest) -> Value {
    assert_eq!(request.method, "POST");
    serde_json::from_str(&request.body).unwrap()
}

fn answer<T>(status: u16, body: &Value, read: impl Fn(&ApiAnswer<'_>) -> T) -> T {
    read(&ApiAnswer { status, body: &body.to_string() })
}

#[test]
fn stripe_is_asked_in_forms() {
    let stripe = billing(Provider::Stripe, &[]);
    let portal = api::portal(&stripe, "cus_1", "https://a.example/b?c=ä").unwrap();
    assert_eq!(portal.url, "https://api.stripe.com/v1/billing_portal/sessions");
    let expected = "customer=cus_1&return_url=https%3A%2F%2Fa.example%2Fb%3Fc%3D%C3%A4";
    assert_eq!((portal.method, portal.body.as_str()), ("POST", expected));
    assert_eq!(header(&portal, "authorization"), Some("Bearer key_of_the_api"));
    assert_eq!(header(&portal, "stripe-version"), Some("2026-10-28.endive"));
    assert_eq!(header(&portal, "content-type"), Some("application/x-www-form-urlencoded"));

    let checkout = api::checkout(&stripe, &sale()).unwrap();
    assert_eq!(checkout.url, "https://api.stripe.com/v1/checkout/sessions");
    let key = |key: &str| {
        let request = api::checkout(&stripe, &Sale { idempotency_key: key, ..sale() }).unwrap();
        header(&request, "idempotency-key").unwrap().to_owned()
    };
    assert_eq!((key("k1"), key("k1").len()), (key("k1"), 43));
    assert!(key("k1") != key("k2") && key(&"ü\n".repeat(999)).is_ascii());
    let pairs = url::form_urlencoded::parse(checkout.body.as_bytes());
    let pairs: Vec<(String, String)> = pairs.into_owned().collect();
    let expected = [
        ("mode", "subscription"),
        ("line_items[0][price]", "price_1"),
        ("line_items[0][quantity]", "1"),
        ("success_url", sale().return_url),
        ("cancel_url", sale().cancel_url),
        ("metadata[tollgate_account]", "tgr_x"),
        ("subscription_data[metadata][tollgate_account]", "tgr_x"),
        ("client_reference_id", "tgr_x"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let known = api::checkout(&stripe, &Sale { customer: Some("cus_1"), ..sale() }).unwrap();
    assert!(known.body.ends_with("&customer=cus_1"), "{}", known.body);
    // Metadata is the seller's alone, so that a name counts there; nowhere else.
    let unsigned = api::checkout(&stripe, &Sale { reference: None, ..sale() }).unwrap();
    assert!(unsigned.body.contains("metadata%5Btollgate_account%5D=acme%2Falice"));
    assert!(!unsigned.body.contains("client_reference_id"), "{}", unsigned.body);
}

#[test]
fn the_others_are_asked_in_json() {
    let paddle = billing(Provider::Paddle, &[]);
    let portal = api::portal(&paddle, "ctm_1/x", sale().return_url).unwrap();
    assert_eq!(portal.url, "https://api.paddle.com/customers/ctm_1%2Fx/portal-sessions");
    let checkout = api::checkout(&paddle, &Sale { customer: Some("ctm_1"), ..sale() }).unwrap();
    assert_eq!(checkout.url, "https://api.paddle.com/transactions");
    let expected = json!({"items": [{"price_id": "price_1", "quantity": 1}],
        "customer_id": "ctm_1", "custom_data": {"tollgate_account": "tgr_x"}});
    assert_eq!(body(&checkout), expected);
    assert_eq!(header(&checkout, "content-type"), Some("application/json"));

    let lemon = billing(Provider::LemonSqueezy, &[]);
    let portal = api::portal(&lemon, "5", sale().return_url).unwrap();
    assert_eq!((portal.method, portal.body.as_str()), ("GET", ""));
    assert_eq!(portal.url, "https://api.lemonsqueezy.com/v1/customers/5");
    let checkout = api::checkout(&lemon, &sale()).unwrap();
    assert_eq!(header(&checkout, "content-type"), Some("application/vnd.api+json"));
    let sent = body(&checkout);
    let at = |path: &str| sent.pointer(path).unwrap().clone();
    assert_eq!(at("/data/type"), "checkouts");
    let attributes = "/data/attributes/checkout_data/custom/tollgate_account";
    assert_eq!(at(attributes), "tgr_x");
    assert_eq!(at("/data/attributes/product_options/redirect_url"), sale().return_url);
    assert_eq!(at("/data/relationships/store/data"), json!({"type": "stores", "id": "7"}));
    let variant = json!({"type": "variants", "id": "price_1"});
    assert_eq!(at("/data/relationships/variant/data"), variant);

    let polar = billing(Provider::Standard, &[]);
    let portal = api::portal(&polar, "p_cus", sale().return_url).unwrap();
    assert_eq!(portal.url, "https://api.polar.sh/v1/customer-sessions/");
    let expected = json!({"customer_id": "p_cus", "return_url": sale().return_url});
    assert_eq!(body(&portal), expected);
    let checkout = api::checkout(&polar, &sale()).unwrap();
    let expected = json!({"products": ["price_1"], "success_url": sale().return_url,
        "return_url": sale().cancel_url, "metadata": {"tollgate_account": "tgr_x"}});
    assert_eq!(body(&checkout), expected);
    let unsigned = api::checkout(&polar, &Sale { reference: None, ..sale() }).unwrap();
    assert_eq!(body(&unsigned)["metadata"], json!({}));
}

#[test]
fn without_a_key_nothing_is_asked() {
    for provider in Provider::ALL {
        let mut billing = billing(provider, &[]);
        billing.api_key = None;
        assert_eq!(api::portal(&billing, "c", "https://a.example"), None);
        assert!(api::checkout(&billing, &sale()).unwrap_err().to_string().contains("no key"));
        assert!(Reread::of_customer(&billing, "c").is_none());
        assert_eq!(api::missed(&billing, None), None);
    }
    let mut lemon = billing(Provider::LemonSqueezy, &[]);
    lemon.store = None;
    assert!(api::checkout(&lemon, &sale()).unwrap_err().to_string().contains("store"));
}

#[test]
fn links_are_taken_over_where_they_may_be_followed() {
    for (provider, portal, checkout) in [
        (Provider::Stripe, json!({"url": "URL"}), json!({"url": "URL"})),
        (
            Provider::Paddle,
            json!({"data": {"urls": {"general": {"overview": "URL"}}}}),
            json!({"data": {"checkout": {"url": "URL"}}}),
        ),
        (
            Provider::LemonSqueezy,
            json!({"data": {"attributes": {"urls": {"customer_portal": "URL"}}}}),
            json!({"data": {"attributes": {"url": "URL"}}}),
        ),
        (Provider::Standard, json!({"customer_portal_url": "URL"}), json!({"url": "URL"})),
    ] {
        let mut billing = billing(provider, &[]);
        let read = |billing: &_, url: &str| {
            let portal = portal.to_string().replace("URL", url);
            let checkout = checkout.to_string().replace("URL", url);
            let answer = |body| ApiAnswer { status: 200, body };
            let portal = api::portal_url(billing, &answer(&portal));
            let checkout = api::checkout_url(billing, &answer(&checkout));
            assert_eq!(portal.as_ref().ok(), checkout.as_ref().ok());
            portal
        };
        let good = "https://pay.example/session?x=1#y";
        assert_eq!(read(&billing, good).as_deref(), Ok(good));
        for bad in ["javascript:alert(1)", "http://pay.example/", "//pay.example", "", "https://"] {
            read(&billing, bad).unwrap_err();
        }
        let local = "http://127.0.0.1:8790/portal";
        read(&billing, local).unwrap_err();
        billing.api_url = "http://127.0.0.1:8790".to_owned();
        assert_eq!(read(&billing, local).as_deref(), Ok(local));
        read(&billing, "http://pay.example/").unwrap_err();
    }
}

#[test]
fn what_a_provider_says_instead_is_passed_on() {
    let stripe = billing(Provider::Stripe, &[]);
    let error = json!({"error": {"message": "No such customer: 'cus_1'"}});
    let said =
        answer(404, &error, |answer| api::portal_url(&stripe, answer)).unwrap_err().to_string();
    assert_eq!(said, "the provider answered 404: No such customer: 'cus_1'");
    let long = json!({"error": {"message": "x".repeat(5_000)}});
    let said =
        answer(500, &long, |answer| api::portal_url(&stripe, answer)).unwrap_err().to_string();
    assert!(said.len() < 300);
    let html = ApiAnswer { status: 502, body: "<html>" };
    assert!(api::portal_url(&stripe, &html).unwrap_err().to_string().contains("502: nothing more"));
    let cut = ApiAnswer { status: 200, body: r#"{"url": "http"# };
    assert!(api::portal_url(&stripe, &cut).unwrap_err().to_string().contains("no JSON"));
    let other = answer(200, &json!({"url": 7}), |answer| api::portal_url(&stripe, answer));
    assert_eq!(other.unwrap_err().to_string(), "expected a link at answer.url");
}

#[test]
fn prices_are_found_by_their_names() {
    let stripe = billing(Provider::Stripe, &[]);
    let asked = |price: &str| {
        let plan = Plan { prices: vec![price.to_owned()], ..Plan::default() };
        api::price_of(&stripe, &plan).map(|request| request.url)
    };
    assert_eq!(asked("price_1"), None);
    let expected = "https://api.stripe.com/v1/prices?active=true&limit=1&lookup_keys[0]=pro%20one";
    assert_eq!(asked("pro one").as_deref(), Some(expected));
    assert!(asked("prod_1").unwrap().ends_with("&product=prod_1"));
    assert_eq!(api::price_of(&stripe, &Plan::default()), None);
    let found = json!({"data": [{"id": "price_7"}]});
    assert_eq!(answer(200, &found, |it| api::price_found(&stripe, it)).as_deref(), Ok("price_7"));
    let none = answer(200, &json!({"data": []}), |it| api::price_found(&stripe, it));
    assert_eq!(none, Err(BillingError::NoSuchPrice));
}

/// Answers the questions about an event, by the end of each request's URL.
fn completed(kind: &str, object: &Value, answers: &[(&str, Value)]) -> BillingEvent {
    let stripe = billing(Provider::Stripe, &[]);
    let body = stripe::envelope(kind, object);
    let event = event(Provider::Stripe, &body).unwrap();
    let text = body.to_string();
    let webhook = Webhook { headers: Vec::new(), body: &text };
    let mut completion = Completion::new(&stripe, &webhook, event).unwrap();
    for (path, body) in answers {
        let request = completion.next().unwrap();
        assert!(request.url.ends_with(path), "{} {path}", request.url);
        let text = body.to_string();
        completion.answered(&ApiAnswer { status: 200, body: &text }).unwrap();
    }
    assert_eq!(completion.next(), None);
    completion.into_event()
}

#[test]
fn disputes_are_asked_for_their_payer_and_what_was_paid() {
    let dispute = json!({"id": "du_1", "object": "dispute", "charge": "ch_1", "status": "lost"});
    let charge = json!({"id": "ch_1", "customer": "cus_1", "payment_intent": "pi_1"});
    let details = json!({"subscription_details": {"subscription": "sub_1"}});
    let paid = json!({"data": [{"invoice": {"id": "in_1", "parent": details}}]});
    let purpose = "&payment[payment_intent]=pi_1";
    let answers = [("/v1/charges/ch_1", charge), (purpose, paid.clone())];
    let event = completed("charge.dispute.created", &dispute, &answers);
    assert_eq!(event.customer.as_deref(), Some("cus_1"));
    let [News::Dispute { subscription, payments, .. }] = event.news.as_slice() else {
        panic!("{event:?}")
    };
    assert_eq!(subscription.as_deref(), Some("sub_1"));
    assert_eq!(payments, &["ch_1", "pi_1"]);
    let known = json!({"id": "du_1", "object": "dispute", "charge": {"id": "ch_1", "customer": "cus_1"},
        "payment_intent": "pi_1", "status": "lost"});
    let event = completed("charge.dispute.created", &known, &[(purpose, paid)]);
    assert!(matches!(&event.news[..], [News::Dispute { subscription: Some(_), .. }]));
    let event = completed("charge.dispute.created", &known, &[(purpose, json!({"data": []}))]);
    assert!(matches!(&event.news[..], [News::Dispute { subscription: None, .. }]), "of no invoice");
    assert_eq!(completed("invoice.paid", &stripe::invoice(), &[]).news.len(), 1);
}

#[test]
fn sessions_are_asked_for_what_they_sold() {
    let line = |price: &str, quantity: u64, amount: u64| json!({"quantity": quantity, "amount_total": amount, "price": {"id": price}});
    let lines = "/v1/checkout/sessions/cs_1/line_items?limit=100";
    let sold = |lines_sold: Vec<Value>| {
        let answers = [(lines, json!({"data": lines_sold}))];
        completed("checkout.session.completed", &stripe::session(), &answers).news
    };
    let credits = |units| {
        vec![News::Credits { id: "cs_1".to_owned(), units, payment: Some("pi_1".to_owned()) }]
    };
    assert_eq!(sold(vec![line("price_units", 2, 900)]), credits(1_000));
    assert_eq!(sold(vec![line("price_units", 9, 900)]), credits(1_500), "as many as one order may");
    assert_eq!(sold(vec![line("price_units", 2, 0)]), [], "for nothing");
    assert_eq!(sold(vec![line("price_gift", 1, 0)]), credits(500), "the operator's gift");
    assert_eq!(sold(vec![line("price_other", 1, 900)]), []);
    let mut session = stripe::session();
    session["payment_link"] = json!("plink_units");
    assert_eq!(completed("checkout.session.completed", &session, &[]).news, credits(500));
    session["payment_status"] = json!("unpaid");
    assert_eq!(completed("checkout.session.completed", &session, &[]).news, []);
}

#[test]
fn without_a_key_nobody_guesses_what_a_session_sold() {
    let mut stripe = billing(Provider::Stripe, &[]);
    stripe.api_key = None;
    let body = stripe::envelope("checkout.session.completed", &stripe::session());
    let event = event(Provider::Stripe, &body).unwrap();
    let text = body.to_string();
    let webhook = Webhook { headers: Vec::new(), body: &text };
    let error = Completion::new(&stripe, &webhook, event).unwrap_err().to_string();
    assert!(error.contains("STRIPE_API_KEY"), "{error}");
}

#[test]
fn missed_events_come_as_their_webhooks_would() {
    let stripe = billing(Provider::Stripe, &[]);
    let first = api::missed(&stripe, None).unwrap();
    let expected = "https://api.stripe.com/v1/events?delivery_success=false&limit=100";
    assert_eq!(first.url, expected);
    let event = stripe::envelope("customer.subscription.updated", &stripe::subscription());
    let page = json!({"object": "list", "has_more": true, "data": [event]});
    let (bodies, next) = answer(200, &page, |it| api::missed_events(&stripe, it)).unwrap();
    assert_eq!(next.as_deref(), Some("evt_1"));
    let body: Value = serde_json::from_str(&bodies[0]).unwrap();
    assert_eq!(body, event);
    let second = api::missed(&stripe, next.as_deref()).unwrap();
    assert_eq!(second.url, format!("{expected}&starting_after=evt_1"));
    let last = json!({"has_more": false, "data": [event]});
    assert_eq!(answer(200, &last, |it| api::missed_events(&stripe, it)).unwrap().1, None);
    assert_eq!(api::missed(&billing(Provider::Paddle, &[]), None), None);
}

/// Answers each request by its path, and returns the news of the customer, then of its
/// subscriptions, which name their accounts.
fn reread(provider: Provider, customer: &str, answers: &[(&str, Value)]) -> Vec<News> {
    let mut reread = Reread::of_customer(&billing(provider, &[]), customer).unwrap();
    for (path, body) in answers {
        let request = reread.next().unwrap();
        assert_eq!(request.method, "GET");
        assert!(request.url.ends_with(path), "{} {path}", request.url);
        answer(200, body, |answer| reread.clone().answered(answer, &plans(), NOW)).unwrap();
        let text = body.to_string();
        let taken = reread.answered(&ApiAnswer { status: 200, body: &text }, &plans(), NOW);
        assert_eq!(taken, Ok(()));
    }
    assert_eq!(reread.next(), None);
    let events = reread.into_events();
    for event in &events {
        assert_eq!(event.customer.as_deref(), Some(customer));
        assert_eq!(event.occurred_at, NOW.plus_seconds(-1));
        let subject = event.subscription.as_deref().unwrap_or(customer);
        assert!(event.id.contains(subject), "{}", event.id);
        assert_eq!(event.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
        assert_eq!(
            event.news.iter().filter(|one| matches!(one, News::Subscription { .. })).count(),
            usize::from(event.subscription.is_some()),
            "each by itself"
        );
    }
    events.into_iter().flat_map(|event| event.news).collect()
}

fn ids<'a>(news: &'a [News]) -> Vec<&'a str> {
    let id = |one: &'a News| match one {
        News::Subscription { id, .. } => Some(id.as_str()),
        _ => None,
    };
    news.iter().filter_map(id).collect()
}

#[test]
fn stripe_is_read_again_page_by_page() {
    let customer = json!({"id": "cus_1", "metadata": {"tollgate_account": "acme/alice"}});
    let mut second = stripe::subscription();
    second["id"] = json!("sub_2");
    let mut strange = stripe::subscription();
    strange["customer"] = json!("cus_2");
    let key = |name: &str| json!({"id": name, "lookup_key": name});
    let news = reread(
        Provider::Stripe,
        "cus_1",
        &[
            ("/v1/customers/cus_1", customer),
            (
                "/v1/subscriptions?status=all&limit=100&customer=cus_1",
                json!({"has_more": true, "data": [strange, stripe::subscription()]}),
            ),
            ("customer=cus_1&starting_after=sub_1", json!({"has_more": false, "data": [second]})),
            (
                "/active_entitlements?limit=100&customer=cus_1",
                json!({"has_more": true, "data": [key("a")]}),
            ),
            ("&starting_after=a", json!({"has_more": false, "data": [key("b")]})),
        ],
    );
    assert_eq!(ids(&news), ["sub_1", "sub_2"]);
    let names = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(news.first(), Some(&News::Entitlements { names, is_complete: true }));
}

#[test]
fn endless_pages_end() {
    let mut reread = Reread::of_customer(&billing(Provider::Stripe, &[]), "cus_1").unwrap();
    let page = json!({"id": "cus_1", "has_more": true, "data": [{"id": "e", "lookup_key": "e",
        "customer": "cus_2"}]});
    let mut requests = 0;
    while reread.next().is_some() && requests < 100 {
        let text = page.to_string();
        reread.answered(&ApiAnswer { status: 200, body: &text }, &plans(), NOW).unwrap();
        requests += 1;
    }
    assert_eq!(requests, 21);
    let news = reread.into_events().remove(0).news;
    let [News::Entitlements { is_complete: false, .. }] = news.as_slice() else {
        panic!("{news:?}")
    };
}

#[test]
fn the_others_are_read_again_too() {
    let named = json!({"id": "ctm_01", "custom_data": {"tollgate_account": "-/other"}});
    let news = reread(
        Provider::Paddle,
        "ctm_01",
        &[
            ("/customers/ctm_01", json!({"data": named})),
            (
                "/subscriptions?per_page=100&customer_id=ctm_01",
                json!({"data": [others::paddle_subscription()]}),
            ),
        ],
    );
    assert_eq!(ids(&news), ["sub_01"]);
    let polar = json!({"id": "p_cus", "metadata": {}, "external_id": "-/other"});
    let news = reread(
        Provider::Standard,
        "p_cus",
        &[
            ("/v1/customers/p_cus", polar),
            (
                "/v1/subscriptions/?limit=100&customer_id=p_cus",
                json!({"items": [others::polar_subscription()]}),
            ),
        ],
    );
    assert_eq!(ids(&news), ["p_sub"]);
    let lemon = json!({"type": "subscriptions", "id": "1",
        "attributes": others::lemonsqueezy_subscription()});
    let answer = json!({"data": {"id": "5"}, "included": [{"type": "stores", "id": "7"}, lemon]});
    let mut reread = Reread::of_customer(&billing(Provider::LemonSqueezy, &[]), "5").unwrap();
    let asked = reread.next().unwrap().url;
    assert_eq!(asked, "https://api.lemonsqueezy.com/v1/customers/5?include=subscriptions");
    let text = answer.to_string();
    reread.answered(&ApiAnswer { status: 200, body: &text }, &plans(), NOW).unwrap();
    assert_eq!(reread.next(), None);
    assert_eq!(ids(&reread.into_events()[0].news), ["1"]);
}

#[test]
fn a_deleted_customer_and_a_narrow_key_are_understood() {
    let mut reread = Reread::of_customer(&billing(Provider::Stripe, &[]), "cus_1").unwrap();
    let mut take = |status, body: Value| {
        let text = body.to_string();
        reread.answered(&ApiAnswer { status, body: &text }, &plans(), NOW)
    };
    take(503, json!({})).unwrap_err();
    take(200, json!({"id": "cus_1", "deleted": true})).unwrap();
    take(200, json!({"data": []})).unwrap();
    take(403, json!({"error": {"message": "not permitted"}})).unwrap();
    assert_eq!(reread.next(), None);
    assert_eq!(reread.into_events()[0].news, [News::CustomerDeleted]);
}

#[test]
fn what_is_no_list_takes_nothing_away() {
    let mut reread = Reread::of_customer(&billing(Provider::Stripe, &[]), "cus_1").unwrap();
    let customer = json!({"id": "cus_1", "metadata": {}}).to_string();
    reread.answered(&ApiAnswer { status: 200, body: &customer }, &plans(), NOW).unwrap();
    let wrong = ApiAnswer { status: 200, body: r#"{"data":"none"}"# };
    let error = reread.answered(&wrong, &plans(), NOW).unwrap_err();
    assert_eq!(error.to_string(), "expected a list at list.data");
    let list = ApiAnswer { status: 200, body: r#"{"data":[]}"# };
    reread.answered(&list, &plans(), NOW).unwrap();
    assert_eq!(reread.answered(&wrong, &plans(), NOW).unwrap_err(), error);
}
