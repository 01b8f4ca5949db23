//! Webhooks: is this one genuine, and what does it tell?
//!
//! [`checks`] looks at the header fields only; the body is not looked into before the edge has
//! verified one of the signatures. [`read`] then makes a [`BillingEvent`] of it.

use std::error::Error;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::object::{Document, Object, Watcher};
use super::{BillingEvent, lemonsqueezy, paddle, standard, stripe};
use crate::account::Provider;
use crate::billing::Billing;
use crate::plan::Plan;
use crate::strict_json;
use crate::text::hex;
use crate::time::Timestamp;
use crate::token::{Algorithm, Key, MAX_CANDIDATES, SignatureCheck};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The header fields that have to be read, in lower case.
pub const HEADERS: [&str; 9] = [
    "stripe-signature",
    "paddle-signature",
    "x-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
];

/// How old a signature may be, and how far ahead of our clock, in seconds.
///
/// Stripe's and Standard Webhooks' libraries allow as much for the past. Paddle's allows 5 s, which
/// a slow network breaks: it signs when it sends, and sends again after minutes. What is replayed
/// within the time does nothing, since the id of each event is kept.
pub const TOLERANCE_S: i64 = 300;

/// The type of an event that no provider has and that does nothing: `tollgate check` sends it.
pub const PING: &str = "tollgate.ping";

/// A webhook as it came.
#[derive(Clone, Debug)]
pub struct Webhook<'a> {
    /// Those of [`HEADERS`] that it has, by their names in lower case.
    pub headers: Vec<(&'a str, String)>,
    /// Its body, unchanged.
    pub body: &'a str,
}

impl Webhook<'_> {
    fn header(&self, name: &'static str) -> Result<&str, WebhookError> {
        let found = self.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.as_str()).ok_or(WebhookError::Missing(name))
    }
}

/// Why a webhook can't be genuine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WebhookError {
    /// It lacks a header field.
    Missing(&'static str),
    /// A header field is not what it should be.
    Malformed {
        /// The field.
        header: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// It was signed too long ago.
    TooOld {
        /// How many seconds ago.
        age_s: i64,
    },
    /// It was signed in the future.
    TooNew {
        /// How many seconds from now.
        ahead_s: i64,
    },
    /// No secret that is configured could have made such a signature.
    NoKey,
}

impl fmt::Display for WebhookError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(formatter, "the header field {name} is missing"),
            Self::Malformed { header, expected } => {
                write!(formatter, "the header field {header} is not {expected}")
            }
            Self::TooOld { age_s } => write!(
                formatter,
                "it was signed {age_s} seconds ago, expected at most {TOLERANCE_S}"
            ),
            Self::TooNew { ahead_s } => write!(
                formatter,
                "it was signed {ahead_s} seconds ahead of our clock, expected at most {TOLERANCE_S}"
            ),
            Self::NoKey => formatter.write_str(
                "no configured secret is for this kind of signature, expected a whsec_ secret for \
                 v1 or a whpk_ key for v1a",
            ),
        }
    }
}

impl Error for WebhookError {}

/// What has to be verified: the webhook is genuine if any one of these is right.
///
/// # Errors
///
/// It can't be genuine, whatever the secret is: a field is missing or malformed, or it was signed
/// too long ago or in the future.
pub fn checks(
    billing: &Billing,
    webhook: &Webhook<'_>,
    now: Timestamp,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    match billing.provider {
        Provider::Stripe => timed(billing, webhook, &STRIPE, now),
        Provider::Paddle => timed(billing, webhook, &PADDLE, now),
        Provider::LemonSqueezy => {
            let expected = "64 hexadecimal digits";
            let malformed = WebhookError::Malformed { header: "x-signature", expected };
            let signature = sha256(webhook.header("x-signature")?).ok_or(malformed)?;
            Ok(vec![by_secrets(billing, webhook.body.to_owned(), signature)])
        }
        Provider::Standard => by_standard(billing, webhook, now),
    }
}

/// What a genuine webhook tells. An event of a type that the gate has no use for has no news.
///
/// # Errors
///
/// Says what of the body is missing or not as it should be.
pub fn read(
    billing: &Billing,
    plans: &[Plan],
    webhook: &Webhook<'_>,
) -> Result<BillingEvent, String> {
    read_watched(billing, plans, webhook, &|_, _| {})
}

/// The same, while `watcher` is called with every field that is read.
///
/// # Errors
///
/// As for [`read`].
pub fn read_watched(
    billing: &Billing,
    plans: &[Plan],
    webhook: &Webhook<'_>,
    watcher: &Watcher<'_>,
) -> Result<BillingEvent, String> {
    let body = strict_json::parse(webhook.body).map_err(|error| format!("no JSON: {error}"))?;
    let provider = billing.provider;
    let kind = if provider == Provider::LemonSqueezy { "webhook" } else { "event" };
    let body = Document { provider, watcher }.root(kind, &body);
    if let Some(ping) = ping(billing, webhook, &body)? {
        return Ok(ping);
    }
    match provider {
        Provider::Stripe => stripe::read(billing, plans, &body),
        Provider::Paddle => paddle::read(billing, plans, &body),
        Provider::LemonSqueezy => lemonsqueezy::read(billing, plans, &body),
        Provider::Standard => standard::read(billing, plans, webhook, &body),
    }
}

fn ping(
    billing: &Billing,
    webhook: &Webhook<'_>,
    body: &Object<'_>,
) -> Result<Option<BillingEvent>, String> {
    let provider = billing.provider;
    let [kind, id, time] = match provider {
        Provider::Stripe => ["type", "id", "created"],
        Provider::Paddle => ["event_type", "event_id", "occurred_at"],
        Provider::LemonSqueezy => ["meta.event_name", "data.id", "data.attributes.updated_at"],
        Provider::Standard => ["type", "", "timestamp"],
    };
    if body.text(kind) != Some(PING) {
        return Ok(None);
    }
    let id = match provider {
        Provider::Standard => standard_id(webhook)?,
        _ => body.needed_text(id)?,
    };
    let occurred_at = body.time(time).ok().flatten().unwrap_or_default();
    let kind = PING.to_owned();
    Ok(Some(BillingEvent { provider, id, kind, occurred_at, ..BillingEvent::default() }))
}

/// How a signature stands beside its time in one field.
struct Timed {
    header: &'static str,
    expected: &'static str,
    between: char,
    time: &'static str,
    signature: &'static str,
    /// Stands between the time and the body in what is signed.
    joint: char,
}

/// As `stripe.webhooks.constructEvent` of stripe 23.1.0 reads it: other schemes are ignored.
const STRIPE: Timed = Timed {
    header: "stripe-signature",
    expected: "t=<seconds>,v1=<64 hexadecimal digits>",
    between: ',',
    time: "t",
    signature: "v1",
    joint: '.',
};

/// As `@paddle/paddle-node-sdk` 3.10.0 reads it, which looks at the last `h1` only.
const PADDLE: Timed = Timed {
    header: "paddle-signature",
    expected: "ts=<seconds>;h1=<64 hexadecimal digits>",
    between: ';',
    time: "ts",
    signature: "h1",
    joint: ':',
};

fn timed(
    billing: &Billing,
    webhook: &Webhook<'_>,
    form: &Timed,
    now: Timestamp,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    let field = webhook.header(form.header)?;
    let malformed = WebhookError::Malformed { header: form.header, expected: form.expected };
    let pairs = || field.split(form.between).filter_map(|pair| pair.trim().split_once('='));
    let time = pairs().rfind(|(name, _)| *name == form.time).map(|(_, time)| time);
    let time = time.ok_or(malformed)?;
    check_age(seconds(time).ok_or(malformed)?, now)?;
    let signatures = pairs().filter(|(name, _)| *name == form.signature);
    let checks: Vec<_> = signatures
        .filter_map(|(_, text)| sha256(text))
        .take(MAX_CANDIDATES)
        .map(|signature| {
            by_secrets(billing, format!("{time}{}{}", form.joint, webhook.body), signature)
        })
        .collect();
    if checks.is_empty() { Err(malformed) } else { Ok(checks) }
}

/// Standard Webhooks (<https://github.com/standard-webhooks/standard-webhooks>, `spec`), under the
/// names of its own or of Svix.
fn by_standard(
    billing: &Billing,
    webhook: &Webhook<'_>,
    now: Timestamp,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    let names = standard_headers(webhook);
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
        let keys = billing.webhook_secrets.iter().filter_map(|secret| standard_key(secret));
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

/// The id under which a webhook of [`Provider::Standard`] is sent, and sent again.
pub(super) fn standard_id(webhook: &Webhook<'_>) -> Result<String, String> {
    let [name, ..] = standard_headers(webhook);
    webhook.header(name).map(str::to_owned).map_err(|error| error.to_string())
}

/// When it was sent, by its header.
pub(super) fn standard_seconds(webhook: &Webhook<'_>) -> Option<i64> {
    let [_, name, _] = standard_headers(webhook);
    webhook.header(name).ok().and_then(seconds)
}

/// The names of the fields for id, time and signatures that this webhook uses.
fn standard_headers(webhook: &Webhook<'_>) -> [&'static str; 3] {
    if webhook.header("webhook-id").is_err() && webhook.header("svix-id").is_ok() {
        ["svix-id", "svix-timestamp", "svix-signature"]
    } else {
        ["webhook-id", "webhook-timestamp", "webhook-signature"]
    }
}

/// A key as it is shown: `whsec_` and `whpk_` with base64 behind them; Polar signs with the text of
/// its secrets as it stands. `None` where the rest doesn't fit the prefix: taken for a text, a
/// public key would be a secret that everybody knows.
pub(crate) fn standard_key(secret: &str) -> Option<Key> {
    if let Some(text) = secret.strip_prefix("whpk_") {
        return Key::of_ed25519(&BASE64.decode(text).ok()?);
    }
    let Some(text) = secret.strip_prefix("whsec_") else {
        return (!secret.is_empty()).then(|| Key::of_secret(secret.as_bytes()));
    };
    let bytes = BASE64.decode(text).ok().filter(|bytes| STANDARD_BYTES.contains(&bytes.len()))?;
    Some(Key::of_secret(&bytes))
}

fn by_secrets(billing: &Billing, signed: String, signature: Vec<u8>) -> SignatureCheck {
    let secrets = billing.webhook_secrets.iter();
    let keys = secrets.map(|secret| Key::of_secret(secret.as_bytes())).collect();
    check(keys, Algorithm::Hs256, signed, signature)
}

fn check(
    keys: Vec<Key>,
    algorithm: Algorithm,
    signed: String,
    signature: Vec<u8>,
) -> SignatureCheck {
    let keys = keys.into_iter().take(MAX_CANDIDATES).map(Rc::new).collect();
    SignatureCheck { keys, algorithm, signed, signature }
}

fn check_age(at_s: i64, now: Timestamp) -> Result<(), WebhookError> {
    let age_s = now.as_seconds().saturating_sub(at_s);
    if age_s > TOLERANCE_S {
        return Err(WebhookError::TooOld { age_s });
    }
    let ahead_s = age_s.saturating_neg();
    if ahead_s > TOLERANCE_S { Err(WebhookError::TooNew { ahead_s }) } else { Ok(()) }
}

/// Digits only: what is signed is the text.
fn seconds(text: &str) -> Option<i64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

/// The 32 bytes of a SHA-256.
fn sha256(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).filter(|bytes| bytes.len() == 32)
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
