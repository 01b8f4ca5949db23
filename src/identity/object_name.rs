//! Durable Objects: the classes of them, one per job, and the names within a class.

use std::fmt;

use super::account_name::AccountName;
use crate::text::hex;

/// A class of Durable Objects. Each has a database of its own form, and answers messages of its
/// own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ObjectClass {
    /// Keeps an account: its record and its counters.
    Ledger,
    /// Keeps the events of payment providers, and delivers them to ledgers.
    Inbox,
    /// Knows the owners of API keys.
    KeyDirectory,
    /// Watches over readers without an account.
    ReaderRegistry,
    /// Keeps what changes without a deployment. It is declared ahead of its use: the platform rolls
    /// no release back to before a class was declared.
    Settings,
}

impl ObjectClass {
    /// Every class, in the order of `wrangler.toml`.
    pub const ALL: [Self; 5] =
        [Self::Ledger, Self::Inbox, Self::KeyDirectory, Self::ReaderRegistry, Self::Settings];

    /// The class's name on the platform.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "Ledger",
            Self::Inbox => "Inbox",
            Self::KeyDirectory => "KeyDirectory",
            Self::ReaderRegistry => "ReaderRegistry",
            Self::Settings => "Settings",
        }
    }

    /// The binding that leads to its objects.
    pub const fn binding(self) -> &'static str {
        match self {
            Self::Ledger => "LEDGER",
            Self::Inbox => "INBOX",
            Self::KeyDirectory => "KEY_DIRECTORY",
            Self::ReaderRegistry => "READER_REGISTRY",
            Self::Settings => "SETTINGS",
        }
    }
}

/// A Durable Object: its class, and the name by which the platform finds it there.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ObjectName {
    /// The ledger of an account, by the account's name.
    Ledger(AccountName),
    /// The inbox of payment providers' events: there is one.
    Inbox,
    /// The directory of the API keys whose hashes begin with this byte.
    KeyDirectory(u8),
    /// The registry of readers of this shard.
    ReaderRegistry(u8),
}

impl ObjectName {
    /// The class that the object is of.
    pub const fn class(&self) -> ObjectClass {
        match self {
            Self::Ledger(_) => ObjectClass::Ledger,
            Self::Inbox => ObjectClass::Inbox,
            Self::KeyDirectory(_) => ObjectClass::KeyDirectory,
            Self::ReaderRegistry(_) => ObjectClass::ReaderRegistry,
        }
    }
}

/// The name within the class.
impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(account) => formatter.write_str(account.as_str()),
            Self::Inbox => formatter.write_str("inbox"),
            Self::KeyDirectory(byte) => formatter.write_str(&hex::encode(&[*byte])),
            Self::ReaderRegistry(shard) => write!(formatter, "{shard}"),
        }
    }
}

impl From<&AccountName> for ObjectName {
    fn from(account: &AccountName) -> Self {
        Self::Ledger(account.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_its_class_and_its_name_there() {
        let alice = AccountName::parse("acme/alice").unwrap();
        for (name, class, text) in [
            (ObjectName::from(&alice), ObjectClass::Ledger, "acme/alice"),
            (ObjectName::Inbox, ObjectClass::Inbox, "inbox"),
            (ObjectName::KeyDirectory(0x0a), ObjectClass::KeyDirectory, "0a"),
            (ObjectName::KeyDirectory(0xff), ObjectClass::KeyDirectory, "ff"),
            (ObjectName::ReaderRegistry(0), ObjectClass::ReaderRegistry, "0"),
            (ObjectName::ReaderRegistry(15), ObjectClass::ReaderRegistry, "15"),
        ] {
            assert_eq!((name.class(), name.to_string().as_str()), (class, text));
        }
        assert_eq!(ObjectName::from(&alice), ObjectName::Ledger(alice));
    }

    #[test]
    fn a_binding_is_called_as_its_class_is() {
        for class in ObjectClass::ALL {
            let letters: String = class.binding().split('_').collect();
            assert_eq!(letters, class.name().to_uppercase());
            let others = ObjectClass::ALL.into_iter().filter(|other| other.name() == class.name());
            assert_eq!(others.count(), 1);
        }
    }
}
