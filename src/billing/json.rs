//! Reads what providers send: nothing about its shape is taken for granted, and nothing panics.

use serde_json::Value;

use super::BillingEvent;
use crate::config::{Billing, Plan, plan_named};
use crate::identity::account_name;
use crate::quota::store::MAX_UNITS;
use crate::time::Timestamp;
use crate::token::MAX_NAME_BYTES;

/// What stands at `path`, names apart by dots; null is nothing.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name));
    found.filter(|value| !value.is_null())
}

/// The text at `path`, where it is one and not empty.
pub(super) fn text_at<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

/// Whether `true` stands at `path`.
pub(super) fn is_at(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or(false)
}

/// Whether the number zero stands at `path`.
pub(super) fn is_nothing_at(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_f64) == Some(0.0)
}

/// The list at `path`; an empty one where there is none.
pub(super) fn list_at<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The id at `path`: a text, a whole number, or an object in the place of its id.
pub(super) fn id_at(value: &Value, path: &str) -> Option<String> {
    id_of(at(value, path)?)
}

fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => id.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::Object(object) => match object.get("id")? {
            Value::Object(_) => return None,
            id => return id_of(id),
        },
        _ => return None,
    };
    Some(id).filter(|id| !id.is_empty() && id.len() <= MAX_NAME_BYTES)
}

/// The id at `path`, which has to be there.
pub(super) fn needed_id(value: &Value, path: &str) -> Result<String, String> {
    id_at(value, path).ok_or_else(|| missing(path, "an id"))
}

/// The text at `path`, which has to be there.
pub(super) fn needed_text(value: &Value, path: &str) -> Result<String, String> {
    let found = text_at(value, path).filter(|text| text.len() <= MAX_NAME_BYTES);
    found.map(str::to_owned).ok_or_else(|| missing(path, "a text"))
}

/// The time at `path`: seconds since 1970, or as RFC 3339.
///
/// # Errors
///
/// Something else stands there.
pub(super) fn time_at(value: &Value, path: &str) -> Result<Option<Timestamp>, String> {
    let Some(found) = at(value, path) else { return Ok(None) };
    let time = match found {
        Value::String(text) => Timestamp::parse_rfc3339(text),
        // Whole seconds, and floats that are.
        _ => found
            .as_f64()
            .filter(|seconds| (0.0..=LAST_S).contains(seconds))
            .map(|seconds| Timestamp::from_millis(in_ms(seconds))),
    };
    time.map(Some).ok_or_else(|| missing(path, "a time"))
}

#[expect(clippy::cast_possible_truncation, reason = "in range; less than a millisecond is dropped")]
fn in_ms(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

/// 9999-12-31T23:59:59Z.
const LAST_S: f64 = 253_402_300_799.0;

/// The time at `path`, which has to be there.
pub(super) fn needed_time(value: &Value, path: &str) -> Result<Timestamp, String> {
    time_at(value, path)?.ok_or_else(|| missing(path, "a time"))
}

pub(super) fn missing(path: &str, expected: &str) -> String {
    ["expected ", expected, " at ", path].concat()
}

/// The account that the object at `path` names under the configured key: `alice`, or `acme/alice`
/// with a tenant. Slashes and percent signs inside of a name are percent-encoded.
///
/// # Errors
///
/// There is such an entry, and it names no account.
pub(super) fn account_at(
    billing: &Billing,
    value: &Value,
    path: &str,
) -> Result<Option<String>, String> {
    let key = billing.account_key.as_str();
    let found = at(value, path).and_then(|object| object.get(key));
    let Some(found) = found.filter(|found| !found.is_null()) else { return Ok(None) };
    if found.as_str() == Some("") {
        return Ok(None);
    }
    let name = id_of(found).and_then(|text| account_named(&text));
    let path = [path, ".", key].concat();
    name.map(Some).ok_or_else(|| missing(&path, "an account such as alice or acme/alice"))
}

/// The account's name in full, for a text that names it.
pub(super) fn account_named(text: &str) -> Option<String> {
    let decoded = |part: &str| part.replace("%2F", "/").replace("%2f", "/").replace("%25", "%");
    let (tenant, account) = match text.split_once('/') {
        Some((tenant, account)) => (Some(decoded(tenant)), account),
        None => (None, text),
    };
    let is_name = |part: &str| !part.is_empty() && !part.bytes().any(|byte| byte < b' ');
    let fits = is_name(account) && !account.contains('/') && tenant.as_deref().is_none_or(is_name);
    fits.then(|| account_name(tenant.as_deref(), &decoded(account)))
}

/// Takes over the account that `path` names, where none is known yet.
pub(super) fn name_account(
    event: &mut BillingEvent,
    billing: &Billing,
    value: &Value,
    path: &str,
) -> Result<(), String> {
    if event.account.is_none() {
        event.account = account_at(billing, value, path)?;
    }
    Ok(())
}

/// How many credits were bought, where the object at `path` says so under `tollgate_credits`.
pub(super) fn credits_at(value: &Value, path: &str) -> Result<Option<u64>, String> {
    let found = at(value, path).and_then(|object| at(object, CREDITS));
    credits(found, &[path, ".", CREDITS].concat())
}

/// A number of units, as a number or as text.
pub(super) fn credits(found: Option<&Value>, path: &str) -> Result<Option<u64>, String> {
    let Some(found) = found else { return Ok(None) };
    let units = found.as_u64().or_else(|| found.as_str()?.trim().parse().ok());
    let units = units.filter(|units| (1..=MAX_UNITS).contains(units));
    units.map(Some).ok_or_else(|| missing(path, "a number of units"))
}

const CREDITS: &str = "tollgate_credits";

/// The plan and the add-ons of a subscription whose items are called `items`, each by several
/// names.
///
/// The plan is the first that is known and has quotas; where none has, the first that is known.
/// What is unknown stays under its first name, so that an operator who adds it to `PLANS` later is
/// understood at once.
pub(super) fn plans_of(plans: &[Plan], items: &[Vec<&str>]) -> (Option<String>, Vec<String>) {
    let mut ids: Vec<(u8, &str)> = Vec::new();
    for names in items {
        let known = names.iter().find_map(|name| plan_named(plans, name));
        let (rank, id) = match (known, names.first()) {
            (Some(plan), _) if plan.quotas.is_empty() => (1, plan.id.as_str()),
            (Some(plan), _) => (0, plan.id.as_str()),
            (None, Some(name)) => (2, *name),
            (None, None) => continue,
        };
        if ids.iter().all(|(_, other)| *other != id) {
            ids.push((rank, id));
        }
    }
    let first = ids.iter().enumerate().min_by_key(|(place, (rank, _))| (*rank, *place));
    let Some((place, _)) = first else { return (None, Vec::new()) };
    let (_, plan) = ids.remove(place);
    (Some(plan.to_owned()), ids.into_iter().map(|(_, id)| id.to_owned()).collect())
}
