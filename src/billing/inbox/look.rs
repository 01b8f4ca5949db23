//! The customers to ask the provider about: those without a known account, and those of accounts
//! with news that may have got lost.

use super::customer::CustomerKey;
use super::deliver::delay_ms;
use super::message::EventRow;
use super::store::InboxStore;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Customers to read again now. They are put off as if that failed; where it doesn't, news follow
/// that say when to look next.
pub(super) fn list(
    store: &mut impl InboxStore,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<CustomerKey>, StoreError> {
    let mut customers: Vec<CustomerKey> = Vec::new();
    // Strangers, who may be many, leave room for those who are known.
    let room = limit.div_ceil(2);
    for row in store.waiting_due(now, room)? {
        let Some(customer) = row.customer_key() else { continue };
        if customers.contains(&customer) {
            continue;
        }
        for row in store.waiting_of(&customer)? {
            let attempts = row.attempts.saturating_add(1);
            let due_at = now.plus_ms(delay_ms(attempts, LOOK_INTERVAL_MS, LAST_ASK_MS));
            store.update_event(&EventRow { attempts, due_at, ..row })?;
        }
        customers.push(customer);
    }
    let looked_before = now.plus_ms(-LOOK_INTERVAL_MS);
    for account in store.to_look_at(now, looked_before, limit)? {
        if customers.len() >= limit {
            break;
        }
        store.note_look(&account, now, now.plus_ms(LOOK_AGAIN_MS))?;
        let of_account = store.customers_of(&account)?;
        customers.extend(of_account.into_iter().filter(|one| !one.id.is_empty()));
    }
    customers.truncate(limit);
    Ok(customers)
}

/// The shortest time between looks at an account, or between questions about a customer's account.
const LOOK_INTERVAL_MS: i64 = 600_000;
/// The event that names the account often comes a moment later.
pub(super) const FIRST_ASK_MS: i64 = 2_000;
const LAST_ASK_MS: i64 = 7 * 86_400_000;
/// Time before the next look after one in vain.
const LOOK_AGAIN_MS: i64 = 3_600_000;
