//! Billing: events of payment providers, in their words, become facts about accounts, in ours.
//!
//! A webhook is verified and read ([`webhook`]), and becomes a [`BillingEvent`]: its customer, its
//! time, and the news. [`apply`] takes such an event into the account's record. Requests to a
//! provider, and the reading of its answers, stand in [`api`]. Two step machines lead through all
//! that: the [`intake`] of one webhook, and a [`run`] of calls for what webhooks did not say. A
//! provider is one value, a [`ProviderSpec`], in one file; [`spec_of`] lists them.
//! `docs/billing.md` describes the whole.

pub mod api;
mod apply;
mod arrival;
mod author;
pub mod credits;
pub mod decline;
mod error;
mod event;
pub mod inbox;
pub mod intake;
mod ledger;
mod lemonsqueezy;
mod object;
pub mod outage;
mod paddle;
pub mod reference;
pub mod run;
pub mod sessions;
mod settings;
mod signature;
mod spec;
mod standard;
mod step;
mod stripe;
pub mod webhook;

pub use apply::apply;
pub use author::{Author, Field};
pub use error::{BillingError, CallError};
pub use event::{BillingEvent, News, PING, REREAD};
pub use ledger::apply_to_ledger;
pub use object::Watcher;
pub use settings::{Billing, Providers};
pub use signature::{Scheme, Timed};
pub use spec::{
    Catalogue, NextPage, ProviderApi, ProviderEvents, ProviderSpec, ReferenceNeed, Secret,
};
pub(crate) use standard::signature::key as standard_key;
pub use step::{Fault, ProviderCall};

use crate::account::Provider;

/// The settings' side of a provider.
pub const fn spec_of(provider: Provider) -> &'static ProviderSpec {
    match provider {
        Provider::Stripe => &stripe::STRIPE,
        Provider::Paddle => &paddle::PADDLE,
        Provider::LemonSqueezy => &lemonsqueezy::LEMON_SQUEEZY,
        Provider::Standard => &standard::STANDARD,
    }
}

/// The API of a provider, for links into its portal and checkout.
pub const fn api_of(provider: Provider) -> &'static ProviderApi {
    match provider {
        Provider::Stripe => &stripe::STRIPE_API,
        Provider::Paddle => &paddle::PADDLE_API,
        Provider::LemonSqueezy => &lemonsqueezy::LEMON_SQUEEZY_API,
        Provider::Standard => &standard::STANDARD_API,
    }
}

/// The events of a provider.
pub const fn events_of(provider: Provider) -> &'static ProviderEvents {
    match provider {
        Provider::Stripe => &stripe::STRIPE_EVENTS,
        Provider::Paddle => &paddle::PADDLE_EVENTS,
        Provider::LemonSqueezy => &lemonsqueezy::LEMON_SQUEEZY_EVENTS,
        Provider::Standard => &standard::STANDARD_EVENTS,
    }
}

#[cfg(test)]
mod tests;
