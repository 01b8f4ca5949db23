//! A subscription's life, as a function: `(record, event, now) → record`.
//!
//! Events may come in any order, twice, late or never: the same set of them ends in the same
//! record, since each only adds a fact that carries the provider's own time (see
//! [`crate::account::ProviderSubscription`]).

use crate::account::{
    AccountRecord, Customer, Dispute, Failure, Payment, Provider, ProviderSubscription, Status,
    add_payment,
};
use crate::billing::{BillingEvent, News};
use crate::time::Timestamp;

/// The record after the event. [`News::Credits`] are the ledger's, and so is [`News::Note`].
///
/// `now` is the ledger's clock, and decides only what is so long over that it may be forgotten.
#[must_use]
pub fn apply(mut record: AccountRecord, event: &BillingEvent, now: Timestamp) -> AccountRecord {
    let (provider, at) = (event.provider, event.occurred_at);
    if let [News::Note { .. }] = event.news.as_slice() {
        return record;
    }
    if let Some(id) = &event.customer {
        customer(&mut record, provider, id);
    }
    for news in &event.news {
        match news {
            News::Credits { payment, .. } => {
                if let Some(id) = payment.clone() {
                    add_payment(&mut record.purchases, Payment { at, provider, id });
                }
            }
            News::CustomerDeleted => {
                if let Some(one) = paying(&mut record, event) {
                    one.deleted_at = one.deleted_at.max(Some(at));
                }
            }
            News::Dispute { id, is_open, subscription, payments } => {
                let (id, is_open) = (id.clone(), *is_open);
                let (subscription, payments) = (subscription.clone(), payments.clone());
                dispute(&mut record, Dispute { provider, id, at, is_open, subscription, payments });
            }
            News::Entitlements { names, is_complete } => {
                if let Some(one) = paying(&mut record, event) {
                    entitle(one, names, *is_complete, at);
                }
            }
            News::Note { .. } => {}
            News::Paid { subscription, until, payments } => {
                let one = billed(&mut record, event, subscription);
                one.record_payment(*until, at);
                for id in payments.iter().cloned() {
                    add_payment(&mut one.payments, Payment { at, provider, id });
                }
            }
            News::PaymentFailed { subscription: Some(id), reason } => {
                billed(&mut record, event, id).record_failure(Failure { at, reason: *reason });
            }
            News::PaymentFailed { subscription: None, reason } => {
                let failure = Some(Failure { at, reason: *reason });
                if let Some(one) = paying(&mut record, event) {
                    one.decline = one.decline.max(failure);
                }
            }
            News::Subscription { id, state } => {
                billed(&mut record, event, id).record_state(state, at);
            }
        }
    }
    derive_subscriptions(&mut record);
    forget(&mut record, now);
    record
}

/// Derives every subscription anew: news of a customer concern all of its own.
fn derive_subscriptions(record: &mut AccountRecord) {
    for one in &mut record.billed {
        let is_payer = |customer: &&Customer| {
            customer.provider == one.provider && Some(&customer.id) == one.customer.as_ref()
        };
        one.derive_state(record.customers.iter().find(is_payer));
    }
}

/// The subscription of this id, a new one where there is none yet. In the order of the ids, so that
/// the order of events leaves no trace.
fn billed<'a>(
    record: &'a mut AccountRecord,
    event: &BillingEvent,
    id: &str,
) -> &'a mut ProviderSubscription {
    let provider = event.provider;
    let place = record
        .billed
        .binary_search_by(|one| (one.provider, one.id.as_str()).cmp(&(provider, id)))
        .unwrap_or_else(|place| {
            // By an address, until an event shows otherwise.
            let new = ProviderSubscription {
                by_address: true,
                ..ProviderSubscription::new(provider, id)
            };
            record.billed.insert(place, new);
            place
        });
    // There is one: it was found or put there.
    #[expect(clippy::indexing_slicing, reason = "see above")]
    let one = &mut record.billed[place];
    one.customer = one.customer.take().max(event.customer.clone());
    one.by_address &= event.is_by_address;
    one
}

/// The customer of this id, a new one where there is none yet.
fn customer<'a>(
    record: &'a mut AccountRecord,
    provider: Provider,
    id: &str,
) -> Option<&'a mut Customer> {
    let place = record
        .customers
        .binary_search_by(|one| (one.provider, one.id.as_str()).cmp(&(provider, id)))
        .unwrap_or_else(|place| {
            record.customers.insert(place, Customer::new(provider, id));
            place
        });
    record.customers.get_mut(place)
}

/// The customer of an event.
fn paying<'a>(record: &'a mut AccountRecord, event: &BillingEvent) -> Option<&'a mut Customer> {
    customer(record, event.provider, event.customer.as_deref()?)
}

/// The newest list counts; of the same instant, the union. A list that is not whole is kept apart
/// and adds to the whole one that is older.
fn entitle(customer: &mut Customer, names: &[String], is_complete: bool, at: Timestamp) {
    let (list, told_at) = if is_complete {
        (&mut customer.entitlements, &mut customer.entitlements_at)
    } else {
        (&mut customer.partial_entitlements, &mut customer.partial_at)
    };
    if told_at.is_some_and(|before| before > at) {
        return;
    }
    if *told_at != Some(at) {
        list.clear();
        *told_at = Some(at);
    }
    list.extend(names.iter().cloned());
    list.sort_unstable();
    list.dedup();
}

fn dispute(record: &mut AccountRecord, mut new: Dispute) {
    let key = |one: &Dispute| (one.provider, one.id.clone());
    new.payments.sort_unstable();
    match record.disputes.binary_search_by(|one| key(one).cmp(&key(&new))) {
        Err(place) => record.disputes.insert(place, new),
        Ok(place) => {
            let Some(known) = record.disputes.get_mut(place) else { return };
            // The subscription and the payments stay, in any order of events.
            new.subscription = new.subscription.max(known.subscription.take());
            new.payments.append(&mut known.payments);
            new.payments.sort_unstable();
            new.payments.dedup();
            if (known.at, !known.is_open) < (new.at, !new.is_open) {
                (known.at, known.is_open) = (new.at, new.is_open);
            }
            (known.subscription, known.payments) = (new.subscription, new.payments);
        }
    }
}

/// Drops what ended long ago, so that no record grows for ever.
fn forget(record: &mut AccountRecord, now: Timestamp) {
    let kept_since = now.plus_ms(-KEEP_ENDED_MS);
    record.billed.retain(|one| {
        let is_over = one.known().is_some_and(|known| known.status == Status::Ended);
        !is_over || one.last_report.as_ref().is_some_and(|report| report.at >= kept_since)
    });
    record.disputes.retain(|one| one.is_open || one.at >= kept_since);
}

/// Longer than any provider sends an event again, and than customers take to come back.
const KEEP_ENDED_MS: i64 = 400 * 86_400_000;
