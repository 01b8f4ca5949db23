//! One lease as its holder sees it.

use crate::quota::LeaseReport;
use crate::quota::lease::LEASE_LIFETIME_MS;
use crate::time::Timestamp;

/// A lease as its holder sees it.
#[derive(Debug)]
pub(super) struct HeldLease {
    pub(super) id: u64,
    pub(super) pocket: u64,
    pub(super) units: u64,
    /// Number of credits among them.
    pub(super) credits: u64,
    /// Units that may still be taken.
    pub(super) available: u64,
    /// Units that won't be.
    pub(super) returned: u64,
    pub(super) expires_at: Timestamp,
    pub(super) last_taken_at: Timestamp,
    pub(super) is_lenient: bool,
    /// Until when somebody looks after it; long past where nobody does.
    pub(super) watched_until: Timestamp,
    /// The totals that the ledger has confirmed.
    pub(super) confirmed_spent: u64,
    pub(super) confirmed_returned: u64,
}

impl HeldLease {
    pub(super) fn spent(&self) -> u64 {
        self.units.saturating_sub(self.available).saturating_sub(self.returned)
    }

    /// Units of the quotas that may still be taken: credits are spent last.
    pub(super) fn of_quotas(&self) -> u64 {
        self.available.saturating_sub(self.credits)
    }

    /// Credits that may still be taken.
    pub(super) fn of_credits(&self) -> u64 {
        self.available.min(self.credits)
    }

    /// Returns the rest after the lease's lifetime.
    pub(super) fn expire(&mut self, now: Timestamp) {
        if now >= self.expires_at {
            self.close();
        }
    }

    pub(super) fn close(&mut self) {
        self.returned = self.returned.saturating_add(self.available);
        self.available = 0;
    }

    pub(super) fn report(&self) -> LeaseReport {
        LeaseReport { id: self.id, spent: self.spent(), returned: self.returned }
    }

    /// Whether the ledger should get a report for its own sake: nobody else will ask.
    pub(super) fn has_news(&self) -> bool {
        self.returned != self.confirmed_returned
            || (self.is_lenient && self.spent() != self.confirmed_spent)
    }
}

/// Time for which a lease is looked after, as far as the platform lets one wait: its whole
/// lifetime, and a little longer where the ledger doesn't answer. Units that come back later are
/// looked after anew.
pub(super) const WATCH_LASTS_MS: i64 = LEASE_LIFETIME_MS + 4_000;
