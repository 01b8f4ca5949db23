//! The table of refusals: every header field and every member of a body, with the source of its
//! value and its readers.
//!
//! Each row is declared together with what writes it: a header's row is the constant that
//! `headers.rs` pushes it by, and a member's row is the field that is serialised. A name stands in
//! one row only, so that no two protocols can claim it. The error form of a further protocol, such
//! as the error object of an AI dialect or the offers of a payment protocol, is further rows with a
//! [`ReadBy`] of its own.

use serde::Serialize;

use crate::cause::Remedy;
use crate::identity::DEGRADED_HEADER;
use crate::plan::QuotaName;

/// One header field, or one member of a JSON body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The source of its value, and when it stands there if that is not always.
    pub value: &'static str,
    /// Its readers.
    pub readers: &'static [ReadBy],
}

/// A kind of client that acts on a header field or a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadBy {
    /// Bearer token clients (RFC 6750 §3).
    Bearer,
    /// Browsers: security policies and CORS (Fetch standard, CSP Level 3).
    Browser,
    /// HTTP clients and caches (RFC 9110, RFC 9111, RFC 8288).
    Http,
    /// Clients in the style of `OpenAI`'s: they retry by `Retry-After`, and where a body has no
    /// `error` they take `type` from its top level.
    OpenAi,
    /// Problem detail clients (RFC 9457).
    Problem,
    /// Rate limit clients (draft-ietf-httpapi-ratelimit-headers).
    RateLimit,
    /// Scripts of web pages, which see a header field of another origin only where CORS exposes it.
    Script,
    /// Search engines.
    SearchEngine,
    /// Programs written for this gate, and support, by its documentation.
    Tollgate,
}

/// Declares the header fields: the constant that each is written by, and the table of them all.
macro_rules! headers {
    ($(
        $(#[$meta:meta])*
        $constant:ident = $name:expr, $value:literal, [$($reader:ident),+];
    )+) => {
        $($(#[$meta])* pub const $constant: &str = $name;)+

        /// Every header field that the gate itself puts on an answer.
        pub const HEADERS: &[Row] = &[
            $(Row { name: $name, value: $value, readers: &[$(ReadBy::$reader),+] }),+
        ];
    };
}

headers! {
    /// The methods of an endpoint.
    ALLOW = "Allow", "on 405: `Refusal::allow`", [Http];
    /// Whether a page may read an answer to its cookies.
    ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials",
        "`true` for a page of the same site", [Browser];
    /// The header fields that a page may send.
    ALLOW_HEADERS = "Access-Control-Allow-Headers",
        "on a preflight: the fields that carry a credential", [Browser];
    /// The methods that a page may use.
    ALLOW_METHODS = "Access-Control-Allow-Methods", "on a preflight", [Browser];
    /// The origin that may read the answer.
    ALLOW_ORIGIN = "Access-Control-Allow-Origin",
        "where `Origin` was sent: that of the same site, else `*`", [Browser];
    /// The header fields that scripts may read.
    EXPOSE_HEADERS = "Access-Control-Expose-Headers",
        "where `Origin` was sent: EXPOSED_HEADERS", [Browser];
    /// For how long a preflight holds.
    MAX_AGE = "Access-Control-Max-Age", "on a preflight, in seconds", [Browser];
    /// The rule for caches.
    CACHE_CONTROL = "Cache-Control",
        "`no-store`, but for explanations, which are the same for everybody", [Http];
    /// The language of the sentences.
    CONTENT_LANGUAGE = "Content-Language", "message::LANGUAGE", [Http];
    /// The sources that a page may load.
    CONTENT_SECURITY_POLICY = "Content-Security-Policy",
        "on a page: its own two style sheets and the brand's logo", [Browser];
    /// The format of the body.
    CONTENT_TYPE = "Content-Type", "the negotiated format", [Http, Problem];
    /// The explanation of the cause.
    LINK = "Link", "on a denial: the problem type URI, as `rel=\"help\"`", [Http, Script];
    /// The address to go on with.
    LOCATION = "Location", "on a redirection", [Http];
    /// The rest of each quota.
    RATE_LIMIT = "RateLimit", "the quotas that the request is counted in", [RateLimit, Script];
    /// The size of each quota.
    RATE_LIMIT_POLICY = "RateLimit-Policy",
        "the quotas that the request is counted in", [RateLimit, Script];
    /// The referrer that pages behind a link get.
    REFERRER_POLICY = "Referrer-Policy", "`strict-origin`", [Browser];
    /// The time to wait, in seconds.
    RETRY_AFTER = "Retry-After",
        "where waiting helps: `Denial::retry_at`, or the pause between two looks",
        [Http, OpenAi, Script];
    /// Carries the cause's word.
    CAUSE_HEADER = "Tollgate-Cause", "on a denial: `Cause::word`", [Tollgate, Script];
    /// Says that a request passed without its checks.
    DEGRADED = DEGRADED_HEADER,
        "on an unchecked pass: `Degraded::word`", [Tollgate, Script];
    /// Warns about a request that passed: a list of tokens with parameters (RFC 9651 §3.1).
    NOTICE_HEADER = "Tollgate-Notice", "on a pass and on usage: `Notice`", [Tollgate, Script];
    /// The header fields that the answer depends on.
    VARY = "Vary", "the header fields that the answer was chosen by", [Http];
    /// The ways to authenticate.
    WWW_AUTHENTICATE = "WWW-Authenticate",
        "on 401: the brand's name, and the fault of the credential", [Http, Bearer, Script];
    /// Keeps browsers from guessing another format.
    CONTENT_TYPE_OPTIONS = "X-Content-Type-Options", "`nosniff`", [Browser];
    /// Keeps answers out of search results.
    ROBOTS_TAG = "X-Robots-Tag", "`noindex`", [SearchEngine];
}

/// `Access-Control-Expose-Headers`: the rows that a [`ReadBy::Script`] reads.
pub const EXPOSED_HEADERS: &str = "Link, RateLimit, RateLimit-Policy, Retry-After, \
     Tollgate-Cause, Tollgate-Degraded, Tollgate-Notice, WWW-Authenticate";

/// Declares a JSON object: the struct that is serialised, and the table of its members.
macro_rules! members {
    (
        $(#[$table_meta:meta])* table $table:ident;
        $(#[$meta:meta])* struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $type:ty = $member:literal, $value:literal, [$($reader:ident),+];
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Serialize)]
        pub(super) struct $name<'a> {
            $(#[serde(rename = $member)] $(#[$field_meta])* pub(super) $field: $type,)+
        }

        $(#[$table_meta])*
        pub const $table: &[Row] = &[
            $(Row { name: $member, value: $value, readers: &[$(ReadBy::$reader),+] }),+
        ];
    };
}

members! {
    /// Every member of the problem details of a denial. An error of the gate's own endpoints has
    /// the first five of them.
    table MEMBERS;
    /// The problem details of a denial.
    struct Problem {
        type_uri: &'a str = "type", "`Place::type_uri` of the cause", [Problem, OpenAi];
        title: &'a str = "title", "message::title of the cause", [Problem];
        status: u16 = "status", "`Cause::status`", [Problem];
        detail: &'a str = "detail", "message::detail of the denial", [Problem];
        instance: &'a str = "instance", "the path of the request, without its query", [Problem];
        cause: &'a str = "cause", "`Cause::word`", [Tollgate];
        #[serde(skip_serializing_if = "Option::is_none")]
        payment_failure: Option<&'a str> = "payment_failure",
            "where a charge failed: `PaymentFailure::word`", [Tollgate];
        #[serde(skip_serializing_if = "Option::is_none")]
        advice: Option<&'a str> = "advice", "where a charge failed: what helps", [Tollgate];
        remedies: &'a [Remedy] = "remedies", "`Denial::remedies`, best first", [Tollgate];
        retryable: bool = "retryable", "whether waiting alone helps", [Tollgate];
        support_id: &'a str = "support_id", "names the denial in the operator's log", [Tollgate];
        #[serde(skip_serializing_if = "Option::is_none")]
        quota: Option<Quota<'a>> = "quota", "the quota that denied, if one did", [Tollgate];
        #[serde(skip_serializing_if = "Option::is_none")]
        violated_policies: Option<[&'a QuotaName; 1]> = "violated-policies",
            "the name of the quota that denied, if one did", [RateLimit];
    }
}

members! {
    /// Every member of `quota`.
    table QUOTA_MEMBERS;
    /// The quota that denied.
    struct Quota {
        name: &'a QuotaName = "name", "`QuotaState::name`", [Tollgate];
        limit: u64 = "limit", "units of a period", [Tollgate];
        used: u64 = "used", "units used in it", [Tollgate];
        resets_at: String = "resets_at", "the end of the period, RFC 3339", [Tollgate];
    }
}

/// Every member of one of `remedies`, with those of its `plan` behind a full stop. [`Remedy`] is
/// serialised as it is.
pub const REMEDY_MEMBERS: &[Row] = &[
    of_gate("action", "`Action::word`"),
    of_gate("href", "where to do it, if there is a place"),
    of_gate("plan", "the plan that the action is about, if it is about one"),
    of_gate("plan.id", "`PlanOffer::id`"),
    of_gate("plan.name", "`PlanOffer::name`"),
    of_gate("plan.price", "`PlanOffer::price`, if the operator gave one"),
];

const fn of_gate(name: &'static str, value: &'static str) -> Row {
    Row { name, value, readers: &[ReadBy::Tollgate] }
}
