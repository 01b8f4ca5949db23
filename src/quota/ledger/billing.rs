//! What payment providers tell, taken into an account's record and credits.

use super::{Ledger, entry};
use crate::billing::desk::AccountSummary;
use crate::billing::{self, BillingEvent, News};
use crate::quota::Terms;
use crate::quota::store::{CreditPack, LedgerStore, StoreError};
use crate::time::Timestamp;

impl Ledger {
    /// Applies an event of a payment provider. Applying it again changes nothing and leaves no trace.
    /// Returns how the account of this name stands then.
    ///
    /// # Errors
    /// The store failed; as for [`Self::handle`].
    pub fn apply_billing(
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        account: &str,
        event: &BillingEvent,
        now: Timestamp,
    ) -> Result<AccountSummary, StoreError> {
        let actor = event.provider.word();
        for news in &event.news {
            if let News::Credits { id, units } = news {
                let (id, units) = (format!("{actor}:{id}"), *units);
                let pack = CreditPack { id, units, left: units, added_at: now, expires_at: None };
                Self::add_credits(store, pack, actor, now)?;
            }
        }
        let before = store.account()?;
        let record = billing::apply(before.clone().unwrap_or_default(), event, now);
        let summary = AccountSummary::of(account, &record, terms.plans, terms.provider_outage, now);
        if before.as_ref() != Some(&record) {
            store.put_account(&record)?;
            let applied = Applied { event: &event.id, kind: &event.kind, summary: &summary };
            store.append_audit(&entry(actor, BILLING_EVENT, &applied, now)?)?;
        }
        Ok(summary)
    }
}

/// What the audit trail says of an event: which it was, and what has come of it.
#[derive(serde::Serialize)]
struct Applied<'a> {
    event: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(flatten)]
    summary: &'a AccountSummary,
}

const BILLING_EVENT: &str = "billing-event";
