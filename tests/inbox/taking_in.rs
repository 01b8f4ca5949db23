//! The fate of an event when it comes in, and of those that wait.

use tollgate::account::Provider;
use tollgate::billing::BillingEvent;
use tollgate::billing::inbox::{EventState, InboxRequest, Incoming, Taken};
use tollgate::identity::AccountName;
use tollgate::time::Timestamp;
use tollgate::wire;

use crate::world::*;

#[test]
fn an_event_is_taken_once() {
    let mut world = World::new();
    let event = of_account(active("evt_1", "cus_1"), "-/alice");
    let account = Some(name("-/alice"));
    let first = Taken { account, ..Taken::default() };
    assert_eq!(world.take_in(event.clone()), first);
    let before = world.store.clone();
    let again = Taken { is_repeated: true, ..first };
    assert_eq!(world.take_in(event), again);
    assert_eq!(world.store, before, "taking it again changes nothing");
}

#[test]
fn the_account_that_the_seller_names_counts_for_its_customer_from_then_on() {
    let mut world = World::new();
    world.take_in(of_account(event("evt_1", "cus_1"), "-/alice"));
    world.take_in(active("evt_2", "cus_1"));
    for id in ["evt_1", "evt_2"] {
        assert_eq!(world.row(id).account.as_ref().map(AccountName::as_str), Some("-/alice"));
        assert_eq!(world.state(id), EventState::Received);
    }
}

#[test]
fn events_of_an_unknown_customer_wait_until_somebody_says_whose_it_is() {
    let mut world = World::new();
    assert!(world.take_in(active("evt_1", "cus_1")).is_waiting);
    assert!(world.take_in(active("evt_2", "cus_2")).is_waiting);
    assert!(world.row("evt_1").reason.is_some_and(|reason| reason.contains("which account")));
    assert_eq!(world.link("cus_1", "-/alice"), 1);
    assert_eq!(
        (world.state("evt_1"), world.state("evt_2")),
        (EventState::Received, EventState::Waiting)
    );
    assert_eq!(world.row("evt_1").reason, None);
    // The second one's account is named by a later event.
    world.take_in(of_account(event("evt_3", "cus_2"), "acme/bob"));
    assert_eq!(world.row("evt_2").account.as_ref().map(AccountName::as_str), Some("acme/bob"));
    assert_eq!(world.state("evt_2"), EventState::Received);
}

#[test]
fn the_first_account_keeps_a_customer_in_whichever_order_it_is_told() {
    let old = of_account(event("evt_1", "cus_1"), "-/alice");
    let newer = of_account(event("evt_2", "cus_1"), "-/bob");
    let newer = BillingEvent { occurred_at: START.plus_ms(1), ..newer };
    for events in [[&old, &newer], [&newer, &old]] {
        let mut world = World::new();
        for event in events {
            world.take_in(event.clone());
        }
        let row = world.customer(&customer_key("cus_1")).expect("it is known");
        assert!(row.is_in_conflict());
        assert_eq!(row.link.expect("it is linked").account, "-/alice");
        // Each event still goes to the account that it names itself.
        assert_eq!(world.row("evt_2").account.as_ref().map(AccountName::as_str), Some("-/bob"));
    }
}

#[test]
fn what_names_no_account_is_no_message() {
    let event = of_account(active("evt_1", "cus_1"), "-/alice");
    let bytes = wire::encode(&InboxRequest::TakeIn(vec![Incoming::asked_for(event)]));
    assert!(wire::decode::<InboxRequest>(&bytes).is_ok());
    let is_name = |part: &[u8]| part == b"-/alice";
    let at = bytes.windows(7).position(is_name).expect("the message names the account");
    for name in ["inbox-1", "-------", "///////", "alice-/", "/-alice", "-/al/ce", "-/al\nce"] {
        let mut bytes = bytes.clone();
        bytes[at..at + 7].copy_from_slice(name.as_bytes());
        assert!(wire::decode::<InboxRequest>(&bytes).is_err(), "{name}");
    }
}

#[test]
fn what_has_no_consequences_is_ignored() {
    let mut world = World::new();
    world.take_in(event("evt_1", "cus_1"));
    assert_eq!(world.state("evt_1"), EventState::Ignored);
}

#[test]
fn news_about_nobody_have_failed() {
    let mut world = World::new();
    world.take_in(BillingEvent { customer: None, ..active("evt_1", "") });
    assert_eq!(world.state("evt_1"), EventState::Failed);
    assert!(world.row("evt_1").reason.is_some_and(|reason| reason.contains("neither")));
}

#[test]
fn a_body_that_cannot_be_read_is_kept_and_read_again_when_asked() {
    let mut world = World::new();
    let unreadable = |body: &str| {
        let time = Timestamp::default();
        let id = "evt_1".to_owned();
        let event = BillingEvent::new(Provider::Stripe, id, String::new(), time);
        let unreadable = Some("no customer".to_owned());
        InboxRequest::TakeIn(vec![Incoming { event, body: body.to_owned(), unreadable }])
    };
    let taken: Vec<Taken> = world.ask(unreadable("gibberish"));
    assert_eq!(taken, [Taken::default()]);
    assert_eq!(world.state("evt_1"), EventState::Failed);
    assert_eq!(world.row("evt_1").reason.as_deref(), Some("no customer"));
    let retried = world.retry("evt_1");
    assert_eq!(retried.expect("it is there").reason.as_deref(), Some("it is no JSON"));
    // Nor does sending it again help, unless it can be read now.
    let taken: Vec<Taken> = world.ask(unreadable("readable"));
    assert!(taken[0].is_repeated);
    let mut readable = World::new();
    readable.link("cus_1", "-/alice");
    let _: Vec<Taken> = readable.ask(unreadable("readable"));
    let retried = readable.retry("evt_1");
    let retried = retried.expect("it is there");
    assert_eq!(
        (retried.state, retried.account.as_ref().map(AccountName::as_str)),
        (EventState::Received, Some("-/alice"))
    );
    readable.deliver("-/alice", true);
    assert_eq!(readable.state("evt_1"), EventState::Applied);
}

#[test]
fn a_retry_of_nothing_is_nothing() {
    assert_eq!(World::new().retry("evt_1"), None);
}

#[test]
fn nothing_stays_of_what_could_not_be_written() {
    for calls in 0..14 {
        let mut world = World::new();
        world.take_in(active("evt_1", "cus_1"));
        let before = world.store.clone();
        world.store.calls_left.set(Some(calls));
        let incoming = Incoming::asked_for(of_account(event("evt_2", "cus_1"), "-/alice"));
        let told = world.tell(InboxRequest::TakeIn(vec![incoming.clone()]));
        world.store.calls_left.set(None);
        if told.is_err() {
            assert_eq!(world.store, before, "after {calls} calls");
            let taken: Vec<Taken> = world.ask(InboxRequest::TakeIn(vec![incoming]));
            let account = Some(name("-/alice"));
            let first = [Taken { account, ..Taken::default() }];
            assert_eq!(taken, first, "it is as if it had never come");
        }
        assert_eq!(world.state("evt_1"), EventState::Received);
    }
}
