//! Leads a customer to the provider's portal or checkout, by a link that the provider makes for
//! this one visit; or to the configured address, where there is no key for that or no answer.

use worker::web_sys::Response;

use super::glue::resolved;
use super::isolate::now;
use super::visit::{Visit, problem, respond};
use super::{glue, inbox, sessions};
use crate::account::Provider;
use crate::billing::Billing;
use crate::billing::api::{self, ApiAnswer, ApiRequest, Sale};
use crate::billing::inbox::{CustomerKey, InboxRequest, payers};
use crate::billing::reference::LIFETIME_S;
use crate::billing::sessions::{SessionReply, wish};
use crate::config::Config;
use crate::gate::KnownAccount;
use crate::plan::Plan;
use crate::report;
use crate::request::ReturnPath;

/// What a customer wants at the provider.
pub(super) enum Aim {
    /// To buy a plan.
    Checkout {
        /// The plan's id.
        plan: String,
    },
    /// To change the payment method, or the subscription.
    Portal,
}

/// Leads there, and back to `path` afterwards.
pub(super) async fn lead(
    visit: &Visit,
    config: &Config,
    aim: &Aim,
    path: &ReturnPath,
    known: &KnownAccount,
) -> Response {
    let plan = match aim {
        Aim::Portal => None,
        Aim::Checkout { plan } => match config.plans.iter().find(|other| other.id == *plan) {
            Some(plan) if plan.on_sale => Some(plan),
            Some(_) => return problem(visit, 404, "This plan is not on sale.", &[]),
            None => return problem(visit, 404, "There is no such plan.", &[]),
        },
    };
    let way = Way { visit, config, path, known };
    let configured = match plan {
        Some(plan) => plan.buy_url.as_deref().or(config.brand.plans_url.as_deref()),
        None => config.brand.account_url.as_deref(),
    };
    let account = known.identity.account_name();
    let configured = configured.map(|url| config.with_reference(url, Some(&account), now()));
    let configured = configured.as_deref();
    let made = match way.session(plan).await {
        Session::Made(made) => made,
        Session::NotForHead if configured.is_none() => return nothing(visit),
        Session::TooMany(retry_after_s) if configured.is_none() => {
            return sessions::too_many(visit, retry_after_s);
        }
        Session::NotForHead | Session::TooMany(_) => None,
    };
    let url = match (&made, configured) {
        (Some(Ok(url)), _) => url,
        (Some(Err(reason)), _) => {
            worker::console_error!("{}", report::fault_line("billing-api", reason));
            match configured {
                Some(url) => url,
                None => return unavailable(visit, PROVIDER_SILENT),
            }
        }
        (None, Some(url)) => url,
        (None, None) => return unavailable(visit, NO_PAGE),
    };
    respond(&visit.context().responder().leads_to(url))
}

/// What a provider's API answered: the status and the body.
pub(super) type Answered = (u16, String);

/// Sends a request to a provider's API, and to no other host.
///
/// # Errors
///
/// Why there is no answer.
pub(super) async fn call(
    config: &Config,
    billing: &Billing,
    request: &ApiRequest,
) -> Result<Answered, String> {
    let path = request.url.strip_prefix(billing.api_url.as_str());
    if !path.is_some_and(|path| path.starts_with('/')) {
        return Err("a request to a host that BILLING does not name".to_owned());
    }
    let ApiRequest { method, url, headers, body } = request;
    let (lines, deadline_ms) = (glue::lines(headers), config.deadlines.billing_ms);
    let promise = glue::call_api(method, url, &lines, body, deadline_ms, MAX_ANSWER_BYTES);
    let answer = resolved(promise).await?.as_string().unwrap_or_default();
    let (status, body) = answer.split_once('\n').unwrap_or_default();
    let status = status.parse().map_err(|_| "an answer without a status".to_owned())?;
    Ok((status, body.to_owned()))
}

/// The outcome of a request for a link.
enum Session {
    /// The link, or why there is none; `None` where none can be made.
    Made(Option<Result<String, String>>),
    /// A caller with `HEAD` doesn't go there, so none is made.
    NotForHead,
    /// There were too many: for how many seconds none is made.
    TooMany(u64),
}

/// From a caller to the provider and back.
struct Way<'a> {
    visit: &'a Visit,
    config: &'a Config,
    path: &'a ReturnPath,
    known: &'a KnownAccount,
}

impl Way<'_> {
    /// A link that was made a moment ago, or a new one, as the account's object allows.
    async fn session(&self, plan: Option<&Plan>) -> Session {
        if self.visit.facts.method == "HEAD" {
            return Session::NotForHead;
        }
        if !self.can_make(plan) {
            return Session::Made(None);
        }
        let (visit, config, account) =
            (self.visit, self.config, self.known.identity.account_name());
        let id = plan.map(|plan| plan.id.as_str());
        let wish = wish(id, &self.back(), self.known.record.as_ref());
        match sessions::begin(visit, config, &account, &wish).await {
            Ok(SessionReply::Known(url)) if plan.is_some() => return Session::Made(Some(Ok(url))),
            // A link to a portal holds no longer than the customer is this account's alone.
            Ok(SessionReply::Known(url)) => {
                let customer = self.payer().await.transpose();
                return Session::Made(customer.map(|customer| customer.map(|_| url)));
            }
            Ok(SessionReply::Make) => {}
            Ok(SessionReply::TooMany(retry_after_s)) => return Session::TooMany(retry_after_s),
            Err(reason) => {
                let reason = format!("the account's ledger allows no link: {reason}");
                worker::console_error!("{}", report::fault_line("billing-api", &reason));
                return Session::Made(None);
            }
        }
        let made = match plan {
            Some(plan) => self.to_checkout(plan).await,
            None => self.to_portal().await,
        };
        if let Some(Ok(url)) = &made {
            sessions::keep(visit, config, &account, wish, url).await;
        }
        Session::Made(made)
    }

    /// Whether there is a provider that could be asked.
    fn can_make(&self, plan: Option<&Plan>) -> bool {
        let can_be_asked = |billing: &Billing| billing.api_key.is_some();
        if let Some(plan) = plan {
            let first = self.config.billing.first();
            return first.is_some_and(can_be_asked) && !plan.prices.is_empty();
        }
        let is_known = self.known.record.as_ref().is_some_and(|one| !one.customers.is_empty());
        is_known && self.config.billing.iter().any(can_be_asked)
    }

    /// The provider's portal, of the account's paying customer. `None` where there is no such
    /// customer, or none that is this account's alone.
    async fn to_portal(&self) -> Option<Result<String, String>> {
        let customer = match self.payer().await {
            Ok(customer) => customer?,
            Err(reason) => return Some(Err(reason)),
        };
        let billing = self.config.billing(customer.provider)?;
        let request = api::portal(billing, &customer.id, &self.back())?;
        let answer = call(self.config, billing, &request).await;
        Some(answer.and_then(|(status, body)| {
            Ok(api::portal_url(billing, &ApiAnswer { status, body: &body })?)
        }))
    }

    /// The checkout of the first provider. `None` where it can't be asked, or doesn't sell the
    /// plan.
    async fn to_checkout(&self, plan: &Plan) -> Option<Result<String, String>> {
        let billing = self.config.billing.first().filter(|one| one.api_key.is_some())?;
        let listed = plan.prices.first()?;
        Some(self.checkout_url(billing, plan, listed).await)
    }

    async fn checkout_url(
        &self,
        billing: &Billing,
        plan: &Plan,
        listed: &str,
    ) -> Result<String, String> {
        let price = match api::price_of(billing, plan) {
            None => listed.to_owned(),
            Some(request) => {
                let (status, body) = call(self.config, billing, &request).await?;
                api::price_found(billing, &ApiAnswer { status, body: &body })?
            }
        };
        let account = self.known.identity.account_name();
        let return_url = self.back();
        let customer = self.customer(&[billing.provider]).await?;
        let customer = customer.as_ref().map(|customer| customer.id.as_str());
        // A second click within a minute is the same sale; by somebody who is a customer meanwhile,
        // it is another, and the provider refuses the same key for it.
        let minute = now().as_seconds().div_euclid(60);
        let payer = customer.unwrap_or_default();
        let idempotency_key = format!("{account}:{price}:{minute}:{payer}:{return_url}");
        let reference = self.reference(billing);
        let sale = Sale {
            price: &price,
            account: &account,
            reference: reference.as_deref(),
            customer,
            return_url: &return_url,
            cancel_url: &self.cancel_url(),
            idempotency_key: &idempotency_key,
        };
        let (status, body) = call(self.config, billing, &api::checkout(billing, &sale)?).await?;
        Ok(api::checkout_url(billing, &ApiAnswer { status, body: &body })?)
    }

    /// The customer whose portal may be opened, of the providers that can be asked for one.
    async fn payer(&self) -> Result<Option<CustomerKey>, String> {
        let has_key = |one: &&Billing| one.api_key.is_some();
        let with_key = self.config.billing.iter().filter(has_key);
        let providers: Vec<_> = with_key.map(|billing| billing.provider).collect();
        self.customer(&providers).await
    }

    /// The account's paying customer at one of these providers. The inbox knows whether it is this
    /// account's and nobody else's.
    async fn customer(&self, providers: &[Provider]) -> Result<Option<CustomerKey>, String> {
        let Some(record) = self.known.record.as_ref() else { return Ok(None) };
        let outage = self.config.provider_outage;
        let customers = payers(record, &self.config.plans, outage, now());
        let of_these = |customer: &CustomerKey| providers.contains(&customer.provider);
        let customers: Vec<_> = customers.into_iter().filter(of_these).collect();
        if customers.is_empty() {
            return Ok(None);
        }
        let account = self.known.identity.account_name();
        let request = InboxRequest::CustomerToLead { account, customers };
        inbox::ask(&self.visit.isolate, self.config, request).await
    }

    /// A signed reference to the account, for a purchase now.
    fn reference(&self, billing: &Billing) -> Option<String> {
        let expires_at = now().plus_seconds(LIFETIME_S);
        billing.references.sign(&self.known.identity.account_name(), expires_at)
    }

    /// Where the provider sends the customer back to: the page that looks whether access is back.
    fn back(&self) -> String {
        let (base, prefix) = (self.visit.facts.base_url(), self.visit.prefix());
        format!("{base}{prefix}status?return={}", self.path.encoded())
    }

    fn cancel_url(&self) -> String {
        format!("{}{}", self.visit.facts.base_url(), self.path.as_str())
    }
}

/// Answers a `HEAD` where nothing is known without making a link.
fn nothing(visit: &Visit) -> Response {
    respond(&visit.context().responder().nothing())
}

fn unavailable(visit: &Visit, detail: &str) -> Response {
    problem(visit, 503, detail, &[("Retry-After", "30")])
}

/// A page of a hundred events.
const MAX_ANSWER_BYTES: u32 = 4 * 1024 * 1024;
const NO_PAGE: &str = "There is no page for this at the moment. Please contact support.";
const PROVIDER_SILENT: &str = "Our payment provider does not answer at the moment. Nothing is wrong with your card or \
     your account; please try again in a little while.";
