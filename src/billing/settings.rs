//! Settings of a payment provider.

use super::credits::CreditPrice;
use super::reference::References;
use crate::account::Provider;
use crate::plan::Plan;

/// A payment provider.
#[derive(Clone, Debug)]
pub struct Billing {
    /// The provider.
    pub provider: Provider,
    /// The key of a customer's or subscription's metadata that names the account.
    pub account_key: String,
    /// The address of the provider's API, without a slash at the end.
    pub api_url: String,
    /// The sender of events that count: the store at Lemon Squeezy, which checkouts need too, the
    /// connected account at Stripe, the organisation at Polar.
    pub store: Option<String>,
    /// Whether events of the provider's test mode count.
    pub test: bool,
    /// The prices of prepaid units.
    pub credits: Vec<CreditPrice>,
    /// Signs and verifies references to accounts.
    pub references: References,
    /// Whether an open dispute suspends the account.
    pub suspends_on_dispute: bool,
    /// The secrets that sign its webhooks; several while one is changed for another.
    pub webhook_secrets: Vec<String>,
    /// Opens its API; without it remedies are configured links, and nothing is read again.
    pub api_key: Option<String>,
}

/// The payment providers, and the plans that they sell.
#[derive(Clone, Copy, Debug)]
pub struct Providers<'a> {
    /// The providers; no two have one name.
    pub all: &'a [Billing],
    /// The plans.
    pub plans: &'a [Plan],
}

impl<'a> Providers<'a> {
    /// The settings of this provider, where it is configured.
    pub fn of(self, provider: Provider) -> Option<&'a Billing> {
        self.all.iter().find(|billing| billing.provider == provider)
    }
}

impl Billing {
    /// A provider of which nothing is configured but the name.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            account_key: DEFAULT_ACCOUNT_KEY.to_owned(),
            api_url: String::new(),
            store: None,
            test: false,
            credits: Vec::new(),
            references: References::default(),
            suspends_on_dispute: false,
            webhook_secrets: Vec::new(),
            api_key: None,
        }
    }
}

const DEFAULT_ACCOUNT_KEY: &str = "tollgate_account";
