//! Events on their way to their account, until it has them.

use super::event_state::EventState;
use super::message::{AccountSummary, EventKey, EventRow};
use super::ownership;
use super::store::InboxStore;
use crate::account::Provider;
use crate::billing::BillingEvent;
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// Reads a provider's message, under the id that it is kept by.
pub type ReadBody<'a> = dyn Fn(Provider, &str, &str) -> Result<BillingEvent, String> + 'a;

/// The events for an account's ledger now, and the rows that they are kept in. One that can't be
/// read any more is marked as failed and left out.
///
/// # Errors
///
/// The store failed: see [`InboxStore`].
pub fn batch(
    store: &mut impl InboxStore,
    account: &AccountName,
    read: &ReadBody<'_>,
) -> Result<(Vec<BillingEvent>, Vec<EventRow>), StoreError> {
    let mut rows = store.received_of(account, AT_A_TIME)?;
    if rows.first().is_some_and(|row| row.attempts >= ALONE_AFTER) {
        // One of them may be what the ledger can't take: it must not hold up the others.
        rows.truncate(1);
    }
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    for mut row in rows {
        match content_of(store, &row.key(), read)? {
            Ok((mut event, _)) => {
                event.is_by_address = ownership::is_by_address(store, &row, &event)?;
                events.push(event);
                sent.push(row);
            }
            Err(reason) => {
                row.state = EventState::Failed;
                row.reason = Some(reason);
                store.update_event(&row)?;
            }
        }
    }
    Ok((events, sent))
}

/// Records the result of a delivery to a ledger: the standing of the account now, or the reason why
/// the ledger did not answer.
///
/// # Errors
///
/// The store failed: see [`InboxStore`].
pub fn record_delivery(
    store: &mut impl InboxStore,
    rows: &[EventRow],
    outcome: Result<&AccountSummary, &str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for row in rows {
        let attempts = row.attempts.saturating_add(1);
        let row = EventRow { attempts, ..row.clone() };
        store.update_event(&match outcome {
            Ok(_) => EventRow { state: EventState::Applied, reason: None, ..row },
            Err(reason) => EventRow {
                reason: Some(reason.to_owned()),
                due_at: now.plus_ms(delay_ms(attempts, FIRST_RETRY_MS, LAST_RETRY_MS)),
                ..row
            },
        })?;
    }
    outcome.map_or(Ok(()), |summary| store.put_account(summary))
}

/// An event, and its provider's body; or the reason why it can't be read.
pub(super) fn content_of(
    store: &impl InboxStore,
    key: &EventKey,
    read: &ReadBody<'_>,
) -> Result<Result<(BillingEvent, String), String>, StoreError> {
    let Some(content) = store.content(key)? else {
        return Ok(Err("what it says is not kept any more".to_owned()));
    };
    if let Ok(event) = wire::decode(&content.event) {
        return Ok(Ok((event, content.body)));
    }
    // It was never read, or by a release with another format.
    if content.body.is_empty() {
        return Ok(Err("another release wrote it; its customer has to be read again".to_owned()));
    }
    let event = read(key.provider, &key.id, &content.body);
    // It keeps the id that it is kept under, with any other in its body.
    let event = event.map(|event| BillingEvent { id: key.id.clone(), ..event });
    Ok(event.map(|event| (event, content.body)))
}

/// The delay after so many attempts: twice as long each time.
pub(super) fn delay_ms(attempts: u32, first_ms: i64, last_ms: i64) -> i64 {
    let doublings = attempts.saturating_sub(1).min(20);
    first_ms.saturating_mul(1_i64 << doublings).min(last_ms)
}

const FIRST_RETRY_MS: i64 = 1_000;
const LAST_RETRY_MS: i64 = 300_000;
/// Number of events in one call of a ledger.
const AT_A_TIME: usize = 20;
/// Failures after which the events of an account go one by one.
const ALONE_AFTER: u32 = 3;
