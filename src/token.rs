//! Signed tokens: JWS compact (RFC 7515), checked by the rules of RFC 8725. No crypto calls.

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// What an issuer's tokens must satisfy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The exact `iss`.
    pub issuer: String,
    /// Accepted values of `aud`; a token must name at least one. Never empty.
    pub audiences: Vec<String>,
    /// The required `typ` (RFC 8725 §3.11); where `None`, `JWT`, `at+jwt` or no `typ` is accepted.
    pub typ: Option<String>,
    /// Tolerance for clocks that disagree.
    pub leeway_s: u32,
    /// The longest accepted `exp - iat`, where the operator bounds it.
    pub max_lifetime_s: Option<u32>,
}

/// Where the gate's facts stand in an issuer's claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimMapping {
    /// The account; `sub` by default.
    pub account: ClaimPath,
    /// The tenant.
    pub tenant: Option<ClaimPath>,
    /// The plan's id.
    pub plan: Option<ClaimPath>,
    /// The entitlements: an array of strings, or one string separated by spaces.
    pub entitlements: Option<ClaimPath>,
}

/// Member names from the outside in. A name is taken literally: dots and slashes mean nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimPath(pub Vec<String>);

/// A set of keys.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {}

/// A token that was taken apart but not verified. Nothing in it may be believed.
#[derive(Clone, Debug)]
pub struct Unverified {
    /// The claims.
    pub claims: Map<String, Value>,
}

/// The facts of a verified token.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// When it stops being valid, leeway included.
    pub expires_at: Timestamp,
}
