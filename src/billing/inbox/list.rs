//! An operator's lists of events and accounts, page by page.

use super::customer::{CustomerKey, CustomerPage};
use super::message::{AccountFilter, AccountPage, EventDetail, EventFilter, EventKey, EventPage};
use super::ownership;
use super::store::InboxStore;
use crate::account::Provider;
use crate::store::StoreError;

/// An event with what its provider sent.
pub(super) fn event(
    store: &impl InboxStore,
    key: &EventKey,
) -> Result<Option<EventDetail>, StoreError> {
    let Some(row) = store.event(key)? else { return Ok(None) };
    let body = store.content(key)?.map(|content| content.body).filter(|body| !body.is_empty());
    Ok(Some(EventDetail { row, body }))
}

/// Events, the last to come first. A cursor is the number of the last one; one that is no number
/// stands behind all of them.
pub(super) fn events(
    store: &impl InboxStore,
    filter: EventFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<EventPage, StoreError> {
    let before = cursor.map(|cursor| cursor.parse().unwrap_or_default());
    let mut items = store.events(filter, before, limit.saturating_add(1))?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| has_more);
    let next_cursor = last.map(|row| row.number.to_string());
    Ok(EventPage { items, next_cursor })
}

/// Accounts by their names. A cursor is the name of the last one.
pub(super) fn accounts(
    store: &impl InboxStore,
    filter: &AccountFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<AccountPage, StoreError> {
    let mut items = store.accounts(filter, cursor, limit.saturating_add(1))?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| has_more);
    let next_cursor = last.map(|summary| summary.account.to_string());
    Ok(AccountPage { items, next_cursor })
}

/// Customers with several named accounts. A cursor is the provider and id of the last one.
pub(super) fn conflicts(
    store: &impl InboxStore,
    cursor: Option<&str>,
    limit: usize,
) -> Result<CustomerPage, StoreError> {
    let after = cursor.and_then(|cursor| {
        let (provider, id) = cursor.split_once('/')?;
        Some(CustomerKey { provider: Provider::from_word(provider)?, id: id.to_owned() })
    });
    let mut keys = store.conflicts(after.as_ref(), limit.saturating_add(1))?;
    let has_more = keys.len() > limit;
    keys.truncate(limit);
    let last = keys.last().filter(|_| has_more);
    let next_cursor = last.map(|CustomerKey { provider, id }| format!("{}/{id}", provider.word()));
    let items: Result<_, StoreError> =
        keys.iter().map(|key| ownership::customer_row(store, key)).collect();
    Ok(CustomerPage { items: items?, next_cursor })
}
