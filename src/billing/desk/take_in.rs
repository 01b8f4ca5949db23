//! Events coming in, and finding out whose they are.

use super::deliver::content_of;
use super::look::FIRST_ASK_MS;
use super::message::{CustomerKey, EventKey, EventRow, Incoming, Link, Taken};
use super::store::{Content, DeskStore};
use super::{EventState, ReadBody};
use crate::billing::api::REREAD;
use crate::billing::{BillingEvent, outage};
use crate::quota::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// Whether `name` is one that an account may have: `tenant/account`. No other object of the
/// ledger's class has such a name.
pub fn is_account_name(name: &str) -> bool {
    name.split_once('/').is_some_and(|(tenant, account)| {
        !tenant.is_empty() && !account.is_empty() && !account.contains('/')
    })
}

/// Keeps events, each once.
pub(super) fn all(
    store: &mut impl DeskStore,
    events: Vec<Incoming>,
    now: Timestamp,
) -> Result<Vec<Taken>, StoreError> {
    events.into_iter().map(|incoming| one(store, incoming, now)).collect()
}

/// An operator says whose customer it is. Returns how many events that releases.
pub(super) fn link(
    store: &mut impl DeskStore,
    customer: &CustomerKey,
    account: &str,
    actor: String,
    now: Timestamp,
) -> Result<usize, StoreError> {
    store.put_link(customer, &Link { account: account.to_owned(), at: now, actor })?;
    release(store, customer, account, now)
}

/// Tries an event again at once: reads it anew where that failed, asks anew whose it is.
pub(super) fn retry(
    store: &mut impl DeskStore,
    key: &EventKey,
    read: &ReadBody<'_>,
    now: Timestamp,
) -> Result<Option<EventRow>, StoreError> {
    let Some(mut row) = store.event(key)? else { return Ok(None) };
    match row.state {
        EventState::Received => {
            row.due_at = now;
            store.update_event(&row)?;
        }
        EventState::Waiting => {
            row.due_at = now;
            let link = linked(store, row.customer_key().as_ref())?;
            if let Some(link) = link {
                row.account = Some(link.account);
                row.state = EventState::Received;
                row.reason = None;
            }
            store.update_event(&row)?;
        }
        EventState::Failed => match content_of(store, key, read)? {
            Ok((event, body)) => {
                let incoming = Incoming { event, body, unreadable: None };
                one(store, incoming, now)?;
            }
            Err(reason) => {
                row.reason = Some(reason);
                store.update_event(&row)?;
            }
        },
        EventState::Applied | EventState::Ignored => {}
    }
    store.event(key)
}

fn one(
    store: &mut impl DeskStore,
    incoming: Incoming,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let Incoming { event, body, unreadable } = incoming;
    let mut row = EventRow {
        provider: event.provider,
        id: event.id.clone(),
        kind: event.kind.clone(),
        occurred_at: event.occurred_at,
        received_at: now,
        customer: event.customer.clone(),
        due_at: now,
        ..EventRow::default()
    };
    if let Some(known) = store.event(&row.key())? {
        // What could not be read may be readable by now.
        if known.state != EventState::Failed || unreadable.is_some() {
            let is_waiting = known.state == EventState::Waiting;
            return Ok(Taken { is_repeated: true, is_waiting });
        }
    }
    if unreadable.is_some() {
        row.state = EventState::Failed;
        row.reason = unreadable;
        store.add_event(&row, &Content { event: String::new(), body })?;
        return Ok(Taken::default());
    }
    if let Some(signal) = outage::signals_of(&event, now) {
        store.add_signal(&signal)?;
    }
    let newly_linked = find_account(store, &event, &mut row, now)?;
    if row.kind == REREAD && row.state == EventState::Waiting {
        // It can be asked for again, once it is known whose it is.
        return Ok(Taken { is_repeated: false, is_waiting: true });
    }
    store.add_event(&row, &Content { event: wire::encode(&event), body })?;
    if let Some((customer, account)) = newly_linked {
        release(store, &customer, &account, now)?;
    }
    Ok(Taken { is_repeated: false, is_waiting: row.state == EventState::Waiting })
}

/// Whose an event is, and what becomes of it. Returns whom it says to be which account, where that
/// is news.
fn find_account(
    store: &mut impl DeskStore,
    event: &BillingEvent,
    row: &mut EventRow,
    now: Timestamp,
) -> Result<Option<(CustomerKey, String)>, StoreError> {
    let customer = row.customer_key();
    let link = linked(store, customer.as_ref())?;
    let named = event.account.as_deref();
    if let Some(account) = named.filter(|name| is_account_name(name)) {
        row.account = Some(account.to_owned());
        let at = event.occurred_at;
        // By their own times, so that the order in which they come makes no difference.
        let is_newer = |link: &Link| (link.at, link.account.as_str()) < (at, account);
        let Some(customer) = customer.filter(|_| link.as_ref().is_none_or(is_newer)) else {
            return Ok(None);
        };
        let actor = event.provider.word().to_owned();
        store.put_link(&customer, &Link { account: account.to_owned(), at, actor })?;
        return Ok(Some((customer, account.to_owned())));
    }
    if event.news.is_empty() {
        row.state = EventState::Ignored;
        row.reason = Some("nothing of it concerns access".to_owned());
    } else if let Some(link) = link {
        row.account = Some(link.account);
    } else if let Some(customer) = customer {
        row.state = EventState::Waiting;
        row.due_at = now.plus_ms(FIRST_ASK_MS);
        if let Some(before) = store.waiting_of(&customer)?.pop() {
            // Its provider was asked; more events are no reason to ask more often.
            row.attempts = before.attempts;
            row.due_at = before.due_at;
        }
        row.reason = Some(match named {
            Some(name) => format!("it names {name:?}, which is no account's name"),
            None => "nobody has said which account this customer is".to_owned(),
        });
    } else {
        row.state = EventState::Failed;
        row.reason = Some("it names neither a customer nor an account".to_owned());
    }
    Ok(None)
}

fn linked(
    store: &impl DeskStore,
    customer: Option<&CustomerKey>,
) -> Result<Option<Link>, StoreError> {
    customer.map_or(Ok(None), |customer| store.link(customer))
}

/// Sends what waited for a customer's account on its way there.
fn release(
    store: &mut impl DeskStore,
    customer: &CustomerKey,
    account: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let waiting = store.waiting_of(customer)?;
    for row in &waiting {
        store.update_event(&EventRow {
            account: Some(account.to_owned()),
            state: EventState::Received,
            reason: None,
            attempts: 0,
            due_at: now,
            ..row.clone()
        })?;
    }
    Ok(waiting.len())
}
