//! Runs that fetch events which never arrived.

use serde_json::{Value, json};
use tollgate::account::Provider;
use tollgate::billing::CallError;
use tollgate::billing::api::StatusAndBody;
use tollgate::billing::inbox::Taken;
use tollgate::billing::run::reconcile;

use super::fixture::billing;
use super::runs_edge::{Edge, all_is_empty};
use super::stripe;

/// An event with an id of its own.
fn event(id: &str) -> Value {
    let mut event = stripe::envelope("customer.subscription.updated", &stripe::subscription());
    event["id"] = json!(id);
    event
}

/// A disputed charge, about which the provider has to be asked.
fn dispute(id: &str) -> Value {
    let dispute = json!({"id": "du_1", "object": "dispute", "charge": id, "status": "lost"});
    let mut event = stripe::envelope("charge.dispute.created", &dispute);
    event["id"] = json!(format!("evt_{id}"));
    event
}

#[expect(clippy::unnecessary_wraps, reason = "as an edge brings it")]
fn page(events: &[Value], has_more: bool) -> Result<StatusAndBody, CallError> {
    Ok((200, json!({"object": "list", "data": events, "has_more": has_more}).to_string()))
}

/// Pages without end; each has one event, whose id is one longer than that of the page before.
fn endless(path: &str) -> Result<StatusAndBody, CallError> {
    if !path.starts_with("/v1/events?") {
        return Ok((200, all_is_empty(path).to_string()));
    }
    let before = path.split("starting_after=").nth(1).unwrap_or("evt_");
    page(&[event(&format!("{before}1"))], true)
}

fn ids(edge: &Edge) -> Vec<&str> {
    edge.kept.iter().map(|incoming| incoming.event.id.as_str()).collect()
}

#[test]
fn three_pages_are_read_and_no_more() {
    let mut edge = Edge::new().answering(endless);
    assert_eq!(edge.run(reconcile), Ok(0));
    assert_eq!(ids(&edge), ["evt_1", "evt_11", "evt_111"]);
    let each = ["call", "take in"];
    assert_eq!(edge.needs, [&each[..], &each, &each, &["list"]].concat());
    assert_eq!(edge.called[0], "/v1/events?delivery_success=false&limit=100");
    assert!(edge.called[2].ends_with("&starting_after=evt_11"));
    assert!(edge.reported.is_empty(), "they were for no customer");
}

#[test]
fn a_page_with_nothing_new_is_the_last() {
    let mut edge = Edge::new().answering(endless);
    edge.taken = Box::new(|incoming| Taken {
        is_repeated: incoming.event.id == "evt_11",
        ..Taken::default()
    });
    assert_eq!(edge.run(reconcile), Ok(0));
    assert_eq!(ids(&edge), ["evt_1", "evt_11"]);

    let mut last = Edge::new().answering(|_| page(&[event("evt_1"), event("evt_2")], false));
    assert_eq!(last.run(reconcile), Ok(0));
    assert_eq!((ids(&last).len(), last.called.len()), (2, 1));

    let mut partly = Edge::new().answering(|path| {
        let has_more = !path.contains("starting_after");
        page(&[event("evt_1"), event("evt_2")], has_more)
    });
    partly.taken =
        Box::new(|one| Taken { is_repeated: one.event.id == "evt_1", ..Taken::default() });
    assert_eq!(partly.run(reconcile), Ok(0));
    assert_eq!(partly.called.len(), 2, "one event of the page was new");
}

#[test]
fn each_event_is_completed_and_one_that_cannot_be_is_left_out() {
    let mut edge = Edge::new().answering(|path| match path {
        "/v1/charges/ch_1" => Ok((200, json!({"customer": "cus_1"}).to_string())),
        "/v1/charges/ch_2" => Err(CallError::NoAnswer("too late".to_owned())),
        "/v1/charges/ch_3" => Ok((404, String::new())),
        _ if path.starts_with("/v1/events?") => {
            let events =
                [dispute("ch_1"), dispute("ch_2"), dispute("ch_3"), json!({"id": "evt_4"})];
            page(&events, false)
        }
        _ => Ok((200, all_is_empty(path).to_string())),
    });
    assert_eq!(edge.run(reconcile), Ok(0));
    assert_eq!(edge.needs, ["call", "call", "call", "log", "call", "take in", "list"]);
    assert_eq!(edge.log, ["too late"]);
    assert_eq!(ids(&edge), ["evt_ch_1", "evt_ch_3", "evt_4"]);
    let unreadable: Vec<_> = edge.kept.iter().map(|one| one.unreadable.is_some()).collect();
    assert_eq!(unreadable, [false, true, true], "the same call would fail again");
    assert_eq!(edge.kept[0].event.customer.as_deref(), Some("cus_1"));
}

#[test]
fn completions_leave_the_calls_to_the_customers() {
    let disputes: Vec<_> = (0..60).map(|number| dispute(&format!("ch_{number}"))).collect();
    let mut edge = Edge::with_customers(&["cus_1"]).answering(move |path| {
        if path.starts_with("/v1/events?") {
            return page(&disputes, false);
        }
        if path.starts_with("/v1/charges/") {
            return Ok((503, String::new()));
        }
        Ok((200, all_is_empty(path).to_string()))
    });
    assert_eq!(edge.run(reconcile), Ok(1));
    assert_eq!((edge.log.len(), edge.called.len()), (60, 64));
    assert_eq!(edge.reported.len(), 3);
}

#[test]
fn a_provider_that_fails_is_logged_and_the_next_one_asked() {
    let mut edge = Edge::with_customers(&["cus_1"]).answering(|path| {
        if path.starts_with("/v1/events?") {
            return Ok((500, "oh".to_owned()));
        }
        Ok((200, all_is_empty(path).to_string()))
    });
    // This one keeps no list of events.
    edge.providers.insert(0, billing(Provider::Paddle, &[]));
    assert_eq!(edge.run(reconcile), Ok(1));
    assert_eq!(edge.log, ["the provider answered 500: nothing more"]);
    assert_eq!(edge.needs[..3], ["call", "log", "list"]);
}

#[test]
fn where_the_inbox_fails_no_further_page_is_read() {
    let mut edge = Edge::new().answering(endless);
    edge.down = vec!["take in"];
    assert_eq!(edge.run(reconcile), Ok(0));
    assert_eq!(edge.needs, ["call", "take in", "log", "list"]);
    assert_eq!(edge.log, ["overloaded"]);
}

#[test]
fn a_provider_that_is_down_is_not_asked_for_customers_too() {
    let silent = |_: &str| Err(CallError::NoAnswer("too late".to_owned()));
    let mut edge = Edge::with_customers(&["cus_1", "cus_2", "cus_3"]).answering(silent);
    assert_eq!(edge.run(reconcile), Ok(0));
    assert_eq!(edge.called.len(), 3, "three in a row, of whatever kind");
    assert_eq!(edge.reported.len(), 2);
}
