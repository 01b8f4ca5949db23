//! Reading any body never panics, and never finds a foreign account in it.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tollgate::account::{AccountRecord, Provider};
use tollgate::billing::api::{self, ApiAnswer, Reread};
use tollgate::billing::webhook::{Webhook, checks, read};
use tollgate::billing::{BillingEvent, apply, events_of};

use super::any_json::any_leaf;
use super::fixture::{NOW, billing, event, plans};
use super::{others, stripe};

/// Real events, one of each shape.
fn fixtures() -> Vec<(Provider, Value)> {
    let stripe = |kind: &str, object: &Value| (Provider::Stripe, stripe::envelope(kind, object));
    let paddle = |kind: &str, data: &Value| (Provider::Paddle, others::paddle(kind, data));
    let own = |kind: &str, data: &Value| (Provider::Standard, others::standard(kind, data));
    let dispute = json!({"id": "du_1", "charge": {"id": "ch_1", "customer": "cus_1"},
        "status": "needs_response"});
    let summary = json!({"customer": "cus_1",
        "entitlements": {"has_more": false, "data": [{"lookup_key": "export"}]}});
    let transaction = json!({"id": "txn_1", "customer_id": "ctm_01", "subscription_id": "sub_01",
        "payments": [{"error_code": "fraud", "created_at": "2026-11-23T07:00:00Z"}]});
    let record = json!({"account": "acme/alice", "id": "s1", "plan": "pro", "status": "past_due",
        "add_ons": ["export"], "ends_at": "2026-12-01T00:00:00Z"});
    let lemon = |kind: &str, family: &str, attributes: &Value| {
        (Provider::LemonSqueezy, others::lemonsqueezy(kind, family, attributes))
    };
    let subscription = others::lemonsqueezy_subscription();
    let invoice = json!({"customer_id": 5, "subscription_id": 7,
        "updated_at": "2026-11-23T08:00:00Z"});
    vec![
        stripe("customer.subscription.updated", &stripe::subscription()),
        stripe("invoice.paid", &stripe::invoice()),
        stripe("invoice.payment_failed", &stripe::invoice()),
        stripe("checkout.session.completed", &stripe::session()),
        stripe("charge.dispute.created", &dispute),
        stripe("entitlements.active_entitlement_summary.updated", &summary),
        stripe("customer.deleted", &json!({"id": "cus_1", "metadata": {}})),
        paddle("subscription.updated", &others::paddle_subscription()),
        paddle("transaction.completed", &transaction),
        paddle("transaction.payment_failed", &transaction),
        lemon("subscription_updated", "subscriptions", &subscription),
        lemon("order_created", "orders", &others::lemonsqueezy_order()),
        lemon("subscription_payment_failed", "subscription-invoices", &invoice),
        own("subscription.updated", &others::polar_subscription()),
        own("tollgate.subscription", &record),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = any_leaf(prop_oneof![
        "[a-z_./%é\u{0}]{0,12}",
        prop::sample::select(vec!["active", "sub_1", "2026-11-23T08:00:00Z", "-/x", "1e999"])
            .prop_map(str::to_owned),
    ]);
    leaf.prop_recursive(4, 32, 4, |inner| {
        let name = prop::sample::select(vec![
            "id",
            "customer",
            "object",
            "data",
            "items",
            "price",
            "metadata",
            "status",
            "attributes",
            "tollgate_account",
            "tollgate_credits",
            "customer_id",
            "subscription",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(pairs.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// The pointers of every node.
fn nodes(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| nodes(value, &format!("{path}/{name}"), found));
        }
        Value::Array(array) => array
            .iter()
            .enumerate()
            .for_each(|(index, value)| nodes(value, &format!("{path}/{index}"), found)),
        _ => {}
    }
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match body.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.remove(name)),
        Some(Value::Array(array)) => drop(array.remove(name.parse().unwrap())),
        _ => {}
    }
}

/// Applied to a record, and nobody in it whom the event didn't name.
fn is_about_its_customer(event: &BillingEvent) {
    let record = apply(AccountRecord::default(), event, NOW);
    for customer in &record.customers {
        assert_eq!(Some(&customer.id), event.customer.as_ref());
    }
    for one in &record.billed {
        assert_eq!(one.customer, event.customer);
    }
    if !event.news.is_empty() && event.customer.is_none() {
        let kinds = ["dispute", "checkout", "payment_intent", "transaction", "adjustment", "order"];
        let may_lack =
            kinds.iter().any(|kind| event.kind.contains(kind)) || event.kind.contains("payment");
        assert!(may_lack, "{event:?}");
    }
}

#[test]
fn every_node_of_every_event_may_be_missing_or_anything() {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("x".repeat(400)),
        json!("\u{0}"),
        json!([]),
        json!({}),
        json!([[{"id": {"id": 1}}]]),
        json!({"id": "cus_9", "customer": "cus_9", "customer_id": "cus_9"}),
    ];
    let mut read = 0;
    for (provider, body) in fixtures() {
        is_about_its_customer(&event(provider, &body).unwrap());
        let mut pointers = Vec::new();
        nodes(&body, "", &mut pointers);
        for pointer in pointers {
            let mut without = body.clone();
            remove(&mut without, &pointer);
            event(provider, &without).iter().for_each(is_about_its_customer);
            for other in &others {
                let mut with = body.clone();
                *with.pointer_mut(&pointer).unwrap() = other.clone();
                match event(provider, &with) {
                    Ok(event) => is_about_its_customer(&event),
                    Err(error) => assert!(error.len() < 200 && !error.is_empty(), "{error}"),
                }
                read += 1;
            }
        }
    }
    assert!(read > 3_000, "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_value_panics(data in any_value(), index in any::<prop::sample::Index>()) {
        let fixtures = fixtures();
        let (provider, mut body) = fixtures[index.index(fixtures.len())].clone();
        for path in ["/data/object", "/data/attributes", "/data"] {
            if let Some(place) = body.pointer_mut(path) {
                *place = data.clone();
                break;
            }
        }
        event(provider, &body).iter().for_each(is_about_its_customer);
        let _ = event(provider, &data);
        let text = data.to_string();
        let answer = ApiAnswer { status: 200, body: &text };
        let billing = billing(provider, &[]);
        let _ = (api::portal_url(&billing, &answer), api::checkout_url(&billing, &answer));
        let _ = (api::price_found(&billing, &answer), api::missed_events(&billing, &answer));
        let mut reread = Reread::of_customer(&billing, "cus_1").unwrap();
        for _ in 0..4 {
            let _ = reread.answered(&answer, &plans(), NOW);
        }
        reread.into_events().iter().for_each(is_about_its_customer);
    }

    #[test]
    fn no_text_panics(
        header in "(t=|ts=|v1=|h1=|v1,|v1a,|[0-9a-f]{1,64}|[,;= .+/A-Zé-]){0,12}",
        time in "[0-9]{0,22}",
        body in "[\\[\\]{}:,\"a-z0-9. -]{0,60}",
    ) {
        for provider in Provider::ALL {
            let headers = events_of(provider).headers.iter().map(|name| {
                (*name, if name.ends_with("timestamp") { time.clone() } else { header.clone() })
            });
            let webhook = Webhook { headers: headers.collect(), body: &body };
            let billing = billing(provider, &["whsec_test", "whpk_AAAA", "ü"]);
            for check in checks(&billing, &webhook, NOW).unwrap_or_default() {
                prop_assert!(!check.keys.is_empty());
            }
            let _ = read(&billing, &plans(), &webhook);
        }
    }
}
