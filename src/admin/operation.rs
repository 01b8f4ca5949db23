//! The table of endpoints: method, path, role, query, input and output of every operation. Router
//! and checks read it; tests hold the `OpenAPI` document and the table in `docs/admin.md` to it.

use self::OperationId::{
    AddCredits, AddKey, ListAccounts, ListAudit, ListConflicts, ListCredits, ListEvents, ListKeys,
    ListSubscriptions, PutAccount, PutCustomer, ReadAccount, ReadCustomer, ReadDocument, ReadEvent,
    ReadOutage, ReadUsage, Reread, RetryEvent, Revoke, RevokeKey, RotateKey,
};
use self::Output::Object;

use crate::config::Role;
use crate::text::percent;

/// One method at one path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    /// The method; `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// The path below the prefix; a part in braces stands for one segment.
    pub path: &'static str,
    /// Its callers.
    pub access: Access,
    /// The names that its query may hold.
    pub query: &'static [&'static str],
    /// Its body.
    pub input: Input,
    /// The body of its answer.
    pub output: Output,
    /// Its identity, `operationId` in the `OpenAPI` document.
    pub id: OperationId,
}

/// The callers of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Operators of at least this role.
    Role(Role),
}

/// The body of a request. Schemas are those of the `OpenAPI` document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Input {
    /// Not read: the operation is a read.
    None,
    /// Nothing, or an object without members.
    Empty,
    /// An object of this schema.
    Object(&'static str),
}

/// The body of an answer. Schemas are those of the `OpenAPI` document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Output {
    /// Nothing.
    Empty,
    /// An object of this schema; the document itself has none.
    Object(&'static str),
    /// A page of items of this schema.
    Page(&'static str),
}

/// The identity of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "OPERATIONS describes each")]
pub enum OperationId {
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
    DOCUMENT,
    list(ListAccounts, "admin/accounts", ACCOUNTS_QUERY, "AccountSummary"),
    read(ReadAccount, ACCOUNT, &[], "Record"),
    write(PutAccount, "PUT", ACCOUNT, Role::Admin, (Input::Object("Record"), Object("Record"))),
    list(ListAudit, account!("audit"), PAGE, "AuditEntry"),
    list(ListCredits, account!("credits"), PAGE, "Pack"),
    post(AddCredits, account!("credits"), (Input::Object("NewPack"), Object("Pack"))),
    list(ListKeys, account!("keys"), PAGE, "Key"),
    post(AddKey, account!("keys"), (Input::Object("NewKey"), Object("MadeKey"))),
    write(
        RevokeKey,
        "DELETE",
        account!("keys/{key}"),
        Role::Support,
        (Input::Empty, Output::Empty),
    ),
    post(RotateKey, account!("keys/{key}/rotate"), (Input::Object("Rotation"), Object("MadeKey"))),
    post(Reread, account!("reread"), (Input::Empty, Object("Reread"))),
    post(Revoke, account!("revocations"), (Input::Object("Revocation"), Object("Record"))),
    list(ListSubscriptions, account!("subscriptions"), PAGE, "JudgedSubscription"),
    read(ReadUsage, account!("usage"), &["plan", "member"], "Usage"),
    list(ListConflicts, "admin/conflicts", PAGE, "Customer"),
    read(ReadCustomer, CUSTOMER, &[], "Customer"),
    write(
        PutCustomer,
        "PUT",
        CUSTOMER,
        Role::Support,
        (Input::Object("CustomerAccount"), Object("Linked")),
    ),
    list(ListEvents, "admin/events", EVENTS_QUERY, "Event"),
    read(ReadEvent, "admin/events/{provider}/{event}", &[], "EventDetail"),
    post(RetryEvent, "admin/events/{provider}/{event}/retry", (Input::Empty, Object("Event"))),
    read(ReadOutage, "admin/outage", &[], "Outage"),
];

/// The operations at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The values of the parameters in the path, decoded.
    pub parameters: Vec<String>,
    /// The operations.
    pub operations: &'static [Operation],
}

impl Endpoint {
    /// The operation of a method.
    pub fn operation(&self, method: &str) -> Option<&'static Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.operations.iter().find(|operation| operation.method == method)
    }

    /// The methods, as `Allow` lists them (RFC 9110 §10.2.1).
    pub fn allowed_methods(&self) -> String {
        let word = |operation: &Operation| match operation.method {
            "GET" => "GET, HEAD",
            other => other,
        };
        self.operations.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// The endpoint at `path`, which is below the prefix and as it was sent.
pub fn find(path: &str) -> Option<Endpoint> {
    let start = OPERATIONS.iter().position(|row| parameters(row.path, path).is_some())?;
    let rest = OPERATIONS.get(start..)?;
    let template = rest.first()?.path;
    let count = rest.iter().take_while(|operation| operation.path == template).count();
    Some(Endpoint { parameters: parameters(template, path)?, operations: rest.get(..count)? })
}

/// `text`, percent-decoded; `None` where nothing is left, or no UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    percent::decode(text).ok().filter(|text| !text.is_empty())
}

/// Open to everybody, also while the other endpoints are closed.
const DOCUMENT: Operation = Operation {
    method: "GET",
    path: "admin/openapi.json",
    access: Access::Public,
    query: &[],
    input: Input::None,
    output: Output::Object("object"),
    id: ReadDocument,
};

const fn read(
    id: OperationId,
    path: &'static str,
    query: &'static [&'static str],
    schema: &'static str,
) -> Operation {
    let (access, input) = (Access::Role(Role::Read), Input::None);
    Operation { method: "GET", path, access, query, input, output: Object(schema), id }
}

const fn list(
    id: OperationId,
    path: &'static str,
    query: &'static [&'static str],
    schema: &'static str,
) -> Operation {
    Operation { output: Output::Page(schema), ..read(id, path, query, schema) }
}

const fn post(id: OperationId, path: &'static str, bodies: (Input, Output)) -> Operation {
    write(id, "POST", path, Role::Support, bodies)
}

const fn write(
    id: OperationId,
    method: &'static str,
    path: &'static str,
    role: Role,
    (input, output): (Input, Output),
) -> Operation {
    Operation { method, path, access: Access::Role(role), query: &[], input, output, id }
}

const ACCOUNT: &str = "admin/accounts/{tenant}/{account}";
const CUSTOMER: &str = "admin/customers/{provider}/{customer}";
const PAGE: &[&str] = &["limit", "cursor"];
const ACCOUNTS_QUERY: &[&str] = &["status", "plan", "prefix", "limit", "cursor"];
const EVENTS_QUERY: &[&str] = &["state", "provider", "limit", "cursor"];

/// The segments of `path` where `template` has braces; `None` where the two don't match.
fn parameters(template: &str, path: &str) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(found)) if wanted.starts_with('{') => {
                parameters.push(decoded(found)?);
            }
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
        assert_eq!(found.parameters, ["-", "a/b ü"]);
        assert_eq!(found.allowed_methods(), "GET, HEAD, PUT");
        assert_eq!(found.operation("HEAD").unwrap().id, OperationId::ReadAccount);
        assert_eq!(found.operation("DELETE"), None);
        let found = find("admin/accounts/t/x/keys/ab12/rotate").unwrap();
        assert_eq!((found.parameters.len(), found.allowed_methods().as_str()), (3, "POST"));
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
