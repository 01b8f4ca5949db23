//! Events shuffled, doubled and cut off, ledgers that fail, restarts between any two steps: through
//! all of it, each event ends up applied once in effect.

use proptest::prelude::*;
use tollgate::account::{AccountRecord, Status, Subscription};
use tollgate::billing::inbox::{
    EventState, Inbox, InboxRequest, InboxStore, Incoming, batch, record_delivery,
};
use tollgate::billing::{BillingEvent, News};

use crate::world::*;

const ACCOUNTS: [&str; 3] = ["-/alice", "-/bob", "acme/carol"];

/// A few months of three customers. The account is named by one event only.
fn history() -> Vec<BillingEvent> {
    let mut events = Vec::new();
    for (index, account) in ACCOUNTS.into_iter().enumerate() {
        let customer = format!("cus_{index}");
        let mut tell = |what: usize, news: Vec<News>| {
            let occurred_at = START.plus_ms(i64::try_from(what).unwrap_or_default() * MINUTE_MS);
            let event = BillingEvent {
                occurred_at,
                news,
                ..event(&format!("evt_{index}_{what}"), &customer)
            };
            events.push(if what == 0 { of_account(event, account) } else { event });
        };
        let subscription = format!("sub_{index}");
        let state = |status| {
            let state = Box::new(Subscription { status, ..Subscription::default() });
            vec![News::Subscription { id: subscription.clone(), state }]
        };
        tell(0, Vec::new());
        tell(1, state(Status::Incomplete));
        tell(2, state(Status::Active));
        tell(3, vec![News::Credits { id: format!("cs_{index}"), units: 100, payment: None }]);
        tell(
            4,
            vec![News::PaymentFailed { subscription: Some(subscription.clone()), reason: None }],
        );
        tell(
            5,
            vec![News::Paid {
                subscription: subscription.clone(),
                until: None,
                payments: Vec::new(),
            }],
        );
    }
    events
}

/// The next happening; numbers choose among those that are possible.
#[derive(Clone, Debug)]
enum Happening {
    /// The next webhook arrives, or an old one again; the database fails after so many calls.
    Webhook { again: Option<usize>, fails_after: Option<usize> },
    /// The alarm delivers to a ledger; it is cut off after so many of its steps.
    Alarm { is_working: bool, cut_after: usize },
    /// The object is made anew.
    Restart,
    /// Time goes by.
    Later(i64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let webhook =
        (prop::option::weighted(0.3, 0..40_usize), prop::option::weighted(0.2, 0..9_usize));
    prop_oneof![
        4 => webhook.prop_map(|(again, fails_after)| Happening::Webhook { again, fails_after }),
        4 => (any::<bool>(), 0..4_usize)
            .prop_map(|(is_working, cut_after)| Happening::Alarm { is_working, cut_after }),
        1 => Just(Happening::Restart),
        2 => (0..400_000_i64).prop_map(Happening::Later),
    ]
}

/// A provider sends until it gets an answer that the event arrived.
fn webhook(world: &mut World, event: &BillingEvent, fails_after: Option<usize>) -> bool {
    world.store.calls_left.set(fails_after);
    let incoming = Incoming::asked_for(event.clone());
    let told = world.tell(InboxRequest::TakeIn(vec![incoming]));
    world.store.calls_left.set(None);
    told.is_ok()
}

/// The steps of the alarm: read what is due, have it applied, take that down.
fn alarm(world: &mut World, is_working: bool, cut_after: usize) {
    let due = world.store.due_accounts(world.now, 1).expect("the store works");
    let Some(account) = due.first() else { return };
    let (events, rows) = batch(&mut world.store, account, &read).expect("the store works");
    if cut_after == 0 {
        return;
    }
    // A ledger that does not answer may have done it all the same.
    let applied = (is_working || cut_after == 2).then(|| world.apply(account.as_str(), &events));
    if cut_after == 1 {
        return;
    }
    let outcome = applied.as_ref().filter(|_| is_working).ok_or("no answer");
    record_delivery(&mut world.store, &rows, outcome, world.now).expect("the store works");
}

fn run(events: &[BillingEvent], happenings: &[Happening]) -> World {
    let mut world = World::new();
    let mut arrived = 0;
    for happening in happenings {
        match happening {
            Happening::Webhook { again: Some(index), fails_after } if arrived > 0 => {
                webhook(&mut world, &events[index % arrived], *fails_after);
            }
            Happening::Webhook { fails_after, .. } => {
                if let Some(event) = events.get(arrived)
                    && webhook(&mut world, event, *fails_after)
                {
                    arrived += 1;
                }
            }
            Happening::Alarm { is_working, cut_after } => {
                alarm(&mut world, *is_working, *cut_after);
            }
            Happening::Restart => world.inbox = Inbox::default(),
            Happening::Later(ms) => world.later(*ms),
        }
    }
    for event in &events[arrived..] {
        assert!(webhook(&mut world, event, None));
    }
    let mut rounds = 0;
    while let Some(due_at) = world.store.next_due().expect("the store works") {
        world.now = world.now.max(due_at);
        alarm(&mut world, true, 3);
        rounds += 1;
        assert!(rounds < 100, "it comes to an end");
    }
    world
}

fn records(world: &World) -> Vec<AccountRecord> {
    ACCOUNTS.map(|name| world.ledgers[name].account.clone().expect("there is one")).into()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, cases: 400, ..ProptestConfig::default()
    })]

    #[test]
    fn every_event_is_applied_once_in_effect(
        events in Just(history()).prop_shuffle(),
        happenings in prop::collection::vec(happening(), 0..120),
    ) {
        let (calm, world) = (run(&history(), &[]), run(&events, &happenings));
        for (row, _) in world.store.events.values() {
            prop_assert_eq!(row.state, EventState::Applied, "{}", row.id);
        }
        prop_assert_eq!(world.store.events.len(), events.len());
        prop_assert_eq!(records(&world), records(&calm));
        for account in ACCOUNTS {
            let packs = &world.ledgers[account].packs;
            prop_assert_eq!(packs.iter().map(|pack| pack.units).collect::<Vec<_>>(), [100]);
            let (summary, _) = &world.store.accounts[&name(account)];
            prop_assert_eq!(&summary.status, "active");
        }
    }
}
