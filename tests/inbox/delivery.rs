//! The way of events to the ledgers of their accounts.

use tollgate::account::Status;
use tollgate::billing::inbox::{EventState, InboxStore};
use tollgate::billing::{BillingEvent, News};

use crate::world::*;

#[test]
fn an_event_reaches_the_record_of_its_account() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
    assert_eq!(world.store.due_accounts(world.now, 9).expect("it works"), ["-/alice"]);
    assert_eq!(world.deliver("-/alice", true), 1);
    assert_eq!(world.state("evt_1"), EventState::Applied);
    assert!(world.store.due_accounts(world.now, 9).expect("it works").is_empty());
    let record = world.ledgers["-/alice"].account.clone().expect("there is one");
    assert_eq!(record.billed[0].subscription.status, Status::Active);
    let (summary, _) = &world.store.accounts[&name("-/alice")];
    assert_eq!((summary.plan.as_deref(), summary.status.as_str()), (Some("pro"), "active"));
    assert_eq!(summary.cause, None);
}

#[test]
fn the_audit_trail_says_once_what_an_event_changed() {
    let mut world = World::new();
    let event = of_account(active("evt_1", "cus_1"), "-/alice");
    for _ in 0..3 {
        world.apply("-/alice", std::slice::from_ref(&event));
    }
    let audit = &world.ledgers["-/alice"].audit;
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].actor.as_str(), audit[0].action.as_str()), ("stripe", "billing-event"));
    for said in
        [r#""event":"evt_1""#, r#""type":"customer.subscription.updated""#, r#""plan":"pro""#]
    {
        assert!(audit[0].detail.contains(said), "{}", audit[0].detail);
    }
}

#[test]
fn credits_that_were_bought_are_added_once() {
    let mut world = World::new();
    let news = vec![News::Credits { id: "cs_1".to_owned(), units: 500, payment: None }];
    let event = BillingEvent { news, ..event("evt_1", "cus_1") };
    let again = BillingEvent { id: "evt_2".to_owned(), ..event.clone() };
    world.apply("-/alice", &[event.clone(), event, again]);
    let packs = &world.ledgers["-/alice"].packs;
    assert_eq!(packs.len(), 1);
    assert_eq!((packs[0].id.as_str(), packs[0].left), ("stripe:cs_1", 500));
}

#[test]
fn a_ledger_that_does_not_answer_is_told_again_less_and_less_often_and_for_ever() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
    let mut delays = Vec::new();
    for _ in 0..12 {
        world.deliver("-/alice", false);
        let row = world.row("evt_1");
        assert_eq!((row.state, row.reason.as_deref()), (EventState::Received, Some("no answer")));
        delays.push(row.due_at.ms_since(world.now) / 1_000);
        assert!(world.store.due_accounts(world.now, 9).expect("it works").is_empty());
        world.now = row.due_at;
        assert_eq!(world.store.due_accounts(world.now, 9).expect("it works"), ["-/alice"]);
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    world.deliver("-/alice", true);
    assert_eq!((world.state("evt_1"), world.row("evt_1").attempts), (EventState::Applied, 13));
}

#[test]
fn whatever_waits_for_a_ledger_is_told_as_soon_as_it_answers() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
    world.deliver("-/alice", false);
    world.take_in(active("evt_2", "cus_1"));
    assert_eq!(world.deliver("-/alice", true), 2);
    assert_eq!(
        (world.state("evt_1"), world.state("evt_2")),
        (EventState::Applied, EventState::Applied)
    );
}

#[test]
fn an_event_that_no_ledger_can_take_holds_up_no_other() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_bad", "cus_1"), "-/alice"));
    world.take_in(active("evt_good", "cus_1"));
    let mut attempts = 0;
    while world.state("evt_good") != EventState::Applied {
        let (events, _) =
            tollgate::billing::inbox::batch(&mut world.store, &name("-/alice"), &read)
                .expect("it works");
        let has_bad = events.iter().any(|event| event.id == "evt_bad");
        world.deliver("-/alice", !has_bad);
        attempts += 1;
        assert!(attempts < 10, "it is held up");
    }
    assert_eq!(world.state("evt_bad"), EventState::Received);
}

#[test]
fn those_who_were_told_least_often_come_first() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
    world.deliver("-/alice", false);
    world.later(MINUTE_MS);
    world.take_in(of_account(active("evt_2", "cus_2"), "-/bob"));
    assert_eq!(world.store.due_accounts(world.now, 9).expect("it works"), ["-/bob", "-/alice"]);
}

#[test]
fn a_retry_makes_an_event_due_at_once() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
    world.deliver("-/alice", false);
    let row = world.retry("evt_1");
    assert_eq!(row.expect("it is there").due_at, world.now);
    assert_eq!(world.store.next_due().expect("it works"), Some(world.now));
}

#[test]
fn what_another_release_has_written_is_read_from_its_body() {
    let mut world = World::new();
    world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
    let content = |body: &str| tollgate::billing::inbox::Content {
        event: b"of a later release".to_vec(),
        body: body.to_owned(),
    };
    let kept = |world: &mut World, body: &str| {
        world.store.events.get_mut(&key("evt_1")).expect("it is there").1 = Some(content(body));
    };
    kept(&mut world, "readable");
    world.deliver("-/alice", true);
    assert_eq!(world.state("evt_1"), EventState::Applied);
    for (body, reason) in [("gibberish", "no JSON"), ("", "read again")] {
        let mut world = World::new();
        world.take_in(of_account(active("evt_1", "cus_1"), "-/alice"));
        kept(&mut world, body);
        assert_eq!(world.deliver("-/alice", true), 0);
        assert_eq!(world.state("evt_1"), EventState::Failed);
        assert!(world.row("evt_1").reason.is_some_and(|said| said.contains(reason)));
    }
}
