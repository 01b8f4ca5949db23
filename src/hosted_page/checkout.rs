//! The way to the checkout of a plan, at the first provider.

use std::rc::Rc;

use super::step::Progress;
use super::visit::{Visit, can_be_asked};
use crate::billing::Billing;
use crate::billing::api::{self, Sale};
use crate::billing::inbox::CustomerKey;
use crate::billing::reference::LIFETIME_S;
use crate::config::Config;
use crate::plan::Plan;
use crate::time::Timestamp;

/// A plan, and the provider that sells it.
#[derive(Clone, Copy)]
pub(super) struct Checkout<'a> {
    billing: &'a Billing,
    plan: &'a Plan,
    /// The plan's first price: an id, or a name that the provider finds it by.
    listed: &'a str,
}

impl<'a> Checkout<'a> {
    /// `None` where the first provider can't be asked, or doesn't sell the plan.
    pub(super) fn of(config: &'a Config, plan: &'a Plan) -> Option<Self> {
        let billing = config.billing.first().filter(|billing| can_be_asked(billing))?;
        Some(Self { billing, plan, listed: plan.prices.first()? })
    }

    /// Has the provider find the price, where it isn't an id already.
    pub(super) fn begin(self, visit: &Rc<Visit<'a>>, now: Timestamp) -> Progress<'a> {
        let Some(request) = api::price_of(self.billing, self.plan) else {
            return self.identify(visit, self.listed.to_owned(), now);
        };
        Ok(visit.call(self.billing, request, move |visit, answer, now| {
            self.identify(visit, api::price_found(self.billing, &answer)?, now)
        }))
    }

    /// Asks for the customer, so that nobody becomes a second one.
    fn identify(self, visit: &Rc<Visit<'a>>, price: String, now: Timestamp) -> Progress<'a> {
        let providers = [self.billing.provider];
        visit.customer(&providers, now, move |visit, customer, now| {
            self.sell(visit, &price, customer.as_ref(), now)
        })
    }

    fn sell(
        self,
        visit: &Rc<Visit<'a>>,
        price: &str,
        customer: Option<&CustomerKey>,
        now: Timestamp,
    ) -> Progress<'a> {
        let customer = customer.map(|customer| customer.id.as_str());
        let (account, return_url) = (&visit.account, &visit.return_url);
        // A second click within a minute is the same sale; by somebody who is a customer meanwhile,
        // it is another, and the provider refuses the same key for it.
        let minute = now.as_seconds().div_euclid(60).to_string();
        let payer = customer.unwrap_or_default();
        let idempotency_key = [account.as_str(), price, &minute, payer, return_url].join(":");
        let expires_at = now.plus_seconds(LIFETIME_S);
        let reference = self.billing.references.sign(account, expires_at);
        let sale = Sale {
            price,
            account,
            reference: reference.as_deref(),
            customer,
            return_url,
            cancel_url: &visit.cancel_url,
            idempotency_key: &idempotency_key,
        };
        let request = api::checkout(self.billing, &sale)?;
        Ok(visit.call(self.billing, request, move |visit, answer, _| {
            Ok(visit.made(api::checkout_url(self.billing, &answer)?))
        }))
    }
}
