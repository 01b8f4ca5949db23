//! Reasons of failed charges.

use crate::words::words;

/// Declares the enum, with `added` behind its variants.
macro_rules! declare {
    ($($added:tt)*) => {
        words! {
            /// The reason of a failed charge, as far as a payer may know: fraud and the like read
            /// as declined.
            #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
            pub enum PaymentFailure: Serialize, Wire or Declined {
                /// The card itself has expired.
                CardExpired = "card_expired",
                /// A number, date or code of the card is wrong.
                CardData = "card_data",
                /// The bank wants its customer to confirm the payment.
                AuthenticationRequired = "authentication_required",
                /// The account or the card's limit does not cover it.
                InsufficientFunds = "insufficient_funds",
                /// The bank said no: it or another card can help.
                Declined = "declined",
                /// Something went wrong on the way: the same charge may work later.
                TryLater = "try_later",
                /// The operator or the provider's account is what is wrong.
                Merchant = "merchant",
                /// The provider was down: nothing is wrong with the card.
                ProviderOutage = "provider_outage",
                $($added)*
            }
        }
    };
}

#[cfg(not(feature = "drills"))]
declare!();
// The drills stand for a later release, which has a word more.
#[cfg(feature = "drills")]
declare! {
    /// A word that an earlier release doesn't know.
    Drill = "drill",
}
