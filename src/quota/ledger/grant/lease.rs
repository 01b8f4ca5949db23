//! A want's part of a draft, and the lease that becomes of it.

use crate::plan::{Lost, Terms};
use crate::quota::lease::LEASE_LIFETIME_MS;
use crate::quota::ledger::count::{Count, Counts};
use crate::quota::ledger::credits::LazyCredits;
use crate::quota::ledger::error::{LedgerError, add};
use crate::quota::store::{LeaseRow, LedgerStore};
use crate::quota::{Lease, Want};
use crate::time::Timestamp;

/// A want, and the units reserved for it.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) want: &'a Want,
    from_quota: u64,
    from_credits: u64,
}

/// A lease as the holder gets it, and as the ledger keeps it.
pub(super) struct DrawnUp {
    pub(super) lease: Lease,
    pub(super) row: LeaseRow,
}

impl<'a> Line<'a> {
    pub(super) fn new(want: &'a Want) -> Self {
        Self { want, from_quota: 0, from_credits: 0 }
    }

    /// Adds units that were reserved for the want.
    pub(super) fn reserve(
        &mut self,
        from_quota: u64,
        from_credits: u64,
    ) -> Result<(), LedgerError> {
        self.from_quota = add(self.from_quota, from_quota)?;
        self.from_credits = add(self.from_credits, from_credits)?;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from_quota == 0 && self.from_credits == 0
    }

    /// Debits the line's credits and draws up its lease.
    pub(super) fn draw_up(
        &self,
        store: &mut impl LedgerStore,
        terms: Terms<'_>,
        counts: &Counts<'_>,
        credits: &mut LazyCredits,
        id: u64,
        now: Timestamp,
    ) -> Result<DrawnUp, LedgerError> {
        let Self { want, from_quota, from_credits } = *self;
        let mut lifetime_ms = LEASE_LIFETIME_MS;
        let mut windows = Vec::new();
        if from_quota > 0 {
            windows = counts.of_want(want).map(Count::window_key).collect();
            lifetime_ms = lifetime_ms.min(lifetime_until(counts.ends_at(want), now));
        }
        let mut packs = Vec::new();
        if from_credits > 0 {
            let credits = credits.read(store, now)?;
            packs = credits.debit(store, from_credits)?;
            lifetime_ms = lifetime_ms.min(lifetime_until(credits.expires_at(&packs), now));
        }
        let is_of_member = counts.of_want(want).any(|count| count.key.member.is_some());
        let units = add(from_quota, from_credits)?;
        let lease = Lease {
            id,
            units,
            lifetime_ms: lifetime_ms.unsigned_abs(),
            credits: from_credits,
            is_lenient: terms.lost(&want.meter) == Lost::Lenient,
            is_of_member,
        };
        let row = LeaseRow {
            id,
            meter: want.meter.clone(),
            member: want.member.clone().filter(|_| is_of_member),
            units,
            credits: packs,
            windows,
            spent: 0,
            returned: 0,
            has_arrived: false,
        };
        Ok(DrawnUp { lease, row })
    }
}

/// Time for which units may be spent that end at `ends_at`. The holder's clock may be slower than
/// this one; a sixty-fourth is far more than any clock drifts.
fn lifetime_until(ends_at: Option<Timestamp>, now: Timestamp) -> i64 {
    let Some(ends_at) = ends_at else { return LEASE_LIFETIME_MS };
    let left_ms = ends_at.ms_since(now).max(0);
    left_ms.saturating_sub(left_ms / CLOCK_DRIFT_SHARE)
}

/// The part of a time that is left out, for a holder whose clock runs slow.
const CLOCK_DRIFT_SHARE: i64 = 64;
