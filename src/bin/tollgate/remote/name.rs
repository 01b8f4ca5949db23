//! The name of an account, on the command line and in a URL.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use tollgate::identity::{AccountName, AccountNameError, Identity};
use tollgate::text::percent;

/// An account: `alice`, or `acme/alice` where there are tenants. A slash or percent sign of a name
/// itself is written as the gate does: `%2F`, `%25`.
#[derive(Clone)]
pub(crate) struct AccountArgument(AccountName);

impl AccountArgument {
    /// A stand-in for an account: only the given facts apply to it.
    pub(crate) fn nobody_known() -> Self {
        let somebody = Identity { account: "somebody".to_owned(), ..Identity::default() };
        Self(somebody.account_name())
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &AccountName {
        &self.0
    }

    /// Its path in the admin API.
    pub(crate) fn path(&self) -> String {
        let tenant = self.0.tenant().unwrap_or_else(|| "-".to_owned());
        let [tenant, account] = [tenant, self.0.account()].map(|part| encoded_segment(&part));
        format!("accounts/{tenant}/{account}")
    }
}

impl FromStr for AccountArgument {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        AccountName::parse_short(&unguarded(text)).map(Self)
    }
}

/// As the gate names it.
impl fmt::Display for AccountArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// `-/alice`, as the gate names an account without a tenant, would be read as an option. So it is
/// handed to the parser as `/alice`.
pub(crate) fn guarded(argument: OsString) -> OsString {
    match argument.to_str().and_then(|text| text.strip_prefix('-')) {
        Some(rest) if rest.starts_with('/') => rest.into(),
        _ => argument,
    }
}

/// The name, or the beginning of one, as it was before.
pub(crate) fn unguarded(text: &str) -> Cow<'_, str> {
    if text.starts_with('/') { Cow::Owned(format!("-{text}")) } else { Cow::Borrowed(text) }
}

/// As a segment of a path, or a value of a query.
pub(crate) fn encoded_segment(text: &str) -> String {
    percent::encode(text, percent::is_unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_reach_the_gate_as_they_are_meant() {
        for (text, path, name) in [
            ("alice", "accounts/-/alice", "-/alice"),
            ("-/alice", "accounts/-/alice", "-/alice"),
            ("/alice", "accounts/-/alice", "-/alice"),
            ("acme/a b", "accounts/acme/a%20b", "acme/a b"),
            ("acme/a%2fb", "accounts/acme/a%2Fb", "acme/a%2Fb"),
            ("100%", "accounts/-/100%25", "-/100%25"),
            ("ü", "accounts/-/%C3%BC", "-/ü"),
        ] {
            let found: AccountArgument = text.parse().unwrap();
            assert_eq!((found.path().as_str(), found.to_string().as_str()), (path, name));
        }
        for text in ["", "a/", "/", "a/b/c"] {
            assert!(text.parse::<AccountArgument>().is_err(), "{text}");
        }
    }
}
