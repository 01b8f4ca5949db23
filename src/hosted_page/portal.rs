//! The way to a portal. It is opened for the account's paying customer, if that is this account's
//! alone.

use std::rc::Rc;

use super::step::{Hitch, Progress, Step};
use super::visit::Visit;
use crate::billing::api;
use crate::time::Timestamp;

/// Has a link made.
pub(super) fn begin<'a>(visit: &Rc<Visit<'a>>, now: Timestamp) -> Progress<'a> {
    visit.payer(now, |visit, customer, _| {
        let customer = customer.ok_or(Hitch::NoPage)?;
        let billing = visit.config.billing(customer.provider).ok_or(Hitch::NoPage)?;
        let request = api::portal(billing, &customer.id, &visit.return_url);
        let request = request.ok_or(Hitch::NoPage)?;
        Ok(visit.call(billing, request, move |visit, answer, _| {
            Ok(visit.made(api::portal_url(billing, &answer)?))
        }))
    })
}

/// Leads to a link that was made before. It holds no longer than the customer is this account's
/// alone.
pub(super) fn lead_again<'a>(visit: &Rc<Visit<'a>>, url: String, now: Timestamp) -> Progress<'a> {
    visit.payer(now, |_, customer, _| match customer {
        Some(_) => Ok(Step::lead_to(url)),
        None => Err(Hitch::NoPage),
    })
}
