//! The way back in: what a refused customer is led to, and how soon who has paid is let in.

use serde_json::json;
use tollgate::account::{Provider, Status, Subscription};
use tollgate::billing::{BillingEvent, News};
use tollgate::cause::{Action, Cause, Notice, PaymentFailure};
use tollgate::decision::Decision;
use tollgate::time::Timestamp;

use crate::world::{World, token, unreachable};
use crate::{ALICE, cause, denied, passed, performed, tokens, vars};

const DAY_MS: i64 = 86_400_000;

/// A world with Stripe, and alice a customer of its.
fn world() -> World {
    let vars = vars(&json!({"keys": tokens::ed_key()}))
        .with("BILLING", json!([{"provider": "stripe", "on_dispute": "suspend"}]))
        .with("STRIPE_WEBHOOK_SECRET", json!("whsec_of_a_test"))
        .with("STRIPE_API_KEY", json!("sk_test_1"))
        .with(
            "PLANS",
            json!([
                {"id": "basic", "prices": ["price_basic"],
                 "quotas": [{"meter": "api", "limit": 2, "per": "month"}]},
                {"id": "pro", "prices": ["price_pro"], "entitlements": ["premium"],
                 "quotas": [{"meter": "api", "limit": 9, "per": "month"}]},
                {"id": "vault", "prices": ["price_vault"], "entitlements": ["vault"]},
            ]),
        );
    World::new(&vars)
}

fn event(at: Timestamp, news: Vec<News>) -> BillingEvent {
    BillingEvent {
        customer: Some("cus_1".to_owned()),
        news,
        ..BillingEvent::new(Provider::Stripe, String::new(), String::new(), at)
    }
}

fn subscribed(id: &str, price: &str, status: Status, at: Timestamp) -> BillingEvent {
    let state =
        Box::new(Subscription { plan: Some(price.to_owned()), status, ..Subscription::default() });
    event(at, vec![News::Subscription { id: id.to_owned(), state }])
}

fn failed(id: &str, reason: PaymentFailure, at: Timestamp) -> BillingEvent {
    let (subscription, reason) = (Some(id.to_owned()), Some(reason));
    event(at, vec![News::PaymentFailed { subscription, reason }])
}

fn paid(id: &str, at: Timestamp) -> BillingEvent {
    event(at, vec![News::Paid { subscription: id.to_owned(), until: None, payments: Vec::new() }])
}

fn days_ago(world: &World, days: i64) -> Timestamp {
    world.now.plus_ms(days.saturating_mul(-DAY_MS))
}

#[test]
fn a_price_is_its_plan_and_an_unknown_one_is_the_operators_mistake() {
    let (mut world, token) = (world(), token("{}"));
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::Active, days_ago(&world, 9)));
    let pass = world.serve("GET /premium", Some(&token));
    assert_eq!(passed(&pass).identity.as_ref().unwrap().plan.as_deref(), Some("pro"));

    let mut world = self::world();
    world.bill(ALICE, &subscribed("sub_1", "price_new", Status::Active, days_ago(&world, 9)));
    let denial = world.serve("GET /premium", Some(&token));
    assert_eq!(cause(&denial), Some(Cause::Misconfigured));
    let detail = denied(&denial).facts.operator_detail.as_deref().unwrap();
    assert!(detail.contains("price_new"), "{detail}");
    // Beside a good one it opens nothing, and what it should open is not the customer's fault.
    world.bill(ALICE, &subscribed("sub_2", "price_basic", Status::Active, days_ago(&world, 9)));
    world.pass_ms(20_000);
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::Misconfigured));
    passed(&world.serve("GET /api", Some(&token)));
}

#[test]
fn each_subscription_is_judged_for_what_it_opens() {
    let (mut world, token) = (world(), token("{}"));
    let at = days_ago(&world, 9);
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::Active, at));
    world.bill(ALICE, &subscribed("sub_2", "price_vault", Status::Active, at));
    passed(&world.serve("GET /premium", Some(&token)));
    passed(&world.serve("GET /vault", Some(&token)));
    // The charge for one of them fails: only what it opens is closed, for that reason.
    world.bill(ALICE, &failed("sub_2", PaymentFailure::InsufficientFunds, days_ago(&world, 5)));
    world.pass_ms(20_000);
    passed(&world.serve("GET /premium", Some(&token)));
    let denial = world.serve("GET /vault", Some(&token));
    assert_eq!(cause(&denial), Some(Cause::PaymentFailed));
    let failure = denied(&denial).facts.payment_failure;
    assert_eq!(failure, Some(PaymentFailure::InsufficientFunds));
    // The quotas are those of the plan that has some.
    passed(&world.serve("GET /api", Some(&token)));
}

#[test]
fn the_remedies_lead_through_the_gate_and_back_to_the_page() {
    let (mut world, token) = (world(), token("{}"));
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::PastDue, days_ago(&world, 5)));
    let denial = world.serve("GET /premium?page=2&x=%2F", Some(&token));
    let hrefs: Vec<_> = denied(&denial).remedies.iter().map(|one| one.href.as_deref()).collect();
    let back = "/premium%3Fpage%3D2%26x%3D%252F";
    let portal = format!("/_tollgate/billing/portal?return={back}");
    let status = format!("/_tollgate/status?return={back}");
    assert_eq!(hrefs, [Some(portal.as_str()), Some(status.as_str())]);

    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::Ended, days_ago(&world, 1)));
    world.pass_ms(20_000);
    let denial = world.serve("POST /premium", Some(&token));
    let [buy, again] = &denied(&denial).remedies[..] else { panic!("{denial:?}") };
    assert_eq!(buy.href.as_deref(), Some("/_tollgate/billing/checkout?plan=pro&return=/"));
    assert_eq!(again.action, Action::CheckAgain);
}

#[test]
fn who_has_paid_is_let_in_as_soon_as_the_gate_looks() {
    let (mut world, token) = (world(), token("{}"));
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::PastDue, days_ago(&world, 5)));
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::PaymentFailed));
    assert_eq!(world.status("/premium", &token).unwrap().cause, Cause::PaymentFailed);
    world.bill(ALICE, &paid("sub_1", world.now));
    // Remembered, for at most three seconds …
    world.pass_ms(600);
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::PaymentFailed));
    // … or until somebody asks.
    assert_eq!(world.status("/premium", &token), None);
    passed(&world.serve("GET /premium", Some(&token)));

    let mut world = self::world();
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::PastDue, days_ago(&world, 5)));
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::PaymentFailed));
    world.bill(ALICE, &paid("sub_1", world.now));
    world.pass_ms(3_000);
    passed(&world.serve("GET /premium", Some(&token)));
}

#[test]
fn the_status_is_that_of_the_page() {
    let (mut world, token) = (world(), token("{}"));
    world.bill(ALICE, &subscribed("sub_1", "price_basic", Status::Active, days_ago(&world, 9)));
    assert_eq!(world.status("/anything", &token), None);
    assert_eq!(world.status("/premium", &token).unwrap().cause, Cause::PlanLacksEntitlement);
    assert_eq!(world.status("/api", &token), None);
    for _ in 0..2 {
        passed(&world.visit("GET /api", Some(&token)));
    }
    world.settle_down();
    assert_eq!(world.status("/api", &token).unwrap().cause, Cause::QuotaExhausted);
    assert_eq!(world.status("/anything", &token), None, "nothing is counted there");
    assert_eq!(world.status("/api", "no.such.token").unwrap().cause, Cause::InvalidToken);
}

#[test]
fn nobodys_grace_ends_while_the_provider_is_down() {
    let (mut world, token) = (world(), token("{}"));
    world.provider_outage = Ok(true);
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::PastDue, days_ago(&world, 5)));
    let pass = world.serve("GET /premium", Some(&token));
    assert_eq!(passed(&pass).notices, [Notice::ProviderOutage]);
    assert_eq!(performed(&mut world), ["verify", "ledger", "outage"]);
    passed(&world.serve("GET /premium", Some(&token)));
    assert!(performed(&mut world).is_empty(), "what is known need not be asked");
    assert_eq!(world.status("/premium", &token), None);
    // The grace ends with the outage.
    world.provider_outage = Ok(false);
    world.pass_ms(15_000);
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::PaymentFailed));
    // An inbox that does not answer is no reason to let everybody in.
    let mut world = self::world();
    world.provider_outage = Err(unreachable("too late"));
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::PastDue, days_ago(&world, 5)));
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::PaymentFailed));
    performed(&mut world);
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::PaymentFailed));
    assert!(performed(&mut world).is_empty(), "nor asked by each request");
}

#[test]
fn only_denials_for_a_payment_ask_about_the_provider() {
    let (mut world, token) = (world(), token("{}"));
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::Paused, days_ago(&world, 5)));
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::SubscriptionPaused));
    assert_eq!(performed(&mut world), ["verify", "ledger"]);
}

#[test]
fn an_open_dispute_suspends_where_the_operator_says_so() {
    let (mut world, token) = (world(), token("{}"));
    let dispute = |id: &str, of: &str, at, is_open| {
        let (id, subscription) = (id.to_owned(), Some(of.to_owned()));
        event(at, vec![News::Dispute { id, is_open, subscription, payments: Vec::new() }])
    };
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::Active, days_ago(&world, 9)));
    world.bill(ALICE, &dispute("dp_2", "sub_of_a_shirt", days_ago(&world, 2), true));
    assert!(
        matches!(world.serve("GET /premium", Some(&token)), Decision::Pass(_)),
        "of this site nothing"
    );
    world.pass_ms(20_000);
    world.bill(ALICE, &dispute("dp_1", "sub_1", days_ago(&world, 2), true));
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::AccountSuspended));
    world.bill(ALICE, &dispute("dp_1", "sub_1", days_ago(&world, 1), false));
    world.pass_ms(20_000);
    assert!(matches!(world.serve("GET /premium", Some(&token)), Decision::Pass(_)));
}

#[test]
fn who_is_in_grace_is_told_whose_fault_it_is() {
    let (mut world, token) = (world(), token("{}"));
    world.provider_outage = Ok(true);
    world.bill(ALICE, &subscribed("sub_1", "price_pro", Status::PastDue, days_ago(&world, 1)));
    let first = world.serve("GET /premium", Some(&token));
    assert!(matches!(passed(&first).notices[..], [Notice::PaymentGrace { .. }]));
    assert_eq!(performed(&mut world), ["verify", "ledger", "ask-outage"], "off the path");
    // From then on, and asked again before it is forgotten.
    for _ in 0..6 {
        let next = world.serve("GET /premium", Some(&token));
        assert_eq!(passed(&next).notices, [Notice::ProviderOutage]);
        world.pass_ms(4_000);
    }
    let asked = performed(&mut world).iter().filter(|word| **word == "ask-outage").count();
    assert!((1..=3).contains(&asked), "{asked}");
    world.provider_outage = Ok(false);
    world.pass_ms(15_000);
    world.serve("GET /premium", Some(&token));
    let after = world.serve("GET /premium", Some(&token));
    assert!(matches!(passed(&after).notices[..], [Notice::PaymentGrace { .. }]));
}
