//! The name of an account: one spelling for each, and one parser.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::wire::{Content, Unreadable, Wire, write_text};

/// The name of an account: `tenant/account`, the tenant `-` where there is none.
///
/// In both parts a slash is written `%2F` and a percent sign `%25`, so that no two accounts share a
/// name and none has two. No part is empty, longer than [`MAX_PART_BYTES`] or holds control
/// characters. Cheap to clone.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// The name of an account of these parts, which stand for themselves: a slash is part of one.
    ///
    /// # Errors
    ///
    /// The first part that is empty, too long or holds control characters.
    pub fn new(tenant: Option<&str>, account: &str) -> Result<Self, AccountNameError> {
        for part in [tenant.unwrap_or(NO_TENANT), account] {
            check(part)?;
        }
        Ok(Self::of_checked(tenant, account))
    }

    /// The name that is written `tenant/account`, with both parts. `%2f` is taken as `%2F`, and a
    /// percent sign that begins neither `%2F` nor `%25` as itself.
    ///
    /// # Errors
    ///
    /// The first mistake.
    pub fn parse(text: &str) -> Result<Self, AccountNameError> {
        let (tenant, account) = text.split_once('/').ok_or(AccountNameError::NoTenant)?;
        if account.contains('/') {
            return Err(AccountNameError::ThirdPart);
        }
        let [tenant, account] = [tenant, account].map(plain);
        Self::new(Some(&tenant), &account)
    }

    /// The same, or `alice` alone, which has no tenant: as people write it.
    ///
    /// # Errors
    ///
    /// The first mistake.
    pub fn parse_short(text: &str) -> Result<Self, AccountNameError> {
        if text.contains('/') { Self::parse(text) } else { Self::new(None, &plain(text)) }
    }

    /// The name of parts that were checked where they came from.
    pub(super) fn of_checked(tenant: Option<&str>, account: &str) -> Self {
        let [tenant, account] = [tenant.unwrap_or(NO_TENANT), account].map(written);
        Self([tenant.as_str(), "/", &account].concat().into())
    }

    /// The tenant, as itself, if there is one.
    pub fn tenant(&self) -> Option<String> {
        let (tenant, _) = self.parts();
        (tenant != NO_TENANT).then(|| plain(tenant))
    }

    /// The account without its tenant, as itself.
    pub fn account(&self) -> String {
        plain(self.parts().1)
    }

    /// The whole name, in its one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((NO_TENANT, &self.0))
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl PartialEq<str> for AccountName {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for AccountName {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl Serialize for AccountName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Wire for AccountName {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_text(number, &self.0, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        Self::parse(content.text()?).map_err(|_| Unreadable::Broken)
    }
}

/// The mistake in a text that is no account's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccountNameError {
    /// No slash, where the tenant has to be written.
    NoTenant,
    /// Nothing before or behind the slash.
    EmptyPart,
    /// A second slash.
    ThirdPart,
    /// A part beyond [`MAX_PART_BYTES`].
    TooLong,
    /// A control character.
    ControlCharacter,
}

impl AccountNameError {
    /// The stable word.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoTenant => "no-tenant",
            Self::EmptyPart => "empty-part",
            Self::ThirdPart => "third-part",
            Self::TooLong => "too-long",
            Self::ControlCharacter => "control-character",
        }
    }
}

impl fmt::Display for AccountNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistake = match self {
            Self::NoTenant => "has no slash",
            Self::EmptyPart => "has nothing before or behind the slash",
            Self::ThirdPart => "has two slashes (one inside of a part is written %2F)",
            Self::TooLong => "has more than 256 bytes before or behind the slash",
            Self::ControlCharacter => "has control characters",
        };
        formatter.write_str(EXPECTED)?;
        formatter.write_str(mistake)
    }
}

impl Error for AccountNameError {}

/// The most bytes of a tenant, and of an account without its tenant: as many as a claim of a token
/// may have.
pub const MAX_PART_BYTES: usize = 256;

/// The tenant of accounts that have none.
const NO_TENANT: &str = "-";
const EXPECTED: &str =
    "expected an account's name such as acme/alice, or -/alice without a tenant; this ";

fn check(part: &str) -> Result<(), AccountNameError> {
    if part.is_empty() {
        return Err(AccountNameError::EmptyPart);
    }
    if part.len() > MAX_PART_BYTES {
        return Err(AccountNameError::TooLong);
    }
    if part.contains(|one: char| one.is_control()) {
        return Err(AccountNameError::ControlCharacter);
    }
    Ok(())
}

fn written(part: &str) -> String {
    part.replace('%', "%25").replace('/', "%2F")
}

fn plain(part: &str) -> String {
    part.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn each_account_has_one_spelling() {
        for (text, name, tenant, account) in [
            ("-/alice", "-/alice", None, "alice"),
            ("acme/alice", "acme/alice", Some("acme"), "alice"),
            ("acme/a b", "acme/a b", Some("acme"), "a b"),
            ("-/ü", "-/ü", None, "ü"),
            ("-/-", "-/-", None, "-"),
            ("-/a%2Fb", "-/a%2Fb", None, "a/b"),
            ("-/a%2fb", "-/a%2Fb", None, "a/b"),
            ("a%2fb/%2f", "a%2Fb/%2F", Some("a/b"), "/"),
            ("-/a%25b", "-/a%25b", None, "a%b"),
            ("-/a%b", "-/a%25b", None, "a%b"),
            ("-/100%", "-/100%25", None, "100%"),
            ("-/a%20b", "-/a%2520b", None, "a%20b"),
            ("-/a%252Fb", "-/a%252Fb", None, "a%2Fb"),
            ("-/%252f", "-/%252f", None, "%2f"),
            ("-/%%2F", "-/%25%2F", None, "%/"),
            ("-/inbox", "-/inbox", None, "inbox"),
        ] {
            let found = AccountName::parse(text).unwrap();
            assert_eq!(found, name);
            assert_eq!((found.tenant().as_deref(), found.account().as_str()), (tenant, account));
            assert_eq!(AccountName::new(tenant, account).as_ref(), Ok(&found));
            assert_eq!(AccountName::parse(name).as_ref(), Ok(&found), "the spelling stays");
            assert_eq!(AccountName::parse_short(text).as_ref(), Ok(&found));
            assert_eq!(serde_json::to_value(&found).unwrap(), name);
            assert_eq!(wire::encode(&found), wire::encode(&name.to_owned()));
            assert_eq!(wire::decode(&wire::encode(&found)), Ok(found));
        }
        let [one, other] = [("a/b", "c"), ("a", "b/c")]
            .map(|(tenant, account)| AccountName::new(Some(tenant), account).unwrap());
        assert_ne!(one, other);
    }

    #[test]
    fn people_may_leave_the_tenant_out() {
        for (text, name) in [("alice", "-/alice"), ("-", "-/-"), ("a%2fb", "-/a%2Fb")] {
            assert_eq!(AccountName::parse_short(text).unwrap(), name);
            assert_eq!(AccountName::parse(text), Err(AccountNameError::NoTenant), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_name() {
        let longest = "ü".repeat(MAX_PART_BYTES / 2);
        for (text, error) in [
            ("", AccountNameError::NoTenant),
            ("inbox", AccountNameError::NoTenant),
            ("keys-ab", AccountNameError::NoTenant),
            ("readers-3", AccountNameError::NoTenant),
            ("/", AccountNameError::EmptyPart),
            ("a/", AccountNameError::EmptyPart),
            ("/b", AccountNameError::EmptyPart),
            ("//", AccountNameError::ThirdPart),
            ("a/b/c", AccountNameError::ThirdPart),
            ("a/b/", AccountNameError::ThirdPart),
            ("a/b\n", AccountNameError::ControlCharacter),
            ("a\u{7f}/b", AccountNameError::ControlCharacter),
            ("a/\u{85}", AccountNameError::ControlCharacter),
            (&format!("a/{longest}x"), AccountNameError::TooLong),
            (&format!("{longest}x/a"), AccountNameError::TooLong),
        ] {
            assert_eq!(AccountName::parse(text), Err(error), "{text:?}");
            let sent: Result<AccountName, _> = wire::decode(&wire::encode(&text.to_owned()));
            assert!(sent.is_err(), "{text:?}");
            assert!(error.to_string().starts_with("expected an account's name such as"));
            assert!(error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        }
        assert_eq!(AccountName::parse_short(""), Err(AccountNameError::EmptyPart));
        // The limit is one of the name itself: escaping makes it no longer.
        let slashes = "%2F".repeat(MAX_PART_BYTES);
        for text in [format!("{longest}/{longest}"), format!("{slashes}/{slashes}")] {
            assert!(AccountName::parse(&text).is_ok());
        }
        assert!(AccountNameError::TooLong.to_string().contains(&MAX_PART_BYTES.to_string()));
    }
}
