//! The owners of customers and subscriptions: with an attacker first and second, at every provider
//! that finds customers by an address.

use tollgate::account::{Provider, Status, Subscription};
use tollgate::billing::inbox::{CustomerKey, EventRow, EventState, InboxRequest, batch};
use tollgate::billing::{BillingEvent, News};
use tollgate::identity::AccountName;

use crate::world::*;

const VICTIM: &str = "-/victim";
const MALLORY: &str = "-/mallory";

/// The victim's customer, whom the provider finds by the victim's address.
fn customer(provider: Provider) -> CustomerKey {
    CustomerKey { provider, id: "ctm_victim".to_owned() }
}

fn by(provider: Provider, id: &str, account: Option<&str>, minute: i64) -> BillingEvent {
    BillingEvent {
        provider,
        occurred_at: START.plus_ms(minute * MINUTE_MS),
        account: account.map(name),
        ..event(id, "ctm_victim")
    }
}

/// A first payment for a subscription of one's own, under the victim's customer.
fn bought(provider: Provider, account: &str, minute: i64, is_payment: bool) -> BillingEvent {
    let subscription = format!("sub_of_{}", account.replace("-/", ""));
    let state = Box::new(Subscription {
        plan: Some("pro".to_owned()),
        status: Status::Active,
        ..Subscription::default()
    });
    let news = vec![News::Subscription { id: subscription.clone(), state }];
    let id = format!("evt_{account}_{minute}_{is_payment}");
    let subscription = Some(subscription);
    BillingEvent { subscription, is_payment, news, ..by(provider, &id, Some(account), minute) }
}

fn leads(world: &mut World, account: &str, provider: Provider) -> bool {
    let customers = vec![customer(provider)];
    let account = name(account);
    let led: Option<CustomerKey> = world.ask(InboxRequest::CustomerToLead { account, customers });
    led.is_some()
}

fn access(world: &mut World, account: &str) -> Vec<String> {
    while world.deliver(account, true) > 0 {}
    let ledger = world.ledgers.get(account);
    let record = ledger.and_then(|ledger| ledger.account.clone()).unwrap_or_default();
    let known = record.billed.iter().filter(|one| one.known().is_some());
    known.map(|one| one.id.clone()).collect()
}

#[test]
fn a_card_that_fails_moves_nobodys_customer() {
    for provider in Provider::ALL {
        let mut world = World::new();
        world.take_in(bought(provider, VICTIM, 0, true));
        assert!(leads(&mut world, VICTIM, provider));
        let news = vec![News::PaymentFailed { subscription: None, reason: None }];
        let failed = BillingEvent { news, ..by(provider, "evt_f", Some(MALLORY), 5) };
        assert!(world.take_in(failed).is_conflict);
        assert!(!leads(&mut world, MALLORY, provider), "{provider:?}");
        // A customer with two named accounts gets no portal until an operator decides.
        assert!(!leads(&mut world, VICTIM, provider));
        assert_eq!(access(&mut world, VICTIM), ["sub_of_victim"], "and loses no access");
        // Later events without a name are the victim's as before.
        world.take_in(by(provider, "evt_later", None, 9));
        let news = vec![News::CustomerDeleted];
        let later = BillingEvent { news, ..by(provider, "evt_later_2", None, 10) };
        assert_eq!(world.take_in(later).account.as_ref().map(AccountName::as_str), Some(VICTIM));
    }
}

#[test]
fn each_keeps_what_they_bought_whoever_came_first() {
    for provider in Provider::ALL {
        for [first, second] in [[VICTIM, MALLORY], [MALLORY, VICTIM]] {
            let mut world = World::new();
            world.take_in(bought(provider, first, 0, true));
            world.take_in(bought(provider, second, 5, true));
            for account in [VICTIM, MALLORY] {
                assert!(!leads(&mut world, account, provider), "{first} first, {account}");
                let own = account.replace("-/", "sub_of_");
                assert_eq!(access(&mut world, account), [own], "{first} first");
            }
            let row = world.customer(&customer(provider)).expect("it is known");
            assert!(row.is_in_conflict());
            assert_eq!(row.claims.len(), 2);
            let page: tollgate::billing::inbox::CustomerPage =
                world.ask(InboxRequest::Conflicts { cursor: None, limit: 9 });
            assert_eq!(page.items, [row], "an operator finds it");
        }
    }
}

#[test]
fn trials_and_free_orders_link_no_customer() {
    for provider in Provider::ALL {
        let mut world = World::new();
        world.take_in(bought(provider, MALLORY, 0, false));
        assert_eq!(access(&mut world, MALLORY), ["sub_of_mallory"], "what was bought is there");
        assert!(!leads(&mut world, MALLORY, provider));
        assert!(world.store.links.is_empty());
        // An event without a name is nobody's then, and the victim's once the victim has paid.
        let news = vec![News::CustomerDeleted];
        let subscription = Some("sub_unknown".to_owned());
        let bare = BillingEvent { news, subscription, ..by(provider, "evt_bare", None, 1) };
        assert!(world.take_in(bare).is_waiting);
        world.take_in(bought(provider, VICTIM, 5, true));
        assert_eq!(
            world.row_of(provider, "evt_bare").account.as_ref().map(AccountName::as_str),
            Some(VICTIM)
        );
    }
}

#[test]
fn the_operators_word_is_undone_by_no_event() {
    for provider in Provider::ALL {
        let mut world = World::new();
        world.take_in(bought(provider, MALLORY, 0, true));
        world.take_in(bought(provider, VICTIM, 5, true));
        let linked = world.link_by(&customer(provider), VICTIM, true);
        assert_eq!(
            (linked.before.as_ref().map(AccountName::as_str), linked.is_refused),
            (Some(MALLORY), false)
        );
        assert!(leads(&mut world, VICTIM, provider) && !leads(&mut world, MALLORY, provider));
        for minute in [-9, 30, 60] {
            world.take_in(bought(provider, MALLORY, minute, true));
            let named = by(provider, &format!("evt_n{minute}"), Some(MALLORY), minute);
            world.take_in(BillingEvent { names_customer: true, ..named });
            assert!(leads(&mut world, VICTIM, provider) && !leads(&mut world, MALLORY, provider));
        }
        let page: tollgate::billing::inbox::CustomerPage =
            world.ask(InboxRequest::Conflicts { cursor: None, limit: 9 });
        assert!(page.items.is_empty(), "it is decided");
    }
}

#[test]
fn linking_a_customer_that_is_somebodys_takes_the_right_to_move_it() {
    let mut world = World::new();
    let key = customer_key("cus_1");
    assert!(!world.link_by(&key, VICTIM, false).is_refused, "nobody had it");
    assert!(!world.link_by(&key, VICTIM, false).is_refused, "nothing moves");
    let refused = world.link_by(&key, MALLORY, false);
    assert_eq!(
        (refused.is_refused, refused.before.as_ref().map(AccountName::as_str)),
        (true, Some(VICTIM))
    );
    let link = world.customer(&key).and_then(|row| row.link).expect("it is linked");
    assert_eq!(link.account, VICTIM);
    assert!(!world.link_by(&key, MALLORY, true).is_refused);
    // Nor may one decide between accounts that events name.
    let mut world = World::new();
    world.take_in(naming(event("evt_1", "cus_1"), MALLORY));
    assert!(world.link_by(&key, VICTIM, false).is_refused);
    assert!(!world.link_by(&key, VICTIM, true).is_refused);
}

#[test]
fn what_operators_do_stands_in_the_trail_of_every_account_that_it_touches() {
    let mut world = World::new();
    let key = customer_key("cus_1");
    world.link_by(&key, VICTIM, true);
    world.link_by(&key, MALLORY, true);
    world.take_in(of_account(active("evt_1", "cus_2"), VICTIM));
    world.retry("evt_1");
    let mut trail = |account: &str| {
        while world.deliver(account, true) > 0 {}
        // An entry that arrives twice stands there once.
        let audit = &world.ledgers[account].audit;
        let own = audit.iter().filter(|entry| entry.actor == "anna");
        own.map(|entry| entry.action.clone()).collect::<Vec<_>>()
    };
    assert_eq!(trail(VICTIM), ["link-customer", "link-customer", "retry-event"]);
    assert_eq!(trail(MALLORY), ["link-customer"]);
}

#[test]
fn a_note_that_is_told_twice_stands_in_the_trail_once_and_is_announced_once() {
    let mut world = World::new();
    world.take_in(bought(Provider::Paddle, VICTIM, 0, true));
    world.take_in(bought(Provider::Paddle, MALLORY, 5, true));
    let is_note = |row: &&EventRow| row.kind == "tollgate.note";
    let rows: Vec<_> = world.store.events.values().map(|(row, _)| row.clone()).collect();
    let accounts: Vec<_> =
        rows.iter().filter(is_note).filter_map(|row| row.account.clone()).collect();
    assert_eq!(accounts, [MALLORY, VICTIM]);
    let mut announced = 0;
    for account in [VICTIM, MALLORY] {
        let (events, rows) =
            batch(&mut world.store, &name(account), &read).expect("the store works");
        for _ in 0..3 {
            world.apply(account, &events);
        }
        assert!(!rows.is_empty());
        let ledger = &world.ledgers[account];
        let conflicts = ledger.audit.iter().filter(|entry| entry.action == "customer-conflict");
        assert_eq!(conflicts.count(), 1, "{account}");
        announced += ledger.announcements.len();
    }
    assert_eq!(announced, 1, "one message for one conflict");
}

#[test]
fn events_that_wait_go_to_the_account_that_a_reference_opens() {
    let mut world = World::new();
    let bare = BillingEvent { occurred_at: START, ..active("evt_1", "cus_1") };
    assert!(world.take_in(bare).is_waiting);
    // The session names account and subscription; nothing was paid yet, as in a trial.
    let session = BillingEvent {
        subscription: Some("sub_cus_1".to_owned()),
        ..naming(event("evt_2", "cus_1"), "-/alice")
    };
    world.take_in(session);
    assert_eq!(world.state("evt_1"), EventState::Received);
    assert_eq!(world.row("evt_1").account.as_ref().map(AccountName::as_str), Some("-/alice"));
    assert!(world.store.links.is_empty());
}

#[test]
fn a_subscription_without_a_reference_only_adds_to_the_customers_account() {
    for (provider, is_by_address) in [
        (Provider::Stripe, false),
        (Provider::Paddle, true),
        (Provider::LemonSqueezy, true),
        (Provider::Standard, true),
    ] {
        let mut world = World::new();
        world.take_in(bought(provider, VICTIM, 0, true));
        let stranger = bought(provider, MALLORY, 5, true);
        let bare = BillingEvent { account: None, ..stranger };
        let taken = world.take_in(bare);
        assert_eq!(
            (taken.account.as_ref().map(AccountName::as_str), taken.is_by_address),
            (Some(VICTIM), is_by_address)
        );
        access(&mut world, VICTIM);
        let record = world.ledgers[VICTIM].account.clone().expect("there is one");
        let flags: Vec<_> =
            record.billed.iter().map(|one| (one.id.as_str(), one.by_address)).collect();
        assert_eq!(flags, [("sub_of_mallory", is_by_address), ("sub_of_victim", false)]);
    }
}

#[test]
fn a_mode_that_is_not_configured_leaves_no_trace_but_its_reason() {
    let mut world = World::new();
    let ignored = Some("test mode".to_owned());
    world.take_in(BillingEvent { ignored, ..bought(Provider::Stripe, VICTIM, 0, true) });
    let row = world.row("evt_-/victim_0_true");
    assert_eq!((row.state, row.reason.as_deref()), (EventState::Ignored, Some("test mode")));
    assert!(world.store.links.is_empty() && world.store.claims.is_empty());
    assert!(world.store.owners.is_empty() && world.store.signals.is_empty());
}
