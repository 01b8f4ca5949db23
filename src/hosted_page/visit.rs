//! One visit: its facts, and the needs that portal and checkout share.

use std::rc::Rc;

use super::step::{
    End, Ended, Hitch, Need, Pending, Progress, Request, SessionCall, Step, Unavailable,
};
use crate::account::{AccountRecord, Provider};
use crate::billing::api::{ApiAnswer, ApiRequest, StatusAndBody};
use crate::billing::inbox::{CustomerKey, InboxRequest, payers};
use crate::billing::sessions::{SessionRequest, wish};
use crate::billing::{Billing, BillingError, CallError, ProviderCall};
use crate::config::Config;
use crate::identity::AccountName;
use crate::plan::Plan;
use crate::report;
use crate::time::Timestamp;

/// The facts of a visit.
pub(super) struct Visit<'a> {
    pub(super) config: &'a Config,
    /// The account's name.
    pub(super) account: AccountName,
    /// The page of this site that looks whether access is back.
    pub(super) return_url: String,
    /// The page of this site that the caller comes from.
    pub(super) cancel_url: String,
    /// The identity of the wanted link at the account's object.
    pub(super) wish: String,
    record: Option<&'a AccountRecord>,
    method: &'a str,
    /// The address to lead to where no link is made.
    configured: Option<String>,
}

impl<'a> Visit<'a> {
    /// The visit to the checkout of `plan`, or to the portal where there is none.
    pub(super) fn new(request: Request<'a>, plan: Option<&Plan>, now: Timestamp) -> Self {
        let Request { facts, path, config, known, .. } = request;
        let (base, account) = (facts.base_url(), known.identity.account_name());
        let return_url =
            [&base, &config.prefix, "status?return=", path.encoded().as_str()].concat();
        let configured = match plan {
            Some(plan) => plan.buy_url.as_deref().or(config.brand.plans_url.as_deref()),
            None => config.brand.account_url.as_deref(),
        };
        let record = known.record.as_ref();
        Self {
            config,
            wish: wish(plan.map(|plan| plan.id.as_str()), &return_url, record),
            cancel_url: [&base, path.as_str()].concat(),
            configured: configured.map(|url| config.with_reference(url, Some(&account), now)),
            return_url,
            account,
            record,
            method: &facts.method,
        }
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Whether there may be a portal: the account has a customer, and a provider can be asked.
    pub(super) fn has_portal(&self) -> bool {
        let is_known = self.record.is_some_and(|record| !record.customers.is_empty());
        is_known && self.config.billing.iter().any(can_be_asked)
    }

    /// The customer whose portal may be opened, of the providers that can be asked for one.
    pub(super) fn payer(
        self: &Rc<Self>,
        now: Timestamp,
        next: impl FnOnce(&Rc<Self>, Option<CustomerKey>, Timestamp) -> Progress<'a> + 'a,
    ) -> Progress<'a> {
        let askable = self.config.billing.iter().filter(|billing| can_be_asked(billing));
        let providers: Vec<_> = askable.map(|billing| billing.provider).collect();
        self.customer(&providers, now, next)
    }

    /// The account's paying customer at one of these providers. The inbox knows whether it is this
    /// account's and nobody else's.
    pub(super) fn customer(
        self: &Rc<Self>,
        providers: &[Provider],
        now: Timestamp,
        next: impl FnOnce(&Rc<Self>, Option<CustomerKey>, Timestamp) -> Progress<'a> + 'a,
    ) -> Progress<'a> {
        let outage = self.config.provider_outage;
        let payers = self.record.map(|record| payers(record, &self.config.plans, outage, now));
        let of_these = |customer: &CustomerKey| providers.contains(&customer.provider);
        let customers: Vec<_> = payers.into_iter().flatten().filter(of_these).collect();
        if customers.is_empty() {
            return next(self, None, now);
        }
        let account = self.account.clone();
        let input = InboxRequest::CustomerToLead { account, customers };
        let rest = self.rest(move |visit, customer: Result<_, String>, now| {
            next(visit, customer.map_err(Hitch::Provider)?, now)
        });
        Ok(Step::Need(Need::AskInbox(Pending::new(input, rest))))
    }

    /// Calls a provider, and goes on with the answer.
    pub(super) fn call(
        self: &Rc<Self>,
        billing: &'a Billing,
        request: ApiRequest,
        next: impl FnOnce(&Rc<Self>, ApiAnswer<'_>, Timestamp) -> Progress<'a> + 'a,
    ) -> Step<'a> {
        let rest = self.rest(move |visit, answer: Result<StatusAndBody, CallError>, now| {
            let (status, body) = answer?;
            next(visit, ApiAnswer { status, body: &body }, now)
        });
        let input = ProviderCall { billing, request };
        Step::Need(Need::CallProvider(Pending::new(input, rest)))
    }

    /// Keeps a link that was made, and leads there.
    pub(super) fn made(self: &Rc<Self>, url: String) -> Step<'a> {
        let wish = self.wish.clone();
        let input = self.session(SessionRequest::Made { wish, url: url.clone() });
        let rest = self.rest(move |_, (), _| Ok(Step::lead_to(url)));
        Step::Need(Need::KeepSession(Pending::new(input, rest)))
    }

    pub(super) fn session(&self, request: SessionRequest) -> SessionCall {
        SessionCall { account: self.account.clone(), request }
    }

    /// The rest of this visit, which ends without a link where `next` fails.
    pub(super) fn rest<Outcome>(
        self: &Rc<Self>,
        next: impl FnOnce(&Rc<Self>, Outcome, Timestamp) -> Progress<'a> + 'a,
    ) -> impl FnOnce(Outcome, Timestamp) -> Step<'a> + 'a {
        let visit = Rc::clone(self);
        move |outcome, now| {
            next(&visit, outcome, now).unwrap_or_else(|hitch| visit.without_link(hitch))
        }
    }

    /// Leads to the configured address; without one, ends as `hitch` says.
    pub(super) fn without_link(&self, hitch: Hitch) -> Step<'a> {
        let (end, fault) = match hitch {
            Hitch::Head => (End::Nothing, None),
            Hitch::NoPage => (End::Unavailable(Unavailable::NoPage), None),
            Hitch::Sessions(reason) => {
                let fault = ["the account's ledger allows no link: ", &reason].concat();
                (End::Unavailable(Unavailable::NoPage), Some(fault))
            }
            Hitch::TooMany { retry_after_s } => (End::TooMany { retry_after_s }, None),
            Hitch::Provider(reason) => {
                (End::Unavailable(Unavailable::ProviderSilent), Some(reason))
            }
        };
        let log_line = fault.map(|reason| report::fault_line("billing-api", &reason));
        let end = self.configured.clone().map_or(end, End::LeadTo);
        Step::End(Ended { end, log_line })
    }
}

/// Whether a provider's API can be asked.
pub(super) const fn can_be_asked(billing: &Billing) -> bool {
    billing.api_key.is_some()
}

impl From<BillingError> for Hitch {
    fn from(error: BillingError) -> Self {
        Self::Provider(error.to_string())
    }
}

impl From<CallError> for Hitch {
    fn from(error: CallError) -> Self {
        Self::Provider(error.to_string())
    }
}
