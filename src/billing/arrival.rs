//! A genuine webhook on its way to the inbox: read, and completed by answers of its provider.

use super::api::{ApiAnswer, ApiRequest, Completion, StatusAndBody};
use super::error::BillingError;
use super::inbox::Incoming;
use super::settings::{Billing, Providers};
use super::webhook::{self, Webhook};
use crate::account::Provider;

/// A genuine webhook, and the event that is made of it. One that can't be read is kept too, with
/// the reason, since it may be readable by a later release or configuration.
pub(super) struct Arrival {
    provider: Provider,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// The event with the open questions about it, or the reason why it can't be read.
    read: Result<Completion, BillingError>,
}

impl Arrival {
    /// Reads a webhook. `headers` are those of its provider's fields that it has; one that was
    /// fetched has none.
    pub(super) fn new(
        providers: Providers<'_>,
        billing: &Billing,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Self {
        let webhook = Webhook { headers: headers.clone(), body: &body };
        let event = webhook::read(billing, providers.plans, &webhook);
        let read = event.and_then(|event| Completion::new(billing, &webhook, event));
        Self { provider: billing.provider, headers, body, read }
    }

    /// The request for the next fact that is missing; `None` when all is known.
    pub(super) fn next(&self) -> Option<ApiRequest> {
        self.read.as_ref().ok()?.next()
    }

    /// Takes in the answer to [`Arrival::next`]. Where the same call would fail again, since the
    /// key lacks a right or the charge is gone, the webhook can't be read.
    ///
    /// # Errors
    ///
    /// The provider did not answer this time: the webhook has to come again.
    pub(super) fn answered(&mut self, answered: &StatusAndBody) -> Result<(), BillingError> {
        let Ok(completion) = &mut self.read else { return Ok(()) };
        match completion.answered(&ApiAnswer::from(answered)) {
            Ok(()) => Ok(()),
            Err(error) if error.is_passing() => Err(error),
            Err(error) => {
                self.read = Err(error);
                Ok(())
            }
        }
    }

    /// The event, for the inbox.
    pub(super) fn into_incoming(self) -> Incoming {
        let Self { provider, headers, body, read } = self;
        match read {
            Ok(completion) => Incoming { event: completion.into_event(), body, unreadable: None },
            Err(error) => {
                let webhook = Webhook { headers, body: &body };
                Incoming::unreadable(provider, &webhook, error.to_string())
            }
        }
    }
}
