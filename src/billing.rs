//! Billing: events of payment providers, in their words, become facts about accounts, in ours.
//!
//! A webhook is verified and read ([`webhook`]), and becomes a [`BillingEvent`]: its customer, its
//! time, and the news. [`apply`] takes such an event into the account's record. Requests to a
//! provider, and the reading of its answers, stand in [`api`]. A provider is one value, a
//! [`ProviderSpec`], in one file; [`spec_of`] lists them. `docs/billing.md` describes the whole.

pub mod api;
mod apply;
mod author;
pub mod credits;
pub mod decline;
pub mod desk;
mod error;
mod event;
mod ledger;
mod lemonsqueezy;
mod object;
pub mod outage;
mod paddle;
pub mod reference;
pub mod sessions;
mod settings;
mod signature;
mod spec;
mod standard;
mod stripe;
pub mod webhook;

pub use apply::apply;
pub use author::{Author, Field};
pub use error::BillingError;
pub use event::{BillingEvent, News, PING, REREAD};
pub use ledger::apply_to_ledger;
pub use object::Watcher;
pub use settings::Billing;
pub use signature::{Scheme, Timed};
pub use spec::{Catalogue, NextPage, ProviderSpec, ReferenceNeed, Secret};
pub(crate) use standard::signature::key as standard_key;

use crate::account::Provider;

/// All about a provider. This is the only list of the values.
pub const fn spec_of(provider: Provider) -> &'static ProviderSpec {
    match provider {
        Provider::Stripe => &stripe::STRIPE,
        Provider::Paddle => &paddle::PADDLE,
        Provider::LemonSqueezy => &lemonsqueezy::LEMON_SQUEEZY,
        Provider::Standard => &standard::STANDARD,
    }
}

#[cfg(test)]
mod tests;
