//! Every operation: where it is, who may do it, and what its query may hold.

use crate::config::Role;
use crate::text::percent;

/// One method at one path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    /// The method; `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// The path below the prefix; a part in braces stands for one segment.
    pub path: &'static str,
    /// The least that an operator has to be; `None` where everybody may.
    pub role: Option<Role>,
    /// What its query may hold.
    pub query: &'static [&'static str],
    /// Which it is.
    pub what: What,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "each is what its name says, and OPERATIONS where")]
pub enum What {
    AddCredits,
    AddKey,
    ListAccounts,
    ListAudit,
    ListConflicts,
    ListCredits,
    ListEvents,
    ListKeys,
    ListSubscriptions,
    PutAccount,
    PutCustomer,
    ReadAccount,
    ReadCustomer,
    ReadDocument,
    ReadEvent,
    ReadOutage,
    ReadUsage,
    Reread,
    RetryEvent,
    Revoke,
    RevokeKey,
    RotateKey,
}

/// A path below an account's own.
macro_rules! account {
    ($part:literal) => {
        concat!("admin/accounts/{tenant}/{account}/", $part)
    };
}
/// Every operation, those at the same path beside each other.
pub const OPERATIONS: [Operation; 22] = [
    of("GET", "admin/openapi.json", None, &[], What::ReadDocument),
    of("GET", "admin/accounts", READ, ACCOUNTS_QUERY, What::ListAccounts),
    of("GET", ACCOUNT, READ, &[], What::ReadAccount),
    of("PUT", ACCOUNT, Some(Role::Admin), &[], What::PutAccount),
    of("GET", account!("audit"), READ, PAGE, What::ListAudit),
    of("GET", account!("credits"), READ, PAGE, What::ListCredits),
    of("POST", account!("credits"), SUPPORT, &[], What::AddCredits),
    of("GET", account!("keys"), READ, PAGE, What::ListKeys),
    of("POST", account!("keys"), SUPPORT, &[], What::AddKey),
    of("DELETE", account!("keys/{key}"), SUPPORT, &[], What::RevokeKey),
    of("POST", account!("keys/{key}/rotate"), SUPPORT, &[], What::RotateKey),
    of("POST", account!("reread"), SUPPORT, &[], What::Reread),
    of("POST", account!("revocations"), SUPPORT, &[], What::Revoke),
    of("GET", account!("subscriptions"), READ, PAGE, What::ListSubscriptions),
    of("GET", account!("usage"), READ, &["plan", "member"], What::ReadUsage),
    of("GET", "admin/conflicts", READ, PAGE, What::ListConflicts),
    of("GET", "admin/customers/{provider}/{customer}", READ, &[], What::ReadCustomer),
    of("PUT", "admin/customers/{provider}/{customer}", SUPPORT, &[], What::PutCustomer),
    of("GET", "admin/events", READ, EVENTS_QUERY, What::ListEvents),
    of("GET", "admin/events/{provider}/{event}", READ, &[], What::ReadEvent),
    of("POST", "admin/events/{provider}/{event}/retry", SUPPORT, &[], What::RetryEvent),
    of("GET", "admin/outage", READ, &[], What::ReadOutage),
];

/// What is at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// What stands in the place of the braces, decoded.
    pub parts: Vec<String>,
    /// What can be done there.
    pub operations: &'static [Operation],
}

impl Found {
    /// The operation of a method.
    pub fn operation(&self, method: &str) -> Option<&'static Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.operations.iter().find(|operation| operation.method == method)
    }

    /// The methods that work, as `Allow` wants them (RFC 9110 §10.2.1).
    pub fn allowed(&self) -> String {
        let word = |operation: &Operation| match operation.method {
            "GET" => "GET, HEAD",
            other => other,
        };
        self.operations.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// What is at `path`, which is below the prefix and as it was sent.
pub fn find(path: &str) -> Option<Found> {
    let start = OPERATIONS.iter().position(|operation| parts(operation.path, path).is_some())?;
    let rest = OPERATIONS.get(start..)?;
    let template = rest.first()?.path;
    let count = rest.iter().take_while(|operation| operation.path == template).count();
    Some(Found { parts: parts(template, path)?, operations: rest.get(..count)? })
}

/// `text`, percent-decoded; `None` where nothing is left, or no UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    percent::decode(text).ok().filter(|text| !text.is_empty())
}

const fn of(
    method: &'static str,
    path: &'static str,
    role: Option<Role>,
    query: &'static [&'static str],
    what: What,
) -> Operation {
    Operation { method, path, role, query, what }
}

const ACCOUNT: &str = "admin/accounts/{tenant}/{account}";
const READ: Option<Role> = Some(Role::Read);
const SUPPORT: Option<Role> = Some(Role::Support);
const PAGE: &[&str] = &["limit", "cursor"];
const ACCOUNTS_QUERY: &[&str] = &["status", "plan", "prefix", "limit", "cursor"];
const EVENTS_QUERY: &[&str] = &["state", "provider", "limit", "cursor"];

/// What stands in `path` where `template` has braces; `None` where the two don't match.
fn parts(template: &str, path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parts),
            (Some(wanted), Some(found)) if wanted.starts_with('{') => parts.push(decoded(found)?),
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_at_one_path_stand_together() {
        let mut paths: Vec<_> = OPERATIONS.iter().map(|operation| operation.path).collect();
        paths.dedup();
        for (index, path) in paths.iter().enumerate() {
            assert!(!paths[..index].contains(path), "{path}");
        }
    }

    #[test]
    fn paths_lead_to_what_can_be_done_there() {
        let found = find("admin/accounts/-/a%2Fb%20%C3%BC").unwrap();
        assert_eq!(found.parts, ["-", "a/b ü"]);
        assert_eq!(found.allowed(), "GET, HEAD, PUT");
        assert_eq!(found.operation("HEAD").unwrap().what, What::ReadAccount);
        assert_eq!(found.operation("DELETE"), None);
        let found = find("admin/accounts/t/x/keys/ab12/rotate").unwrap();
        assert_eq!((found.parts.len(), found.allowed().as_str()), (3, "POST"));
        for path in [
            "",
            "admin",
            "admin/accounts/",
            "admin/accounts/-",
            "admin/accounts//a",
            "admin/accounts/-/a/",
            "admin/accounts/-/a/b",
            "admin/accounts/-/%zz",
            "admin/events/x",
            "admin/accounts/-/%ff",
            "admin/accounts/-/%",
            "admin/accounts/-/%+1",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }
}
