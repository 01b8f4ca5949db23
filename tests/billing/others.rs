//! Events of Paddle, Lemon Squeezy, Polar, and of a system of the operator's own.

use serde_json::{Value, json};
use tollgate::account::{Provider, Status, Subscription};
use tollgate::billing::{BillingEvent, News};
use tollgate::cause::PaymentFailure;
use tollgate::identity::AccountName;
use tollgate::time::Timestamp;

use super::fixture::{billing, event, event_by, reference};

#[expect(clippy::unnecessary_wraps, reason = "what it is compared with may be nothing")]
fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse_rfc3339(text).unwrap())
}

fn read(provider: Provider, body: &Value) -> BillingEvent {
    event(provider, body).unwrap()
}

fn state(event: &BillingEvent) -> (&str, &Subscription) {
    let [News::Subscription { id, state }] = event.news.as_slice() else { panic!("{event:?}") };
    (id, state)
}

/// An event of Paddle Billing, API version 1.
pub(crate) fn paddle(kind: &str, data: &Value) -> Value {
    json!({"event_id": "evt_01", "notification_id": "ntf_01", "event_type": kind,
        "occurred_at": "2026-11-23T08:00:00.123456Z", "data": data})
}

pub(crate) fn paddle_subscription() -> Value {
    json!({"id": "sub_01", "status": "active", "customer_id": "ctm_01",
        "custom_data": {"tollgate_account": reference("acme/alice")},
        "first_billed_at": "2026-11-01T00:00:00Z", "started_at": "2026-10-25T00:00:00Z",
        "canceled_at": null, "next_billed_at": "2026-12-01T00:00:00Z", "scheduled_change": null,
        "current_billing_period": {"starts_at": "2026-11-01T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"},
        "items": [
            {"status": "active", "quantity": 1, "trial_dates": {"ends_at": "2026-11-01T00:00:00Z"},
             "price": {"id": "pri_pro", "product_id": "pro_01"}, "product": {"id": "pro_01"}},
            {"status": "active", "quantity": 1, "price": {"id": "pri_export"}},
            {"status": "inactive", "quantity": 1, "price": {"id": "pri_old"}},
            {"status": "active", "quantity": 0, "price": {"id": "pri_none"}}]})
}

#[test]
fn a_subscription_of_paddle_is_read_whole() {
    let event = read(Provider::Paddle, &paddle("subscription.updated", &paddle_subscription()));
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_01", "subscription.updated"));
    assert_eq!(Some(event.occurred_at), at("2026-11-23T08:00:00.123Z"));
    assert_eq!(event.customer.as_deref(), Some("ctm_01"));
    assert_eq!(event.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
    let expected = Subscription {
        plan: Some("pro".to_owned()),
        add_ons: vec!["export".to_owned()],
        status: Status::Active,
        cycle_anchor: at("2026-11-01T00:00:00Z"),
        current_period_ends_at: at("2026-12-01T00:00:00Z"),
        trial_ends_at: at("2026-11-01T00:00:00Z"),
        ..Subscription::default()
    };
    assert_eq!(state(&event), ("sub_01", &expected));
}

#[test]
fn changes_of_paddle_are_read() {
    let state_with = |changes: Value| {
        let mut object = paddle_subscription();
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
        let event = read(Provider::Paddle, &paddle("subscription.updated", &object));
        state(&event).1.clone()
    };
    for (word, status) in [
        ("trialing", Status::Trialing),
        ("past_due", Status::PastDue),
        ("canceled", Status::Ended),
        ("paused", Status::Paused),
        ("a_word_of_the_future", Status::Paused),
    ] {
        assert_eq!(state_with(json!({"status": word})).status, status);
    }
    let cancel = json!({"action": "cancel", "effective_at": "2026-12-01T00:00:00Z"});
    let ending = state_with(json!({"scheduled_change": cancel}));
    assert_eq!((ending.status, ending.ends_at), (Status::Active, at("2026-12-01T00:00:00Z")));
    let pause = json!({"action": "pause", "effective_at": "2026-12-01T00:00:00Z"});
    assert_eq!(state_with(json!({"scheduled_change": pause})).ends_at, None);
    let over = json!({"status": "canceled", "canceled_at": "2026-11-20T00:00:00Z"});
    assert_eq!(state_with(over).ends_at, at("2026-11-20T00:00:00Z"));
}

#[test]
fn transactions_and_chargebacks_of_paddle_are_read() {
    let transaction = json!({"id": "txn_01", "customer_id": "ctm_01", "subscription_id": "sub_01",
        "custom_data": {"tollgate_credits": 9_007_199_254_740_991_u64}, "status": "completed",
        "details": {"totals": {"grand_total": "900"}},
        "items": [{"quantity": 2, "price": {"id": "pri_units", "product_id": "pro_9"}}],
        "billing_period": {"ends_at": "2027-01-01T00:00:00Z"},
        "payments": [
            {"status": "error", "error_code": "expired_card", "created_at": "2026-11-23T07:00:00Z"},
            {"status": "error", "error_code": "not_enough_balance", "created_at": "2026-11-23T08:00:00Z"},
            {"status": "captured", "error_code": null, "created_at": "2026-11-23T09:00:00Z"}]});
    let paid = read(Provider::Paddle, &paddle("transaction.completed", &transaction));
    let subscription = "sub_01".to_owned();
    let until = at("2027-01-01T00:00:00Z");
    let payments = vec!["txn_01".to_owned()];
    assert_eq!(paid.news, [News::Paid { subscription, until, payments }, credits("txn_01", 1_000)]);
    assert!(paid.is_payment);
    let mut free = transaction.clone();
    free["details"]["totals"]["grand_total"] = json!("0");
    let free = read(Provider::Paddle, &paddle("transaction.completed", &free));
    assert!(!free.is_payment && free.news.len() == 1, "{free:?}");
    let failed = read(Provider::Paddle, &paddle("transaction.payment_failed", &transaction));
    let subscription = Some("sub_01".to_owned());
    let reason = Some(PaymentFailure::InsufficientFunds);
    assert_eq!(failed.news, [News::PaymentFailed { subscription, reason }]);
    let mut beside = transaction;
    beside["origin"] = json!("subscription_charge");
    let failed = read(Provider::Paddle, &paddle("transaction.payment_failed", &beside));
    assert_eq!(failed.news, [News::PaymentFailed { subscription: None, reason }]);
    let paid = read(Provider::Paddle, &paddle("transaction.completed", &beside));
    assert!(matches!(paid.news.as_slice(), [News::Credits { .. }]), "{paid:?}");
    for (action, is_open) in [("chargeback", true), ("chargeback_reverse", false)] {
        let data = json!({"id": "adj_01", "action": action, "transaction_id": "txn_01",
            "customer_id": "ctm_01", "subscription_id": "sub_01"});
        let event = read(Provider::Paddle, &paddle("adjustment.created", &data));
        let (id, subscription) = ("txn_01".to_owned(), Some("sub_01".to_owned()));
        let payments = vec![id.clone()];
        assert_eq!(event.news, [News::Dispute { id, is_open, subscription, payments }]);
    }
    let refund = json!({"id": "adj_02", "action": "refund", "transaction_id": "txn_01"});
    assert_eq!(read(Provider::Paddle, &paddle("adjustment.created", &refund)).news, []);
    let customer = json!({"id": "ctm_01", "custom_data": {"tollgate_account": "alice"}});
    let made = read(Provider::Paddle, &paddle("customer.created", &customer));
    assert_eq!(made.customer.as_deref(), Some("ctm_01"));
    assert_eq!(
        (made.account.as_ref().map(AccountName::as_str), made.news),
        (None, vec![]),
        "it is not signed"
    );
}

/// An event of Lemon Squeezy, as of 2026.
pub(crate) fn lemonsqueezy(kind: &str, family: &str, attributes: &Value) -> Value {
    let custom_data = json!({"tollgate_account": reference("acme/alice")});
    json!({"meta": {"event_name": kind, "test_mode": false, "custom_data": custom_data},
        "data": {"type": family, "id": "1", "attributes": attributes}})
}

pub(crate) fn lemonsqueezy_subscription() -> Value {
    json!({"store_id": 7, "customer_id": 5, "variant_id": 21, "product_id": 9, "status": "active",
        "cancelled": false, "pause": null, "trial_ends_at": null,
        "renews_at": "2026-12-01T00:00:00.000000Z", "ends_at": null,
        "created_at": "2026-11-01T00:00:00.000000Z", "updated_at": "2026-11-23T08:00:00.000000Z"})
}

#[test]
fn a_subscription_of_lemon_squeezy_is_read_whole() {
    let kind = "subscription_updated";
    let body = lemonsqueezy(kind, "subscriptions", &lemonsqueezy_subscription());
    let event = read(Provider::LemonSqueezy, &body);
    assert_eq!(event.id, "subscription_updated:1:2026-11-23T08:00:00Z");
    assert_eq!((event.kind.as_str(), Some(event.occurred_at)), (kind, at("2026-11-23T08:00:00Z")));
    assert_eq!(event.customer.as_deref(), Some("5"));
    assert_eq!(event.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
    let expected = Subscription {
        plan: Some("pro".to_owned()),
        status: Status::Active,
        cycle_anchor: at("2026-11-01T00:00:00Z"),
        current_period_ends_at: at("2026-12-01T00:00:00Z"),
        ..Subscription::default()
    };
    assert_eq!(state(&event), ("1", &expected));
}

#[test]
fn changes_of_lemon_squeezy_are_read() {
    let end = "2026-12-01T00:00:00.000000Z";
    for (changes, status, ends_at) in [
        (json!({"status": "on_trial"}), Status::Trialing, None),
        (json!({"status": "past_due"}), Status::PastDue, None),
        (json!({"status": "unpaid"}), Status::Unpaid, None),
        (json!({"status": "paused", "pause": {"mode": "void"}}), Status::Paused, None),
        (json!({"status": "paused", "pause": {"mode": "free"}}), Status::Active, None),
        (json!({"status": "a_word_of_the_future"}), Status::Paused, None),
        (
            json!({"status": "cancelled", "cancelled": true, "ends_at": end}),
            Status::Active,
            at(end),
        ),
        (json!({"status": "cancelled"}), Status::Active, at(end)),
        (json!({"status": "expired", "ends_at": end}), Status::Ended, at(end)),
    ] {
        let mut object = lemonsqueezy_subscription();
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
        let body = lemonsqueezy("subscription_updated", "subscriptions", &object);
        let event = read(Provider::LemonSqueezy, &body);
        let (_, state) = state(&event);
        assert_eq!((state.status, state.ends_at), (status, ends_at), "{changes}");
    }
}

pub(crate) fn lemonsqueezy_order() -> Value {
    json!({"store_id": 7, "customer_id": 5, "status": "paid", "total": 900,
        "first_order_item": {"variant_id": 91, "product_id": 9, "quantity": 1},
        "created_at": "2026-11-23T08:00:00Z", "updated_at": "2026-11-23T08:00:00Z"})
}

/// Units that were bought by one payment.
fn credits(id: &str, units: u64) -> News {
    News::Credits { id: id.to_owned(), units, payment: Some(id.to_owned()) }
}

#[test]
fn what_another_store_or_mode_says_does_not_count() {
    let of = |change: fn(&mut Value)| {
        let mut body =
            lemonsqueezy("subscription_updated", "subscriptions", &lemonsqueezy_subscription());
        change(&mut body);
        body
    };
    let ignored = |body: &Value| read(Provider::LemonSqueezy, body).ignored.unwrap_or_default();
    assert_eq!(ignored(&of(|_| {})), "");
    let store = of(|body| body["data"]["attributes"]["store_id"] = json!(999));
    assert!(ignored(&store).contains("store 999"));
    let test = of(|body| body["meta"]["test_mode"] = json!(true));
    assert!(ignored(&test).contains("test mode"));
    let test = of(|body| body["data"]["attributes"]["test_mode"] = json!(true));
    assert!(ignored(&test).contains("test mode"));
    let mut testing = billing(Provider::LemonSqueezy, &[]);
    testing.test = true;
    assert_eq!(event_by(&testing, &test).unwrap().ignored, None);
    let mut of_polar = billing(Provider::Standard, &[]);
    of_polar.store = Some("org_1".to_owned());
    let mut subscription = polar_subscription();
    subscription["product"] = json!({"organization_id": "org_2"});
    let other = event_by(&of_polar, &standard("subscription.active", &subscription)).unwrap();
    assert!(other.ignored.unwrap().contains("organisation org_2"));
}

#[test]
fn payments_and_orders_of_lemon_squeezy_are_read() {
    let invoice = json!({"customer_id": 5, "subscription_id": 7, "status": "paid",
        "updated_at": "2026-11-23T08:00:00Z"});
    let of = |kind, family, object: &Value| {
        read(Provider::LemonSqueezy, &lemonsqueezy(kind, family, object)).news
    };
    for kind in ["subscription_payment_success", "subscription_payment_recovered"] {
        let payments = Vec::new();
        let paid = News::Paid { subscription: "7".to_owned(), until: None, payments };
        assert_eq!(of(kind, "subscription-invoices", &invoice), [paid]);
    }
    let failed = News::PaymentFailed { subscription: Some("7".to_owned()), reason: None };
    assert_eq!(of("subscription_payment_failed", "subscription-invoices", &invoice), [failed]);
    let mut body = lemonsqueezy("order_created", "orders", &lemonsqueezy_order());
    body["meta"]["custom_data"]["tollgate_credits"] = json!("9007199254740991");
    let bought = read(Provider::LemonSqueezy, &body);
    let units =
        News::Credits { id: "order_1".to_owned(), units: 500, payment: Some("1".to_owned()) };
    assert_eq!((bought.news, bought.is_payment), (vec![units], true));
    for (name, value) in [
        ("status", json!("failed")),
        ("total", json!(0)),
        ("first_order_item", json!({"variant_id": 9})),
    ] {
        let mut body = body.clone();
        body["data"]["attributes"][name] = value;
        assert_eq!(read(Provider::LemonSqueezy, &body).news, [], "{name}");
    }
    assert_eq!(of("license_key_created", "license-keys", &invoice), []);
}

pub(crate) fn standard(kind: &str, data: &Value) -> Value {
    json!({"type": kind, "timestamp": "2026-11-23T08:00:00Z", "data": data})
}

/// As Polar's SDK 0.49.0 knows it.
pub(crate) fn polar_subscription() -> Value {
    json!({"id": "p_sub", "status": "active", "customer_id": "p_cus", "product_id": "prod_pro",
        "started_at": "2026-11-01T00:00:00Z", "current_period_end": "2026-12-01T00:00:00Z",
        "trial_end": null, "cancel_at_period_end": false, "ends_at": null, "ended_at": null,
        "created_at": "2026-11-01T00:00:00Z",
        "metadata": {"tollgate_account": reference("acme/alice")},
        "customer": {"id": "p_cus", "metadata": {}, "external_id": "-/other"}})
}

#[test]
fn polar_is_read() {
    let body = standard("subscription.active", &polar_subscription());
    let event = read(Provider::Standard, &body);
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("msg_1", "subscription.active"));
    assert_eq!(event.customer.as_deref(), Some("p_cus"));
    assert_eq!(event.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
    let mut expected = Subscription {
        plan: Some("pro".to_owned()),
        status: Status::Active,
        cycle_anchor: at("2026-11-01T00:00:00Z"),
        current_period_ends_at: at("2026-12-01T00:00:00Z"),
        ..Subscription::default()
    };
    assert_eq!(state(&event), ("p_sub", &expected));

    let mut ending = polar_subscription();
    ending["cancel_at_period_end"] = json!(true);
    ending["metadata"]["tollgate_account"] = json!(reference("-/bob"));
    let event = read(Provider::Standard, &standard("subscription.canceled", &ending));
    expected.ends_at = at("2026-12-01T00:00:00Z");
    assert_eq!(state(&event), ("p_sub", &expected));
    assert_eq!(event.account.as_ref().map(AccountName::as_str), Some("-/bob"));

    let order = json!({"id": "p_ord", "customer_id": "p_cus", "subscription_id": "p_sub",
        "product_id": "prod_units", "total_amount": 900, "metadata": {"tollgate_credits": 9}});
    let (subscription, payments) = ("p_sub".to_owned(), Vec::new());
    let paid = News::Paid { subscription, until: None, payments };
    let bought = read(Provider::Standard, &standard("order.paid", &order));
    assert_eq!((bought.news, bought.is_payment), (vec![paid, credits("p_ord", 500)], true));

    let customer = json!({"id": "p_cus", "external_id": "alice", "metadata": {},
        "granted_benefits": [{"benefit_metadata": {"entitlement": "export"}}, {"id": "x"}]});
    let changed = read(Provider::Standard, &standard("customer.state_changed", &customer));
    assert_eq!(changed.account, None, "an address that anybody may type picks the customer");
    let names = vec!["export".to_owned()];
    assert_eq!(changed.news, [News::Entitlements { names, is_complete: true }]);
    let deleted = read(Provider::Standard, &standard("customer.deleted", &customer));
    assert_eq!(deleted.news, [News::CustomerDeleted]);
    assert_eq!(read(Provider::Standard, &standard("product.updated", &customer)).news, []);
}

#[test]
fn a_system_of_the_operators_own_is_read() {
    let data = json!({"account": "acme/alice", "id": "s1", "plan": "pro", "status": "past_due",
        "add_ons": ["export"], "current_period_ends_at": "2026-12-01T00:00:00Z",
        "payment_failure": "card_expired"});
    let event = read(Provider::Standard, &standard("tollgate.subscription", &data));
    assert_eq!(event.account.as_ref().map(AccountName::as_str), Some("acme/alice"));
    assert_eq!(event.customer.as_deref(), Some("acme/alice"), "its own customer");
    let expected = Subscription {
        plan: Some("pro".to_owned()),
        add_ons: vec!["export".to_owned()],
        status: Status::PastDue,
        current_period_ends_at: at("2026-12-01T00:00:00Z"),
        payment_failure: Some(PaymentFailure::CardExpired),
        ..Subscription::default()
    };
    assert_eq!(state(&event), ("s1", &expected));
    let news = |kind: &str, mut data: Value| {
        data["customer"] = json!("c1");
        read(Provider::Standard, &standard(kind, &data)).news
    };
    let subscription = Some("s1".to_owned());
    let reason = Some(PaymentFailure::TryLater);
    let failed = json!({"subscription": "s1", "payment_failure": "try_later"});
    let expected = News::PaymentFailed { subscription, reason };
    assert_eq!(news("tollgate.payment_failed", failed), [expected]);
    let paid = json!({"subscription": "s1", "until": "2027-01-01T00:00:00Z"});
    let until = at("2027-01-01T00:00:00Z");
    let payments = Vec::new();
    let expected = News::Paid { subscription: "s1".to_owned(), until, payments };
    assert_eq!(news("tollgate.paid", paid), [expected]);
    let names = vec!["export".to_owned()];
    let expected = News::Entitlements { names, is_complete: true };
    assert_eq!(news("tollgate.entitlements", json!({"names": ["export"]})), [expected]);
    assert_eq!(news("tollgate.credits", json!({"id": "p1", "units": 4})), [credits("p1", 4)]);
    let (subscription, payments) = (None, Vec::new());
    let dispute = News::Dispute { id: "d1".to_owned(), is_open: true, subscription, payments };
    assert_eq!(news("tollgate.dispute", json!({"id": "d1", "is_open": true})), [dispute]);
    assert_eq!(news("tollgate.customer_deleted", json!({})), [News::CustomerDeleted]);
    assert_eq!(news("tollgate.word_of_the_future", json!({})), []);
}

#[test]
fn an_own_system_is_told_what_is_wrong() {
    let good = json!({"account": "alice", "id": "s1", "status": "active"});
    for (kind, path, value, said) in [
        ("subscription", "status", json!("canceled"), "a status of the record at own.status"),
        ("subscription", "account", json!("a/b/c"), "at own.account"),
        ("subscription", "account", json!(null), "own.account or own.customer"),
        ("subscription", "id", json!(null), "an id at own.id"),
        ("subscription", "ends_at", json!("soon"), "a time at own.ends_at"),
        ("subscription", "add_ons", json!("x"), "a list of texts at own.add_ons"),
        ("subscription", "payment_failure", json!("lost_card"), "at own.payment_failure"),
        ("paid", "x", json!(1), "an id at own.subscription"),
        ("credits", "units", json!(0), "a number of units at own.units"),
        ("credits", "x", json!(0), "a number of units at own.units"),
        ("entitlements", "names", json!([7]), "a list of texts at own.names"),
    ] {
        let mut data = good.clone();
        data[path] = value;
        let body = standard(&format!("tollgate.{kind}"), &data);
        let error = event(Provider::Standard, &body).unwrap_err();
        assert!(error.contains(said), "{path}: {error}");
    }
    let mut timeless = standard("tollgate.subscription", &good);
    timeless["timestamp"].take();
    let error = event(Provider::Standard, &timeless).unwrap_err();
    assert_eq!(error, "expected a time at event.timestamp");
}

#[test]
fn pings_of_every_provider_do_nothing() {
    for (provider, body, id) in [
        (Provider::Stripe, json!({"id": "e", "type": "tollgate.ping", "created": 1}), "e"),
        (Provider::Paddle, json!({"event_id": "e", "event_type": "tollgate.ping"}), "e"),
        (
            Provider::LemonSqueezy,
            json!({"meta": {"event_name": "tollgate.ping"}, "data": {"id": "e"}}),
            "e",
        ),
        (Provider::Standard, json!({"type": "tollgate.ping"}), "msg_1"),
    ] {
        let event = read(provider, &body);
        assert_eq!((event.id.as_str(), event.kind.as_str()), (id, "tollgate.ping"));
        assert_eq!((event.news, event.customer, event.account), (vec![], None, None));
    }
}
