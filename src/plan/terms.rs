//! The ledger's part of the configuration.

use super::meter::{DEFAULT_NOTIFY_AT, Lost, Meter};
use super::{Plan, plan_named};

/// The plans and the ways of counting: the part of the configuration that the ledger goes by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// The plans.
    pub plans: &'a [Plan],
    /// The meters that the operator said something about.
    pub meters: &'a [Meter],
    /// Whether reached thresholds are to be announced (a webhook is configured).
    pub announces: bool,
    /// Whether the operator declares the payment provider down.
    pub provider_outage: bool,
}

impl<'a> Terms<'a> {
    /// The plan of this id.
    pub fn plan(self, id: &str) -> Option<&'a Plan> {
        plan_named(self.plans, id)
    }

    /// The policy for lost units of this meter.
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
