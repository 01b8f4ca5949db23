//! The ledger's work from time to time: it forgets holders that are gone, and counts the others.

use std::num::NonZeroU64;

use super::error::{LedgerError, add, subtract};
use crate::plan::{Lost, Terms};
use crate::quota::lease::LEASE_LIFETIME_MS;
use crate::quota::ledger::heard;
use crate::quota::store::{HolderRow, LedgerStore};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The memory between calls. A restart forgets it, and the next call looks again.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    looked_at: Option<Timestamp>,
    look_again_at: Timestamp,
    old_deleted_at: Option<Timestamp>,
    holders_active: u64,
}

impl Upkeep {
    /// Looks at all holders, if it is time to, and forgets the ones that are gone.
    pub(super) fn run(
        &mut self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        // A clock that was set back must not put this off.
        if self.looked_at.is_some_and(|at| at <= now) && now < self.look_again_at {
            return Ok(());
        }
        let mut look_again_at = now.plus_ms(LOOK_AT_LEAST_EVERY_MS);
        self.holders_active = 0;
        for times in store.holder_times()? {
            if times.forget_at <= now {
                forget(store, terms, &times.name, now)?;
                continue;
            }
            look_again_at = look_again_at.min(times.forget_at);
            if now.ms_since(times.seen_at) < HOLDER_ACTIVE_MS {
                self.holders_active = self.holders_active.saturating_add(1);
            }
        }
        self.looked_at = Some(now);
        self.look_again_at = look_again_at.max(now.plus_ms(LOOK_AT_MOST_EVERY_MS));
        Ok(self.delete_old(store, terms, now)?)
    }

    /// Notes that a holder sent a message; `known` is what was known of it before.
    pub(super) fn heard_of(&mut self, known: Option<&HolderRow>, now: Timestamp) {
        let was_active = known.is_some_and(|row| now.ms_since(row.seen_at) < HOLDER_ACTIVE_MS);
        if !was_active {
            self.holders_active = self.holders_active.saturating_add(1);
        }
    }

    /// Number of holders that share the account's units, at least 1.
    pub(super) fn holders_active(&self) -> NonZeroU64 {
        NonZeroU64::new(self.holders_active).unwrap_or(NonZeroU64::MIN)
    }

    /// For how much of its demand a holder should ask at a time.
    pub(super) fn horizon_ms(&self) -> u32 {
        let wanted_ms = self.holders_active.saturating_mul(HORIZON_MS_PER_HOLDER);
        let bounded_ms = wanted_ms.clamp(HORIZON_MIN_MS, HORIZON_MAX_MS);
        u32::try_from(bounded_ms).unwrap_or(u32::MAX)
    }

    /// Deletes what is kept no longer, once a day.
    fn delete_old(
        &mut self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let recent = |at: Timestamp| (0..MS_PER_DAY).contains(&now.ms_since(at));
        if self.old_deleted_at.is_some_and(recent) {
            return Ok(());
        }
        for meter in terms.meters {
            let Some(keep_days) = meter.keep_days else { continue };
            let days = i64::from(keep_days).saturating_add(LONGEST_PERIOD_DAYS);
            let started_before = now.plus_ms(days.saturating_mul(MS_PER_DAY).saturating_neg());
            store.delete_counters(&meter.id, started_before)?;
        }
        store.delete_merged(now)?;
        self.old_deleted_at = Some(now);
        Ok(())
    }
}

/// Forgets a holder. Its held units are lost: charged, or given back where the meter is lenient.
///
/// Its totals of uncounted units are remembered for longer: an isolate that was only silent reports
/// them again.
fn forget(
    store: &mut impl LedgerStore,
    terms: Terms<'_>,
    name: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let Some(mut row) = store.holder(name)? else { return Ok(()) };
    for lease in &row.leases {
        if terms.lost(&lease.meter) == Lost::Lenient {
            let accounted_for = add(lease.spent, lease.returned)?;
            heard::take_back(store, lease, subtract(lease.units, accounted_for)?)?;
        }
    }
    row.forget_at = row.seen_at.plus_ms(TOTALS_KEPT_MS);
    if row.degraded.is_empty() || row.forget_at <= now {
        return Ok(store.delete_holder(name)?);
    }
    row.leases.clear();
    Ok(store.put_holder(&row)?)
}

/// Time for which the ledger waits for news of a lease beyond its lifetime: the lag of the network,
/// and the time of an origin before a request is known to have failed.
pub const LEASE_MARGIN_MS: i64 = 60_000;
/// Time for which totals of uncounted units are remembered: longer than isolates live.
const TOTALS_KEPT_MS: i64 = MS_PER_DAY;
/// A holder heard within this time counts as one that units are shared with.
pub const HOLDER_ACTIVE_MS: i64 = 30_000;

/// With this many milliseconds a holder, holders together ask at most 50 times a second, until the
/// longest horizon is reached. An object answers 200 to 500 calls that write (Cloudflare's figure).
const HORIZON_MS_PER_HOLDER: u64 = 20;
const HORIZON_MIN_MS: u64 = 10_000;
/// Still shorter than a lease lives, so that what was asked for can be spent.
const HORIZON_MAX_MS: u64 = LEASE_LIFETIME_MS.unsigned_abs() - 5_000;

const LOOK_AT_LEAST_EVERY_MS: i64 = 30_000;
const LOOK_AT_MOST_EVERY_MS: i64 = 5_000;
const LONGEST_PERIOD_DAYS: i64 = 31;
const MS_PER_DAY: i64 = 86_400_000;
