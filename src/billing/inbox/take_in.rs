//! Incoming events, and operators' decisions about them.

use super::customer::{CustomerKey, Link, Linked};
use super::deliver::{ReadBody, content_of};
use super::event_state::EventState;
use super::look::FIRST_ASK_MS;
use super::message::{EventKey, EventRow, Incoming, Retried, Taken};
use super::store::{Content, InboxStore};
use super::{note, ownership};
use crate::billing::{BillingEvent, REREAD, outage};
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// Keeps events, each once.
pub(super) fn all(
    store: &mut impl InboxStore,
    events: Vec<Incoming>,
    now: Timestamp,
) -> Result<Vec<Taken>, StoreError> {
    events.into_iter().map(|incoming| one(store, incoming, now)).collect()
}

/// Links a customer to an account by an operator's decision, which no event overrules. A customer
/// of another account, or with a claim by another, is only linked where the operator `may_move` it.
pub(super) fn link(
    store: &mut impl InboxStore,
    customer: &CustomerKey,
    account: &AccountName,
    (actor, may_move): (String, bool),
    now: Timestamp,
) -> Result<Linked, StoreError> {
    let row = ownership::customer_row(store, customer)?;
    let before = row.link.as_ref().map(|link| link.account.clone());
    let is_others = before.as_ref().is_some_and(|before| before != account)
        || row.claims.iter().any(|claim| claim.account != *account);
    if is_others && !may_move {
        return Ok(Linked { before, is_refused: true, ..Linked::default() });
    }
    let notes = note::linked(&row, account, &actor);
    let account = account.clone();
    store.put_link(customer, &Link { account, at: now, actor, is_decided: true })?;
    store.note_conflict(customer, false)?;
    let released = release(store, customer, now)?;
    let notes = note::send(store, notes, now)?;
    Ok(Linked { released, before, is_refused: false, notes })
}

/// Tries an event again at once: reads it anew where that failed or nothing of it counted, asks
/// anew whose it is.
pub(super) fn retry(
    store: &mut impl InboxStore,
    key: &EventKey,
    actor: &str,
    read: &ReadBody<'_>,
    now: Timestamp,
) -> Result<Option<Retried>, StoreError> {
    let Some(mut row) = store.event(key)? else { return Ok(None) };
    match row.state {
        EventState::Received => {
            row.due_at = now;
            store.update_event(&row)?;
        }
        EventState::Waiting => {
            row.due_at = now;
            send_on(&mut row, store)?;
            store.update_event(&row)?;
        }
        EventState::Failed | EventState::Ignored => match content_of(store, key, read)? {
            Ok((event, body)) => {
                let event = if body.is_empty() { Ok(event) } else { anew(key, &body, read) };
                match event {
                    Ok(event) => {
                        let incoming = Incoming { event, body, unreadable: None };
                        keep(store, incoming, now)?;
                    }
                    Err(reason) => failed(store, row, reason)?,
                }
            }
            Err(reason) => failed(store, row, reason)?,
        },
        EventState::Applied => {}
    }
    let Some(row) = store.event(key)? else { return Ok(None) };
    let note = row.account.as_ref().map(|account| note::retried(key, account, actor));
    let notes = note::send(store, note.into_iter().collect(), now)?;
    Ok(Some(Retried { row, notes }))
}

/// Reads a body under the id that it is kept by, even if it names another.
fn anew(key: &EventKey, body: &str, read: &ReadBody<'_>) -> Result<BillingEvent, String> {
    let event = read(key.provider, &key.id, body)?;
    Ok(BillingEvent { id: key.id.clone(), ..event })
}

fn failed(
    store: &mut impl InboxStore,
    mut row: EventRow,
    reason: String,
) -> Result<(), StoreError> {
    row.reason = Some(reason);
    store.update_event(&row)
}

fn one(
    store: &mut impl InboxStore,
    incoming: Incoming,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let event = &incoming.event;
    let key = EventKey { provider: event.provider, id: event.id.clone() };
    if let Some(known) = store.event(&key)? {
        // A body that could not be read before may be readable by now.
        if known.state != EventState::Failed || incoming.unreadable.is_some() {
            return Ok(Taken {
                is_by_address: ownership::is_by_address(store, &known, event)?,
                is_waiting: known.state == EventState::Waiting,
                account: known.account,
                is_repeated: true,
                is_conflict: false,
            });
        }
    }
    keep(store, incoming, now)
}

/// Keeps an event, whether it is known or not.
fn keep(
    store: &mut impl InboxStore,
    incoming: Incoming,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let Incoming { event, body, unreadable } = incoming;
    let mut row = EventRow {
        customer: event.customer.clone(),
        subscription: event.subscription.clone(),
        ..EventRow::new(&event, now)
    };
    if unreadable.is_some() {
        row.state = EventState::Failed;
        row.reason = unreadable;
        store.add_event(&row, &Content { event: Vec::new(), body })?;
        return Ok(Taken::default());
    }
    let content = Content { event: wire::encode(&event), body };
    if event.ignored.is_some() {
        row.state = EventState::Ignored;
        row.reason = event.ignored;
        store.add_event(&row, &content)?;
        return Ok(Taken::default());
    }
    if let Some(signal) = outage::signals_of(&event, now) {
        store.add_signal(&signal)?;
    }
    let recorded = ownership::record_claims(store, &event, &row)?;
    find_account(store, &event, &mut row, now)?;
    let taken = Taken {
        account: row.account.clone(),
        is_by_address: ownership::is_by_address(store, &row, &event)?,
        is_repeated: false,
        is_waiting: row.state == EventState::Waiting,
        is_conflict: !recorded.notes.is_empty(),
    };
    // A reread can be repeated once the account is known.
    if row.kind != REREAD || row.state != EventState::Waiting {
        store.add_event(&row, &content)?;
    }
    if let Some(customer) = row.customer_key().filter(|_| recorded.is_news) {
        release(store, &customer, now)?;
    }
    note::send(store, recorded.notes, now)?;
    Ok(taken)
}

/// Finds the account of an event, and sets its row's state.
fn find_account(
    store: &mut impl InboxStore,
    event: &BillingEvent,
    row: &mut EventRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    if event.news.is_empty() && event.account.is_none() {
        row.state = EventState::Ignored;
        row.reason = Some("nothing of it concerns access".to_owned());
        return Ok(());
    }
    row.account = ownership::account_of(store, row, event.account.as_ref())?;
    if row.account.is_some() {
        return Ok(());
    }
    let Some(customer) = row.customer_key() else {
        row.state = EventState::Failed;
        let nobody = || "it names neither a customer nor an account".to_owned();
        row.reason = Some(event.unnamed.clone().unwrap_or_else(nobody));
        return Ok(());
    };
    row.state = EventState::Waiting;
    row.due_at = now.plus_ms(FIRST_ASK_MS);
    if let Some(before) = store.waiting_of(&customer)?.pop() {
        // Its provider was asked; more events are no reason to ask more often.
        row.attempts = before.attempts;
        row.due_at = before.due_at;
    }
    let nobody = || "nobody has recorded which account this customer is".to_owned();
    row.reason = Some(event.unnamed.clone().unwrap_or_else(nobody));
    Ok(())
}

/// Sends the events that waited for a customer's account on their way, if it is known by now.
fn release(
    store: &mut impl InboxStore,
    customer: &CustomerKey,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut released: usize = 0;
    for mut row in store.waiting_of(customer)? {
        if send_on(&mut row, store)? {
            (row.attempts, row.due_at) = (0, now);
            store.update_event(&row)?;
            released = released.saturating_add(1);
        }
    }
    Ok(released)
}

/// Has a waiting event be received, where its account is known by now.
fn send_on(row: &mut EventRow, store: &impl InboxStore) -> Result<bool, StoreError> {
    row.account = ownership::account_of(store, row, None)?;
    if row.account.is_none() {
        return Ok(false);
    }
    row.state = EventState::Received;
    row.reason = None;
    Ok(true)
}
