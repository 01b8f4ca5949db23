//! The rows that are deleted, and those that never are.

use tollgate::billing::BillingEvent;
use tollgate::billing::inbox::{EventDetail, EventState, Inbox, InboxRequest};

use crate::world::*;

fn shown(world: &mut World, id: &str) -> Option<EventDetail> {
    world.ask(InboxRequest::Event(key(id)))
}

#[test]
fn of_what_is_done_the_body_stays_for_a_month_and_the_id_for_longer_than_it_is_sent_again() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_applied", "cus_1"), "-/alice"));
    world.deliver("-/alice", true);
    world.take_in(event("evt_ignored", "cus_9"));
    for id in ["evt_applied", "evt_ignored"] {
        world.now = START.plus_ms(30 * DAY_MS);
        assert!(shown(&mut world, id).is_some_and(|detail| detail.body.is_some()), "{id}");
    }
    for id in ["evt_applied", "evt_ignored"] {
        world.now = START.plus_ms(31 * DAY_MS);
        assert!(shown(&mut world, id).is_some_and(|detail| detail.body.is_none()), "{id}");
        world.now = START.plus_ms(400 * DAY_MS);
        let replay = of_account(active(id, "cus_1"), "-/alice");
        assert!(world.take_in(replay).is_repeated, "{id}: a replay is known");
    }
    world.now = START.plus_ms(401 * DAY_MS);
    assert_eq!(shown(&mut world, "evt_applied"), None);
}

#[test]
fn tidying_up_is_done_once_a_day_however_often_the_object_is_made_anew() {
    let mut world = World::new();
    let mut times = Vec::new();
    for _ in 0..49 {
        world.inbox = Inbox::default();
        shown(&mut world, "evt_1");
        times.push(world.store.forgot_at.expect("it was done"));
        world.later(DAY_MS / 24);
    }
    times.dedup();
    assert_eq!(times, [START, START.plus_ms(DAY_MS), START.plus_ms(2 * DAY_MS)]);
}

#[test]
fn what_is_on_its_way_is_never_deleted_and_what_waits_only_when_nobody_knows_it_any_more() {
    let mut world = World::new();
    world.take_in(active("evt_waiting", "cus_1"));
    world.take_in(of_account(active("evt_received", "cus_2"), "-/bob"));
    world.now = START.plus_ms(400 * DAY_MS);
    assert!(shown(&mut world, "evt_waiting").is_some_and(|detail| detail.body.is_some()));
    world.now = START.plus_ms(4_000 * DAY_MS);
    assert_eq!(shown(&mut world, "evt_waiting"), None);
    let detail = shown(&mut world, "evt_received").expect("it is kept");
    assert_eq!((detail.row.state, detail.body.is_some()), (EventState::Received, true));
    assert_eq!(world.deliver("-/bob", true), 1);
}

#[test]
fn what_the_provider_was_asked_for_is_not_kept_for_replays() {
    let mut world = World::new();
    let kind = "tollgate.reread".to_owned();
    let event = of_account(BillingEvent { kind, ..active("reread_1", "cus_1") }, "-/alice");
    world.take_in(event.clone());
    world.take_in(BillingEvent { id: "reread_2".to_owned(), ..event });
    world.deliver("-/alice", true);
    world.now = START.plus_ms(31 * DAY_MS);
    assert_eq!(shown(&mut world, "reread_1"), None);
}
