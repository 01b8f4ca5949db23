//! The account that a provider's message names, by the seller's word or by a signed reference.

use serde_json::Value;

use super::{Object, at, id_of, missing};
use crate::billing::author::Author;
use crate::billing::error::BillingError;
use crate::billing::event::BillingEvent;
use crate::billing::settings::Billing;
use crate::identity::AccountName;
use crate::time::Timestamp;

/// The fields of a provider's subscriptions, orders and other sales that hold their account.
pub(crate) struct SaleFields {
    /// The path of the object with the account's name or reference.
    pub(crate) account: &'static str,
    /// The path of the time when the sale began.
    pub(crate) created: &'static str,
}

impl Object<'_> {
    /// Takes over the account that stands at `path` under the configured key, where none is known
    /// yet. `opened_at` is when the sale began: a signed reference was good then, or never.
    ///
    /// # Errors
    ///
    /// The seller's own server wrote something there that names no account.
    pub(crate) fn name_account(
        &self,
        event: &mut BillingEvent,
        billing: &Billing,
        path: &str,
        opened_at: Timestamp,
    ) -> Result<(), BillingError> {
        let key = billing.account_key.as_str();
        let field = [&self.field_at(path), ".*"].concat();
        (self.document.watcher)(&field, &format!("{}/{key}", self.pointer_to(path)));
        let found = at(self.value, path).and_then(|object| object.get(key));
        self.name(event, billing, &field, found, opened_at)
    }

    /// The same for a sale, whose `fields` hold its account and its beginning. A sale without a
    /// beginning began with the event.
    ///
    /// # Errors
    ///
    /// As for [`Self::name_account`].
    pub(crate) fn name_account_of(
        &self,
        fields: &SaleFields,
        event: &mut BillingEvent,
        billing: &Billing,
    ) -> Result<(), BillingError> {
        let opened_at = self.time(fields.created)?.unwrap_or(event.occurred_at);
        self.name_account(event, billing, fields.account, opened_at)
    }

    /// The same for the text at `path` itself.
    ///
    /// # Errors
    ///
    /// As for [`Self::name_account`].
    pub(crate) fn name_account_by(
        &self,
        event: &mut BillingEvent,
        billing: &Billing,
        path: &str,
        opened_at: Timestamp,
    ) -> Result<(), BillingError> {
        let field = self.field_at(path);
        (self.document.watcher)(&field, &self.pointer_to(path));
        self.name(event, billing, &field, at(self.value, path), opened_at)
    }

    fn name(
        &self,
        event: &mut BillingEvent,
        billing: &Billing,
        field: &str,
        found: Option<&Value>,
        opened_at: Timestamp,
    ) -> Result<(), BillingError> {
        let Some(found) = found.filter(|found| !found.is_null() && found.as_str() != Some(""))
        else {
            return Ok(());
        };
        if event.account.is_some() {
            return Ok(());
        }
        let text = id_of(found);
        let reference = text.as_deref().and_then(|text| billing.references.verify(text));
        let by_seller = self.document.author(field) == Some(Author::Seller);
        event.account = match reference {
            Some(reference) if opened_at <= reference.expires_at => Some(reference.account),
            Some(_) => {
                event.unnamed = Some("its reference had expired when the sale began".to_owned());
                None
            }
            None if by_seller => {
                let name = text.as_deref().and_then(|text| AccountName::parse_short(text).ok());
                let expected = "an account such as alice or acme/alice, or a reference";
                Some(name.ok_or_else(|| missing(field, expected))?)
            }
            None => {
                let reason = format!("{field} can be written by the payer, and is not signed");
                event.unnamed = Some(reason);
                None
            }
        };
        Ok(())
    }
}
