//! The name of an account, on the command line and in a URL.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use tollgate::text::percent;

/// An account: `alice`, or `acme/alice` where there are tenants. A slash or percent sign of a name
/// itself is written as the gate does: `%2F`, `%25`.
#[derive(Clone)]
pub(crate) struct AccountName {
    tenant: String,
    account: String,
}

impl AccountName {
    /// A stand-in for an account: only the given facts apply to it.
    pub(crate) fn nobody_known() -> Self {
        Self { tenant: "-".to_owned(), account: "somebody".to_owned() }
    }

    /// Its tenant, if it has one, and itself.
    pub(crate) fn parts(&self) -> (Option<&str>, &str) {
        (Some(self.tenant.as_str()).filter(|tenant| *tenant != "-"), &self.account)
    }

    /// Its path in the admin API.
    pub(crate) fn path(&self) -> String {
        let (tenant, account) = (encoded_segment(&self.tenant), encoded_segment(&self.account));
        format!("accounts/{tenant}/{account}")
    }
}

impl FromStr for AccountName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = unguarded(text);
        let (tenant, account) = text.split_once('/').unwrap_or(("-", &text));
        if tenant.is_empty() || account.is_empty() || account.contains('/') {
            return Err("expected an account such as alice, or acme/alice with its tenant".into());
        }
        let plain = |part: &str| part.replace("%2F", "/").replace("%2f", "/").replace("%25", "%");
        Ok(Self { tenant: plain(tenant), account: plain(account) })
    }
}

/// As the gate names it.
impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str| text.replace('%', "%25").replace('/', "%2F");
        write!(formatter, "{}/{}", part(&self.tenant), part(&self.account))
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
            ("acme/a%2Fb", "accounts/acme/a%2Fb", "acme/a%2Fb"),
            ("ü", "accounts/-/%C3%BC", "-/ü"),
        ] {
            let found: AccountName = text.parse().unwrap();
            assert_eq!((found.path().as_str(), found.to_string().as_str()), (path, name));
        }
        for text in ["", "a/", "/", "a/b/c"] {
            assert!(text.parse::<AccountName>().is_err(), "{text}");
        }
    }
}
