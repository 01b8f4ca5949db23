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
    provider,
    id,
    kind,
    occurred_at,
    customer,
    subscription,
    account,
    unnamed,
    ignored,
    names_customer,
    is_payment,
    is_by_address,
    news,
});
wire! {
    enum News {
        Credits { id, units, payment },
        CustomerDeleted,
        Dispute { id, is_open, subscription, payments },
        Entitlements { names, is_complete },
        Note { actor, action, detail, is_announced },
        Paid { subscription, until, payments },
        PaymentFailed { subscription, reason },
        Subscription { id, state },
    }
}
