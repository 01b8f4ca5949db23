//! Reads all that a provider knows of one customer, one request after another.

use serde_json::Value;

use super::{ApiAnswer, ApiRequest, encoded, get, next_page, read};
use crate::account::Subscription;
use crate::billing::json::{
    account_named, at, id_at, is_at, list_at, missing, name_account, text_at,
};
use crate::billing::standard::polar_subscription;
use crate::billing::{BillingEvent, News, Provider, lemonsqueezy, paddle, stripe};
use crate::config::{Billing, Plan};
use crate::time::Timestamp;

/// Asks a provider for a customer's subscriptions, account and entitlements.
///
/// What it finds counts as said one second before its answer came: news that arises while it asks
/// is not overruled. Whoever asks because of news that are in doubt has to wait two seconds.
#[derive(Clone, Debug)]
pub struct Reread {
    billing: Billing,
    event: BillingEvent,
    /// What is asked for next.
    stage: Stage,
    /// Where its next page starts.
    page: Option<String>,
    pages_left: u32,
    entitlements: Vec<String>,
}

type ReadSubscription = fn(&[Plan], &Value) -> Result<(String, Subscription), String>;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Customer,
    Subscriptions,
    Entitlements,
    Done,
}

impl Reread {
    /// Asks for all of `customer`. `None` without a key for the API.
    pub fn of_customer(billing: &Billing, customer: &str) -> Option<Self> {
        billing.api_key.as_ref()?;
        let event = BillingEvent {
            provider: billing.provider,
            kind: REREAD.to_owned(),
            customer: Some(customer.to_owned()),
            ..BillingEvent::default()
        };
        Some(Self {
            billing: billing.clone(),
            event,
            stage: Stage::Customer,
            page: None,
            pages_left: MAX_PAGES,
            entitlements: Vec::new(),
        })
    }

    /// What to ask next; `None` when all is known.
    pub fn next(&self) -> Option<ApiRequest> {
        let customer = encoded(self.event.customer.as_deref()?);
        let (before, after) = self.path()?;
        let page = self.page.as_deref().map(|page| ["&starting_after=", &encoded(page)].concat());
        let page = page.unwrap_or_default();
        get(&self.billing, &[before, &customer, after, &page])
    }

    /// What stands before and behind the customer's id. Only Stripe knows entitlements of its own,
    /// and is the one whose lists go on by ids: of the others' the first hundred are looked at.
    fn path(&self) -> Option<(&'static str, &'static str)> {
        Some(match (self.billing.provider, self.stage) {
            (Provider::Paddle, Stage::Customer) => ("/customers/", ""),
            (Provider::Paddle, Stage::Subscriptions) => {
                ("/subscriptions?per_page=100&customer_id=", "")
            }
            // Its subscriptions can't be asked for by customer, but come with one.
            (Provider::LemonSqueezy, Stage::Customer) => {
                ("/v1/customers/", "?include=subscriptions")
            }
            (Provider::Stripe | Provider::Standard, Stage::Customer) => ("/v1/customers/", ""),
            (Provider::Stripe, Stage::Subscriptions) => {
                ("/v1/subscriptions?status=all&limit=100&customer=", "")
            }
            (Provider::Standard, Stage::Subscriptions) => {
                ("/v1/subscriptions/?limit=100&customer_id=", "")
            }
            (Provider::Stripe, Stage::Entitlements) => {
                ("/v1/entitlements/active_entitlements?limit=100&customer=", "")
            }
            _ => return None,
        })
    }

    /// Takes in the answer to [`Reread::next`].
    ///
    /// # Errors
    ///
    /// What the provider said instead, or what of its answer is not as it should be.
    pub fn answered(
        &mut self,
        answer: &ApiAnswer<'_>,
        plans: &[Plan],
        now: Timestamp,
    ) -> Result<(), String> {
        self.event.occurred_at = Timestamp::from_seconds(now.as_seconds()).plus_seconds(-1);
        // A key without the right to read them, where nobody uses them.
        if self.stage == Stage::Entitlements && answer.status == 403 {
            self.stage = Stage::Done;
            return Ok(());
        }
        let body = read(answer)?;
        match self.stage {
            Stage::Customer => self.take_customer(&body, plans)?,
            Stage::Subscriptions => {
                let path =
                    if self.billing.provider == Provider::Standard { "items" } else { "data" };
                self.take_subscriptions(whole_list(&body, path)?, plans)?;
            }
            Stage::Entitlements => {
                self.entitlements.extend(stripe::lookup_keys(whole_list(&body, "data")?));
            }
            Stage::Done => return Ok(()),
        }
        self.pages_left = self.pages_left.saturating_sub(1);
        self.page = next_page(&body).filter(|_| self.billing.provider == Provider::Stripe);
        if self.page.is_some() && self.pages_left > 0 && self.stage != Stage::Customer {
            return Ok(());
        }
        self.finish_stage();
        Ok(())
    }

    /// What was found.
    pub fn into_events(mut self) -> Vec<BillingEvent> {
        let customer = self.event.customer.as_deref().unwrap_or_default();
        let ms = self.event.occurred_at.as_millis();
        self.event.id = format!("tollgate_reread_{customer}_{ms}");
        vec![self.event]
    }

    fn take_customer(&mut self, body: &Value, plans: &[Plan]) -> Result<(), String> {
        if is_at(body, "deleted") {
            self.event.news.push(News::CustomerDeleted);
        }
        for path in ["metadata", "data.custom_data"] {
            name_account(&mut self.event, &self.billing, body, path)?;
        }
        let external = Some(body).filter(|_| self.billing.provider == Provider::Standard);
        let name = external.and_then(|body| text_at(body, "external_id"));
        self.event.account = self.event.account.take().or_else(|| account_named(name?));
        let included = list_at(body, "included").iter();
        let is_one = |one: &&Value| text_at(one, "type") == Some("subscriptions");
        let included: Vec<Value> = included.filter(is_one).cloned().collect();
        self.take_subscriptions(&included, plans)
    }

    fn take_subscriptions(&mut self, list: &[Value], plans: &[Plan]) -> Result<(), String> {
        let (read, payer): (ReadSubscription, _) = match self.billing.provider {
            Provider::Stripe => (stripe::subscription, "customer"),
            Provider::Paddle => (paddle::subscription, "customer_id"),
            Provider::LemonSqueezy => (lemonsqueezy::subscription, "attributes.customer_id"),
            Provider::Standard => (polar_subscription, "customer_id"),
        };
        for object in list {
            // Whoever ignores the filter must not give one customer what is another's.
            if id_at(object, payer) != self.event.customer {
                continue;
            }
            let (id, state) = read(plans, object)?;
            for path in ["metadata", "custom_data"] {
                name_account(&mut self.event, &self.billing, object, path)?;
            }
            self.event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        Ok(())
    }

    fn finish_stage(&mut self) {
        if self.stage == Stage::Entitlements {
            let names = std::mem::take(&mut self.entitlements);
            let is_complete = self.page.is_none();
            self.event.news.push(News::Entitlements { names, is_complete });
        }
        self.stage = match self.stage {
            Stage::Customer => Stage::Subscriptions,
            Stage::Subscriptions => Stage::Entitlements,
            _ => Stage::Done,
        };
        self.page = None;
        self.pages_left = MAX_PAGES;
    }
}

/// The type of an event that a provider was asked for.
pub const REREAD: &str = "tollgate.reread";

/// How many pages of a list are read: a thousand subscriptions.
const MAX_PAGES: u32 = 10;

/// The list at `path`. What is no list is no empty one: it would take away what somebody has.
fn whole_list<'a>(body: &'a Value, path: &str) -> Result<&'a [Value], String> {
    let list = at(body, path).and_then(Value::as_array);
    list.map(Vec::as_slice).ok_or_else(|| missing(path, "a list"))
}
