//! Stripe's events, of old and new versions of its API.

use serde_json::{Value, json};
use tollgate::account::{Provider, Status, Subscription};
use tollgate::billing::{Billing, BillingEvent, News};
use tollgate::cause::PaymentFailure;
use tollgate::identity::AccountName;
use tollgate::time::Timestamp;

use super::fixture;

pub(crate) const CREATED: i64 = 1_795_330_000;

/// An event around `object`.
pub(crate) fn envelope(kind: &str, object: &Value) -> Value {
    json!({"id": "evt_1", "object": "event", "api_version": "2026-10-28.endive", "type": kind,
        "created": CREATED, "livemode": true, "data": {"object": object}})
}

/// A subscription as API version 2026-10-28 writes it: the period is the items'.
pub(crate) fn subscription() -> Value {
    json!({"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active",
        "metadata": {"tollgate_account": "acme/alice"},
        "billing_cycle_anchor": 1_795_000_000, "cancel_at": null, "cancel_at_period_end": false,
        "canceled_at": null, "ended_at": null, "trial_end": null, "pause_collection": null,
        "items": {"object": "list", "has_more": false, "data": [
            {"id": "si_1", "quantity": 1, "current_period_end": 1_797_592_000,
             "price": {"id": "price_pro", "lookup_key": null, "product": "prod_x"}}]}})
}

fn read(kind: &str, object: &Value) -> BillingEvent {
    fixture::event(Provider::Stripe, &envelope(kind, object)).unwrap()
}

fn state(object: &Value) -> Subscription {
    let event = read("customer.subscription.updated", object);
    let [News::Subscription { state, .. }] = event.news.as_slice() else { panic!("{event:?}") };
    (**state).clone()
}

fn with(mut object: Value, path: &str, value: Value) -> Value {
    *object.pointer_mut(path).unwrap() = value;
    object
}

#[expect(clippy::unnecessary_wraps, reason = "what it is compared with may be nothing")]
fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(seconds))
}

#[test]
fn a_subscription_is_read_whole() {
    let event = read("customer.subscription.created", &subscription());
    let state = Subscription {
        plan: Some("pro".to_owned()),
        status: Status::Active,
        cycle_anchor: at(1_795_000_000),
        current_period_ends_at: at(1_797_592_000),
        ..Subscription::default()
    };
    let (id, kind) = ("evt_1".to_owned(), "customer.subscription.created".to_owned());
    let created = Timestamp::from_seconds(CREATED);
    let expected = BillingEvent {
        customer: Some("cus_1".to_owned()),
        subscription: Some("sub_1".to_owned()),
        account: AccountName::parse("acme/alice").ok(),
        news: vec![News::Subscription { id: "sub_1".to_owned(), state: Box::new(state) }],
        ..BillingEvent::new(Provider::Stripe, id, kind, created)
    };
    assert_eq!(event, expected);
}

#[test]
fn older_versions_keep_the_period_at_the_subscription() {
    let mut old = subscription();
    old["current_period_end"] = json!(1_797_000_000);
    old["items"]["data"][0]["current_period_end"].take();
    old["items"]["data"][0]["plan"] = json!({"id": "price_pro", "product": "prod_x"});
    old["customer"] = json!({"id": "cus_1", "object": "customer"});
    assert_eq!(state(&old).current_period_ends_at, at(1_797_000_000));
    old["items"]["data"][0]["price"].take();
    assert_eq!(state(&old).plan.as_deref(), Some("pro"));
}

#[test]
fn every_status_has_its_place() {
    for (word, status) in [
        ("trialing", Status::Trialing),
        ("active", Status::Active),
        ("past_due", Status::PastDue),
        ("unpaid", Status::Unpaid),
        ("incomplete", Status::Incomplete),
        ("incomplete_expired", Status::Ended),
        ("canceled", Status::Ended),
        ("paused", Status::Paused),
        ("a_word_of_the_future", Status::Paused),
    ] {
        assert_eq!(state(&with(subscription(), "/status", json!(word))).status, status, "{word}");
    }
}

#[test]
fn an_end_is_found_wherever_it_stands() {
    let ends_at = |changes: Value| {
        let mut object = subscription();
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
        state(&object).ends_at
    };
    assert_eq!(ends_at(json!({})), None);
    assert_eq!(ends_at(json!({"cancel_at": 1_796_000_000})), at(1_796_000_000));
    assert_eq!(ends_at(json!({"cancel_at_period_end": true})), at(1_797_592_000));
    let both = json!({"cancel_at_period_end": true, "cancel_at": 1_797_592_001});
    assert_eq!(ends_at(both), at(1_797_592_001));
    let asked = json!({"canceled_at": 1_795_100_000});
    assert_eq!(ends_at(asked), None, "when it was asked for is not when it ends");
    let ended = json!({"status": "canceled", "ended_at": 1_795_200_000, "canceled_at": 5});
    assert_eq!(ends_at(ended), at(1_795_200_000));
    let ended = json!({"status": "canceled", "canceled_at": 1_795_100_000});
    assert_eq!(ends_at(ended), at(1_795_100_000));
}

#[test]
fn who_collects_nothing_still_serves() {
    for behavior in ["void", "keep_as_draft", "mark_uncollectible"] {
        let paused = json!({"behavior": behavior, "resumes_at": null});
        let object = with(subscription(), "/pause_collection", paused);
        assert_eq!(state(&object).status, Status::Active);
    }
}

#[test]
fn the_plan_is_the_first_known_that_limits() {
    let item = |id: &str, key: Value, product: Value| json!({"price": {"id": id, "lookup_key": key, "product": product}});
    let export = item("price_export", Value::Null, json!("prod_y"));
    for (items, plan, add_ons) in [
        (json!([item("price_pro", Value::Null, json!("prod_y"))]), Some("pro"), vec![]),
        (json!([item("price_9", json!("pro_monthly"), json!("prod_y"))]), Some("pro"), vec![]),
        (json!([item("price_9", Value::Null, json!("prod_pro"))]), Some("pro"), vec![]),
        (json!([item("price_9", Value::Null, json!({"id": "prod_pro"}))]), Some("pro"), vec![]),
        (json!([export, item("price_pro", Value::Null, Value::Null)]), Some("pro"), vec!["export"]),
        (json!([export]), Some("export"), vec![]),
        (json!([item("price_9", json!("gold"), Value::Null)]), Some("price_9"), vec![]),
        (
            json!([item("price_9", Value::Null, Value::Null), export]),
            Some("export"),
            vec!["price_9"],
        ),
        (json!([{"price": "price_pro"}]), Some("pro"), vec![]),
        (json!([{"quantity": 0, "price": {"id": "price_pro"}}]), None, vec![]),
        (json!([export, export]), Some("export"), vec![]),
        (json!([]), None, vec![]),
        (json!("none"), None, vec![]),
    ] {
        let state = state(&with(subscription(), "/items/data", items.clone()));
        assert_eq!(
            (state.plan.as_deref(), state.add_ons),
            (plan, add_ons.iter().map(|one| (*one).to_owned()).collect()),
            "{items}"
        );
    }
}

#[test]
fn what_is_needed_and_missing_is_named() {
    for (path, value, said) in [
        ("/id", json!(null), "an id at subscription.id"),
        ("/customer", json!(null), "an id at subscription.customer"),
        ("/customer", json!({"name": "x"}), "an id at subscription.customer"),
        ("/customer", json!("x".repeat(300)), "an id at subscription.customer"),
        ("/status", json!(7), "a text at subscription.status"),
        ("/cancel_at", json!("soon"), "a time at subscription.cancel_at"),
        ("/cancel_at", json!(1e300), "a time at subscription.cancel_at"),
        ("/cancel_at", json!(-1), "a time at subscription.cancel_at"),
        ("/trial_end", json!([1]), "a time at subscription.trial_end"),
        ("/metadata/tollgate_account", json!("a/b/c"), "subscription.metadata.*"),
    ] {
        let body = envelope("customer.subscription.updated", &with(subscription(), path, value));
        let error = fixture::event(Provider::Stripe, &body).unwrap_err();
        assert!(error.contains(said), "{path}: {error}");
    }
    for name in ["id", "type", "created"] {
        let mut body = envelope("invoice.paid", &json!({}));
        body.as_object_mut().unwrap().remove(name);
        let error = fixture::event(Provider::Stripe, &body).unwrap_err();
        assert!(error.ends_with(&format!("at event.{name}")), "{error}");
    }
}

/// An invoice as API version 2026-10-28 writes it.
pub(crate) fn invoice() -> Value {
    json!({"id": "in_1", "object": "invoice", "customer": "cus_1", "metadata": {},
        "parent": {"type": "subscription_details", "subscription_details":
            {"subscription": "sub_1", "metadata": {"tollgate_account": "acme/alice"}}},
        "last_finalization_error": null,
        "lines": {"object": "list", "data": [
            {"parent": {"type": "invoice_item_details"}, "period": {"end": 1_999_999_999}},
            {"parent": {"type": "subscription_item_details"}, "period": {"end": 1_797_592_000}}]}})
}

/// The same as versions before 2025-03-31 write it.
fn older_invoice() -> Value {
    json!({"id": "in_1", "object": "invoice", "customer": "cus_1", "metadata": {},
        "subscription": "sub_1", "subscription_details": {"metadata": {"tollgate_account": "acme/alice"}},
        "charge": null, "last_finalization_error": null,
        "lines": {"data": [{"type": "invoiceitem", "period": {"end": 1_999_999_999}},
            {"type": "subscription", "period": {"end": 1_797_592_000}}]}})
}

#[test]
fn invoices_tell_of_payments() {
    for invoice in [invoice(), older_invoice()] {
        let paid = read("invoice.paid", &invoice);
        assert_eq!(paid.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
        assert_eq!(paid.customer.as_deref(), Some("cus_1"));
        let subscription = "sub_1".to_owned();
        assert_eq!(
            paid.news,
            [News::Paid { subscription, until: at(1_797_592_000), payments: Vec::new() }]
        );
        let failed = read("invoice.payment_failed", &invoice);
        let subscription = Some("sub_1".to_owned());
        assert_eq!(failed.news, [News::PaymentFailed { subscription, reason: None }]);
        for kind in ["invoice.created", "invoice.voided", "invoice.marked_uncollectible"] {
            assert_eq!(read(kind, &invoice).news, []);
        }
    }
    let mut alone = invoice();
    alone["parent"].take();
    assert_eq!(read("invoice.payment_failed", &alone).news, [], "of no subscription");
}

#[test]
fn the_reason_is_read_from_wherever_it_stands() {
    let reason = |kind: &str, object: &Value| {
        let news = read(kind, object).news;
        let [News::PaymentFailed { reason, .. }] = news.as_slice() else { panic!("{news:?}") };
        *reason
    };
    let action = reason("invoice.payment_action_required", &invoice());
    assert_eq!(action, Some(PaymentFailure::AuthenticationRequired));
    let error = json!({"code": "card_declined", "decline_code": "insufficient_funds"});
    let mut newer = invoice();
    newer["payments"] = json!({"data": [
        {"payment": {"type": "payment_intent", "payment_intent": {"last_payment_error": error}}}]});
    let mut older = older_invoice();
    older["payment_intent"] = json!({"id": "pi_1", "last_payment_error": error});
    for object in [newer, older] {
        let reason = reason("invoice.payment_failed", &object);
        assert_eq!(reason, Some(PaymentFailure::InsufficientFunds));
    }
    let mut charged = older_invoice();
    charged["charge"] = json!({"id": "ch_1", "failure_code": "expired_card", "outcome": {}});
    let expired = reason("invoice.payment_failed", &charged);
    assert_eq!(expired, Some(PaymentFailure::CardExpired));
    let mut unfinished = invoice();
    unfinished["last_finalization_error"] = json!({"code": "tax_id_invalid"});
    assert_eq!(reason("invoice.payment_failed", &unfinished), None);

    let intent = json!({"id": "pi_1", "customer": "cus_1", "metadata": {}, "last_payment_error":
        {"code": "card_declined", "decline_code": "lost_card", "advice_code": "try_again_later"}});
    let lost = reason("payment_intent.payment_failed", &intent);
    assert_eq!(lost, Some(PaymentFailure::Declined));
    let untold = with(intent, "/last_payment_error", json!(null));
    assert_eq!(reason("payment_intent.payment_failed", &untold), None);
}

/// A checkout session as API version 2026-10-28 writes it.
pub(crate) fn session() -> Value {
    json!({"id": "cs_1", "object": "checkout.session", "created": CREATED, "customer": "cus_1",
        "client_reference_id": fixture::reference("-/bob"), "mode": "payment",
        "payment_status": "paid", "amount_total": 900, "payment_intent": "pi_1",
        "payment_link": null, "subscription": null, "metadata": {}})
}

#[test]
fn a_checkout_names_the_account_by_a_signed_reference_or_by_the_sellers_metadata() {
    let done = read("checkout.session.completed", &session());
    assert_eq!(
        (done.account.as_ref().map(AccountName::as_str), done.is_payment),
        (Some("-/bob"), true)
    );
    for kind in ["async_payment_failed", "expired"] {
        let other = read(&format!("checkout.session.{kind}"), &session());
        assert!(!other.is_payment, "{kind}");
    }
    for (path, value) in [("/payment_status", json!("unpaid")), ("/amount_total", json!(0))] {
        let free = read("checkout.session.completed", &with(session(), path, value));
        assert_eq!(
            (free.account.as_ref().map(AccountName::as_str), free.is_payment),
            (Some("-/bob"), false)
        );
    }
    // Anybody may write a name into the link.
    let plain = with(session(), "/client_reference_id", json!("bob"));
    let plain = read("checkout.session.completed", &plain);
    assert_eq!(plain.account, None);
    assert!(plain.unnamed.unwrap().contains("session.client_reference_id can be written"));
    let late = with(session(), "/created", json!(2_000_000_060));
    let late = read("checkout.session.completed", &late);
    assert_eq!(late.account, None);
    assert!(late.unnamed.unwrap().contains("expired when the sale began"));
    let metadata = json!({"tollgate_account": "acme/alice", "tollgate_credits": "9"});
    let named = read("checkout.session.completed", &with(session(), "/metadata", metadata));
    assert_eq!(
        named.account.as_ref().map(AccountName::as_str),
        Some("acme/alice"),
        "which no payer can change"
    );
    assert_eq!(named.news, [], "and no number in it brings units");
    let signed = json!({"tollgate_account": fixture::reference("acme/alice")});
    let signed = read("checkout.session.completed", &with(session(), "/metadata", signed));
    assert_eq!(signed.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
}

#[test]
fn customers_entitlements_and_disputes_are_told() {
    let customer = json!({"id": "cus_1", "metadata": {"tollgate_account": "alice"}});
    let updated = read("customer.updated", &customer);
    assert_eq!(updated.account.as_ref().map(AccountName::as_str), Some("-/alice"));
    assert!(updated.names_customer);
    assert_eq!((updated.customer.as_deref(), updated.news), (Some("cus_1"), vec![]));
    assert_eq!(read("customer.deleted", &customer).news, [News::CustomerDeleted]);

    let summary = json!({"object": "entitlements.active_entitlement_summary", "customer": "cus_1",
        "entitlements": {"has_more": true, "data": [{"lookup_key": "export"}, {"id": "x"}]}});
    let told = read("entitlements.active_entitlement_summary.updated", &summary);
    let names = vec!["export".to_owned()];
    assert_eq!(told.news, [News::Entitlements { names, is_complete: false }]);

    let dispute = json!({"id": "du_1", "object": "dispute", "charge": "ch_1",
        "payment_intent": {"id": "pi_1", "customer": "cus_1"}, "status": "needs_response"});
    let opened = read("charge.dispute.created", &dispute);
    assert_eq!(opened.customer.as_deref(), Some("cus_1"));
    let news = |is_open, payments: &[&str]| News::Dispute {
        id: "du_1".to_owned(),
        is_open,
        subscription: None,
        payments: payments.iter().map(|id| (*id).to_owned()).collect(),
    };
    assert_eq!(opened.news, [news(true, &["ch_1", "pi_1"])]);
    let bare = with(dispute, "/payment_intent", json!("pi_1"));
    let closed = read("charge.dispute.closed", &with(bare, "/status", json!("won")));
    assert_eq!(closed.customer, None);
    assert_eq!(closed.news, [news(false, &["ch_1", "pi_1"])]);
}

#[test]
fn what_the_gate_has_no_use_for_is_no_news() {
    let thin = json!({"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.no_meter",
        "created": "2026-11-23T07:26:40.000Z"});
    let event = fixture::event(Provider::Stripe, &thin).unwrap();
    assert_eq!((event.occurred_at, event.news), (Timestamp::from_seconds(1_795_418_800), vec![]));
    let ping = json!({"id": "evt_3", "type": "tollgate.ping", "created": 5});
    let event = fixture::event(Provider::Stripe, &ping).unwrap();
    assert_eq!((event.kind.as_str(), event.id.as_str()), ("tollgate.ping", "evt_3"));
    assert_eq!(event.news, []);
    for kind in ["product.created", "charge.refunded", "nonsense", "."] {
        assert_eq!(read(kind, &json!({"id": "x", "customer": "cus_1"})).news, []);
    }
}

#[test]
fn what_another_mode_or_account_says_does_not_count() {
    let mut body = envelope("customer.subscription.updated", &subscription());
    let read = |body: &Value, change: fn(&mut Billing)| {
        let mut billing = fixture::billing(Provider::Stripe, &[]);
        change(&mut billing);
        fixture::event_by(&billing, body).unwrap().ignored.unwrap_or_default()
    };
    assert_eq!(read(&body, |_| {}), "");
    let of_platform = read(&body, |billing| billing.store = Some("acct_1".to_owned()));
    assert!(of_platform.contains("store is acct_1"), "{of_platform}");
    body["account"] = json!("acct_1");
    assert!(read(&body, |_| {}).contains("connected account acct_1"));
    assert_eq!(read(&body, |billing| billing.store = Some("acct_1".to_owned())), "");
    assert!(read(&body, |billing| billing.store = Some("acct_2".to_owned())).contains("acct_1"));
    body["account"].take();
    body["livemode"] = json!(false);
    assert!(read(&body, |_| {}).contains("test mode"));
    assert_eq!(read(&body, |billing| billing.test = true), "");
}
