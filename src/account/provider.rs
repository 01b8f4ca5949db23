//! Payment providers, by their names.

use serde::Serialize;

use crate::wire::wire;

/// Who takes the money.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Stripe Billing.
    #[default]
    Stripe,
    /// Paddle Billing.
    Paddle,
    /// Lemon Squeezy.
    LemonSqueezy,
    /// Whoever signs by Standard Webhooks: Polar, and systems of the operator's own.
    Standard,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 4] = [Self::Stripe, Self::Paddle, Self::LemonSqueezy, Self::Standard];

    /// The word in configuration, paths and records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Paddle => "paddle",
            Self::LemonSqueezy => "lemonsqueezy",
            Self::Standard => "standard",
        }
    }

    /// Whether the address that a buyer types picks the customer: then a stranger's payment may
    /// come under anybody's customer id. At Stripe a customer is made for each checkout.
    pub const fn picks_customer_by_address(self) -> bool {
        match self {
            Self::Stripe => false,
            Self::Paddle | Self::LemonSqueezy | Self::Standard => true,
        }
    }

    /// The provider that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.word() == word)
    }
}

wire! { enum Provider { Stripe, Paddle, LemonSqueezy, Standard } }
