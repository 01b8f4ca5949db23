//! The operator's configuration: bindings in, one validated [`Config`] out.

use crate::account::FailurePolicy;
use crate::quota::Quota;
use crate::request::RoutePattern;
use crate::token::{ClaimMapping, KeyRing, Rules};

/// A configuration that was checked: holding one means it can be used.
#[derive(Debug)]
pub struct Config {
    /// The path under which the gate's own endpoints live, such as `/_tollgate/`.
    pub prefix: String,
    /// Where requests go that pass, unless their route says otherwise.
    pub origin: OriginTarget,
    /// The routes, first match wins; the last one matches everything.
    pub routes: Vec<Route>,
    /// What is sold, in the operator's order.
    pub plans: Vec<Plan>,
    /// Who signs tokens.
    pub issuers: Vec<Issuer>,
    /// What the pages look like and link to.
    pub brand: Brand,
    /// Where a credential may stand in a request, in order of preference.
    pub credentials: Vec<CredentialSource>,
}

/// Where a passed request goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OriginTarget {
    /// A service binding of this name.
    Service(String),
    /// A URL: scheme, host and optional port.
    Url(String),
}

/// A method + host + path pattern and what it asks for.
#[derive(Debug)]
pub struct Route {
    /// Which requests it is about.
    pub pattern: RoutePattern,
    /// Passes at once, without any check.
    pub open: bool,
    /// Entitlements that are all needed.
    pub requires: Vec<String>,
    /// What is counted, and how many units one request costs.
    pub metering: Option<Metering>,
    /// What a request without a credential gets.
    pub anonymous: Anonymous,
    /// What happens when the ledger can't be reached; the plan decides where it is not said.
    pub on_outage: Option<FailurePolicy>,
    /// Another origin than the default one.
    pub origin: Option<OriginTarget>,
    /// Whether the credential is forwarded to the origin.
    pub forward_credential: bool,
    /// Whether units are given back when the origin fails.
    pub refund: bool,
}

/// What one request on a route costs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metering {
    /// The meter that counts.
    pub meter: String,
    /// Units per request, at least 1.
    pub cost: u64,
}

/// What a request without a credential gets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Anonymous {
    /// 401: sign in.
    #[default]
    Deny,
    /// 402: here is what to buy.
    Offer,
}

/// Where a credential may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CredentialSource {
    /// `Authorization: Bearer …`
    Bearer,
    /// A cookie of this name.
    Cookie(String),
    /// A header of this name, lower case.
    Header(String),
    /// A query parameter of this name.
    Query(String),
}

/// Something that is sold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Its id in tokens and records.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its price in words.
    pub price: Option<String>,
    /// Entitlements it includes.
    pub entitlements: Vec<String>,
    /// Its limits.
    pub quotas: Vec<Quota>,
    /// Where to buy it.
    pub buy_url: Option<String>,
    /// Whether new customers can buy it.
    pub on_sale: bool,
    /// What happens when the ledger can't be reached.
    pub on_outage: FailurePolicy,
    /// Days of access after a failed charge.
    pub grace_days: u32,
}

/// Somebody who signs tokens.
#[derive(Debug)]
pub struct Issuer {
    /// The claims every token must satisfy.
    pub rules: Rules,
    /// Where plan, entitlements, tenant and account stand.
    pub mapping: ClaimMapping,
    /// Where the keys are.
    pub keys: KeySource,
    /// Whether the token or the ledger's record says what the account may do.
    pub subscription: SubscriptionSource,
}

/// Where an issuer's keys are.
#[derive(Debug)]
pub enum KeySource {
    /// In the configuration.
    Inline(KeyRing),
    /// At a JWKS URL (RFC 7517 §5).
    Url(String),
}

/// Who says what an account may do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SubscriptionSource {
    /// The ledger's record.
    Account,
    /// Both: entitlements of either, and the record's standing.
    Both,
    /// The token alone; unmetered routes then need no call to the ledger.
    #[default]
    Token,
}

/// What the pages look like and link to. All URLs are `https:` (or loopback `http:`), checked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Brand {
    /// The operator's name.
    pub name: String,
    /// Accent colour as `#rrggbb`, readable under white text (contrast at least 4.5:1).
    pub color: String,
    /// A logo.
    pub logo_url: Option<String>,
    /// Where to sign in.
    pub sign_in_url: Option<String>,
    /// Where plans are sold.
    pub plans_url: Option<String>,
    /// Where payment methods and subscriptions are managed.
    pub account_url: Option<String>,
    /// Where help is: a page or `mailto:`.
    pub support_url: Option<String>,
}
