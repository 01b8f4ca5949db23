//! The way of a caller to a page of the payment provider: its portal, or its checkout. The provider
//! makes a link for this one visit; where it can't, the configured address is led to.
//!
//! It is a machine: [`start`] and [`Rest::resume`](crate::step::Rest::resume) return the next
//! [`Step`], which is a [`Need`] to be performed, or the [`End`]. Each need carries the rest of its
//! request, which takes exactly the outcome of that need.
//!
//! The order: plan (404), `HEAD` (no link is made), whether a provider can be asked, the limit of
//! the account's object, customer and price, the provider, and the object again, which keeps the
//! link.

mod checkout;
mod portal;
mod step;
mod visit;

pub use step::{End, Ended, Need, Pending, Request, SessionCall, Step, Unavailable};

use std::rc::Rc;

use checkout::Checkout;
use step::{Hitch, Progress};
use visit::Visit;

use crate::billing::sessions::{SessionReply, SessionRequest};
use crate::config::Config;
use crate::endpoint::HostedPage;
use crate::plan::Plan;
use crate::time::Timestamp;

/// Begins a request, which came at `now`.
pub fn start(request: Request<'_>, now: Timestamp) -> Step<'_> {
    let plan = match request.page {
        HostedPage::Portal => None,
        HostedPage::Checkout { plan } => match plan_on_sale(request.config, plan) {
            Ok(plan) => Some(plan),
            Err(end) => return Step::End(Ended { end, log_line: None }),
        },
    };
    let visit = Rc::new(Visit::new(request, plan, now));
    begin(&visit, plan).unwrap_or_else(|hitch| visit.without_link(hitch))
}

fn plan_on_sale<'a>(config: &'a Config, id: &str) -> Result<&'a Plan, End> {
    match config.plans.iter().find(|plan| plan.id == id) {
        Some(plan) if plan.on_sale => Ok(plan),
        Some(_) => Err(End::NotOnSale),
        None => Err(End::NoPlan),
    }
}

/// Asks the account's object, if there is a provider that could be asked afterwards.
fn begin<'a>(visit: &Rc<Visit<'a>>, plan: Option<&'a Plan>) -> Progress<'a> {
    if visit.is_head() {
        return Err(Hitch::Head);
    }
    let checkout = match plan {
        Some(plan) => Some(Checkout::of(visit.config, plan).ok_or(Hitch::NoPage)?),
        None if visit.has_portal() => None,
        None => return Err(Hitch::NoPage),
    };
    let call = visit.session(SessionRequest::Begin { wish: visit.wish.clone() });
    let rest = visit.rest(move |visit, reply: Result<SessionReply, String>, now| {
        match (reply.map_err(Hitch::Sessions)?, checkout) {
            (SessionReply::TooMany(retry_after_s), _) => Err(Hitch::TooMany { retry_after_s }),
            (SessionReply::Known(url), Some(_)) => Ok(Step::lead_to(url)),
            (SessionReply::Known(url), None) => portal::lead_again(visit, url, now),
            (SessionReply::Make, Some(checkout)) => checkout.begin(visit, now),
            (SessionReply::Make, None) => portal::begin(visit, now),
        }
    });
    Ok(Step::Need(Need::AskSessions(Pending::new(call, rest))))
}
