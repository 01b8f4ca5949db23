//! One subscription: its plan, where it is in its life, and the times that decide about it.

use serde::{Serialize, Serializer};

use crate::cause::PaymentFailure;
use crate::time::Timestamp;
use crate::wire::wire;
use crate::words::words;

/// A subscription, as the operator or a payment provider describes it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Subscription {
    /// Id of the plan; or of the provider's price, where that is a plan's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Further plans in the same subscription: their entitlements come on top.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_ons: Vec<String>,
    /// The stage of the subscription's life.
    pub status: Status,
    /// The start of the billing cycle; every later cycle is counted from here.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub cycle_anchor: Option<Timestamp>,
    /// The end of what was paid for, as the provider last said.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub current_period_ends_at: Option<Timestamp>,
    /// The end of the trial.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub trial_ends_at: Option<Timestamp>,
    /// The end of a cancelled subscription, past or future.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// The first failed charge since the last good one: the start of the grace.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub payment_failed_at: Option<Timestamp>,
    /// The reason of the failed charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_failure: Option<PaymentFailure>,
}

impl Subscription {
    /// Whether a charge failed and was not made good.
    pub const fn payment_is_failing(&self) -> bool {
        matches!(self.status, Status::PastDue | Status::Unpaid)
    }

    /// Its plan and its add-ons, by their ids.
    pub fn plan_ids(&self) -> impl Iterator<Item = &str> {
        self.plan.iter().chain(&self.add_ons).map(String::as_str)
    }
}

words! {
    /// The stages of a subscription's life, in their order.
    #[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
    pub enum Status: Serialize, Wire {
        /// There is none.
        #[default]
        None = "none",
        /// The first payment was begun and not finished.
        Incomplete = "incomplete",
        /// Before the first payment, for free.
        Trialing = "trialing",
        /// Paid for.
        Active = "active",
        /// A charge failed; the provider tries again.
        PastDue = "past_due",
        /// A charge failed; the provider gave up.
        Unpaid = "unpaid",
        /// Paused, by the customer or the operator.
        Paused = "paused",
        /// Over.
        Ended = "ended",
    }
}

wire!(Subscription {
    1: plan,
    2: add_ons,
    3: status,
    4: cycle_anchor,
    5: current_period_ends_at,
    6: trial_ends_at,
    7: ends_at,
    8: payment_failed_at,
    9: payment_failure,
});

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
pub(super) fn write_time<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_str(&time.rfc3339_exact()),
        None => serializer.serialize_none(),
    }
}
