//! A whole life of a subscription at Stripe, read and applied: in any order, and with any event
//! twice or oftener, it ends in the same record.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate::account::{AccountRecord, Provider, Status};
use tollgate::billing::{BillingEvent, apply};
use tollgate::cause::PaymentFailure;
use tollgate::time::Timestamp;

use super::fixture::event;
use super::stripe::{invoice, subscription};

const START: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

/// The time of the first failure of the renewal.
const FAILED: i64 = START + 30 * DAY;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn told(seconds: i64, kind: &str, object: &Value) -> BillingEvent {
    let body = json!({"id": format!("evt_{kind}_{seconds}"), "object": "event", "type": kind,
        "created": seconds, "data": {"object": object}});
    event(Provider::Stripe, &body).unwrap()
}

fn state(seconds: i64, status: &str, period_end: i64, changes: &Value) -> BillingEvent {
    let mut object = subscription();
    object["status"] = json!(status);
    object["items"]["data"][0]["current_period_end"] = json!(period_end);
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    let kind = match status {
        "incomplete" => "customer.subscription.created",
        "canceled" => "customer.subscription.deleted",
        _ => "customer.subscription.updated",
    };
    told(seconds, kind, &object)
}

fn paid(seconds: i64, period_end: i64) -> BillingEvent {
    let mut object = invoice();
    object["lines"]["data"][1]["period"]["end"] = json!(period_end);
    told(seconds, "invoice.paid", &object)
}

fn failed(seconds: i64) -> BillingEvent {
    told(seconds, "invoice.payment_failed", &invoice())
}

fn declined(seconds: i64, code: &str) -> BillingEvent {
    let intent = json!({"id": "pi_1", "customer": "cus_1", "metadata": {},
        "last_payment_error": {"code": "card_declined", "decline_code": code}});
    told(seconds, "payment_intent.payment_failed", &intent)
}

/// Up to the third failure of the renewal.
fn failing() -> Vec<BillingEvent> {
    let (first, second) = (START + 30 * DAY, START + 60 * DAY);
    let none = json!({});
    vec![
        told(START, "customer.created", &json!({"id": "cus_1", "metadata": {}})),
        state(START, "incomplete", first, &none),
        declined(START + 1, "insufficient_funds"),
        failed(START + 1),
        paid(START + 60, first),
        state(START + 60, "active", first, &none),
        state(FAILED - 3_600, "active", second, &none),
        declined(FAILED, "do_not_honor"),
        failed(FAILED),
        state(FAILED, "past_due", second, &none),
        failed(FAILED + 3 * DAY),
        state(FAILED + 3 * DAY, "past_due", second, &none),
        declined(FAILED + 5 * DAY - 1, "expired_card"),
        failed(FAILED + 5 * DAY),
    ]
}

/// The rest, to its end.
fn ending() -> Vec<BillingEvent> {
    let (second, paid_at, cancelled_at) = (START + 60 * DAY, FAILED + 6 * DAY, FAILED + 7 * DAY);
    let cancelled = json!({"cancel_at_period_end": true});
    let over = json!({"ended_at": second, "canceled_at": cancelled_at});
    vec![
        paid(paid_at, second),
        state(paid_at, "active", second, &json!({})),
        state(cancelled_at, "active", second, &cancelled),
        state(second, "canceled", second, &over),
    ]
}

fn record(events: &[BillingEvent]) -> AccountRecord {
    let now = at(START + 61 * DAY);
    events.iter().fold(AccountRecord::default(), |record, event| apply(record, event, now))
}

#[test]
fn the_life_is_what_it_seems() {
    let mut events = failing();
    let one = record(&events).billed[0].subscription.clone();
    assert_eq!((one.status, one.plan.as_deref()), (Status::PastDue, Some("pro")));
    assert_eq!(one.payment_failed_at, Some(at(FAILED)));
    assert_eq!(one.payment_failure, Some(PaymentFailure::CardExpired), "the newest word");
    events.extend(ending());
    let one = record(&events).billed[0].subscription.clone();
    assert_eq!((one.status, one.ends_at), (Status::Ended, Some(at(START + 60 * DAY))));
    assert_eq!((one.payment_failed_at, one.payment_failure), (None, None));
}

#[test]
fn who_pays_an_old_invoice_still_owes_the_new_one() {
    let mut events = failing();
    let (old, owed) = (START + 30 * DAY, START + 60 * DAY);
    events.push(state(FAILED + 7 * DAY, "unpaid", owed, &json!({})));
    events.push(paid(FAILED + 8 * DAY, old));
    assert_eq!(record(&events).billed[0].subscription.status, Status::Unpaid);
    events.push(paid(FAILED + 9 * DAY, owed));
    assert_eq!(record(&events).billed[0].subscription.status, Status::Active);
}

/// Every event, and some of them again, in any order.
fn told_anyhow(events: Vec<BillingEvent>) -> impl Strategy<Value = Vec<BillingEvent>> {
    let again = prop::collection::vec(prop::sample::select(events.clone()), 0..12);
    again.prop_flat_map(move |again| {
        let all: Vec<BillingEvent> = events.iter().cloned().chain(again).collect();
        Just(all).prop_shuffle()
    })
}

fn whole() -> Vec<BillingEvent> {
    failing().into_iter().chain(ending()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, cases: 1_000, ..ProptestConfig::default()
    })]

    #[test]
    fn a_whole_life_ends_the_same_in_any_order(events in told_anyhow(whole())) {
        prop_assert_eq!(record(&events), record(&whole()));
    }

    #[test]
    fn the_grace_starts_once_in_any_order(events in told_anyhow(failing())) {
        let found = record(&events);
        prop_assert_eq!(found.billed[0].subscription.payment_failed_at, Some(at(FAILED)));
        prop_assert_eq!(found, record(&failing()));
    }

    #[test]
    fn any_part_of_it_ends_the_same_in_any_order(
        (events, other) in prop::sample::subsequence(whole(), 1..18)
            .prop_flat_map(|part| (Just(part.clone()), Just(part).prop_shuffle())),
    ) {
        prop_assert_eq!(record(&events), record(&other));
    }
}
