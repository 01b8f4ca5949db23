//! Asks a provider for facts that its event lacks: the payer of a disputed charge, the purpose of
//! the charge, and the items that a checkout session sold. Only Stripe leaves these out.

use super::{ApiAnswer, ApiRequest, encoded, get, read};
use crate::account::Provider;
use crate::billing::credits::units_of;
use crate::billing::object::{Document, Object};
use crate::billing::webhook::Webhook;
use crate::billing::{Billing, BillingEvent, News, stripe};
use crate::strict_json;

/// An event, and the open questions about it.
#[derive(Debug)]
pub struct Completion {
    billing: Billing,
    event: BillingEvent,
    questions: Vec<Question>,
}

/// A question for the provider.
#[derive(Debug)]
enum Question {
    /// Which customer this charge is of.
    Payer { charge: String },
    /// Which subscription this payment was for.
    Purpose { payment_intent: String },
    /// The items that this checkout session sold, and the payment for them.
    Sold { session: String, payment: Option<String> },
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
    ) -> Result<Self, String> {
        let mut questions = Vec::new();
        let body = strict_json::parse(webhook.body).unwrap_or_default();
        let body = Document::of(Provider::Stripe).root("event", &body);
        let is_asked = billing.provider == Provider::Stripe && event.ignored.is_none();
        if let Some(object) = body.a("session", "data.object").filter(|_| is_asked) {
            if stripe::is_paid_session(&event.kind, &object) && !billing.credits.is_empty() {
                questions.extend(sold(billing, &object, &mut event)?);
            }
            let is_dispute = |news: &News| matches!(news, News::Dispute { .. });
            if event.news.iter().any(is_dispute) {
                questions.extend(disputed(&object.as_a("dispute"), &event));
            }
        }
        if billing.api_key.is_none() {
            questions.clear();
        }
        Ok(Self { billing: billing.clone(), event, questions })
    }

    /// The request for the next question; `None` when all is known.
    pub fn next(&self) -> Option<ApiRequest> {
        let billing = &self.billing;
        match self.questions.first()? {
            Question::Payer { charge } => get(billing, &["/v1/charges/", &encoded(charge)]),
            Question::Purpose { payment_intent } => {
                let query = "/v1/invoice_payments?payment[type]=payment_intent&limit=1\
                             &expand[]=data.invoice&payment[payment_intent]=";
                get(billing, &[query, &encoded(payment_intent)])
            }
            Question::Sold { session, .. } => {
                let session = encoded(session);
                get(billing, &["/v1/checkout/sessions/", &session, "/line_items?limit=100"])
            }
        }
    }

    /// Takes in the answer to [`Completion::next`].
    ///
    /// # Errors
    ///
    /// The provider refused the request, or its answer lacks a needed field.
    pub fn answered(&mut self, answer: &ApiAnswer<'_>) -> Result<(), String> {
        if self.questions.is_empty() {
            return Ok(());
        }
        let question = self.questions.remove(0);
        // The key may not read the purpose of a payment. The dispute is noted all the same.
        let is_forbidden = matches!(answer.status, 401 | 403 | 404);
        if is_forbidden && matches!(question, Question::Purpose { .. }) {
            return Ok(());
        }
        let body = read(answer)?;
        let document = Document::of(Provider::Stripe);
        match question {
            Question::Payer { .. } => self.payer_found(&document.root("charge", &body)),
            Question::Purpose { .. } => {
                let paid = document.root("list", &body).list_of("paid", "data");
                let found = paid.first().and_then(stripe::paid_subscription);
                self.disputed_is(|subscription, _| subscription.clone_from(&found));
            }
            Question::Sold { session, payment } => {
                let lines = document.root("list", &body).needed_list("line", "data")?;
                let order: Vec<_> = lines.iter().map(stripe::position).collect();
                let units = units_of(&self.billing.credits, &order);
                let sold = units.map(|units| News::Credits { id: session, units, payment });
                self.event.news.extend(sold);
            }
        }
        Ok(())
    }

    /// The event, with all that was found.
    pub fn into_event(self) -> BillingEvent {
        self.event
    }

    fn payer_found(&mut self, charge: &Object<'_>) {
        self.event.customer = stripe::payer(charge);
        let Some(payment_intent) = charge.id("payment_intent") else { return };
        self.disputed_is(|_, payments| payments.push(payment_intent.clone()));
        if self.questions.is_empty() {
            self.questions.push(Question::Purpose { payment_intent });
        }
    }

    fn disputed_is(&mut self, change: impl Fn(&mut Option<String>, &mut Vec<String>)) {
        for news in &mut self.event.news {
            if let News::Dispute { subscription, payments, .. } = news {
                change(subscription, payments);
            }
        }
    }
}

/// Adds the units that a session sold, if its payment link stands for them. Else returns the
/// question for its lines.
fn sold(
    billing: &Billing,
    session: &Object<'_>,
    event: &mut BillingEvent,
) -> Result<Option<Question>, String> {
    let id = session.needed_id("id")?;
    let payment = session.id("payment_intent");
    if let Some(units) = units_of(&billing.credits, &[stripe::link_position(session)]) {
        event.news.push(News::Credits { id, units, payment });
        return Ok(None);
    }
    if billing.api_key.is_some() {
        return Ok(Some(Question::Sold { session: id, payment }));
    }
    // A session that opened a subscription may well hold nothing else.
    if event.subscription.is_some() {
        return Ok(None);
    }
    let reason = "the event doesn't say what was bought: set STRIPE_API_KEY, or name the payment \
                  link in BILLING's credits";
    Err(reason.to_owned())
}

/// The open questions about a dispute.
fn disputed(dispute: &Object<'_>, event: &BillingEvent) -> Vec<Question> {
    let charge = dispute.id("charge").filter(|_| event.customer.is_none());
    let payer = charge.filter(|_| event.account.is_none()).map(|charge| Question::Payer { charge });
    let payment_intent = dispute.id("payment_intent");
    let purpose = payment_intent.map(|payment_intent| Question::Purpose { payment_intent });
    payer.into_iter().chain(purpose).collect()
}
