//! A payment provider as three values: its settings, its API, and its events.

use super::api::request::{ApiRequest, Media, Sale};
use super::author::Field;
use super::error::BillingError;
use super::event::BillingEvent;
use super::object::Object;
use super::settings::Billing;
use super::signature::{Scheme, Webhook};
use crate::account::{Provider, Subscription};
use crate::plan::Plan;

/// The part of a payment provider that the configuration goes by. Each is one constant in its own
/// file.
#[derive(Debug)]
pub struct ProviderSpec {
    /// The name in records.
    pub provider: Provider,
    /// The name for people.
    pub name: &'static str,
    /// The address of its API, without a slash at the end.
    pub api_url: &'static str,
    /// The secret that signs its webhooks.
    pub webhook_secret: Secret,
    /// The secret that opens its API.
    pub api_key: Secret,
    /// The prefixes of keys for its test mode.
    pub test_keys: &'static [&'static str],
    /// Whether the address that a buyer types picks the customer: then a stranger's payment may
    /// come under anybody's customer id.
    pub picks_customer_by_address: bool,
    /// The cases in which only a signed reference leads a payment to its account.
    pub reference: ReferenceNeed,
    /// The start of its payment links, which a buyer opens in a browser.
    pub payment_link: Option<&'static str>,
    /// Whether one secret signs for several stores, so that `BILLING` should name one.
    pub has_stores: bool,
    /// Whether its events seldom name the disputed payment, so that the API has to be asked.
    pub dispute_needs_key: bool,
    /// Its way to sign webhooks.
    pub scheme: Scheme,
}

/// The API of a payment provider, as far as a caller's way to it needs that: portal and checkout.
#[derive(Debug)]
pub struct ProviderApi {
    /// Every field that is read of its messages, with its author.
    pub fields: &'static [Field],
    /// The headers and formats of its API.
    pub(super) media: &'static Media,
    /// The request for a link into its portal.
    pub(super) portal: fn(&Billing, customer: &str, return_url: &str) -> Option<ApiRequest>,
    /// The place of the link in the answer.
    pub(super) portal_url: &'static str,
    /// The request for a link to its checkout.
    pub(super) checkout: fn(&Billing, &Sale<'_>) -> Result<ApiRequest, BillingError>,
    /// The place of the link in the answer.
    pub(super) checkout_url: &'static str,
    /// The request for the id of a price by another name, where plans may name it so.
    pub(super) price: Option<fn(&Billing, price: &str) -> Option<ApiRequest>>,
}

/// The events of a payment provider: how they are read, completed, and read again. They stand
/// apart, since the module that serves requests needs none of this.
#[derive(Debug)]
pub struct ProviderEvents {
    /// The header fields of a webhook that are read, in lower case.
    pub headers: &'static [&'static str],
    /// The event that `tollgate check` sends.
    pub ping: Ping,
    /// Its list of prices.
    pub catalogue: Catalogue,
    /// The kind of object that an event is, in `fields`.
    pub(super) event: &'static str,
    /// Reads an event.
    pub(super) read: Read,
    /// The path of the events that did not arrive, where it keeps a list.
    pub(super) missed: Option<&'static str>,
    /// The completion of events that lack facts.
    pub(super) completing: Option<Completing>,
    /// The rereading of a customer.
    pub(super) rereading: Rereading,
}

/// Reads an event of a provider.
///
/// # Errors
///
/// A field is missing or not as it should be.
pub(super) type Read = fn(Delivery<'_>) -> Result<BillingEvent, BillingError>;

/// A genuine webhook, and the settings by which it is read.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'a> {
    /// The provider.
    pub(super) billing: &'a Billing,
    /// The plans on sale.
    pub(super) plans: &'a [Plan],
    /// The webhook as it was sent.
    pub(super) webhook: &'a Webhook<'a>,
    /// Its body.
    pub(super) body: &'a Object<'a>,
}

/// A secret of the Worker.
#[derive(Clone, Copy, Debug)]
pub struct Secret {
    /// Its name in the Worker's environment.
    pub name: &'static str,
    /// A description for the list of variables.
    pub meaning: &'static str,
}

/// The cases in which only a signed reference leads a payment to its account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReferenceNeed {
    /// Never: the seller's server writes the account's name, and nobody else can.
    Never,
    /// Always: a payer may write every field that names an account.
    Always,
    /// Those with a key for the API: without one, the sender is the seller's own system.
    WithKey,
}

/// The event without news that `tollgate check` sends: the paths of what is read of it, and its
/// body.
#[derive(Clone, Copy, Debug)]
pub struct Ping {
    /// The path of the type.
    pub kind: &'static str,
    /// The path of the id; `None` where the id stands in a header field.
    pub id: Option<&'static str>,
    /// The path of the time.
    pub time: &'static str,
    /// The body as JSON, with `$type`, `$id`, `$seconds` (since 1970) and `$time` (RFC 3339) in the
    /// places of their values.
    pub body: &'static str,
}

/// The list of prices in a provider's API.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue {
    /// The path of the first page.
    pub path: &'static str,
    /// The field with the items.
    pub items: &'static str,
    /// The next page.
    pub next: NextPage,
    /// The places of an item's names, in their order: paths of JSON pointers (RFC 6901), with `*`
    /// for each item of a list.
    pub names: &'static [&'static str],
    /// The places of its name for people: the first that is there counts.
    pub labels: &'static [&'static str],
    /// The field and its value, as JSON, of an item that no subscription can be to.
    pub unsold: (&'static str, &'static str),
    /// The prefix of a name, and the path of a thing of that name with its field `active`, for
    /// things that are no longer on sale.
    pub archived: &'static [(&'static str, &'static str)],
}

/// The place where a list of prices goes on.
#[derive(Clone, Copy, Debug)]
pub enum NextPage {
    /// Behind the id of the last item, where the field `has_more` is true.
    LastId,
    /// At the URL that stands at `url`, unless `false` stands at `more`.
    Url {
        /// The pointer to whether there is more.
        more: Option<&'static str>,
        /// The pointer to the URL.
        url: &'static str,
    },
    /// At the next number, up to the one that stands at this pointer. The path ends in a number.
    Number(&'static str),
}

/// The completion of a provider's events by its API.
#[derive(Debug)]
pub(super) struct Completing {
    /// The open questions about an event, by its body.
    pub(super) questions:
        fn(&Billing, &Object<'_>, &mut BillingEvent) -> Result<Vec<Question>, BillingError>,
    /// The path of a question.
    pub(super) path: fn(&Question) -> String,
    /// Takes the answer to a question in.
    pub(super) answered: TakeAnswer,
}

/// Takes the answer to a question into the event. Returns the question that it raises.
pub(super) type TakeAnswer = fn(&Billing, Question, &Object<'_>, &mut BillingEvent) -> NextQuestion;

/// The next question, or the reason why the answer could not be read.
pub(super) type NextQuestion = Result<Option<Question>, BillingError>;

/// A question for a provider about one of its events.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// The customer of a charge.
    Payer { charge: String },
    /// The subscription that a payment was for.
    Purpose { payment: String },
    /// The items that a checkout session sold, and the payment for them.
    Sold { session: String, payment: Option<String> },
}

/// The rereading of a customer: one list after another.
#[derive(Debug)]
pub(super) struct Rereading {
    /// The path of the customer itself.
    pub(super) customer: Around,
    /// The path of its subscriptions and the field with the items, where these are asked for.
    pub(super) subscriptions: Option<(Around, &'static str)>,
    /// Its entitlements, where the provider keeps them.
    pub(super) entitlements: Option<Entitlements>,
    /// Whether lists go on behind the id of their last item. Else the first page is all.
    pub(super) has_pages: bool,
    /// The path of the customer's id in a subscription.
    pub(super) payer: &'static str,
    /// Takes the customer itself in. Returns the subscriptions that came with it.
    pub(super) take_customer: TakeCustomer,
    /// Reads a subscription: its account into the event, its id and state as the result.
    pub(super) subscription: ReadSubscription,
}

/// The text before and behind a customer's id in a path.
pub(super) type Around = (&'static str, &'static str);

pub(super) type TakeCustomer =
    for<'a> fn(&Billing, &Object<'a>, &mut BillingEvent) -> Result<Vec<Object<'a>>, BillingError>;

/// Takes nothing from a customer that is found by an address: anybody may type it, so such a
/// customer names no account.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `TakeCustomer`")]
pub(super) fn take_nothing<'a>(
    _: &Billing,
    _: &Object<'a>,
    _: &mut BillingEvent,
) -> Result<Vec<Object<'a>>, BillingError> {
    Ok(Vec::new())
}

pub(super) type ReadSubscription = fn(
    &Billing,
    &[Plan],
    &Object<'_>,
    &mut BillingEvent,
) -> Result<(String, Subscription), BillingError>;

/// The list of a customer's entitlements.
#[derive(Debug)]
pub(super) struct Entitlements {
    /// Its path.
    pub(super) path: Around,
    /// The field with the items.
    pub(super) items: &'static str,
    /// The names of items.
    pub(super) names: fn(&[Object<'_>]) -> Vec<String>,
}
