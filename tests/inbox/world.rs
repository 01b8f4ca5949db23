//! An inbox, ledgers in memory, and short ways to say what happens.

use std::collections::BTreeMap;

use tollgate::account::{Provider, Status, Subscription};
use tollgate::billing::inbox::{
    AccountSummary, CustomerKey, CustomerRow, EventKey, EventRow, EventState, Inbox, InboxRequest,
    Incoming, Linked, Retried, Taken, batch, record_delivery,
};
use tollgate::billing::{BillingEvent, News};
use tollgate::identity::AccountName;
use tollgate::plan::Terms;
use tollgate::store::StoreError;
use tollgate::time::Timestamp;
use tollgate::wire::{self, Field};

use crate::memory_inbox::MemoryInbox;
use crate::memory_store::MemoryStore;
use tollgate::billing;

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const DAY_MS: i64 = 86_400_000;

/// An inbox and what it talks to.
pub(crate) struct World {
    pub(crate) inbox: Inbox,
    pub(crate) store: MemoryInbox,
    pub(crate) ledgers: BTreeMap<String, MemoryStore>,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new() -> Self {
        let (inbox, store, ledgers) = Default::default();
        Self { inbox, store, ledgers, now: START }
    }

    /// Tells the inbox something. As its object does, undoes all of what fails.
    pub(crate) fn tell(&mut self, request: InboxRequest) -> Result<Vec<u8>, StoreError> {
        let before = self.store.clone();
        let reply = self.inbox.handle(&mut self.store, request, &read, self.now);
        if reply.is_err() {
            self.store = before;
        }
        reply
    }

    /// Asks the inbox something.
    pub(crate) fn ask<T: Field>(&mut self, request: InboxRequest) -> T {
        let reply = self.tell(request).expect("the store works");
        wire::decode(&reply).expect("the reply is of the type that was expected")
    }

    pub(crate) fn take_in(&mut self, event: BillingEvent) -> Taken {
        let body = format!("body of {}", event.id);
        let incoming = Incoming { event, body, unreadable: None };
        self.ask::<Vec<Taken>>(InboxRequest::TakeIn(vec![incoming])).remove(0)
    }

    /// Links by an operator with all rights. Returns how many events that releases.
    pub(crate) fn link(&mut self, customer: &str, account: &str) -> usize {
        let linked = self.link_by(&customer_key(customer), account, true);
        assert!(!linked.is_refused);
        linked.released
    }

    pub(crate) fn link_by(
        &mut self,
        customer: &CustomerKey,
        account: &str,
        may_move: bool,
    ) -> Linked {
        let (customer, account) = (customer.clone(), name(account));
        let actor = "anna".to_owned();
        self.ask(InboxRequest::Link { customer, account, actor, may_move })
    }

    /// The customer's row at the inbox.
    pub(crate) fn customer(&mut self, customer: &CustomerKey) -> Option<CustomerRow> {
        self.ask(InboxRequest::Customer(customer.clone()))
    }

    pub(crate) fn retry(&mut self, id: &str) -> Option<EventRow> {
        let (event, actor) = (key(id), "anna".to_owned());
        let retried: Option<Retried> = self.ask(InboxRequest::Retry { event, actor });
        retried.map(|retried| retried.row)
    }

    pub(crate) fn row(&self, id: &str) -> EventRow {
        self.store.events[&key(id)].0.clone()
    }

    pub(crate) fn row_of(&self, provider: Provider, id: &str) -> EventRow {
        let key = EventKey { provider, id: id.to_owned() };
        self.store.events[&key].0.clone()
    }

    pub(crate) fn state(&self, id: &str) -> EventState {
        self.row(id).state
    }

    /// The alarm's work for one account, the ledger working or not.
    pub(crate) fn deliver(&mut self, account: &str, is_working: bool) -> usize {
        let (events, rows) =
            batch(&mut self.store, &name(account), &read).expect("the store works");
        let outcome = if is_working { Ok(self.apply(account, &events)) } else { Err("no answer") };
        let outcome = outcome.as_ref().map_err(|reason| *reason);
        record_delivery(&mut self.store, &rows, outcome, self.now).expect("the store works");
        rows.len()
    }

    /// The effect of events in an account's ledger.
    pub(crate) fn apply(&mut self, account: &str, events: &[BillingEvent]) -> AccountSummary {
        let ledger = self.ledgers.entry(account.to_owned()).or_default();
        let account = name(account);
        for event in events {
            billing::apply_to_ledger(ledger, terms(), &account, event, self.now)
                .expect("the store works");
        }
        let record = ledger.account.clone().unwrap_or_default();
        AccountSummary::of(&account, &record, &[], false, self.now)
    }

    pub(crate) fn later(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }
}

pub(crate) fn terms() -> Terms<'static> {
    Terms { plans: &[], meters: &[], announces: true, provider_outage: false }
}

/// A body that the tests can read: the id of an event about `cus_1`.
pub(crate) fn read(_: Provider, id: &str, body: &str) -> Result<BillingEvent, String> {
    match body {
        "readable" => Ok(active(id, "cus_1")),
        _ => Err("it is no JSON".to_owned()),
    }
}

pub(crate) fn key(id: &str) -> EventKey {
    EventKey { provider: Provider::Stripe, id: id.to_owned() }
}

pub(crate) fn customer_key(id: &str) -> CustomerKey {
    CustomerKey { provider: Provider::Stripe, id: id.to_owned() }
}

/// An event without news about a customer.
pub(crate) fn event(id: &str, customer: &str) -> BillingEvent {
    BillingEvent {
        customer: Some(customer.to_owned()),
        ..BillingEvent::new(Provider::Stripe, id.to_owned(), "customer.updated".to_owned(), START)
    }
}

/// An event: a customer's subscription is active.
pub(crate) fn active(id: &str, customer: &str) -> BillingEvent {
    let state = Subscription {
        plan: Some("pro".to_owned()),
        status: Status::Active,
        ..Subscription::default()
    };
    let subscription = format!("sub_{customer}");
    let news = News::Subscription { id: subscription.clone(), state: Box::new(state) };
    let kind = "customer.subscription.updated".to_owned();
    let subscription = Some(subscription);
    BillingEvent { kind, subscription, news: vec![news], ..event(id, customer) }
}

/// An event by which the seller's server names the account of its customer.
pub(crate) fn of_account(event: BillingEvent, account: &str) -> BillingEvent {
    BillingEvent { names_customer: true, ..naming(event, account) }
}

/// An event that names an account by a signed reference.
pub(crate) fn naming(event: BillingEvent, account: &str) -> BillingEvent {
    BillingEvent { account: Some(name(account)), ..event }
}

pub(crate) fn name(account: &str) -> AccountName {
    AccountName::parse(account).expect("it is an account's name")
}
