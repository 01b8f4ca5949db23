//! Reads all that a provider knows of one customer, one request after another.

use super::{ApiAnswer, ApiRequest, encoded, get, next_page, read};
use crate::account::{Provider, Subscription};
use crate::billing::object::{Document, Object};
use crate::billing::{Billing, BillingEvent, News, lemonsqueezy, paddle, standard, stripe};
use crate::plan::Plan;
use crate::time::Timestamp;

/// Asks a provider for a customer's subscriptions, account and entitlements.
///
/// What it finds counts as said one second before its answer came: news that arises while it asks
/// is not overruled. Whoever asks because of news that are in doubt has to wait two seconds.
#[derive(Clone, Debug)]
pub struct Reread {
    billing: Billing,
    /// The news about the customer itself.
    event: BillingEvent,
    /// Each subscription by itself: they may be different accounts'.
    subscriptions: Vec<BillingEvent>,
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
            subscriptions: Vec::new(),
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
        let body = Document::of(self.billing.provider).root("list", &body);
        match self.stage {
            Stage::Customer => self.take_customer(&body, plans)?,
            Stage::Subscriptions => {
                let is_polar = self.billing.provider == Provider::Standard;
                let path = if is_polar { "items" } else { "data" };
                self.take_subscriptions(&body.needed_list("subscription", path)?, plans)?;
            }
            Stage::Entitlements => {
                let names = stripe::lookup_keys(&body.needed_list("entitlement", "data")?);
                self.entitlements.extend(names);
            }
            Stage::Done => return Ok(()),
        }
        self.pages_left = self.pages_left.saturating_sub(1);
        let is_paged = self.billing.provider == Provider::Stripe && self.stage != Stage::Customer;
        self.page = if is_paged { next_page(&body) } else { None };
        if self.page.is_some() && self.pages_left > 0 {
            return Ok(());
        }
        self.finish_stage();
        Ok(())
    }

    /// The events that follow from the answers: the customer's first, then each subscription's.
    pub fn into_events(mut self) -> Vec<BillingEvent> {
        let at = self.event.occurred_at;
        let customer = self.event.customer.as_deref().unwrap_or_default();
        self.event.id = format!("tollgate_reread_{customer}_{}", at.as_millis());
        let is_news = !self.event.news.is_empty() || self.event.account.is_some();
        let mut events: Vec<_> = Some(self.event).filter(|_| is_news).into_iter().collect();
        for mut event in self.subscriptions {
            let id = event.subscription.as_deref().unwrap_or_default();
            event.id = format!("tollgate_reread_{id}_{}", at.as_millis());
            event.occurred_at = at;
            events.push(event);
        }
        events
    }

    fn take_customer(&mut self, body: &Object<'_>, plans: &[Plan]) -> Result<(), String> {
        let at = self.event.occurred_at;
        let body = body.as_a("customer");
        match self.billing.provider {
            Provider::Stripe => {
                if body.is("deleted") {
                    self.event.news.push(News::CustomerDeleted);
                }
                body.name_account(&mut self.event, &self.billing, "metadata", at)?;
                self.event.names_customer = self.event.account.is_some();
            }
            // Their customers are found by an address that anybody may type.
            Provider::Paddle | Provider::Standard => {}
            Provider::LemonSqueezy => {
                let all = body.list_of("included", "included");
                let is_one = |one: &&Object<'_>| one.text("type") == Some("subscriptions");
                let subscriptions: Vec<_> =
                    all.iter().filter(is_one).map(|one| one.as_a("subscription")).collect();
                self.take_subscriptions(&subscriptions, plans)?;
            }
        }
        Ok(())
    }

    fn take_subscriptions(&mut self, list: &[Object<'_>], plans: &[Plan]) -> Result<(), String> {
        let payer = match self.billing.provider {
            Provider::Stripe => "customer",
            Provider::Paddle | Provider::Standard => "customer_id",
            Provider::LemonSqueezy => "attributes.customer_id",
        };
        for object in list {
            // Whoever ignores the filter must not give one customer what is another's.
            if object.id(payer) != self.event.customer {
                continue;
            }
            self.take_subscription(object, plans)?;
        }
        Ok(())
    }

    fn take_subscription(&mut self, object: &Object<'_>, plans: &[Plan]) -> Result<(), String> {
        let mut event = BillingEvent { news: Vec::new(), account: None, ..self.event.clone() };
        event.names_customer = false;
        let billing = &self.billing;
        let (id, state): (String, Subscription) = match billing.provider {
            Provider::Stripe => {
                object.name_account_of(&stripe::SALE, &mut event, billing)?;
                stripe::subscription(plans, object)?
            }
            Provider::Paddle => {
                object.name_account_of(&paddle::SALE, &mut event, billing)?;
                paddle::subscription(plans, object)?
            }
            Provider::LemonSqueezy => {
                let store = object.id("attributes.store_id");
                let is_test = object.is("attributes.test_mode");
                event.ignored = lemonsqueezy::elsewhere(billing, store.as_deref(), is_test);
                lemonsqueezy::subscription(plans, object)?
            }
            Provider::Standard => {
                object.name_account_of(&standard::SALE, &mut event, billing)?;
                standard::polar_subscription(plans, object)?
            }
        };
        event.subscription = Some(id.clone());
        event.news.push(News::Subscription { id, state: Box::new(state) });
        self.subscriptions.push(event);
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
