//! Leases that nobody asks for any more: what is left of them goes back.

use super::held::HeldLease;
use super::state::Holder;
use crate::quota::LedgerRequest;
use crate::time::Timestamp;

/// The next step for a lease that nobody asks for any more.
#[derive(Debug)]
pub enum WatchAction {
    /// Nothing, ever.
    Done,
    /// Send this, hand the reply to [`Holder::answered`], and look again.
    Send(LedgerRequest),
    /// Look again after this many milliseconds.
    Wait(i64),
}

impl Holder {
    /// Looks after a lease: gives back what nobody asks for any more.
    pub fn watch(&mut self, id: u64, deadline_ms: u32, now: Timestamp) -> WatchAction {
        let is_asking = self.is_asking(now);
        let is_it = |lease: &&HeldLease| lease.id == id;
        let quiet_at = self.leases.iter().find(is_it).map(|lease| self.quiet_at(lease));
        let lease = self.leases.iter_mut().find(|lease| lease.id == id);
        let (Some(lease), Some(quiet_at)) = (lease, quiet_at) else { return WatchAction::Done };
        let due_at = quiet_at.min(lease.expires_at);
        if now < due_at && (lease.available > 0 || lease.has_news()) {
            return WatchAction::Wait(due_at.ms_since(now));
        }
        lease.close();
        if !lease.has_news() || now >= lease.watched_until {
            lease.watched_until = now;
            return WatchAction::Done;
        }
        if is_asking {
            return WatchAction::Wait(LOOK_AGAIN_MS);
        }
        if now < self.ask_again_at {
            return WatchAction::Wait(self.ask_again_at.ms_since(now));
        }
        WatchAction::Send(self.message(Vec::new(), deadline_ms, now))
    }

    /// The time from which nobody asks for a lease any more. A lease with units waits for its turn
    /// behind older ones, so the last request that took of any lease of its pocket counts.
    fn quiet_at(&self, lease: &HeldLease) -> Timestamp {
        let is_in_turn = |other: &&HeldLease| other.pocket == lease.pocket && lease.available > 0;
        let of_pocket = self.leases.iter().filter(is_in_turn).map(|other| other.last_taken_at);
        let last_taken_at = of_pocket.fold(lease.last_taken_at, Timestamp::max);
        last_taken_at.plus_ms(self.quiet_ms(lease.pocket))
    }

    /// Whether there may be units to give back: held, or on their way.
    pub fn may_hold(&self) -> bool {
        self.under_way.is_some() || self.leases.iter().any(|lease| lease.available > 0)
    }

    /// Gives everything back, since the isolate forgets this account. A message that is under way
    /// is voided by it: nobody will take its answer over. `None` where there is nothing.
    pub fn close(&mut self, deadline_ms: u32, now: Timestamp) -> Option<LedgerRequest> {
        if !self.may_hold() {
            return None;
        }
        for lease in &mut self.leases {
            lease.close();
        }
        Some(self.message(Vec::new(), deadline_ms, now))
    }
}

/// Units that nobody asked for in this time go back; later where requests come at a slow pace.
pub const QUIET_MS: i64 = 5_000;
/// Time before another look at a lease while another message is under way.
const LOOK_AGAIN_MS: i64 = 100;
