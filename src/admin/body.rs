//! The bodies of writes.

use serde_json::Value;

use super::change::Change;
use super::invalid::InvalidRequest;
use super::record;
use crate::account::ApiKey;
use crate::config::Config;
use crate::identity::AccountName;
use crate::json_object::{JsonObject, is_line, time};
use crate::quota::CreditPack;
use crate::time::Timestamp;

/// Reads an account's record.
///
/// # Errors
///
/// The mistake in it; so for every function here.
pub fn record(body: &str, config: &Config) -> Result<Change, InvalidRequest> {
    let record = record::parse(body)?;
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
pub fn credits(body: &str, now: Timestamp) -> Result<Change, InvalidRequest> {
    Ok(Change::Credits(Box::new(CreditPack::parse(body, now)?)))
}

/// Reads the properties of a new API key; `id` is chosen for it.
///
/// # Errors
///
/// See [`record`].
pub fn key(body: &str, id: String, now: Timestamp) -> Result<Change, InvalidRequest> {
    const EXPECTED: &str = "an object such as {\"name\":\"build server\"}";
    let to_come = |value: &Value| time(value).filter(|time| *time > now);
    let key = JsonObject::parse(body, EXPECTED, |object| {
        Ok(ApiKey {
            id,
            name: object.line("name")?,
            member: object.line("member")?,
            scopes: object.optional("scopes", SCOPES, scopes)?.unwrap_or_default(),
            created_at: Some(now),
            expires_at: object.optional("expires_at", TIME_TO_COME, to_come)?,
            ..ApiKey::default()
        })
    })?;
    Ok(Change::Key(Box::new(key)))
}

/// Reads the rotation of an API key; `successor` is the id chosen for the new one.
///
/// # Errors
///
/// See [`record`].
pub fn rotation(body: &str, id: String, successor: String) -> Result<Change, InvalidRequest> {
    const EXPECTED: &str = "an object such as {\"overlap_s\":86400}";
    let overlap_s = JsonObject::parse(body, EXPECTED, |object| {
        object.needed_whole("overlap_s", 0..=MAX_OVERLAP_S)
    })?;
    Ok(Change::RotateKey { id, successor, overlap_s })
}

/// Reads a revocation of tokens.
///
/// # Errors
///
/// See [`record`].
pub fn revocation(body: &str, now: Timestamp) -> Result<Change, InvalidRequest> {
    const EXPECTED: &str = "an object such as {\"token_id\":\"…\"}";
    let has_come = |value: &Value| time(value).filter(|cut| *cut <= now.plus_ms(CLOCK_SKEW_MS));
    let named = JsonObject::parse(body, EXPECTED, |object| {
        let token_id = object.line("token_id")?;
        Ok((token_id, object.optional("issued_before", TIME_THAT_HAS_COME, has_come)?))
    })?;
    match named {
        (Some(id), None) => Ok(Change::RevokeToken(id)),
        (None, Some(cut)) => Ok(Change::RevokeBefore(cut)),
        _ => Err(InvalidRequest::NotOneRevocation),
    }
}

/// Reads the account of a customer: `{"account":"acme/alice"}`, or `alice` without tenants.
///
/// # Errors
///
/// See [`record`].
pub fn account(body: &str) -> Result<AccountName, InvalidRequest> {
    const EXPECTED: &str = "an object such as {\"account\":\"-/alice\"}";
    let name = |value: &Value| value.as_str().map(str::to_owned);
    let text = JsonObject::parse(body, EXPECTED, |object| object.needed("account", ACCOUNT, name))?;
    AccountName::parse_short(&text).map_err(InvalidRequest::from)
}

/// Checks that a body is empty, or an object without members.
///
/// # Errors
///
/// See [`record`].
pub fn nothing(body: &str) -> Result<(), InvalidRequest> {
    if body.is_empty() {
        return Ok(());
    }
    Ok(JsonObject::parse(body, "nothing, or {}", |_| Ok(()))?)
}

/// Checks that the configuration has a plan of this id.
///
/// # Errors
///
/// See [`record`].
pub fn known_plan(id: &str, config: &Config) -> Result<(), InvalidRequest> {
    if config.plans.iter().any(|plan| plan.id == id) {
        return Ok(());
    }
    let known = config.plans.iter().map(|plan| plan.id.clone()).collect();
    Err(InvalidRequest::UnknownPlan { id: id.to_owned(), known })
}

fn scopes(value: &Value) -> Option<Vec<String>> {
    let scope = |value: &Value| value.as_str().filter(|text| is_line(text)).map(str::to_owned);
    let list = value.as_array().filter(|list| (1..=MAX_SCOPES).contains(&list.len()))?;
    list.iter().map(scope).collect()
}

const ACCOUNT: &str = "an account's name such as \"-/alice\", a tenant before the slash";
const SCOPES: &str = "a list of 1 to 50 entitlements (leave it out for all that the account has)";
const MAX_SCOPES: usize = 50;
const TIME_TO_COME: &str = "an RFC 3339 time to come such as \"2027-01-01T00:00:00Z\"";
const TIME_THAT_HAS_COME: &str = "an RFC 3339 time that has come, such as \"2026-12-01T00:00:00Z\"";
/// 30 days.
const MAX_OVERLAP_S: u64 = 2_592_000;
/// The most that a client's clock may be ahead of ours.
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1_000;
