//! The way that meters are counted and watched; a meter with the defaults needs no entry.

use serde_json::Value;

use super::fields::{ConfigReader, Expect, Fields};
use super::shown::shown;
use crate::plan::{DEFAULT_NOTIFY_AT, Lost, Meter};

/// The receiver of announcements about reached thresholds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notify {
    /// The operator's endpoint.
    pub url: String,
    /// The keys of our signatures: each secret of `NOTIFY_SECRET` as base64, apart by spaces.
    /// All of them sign, so that one can be changed for another.
    pub keys: String,
}

pub(super) fn read(reader: &ConfigReader<'_>) -> Vec<Meter> {
    let mut meters: Vec<Meter> = Vec::new();
    for (index, fields) in reader.tables("METERS", EXAMPLE).into_iter().enumerate() {
        let Some(meter) = read_meter(fields) else { continue };
        if meters.iter().any(|other| other.id == meter.id) {
            let found = format!("{:?} a second time", meter.id);
            let expect = Expect::new("one entry for each meter", "\"api\"");
            reader.mistake("METERS", &format!("[{index}].id"), &found, expect);
        }
        meters.push(meter);
    }
    meters
}

/// `NOTIFY_URL` and `NOTIFY_SECRET`, which only make sense together.
pub(super) fn read_notify(reader: &ConfigReader<'_>) -> Option<Notify> {
    let url = reader.url("NOTIFY_URL", "\"https://billing.example.com/tollgate\"");
    let secrets = reader.secrets("NOTIFY_SECRET", MIN_SECRET_BYTES);
    let keys: Option<Vec<_>> = secrets.iter().map(|secret| webhook_key(secret)).collect();
    let Some(keys) = keys else {
        let what = "`whsec_` and base64 of 24 to 64 random bytes; several apart by spaces";
        let expect = Expect::new(what, SECRET_EXAMPLE);
        reader.mistake("NOTIFY_SECRET", "", "a value that is no such key", expect);
        return None;
    };
    match url {
        Some(url) if !keys.is_empty() => Some(Notify { url, keys: keys.join(" ") }),
        Some(_) if reader.is_unset("NOTIFY_SECRET") => {
            let expect = Expect::new(
                "the secret that messages to NOTIFY_URL are signed with",
                SECRET_EXAMPLE,
            );
            reader.mistake("NOTIFY_SECRET", "", "nothing, beside NOTIFY_URL", expect);
            None
        }
        _ => None,
    }
}

/// The base64 of a Standard Webhooks secret, `whsec_<base64>`.
fn webhook_key(secret: &str) -> Option<&str> {
    use base64::Engine as _;
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    (24..=64).contains(&bytes.len()).then_some(text)
}

const EXAMPLE: &str = "[[vars.METERS]] id = \"api\"  name = \"API calls\"  notify_at = [80, 95]";
const SECRET_EXAMPLE: &str = "npm run keygen";
const MIN_SECRET_BYTES: usize = 32;
const MAX_THRESHOLDS: usize = 10;

fn read_meter(mut fields: Fields<'_>) -> Option<Meter> {
    let id = fields.needed_text("id", Expect::new("the meter's id in routes", "\"api\""));
    let name = fields.text("name", "\"API calls\"");
    let lost = fields.choice("lost", &Lost::WORDS, "\"lenient\"").unwrap_or_default();
    let notify_at = read_thresholds(&mut fields);
    let keep_days = fields.whole("keep_days", 1..=36_500, "400");
    fields.finish();
    let keep_days = keep_days.and_then(|days| u32::try_from(days).ok());
    Some(Meter { id: id?, name, lost, notify_at, keep_days })
}

fn read_thresholds(fields: &mut Fields<'_>) -> Vec<u8> {
    let Some(value) = fields.take("notify_at") else { return DEFAULT_NOTIFY_AT.to_vec() };
    let percent = |item: &Value| {
        item.as_u64().and_then(|number| u8::try_from(number).ok()).filter(|p| (1..=100).contains(p))
    };
    let read: Option<Vec<u8>> =
        value.as_array().and_then(|items| items.iter().map(percent).collect());
    match read {
        Some(rising) if rising.len() <= MAX_THRESHOLDS && rising.is_sorted_by(|a, b| a < b) => {
            rising
        }
        _ => {
            let expect =
                Expect::new("at most ten whole numbers from 1 to 100 that rise", "[80, 95, 100]");
            fields.mistake("notify_at", &shown(&value), expect);
            Vec::new()
        }
    }
}
