//! Trust follows authorship. A signature proves the sender of an event, but not the author of each
//! field: a buyer writes the custom data of a browser's checkout, the parameters of a payment link,
//! and the address that picks a customer.
//!
//! Each provider lists every field that is read of it with its author. [`Object`](super::object)
//! reads no field that isn't listed. A field that a payer may have written goes only to the check
//! of a signed reference.

/// The author of a field in a provider's message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Author {
    /// The payer may: by a payment link, in a browser's checkout, by the address that is typed.
    Payer,
    /// The provider, of its own knowledge.
    Provider,
    /// The seller's server or dashboard, and nobody else: the provider guarantees it.
    Seller,
}

impl Author {
    /// The word in the documentation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Provider => "provider",
            Self::Seller => "seller",
        }
    }
}

/// A field that is read: the kind of object, a dot, and the path in it. `[]` stands for each item
/// of a list, `*` for the name that `account` in `BILLING` configures.
pub type Field = (&'static str, Author);
