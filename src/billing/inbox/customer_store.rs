//! The database calls by which the inbox keeps the accounts of customers and subscriptions.

use super::customer::{Claim, CustomerKey, Link, SubscriptionKey};
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;

/// The rows about customers; a part of [`InboxStore`](super::InboxStore).
pub trait CustomerStore {
    /// The account of a customer.
    ///
    /// # Errors
    /// The row could not be read; so for every method that reads.
    fn link(&self, customer: &CustomerKey) -> Result<Option<Link>, StoreError>;

    /// Writes the account of a customer.
    ///
    /// # Errors
    /// The row could not be written; so for every method that writes.
    fn put_link(&mut self, customer: &CustomerKey, link: &Link) -> Result<(), StoreError>;

    /// The accounts that were named for a customer, in the order of their times.
    ///
    /// # Errors
    /// See [`Self::link`].
    fn claims(&self, customer: &CustomerKey) -> Result<Vec<Claim>, StoreError>;

    /// Writes that an account was named for a customer, in the place of an earlier entry for the
    /// two.
    ///
    /// # Errors
    /// See [`Self::put_link`].
    fn put_claim(&mut self, customer: &CustomerKey, claim: &Claim) -> Result<(), StoreError>;

    /// Writes whether several accounts are named for a customer, and no operator has decided.
    ///
    /// # Errors
    /// See [`Self::put_link`].
    fn note_conflict(&mut self, customer: &CustomerKey, is_open: bool) -> Result<(), StoreError>;

    /// Customers behind `after` with several named accounts, in the order of provider and id.
    ///
    /// # Errors
    /// See [`Self::link`].
    fn conflicts(
        &self,
        after: Option<&CustomerKey>,
        limit: usize,
    ) -> Result<Vec<CustomerKey>, StoreError>;

    /// The account that opened a subscription by its reference.
    ///
    /// # Errors
    /// See [`Self::link`].
    fn owner(&self, subscription: &SubscriptionKey) -> Result<Option<AccountName>, StoreError>;

    /// Writes the account that opened a subscription by its reference, and the paying customer.
    ///
    /// # Errors
    /// See [`Self::put_link`].
    fn put_owner(
        &mut self,
        subscription: &SubscriptionKey,
        account: &AccountName,
        customer: Option<&str>,
    ) -> Result<(), StoreError>;

    /// The account of some subscription that a customer pays for.
    ///
    /// # Errors
    /// See [`Self::link`].
    fn owner_by_customer(&self, customer: &CustomerKey) -> Result<Option<AccountName>, StoreError>;

    /// Writes when a customer first paid, unless an earlier time is known.
    ///
    /// # Errors
    /// See [`Self::put_link`].
    fn note_payment(&mut self, customer: &CustomerKey, at: Timestamp) -> Result<(), StoreError>;

    /// The customers that are an account, and those that pay for a subscription of it.
    ///
    /// # Errors
    /// See [`Self::link`].
    fn customers_of(&self, account: &AccountName) -> Result<Vec<CustomerKey>, StoreError>;
}
