//! Quotas: periods, the ledger and its leases.
//!
//! The ledger is the account's one authority on what was used. An isolate asks it for a lease,
//! which is debited when granted; what it did not spend it reports back. [`lease`] holds the
//! messages between the two, [`ledger`] what the authority does with them, [`store`] what it needs
//! of a database, and [`period`] when a count starts again.

pub mod lease;
pub mod ledger;
pub mod period;
pub mod store;

pub use crate::decision::Enforcement;
pub use lease::{GrantOutcome, LeaseReport, LedgerReply, LedgerRequest, RefusalReason, Want};
pub use ledger::Ledger;
pub use period::{Period, Window};
pub use store::{LedgerStore, StoreError};

use crate::decision::QuotaState;
use crate::time::Timestamp;

/// How much of a meter may be used in a period.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    /// The meter that is limited.
    pub meter: String,
    /// Units per period.
    pub limit: u64,
    /// When the count starts again.
    pub period: Period,
    /// Where days and months begin: minutes that local time is ahead of UTC, negative west of it.
    pub utc_offset_min: i32,
    /// What happens at the limit.
    pub enforcement: Enforcement,
}

impl Quota {
    /// The quota's name, unique in its plan: `<meter>/<period>`, such as `api/month`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.meter, self.period.word())
    }

    /// The window that holds `now`, for an account whose billing cycle starts at `anchor`.
    pub fn window(&self, now: Timestamp, anchor: Option<Timestamp>) -> Window {
        self.period.window(now, anchor, self.utc_offset_min)
    }

    /// How the quota stands with `used` units used in `window`.
    pub fn state(&self, window: Window, used: u64) -> QuotaState {
        QuotaState {
            name: self.name(),
            limit: self.limit,
            used,
            resets_at: window.ends_at,
            window_s: window.length_s(),
            enforcement: self.enforcement,
        }
    }
}

/// What a passed request spent, so that it can be given back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Charge {
    /// The lease it was spent from.
    pub lease: String,
    /// The meter.
    pub meter: String,
    /// Units.
    pub units: u64,
}
