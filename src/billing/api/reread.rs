//! Reads all that a provider knows of one customer, one request after another.

use super::request::{ApiAnswer, ApiRequest, encoded, read};
use crate::billing::error::BillingError;
use crate::billing::event::{BillingEvent, News, REREAD};
use crate::billing::object::{Document, Object, next_page};
use crate::billing::settings::Billing;
use crate::billing::spec::{Around, Rereading};
use crate::billing::{api_of, events_of};
use crate::plan::Plan;
use crate::time::Timestamp;

/// Asks a provider for a customer's subscriptions, account and entitlements.
///
/// The answers count as given one second before they came: news that arises while it asks is not
/// overruled. A caller that asks because of news that are in doubt has to wait two seconds.
#[derive(Clone, Debug)]
pub struct Reread {
    billing: Billing,
    /// The news about the customer itself.
    event: BillingEvent,
    /// Each subscription by itself: they may be different accounts'.
    subscriptions: Vec<BillingEvent>,
    /// The next stage.
    stage: Stage,
    /// The start of its next page.
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
        let time = Timestamp::default();
        let event = BillingEvent::new(billing.provider, String::new(), REREAD.to_owned(), time);
        Some(Self {
            billing: billing.clone(),
            event: BillingEvent { customer: Some(customer.to_owned()), ..event },
            subscriptions: Vec::new(),
            stage: Stage::Customer,
            page: None,
            pages_left: MAX_PAGES,
            entitlements: Vec::new(),
        })
    }

    /// The next request; `None` when all is known.
    pub fn next(&self) -> Option<ApiRequest> {
        let customer = encoded(self.event.customer.as_deref()?);
        let (before, after) = self.path()?;
        let page = self.page.as_deref().map(|page| ["&starting_after=", &encoded(page)].concat());
        let page = page.unwrap_or_default();
        let media = api_of(self.billing.provider).media;
        media.get(&self.billing, &[before, &customer, after, &page])
    }

    fn path(&self) -> Option<Around> {
        let how = self.how();
        match self.stage {
            Stage::Customer => Some(how.customer),
            Stage::Subscriptions => how.subscriptions.map(|(path, _)| path),
            Stage::Entitlements => how.entitlements.as_ref().map(|list| list.path),
            Stage::Done => None,
        }
    }

    fn how(&self) -> &'static Rereading {
        &events_of(self.billing.provider).rereading
    }

    /// Takes in the answer to [`Reread::next`].
    ///
    /// # Errors
    ///
    /// The provider refused, or a field of its answer is not as it should be.
    pub fn answered(
        &mut self,
        answer: &ApiAnswer<'_>,
        plans: &[Plan],
        now: Timestamp,
    ) -> Result<(), BillingError> {
        self.event.occurred_at = Timestamp::from_seconds(now.as_seconds()).plus_seconds(-1);
        // A key without the right to read them, where nobody uses them.
        if self.stage == Stage::Entitlements && answer.status == 403 {
            self.stage = Stage::Done;
            return Ok(());
        }
        let body = read(answer)?;
        let body = Document::of(api_of(self.billing.provider).fields).root("list", &body);
        let how = self.how();
        match self.stage {
            Stage::Customer => {
                let customer = body.as_a("customer");
                let with = (how.take_customer)(&self.billing, &customer, &mut self.event)?;
                self.take_subscriptions(&with, plans)?;
            }
            Stage::Subscriptions => {
                let items = how.subscriptions.map_or("", |(_, items)| items);
                self.take_subscriptions(&body.needed_list("subscription", items)?, plans)?;
            }
            Stage::Entitlements => {
                let Some(list) = &how.entitlements else { return Ok(()) };
                let items = body.needed_list("entitlement", list.items)?;
                self.entitlements.extend((list.names)(&items));
            }
            Stage::Done => return Ok(()),
        }
        self.pages_left = self.pages_left.saturating_sub(1);
        let is_paged = how.has_pages && self.stage != Stage::Customer;
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

    fn take_subscriptions(
        &mut self,
        list: &[Object<'_>],
        plans: &[Plan],
    ) -> Result<(), BillingError> {
        let how = self.how();
        for object in list {
            // A provider that ignores the filter must not give one customer what is another's.
            if object.id(how.payer) != self.event.customer {
                continue;
            }
            let mut event = BillingEvent { news: Vec::new(), account: None, ..self.event.clone() };
            event.names_customer = false;
            let (id, state) = (how.subscription)(&self.billing, plans, object, &mut event)?;
            event.subscription = Some(id.clone());
            event.news.push(News::Subscription { id, state: Box::new(state) });
            self.subscriptions.push(event);
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
            Stage::Entitlements | Stage::Done => Stage::Done,
        };
        self.page = None;
        self.pages_left = MAX_PAGES;
    }
}

/// The most pages of a list: a thousand subscriptions.
const MAX_PAGES: u32 = 10;
