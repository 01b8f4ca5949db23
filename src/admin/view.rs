//! The JSON that operators read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::account::{AccountRecord, ApiKey, Standing};
use crate::billing::inbox::{Claim, CustomerRow, EventDetail, EventRow};
use crate::billing::outage::Outages;
use crate::identity::AccountName;
use crate::quota::CreditPack;
use crate::quota::store::AuditEntry;
use crate::time::Timestamp;

/// `value` as JSON. `serde_json` refuses maps with other keys than text, and no view has one.
pub fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A page of a list.
#[derive(Serialize)]
pub struct Listing<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> Listing<T> {
    /// The page with these items; `next` is the end of it, if it is not the last.
    pub fn new(items: impl IntoIterator<Item = T>, next: Option<&str>) -> Self {
        let next_cursor = next.map(|next| URL_SAFE_NO_PAD.encode(next));
        Self { items: items.into_iter().collect(), next_cursor }
    }
}

/// An API key, without its secret.
#[derive(Serialize)]
pub struct KeyView<'a> {
    #[serde(flatten)]
    key: &'a ApiKey,
    prefix: String,
}

impl<'a> From<&'a ApiKey> for KeyView<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self { key, prefix: format!("{}{}", ApiKey::MARK, key.id) }
    }
}

/// An API key as the answer to the request that made it.
#[derive(Serialize)]
pub struct NewKeyView<'a> {
    #[serde(flatten)]
    key: KeyView<'a>,
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl<'a> NewKeyView<'a> {
    /// The key with its text.
    pub fn with_secret(key: &'a ApiKey, text: &'a str) -> Self {
        Self { key: key.into(), secret: Some(text), note: None }
    }

    /// The answer to the same request sent again: the secret is kept nowhere.
    pub fn without_secret(key: &'a ApiKey) -> Self {
        Self { key: key.into(), secret: None, note: Some(NO_SECRET) }
    }
}

const NO_SECRET: &str = "This key was made when the request came first, and its secret was shown \
     then. It is kept nowhere: where it got lost, rotate the key.";

/// A pack of credits.
#[derive(Serialize)]
pub struct PackView<'a> {
    id: &'a str,
    units: u64,
    left: u64,
    added_at: String,
    expires_at: Option<String>,
}

impl<'a> From<&'a CreditPack> for PackView<'a> {
    fn from(pack: &'a CreditPack) -> Self {
        Self {
            id: &pack.id,
            units: pack.units,
            left: pack.left,
            added_at: pack.added_at.rfc3339_exact(),
            expires_at: pack.expires_at.map(Timestamp::rfc3339_exact),
        }
    }
}

/// A subscription, the operator's own or a provider's, judged for itself.
#[derive(Serialize)]
pub struct JudgedView<'a, T> {
    #[serde(flatten)]
    subscription: &'a T,
    standing: StandingView,
}

impl<'a, T> JudgedView<'a, T> {
    /// The subscription with its standing.
    pub fn new(subscription: &'a T, standing: &Standing) -> Self {
        let (access, cause) = match standing {
            Standing::Good { .. } => (true, None),
            Standing::Denied { cause, .. } => (false, Some(cause.word())),
        };
        Self { subscription, standing: StandingView { access, cause } }
    }
}

#[derive(Serialize)]
struct StandingView {
    access: bool,
    cause: Option<&'static str>,
}

/// The outcome of reading an account's customers again.
#[derive(Serialize)]
pub struct RereadView<'a> {
    /// The number of customers that were read.
    pub read: usize,
    /// The record then.
    pub record: Option<&'a AccountRecord>,
}

/// An entry of the audit trail.
#[derive(Serialize)]
pub struct AuditView<'a> {
    at: String,
    actor: &'a str,
    action: &'a str,
    detail: DetailView<'a>,
}

/// The detail of an entry: an object as it was written, and any other text as text.
#[derive(Serialize)]
#[serde(untagged)]
enum DetailView<'a> {
    Object(&'a RawValue),
    Text(&'a str),
}

impl<'a> From<&'a AuditEntry> for AuditView<'a> {
    fn from(entry: &'a AuditEntry) -> Self {
        let AuditEntry { at, actor, action, detail } = entry;
        let object = serde_json::from_str(detail).ok().filter(|_| detail.starts_with('{'));
        let detail = object.map_or(DetailView::Text(detail), DetailView::Object);
        Self { at: at.rfc3339_exact(), actor, action, detail }
    }
}

/// An event of a payment provider.
#[derive(Serialize)]
pub struct EventView<'a> {
    id: &'a str,
    provider: &'static str,
    r#type: &'a str,
    received_at: String,
    occurred_at: String,
    customer: Option<&'a str>,
    account: Option<&'a AccountName>,
    state: &'static str,
    reason: Option<&'a str>,
    attempts: u32,
}

impl<'a> From<&'a EventRow> for EventView<'a> {
    fn from(row: &'a EventRow) -> Self {
        Self {
            id: &row.id,
            provider: row.provider.word(),
            r#type: &row.kind,
            received_at: row.received_at.rfc3339_exact(),
            occurred_at: row.occurred_at.rfc3339_exact(),
            customer: row.customer.as_deref(),
            account: row.account.as_ref(),
            state: row.state.word(),
            reason: row.reason.as_deref(),
            attempts: row.attempts,
        }
    }
}

/// An event with its body as the provider sent it.
#[derive(Serialize)]
pub struct EventDetailView<'a> {
    #[serde(flatten)]
    event: EventView<'a>,
    body: Option<&'a str>,
}

impl<'a> From<&'a EventDetail> for EventDetailView<'a> {
    fn from(detail: &'a EventDetail) -> Self {
        Self { event: (&detail.row).into(), body: detail.body.as_deref() }
    }
}

/// A customer of a payment provider: its account, and every account that was named for it.
#[derive(Serialize)]
pub struct CustomerView<'a> {
    provider: &'static str,
    customer: &'a str,
    account: Option<&'a AccountName>,
    at: Option<String>,
    actor: Option<&'a str>,
    decided: bool,
    conflict: bool,
    named: Vec<ClaimView<'a>>,
}

#[derive(Serialize)]
struct ClaimView<'a> {
    account: &'a AccountName,
    at: String,
}

impl<'a> From<&'a CustomerRow> for CustomerView<'a> {
    fn from(row: &'a CustomerRow) -> Self {
        let CustomerRow { key, link, claims } = row;
        let link = link.as_ref();
        let claim =
            |Claim { account, at }: &'a Claim| ClaimView { account, at: at.rfc3339_exact() };
        Self {
            provider: key.provider.word(),
            customer: &key.id,
            account: link.map(|link| &link.account),
            at: link.map(|link| link.at.rfc3339_exact()),
            actor: link.map(|link| link.actor.as_str()),
            decided: link.is_some_and(|link| link.is_decided),
            conflict: row.is_in_conflict(),
            named: claims.iter().map(claim).collect(),
        }
    }
}

/// A customer as the answer to an operator's decision about it.
#[derive(Serialize)]
pub struct LinkedView<'a> {
    #[serde(flatten)]
    customer: CustomerView<'a>,
    released: usize,
}

impl<'a> LinkedView<'a> {
    /// The customer, and the number of waiting events that are on their way now.
    pub fn new(row: &'a CustomerRow, released: usize) -> Self {
        Self { customer: row.into(), released }
    }
}

/// The outages of payment providers.
#[derive(Serialize)]
pub struct OutageView {
    declared: bool,
    detected: bool,
    providers: Vec<&'static str>,
    since: Option<String>,
    failing_customers: u64,
    succeeding_customers: u64,
    window_s: i64,
}

impl OutageView {
    /// An outage that the operator declares, or that the inbox detects.
    pub fn new(declared: bool, outages: &Outages) -> Self {
        Self {
            declared,
            detected: outages.is_detected(),
            providers: outages.providers.iter().map(|one| one.word()).collect(),
            since: outages.since.map(Timestamp::rfc3339_exact),
            failing_customers: outages.failing_customers,
            succeeding_customers: outages.succeeding_customers,
            window_s: outages.window_s,
        }
    }
}

/// The detail of a revoked token in the audit trail.
#[derive(Serialize)]
pub struct RevokedTokenDetail<'a> {
    /// Its `jti`.
    pub token_id: &'a str,
}

/// The detail of revoked tokens in the audit trail.
#[derive(Serialize)]
pub struct RevokedBeforeDetail {
    /// Tokens of an earlier `iat` are revoked; RFC 3339.
    pub issued_before: String,
}
