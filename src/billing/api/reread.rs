//! Reads all that a provider knows of one customer, one request after another.

use serde_json::Value;

use super::{ApiAnswer, ApiRequest, encoded, get, next_page, read};
use crate::billing::json::{is_at, list_at, name_account};
use crate::billing::{BillingEvent, News, Provider, stripe};
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
        let page = self.page.as_deref().map(encoded);
        let page = page.map(|page| ["&starting_after=", &page].concat()).unwrap_or_default();
        let path: [&str; 4] = match (self.billing.provider, self.stage) {
            (Provider::Stripe, Stage::Customer) => ["/v1/customers/", &customer, "", ""],
            (Provider::Stripe, Stage::Subscriptions) => {
                ["/v1/subscriptions?status=all&limit=100&customer=", &customer, &page, ""]
            }
            (Provider::Stripe, Stage::Entitlements) => {
                let path = "/v1/entitlements/active_entitlements?limit=100&customer=";
                [path, &customer, &page, ""]
            }
            _ => return None,
        };
        get(&self.billing, &path)
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
            Stage::Customer => {
                if is_at(&body, "deleted") {
                    self.event.news.push(News::CustomerDeleted);
                }
                name_account(&mut self.event, &self.billing, &body, "metadata")?;
            }
            Stage::Subscriptions => self.take_subscriptions(&body, plans)?,
            Stage::Entitlements => {
                self.entitlements.extend(stripe::lookup_keys(list_at(&body, "data")));
            }
            Stage::Done => return Ok(()),
        }
        self.pages_left = self.pages_left.saturating_sub(1);
        self.page = next_page(&body).filter(|_| self.stage != Stage::Customer);
        if self.page.is_some() && self.pages_left > 0 {
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

    fn take_subscriptions(&mut self, body: &Value, plans: &[Plan]) -> Result<(), String> {
        for object in list_at(body, "data") {
            let (id, state) = stripe::subscription(plans, object)?;
            name_account(&mut self.event, &self.billing, object, "metadata")?;
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
