//! The bodies of writes.

use serde_json::{Map, Value};

use super::change::Change;
use crate::account::{AccountRecord, ApiKey};
use crate::config::Config;
use crate::identity::AccountName;
use crate::quota::CreditPack;
use crate::strict_json::{self, StrictValue};
use crate::time::Timestamp;

/// Reads an account's record.
///
/// # Errors
///
/// The mistake in it, as a sentence; so for every function here.
pub fn record(body: &str, config: &Config) -> Result<Change, String> {
    let value =
        strict_json::parse(body).map_err(|error| format!("The body isn't JSON: {error}."))?;
    let record = AccountRecord::try_from(StrictValue(value))
        .map_err(|reason| format!("The record: {reason}."))?;
    for plan in record.own.plan_ids() {
        known_plan(plan, config)?;
    }
    Ok(Change::Record(Box::new(record)))
}

/// Reads a pack of credits.
///
/// # Errors
///
/// See [`record`].
pub fn credits(body: &str, now: Timestamp) -> Result<Change, String> {
    Ok(Change::Credits(Box::new(CreditPack::parse(body, now)?)))
}

/// Reads the properties of a new API key; `id` is chosen for it.
///
/// # Errors
///
/// See [`record`].
pub fn key(body: &str, id: String, now: Timestamp) -> Result<Change, String> {
    let mut fields = Fields::of(body, "{\"name\":\"build server\"}")?;
    let scopes = fields.take("scopes");
    let expires_at = fields.take("expires_at");
    let key = ApiKey {
        id,
        name: fields.text("name")?,
        member: fields.text("member")?,
        scopes: if scopes.is_null() { Vec::new() } else { texts(&scopes)? },
        created_at: Some(now),
        expires_at: if expires_at.is_null() { None } else { Some(time(&expires_at, now)?) },
        ..ApiKey::default()
    };
    fields.finish("name, member, scopes and expires_at")?;
    Ok(Change::Key(Box::new(key)))
}

/// Reads the rotation of an API key; `successor` is the id chosen for the new one.
///
/// # Errors
///
/// See [`record`].
pub fn rotation(body: &str, id: String, successor: String) -> Result<Change, String> {
    let mut fields = Fields::of(body, "{\"overlap_s\":86400}")?;
    let found = fields.take("overlap_s");
    let overlap_s =
        found.as_u64().filter(|overlap| *overlap <= MAX_OVERLAP_S).ok_or_else(|| {
            format!(
                "overlap_s: expected for how many seconds the old key still works, 0 to \
             {MAX_OVERLAP_S}, found {found}."
            )
        })?;
    fields.finish("overlap_s")?;
    Ok(Change::RotateKey { id, successor, overlap_s })
}

/// Reads a revocation of tokens.
///
/// # Errors
///
/// See [`record`].
pub fn revocation(body: &str, now: Timestamp) -> Result<Change, String> {
    let mut fields = Fields::of(body, "{\"token_id\":\"…\"}")?;
    let cut = fields.take("issued_before");
    let token_id = fields.text("token_id")?;
    fields.finish("token_id or issued_before")?;
    match (token_id, cut) {
        (Some(id), Value::Null) => Ok(Change::RevokeToken(id)),
        (None, Value::String(text)) => {
            let cut = Timestamp::parse_rfc3339(&text);
            let cut = cut.filter(|cut| *cut <= now.plus_ms(CLOCK_SKEW_MS)).ok_or_else(|| {
                format!(
                    "issued_before: expected an RFC 3339 time that has come, such as \
                     \"2026-12-01T00:00:00Z\", found {text:?}."
                )
            })?;
            Ok(Change::RevokeBefore(cut))
        }
        _ => Err("The body: expected either token_id or issued_before, a string.".to_owned()),
    }
}

/// Reads the account of a customer: `{"account":"acme/alice"}`, or `alice` without tenants.
///
/// # Errors
///
/// See [`record`].
pub fn account(body: &str) -> Result<AccountName, String> {
    const EXAMPLE: &str = "{\"account\":\"-/alice\"}";
    let mut fields = Fields::of(body, EXAMPLE)?;
    let account = fields.text("account")?;
    fields.finish("account")?;
    let account = AccountName::parse_short(&account.unwrap_or_default());
    account.map_err(|error| format!("account: {error}."))
}

/// Checks that a body is empty, or an object without members.
///
/// # Errors
///
/// See [`record`].
pub fn nothing(body: &str) -> Result<(), String> {
    if body.is_empty() { Ok(()) } else { Fields::of(body, "{}")?.finish("nothing") }
}

/// Checks that the configuration has a plan of this id.
///
/// # Errors
///
/// See [`record`].
pub fn known_plan(id: &str, config: &Config) -> Result<(), String> {
    if config.plans.iter().any(|plan| plan.id == id) {
        return Ok(());
    }
    let known: Vec<_> = config.plans.iter().map(|plan| plan.id.as_str()).collect();
    Err(format!("PLANS has no plan {id:?}; it has {}.", known.join(", ")))
}

/// The members of an object that were not read yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(body: &str, example: &str) -> Result<Self, String> {
        let value =
            strict_json::parse(body).map_err(|error| format!("The body isn't JSON: {error}."))?;
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(format!("The body: expected an object such as {example}.")),
        }
    }

    fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            Value::Null => Ok(None),
            Value::String(text) if is_name(&text) => Ok(Some(text)),
            found => Err(format!(
                "{name}: expected a text of 1 to {MAX_TEXT_BYTES} bytes on one line, found {found}."
            )),
        }
    }

    fn finish(self, known: &str) -> Result<(), String> {
        match self.0.keys().next() {
            Some(name) => Err(format!("The body: unknown field {name:?}, expected {known}.")),
            None => Ok(()),
        }
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let text = |value: &Value| value.as_str().filter(|text| is_name(text)).map(str::to_owned);
    let list = value.as_array().filter(|list| (1..=MAX_SCOPES).contains(&list.len()));
    let texts: Option<Vec<_>> = list.and_then(|list| list.iter().map(text).collect());
    texts.ok_or_else(|| {
        format!(
            "scopes: expected a list of 1 to {MAX_SCOPES} entitlements; leave it out for all that \
             the account has. Found {value}."
        )
    })
}

fn time(value: &Value, now: Timestamp) -> Result<Timestamp, String> {
    let time = value.as_str().and_then(Timestamp::parse_rfc3339);
    time.filter(|time| *time > now).ok_or_else(|| {
        format!(
            "expires_at: expected an RFC 3339 time to come such as \"2027-01-01T00:00:00Z\", \
             found {value}."
        )
    })
}

fn is_name(text: &str) -> bool {
    (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.contains(|one: char| one.is_control())
}

/// They stand in the record, in the audit trail and in answers.
const MAX_TEXT_BYTES: usize = 200;
const MAX_SCOPES: usize = 50;
/// 30 days.
const MAX_OVERLAP_S: u64 = 2_592_000;
/// How far a client's clock may be ahead of ours.
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1_000;
