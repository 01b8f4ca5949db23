//! The accounts of customers and subscriptions: rows of the inbox's SQLite database.

use wasm_bindgen::JsValue;

use super::database::{account_of, optional, provider_of, text_of, time, time_of, units, units_of};
use super::inbox_tables::SqlInboxStore;
use crate::billing::inbox::{Claim, CustomerKey, CustomerStore, Link, SubscriptionKey};
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;

impl CustomerStore for SqlInboxStore {
    fn link(&self, customer: &CustomerKey) -> Result<Option<Link>, StoreError> {
        let query = "SELECT account, at_ms, actor, is_decided FROM customer \
                     WHERE provider = ? AND id = ?";
        let cells = self.database.cells(query, &customer_key(customer))?;
        let [account, at, actor, is_decided] = cells.as_slice() else { return Ok(None) };
        Ok(Some(Link {
            account: account_of(account)?,
            at: time_of(at)?,
            actor: text_of(actor)?,
            is_decided: units_of(is_decided)? == 1,
        }))
    }

    fn put_link(&mut self, customer: &CustomerKey, link: &Link) -> Result<(), StoreError> {
        let query = "INSERT OR REPLACE INTO customer (provider, id, account, at_ms, actor, \
                         is_decided) VALUES (?, ?, ?, ?, ?, ?)";
        let [provider, id] = customer_key(customer);
        let [account, actor] = [link.account.as_str(), &link.actor].map(JsValue::from);
        let is_decided = units(u64::from(link.is_decided));
        self.database.write(query, &[provider, id, account, time(link.at), actor, is_decided])
    }

    fn claims(&self, customer: &CustomerKey) -> Result<Vec<Claim>, StoreError> {
        let query = "SELECT account, at_ms FROM claim WHERE provider = ? AND customer = ? \
                     ORDER BY at_ms, account";
        let cells = self.database.cells(query, &customer_key(customer))?;
        let read = |[account, at]: &[JsValue; 2]| {
            Ok(Claim { account: account_of(account)?, at: time_of(at)? })
        };
        cells.as_chunks().0.iter().map(read).collect()
    }

    fn put_claim(&mut self, customer: &CustomerKey, claim: &Claim) -> Result<(), StoreError> {
        let query = "INSERT OR REPLACE INTO claim (provider, customer, account, at_ms) \
                     VALUES (?, ?, ?, ?)";
        let [provider, id] = customer_key(customer);
        self.database.write(query, &[provider, id, claim.account.as_str().into(), time(claim.at)])
    }

    fn note_conflict(&mut self, customer: &CustomerKey, is_open: bool) -> Result<(), StoreError> {
        let query = if is_open {
            "INSERT OR IGNORE INTO conflict (provider, customer) VALUES (?, ?)"
        } else {
            "DELETE FROM conflict WHERE provider = ? AND customer = ?"
        };
        self.database.write(query, &customer_key(customer))
    }

    fn conflicts(
        &self,
        after: Option<&CustomerKey>,
        limit: usize,
    ) -> Result<Vec<CustomerKey>, StoreError> {
        let query = "SELECT provider, customer FROM conflict WHERE (provider, customer) > (?, ?) \
                     ORDER BY provider, customer LIMIT ?";
        let nothing = || [JsValue::from_str(""), JsValue::from_str("")];
        let [provider, id] = after.map_or_else(nothing, customer_key);
        customer_keys(&self.database.cells(query, &[provider, id, limit.into()])?)
    }

    fn owner(&self, subscription: &SubscriptionKey) -> Result<Option<AccountName>, StoreError> {
        let query = "SELECT account FROM subscription WHERE provider = ? AND id = ?";
        let SubscriptionKey { provider, id } = subscription;
        let cells = self.database.cells(query, &[provider.word().into(), id.into()])?;
        cells.first().map(account_of).transpose()
    }

    fn put_owner(
        &mut self,
        subscription: &SubscriptionKey,
        account: &AccountName,
        customer: Option<&str>,
    ) -> Result<(), StoreError> {
        let query = "INSERT OR REPLACE INTO subscription (provider, id, account, customer) \
                     VALUES (?, ?, ?, ?)";
        let SubscriptionKey { provider, id } = subscription;
        let key = [provider.word().into(), id.into()];
        let [provider, id] = key;
        self.database.write(query, &[provider, id, account.as_str().into(), optional(customer)])
    }

    fn owner_by_customer(&self, customer: &CustomerKey) -> Result<Option<AccountName>, StoreError> {
        let query = "SELECT account FROM subscription WHERE provider = ? AND customer = ? \
                     ORDER BY id LIMIT 1";
        self.database.cells(query, &customer_key(customer))?.first().map(account_of).transpose()
    }

    fn note_payment(&mut self, customer: &CustomerKey, at: Timestamp) -> Result<(), StoreError> {
        let query = "INSERT INTO payer (provider, customer, paid_at_ms) VALUES (?, ?, ?) \
                     ON CONFLICT (provider, customer) \
                         DO UPDATE SET paid_at_ms = excluded.paid_at_ms \
                     WHERE excluded.paid_at_ms < payer.paid_at_ms";
        let [provider, id] = customer_key(customer);
        self.database.write(query, &[provider, id, time(at)])
    }

    fn customers_of(&self, account: &AccountName) -> Result<Vec<CustomerKey>, StoreError> {
        let query = "SELECT provider, id FROM customer WHERE account = ?1 \
                     UNION SELECT provider, customer FROM subscription \
                         WHERE account = ?1 AND customer IS NOT NULL \
                     ORDER BY 1, 2";
        customer_keys(&self.database.cells(query, &[account.as_str().into()])?)
    }
}

pub(super) fn customer_key(key: &CustomerKey) -> [JsValue; 2] {
    [key.provider.word().into(), key.id.as_str().into()]
}

/// Pairs of a provider and its id of a customer.
fn customer_keys(cells: &[JsValue]) -> Result<Vec<CustomerKey>, StoreError> {
    let read = |[provider, id]: &[JsValue; 2]| {
        Ok(CustomerKey { provider: provider_of(provider)?, id: text_of(id)? })
    };
    cells.as_chunks().0.iter().map(read).collect()
}
