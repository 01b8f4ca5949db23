//! Reasons of failed charges.

use serde::Serialize;

use crate::wire::wire;

/// Why a charge failed, as far as a payer may know: fraud and the like read as declined.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentFailure {
    /// The card itself has expired.
    CardExpired,
    /// A number, date or code of the card is wrong.
    CardData,
    /// The bank wants its customer to confirm the payment.
    AuthenticationRequired,
    /// The account or the card's limit does not cover it.
    InsufficientFunds,
    /// The bank said no: it or another card can help.
    Declined,
    /// Something went wrong on the way: the same charge may work later.
    TryLater,
    /// The operator or the provider's account is what is wrong.
    Merchant,
    /// The provider was down: nothing is wrong with the card.
    ProviderOutage,
}

impl PaymentFailure {
    /// Every one and its word.
    pub const ALL: [(&str, Self); 8] = [
        ("card_expired", Self::CardExpired),
        ("card_data", Self::CardData),
        ("authentication_required", Self::AuthenticationRequired),
        ("insufficient_funds", Self::InsufficientFunds),
        ("declined", Self::Declined),
        ("try_later", Self::TryLater),
        ("merchant", Self::Merchant),
        ("provider_outage", Self::ProviderOutage),
    ];

    /// The stable word, as in JSON.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("declined", |(word, _)| word)
    }
}

wire! {
    enum PaymentFailure {
        CardExpired,
        CardData,
        AuthenticationRequired,
        InsufficientFunds,
        Declined,
        TryLater,
        Merchant,
        ProviderOutage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json() {
        for (word, failure) in PaymentFailure::ALL {
            assert_eq!(serde_json::to_value(failure).unwrap(), word);
            assert_eq!(failure.word(), word);
        }
    }
}
