//! The table of endpoints: method, path, callers, input and output of each.

/// One method at one path.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// The path below the prefix. `{name}` is the rest of a path, slashes and all; `{/name}` is
    /// nothing, or a slash and the rest of the path.
    pub path: &'static str,
    /// Its callers.
    pub access: Access,
    /// The part of a request that is read beside its path.
    pub input: Input,
    /// The form of a good answer.
    pub output: Output,
    pub(super) wrong_method: WrongMethod,
    /// Whether pages of other origins may ask for leave to send a credential.
    pub(super) has_preflight: bool,
    pub(super) id: Id,
}

/// The method of an endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`.
    Post,
    /// Each operation has its own.
    OfOperation,
}

/// The callers of an endpoint, and their credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Everybody, without a credential.
    Everybody,
    /// The callers of an account, by the credential that opens its pages.
    Caller,
    /// A payment provider, by its signature over the body.
    Provider,
    /// Operators, by their token; each operation names the least role.
    Operator,
}

/// The part of a request that an endpoint reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Input {
    /// Nothing but the path.
    None,
    /// These names in the query; others are ignored.
    Query(&'static [&'static str]),
    /// A body in the provider's form.
    Event,
    /// Each operation has its own.
    OfOperation,
}

/// The form of an endpoint's good answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Output {
    /// JSON, for every caller.
    Json,
    /// A page, JSON or text, as the caller prefers.
    Negotiated,
    /// A redirection; for programs JSON with the address.
    Redirection,
    /// Each operation has its own.
    OfOperation,
}

/// The answer to another method than the row's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WrongMethod {
    /// 405.
    NotAllowed,
    /// 404: a problem type is a name, and only its explanation is an endpoint.
    NoEndpoint,
    /// The endpoint's own, after checks that come before that of the method.
    CheckedLater,
}

/// The identity of an endpoint; two rows share one where they do the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Id {
    Checkout,
    Explanation,
    Health,
    KeySet,
    Operation,
    Portal,
    Status,
    Usage,
    Webhook,
}

/// Every endpoint, in the order of the documentation.
pub const ENDPOINTS: &[Row] = &[
    public("health", Output::Json, Id::Health),
    public("jwks.json", Output::Json, Id::KeySet),
    Row {
        wrong_method: WrongMethod::NoEndpoint,
        ..public("problems/{cause}", Output::Negotiated, Id::Explanation)
    },
    Row { has_preflight: true, ..account("usage", Input::None, Id::Usage) },
    Row { has_preflight: true, ..account("status", LOOK, Id::Status) },
    Row { method: Method::Post, ..account("refresh", LOOK, Id::Status) },
    Row {
        output: Output::Redirection,
        ..account("billing/portal", Input::Query(&["return"]), Id::Portal)
    },
    Row {
        output: Output::Redirection,
        ..account("billing/checkout", Input::Query(&["plan", "return"]), Id::Checkout)
    },
    Row {
        method: Method::Post,
        access: Access::Provider,
        input: Input::Event,
        wrong_method: WrongMethod::CheckedLater,
        ..public("webhooks/{provider}", Output::Json, Id::Webhook)
    },
    Row {
        method: Method::OfOperation,
        access: Access::Operator,
        input: Input::OfOperation,
        wrong_method: WrongMethod::CheckedLater,
        ..public("admin{/operation}", Output::OfOperation, Id::Operation)
    },
];

impl Row {
    /// The value of the path's parameter, empty where it has none; `None` for another endpoint's
    /// path.
    pub(super) fn parameter<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some((start, name)) = self.path.split_once('{') else {
            return (path == self.path).then_some("");
        };
        let rest = path.strip_prefix(start)?;
        match rest.strip_prefix('/') {
            Some(rest) if name.starts_with('/') => Some(rest),
            _ if name.starts_with('/') => rest.is_empty().then_some(""),
            _ => Some(rest),
        }
    }
}

impl Method {
    /// Whether `method` is this one.
    pub(super) fn is(self, method: &str) -> bool {
        match self {
            Self::Get => matches!(method, "GET" | "HEAD"),
            Self::Post => method == "POST",
            Self::OfOperation => true,
        }
    }

    /// The methods, as `Allow` lists them (RFC 9110 §10.2.1).
    pub const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::OfOperation => "",
        }
    }
}

/// The page to look for, and how often it was looked for.
const LOOK: Input = Input::Query(&["return", "attempt"]);

const fn public(path: &'static str, output: Output, id: Id) -> Row {
    Row {
        method: Method::Get,
        path,
        access: Access::Everybody,
        input: Input::None,
        output,
        wrong_method: WrongMethod::NotAllowed,
        has_preflight: false,
        id,
    }
}

const fn account(path: &'static str, input: Input, id: Id) -> Row {
    Row { access: Access::Caller, input, ..public(path, Output::Negotiated, id) }
}
