//! Warnings on requests that pass.

use crate::plan::QuotaName;
use crate::time::Timestamp;

/// A warning on a request that passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// The payment provider is down; nothing is wrong with the caller's card.
    ProviderOutage,
    /// A charge failed; access ends at `until` unless it is fixed.
    PaymentGrace {
        /// The end of the grace.
        until: Timestamp,
    },
    /// A threshold of a quota is reached.
    QuotaNearLimit {
        /// The quota's name.
        quota: QuotaName,
        /// The threshold, in percent of the limit.
        percent: u8,
    },
    /// A soft quota is passed.
    SoftQuotaPassed {
        /// The quota's name.
        quota: QuotaName,
    },
    /// The subscription is cancelled and ends at `at`.
    SubscriptionEnding {
        /// The end of the subscription.
        at: Timestamp,
    },
}
