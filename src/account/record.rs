//! The account's record: the ledger's facts about a customer.
//!
//! Part of it is the operator's, who may write it by hand; part came from payment providers;
//! part are the account's API keys. [`AccountRecord::succeeding`] shows which is which.

use std::collections::BTreeMap;

use serde::Serialize;

use super::billed::{Customer, Dispute, Payment, ProviderSubscription};
use super::key::ApiKey;
use super::subscription::{Subscription, write_time};
use crate::time::Timestamp;
use crate::wire::wire;

/// A customer's subscriptions, exceptions, credentials and revocations.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct AccountRecord {
    /// The subscription that the operator wrote, beside those of the providers.
    #[serde(flatten)]
    pub own: Subscription,
    /// Entitlements beside those of the plans.
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
    /// Its subscriptions, as payment providers reported them.
    #[serde(rename = "subscriptions", skip_serializing_if = "Vec::is_empty")]
    pub billed: Vec<ProviderSubscription>,
    /// The account's customers at the providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<Customer>,
    /// The last payments for prepaid units, in the order of their times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub purchases: Vec<Payment>,
    /// Charges that the payer disputes, or did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<Dispute>,
    /// Its API keys, without their secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ApiKey>,
}

impl AccountRecord {
    /// This record of the operator's as it is to be kept where it takes the place of `previous` at
    /// `now`: what is not the operator's stays.
    ///
    /// A failed payment without a time of its own keeps the start of the grace that is already
    /// running, or starts it now; a second failure must not start it again.
    #[must_use]
    pub fn succeeding(mut self, previous: Option<&Self>, now: Timestamp) -> Self {
        if self.own.payment_is_failing() && self.own.payment_failed_at.is_none() {
            let running = previous.filter(|record| record.own.payment_is_failing());
            self.own.payment_failed_at =
                running.and_then(|record| record.own.payment_failed_at).or(Some(now));
        }
        let previous = previous.cloned().unwrap_or_default();
        let Self { billed, customers, purchases, disputes, keys, .. } = previous;
        Self { billed, customers, purchases, disputes, keys, ..self }
    }

    /// Every subscription of the account, the operator's own first if there is one.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        let own = Some(&self.own).filter(|own| own.status != super::Status::None);
        own.into_iter().chain(self.billed.iter().filter_map(ProviderSubscription::known))
    }

    /// Every subscription, and whether it only adds to the account's others. One that came by a
    /// customer's address alone may be a stranger's, so this account gets no notice of its
    /// failures. Those come last.
    pub(super) fn judged(&self) -> impl Iterator<Item = (&Subscription, bool)> {
        let has_own = self.has_own_subscription();
        let own = Some(&self.own).filter(|own| own.status != super::Status::None);
        let of = move |by_address: bool| {
            let those = self.billed.iter().filter(move |one| one.by_address == by_address);
            those
                .filter_map(ProviderSubscription::known)
                .map(move |one| (one, by_address && has_own))
        };
        own.map(|own| (own, false)).into_iter().chain(of(false)).chain(of(true))
    }

    /// Whether the account has a subscription that did not come to it by a customer's address
    /// alone.
    pub fn has_own_subscription(&self) -> bool {
        let is_own = |one: &ProviderSubscription| one.last_report.is_some() && !one.by_address;
        self.own.status != super::Status::None || self.billed.iter().any(is_own)
    }

    /// Whether a dispute is about a purchase of this account. A subscription that came by a
    /// customer's address alone is a stranger's, unless the account has no other.
    pub fn has_got(&self, dispute: &Dispute) -> bool {
        let may_be_strangers = self.has_own_subscription();
        let is_of = |one: &ProviderSubscription| {
            let is_named =
                one.provider == dispute.provider && dispute.subscription.as_ref() == Some(&one.id);
            (is_named || dispute.is_about(&one.payments)) && !(one.by_address && may_be_strangers)
        };
        let is_sellers = dispute.provider.may_be_own_system()
            && dispute.subscription.is_none()
            && dispute.payments.is_empty();
        is_sellers || self.billed.iter().any(is_of) || dispute.is_about(&self.purchases)
    }

    /// Every entitlement that no plan gives: the operator's, and those that providers reported.
    pub fn extra_entitlements(&self) -> impl Iterator<Item = &[String]> {
        let told = self.customers.iter().flat_map(Customer::entitled);
        std::iter::once(self.entitlements.as_slice()).chain(told)
    }
}

impl From<Subscription> for AccountRecord {
    fn from(own: Subscription) -> Self {
        Self { own, ..Self::default() }
    }
}

wire!(AccountRecord {
    1: own,
    2: entitlements,
    3: suspended,
    4: limits,
    5: tokens_revoked_before,
    6: revoked_tokens,
    7: billed,
    8: customers,
    9: purchases,
    10: disputes,
    11: keys,
});

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
    use crate::account::Status;

    #[test]
    fn the_grace_clock_is_never_restarted() {
        let [first, second] = [1_000, 2_000].map(Timestamp::from_seconds);
        let of = |status, payment_failed_at| {
            let own = Subscription { status, payment_failed_at, ..Subscription::default() };
            AccountRecord::from(own)
        };
        let failing = of(Status::PastDue, None);
        let started = failing.clone().succeeding(None, first);
        assert_eq!(started.own.payment_failed_at, Some(first));
        let again = failing.clone().succeeding(Some(&started), second);
        assert_eq!(again.own.payment_failed_at, Some(first));
        let given_up = of(Status::Unpaid, None).succeeding(Some(&again), second);
        assert_eq!(given_up.own.payment_failed_at, Some(first));

        let paid = of(Status::Active, Some(first));
        let failed_later = failing.succeeding(Some(&paid), second);
        assert_eq!(failed_later.own.payment_failed_at, Some(second), "a new failure, a new grace");
        let chosen = of(Status::PastDue, Some(second)).succeeding(Some(&started), first);
        assert_eq!(chosen.own.payment_failed_at, Some(second));
    }
}
