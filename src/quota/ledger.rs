//! The ledger: the one place where an account's units are counted. It runs inside the account's
//! Durable Object, one call at a time.
//!
//! A unit comes from the quotas or from the account's credits. From the quotas, it is counted in
//! every window of every quota on its meter; from credits, in none, since it is paid for already. A
//! want takes what the tightest quota still has and makes up the rest with credits, or takes
//! nothing. Units are debited when a lease is granted: the sum of what was spent and what is out
//! never passes a limit.

mod count;
mod credits;
mod error;
mod grant;
mod heard;
mod subscriber;
mod upkeep;

use crate::account::AccountRecord;
use crate::plan::Terms;
use crate::quota::store::{AuditEntry, HolderRow, LedgerStore};
use crate::quota::{CreditPack, GrantOutcome, LedgerReply, LedgerRequest, Usage};
use crate::store::{MAX_UNITS, StoreError};
use crate::time::Timestamp;

use crate::quota::lease::LEASE_LIFETIME_MS;
use count::{Counts, plan_of};
use grant::GrantContext;
use subscriber::Subscriber;
use upkeep::Upkeep;

pub use error::LedgerError;
pub use upkeep::{HOLDER_ACTIVE_MS, LEASE_MARGIN_MS};

/// An account's ledger. The counts are in the store; this only remembers when to tidy up.
#[derive(Debug, Default)]
pub struct Ledger {
    upkeep: Upkeep,
}

impl Ledger {
    /// Hears what the holder reports, then grants its wants or refuses them.
    ///
    /// All of the call's effects are in `store`.
    ///
    /// # Errors
    /// The store failed, or a row or the message breaks a rule. Nothing of this call may be kept
    /// then: see [`LedgerStore`].
    pub fn handle(
        &mut self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        request: &LedgerRequest,
        now: Timestamp,
    ) -> Result<LedgerReply, LedgerError> {
        let reply = self.hear_and_grant(store, terms, request, now)?;
        store.write_collected()?;
        Ok(reply)
    }

    fn hear_and_grant(
        &mut self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        request: &LedgerRequest,
        now: Timestamp,
    ) -> Result<LedgerReply, LedgerError> {
        let account = store.account()?;
        let subscriber = Subscriber::of(account.as_ref(), terms, now);
        let plan_id = request.plan.as_deref().or(subscriber.plan);
        self.upkeep.run(store, terms, now)?;
        let horizon_ms = self.upkeep.horizon_ms();
        // A holder that never asked for units has nothing to be remembered by.
        if request.number == 0 {
            return Ok(LedgerReply { account, grant: None, horizon_ms });
        }
        let last_number = last_number(request)?;
        let known = store.holder(&request.holder)?;
        self.upkeep.heard_of(known.as_ref(), now);
        let mut row = known
            .unwrap_or_else(|| HolderRow { name: request.holder.clone(), ..HolderRow::default() });
        if request.number <= row.heard {
            return Ok(LedgerReply { account, grant: Some(GrantOutcome::Void), horizon_ms });
        }
        heard::hear(store, &mut row, request)?;
        let plan = plan_of(terms, plan_id);
        let known_plan = plan.as_ref().ok().copied();
        heard::count_degraded(store, &mut row, known_plan, subscriber, request, now)?;
        if let (Some(merge), Some(plan)) = (&request.merge, known_plan) {
            heard::merge(store, plan, subscriber, merge, now)?;
        }
        let grant = match plan {
            _ if request.wants.is_empty() => None,
            Err(outcome) => Some(outcome),
            Ok(plan) => {
                let holders = self.upkeep.holders_active();
                let context = GrantContext { terms, plan, subscriber, holders, now };
                Some(grant::grant_wants(store, &context, request, &mut row)?)
            }
        };
        row.heard = last_number;
        row.seen_at = now;
        row.forget_at = now.plus_ms(LEASE_LIFETIME_MS.saturating_add(LEASE_MARGIN_MS));
        store.put_holder(&row)?;
        Ok(LedgerReply { account, grant, horizon_ms })
    }

    /// The standing of the account: its record, every quota of its plan, and the rest of its
    /// credits. `plan` is the one that the token names; of quotas per member, `member`'s are meant.
    ///
    /// # Errors
    /// The store failed.
    pub fn usage(
        store: &impl LedgerStore,
        terms: Terms<'_>,
        plan: Option<&str>,
        member: Option<&str>,
        now: Timestamp,
    ) -> Result<Usage, StoreError> {
        let account = store.account()?;
        let subscriber = Subscriber::of(account.as_ref(), terms, now);
        let plan = plan.or(subscriber.plan).and_then(|id| terms.plan(id));
        let quotas = match plan {
            Some(plan) => Counts::of_plan(store, plan, subscriber, member, now)?.states(),
            None => Vec::new(),
        };
        let mut credits = store.credits()?;
        credits.retain(|pack| !credits::is_expired(pack, now));
        Ok(Usage { account, quotas, credits })
    }

    /// Puts `record` in the place of the account's record and adds that to the audit trail. Returns
    /// the record as it is kept: see [`AccountRecord::succeeding`].
    ///
    /// # Errors
    /// The store failed; as for [`Self::handle`].
    pub fn put_account(
        store: &mut impl LedgerStore,
        record: AccountRecord,
        actor: &str,
        now: Timestamp,
    ) -> Result<AccountRecord, StoreError> {
        let record = record.succeeding(store.account()?.as_ref(), now);
        store.put_account(&record)?;
        store.append_audit(&entry(actor, PUT_ACCOUNT, &record, now)?)?;
        Ok(record)
    }

    /// Adds a pack of credits, which can be spent at once. Adding one of the same id again changes
    /// nothing. The units left in all packs never pass [`MAX_UNITS`] together: a larger pack is cut
    /// to fit. Returns the pack as it is kept.
    ///
    /// # Errors
    /// The store failed; as for [`Self::handle`].
    pub fn add_credits(
        store: &mut impl LedgerStore,
        pack: CreditPack,
        actor: &str,
        now: Timestamp,
    ) -> Result<CreditPack, StoreError> {
        let packs = store.credits()?;
        if let Some(known) = packs.iter().find(|other| other.id == pack.id) {
            return Ok(known.clone());
        }
        // Clamped on purpose: beyond the most there is no room, by however much.
        let left = packs.iter().fold(0, |sum: u64, other| sum.saturating_add(other.left));
        let units = pack.units.min(MAX_UNITS.saturating_sub(left));
        let pack = CreditPack { units, left: units, added_at: now, ..pack };
        store.put_credits(&pack)?;
        store.append_audit(&entry(actor, ADD_CREDITS, &pack, now)?)?;
        Ok(pack)
    }
}

/// The last number that a message takes up: it has one for each lease that it may be granted, and
/// one where it wants none.
fn last_number(request: &LedgerRequest) -> Result<u64, LedgerError> {
    let further = u64::try_from(request.wants.len().saturating_sub(1)).ok();
    let last = further.and_then(|further| request.number.checked_add(further));
    last.filter(|last| *last < u64::MAX).ok_or(LedgerError::LastNumber)
}

pub(crate) fn entry(
    actor: &str,
    action: &str,
    detail: &impl serde::Serialize,
    now: Timestamp,
) -> Result<AuditEntry, StoreError> {
    let detail = serde_json::to_string(detail).map_err(|error| StoreError(error.to_string()))?;
    Ok(AuditEntry { at: now, actor: actor.to_owned(), action: action.to_owned(), detail })
}

/// The audit trail's words for what an operator did.
const ADD_CREDITS: &str = "add-credits";
const PUT_ACCOUNT: &str = "put-account";
