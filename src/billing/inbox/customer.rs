//! The accounts of customers and subscriptions, as far as the inbox has found them.

use crate::account::Provider;
use crate::billing::BillingEvent;
use crate::identity::AccountName;
use crate::time::Timestamp;
use crate::wire::wire;

/// The identity of a customer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CustomerKey {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of it.
    pub id: String,
}

/// The identity of a subscription.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SubscriptionKey {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of it.
    pub id: String,
}

/// The account of a customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The account's name.
    pub account: AccountName,
    /// Since when this is so, by the actor's clock.
    pub at: Timestamp,
    /// The source of the link: an operator, or the provider.
    pub actor: String,
    /// Whether an operator has decided it: no event changes that.
    pub is_decided: bool,
}

/// The claim of an event: it named this account for a customer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Claim {
    /// The account.
    pub account: AccountName,
    /// The time of the first such event, by the provider's clock.
    pub at: Timestamp,
}

/// A customer, its account, and all accounts that were named for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomerRow {
    /// The customer.
    pub key: CustomerKey,
    /// The account that it is, if that is known.
    pub link: Option<Link>,
    /// Every account that was named for it, in the order of their times; the first few of many.
    pub claims: Vec<Claim>,
}

/// A page of customers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CustomerPage {
    /// The customers.
    pub items: Vec<CustomerRow>,
    /// The start of the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// The outcome of an operator's decision about a customer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Linked {
    /// Number of events that it released.
    pub released: usize,
    /// The account that had the customer before.
    pub before: Option<AccountName>,
    /// Whether nothing was done, since the customer would have been taken from that account.
    pub is_refused: bool,
    /// The notes for the audit trails of the accounts that it touches: each account, and the event
    /// to apply to it.
    pub notes: Vec<(AccountName, BillingEvent)>,
}

impl CustomerRow {
    /// Whether more than one account is named, and no operator has decided.
    pub fn is_in_conflict(&self) -> bool {
        let link = self.link.as_ref();
        let mut named = link.into_iter().map(|link| &link.account);
        let first = named.next().or_else(|| self.claims.first().map(|one| &one.account));
        let is_decided = link.is_some_and(|link| link.is_decided);
        !is_decided && self.claims.iter().any(|one| Some(&one.account) != first)
    }
}

wire!(CustomerKey { 1: provider, 2: id });
wire!(Link { 1: account, 2: at, 3: actor, 4: is_decided });
wire!(Claim { 1: account, 2: at });
wire!(CustomerRow { 1: key, 2: link, 3: claims });
wire!(CustomerPage { 1: items, 2: next_cursor });
wire!(Linked { 1: released, 2: before, 3: is_refused, 4: notes });
