//! Payment providers, by their names.

use crate::words::words;

words! {
    /// The name of a payment provider, in records and messages. All else about it stands in
    /// `billing`, where [`spec_of`](crate::billing::spec_of) finds it by this name.
    #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
    pub enum Provider: Serialize, Wire {
        /// Stripe Billing.
        Stripe = "stripe",
        /// Paddle Billing.
        Paddle = "paddle",
        /// Lemon Squeezy.
        LemonSqueezy = "lemonsqueezy",
        /// Senders by Standard Webhooks: Polar, and systems of the operator's own.
        Standard = "standard",
    }
}

impl Provider {
    /// Whether its messages may come from a system of the operator's own. Such a system need not
    /// name the subject of a dispute.
    pub const fn may_be_own_system(self) -> bool {
        match self {
            Self::Stripe | Self::Paddle | Self::LemonSqueezy => false,
            Self::Standard => true,
        }
    }

    /// Every word, for an error about another one: `stripe, paddle or standard`.
    pub fn words() -> String {
        let words = Self::ALL.map(Self::word);
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => [&rest.join(", "), " or ", last].concat(),
            _ => words.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_names_its_provider_alone() {
        for provider in Provider::ALL {
            assert_eq!(Provider::from_word(provider.word()), Some(provider));
        }
        assert_eq!(Provider::from_word("Stripe"), None);
        assert_eq!(Provider::from_word(""), None);
        assert_eq!(Provider::words(), "stripe, paddle, lemonsqueezy or standard");
    }
}
