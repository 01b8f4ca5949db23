//! The end of a subscription.

use super::Object;
use crate::account::Status;
use crate::billing::error::BillingError;
use crate::time::Timestamp;

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
