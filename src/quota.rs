//! Quotas: periods, the ledger and its leases.
//!
//! The ledger is the account's one authority on what was used. An isolate asks it for a lease,
//! which is debited when granted, and passes requests from it without asking again; what it did not
//! spend it gives back. [`lease`] holds the messages between the two, [`holder`] what the isolate
//! does with them, [`ledger`] what the authority does, [`store`] what that needs of a database, and
//! [`period`] when a count starts again. `docs/quotas.md` tells the whole.

pub mod charge;
pub mod holder;
pub mod lease;
pub mod ledger;
mod pack;
pub mod period;
pub mod store;

pub use crate::decision::Enforcement;
pub use charge::{Charge, Taking};
pub use holder::Holder;
pub use lease::{
    DegradedUnits, GrantOutcome, Lease, LeaseReport, LedgerReply, LedgerRequest, Merge, MeterUnits,
    RefusalReason, Usage, Want,
};
pub use ledger::Ledger;
pub use period::{Period, Window};
pub use store::{CreditPack, LedgerStore, StoreError};

use crate::config::{Plan, plan_named};
use crate::decision::QuotaState;
use crate::time::Timestamp;

/// How much of a meter may be used in a period.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
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
    /// Whose units are counted.
    pub scope: Scope,
    /// Of a soft quota: units beyond the limit that pass; without it, any number.
    pub overage_max: Option<u64>,
    /// Units that were left of one period and may be used in the next, at most.
    pub rollover_max: u64,
    /// Units per period during a trial, in the place of `limit`.
    pub trial_limit: Option<u64>,
}

impl Quota {
    /// The quota's name, unique in its plan: `<meter>/<period>`, such as `api/month`, with
    /// `/member` behind it where each member has a count of its own.
    pub fn name(&self) -> String {
        let of_member = if self.scope == Scope::Member { "/member" } else { "" };
        format!("{}/{}{of_member}", self.meter, self.period.word())
    }

    /// The window that holds `now`, for an account whose billing cycle starts at `anchor`.
    pub fn window(&self, now: Timestamp, anchor: Option<Timestamp>) -> Window {
        self.period.window(now, anchor, self.utc_offset_min)
    }

    /// How the quota stands with `used` units of `limit` used in `window`. The limit is what the
    /// account may use there: an exception of its own and what rolled over included.
    pub fn state(&self, window: Window, limit: u64, used: u64) -> QuotaState {
        QuotaState {
            name: self.name(),
            limit,
            used,
            resets_at: window.ends_at,
            window_s: window.length_s(),
            enforcement: self.enforcement,
        }
    }
}

/// Whose units a quota counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scope {
    /// Those of the whole account.
    #[default]
    Account,
    /// Those of each member (the token's subject) on their own, inside the account's quotas.
    Member,
}

/// What happens to the units that an isolate held when it was lost without a word.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Lost {
    /// They are charged: a hard quota is never exceeded.
    #[default]
    Strict,
    /// They go back: the customer never pays for what didn't happen, and a hard quota may be
    /// exceeded by what the isolate spent since it last reported.
    Lenient,
}

/// How a meter is counted and watched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Meter {
    /// Its id in routes and quotas.
    pub id: String,
    /// What its units are called on pages.
    pub name: Option<String>,
    /// What happens to units that are lost with an isolate.
    pub lost: Lost,
    /// Shares of a quota, in percent and rising, at which the caller and the operator are told.
    pub notify_at: Vec<u8>,
    /// Days after the end of a period for which its count is kept; forever where it is not said.
    pub keep_days: Option<u32>,
}

/// What is sold and how it is counted: the part of the configuration that the ledger goes by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// The plans.
    pub plans: &'a [Plan],
    /// The meters that the operator said something about.
    pub meters: &'a [Meter],
    /// Whether reached thresholds are to be announced (a webhook is configured).
    pub announces: bool,
    /// Whether the operator says that the payment provider is down.
    pub provider_outage: bool,
}

impl<'a> Terms<'a> {
    /// The plan of this id.
    pub fn plan(self, id: &str) -> Option<&'a Plan> {
        plan_named(self.plans, id)
    }

    /// What happens to this meter's units when they are lost.
    pub fn lost(self, meter: &str) -> Lost {
        self.meter(meter).map(|meter| meter.lost).unwrap_or_default()
    }

    /// The thresholds of this meter, in percent, rising.
    pub fn notify_at(self, meter: &str) -> &'a [u8] {
        self.meter(meter).map_or(&DEFAULT_NOTIFY_AT, |meter| &meter.notify_at)
    }

    /// For how many days the counts of this meter are kept after their period.
    pub fn keep_days(self, meter: &str) -> Option<u32> {
        self.meter(meter)?.keep_days
    }

    fn meter(self, id: &str) -> Option<&'a Meter> {
        self.meters.iter().find(|meter| meter.id == id)
    }
}

/// Units of a meter that one request costs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cost {
    /// The meter.
    pub meter: String,
    /// How many; the most it can be, where the origin says what it was.
    pub units: u64,
}

/// When nothing else is configured.
pub const DEFAULT_NOTIFY_AT: [u8; 2] = [80, 95];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_meter_period_and_scope() {
        let quota = Quota { meter: "a/b".to_owned(), scope: Scope::Member, ..Quota::default() };
        assert_eq!(quota.name(), "a/b/month/member");
        let state = quota.state(Window::default(), 5, 3);
        assert!(state.is_about("a/b") && !state.is_about("a"));
        assert_eq!((state.limit, state.remaining()), (5, 2));
    }
}
