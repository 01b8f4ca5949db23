//! One lease as its holder sees it.

use crate::quota::LeaseReport;
use crate::quota::lease::LEASE_LIFETIME_MS;
use crate::quota::units::take_up_to;
use crate::time::Timestamp;

/// A lease as its holder sees it. Each of its units is available, spent or returned; they only move
/// from one of these to another.
#[derive(Debug)]
pub(super) struct HeldLease {
    pub(super) id: u64,
    pub(super) pocket: u64,
    /// Number of credits among them.
    pub(super) credits: u64,
    /// Units that may still be taken.
    pub(super) available: u64,
    /// Units that were, and were not put back.
    pub(super) spent: u64,
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
    /// Takes up to `most` units, and returns how many.
    pub(super) fn take(&mut self, most: u64) -> u64 {
        move_up_to(&mut self.available, &mut self.spent, most)
    }

    /// Puts up to `most` units back that were taken.
    pub(super) fn put_back(&mut self, most: u64) {
        move_up_to(&mut self.spent, &mut self.available, most);
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
        move_up_to(&mut self.available, &mut self.returned, u64::MAX);
    }

    pub(super) fn report(&self) -> LeaseReport {
        LeaseReport { id: self.id, spent: self.spent, returned: self.returned }
    }

    /// Whether the ledger should get a report for its own sake: nobody else will ask.
    pub(super) fn has_news(&self) -> bool {
        self.returned != self.confirmed_returned
            || (self.is_lenient && self.spent != self.confirmed_spent)
    }
}

/// Moves units from one part of a lease to another, and returns how many.
fn move_up_to(from: &mut u64, to: &mut u64, most: u64) -> u64 {
    let moved = take_up_to(from, most);
    // Never too much: the parts of a lease come to its units.
    *to = to.saturating_add(moved);
    moved
}

/// Time for which a lease is looked after, as far as the platform lets one wait: its whole
/// lifetime, and a little longer where the ledger doesn't answer. Units that come back later are
/// looked after anew.
pub(super) const WATCH_LASTS_MS: i64 = LEASE_LIFETIME_MS + 4_000;
