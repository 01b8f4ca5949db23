//! Signatures by Standard Webhooks.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::billing::error::BillingError;
use crate::billing::settings::Billing;
use crate::billing::signature::{Webhook, WebhookError, check, check_age, seconds};
use crate::time::Timestamp;
use crate::token::{Algorithm, Key, SignatureCheck};

/// The header fields that are read: those of Standard Webhooks, and Svix's names for the same.
pub(crate) const HEADERS: &[&str] = &[
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
];

/// Standard Webhooks (<https://github.com/standard-webhooks/standard-webhooks>, `spec`), under the
/// names of its own or of Svix.
pub(crate) fn checks(
    billing: &Billing,
    webhook: &Webhook<'_>,
    now: Timestamp,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    let names = names_in(webhook);
    let [id, time, list] = names;
    let expected = "seconds since 1970";
    let (id, time) = (webhook.header(id)?, webhook.header(time)?);
    let malformed = WebhookError::Malformed { header: "webhook-timestamp", expected };
    check_age(seconds(time).ok_or(malformed)?, now)?;
    let header = list;
    let malformed = WebhookError::Malformed { header, expected: "v1,<base64>, or several apart" };
    let mut checks = Vec::new();
    let mut is_readable = false;
    for one in webhook.header(list)?.split(' ').take(MAX_SIGNATURES) {
        let Some((version, text)) = one.split_once(',') else { continue };
        let (algorithm, bytes) = match version {
            "v1" => (Algorithm::Hs256, 32),
            "v1a" => (Algorithm::Ed25519, 64),
            _ => continue,
        };
        let decoded = BASE64.decode(text).ok().filter(|decoded| decoded.len() == bytes);
        let Some(signature) = decoded else { continue };
        is_readable = true;
        let keys = billing.webhook_secrets.iter().filter_map(|secret| key(secret));
        let keys: Vec<_> = keys.filter(|key| key.algorithms.contains(&algorithm)).collect();
        if !keys.is_empty() {
            let signed = format!("{id}.{time}.{}", webhook.body);
            checks.push(check(keys, algorithm, signed, signature));
        }
    }
    match (is_readable, checks.is_empty()) {
        (false, _) => Err(malformed),
        (true, true) => Err(WebhookError::NoKey),
        (true, false) => Ok(checks),
    }
}

/// The id under which a webhook is sent, and sent again.
pub(crate) fn id(webhook: &Webhook<'_>) -> Result<String, BillingError> {
    let [name, ..] = names_in(webhook);
    webhook.header(name).map(str::to_owned).map_err(BillingError::Header)
}

/// The time of sending, by its header.
pub(crate) fn sent_at_s(webhook: &Webhook<'_>) -> Option<i64> {
    let [_, name, _] = names_in(webhook);
    webhook.header(name).ok().and_then(seconds)
}

/// The names of the fields for id, time and signatures that this webhook uses.
fn names_in(webhook: &Webhook<'_>) -> [&'static str; 3] {
    if webhook.header("webhook-id").is_err() && webhook.header("svix-id").is_ok() {
        ["svix-id", "svix-timestamp", "svix-signature"]
    } else {
        ["webhook-id", "webhook-timestamp", "webhook-signature"]
    }
}

/// A key as it is shown: `whsec_` and `whpk_` with base64 behind them; Polar signs with the text of
/// its secrets as it stands. `None` where the rest doesn't fit the prefix: taken for a text, a
/// public key would be a secret that everybody has.
pub(crate) fn key(secret: &str) -> Option<Key> {
    if let Some(text) = secret.strip_prefix("whpk_") {
        return Key::of_ed25519(&BASE64.decode(text).ok()?);
    }
    let Some(text) = secret.strip_prefix("whsec_") else {
        return (!secret.is_empty()).then(|| Key::of_secret(secret.as_bytes()));
    };
    let bytes = BASE64.decode(text).ok().filter(|bytes| STANDARD_BYTES.contains(&bytes.len()))?;
    Some(Key::of_secret(&bytes))
}

/// With padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// As long as Standard Webhooks wants its secrets.
const STANDARD_BYTES: RangeInclusive<usize> = 24..=64;
/// The most signatures that are looked at: more than secrets are ever in use at once.
const MAX_SIGNATURES: usize = 8;
