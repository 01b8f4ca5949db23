//! The payment providers' facts about an account, kept so that the order of their arrival makes no
//! difference.
//!
//! Each fact carries the provider's own time. For the *state* of a subscription the newest report
//! counts; of the *events* of its charges all count. The subscription is derived anew whenever a
//! fact is added ([`ProviderSubscription::derive_state`]), so that the same facts end in the same
//! subscription however they came: late, twice or the wrong way round.

use serde::Serialize;

use super::subscription::{Status, Subscription, write_time};
use crate::account::Provider;
use crate::cause::PaymentFailure;
use crate::time::Timestamp;
use crate::wire::wire;

/// A subscription at a payment provider.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ProviderSubscription {
    /// The provider.
    pub provider: Provider,
    /// The provider's id for it.
    pub id: String,
    /// The provider's id for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Whether it came to the account by that customer alone, whom any buyer's address picks. Such
    /// a subscription only adds to the account's own: see [`judge`](super::judge).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_address: bool,
    /// The subscription that follows from the facts.
    #[serde(flatten)]
    pub subscription: Subscription,
    /// Its provider's last report.
    #[serde(rename = "told", skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
    /// The last time at which it was known to be paid.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Until when that payment pays.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub paid_until: Option<Timestamp>,
    /// Every failure since then, in the order of their times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// The last payments for it, in the order of their times: a dispute may be about one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
}

/// A payment that opened something.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Payment {
    /// The time of the payment.
    #[serde(serialize_with = "write_instant")]
    pub at: Timestamp,
    /// The provider.
    pub provider: Provider,
    /// The provider's id for it.
    pub id: String,
}

/// A provider's last report of a subscription, as far as later facts may overrule it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LastReport {
    /// The time of this state, by the provider's clock.
    #[serde(serialize_with = "write_instant")]
    pub at: Timestamp,
    /// The stage of its life.
    pub status: Status,
    /// The end of the period.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub current_period_ends_at: Option<Timestamp>,
    /// The end of the subscription.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether another state of the same instant was reported: it should be read again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_in_doubt: bool,
}

/// A charge that failed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Failure {
    /// The time of the failure.
    #[serde(serialize_with = "write_instant")]
    pub at: Timestamp,
    /// The reason, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<PaymentFailure>,
}

/// A customer of a provider, who pays for an account.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Customer {
    /// The provider.
    pub provider: Provider,
    /// The provider's id for it.
    pub id: String,
    /// The time at which the provider deleted it.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Its entitlements, by the provider's last whole list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// The time of that list.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub entitlements_at: Option<Timestamp>,
    /// Entitlements of a newer list that was not whole, such as the first ten of a webhook.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partial_entitlements: Vec<String>,
    /// The time of that newer list.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub partial_at: Option<Timestamp>,
    /// The last charge of it that failed, for a subscription or anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<Failure>,
}

/// A charge that the payer disputes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Dispute {
    /// The provider.
    pub provider: Provider,
    /// The provider's id for it.
    pub id: String,
    /// The time of this report.
    #[serde(serialize_with = "write_instant")]
    pub at: Timestamp,
    /// Whether it is still open.
    pub is_open: bool,
    /// The subscription that the disputed payment was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The provider's ids of the disputed payment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<String>,
}

impl Dispute {
    /// Whether it is about a payment of `payments`.
    pub fn is_about(&self, payments: &[Payment]) -> bool {
        let is_it =
            |one: &Payment| one.provider == self.provider && self.payments.contains(&one.id);
        payments.iter().any(is_it)
    }
}

/// Adds a payment to the last ones: of the same payments the same stay, however they came.
pub fn add_payment(payments: &mut Vec<Payment>, payment: Payment) {
    if let Err(place) = payments.binary_search(&payment) {
        payments.insert(place, payment);
    }
    if payments.len() > MAX_PAYMENTS {
        payments.remove(0);
    }
}

impl Customer {
    /// A customer without any facts yet.
    pub fn new(provider: Provider, id: &str) -> Self {
        Self {
            provider,
            id: id.to_owned(),
            deleted_at: None,
            entitlements: Vec::new(),
            entitlements_at: None,
            partial_entitlements: Vec::new(),
            partial_at: None,
            decline: None,
        }
    }

    /// Whether the newest list of its entitlements was not whole: the rest should be asked for.
    pub fn lacks_entitlements(&self) -> bool {
        self.partial_at > self.entitlements_at
    }

    /// The entitlements that the provider lists.
    pub fn entitled(&self) -> impl Iterator<Item = &[String]> {
        let partial = self.lacks_entitlements().then_some(self.partial_entitlements.as_slice());
        std::iter::once(self.entitlements.as_slice()).chain(partial)
    }
}

impl ProviderSubscription {
    /// A subscription of which nothing is known yet.
    pub fn new(provider: Provider, id: &str) -> Self {
        Self {
            provider,
            id: id.to_owned(),
            customer: None,
            by_address: false,
            subscription: Subscription::default(),
            last_report: None,
            paid_at: None,
            paid_until: None,
            failures: Vec::new(),
            payments: Vec::new(),
        }
    }

    /// The subscription, where the provider has said what it is.
    pub fn known(&self) -> Option<&Subscription> {
        self.last_report.as_ref().map(|_| &self.subscription)
    }

    /// Takes over that the subscription was `state` at `at`. Of the same instant, the state that is
    /// later in a subscription's life counts: providers report creation and payment in one second.
    pub fn record_state(&mut self, state: &Subscription, at: Timestamp) {
        if matches!(state.status, Status::Active | Status::Trialing) {
            self.record_payment(None, at);
        }
        if state.payment_is_failing() {
            self.record_failure(Failure { at, reason: state.payment_failure });
        }
        let is_newer = match &self.last_report {
            None => true,
            Some(report) if report.at == at => {
                let before = Self::weight(&self.reported_state(report));
                let after = Self::weight(state);
                if before != after
                    && let Some(report) = &mut self.last_report
                {
                    report.is_in_doubt = true;
                }
                after > before
            }
            Some(report) => at > report.at,
        };
        if !is_newer {
            return;
        }
        let is_in_doubt =
            self.last_report.as_ref().is_some_and(|report| report.at == at && report.is_in_doubt);
        let Subscription { status, current_period_ends_at, ends_at, .. } = *state;
        self.last_report =
            Some(LastReport { at, status, current_period_ends_at, ends_at, is_in_doubt });
        self.subscription = state.clone();
    }

    /// Takes over that it was paid at `at`, `until` the end of a period where that is known.
    pub fn record_payment(&mut self, until: Option<Timestamp>, at: Timestamp) {
        self.paid_until = if self.paid_at == Some(at) {
            self.paid_until.max(until)
        } else if self.paid_at.is_none_or(|before| before < at) {
            until
        } else {
            self.paid_until
        };
        self.paid_at = self.paid_at.max(Some(at));
        self.forget_made_good();
    }

    /// Takes over that a charge failed.
    pub fn record_failure(&mut self, failure: Failure) {
        if let Err(place) = self.failures.binary_search(&failure) {
            self.failures.insert(place, failure);
        }
        self.forget_made_good();
        if self.failures.len() > MAX_FAILURES {
            // The first decides when the grace began, the last why it fails.
            self.failures.remove(MAX_FAILURES / 2);
        }
    }

    /// Derives the subscription from the facts. `customer` is the one that pays.
    pub fn derive_state(&mut self, customer: Option<&Customer>) {
        let Some(report) = &self.last_report else { return };
        let failing_since = self.failures.first().map(|failure| failure.at);
        let is_newer = |at: Option<Timestamp>| at.is_some_and(|at| at > report.at);
        let mut status = match report.status {
            Status::Active if is_newer(failing_since) => Status::PastDue,
            Status::PastDue | Status::Unpaid | Status::Incomplete
                if is_newer(self.paid_at) && failing_since.is_none() && !self.paid_the_past() =>
            {
                Status::Active
            }
            status => status,
        };
        let mut ends_at = report.ends_at;
        let deleted_at = customer.and_then(|customer| customer.deleted_at);
        if let Some(deleted_at) =
            deleted_at.filter(|at| *at >= report.at && status != Status::Ended)
        {
            status = Status::Ended;
            ends_at = Some(deleted_at);
        }
        let is_failing = matches!(status, Status::PastDue | Status::Unpaid);
        let failed_at = failing_since.unwrap_or(report.at);
        let paid_on = is_newer(self.paid_at).then_some(self.paid_until).flatten();
        let decline = customer.and_then(|customer| customer.decline);
        let reasons = self.failures.iter().copied().chain(decline);
        let reason = reasons
            .filter(|failure| failure.at.plus_ms(DECLINE_AHEAD_MS) >= failed_at)
            .filter(|failure| failure.reason.is_some())
            .max_by_key(|failure| failure.at)
            .and_then(|failure| failure.reason);
        let subscription = &mut self.subscription;
        subscription.status = status;
        subscription.ends_at = ends_at;
        subscription.current_period_ends_at = report.current_period_ends_at.max(paid_on);
        subscription.payment_failed_at = is_failing.then_some(failed_at);
        subscription.payment_failure = reason.filter(|_| is_failing);
    }

    /// Whether the last payment was for a period before the one that is owed, as for an old
    /// invoice. Providers restore nobody for that.
    fn paid_the_past(&self) -> bool {
        let owed_until = self.last_report.as_ref().and_then(|report| report.current_period_ends_at);
        self.paid_until.zip(owed_until).is_some_and(|(paid, owed)| paid < owed)
    }

    /// Forgets failures from before the last payment, which made them good. Of the same instant,
    /// the failure counts.
    fn forget_made_good(&mut self) {
        if let Some(paid_at) = self.paid_at {
            self.failures.retain(|failure| failure.at >= paid_at);
        }
    }

    fn reported_state(&self, report: &LastReport) -> Subscription {
        Subscription {
            status: report.status,
            current_period_ends_at: report.current_period_ends_at,
            ends_at: report.ends_at,
            ..self.subscription.clone()
        }
    }

    fn weight(state: &Subscription) -> impl Ord + use<> {
        let Subscription { cycle_anchor, current_period_ends_at, trial_ends_at, ends_at, .. } =
            *state;
        let plans: Vec<_> = state.plan_ids().map(str::to_owned).collect();
        let times = (ends_at, current_period_ends_at, trial_ends_at, cycle_anchor);
        (state.status, times, plans)
    }
}

/// Longer than a dispute may come after a payment, of a subscription that is paid monthly.
const MAX_PAYMENTS: usize = 24;
/// A provider tries a charge fewer than ten times.
const MAX_FAILURES: usize = 32;
/// The reason of a failure may arrive with the charge, a moment before the invoice has failed.
const DECLINE_AHEAD_MS: i64 = 60_000;

wire!(ProviderSubscription {
    1: provider,
    2: id,
    3: customer,
    4: by_address,
    5: subscription,
    6: last_report,
    7: paid_at,
    8: paid_until,
    9: failures,
    10: payments,
});
wire!(Payment { 1: at, 2: provider, 3: id });
wire!(LastReport { 1: at, 2: status, 3: current_period_ends_at, 4: ends_at, 5: is_in_doubt });
wire!(Failure { 1: at, 2: reason });
wire!(Customer {
    1: provider,
    2: id,
    3: deleted_at,
    4: entitlements,
    5: entitlements_at,
    6: partial_entitlements,
    7: partial_at,
    8: decline,
});
wire!(Dispute { 1: provider, 2: id, 3: at, 4: is_open, 5: subscription, 6: payments });

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls; only wide pointers make it a lint"
)]
fn write_instant<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.rfc3339_exact())
}
