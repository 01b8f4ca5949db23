//! Facts about accounts, in the gate's own words.

use crate::account::{Provider, Subscription};
use crate::cause::PaymentFailure;
use crate::identity::AccountName;
use crate::time::Timestamp;
use crate::wire::wire;

/// The content of one webhook, or of an answer to a question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BillingEvent {
    /// The provider that sent it.
    pub provider: Provider,
    /// The provider's id of the event: the same is never taken twice.
    pub id: String,
    /// The provider's word for what happened, such as `invoice.paid`.
    pub kind: String,
    /// The time of the event, by the provider's clock.
    pub occurred_at: Timestamp,
    /// The provider's id of the customer.
    pub customer: Option<String>,
    /// The provider's id of the subscription that it is about.
    pub subscription: Option<String>,
    /// The account's name, where the event names one by a signed reference, or in
    /// a field that the seller's own server writes.
    pub account: Option<AccountName>,
    /// The reason why the account that it names does not count.
    pub unnamed: Option<String>,
    /// The reason why nothing of it counts: it is of another mode, store or account than the
    /// configured one.
    pub ignored: Option<String>,
    /// Whether the seller's own server names the account of the customer itself.
    pub names_customer: bool,
    /// Whether it is about a payment by the customer.
    pub is_payment: bool,
    /// Whether it came to its account by a customer alone whom any buyer's address picks.
    pub is_by_address: bool,
    /// The news in it; nothing where the gate has no use for it.
    pub news: Vec<News>,
}

/// One fact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum News {
    /// Prepaid units were bought.
    Credits {
        /// The purchase: the same is never added twice.
        id: String,
        /// Number of units.
        units: u64,
        /// The provider's id of the payment.
        payment: Option<String>,
    },
    /// The provider deleted the customer.
    CustomerDeleted,
    /// A charge is disputed, or no longer is.
    Dispute {
        /// The provider's id for it.
        id: String,
        /// Whether it is open.
        is_open: bool,
        /// The subscription that the disputed payment was for.
        subscription: Option<String>,
        /// The provider's ids of the disputed payment.
        payments: Vec<String>,
    },
    /// Something for the account's audit trail.
    Note {
        /// The author of the action.
        actor: String,
        /// The name of the action.
        action: String,
        /// More about it, as JSON.
        detail: String,
        /// Whether the operator gets an announcement of it too.
        is_announced: bool,
    },
    /// The entitlements that the customer has by the provider's own list.
    Entitlements {
        /// Their names.
        names: Vec<String>,
        /// Whether these are all; where they aren't, the rest has to be asked for.
        is_complete: bool,
    },
    /// An invoice was paid.
    Paid {
        /// The subscription's id.
        subscription: String,
        /// The end of what was paid for.
        until: Option<Timestamp>,
        /// The provider's ids of the payment.
        payments: Vec<String>,
    },
    /// A charge failed.
    PaymentFailed {
        /// The subscription's id; `None` where only the customer is known.
        subscription: Option<String>,
        /// The reason, where one is given.
        reason: Option<PaymentFailure>,
    },
    /// A subscription is this.
    Subscription {
        /// The state of a subscription.
        id: String,
        /// All of it.
        state: Box<Subscription>,
    },
}

impl BillingEvent {
    /// An event that is not about anybody yet and has no news.
    pub fn new(provider: Provider, id: String, kind: String, occurred_at: Timestamp) -> Self {
        Self {
            provider,
            id,
            kind,
            occurred_at,
            customer: None,
            subscription: None,
            account: None,
            unnamed: None,
            ignored: None,
            names_customer: false,
            is_payment: false,
            is_by_address: false,
            news: Vec::new(),
        }
    }

    /// Adds the state of a subscription, given by its id, which the event is about.
    pub(super) fn add_subscription(&mut self, (id, state): (String, Subscription)) {
        self.subscription = Some(id.clone());
        self.news.push(News::Subscription { id, state: Box::new(state) });
    }
}

/// The type of an event that no provider has and that does nothing: `tollgate check` sends it.
pub const PING: &str = "tollgate.ping";
/// The type of an event that a provider was asked for.
pub const REREAD: &str = "tollgate.reread";

wire!(BillingEvent {
    1: provider,
    2: id,
    3: kind,
    4: occurred_at,
    5: customer,
    6: subscription,
    7: account,
    8: unnamed,
    9: ignored,
    10: names_customer,
    11: is_payment,
    12: is_by_address,
    13: news,
});
wire! {
    enum News {
        1: Credits { 1: id, 2: units, 3: payment },
        2: CustomerDeleted,
        3: Dispute { 1: id, 2: is_open, 3: subscription, 4: payments },
        4: Entitlements { 1: names, 2: is_complete },
        5: Note { 1: actor, 2: action, 3: detail, 4: is_announced },
        6: Paid { 1: subscription, 2: until, 3: payments },
        7: PaymentFailed { 1: subscription, 2: reason },
        8: Subscription { 1: id, 2: state },
    }
}
