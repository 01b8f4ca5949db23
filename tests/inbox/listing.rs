//! An operator's lists, page by page.

use tollgate::account::Provider;
use tollgate::billing::inbox::{
    AccountFilter, AccountPage, AccountSummary, EventDetail, EventFilter, EventPage, EventState,
    InboxRequest,
};

use crate::world::*;

#[test]
fn events_come_page_by_page_the_last_first() {
    let mut world = World::new();
    for number in 1..=5 {
        world.take_in(active(&format!("evt_{number}"), "cus_1"));
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let filter = EventFilter::default();
        let page: EventPage = world.ask(InboxRequest::Events { filter, cursor, limit: 2 });
        seen.push(page.items.iter().map(|row| row.id.clone()).collect::<Vec<_>>());
        // Events that come in meanwhile move nothing.
        world.take_in(event(&format!("evt_new_{}", seen.len()), "cus_9"));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [vec!["evt_5", "evt_4"], vec!["evt_3", "evt_2"], vec!["evt_1"]]);
}

#[test]
fn events_are_found_by_state_and_provider() {
    let mut world = World::new();
    world.take_in(active("evt_1", "cus_1"));
    world.take_in(of_account(active("evt_2", "cus_2"), "-/bob"));
    let mut count = |state, provider| {
        let filter = EventFilter { state, provider };
        let request = InboxRequest::Events { filter, cursor: None, limit: 10 };
        world.ask::<EventPage>(request).items.len()
    };
    assert_eq!(count(None, None), 2);
    assert_eq!(count(Some(EventState::Waiting), None), 1);
    assert_eq!(count(Some(EventState::Applied), Some(Provider::Stripe)), 0);
    assert_eq!(count(None, Some(Provider::Stripe)), 2);
    assert_eq!(count(None, Some(Provider::Paddle)), 0);
}

#[test]
fn a_cursor_of_somebody_elses_making_ends_the_list() {
    let mut world = World::new();
    world.take_in(active("evt_1", "cus_1"));
    let (filter, cursor) = (EventFilter::default(), Some("'; DROP TABLE".to_owned()));
    let page: EventPage = world.ask(InboxRequest::Events { filter, cursor, limit: 2 });
    assert_eq!(page, EventPage::default());
}

#[test]
fn an_event_is_shown_with_what_its_provider_sent() {
    let mut world = World::new();
    world.take_in(active("evt_1", "cus_1"));
    let shown: Option<EventDetail> = world.ask(InboxRequest::Event(key("evt_1")));
    let shown = shown.expect("it is there");
    assert_eq!(shown.body.as_deref(), Some("body of evt_1"));
    assert_eq!(
        (shown.row.kind.as_str(), shown.row.received_at),
        ("customer.subscription.updated", START)
    );
    let none: Option<EventDetail> = world.ask(InboxRequest::Event(key("evt_2")));
    assert_eq!(none, None);
}

#[test]
fn accounts_come_by_name_and_are_found_by_what_is_known_of_them() {
    let mut world = World::new();
    let known = [
        ("-/alice", "active", Some("pro")),
        ("-/bob", "past_due", Some("pro")),
        ("acme/alice", "active", Some("team")),
        ("acme/zoe", "none", None),
    ];
    for (account, status, plan) in known {
        let summary = AccountSummary {
            account: name(account),
            status: status.to_owned(),
            plan: plan.map(str::to_owned),
            cause: None,
            updated_at: START,
            look_at: None,
        };
        assert_eq!(world.tell(InboxRequest::PutAccount(summary)), Ok(Vec::new()));
    }
    let mut names = |filter: &AccountFilter, cursor: Option<&str>, limit| {
        let (filter, cursor) = (filter.clone(), cursor.map(str::to_owned));
        let page: AccountPage = world.ask(InboxRequest::Accounts { filter, cursor, limit });
        let names: Vec<_> = page.items.into_iter().map(|one| one.account.to_string()).collect();
        (names.join(" "), page.next_cursor)
    };
    let all = AccountFilter::default();
    assert_eq!(
        names(&all, None, 3),
        ("-/alice -/bob acme/alice".into(), Some("acme/alice".into()))
    );
    assert_eq!(names(&all, Some("acme/alice"), 3), ("acme/zoe".into(), None));
    assert_eq!(names(&all, None, 4), ("-/alice -/bob acme/alice acme/zoe".into(), None));
    let pro = AccountFilter { plan: Some("pro".into()), ..all.clone() };
    assert_eq!(names(&pro, None, 9).0, "-/alice -/bob");
    let failing = AccountFilter { status: Some("past_due".into()), ..all.clone() };
    assert_eq!(names(&failing, None, 9).0, "-/bob");
    let of_acme = AccountFilter { prefix: Some("acme/".into()), ..all };
    assert_eq!(names(&of_acme, None, 9).0, "acme/alice acme/zoe");
    assert_eq!(names(&of_acme, None, 1), ("acme/alice".into(), Some("acme/alice".into())));
}
