//! The effect of payment providers' news on an account's record and credits.

use super::inbox::AccountSummary;
use super::{BillingEvent, News, apply};
use crate::identity::AccountName;
use crate::plan::Terms;
use crate::quota::ledger::entry;
use crate::quota::store::{Announcement, AuditEntry, LedgerStore};
use crate::quota::{CreditPack, Ledger};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// Applies an event of a payment provider. Applying it again changes nothing and leaves no
/// trace. Returns how the account of this name stands then.
///
/// # Errors
/// The store failed; as for [`Ledger::handle`].
pub fn apply_to_ledger(
    store: &mut impl LedgerStore,
    terms: Terms<'_>,
    account: &AccountName,
    event: &BillingEvent,
    now: Timestamp,
) -> Result<AccountSummary, StoreError> {
    let actor = event.provider.word();
    for news in &event.news {
        match news {
            News::Credits { id, units, .. } => {
                let (id, units) = (format!("{actor}:{id}"), *units);
                let left = units;
                let pack = CreditPack { id, units, left, added_at: now, expires_at: None };
                Ledger::add_credits(store, pack, actor, now)?;
            }
            News::Note { actor, action, detail, is_announced } => {
                let (actor, action) = (actor.clone(), action.clone());
                let (at, detail) = (event.occurred_at, detail.clone());
                let entry = AuditEntry { at, actor, action, detail };
                note(store, terms, entry, *is_announced)?;
            }
            // These change the record: see `apply`.
            News::CustomerDeleted
            | News::Dispute { .. }
            | News::Entitlements { .. }
            | News::Paid { .. }
            | News::PaymentFailed { .. }
            | News::Subscription { .. } => {}
        }
    }
    let before = store.account()?.unwrap_or_default();
    let written = wire::encode(&before);
    let record = apply(before, event, now);
    let summary = AccountSummary::of(account, &record, terms.plans, terms.provider_outage, now);
    // The record in bytes: comparing all of its fields would be code of its own.
    if wire::encode(&record) != written {
        store.put_account(&record)?;
        let AccountSummary { plan, status, cause, .. } = &summary;
        let (id, kind) = (event.id.as_str(), event.kind.as_str());
        let applied = Applied { event: id, kind, plan, status, cause };
        store.append_audit(&entry(actor, BILLING_EVENT, &applied, now)?)?;
    }
    Ok(summary)
}

/// Adds an entry to the audit trail, once, and announces it to the operator where that is wanted.
fn note(
    store: &mut impl LedgerStore,
    terms: Terms<'_>,
    entry: AuditEntry,
    is_announced: bool,
) -> Result<(), StoreError> {
    if store.has_audit(&entry)? {
        return Ok(());
    }
    store.append_audit(&entry)?;
    if is_announced && terms.announces {
        let AuditEntry { at, action, detail, .. } = entry;
        store.queue_announcement(&Announcement::Note { at, action, detail })?;
    }
    Ok(())
}

/// The audit trail's details of an event: its id and kind, and its result.
#[derive(serde::Serialize)]
struct Applied<'a> {
    event: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    plan: &'a Option<String>,
    status: &'a str,
    cause: &'a Option<String>,
}

const BILLING_EVENT: &str = "billing-event";
