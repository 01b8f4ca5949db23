//! Status and end of a subscription, as most providers state them.

use super::Object;
use crate::account::Status;
use crate::billing::error::BillingError;
use crate::time::Timestamp;

impl Object<'_> {
    /// The status of a subscription, in the words that Stripe, Paddle and Polar share.
    ///
    /// A word that is unknown denies, as one that a later version of the API may bring: paused,
    /// since that leads to the provider's own page, where the truth stands; it claims no failed
    /// payment and sells nothing a second time.
    ///
    /// # Errors
    ///
    /// There is no such field.
    pub(crate) fn subscription_status(&self) -> Result<Status, BillingError> {
        Ok(match self.needed_text("status")?.as_str() {
            "trialing" => Status::Trialing,
            "active" => Status::Active,
            "incomplete" => Status::Incomplete,
            "past_due" => Status::PastDue,
            "unpaid" => Status::Unpaid,
            "canceled" | "incomplete_expired" => Status::Ended,
            _ => Status::Paused,
        })
    }
}

/// The fields of a subscription that hold its end, at providers that also flag one that ends with
/// its period (`cancel_at_period_end`).
pub(crate) struct EndFields {
    /// The end of one that has ended: the first of these that is there.
    pub(crate) ended: [&'static str; 2],
    /// A planned end.
    pub(crate) planned: &'static str,
}

impl EndFields {
    /// The end of the subscription, if it has one.
    ///
    /// # Errors
    ///
    /// A field holds no time.
    pub(crate) fn read(
        &self,
        subscription: &Object<'_>,
        status: Status,
        period_ends_at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, BillingError> {
        if status == Status::Ended {
            let [first, second] = self.ended;
            return Ok(subscription.time(first)?.or(subscription.time(second)?));
        }
        let planned = subscription.time(self.planned)?;
        let ends_with_period = subscription.is("cancel_at_period_end");
        Ok(planned.or(period_ends_at.filter(|_| ends_with_period)))
    }
}
