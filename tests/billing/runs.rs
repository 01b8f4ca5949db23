//! Runs that read customers again: one account's, and those whose turn it is.

use serde_json::json;
use tollgate::account::Provider;
use tollgate::billing::api::StatusAndBody;
use tollgate::billing::inbox::{Call, CustomerKey, InboxRequest, Taken};
use tollgate::billing::run::{RunError, Step, look_soon, reconcile, reread_account};
use tollgate::billing::{BillingError, CallError, Providers};
use tollgate::time::Timestamp;

use super::fixture::{account, billing};
use super::runs_edge::{Edge, all_is_empty, customer};
use super::stripe;

fn of_alice(providers: Providers<'_>, now: Timestamp) -> Step<'_> {
    reread_account(providers, &account("acme/alice"), now)
}

#[expect(clippy::unnecessary_wraps, reason = "as an edge brings it")]
fn answered(status: u16) -> Result<StatusAndBody, CallError> {
    Ok((status, json!({"error": {"message": "so it is"}}).to_string()))
}

/// What is there unless `exception` holds for the path; then, this status.
fn works_but(
    status: u16,
    exception: impl Fn(&str) -> bool,
) -> impl Fn(&str) -> Result<StatusAndBody, CallError> {
    move |path| {
        if exception(path) { answered(status) } else { Ok((200, all_is_empty(path).to_string())) }
    }
}

#[test]
fn an_account_takes_over_its_own_events_alone() {
    let mut edge = Edge::with_customers(&["cus_1", "cus_2"]).answering(|path| {
        let mut answer = all_is_empty(path);
        if path.starts_with("/v1/subscriptions?") && path.contains("cus_1") {
            answer = json!({"data": [stripe::subscription()], "has_more": false});
        }
        Ok((200, answer.to_string()))
    });
    // The subscription of the one customer is another account's; the other customer is nobody's.
    edge.taken = Box::new(|incoming| {
        let event = &incoming.event;
        let named = match (event.customer.as_deref(), &event.subscription) {
            (Some("cus_1"), None) => Some(account("acme/alice")),
            (Some("cus_1"), Some(_)) => Some(account("acme/bob")),
            _ => None,
        };
        Taken { account: named, is_by_address: true, ..Taken::default() }
    });
    assert_eq!(edge.run(of_alice), Ok(2));
    let account = account("acme/alice");
    assert_eq!(edge.asked, [InboxRequest::CustomersOf { account }]);
    let each = ["call", "call", "call", "take in"];
    assert_eq!(edge.needs, [&["list"][..], &each, &["apply"], &each].concat());
    assert_eq!(edge.kept.len(), 3, "the inbox gets all of them");
    assert!(edge.kept.iter().all(|incoming| !incoming.event.is_by_address));
    let [applied] = edge.applied.as_slice() else { panic!("{:?}", edge.applied) };
    assert_eq!(applied.account, "acme/alice");
    let [event] = applied.events.as_slice() else { panic!("{applied:?}") };
    assert_eq!((event.customer.as_deref(), &event.subscription), (Some("cus_1"), &None));
    assert!(event.is_by_address, "as the inbox says");
    assert!(edge.log.is_empty() && edge.reported.is_empty());
}

#[test]
fn an_account_without_customers_needs_no_call() {
    let mut edge = Edge::new();
    assert_eq!(edge.run(of_alice), Ok(0));
    assert_eq!(edge.needs, ["list"]);
}

#[test]
fn the_first_failure_ends_the_reading_of_an_account() {
    let two = || Edge::with_customers(&["cus_1", "cus_2"]);
    let refused = BillingError::Refused { status: 500, said: "so it is".to_owned() };
    for (down, error, code) in [
        ("list", RunError::Inbox("overloaded".to_owned()), "inbox-unreachable"),
        ("take in", RunError::Inbox("overloaded".to_owned()), "inbox-unreachable"),
        ("apply", RunError::Ledger("overloaded".to_owned()), "ledger-unreachable"),
        ("call", RunError::Provider(refused), "provider-refused"),
    ] {
        let mut edge = two();
        let account = Some(account("acme/alice"));
        edge.taken = Box::new(move |_| Taken { account: account.clone(), ..Taken::default() });
        edge.down = vec![down];
        if down == "call" {
            edge = edge.answering(|_| answered(500));
        }
        assert_eq!(edge.run(of_alice), Err(error.clone()));
        assert_eq!((edge.needs.last(), error.code()), (Some(&down), code));
        assert_eq!(edge.needs.iter().filter(|need| **need == down).count(), 1);
    }
}

#[test]
fn a_customer_of_a_provider_without_a_key_is_named() {
    let error = RunError::NoApiKey(Provider::Paddle);
    assert_eq!(error.to_string(), "there is no key for the API of paddle");
    assert_eq!(error.code(), "no-api-key");
    let mut edge = Edge::new();
    edge.customers = Ok(vec![CustomerKey { provider: Provider::Paddle, id: "ctm_1".to_owned() }]);
    assert_eq!(edge.run(of_alice), Err(error.clone()), "it isn't configured");
    let mut without_key = billing(Provider::Paddle, &[]);
    without_key.api_key = None;
    edge.providers.push(without_key);
    assert_eq!(edge.run(of_alice), Err(error));
    assert!(edge.called.is_empty());
}

#[test]
fn customers_whose_turn_it_is_are_read_and_their_calls_reported() {
    let mut edge = Edge::with_customers(&["cus_1", "cus_2"]);
    assert_eq!(edge.run(look_soon), Ok(2));
    assert_eq!(edge.asked, [InboxRequest::LookList { limit: 2 }]);
    let each = ["call", "call", "call", "take in"];
    assert_eq!(edge.needs, [&["list"][..], &each, &each, &["report"]].concat());
    let call = |id| Call { customer: customer(id), is_good: true };
    let expected = [vec![call("cus_1"); 3], vec![call("cus_2"); 3]].concat();
    assert_eq!(edge.reported, expected);
    assert!(edge.applied.is_empty(), "the inbox delivers them");
}

#[test]
fn a_customer_who_cannot_be_read_stands_in_nobodys_way() {
    let mut edge = Edge::with_customers(&["cus_1", "cus_2", "cus_3"])
        .answering(works_but(404, |path| path.contains("/customers/cus_2")));
    assert_eq!(edge.run(look_soon), Ok(2));
    assert_eq!(edge.log, ["the provider answered 404: so it is"]);
    assert!(edge.reported.iter().all(|call| call.is_good), "a refusal is an answer");
    assert_eq!(edge.reported.len(), 7);
}

#[test]
fn three_failures_in_a_row_end_a_run() {
    let ids = ["cus_1", "cus_2", "cus_3", "cus_4", "cus_5", "cus_6"];
    let fails = |path: &str| !path.contains("cus_2");
    let mut edge = Edge::with_customers(&ids).answering(works_but(503, fails));
    assert_eq!(edge.run(look_soon), Ok(1), "the one in between begins a new row");
    let good: Vec<_> = edge.reported.iter().map(|call| call.is_good).collect();
    assert_eq!(good, [false, true, true, true, false, false, false]);
    assert!(edge.called.iter().all(|path| !path.contains("cus_6")));
    assert_eq!(edge.log.len(), 4);
    assert_eq!(edge.needs.last(), Some(&"report"));
}

#[test]
fn no_answer_is_a_failure_of_the_provider() {
    let silent = |_: &str| Err(CallError::NoAnswer("too late".to_owned()));
    let mut edge = Edge::with_customers(&["cus_1"]).answering(silent);
    assert_eq!(edge.run(look_soon), Ok(0));
    assert_eq!(edge.reported, [Call { customer: customer("cus_1"), is_good: false }]);
    assert_eq!(edge.log, ["too late"]);
}

#[test]
fn too_many_calls_say_nothing_about_the_provider() {
    let ids = ["cus_1", "cus_2", "cus_3", "cus_4"];
    let mut edge = Edge::with_customers(&ids).answering(|_| answered(429));
    assert_eq!(edge.run(look_soon), Ok(0));
    assert_eq!(edge.called.len(), 3, "and yet they are a reason to stop");
    assert!(edge.reported.is_empty() && !edge.needs.contains(&"report"));
}

#[test]
fn a_run_makes_forty_calls() {
    // Each customer has ten pages of subscriptions, and ten of entitlements.
    let mut edge = Edge::with_customers(&["cus_1", "cus_2", "cus_3"]).answering(|path| {
        let mut answer = all_is_empty(path);
        if answer["object"] == "list" {
            answer = json!({"data": [{"id": "x", "customer": "?"}], "has_more": true});
        }
        Ok((200, answer.to_string()))
    });
    assert_eq!(edge.run(look_soon), Ok(1));
    assert_eq!((edge.called.len(), edge.reported.len()), (40, 40));
    assert_eq!(edge.log, ["no more calls of the provider's API in this run"]);

    let read = edge.kept.len();
    edge = Edge { asked: Vec::new(), called: Vec::new(), reported: Vec::new(), ..edge };
    assert_eq!(edge.run(of_alice), Ok(3), "an account's customers have as many each");
    assert_eq!((edge.called.len(), edge.kept.len()), (63, read * 4));
}

#[test]
fn where_the_inbox_fails_a_run_ends_with_what_it_knows() {
    for (down, needs) in [
        ("list", &["list", "log"][..]),
        ("take in", &["list", "call", "call", "call", "take in", "log", "report"]),
        ("report", &["list", "call", "call", "call", "take in", "report", "log"]),
    ] {
        let mut edge = Edge::with_customers(&["cus_1"]);
        edge.down = vec![down];
        assert_eq!(edge.run(look_soon), Ok(usize::from(down == "report")));
        assert_eq!(
            (edge.needs.as_slice(), edge.log.as_slice()),
            (needs, &["overloaded".to_owned()][..])
        );
    }
}

#[test]
fn a_reconciliation_looks_for_ten_customers_where_a_provider_can_be_asked() {
    let mut edge = Edge::new();
    assert_eq!(edge.run(reconcile), Ok(0));
    assert_eq!(edge.asked, [InboxRequest::LookList { limit: 10 }]);
    edge = Edge::new();
    edge.providers[0].api_key = None;
    assert_eq!(edge.run(reconcile), Ok(0));
    assert!(edge.needs.is_empty());
}
