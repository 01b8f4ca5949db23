//! The account of an event: by the reference that opened its subscription, by the account that it
//! names, or by its customer.

use super::customer::{Claim, CustomerKey, CustomerRow, Link};
use super::message::EventRow;
use super::note::{Note, conflict};
use super::store::InboxStore;
use crate::billing::{BillingEvent, REREAD, spec_of};
use crate::identity::AccountName;
use crate::store::StoreError;

/// The result of [`record_claims`].
#[derive(Default)]
pub(super) struct Recorded {
    /// Whether that may release events that wait for an account.
    pub(super) is_news: bool,
    /// The notes about it for the accounts' audit trails.
    pub(super) notes: Vec<Note>,
}

/// Writes down the account that an event names for its subscription and its customer.
///
/// A subscription is the account's that was named for it first. A customer is the account's that
/// paid first under its id; the seller's own word about the customer itself counts as much. Any
/// other account that is named for the customer is a claim, which an operator has to decide.
pub(super) fn record_claims(
    store: &mut impl InboxStore,
    event: &BillingEvent,
    row: &EventRow,
) -> Result<Recorded, StoreError> {
    let mut recorded = Recorded::default();
    let customer = row.customer_key();
    if let Some(customer) = customer.as_ref().filter(|_| event.is_payment) {
        store.note_payment(customer, event.occurred_at)?;
    }
    let Some(account) = &event.account else {
        return Ok(recorded);
    };
    if let Some(subscription) = row.subscription_key()
        && store.owner(&subscription)?.is_none()
    {
        store.put_owner(&subscription, account, event.customer.as_deref())?;
        recorded.is_news = true;
    }
    if let Some(customer) = customer {
        record_claim(store, event, &customer, account, &mut recorded)?;
    }
    Ok(recorded)
}

fn record_claim(
    store: &mut impl InboxStore,
    event: &BillingEvent,
    customer: &CustomerKey,
    account: &AccountName,
    recorded: &mut Recorded,
) -> Result<(), StoreError> {
    let at = event.occurred_at;
    let before = customer_row(store, customer)?;
    let known = before.claims.iter().find(|claim| claim.account == *account);
    let is_earlier = known.is_some_and(|claim| at < claim.at);
    if is_earlier || (known.is_none() && before.claims.len() < MAX_CLAIMS) {
        store.put_claim(customer, &Claim { account: account.clone(), at })?;
    }
    if event.is_payment || event.names_customer {
        // By their own times, so that the order in which they come makes no difference.
        let is_earlier = |link: &Link| (at, account) < (link.at, &link.account);
        let takes_over =
            before.link.as_ref().is_none_or(|link| !link.is_decided && is_earlier(link));
        if takes_over {
            let (account, actor) = (account.clone(), event.provider.word().to_owned());
            store.put_link(customer, &Link { account, at, actor, is_decided: false })?;
            recorded.is_news = true;
        }
    }
    let after = customer_row(store, customer)?;
    if known.is_none() && after.is_in_conflict() {
        store.note_conflict(customer, true)?;
        recorded.notes = conflict(&before, &after, event);
    }
    Ok(())
}

/// The account that an event goes to.
pub(super) fn account_of(
    store: &impl InboxStore,
    row: &EventRow,
    named: Option<&AccountName>,
) -> Result<Option<AccountName>, StoreError> {
    if let Some(subscription) = row.subscription_key()
        && let Some(owner) = store.owner(&subscription)?
    {
        return Ok(Some(owner));
    }
    if let Some(account) = named {
        return Ok(Some(account.clone()));
    }
    let Some(customer) = row.customer_key() else { return Ok(None) };
    if let Some(link) = store.link(&customer)? {
        return Ok(Some(link.account));
    }
    // A subscription that nobody has opened by a reference may be anybody's.
    if row.subscription.is_some() { Ok(None) } else { store.owner_by_customer(&customer) }
}

/// Whether an event comes to its account by nothing but a customer whom any buyer's address picks.
pub(super) fn is_by_address(
    store: &impl InboxStore,
    row: &EventRow,
    event: &BillingEvent,
) -> Result<bool, StoreError> {
    let is_own_system = event.kind.starts_with(OWN_SYSTEM) && event.kind != REREAD;
    if !spec_of(event.provider).picks_customer_by_address || is_own_system {
        return Ok(false);
    }
    if let Some(subscription) = row.subscription_key()
        && store.owner(&subscription)?.is_some()
    {
        return Ok(false);
    }
    let link = row.customer_key().map_or(Ok(None), |customer| store.link(&customer))?;
    Ok(event.account.is_none() && !link.is_some_and(|link| link.is_decided))
}

/// A customer with its account and the claims on it.
pub(super) fn customer_row(
    store: &impl InboxStore,
    customer: &CustomerKey,
) -> Result<CustomerRow, StoreError> {
    let (link, claims) = (store.link(customer)?, store.claims(customer)?);
    Ok(CustomerRow { key: customer.clone(), link, claims })
}

/// The first of `customers` that is `account`'s and nobody else's.
pub(super) fn to_lead(
    store: &impl InboxStore,
    account: &AccountName,
    customers: &[CustomerKey],
) -> Result<Option<CustomerKey>, StoreError> {
    for customer in customers {
        let row = customer_row(store, customer)?;
        let is_its = row.link.as_ref().is_some_and(|link| link.account == *account);
        if is_its && !row.is_in_conflict() {
            return Ok(Some(customer.clone()));
        }
    }
    Ok(None)
}

/// Two are a conflict; more need not be remembered.
const MAX_CLAIMS: usize = 8;
/// The start of the types of an own system's events.
const OWN_SYSTEM: &str = "tollgate.";
