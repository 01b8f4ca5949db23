//! Asks a provider for facts that its event lacks.

use super::request::{ApiAnswer, ApiRequest, read};
use crate::billing::error::BillingError;
use crate::billing::event::BillingEvent;
use crate::billing::object::Document;
use crate::billing::settings::Billing;
use crate::billing::signature::Webhook;
use crate::billing::spec::Question;
use crate::billing::{api_of, events_of};
use crate::strict_json;

/// An event, and the open questions about it.
#[derive(Debug)]
pub struct Completion {
    billing: Billing,
    event: BillingEvent,
    questions: Vec<Question>,
}

impl Completion {
    /// An event that `webhook` brought, with the questions about it.
    ///
    /// # Errors
    ///
    /// The sold items stand only in the API, and there is no key for it.
    pub fn new(
        billing: &Billing,
        webhook: &Webhook<'_>,
        mut event: BillingEvent,
    ) -> Result<Self, BillingError> {
        let api = api_of(billing.provider);
        let events = events_of(billing.provider);
        let mut questions = Vec::new();
        if let Some(completing) = events.completing.as_ref().filter(|_| event.ignored.is_none()) {
            let body = strict_json::parse(webhook.body).unwrap_or_default();
            let body = Document::of(api.fields).root(events.event, &body);
            questions = (completing.questions)(billing, &body, &mut event)?;
        }
        if billing.api_key.is_none() {
            questions.clear();
        }
        Ok(Self { billing: billing.clone(), event, questions })
    }

    /// The request for the next question; `None` when all is known.
    pub fn next(&self) -> Option<ApiRequest> {
        let api = api_of(self.billing.provider);
        let events = events_of(self.billing.provider);
        let path = (events.completing.as_ref()?.path)(self.questions.first()?);
        api.media.get(&self.billing, &[&path])
    }

    /// Takes in the answer to [`Completion::next`].
    ///
    /// # Errors
    ///
    /// The provider refused the request, or its answer lacks a needed field.
    pub fn answered(&mut self, answer: &ApiAnswer<'_>) -> Result<(), BillingError> {
        let api = api_of(self.billing.provider);
        let events = events_of(self.billing.provider);
        let Some(completing) = events.completing.as_ref().filter(|_| !self.questions.is_empty())
        else {
            return Ok(());
        };
        let question = self.questions.remove(0);
        // The key may not read the purpose of a payment. The dispute is noted all the same.
        let is_forbidden = matches!(answer.status, 401 | 403 | 404);
        if is_forbidden && matches!(question, Question::Purpose { .. }) {
            return Ok(());
        }
        let body = read(answer)?;
        let body = Document::of(api.fields).root("list", &body);
        let raised = (completing.answered)(&self.billing, question, &body, &mut self.event)?;
        if self.questions.is_empty() {
            self.questions.extend(raised);
        }
        Ok(())
    }

    /// The event, with all that was found.
    pub fn into_event(self) -> BillingEvent {
        self.event
    }
}
