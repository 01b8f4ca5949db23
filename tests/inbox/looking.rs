//! The customers that the provider is asked about, and the time of asking.

use tollgate::account::{AccountRecord, Customer, Provider, Status, Subscription};
use tollgate::billing::inbox::{AccountSummary, CustomerKey, InboxRequest};
use tollgate::billing::{BillingEvent, News};
use tollgate::time::Timestamp;

use crate::world::*;

const HOUR_MS: i64 = 3_600_000;

fn look(world: &mut World) -> Vec<String> {
    let customers: Vec<CustomerKey> = world.ask(InboxRequest::LookList { limit: 3 });
    customers.into_iter().map(|one| one.id).collect()
}

fn known(world: &mut World, account: &str, look_at: Timestamp) {
    let none = AccountRecord::default();
    let summary = AccountSummary::of(&name(account), &none, &[], false, Timestamp::default());
    let summary = AccountSummary { look_at: Some(look_at), ..summary };
    world.tell(InboxRequest::PutAccount(summary)).expect("the store works");
}

#[test]
fn it_is_asked_less_and_less_often_whose_a_waiting_customer_is() {
    let mut world = World::new();
    world.take_in(active("evt_1", "cus_1"));
    world.take_in(active("evt_2", "cus_1"));
    assert!(look(&mut world).is_empty(), "the event that says it may be on its way");
    let mut minutes = Vec::new();
    for _ in 0..10 {
        world.now = world.row("evt_1").due_at;
        assert_eq!(look(&mut world), ["cus_1"], "once, however many wait");
        assert!(look(&mut world).is_empty());
        minutes.push(world.row("evt_1").due_at.ms_since(world.now) / MINUTE_MS);
    }
    assert_eq!(minutes, [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120]);
    // More events are no reason to ask more often.
    world.take_in(active("evt_3", "cus_1"));
    assert_eq!(world.row("evt_3").due_at, world.row("evt_1").due_at);
}

#[test]
fn an_account_is_looked_at_when_it_is_time_and_not_again_at_once() {
    let mut world = World::new();
    world.link("cus_1", "-/alice");
    world.link("cus_2", "-/alice");
    known(&mut world, "-/alice", START.plus_ms(HOUR_MS));
    assert!(look(&mut world).is_empty());
    world.later(HOUR_MS);
    assert_eq!(look(&mut world), ["cus_1", "cus_2"]);
    assert!(look(&mut world).is_empty());
    // The provider said the same again: still in doubt.
    let now = world.now;
    known(&mut world, "-/alice", now);
    world.later(9 * MINUTE_MS);
    assert!(look(&mut world).is_empty(), "ten minutes are not over");
    world.later(MINUTE_MS);
    assert_eq!(look(&mut world), ["cus_1", "cus_2"]);
    // No answer came: an hour later.
    world.later(HOUR_MS - 1);
    assert!(look(&mut world).is_empty());
    world.later(1);
    assert_eq!(look(&mut world), ["cus_1", "cus_2"]);
}

#[test]
fn no_more_are_asked_for_than_there_is_room() {
    let mut world = World::new();
    for number in 0..9 {
        let account = format!("-/{number}");
        world.link(&format!("cus_{number}"), &account);
        let look_at = world.now.plus_ms(-number);
        known(&mut world, &account, look_at);
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        let customers = look(&mut world);
        assert_eq!(customers.len(), 3);
        seen.extend(customers);
    }
    seen.sort();
    let all: Vec<_> = (0..9).map(|number| format!("cus_{number}")).collect();
    assert_eq!(seen, all, "each in its turn");
}

/// Late enough that what is read then is newer.
fn soon() -> Timestamp {
    START.plus_ms(3_000)
}

#[test]
fn what_was_asked_in_vain_is_not_kept() {
    let mut world = World::new();
    let kind = "tollgate.reread".to_owned();
    let taken = world.take_in(BillingEvent { kind, ..active("reread_1", "cus_1") });
    assert!(taken.is_waiting && world.store.events.is_empty());
}

#[test]
fn strangers_leave_room_for_those_who_are_known() {
    let mut world = World::new();
    for number in 0..9 {
        world.take_in(active(&format!("evt_{number}"), &format!("stranger_{number}")));
    }
    world.link("cus_1", "-/alice");
    known(&mut world, "-/alice", START);
    world.later(MINUTE_MS);
    let customers = look(&mut world);
    assert_eq!(customers.len(), 3);
    assert_eq!(customers[2], "cus_1");
}

/// The time to read an account's customers again after an event about a subscription.
fn look_at(state: Subscription) -> Option<i64> {
    let news = News::Subscription { id: "sub_1".to_owned(), state: Box::new(state) };
    let event = BillingEvent { news: vec![news], ..event("evt_1", "cus_1") };
    let summary = World::new().apply("-/alice", &[event]);
    summary.look_at.map(|at| at.ms_since(START) / HOUR_MS)
}

#[test]
fn an_account_is_looked_at_before_its_grace_and_after_its_period_is_over() {
    let days = |days| Some(START.plus_ms(days * DAY_MS));
    let of = |status| Subscription { status, ..Subscription::default() };
    let active = |days| Subscription { current_period_ends_at: days, ..of(Status::Active) };
    assert_eq!(look_at(active(days(10))), Some(242));
    assert_eq!(look_at(active(days(-1))), Some(6), "the renewal should have been told of");
    assert_eq!(look_at(active(days(-30))), None, "it won't be any more");
    let trialing = Subscription { trial_ends_at: days(2), ..of(Status::Trialing) };
    assert_eq!(look_at(trialing), Some(50));
    assert_eq!(look_at(of(Status::Active)), None);
    assert_eq!(look_at(of(Status::Ended)), None);
    // Without a plan there is no grace, so it is over already.
    assert_eq!(look_at(of(Status::PastDue)), Some(6));
}

#[test]
fn who_is_no_customer_is_not_looked_at() {
    let own = Subscription { current_period_ends_at: Some(START), ..Subscription::default() };
    let record = AccountRecord::from(Subscription { status: Status::Active, ..own });
    assert_eq!(AccountSummary::of(&name("-/alice"), &record, &[], false, START).look_at, None);
}

#[test]
fn a_list_that_is_not_whole_is_asked_for_soon() {
    let mut record = AccountRecord::default();
    let customer = Customer::new(Provider::Stripe, "cus_1");
    record.customers.push(Customer { partial_at: Some(START), ..customer });
    assert_eq!(
        AccountSummary::of(&name("-/alice"), &record, &[], false, START).look_at,
        Some(soon())
    );
}

#[test]
fn two_words_of_the_same_instant_are_a_reason_to_look_soon() {
    let of = |id: &str, status| {
        let state = Subscription { status, ..Subscription::default() };
        let news = News::Subscription { id: "sub_1".to_owned(), state: Box::new(state) };
        BillingEvent { news: vec![news], ..event(id, "cus_1") }
    };
    let events = [of("evt_1", Status::Active), of("evt_2", Status::Paused)];
    assert_eq!(World::new().apply("-/alice", &events).look_at, Some(soon()));
}

#[test]
fn a_summary_says_why_an_account_is_not_served() {
    let of =
        |record: &AccountRecord| AccountSummary::of(&name("-/alice"), record, &[], false, START);
    let mut record = AccountRecord::default();
    assert_eq!(of(&record).cause.as_deref(), Some("no-subscription"));
    assert_eq!(of(&record).status, "none");
    record.own.status = Status::PastDue;
    assert_eq!(of(&record).cause.as_deref(), Some("payment-failed"));
    assert_eq!(of(&record).status, "past_due");
    record.own.status = Status::Active;
    assert_eq!(of(&record).cause, None);
    record.suspended = true;
    assert_eq!(of(&record).cause.as_deref(), Some("account-suspended"));
}
