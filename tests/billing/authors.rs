//! Trust follows authorship: each field that is read has an author, and a payer's fields change
//! nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use tollgate::account::{AccountRecord, Provider};
use tollgate::billing::api::{ApiAnswer, Completion, Reread};
use tollgate::billing::webhook::{Webhook, read_watched};
use tollgate::billing::{Author, BillingError, BillingEvent, api_of, apply};

use super::fixture::{NOW, billing, plans, reference};
use super::{others, stripe};

/// Every event that the gate has a use for, whole.
fn events() -> Vec<(Provider, Value)> {
    let stripe = |kind: &str, object: Value| (Provider::Stripe, stripe::envelope(kind, &object));
    let paddle = |kind: &str, data: Value| (Provider::Paddle, others::paddle(kind, &data));
    let polar = |kind: &str, data: Value| (Provider::Standard, others::standard(kind, &data));
    let lemon = |kind: &str, family: &str, attributes: Value| {
        (Provider::LemonSqueezy, others::lemonsqueezy(kind, family, &attributes))
    };
    let mut old_invoice = stripe::invoice();
    old_invoice["parent"].take();
    old_invoice["subscription"] = json!("sub_1");
    old_invoice["charge"] = json!("ch_1");
    old_invoice["lines"] = json!({"data": [{"type": "subscription", "period": {"end": 5}}]});
    let dispute = json!({"id": "du_1", "metadata": {}, "charge": {"id": "ch_1", "customer": "cus_1"},
        "payment_intent": {"id": "pi_1"}, "status": "lost"});
    let summary = json!({"customer": "cus_1", "entitlements": {"has_more": false,
        "data": [{"lookup_key": "export"}]}});
    let intent = json!({"id": "pi_1", "customer": "cus_1",
        "last_payment_error": {"code": "card_declined", "decline_code": "x", "advice_code": "y"}});
    let transaction = json!({"id": "txn_1", "customer_id": "ctm_01", "subscription_id": "sub_01",
        "custom_data": {"tollgate_account": reference("acme/alice")}, "origin": "web",
        "created_at": "2026-11-01T00:00:00Z", "items": [{"quantity": 1, "price": {"id": "pri_units",
            "product_id": "pro_1"}}], "details": {"totals": {"grand_total": "5"}},
        "billing_period": {"ends_at": "2026-12-01T00:00:00Z"},
        "payments": [{"error_code": "fraud", "created_at": "2026-11-23T07:00:00Z"}]});
    let adjustment = json!({"id": "adj_1", "action": "chargeback", "customer_id": "ctm_01",
        "transaction_id": "txn_1", "subscription_id": "sub_01"});
    let mut scheduled = others::paddle_subscription();
    scheduled["scheduled_change"] =
        json!({"action": "cancel", "effective_at": "2026-12-01T00:00:00Z"});
    scheduled["status"] = json!("trialing");
    let mut over = others::paddle_subscription();
    over["status"] = json!("canceled");
    let mut cancelled = others::lemonsqueezy_subscription();
    cancelled["status"] = json!("paused");
    let invoice = json!({"customer_id": 5, "subscription_id": 7, "total": 5,
        "updated_at": "2026-11-23T08:00:00Z"});
    let customer = json!({"updated_at": "2026-11-23T08:00:00Z"});
    let order = json!({"id": "ord", "customer_id": "p_cus", "subscription_id": "p_sub",
        "product_id": "prod_units", "items": [{"product_price_id": "x"}], "total_amount": 900,
        "created_at": "2026-11-01T00:00:00Z", "metadata": {"tollgate_account": reference("-/a")}});
    let mut ended = others::polar_subscription();
    ended["status"] = json!("canceled");
    ended["prices"] = json!([{"id": "x"}]);
    let mut ending = others::polar_subscription();
    ending["cancel_at_period_end"] = json!(true);
    let payer =
        json!({"id": "p_cus", "granted_benefits": [{"benefit_metadata": {"entitlement": "e"}}]});
    let mut ended_at_stripe = stripe::subscription();
    ended_at_stripe["status"] = json!("canceled");
    let mut unfinished = stripe::invoice();
    unfinished["payments"] =
        json!({"data": [{"payment": {"charge": "ch", "payment_intent": "pi"}}]});
    let mut charged = stripe::invoice();
    charged["charge"] =
        json!({"failure_code": "x", "outcome": {"reason": "y", "advice_code": "z"}});
    let mut bare_price = stripe::subscription();
    bare_price["items"]["data"][0]["price"]["product"] = json!({"id": "prod_pro"});
    let mut events = vec![
        stripe("customer.subscription.updated", stripe::subscription()),
        stripe("customer.subscription.updated", bare_price),
        stripe("customer.subscription.deleted", ended_at_stripe),
        stripe("invoice.paid", stripe::invoice()),
        stripe("invoice.paid", old_invoice),
        stripe("invoice.paid", unfinished),
        stripe("invoice.payment_failed", charged),
        stripe("invoice.payment_failed", stripe::invoice()),
        stripe("checkout.session.completed", stripe::session()),
        stripe("charge.dispute.created", dispute),
        stripe("entitlements.active_entitlement_summary.updated", summary),
        stripe("payment_intent.payment_failed", intent),
        stripe("customer.updated", json!({"id": "cus_1", "metadata": {}})),
        paddle("subscription.updated", others::paddle_subscription()),
        paddle("subscription.updated", scheduled),
        paddle("subscription.canceled", over),
        paddle("transaction.completed", transaction.clone()),
        paddle("transaction.payment_failed", transaction),
        paddle("customer.updated", json!({"id": "ctm_01", "custom_data": {}})),
        paddle("adjustment.created", adjustment),
        lemon("subscription_updated", "subscriptions", others::lemonsqueezy_subscription()),
        lemon("subscription_updated", "subscriptions", cancelled),
        lemon("subscription_payment_success", "subscription-invoices", invoice.clone()),
        lemon("subscription_payment_failed", "subscription-invoices", invoice),
        lemon("order_created", "orders", others::lemonsqueezy_order()),
        lemon("customer_updated", "customers", customer),
        polar("subscription.active", others::polar_subscription()),
        polar("subscription.canceled", ending),
        polar("subscription.revoked", ended),
        polar("order.paid", order),
        polar("customer.state_changed", payer),
    ];
    let own = json!({"account": "acme/alice", "customer": "c", "subscription": "s1", "id": "s1",
        "plan": "pro", "status": "active", "add_ons": ["export"], "names": ["export"], "units": 5,
        "is_open": true, "payment_failure": "declined"});
    let kinds = ["subscription", "payment_failed", "paid", "entitlements", "credits", "dispute"];
    events.extend(kinds.map(|kind| polar(&format!("tollgate.{kind}"), own.clone())));
    events
}

/// A place that was read: the field, as the list has it, and the pointer to it in the document.
type Place = (String, String);

fn watched(provider: Provider, body: &Value) -> (BillingEvent, BTreeSet<Place>) {
    let seen = RefCell::new(BTreeSet::new());
    let watcher = |field: &str, pointer: &str| {
        seen.borrow_mut().insert((field.to_owned(), pointer.to_owned()));
    };
    let text = body.to_string();
    let headers = vec![
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", NOW.as_seconds().to_string()),
    ];
    let webhook = Webhook { headers, body: &text };
    let event = read_watched(&billing(provider, &[]), &plans(), &webhook, &watcher).unwrap();
    (event, seen.into_inner())
}

fn author(provider: Provider, field: &str) -> Option<Author> {
    api_of(provider).fields.iter().find(|(known, _)| *known == field).map(|(_, author)| *author)
}

#[test]
fn every_field_that_is_read_of_an_event_has_an_author() {
    let mut read: BTreeMap<Provider, BTreeSet<String>> = BTreeMap::new();
    for (provider, body) in events() {
        for (field, pointer) in watched(provider, &body).1 {
            let known = author(provider, &field);
            assert!(known.is_some(), "{provider:?}: {field} at {pointer} has no author");
            read.entry(provider).or_default().insert(field);
        }
    }
    // Fields that only the provider's API returns, or that are read to ask it.
    let of_answers = [
        "answer.",
        "list.",
        "paid.",
        "line.",
        "charge.",
        "customer.",
        "included.",
        "session.id",
        "session.payment_intent",
        "session.payment_link",
        "subscription.attributes.customer_id",
        "subscription.attributes.store_id",
        "subscription.attributes.test_mode",
    ];
    for provider in Provider::ALL {
        let is_unread = |field: &&str| {
            let is_of_answer = of_answers.iter().any(|kind| field.starts_with(kind));
            !is_of_answer && !read[&provider].contains(*field)
        };
        let fields = api_of(provider).fields.iter().map(|(field, _)| *field);
        let unread: Vec<_> = fields.filter(is_unread).collect();
        assert!(unread.is_empty(), "{provider:?}: nothing reads {unread:?}");
        let mut fields: Vec<_> = api_of(provider).fields.iter().map(|(field, _)| *field).collect();
        fields.sort_unstable();
        assert!(fields.is_sorted_by(|a, b| a < b), "{provider:?} lists a field twice");
    }
}

/// Values that a buyer may put into a payer's field: another's name, numbers, objects, long texts.
fn hostile() -> [Value; 5] {
    [
        json!("victim"),
        json!("-/victim"),
        json!(9_007_199_254_740_991_u64),
        json!({"id": "victim", "tollgate_account": "victim", "tollgate_credits": "9007199254740991"}),
        json!("tgr_".to_owned() + &"A".repeat(196)),
    ]
}

/// Puts a value at a pointer, making the objects on the way.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        if let Ok(index) = name.parse::<usize>() {
            at = &mut at[index];
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[name];
        }
    }
    *at = value;
}

#[test]
fn what_a_payer_may_write_grants_moves_and_names_nothing() {
    let mut tried = 0;
    for (provider, body) in events() {
        let payers = |(field, _): &Place| author(provider, field) == Some(Author::Payer);
        let places: Vec<Place> = watched(provider, &body).1.into_iter().filter(payers).collect();
        for (field, pointer) in places {
            let mut without = body.clone();
            put(&mut without, &pointer, Value::Null);
            let (plain, _) = watched(provider, &without);
            let record = apply(AccountRecord::default(), &plain, NOW);
            for value in hostile() {
                let mut bent = body.clone();
                put(&mut bent, &pointer, value.clone());
                let (event, _) = watched(provider, &bent);
                assert!(event.unnamed.is_some(), "{field}: the operator can see why");
                let event = BillingEvent { unnamed: None, ..event };
                assert_eq!(event, plain, "{field} = {value}");
                assert_eq!(apply(AccountRecord::default(), &event, NOW), record);
                tried += 1;
            }
        }
    }
    assert!(tried >= 5 * 12, "{tried}");
}

/// Everything else in an object that a payer writes is never even looked at.
#[test]
fn nothing_beside_the_reference_is_read_where_a_payer_writes() {
    for (provider, mut body) in events() {
        let (before, _) = watched(provider, &body);
        let writes = ["/data/custom_data", "/meta/custom_data"];
        let writes = writes
            .iter()
            .chain(["/data/metadata"].iter().filter(|_| provider == Provider::Standard));
        for pointer in writes.filter(|pointer| body.pointer(pointer).is_some()).collect::<Vec<_>>()
        {
            for name in ["tollgate_credits", "plan", "status", "customer_id", "quantity", "account"]
            {
                put(&mut body, &format!("{pointer}/{name}"), json!("9007199254740991"));
            }
        }
        assert_eq!(watched(provider, &body).0, before);
    }
}

#[test]
fn answers_of_the_api_are_read_by_the_same_list() {
    let billing = billing(Provider::Paddle, &[]);
    let mut reread = Reread::of_customer(&billing, "ctm_01").unwrap();
    let mut forged = others::paddle_subscription();
    forged["custom_data"] = json!({"tollgate_account": "victim"});
    for body in [json!({"data": {}}), json!({"data": [forged]})] {
        let text = body.to_string();
        reread.answered(&ApiAnswer { status: 200, body: &text }, &plans(), NOW).unwrap();
    }
    let events = reread.into_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].account, None);
    assert!(events[0].unnamed.is_some());
    let _: fn(&_, &Webhook<'_>, BillingEvent) -> Result<Completion, BillingError> = Completion::new;
}

/// The list in the guide is the list in the code.
#[test]
fn the_guide_lists_every_field_with_its_author() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/billing.md");
    let guide = fs::read_to_string(path).unwrap();
    for provider in Provider::ALL {
        for who in [Author::Payer, Author::Seller, Author::Provider] {
            let fields: Vec<String> = api_of(provider)
                .fields
                .iter()
                .filter(|(_, author)| *author == who)
                .map(|(field, _)| format!("`{field}`"))
                .collect();
            if fields.is_empty() {
                continue;
            }
            let row = format!("| {} | {} | {} |", provider.word(), who.word(), fields.join(" "));
            assert!(guide.contains(&row), "docs/billing.md lacks this row:\n{row}");
        }
    }
}
