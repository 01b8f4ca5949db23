//! The names of Durable Objects of the class `Ledger`.

use std::fmt;

use super::account_name::AccountName;
use crate::text::hex;

/// A Durable Object of the class `Ledger`. The platform finds it by this name alone.
///
/// Only an account's has a slash, so no account is taken for one of the others.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ObjectName {
    /// The ledger of an account.
    Account(AccountName),
    /// The inbox of payment providers' events.
    Inbox,
    /// The directory of the API keys whose hashes begin with this byte.
    Keys(u8),
    /// The registry of readers of this shard.
    Readers(u8),
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => formatter.write_str(account.as_str()),
            Self::Inbox => formatter.write_str("inbox"),
            Self::Keys(byte) => write!(formatter, "keys-{}", hex::encode(&[*byte])),
            Self::Readers(shard) => write!(formatter, "readers-{shard}"),
        }
    }
}

impl From<&AccountName> for ObjectName {
    fn from(account: &AccountName) -> Self {
        Self::Account(account.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_is_taken_for_an_accounts() {
        for (name, text) in [
            (ObjectName::Inbox, "inbox"),
            (ObjectName::Keys(0x0a), "keys-0a"),
            (ObjectName::Keys(0xff), "keys-ff"),
            (ObjectName::Readers(0), "readers-0"),
            (ObjectName::Readers(15), "readers-15"),
        ] {
            assert_eq!(name.to_string(), text);
            assert!(AccountName::parse(text).is_err());
            let account = AccountName::parse_short(text).unwrap();
            assert_ne!(ObjectName::from(&account).to_string(), text);
        }
        let alice = AccountName::parse("acme/alice").unwrap();
        assert_eq!(ObjectName::Account(alice).to_string(), "acme/alice");
    }
}
