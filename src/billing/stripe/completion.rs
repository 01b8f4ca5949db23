//! Stripe's checkout sessions and disputes. Their events lack facts: the payer of a disputed
//! charge, the purpose of the charge, and the items that a session sold.

use super::payments::{paid_subscription, payer};
use super::subscription::{SALE, names_of};
use crate::billing::api::request::encoded;
use crate::billing::credits::{Position, units_of};
use crate::billing::error::BillingError;
use crate::billing::event::{BillingEvent, News};
use crate::billing::object::Object;
use crate::billing::settings::Billing;
use crate::billing::spec::{Completing, Question};

pub(super) const COMPLETING: Completing = Completing { questions, path, answered };

/// The seller's metadata counts before the reference in a buyer's link. The sold items stand in the
/// session's lines, which are no part of the event: see [`COMPLETING`].
pub(super) fn checkout(
    event: &mut BillingEvent,
    billing: &Billing,
    object: &Object<'_>,
    action: &str,
) -> Result<(), BillingError> {
    let opened_at = object.time(SALE.created)?.unwrap_or(event.occurred_at);
    event.customer = object.id("customer");
    object.name_account(event, billing, SALE.account, opened_at)?;
    object.name_account_by(event, billing, "client_reference_id", opened_at)?;
    if action == "expired" {
        return Ok(());
    }
    event.subscription = object.id("subscription");
    event.is_payment = is_paid_session(&event.kind, object) && !object.is_zero("amount_total");
    Ok(())
}

/// The open questions about an event.
fn questions(
    billing: &Billing,
    body: &Object<'_>,
    event: &mut BillingEvent,
) -> Result<Vec<Question>, BillingError> {
    let mut questions = Vec::new();
    let Some(object) = body.a("session", "data.object") else { return Ok(questions) };
    if is_paid_session(&event.kind, &object) && !billing.credits.is_empty() {
        questions.extend(sold(billing, &object, event)?);
    }
    let is_dispute = |news: &News| matches!(news, News::Dispute { .. });
    if event.news.iter().any(is_dispute) {
        questions.extend(disputed(&object.as_a("dispute"), event));
    }
    Ok(questions)
}

fn path(question: &Question) -> String {
    match question {
        Question::Payer { charge } => ["/v1/charges/", &encoded(charge)].concat(),
        Question::Purpose { payment } => {
            let query = "/v1/invoice_payments?payment[type]=payment_intent&limit=1\
                         &expand[]=data.invoice&payment[payment_intent]=";
            [query, &encoded(payment)].concat()
        }
        Question::Sold { session, .. } => {
            ["/v1/checkout/sessions/", &encoded(session), "/line_items?limit=100"].concat()
        }
    }
}

fn answered(
    billing: &Billing,
    question: Question,
    body: &Object<'_>,
    event: &mut BillingEvent,
) -> Result<Option<Question>, BillingError> {
    match question {
        Question::Payer { .. } => {
            let charge = body.as_a("charge");
            event.customer = payer(&charge);
            let Some(payment) = charge.id("payment_intent") else { return Ok(None) };
            disputed_is(event, |_, payments| payments.push(payment.clone()));
            return Ok(Some(Question::Purpose { payment }));
        }
        Question::Purpose { .. } => {
            let paid = body.list_of("paid", "data");
            let found = paid.first().and_then(paid_subscription);
            disputed_is(event, |subscription, _| subscription.clone_from(&found));
        }
        Question::Sold { session, payment } => {
            let lines = body.needed_list("line", "data")?;
            let order: Vec<_> = lines.iter().map(position).collect();
            let units = units_of(&billing.credits, &order);
            let sold = units.map(|units| News::Credits { id: session, units, payment });
            event.news.extend(sold);
        }
    }
    Ok(None)
}

fn disputed_is(event: &mut BillingEvent, change: impl Fn(&mut Option<String>, &mut Vec<String>)) {
    for news in &mut event.news {
        if let News::Dispute { subscription, payments, .. } = news {
            change(subscription, payments);
        }
    }
}

/// Adds the units that a session sold, if its payment link stands for them. Else returns the
/// question for its lines.
fn sold(
    billing: &Billing,
    session: &Object<'_>,
    event: &mut BillingEvent,
) -> Result<Option<Question>, BillingError> {
    let id = session.needed_id("id")?;
    let payment = session.id("payment_intent");
    if let Some(units) = units_of(&billing.credits, &[link_position(session)]) {
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
    Err(BillingError::ItemsUnknown { api_key: "STRIPE_API_KEY" })
}

/// The open questions about a dispute.
fn disputed(dispute: &Object<'_>, event: &BillingEvent) -> Vec<Question> {
    let charge = dispute.id("charge").filter(|_| event.customer.is_none());
    let payer = charge.filter(|_| event.account.is_none()).map(|charge| Question::Payer { charge });
    let payment = dispute.id("payment_intent");
    let purpose = payment.map(|payment| Question::Purpose { payment });
    payer.into_iter().chain(purpose).collect()
}

/// One line of a checkout session, as a position of the order.
fn position(line: &Object<'_>) -> Position {
    let price = line.a("price", "price");
    Position {
        names: price.map(|price| price_names(&price)).unwrap_or_default(),
        quantity: line.whole("quantity"),
        is_free: line.is_zero("amount_total"),
    }
}

/// A payment link as a position of the order: it stands for the items that it sells.
fn link_position(session: &Object<'_>) -> Position {
    Position {
        names: session.id("payment_link").into_iter().collect(),
        quantity: None,
        is_free: session.is_zero("amount_total"),
    }
}

/// Whether a session was paid for, so that its items are the buyer's.
fn is_paid_session(kind: &str, session: &Object<'_>) -> bool {
    let is_done =
        matches!(kind, "checkout.session.completed" | "checkout.session.async_payment_succeeded");
    is_done && session.text("payment_status") == Some("paid")
}

fn price_names(price: &Object<'_>) -> Vec<String> {
    names_of(price).into_iter().map(str::to_owned).collect()
}
