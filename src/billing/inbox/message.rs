//! The messages to the inbox and its replies, as text between isolates and its object.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::customer::{CustomerKey, SubscriptionKey};
use super::event_state::EventState;
use crate::account::Provider;
use crate::billing::BillingEvent;
use crate::billing::webhook::Webhook;
use crate::identity::AccountName;
use crate::strict_json;
use crate::time::Timestamp;
use crate::wire::wire;

/// A message to the inbox. Each names the type of its reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InboxRequest {
    /// A page of accounts, in the order of their names: [`AccountPage`].
    Accounts {
        /// The filter.
        filter: AccountFilter,
        /// The account that the page before ended with.
        cursor: Option<String>,
        /// The most that a page holds.
        limit: usize,
    },
    /// The outcome of calls of the provider's API: nothing to answer.
    Called(
        /// Each of them.
        Vec<Call>,
    ),
    /// Customers with several named accounts, and without an operator's decision: a
    /// [`CustomerPage`](super::CustomerPage).
    Conflicts {
        /// The `next_cursor` of the page before.
        cursor: Option<String>,
        /// The most that a page holds.
        limit: usize,
    },
    /// The account of a customer: `Option<CustomerRow>`.
    Customer(
        /// The customer.
        CustomerKey,
    ),
    /// The customer that an account may be led to: the first of these that is its own and nobody
    /// else's, as `Option<CustomerKey>`.
    CustomerToLead {
        /// The account.
        account: AccountName,
        /// In order of preference.
        customers: Vec<CustomerKey>,
    },
    /// The customers that pay for an account: `Vec<CustomerKey>`.
    CustomersOf {
        /// The account.
        account: AccountName,
    },
    /// An event with its body: `Option<EventDetail>`.
    Event(
        /// The event.
        EventKey,
    ),
    /// A page of events, the last to arrive first: [`EventPage`].
    Events {
        /// The filter.
        filter: EventFilter,
        /// The `next_cursor` of the page before.
        cursor: Option<String>,
        /// The most that a page holds.
        limit: usize,
    },
    /// Link a customer to an account, by an operator's decision:
    /// [`Linked`](super::Linked).
    Link {
        /// The customer.
        customer: CustomerKey,
        /// The account's name.
        account: AccountName,
        /// The operator.
        actor: String,
        /// Whether a customer may be taken from an account that has it.
        may_move: bool,
    },
    /// The customers to read again from their provider now: `Vec<CustomerKey>`. They count as
    /// looked at from then on.
    LookList {
        /// The most that the list holds.
        limit: usize,
    },
    /// The known outages: [`Outages`](crate::billing::outage::Outages).
    Outage,
    /// The standing of an account, after a change of its record: nothing to answer.
    PutAccount(
        /// It.
        AccountSummary,
    ),
    /// Try an event again at once: `Option<Retried>`.
    Retry {
        /// The event.
        event: EventKey,
        /// The operator.
        actor: String,
    },
    /// Keep events and have them delivered: `Vec<Taken>`, what became of each.
    TakeIn(
        /// The events.
        Vec<Incoming>,
    ),
}

/// An event as it comes in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Incoming {
    /// The event; only its id and kind where it can't be read.
    pub event: BillingEvent,
    /// The provider's body; empty where the event came by a question.
    pub body: String,
    /// The reason why it can't be read.
    pub unreadable: Option<String>,
}

/// The result for an event that came in.
#[expect(clippy::struct_excessive_bools, reason = "each says something else, and any may be so")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    /// The account that it goes to.
    pub account: Option<AccountName>,
    /// Whether it does by a customer alone whom any buyer's address picks.
    pub is_by_address: bool,
    /// Whether it came before: then nothing was done.
    pub is_repeated: bool,
    /// Whether its customer's account is unknown yet.
    pub is_waiting: bool,
    /// Whether it names another account for its customer than was named before.
    pub is_conflict: bool,
}

/// An event that was tried again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retried {
    /// As it stands now.
    pub row: EventRow,
    /// The note for the audit trail of its account: the account, and the event to apply to it.
    pub notes: Vec<(AccountName, BillingEvent)>,
}

/// The identity of an event.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EventKey {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of it.
    pub id: String,
}

/// An event as the inbox keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventRow {
    /// In the order of arrival; 0 before it is kept.
    pub number: u64,
    /// The provider.
    pub provider: Provider,
    /// The provider's id of it.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// The time of the event, by the provider's clock.
    pub occurred_at: Timestamp,
    /// The time of its arrival.
    pub received_at: Timestamp,
    /// The customer.
    pub customer: Option<String>,
    /// The subscription that it is about.
    pub subscription: Option<String>,
    /// The account, where it is known.
    pub account: Option<AccountName>,
    /// The state of its delivery.
    pub state: EventState,
    /// The reason why it is not applied.
    pub reason: Option<String>,
    /// Number of attempts to apply it.
    pub attempts: u32,
    /// The time of the next attempt; of one that waits, the time to ask its provider.
    pub due_at: Timestamp,
}

/// An event with all that is kept of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventDetail {
    /// Its row.
    pub row: EventRow,
    /// The provider's body, as long as it is kept.
    pub body: Option<String>,
}

/// A filter for lists of events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EventFilter {
    /// Those in this state.
    pub state: Option<EventState>,
    /// Those of this provider.
    pub provider: Option<Provider>,
}

/// A page of events.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventPage {
    /// The events.
    pub items: Vec<EventRow>,
    /// The start of the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// The standing of an account, for lists.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccountSummary {
    /// Its name.
    pub account: AccountName,
    /// The plan of the subscription that leads.
    pub plan: Option<String>,
    /// The stage of that subscription's life, in the word of the record.
    pub status: String,
    /// The reason why it is not served, in the word of the answer; `None` where it is.
    pub cause: Option<String>,
    /// The time of its record's last change.
    #[serde(serialize_with = "write_time")]
    pub updated_at: Timestamp,
    /// The time to read its customers again, unless news come before.
    #[serde(skip)]
    pub look_at: Option<Timestamp>,
}

/// A filter for lists of accounts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountFilter {
    /// Those with this status.
    pub status: Option<String>,
    /// Those with this plan.
    pub plan: Option<String>,
    /// Those whose name begins so.
    pub prefix: Option<String>,
}

/// A page of accounts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountPage {
    /// The accounts.
    pub items: Vec<AccountSummary>,
    /// The start of the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// The outcome of a call of a provider's API. One that was refused because there were too many
/// (429) is no sign of the provider's health, and is left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The customer that it was for.
    pub customer: CustomerKey,
    /// Whether the provider answered as one that works: not with 5xx, and in time.
    pub is_good: bool,
}

impl Incoming {
    /// An event that a provider was asked for.
    pub fn asked_for(event: BillingEvent) -> Self {
        Self { event, body: String::new(), unreadable: None }
    }

    /// A genuine webhook that can't be read, under the id that it names all the same, else under
    /// one that the same body always has.
    pub fn unreadable(provider: Provider, webhook: &Webhook<'_>, reason: String) -> Self {
        let body = strict_json::parse(webhook.body).unwrap_or_default();
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| body.get(name)?.as_str());
            found.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let header = webhook.headers.iter().find(|(name, _)| name.ends_with("-id"));
        let header = header.map(|(_, id)| id.clone());
        let id = header.or_else(|| text(&["id", "event_id"])).unwrap_or_else(|| {
            let hash = Sha256::digest(webhook.body);
            format!("body-{}", URL_SAFE_NO_PAD.encode(hash))
        });
        let kind = text(&["type", "event_type"]).unwrap_or_default();
        let event = BillingEvent::new(provider, id, kind, Timestamp::default());
        Self { event, body: webhook.body.to_owned(), unreadable: Some(reason) }
    }
}

impl EventRow {
    /// An event that has just come and is due at once, without its customer and its account.
    pub fn new(event: &BillingEvent, now: Timestamp) -> Self {
        Self {
            number: 0,
            provider: event.provider,
            id: event.id.clone(),
            kind: event.kind.clone(),
            occurred_at: event.occurred_at,
            received_at: now,
            customer: None,
            subscription: None,
            account: None,
            state: EventState::Received,
            reason: None,
            attempts: 0,
            due_at: now,
        }
    }

    /// Its key.
    pub fn key(&self) -> EventKey {
        EventKey { provider: self.provider, id: self.id.clone() }
    }

    /// The key of the subscription that it is about.
    pub fn subscription_key(&self) -> Option<SubscriptionKey> {
        let id = self.subscription.clone()?;
        Some(SubscriptionKey { provider: self.provider, id })
    }

    /// The customer's key.
    pub fn customer_key(&self) -> Option<CustomerKey> {
        let id = self.customer.clone()?;
        Some(CustomerKey { provider: self.provider, id })
    }
}

wire! {
    enum InboxRequest {
        1: Accounts { 1: filter, 2: cursor, 3: limit },
        2: Called(calls),
        3: Conflicts { 1: cursor, 2: limit },
        4: Customer(customer),
        5: CustomerToLead { 1: account, 2: customers },
        6: CustomersOf { 1: account },
        7: Event(event),
        8: Events { 1: filter, 2: cursor, 3: limit },
        9: Link { 1: customer, 2: account, 3: actor, 4: may_move },
        10: LookList { 1: limit },
        11: Outage,
        12: PutAccount(summary),
        13: Retry { 1: event, 2: actor },
        14: TakeIn(events),
    }
}
wire!(Incoming { 1: event, 2: body, 3: unreadable });
wire!(Taken { 1: account, 2: is_by_address, 3: is_repeated, 4: is_waiting, 5: is_conflict });
wire!(Retried { 1: row, 2: notes });
wire!(EventKey { 1: provider, 2: id });
wire!(EventRow {
    1: number,
    2: provider,
    3: id,
    4: kind,
    5: occurred_at,
    6: received_at,
    7: customer,
    8: subscription,
    9: account,
    10: state,
    11: reason,
    12: attempts,
    13: due_at,
});
wire!(EventDetail { 1: row, 2: body });
wire!(EventFilter { 1: state, 2: provider });
wire!(EventPage { 1: items, 2: next_cursor });
wire!(AccountSummary { 1: account, 2: plan, 3: status, 4: cause, 5: updated_at, 6: look_at });
wire!(AccountFilter { 1: status, 2: plan, 3: prefix });
wire!(AccountPage { 1: items, 2: next_cursor });
wire!(Call { 1: customer, 2: is_good });

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls; only wide pointers make it a lint"
)]
fn write_time<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.rfc3339_exact())
}
