//! The account's record: what the ledger keeps about a customer, and what an operator may set.
//!
//! Operators write it by hand, so times are RFC 3339 strings, every field may be left out, and a
//! field that nobody knows is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::strict_json::StrictValue;
use crate::time::Timestamp;
use crate::wire::wire;

/// A customer's subscription, exceptions and revocations.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "StrictValue")]
pub struct AccountRecord {
    /// Id of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Where the subscription is in its life.
    pub status: Status,
    /// Where the billing cycle started; every later cycle is counted from here.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub cycle_anchor: Option<Timestamp>,
    /// The end of what was paid for, as the provider last said.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub current_period_ends_at: Option<Timestamp>,
    /// When the trial is over.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub trial_ends_at: Option<Timestamp>,
    /// When a cancelled subscription ends, past or future.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// The first failed charge since the last good one: the start of the grace.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub payment_failed_at: Option<Timestamp>,
    /// Why the charge failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_failure: Option<PaymentFailure>,
    /// Entitlements beside those of the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// Whether the operator suspended the account.
    #[serde(skip_serializing_if = "is_false")]
    pub suspended: bool,
    /// Limits of its own, in the place of the plan's, by the quota's name: `{"api/month": 5000}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
    /// Tokens issued before this are revoked.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub tokens_revoked_before: Option<Timestamp>,
    /// Ids (`jti`, RFC 7519 §4.1.7) of revoked tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoked_tokens: Vec<String>,
}

/// Where a subscription is in its life.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There is none.
    #[default]
    None,
    /// Before the first payment, for free.
    Trialing,
    /// The first payment was begun and not finished.
    Incomplete,
    /// Paid for.
    Active,
    /// A charge failed; the provider tries again.
    PastDue,
    /// A charge failed; the provider gave up.
    Unpaid,
    /// Paused, by the customer or the operator.
    Paused,
    /// Over.
    Ended,
}

/// Why a charge failed, as far as a payer may know: fraud and the like read as declined.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentFailure {
    /// The card itself has expired.
    CardExpired,
    /// The bank said no.
    Declined,
    /// The provider was down: nothing is wrong with the card.
    ProviderOutage,
}

wire!(AccountRecord {
    plan,
    status,
    cycle_anchor,
    current_period_ends_at,
    trial_ends_at,
    ends_at,
    payment_failed_at,
    payment_failure,
    entitlements,
    suspended,
    limits,
    tokens_revoked_before,
    revoked_tokens,
});
wire! { enum Status { None, Trialing, Incomplete, Active, PastDue, Unpaid, Paused, Ended } }
wire! { enum PaymentFailure { CardExpired, Declined, ProviderOutage } }

impl AccountRecord {
    /// This record as it is to be kept where it takes the place of `previous` at `now`.
    ///
    /// A failed payment without a time of its own keeps the start of the grace that is already
    /// running, or starts it now; a second failure must not start it again.
    #[must_use]
    pub fn succeeding(mut self, previous: Option<&Self>, now: Timestamp) -> Self {
        if self.payment_is_failing() && self.payment_failed_at.is_none() {
            let running = previous.filter(|record| record.payment_is_failing());
            self.payment_failed_at =
                running.and_then(|record| record.payment_failed_at).or(Some(now));
        }
        self
    }

    const fn payment_is_failing(&self) -> bool {
        matches!(self.status, Status::PastDue | Status::Unpaid)
    }
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn write_time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_str(&time.rfc3339_exact()),
        None => serializer.serialize_none(),
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls; only wide pointers make it a lint"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_clock_is_never_restarted() {
        let [first, second] = [1_000, 2_000].map(Timestamp::from_seconds);
        let failing = AccountRecord { status: Status::PastDue, ..AccountRecord::default() };
        let started = failing.clone().succeeding(None, first);
        assert_eq!(started.payment_failed_at, Some(first));
        let again = failing.clone().succeeding(Some(&started), second);
        assert_eq!(again.payment_failed_at, Some(first));
        let given_up = AccountRecord { status: Status::Unpaid, ..AccountRecord::default() };
        assert_eq!(given_up.succeeding(Some(&again), second).payment_failed_at, Some(first));

        let paid = AccountRecord { status: Status::Active, ..started.clone() };
        let failed_later = failing.succeeding(Some(&paid), second);
        assert_eq!(failed_later.payment_failed_at, Some(second), "a new failure, a new grace");
        let chosen = AccountRecord { payment_failed_at: Some(second), ..started.clone() };
        assert_eq!(chosen.succeeding(Some(&started), first).payment_failed_at, Some(second));
    }
}
