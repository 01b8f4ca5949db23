//! Signatures of webhooks: header fields in, checks for WebCrypto out.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use super::settings::Billing;
use crate::text::hex;
use crate::time::Timestamp;
use crate::token::{Algorithm, Key, MAX_CANDIDATES, SignatureCheck};

/// The greatest age of a signature, and its greatest lead over our clock, in seconds.
///
/// Stripe's and Standard Webhooks' libraries allow as much for the past. Paddle's allows 5 s, which
/// a slow network breaks: it signs when it sends, and sends again after minutes. A replay within
/// the time does nothing, since the id of each event is kept.
pub const TOLERANCE_S: i64 = 300;

/// A webhook as it came.
#[derive(Clone, Debug)]
pub struct Webhook<'a> {
    /// Those of the provider's header fields that it has, by their names in lower case.
    pub headers: Vec<(&'a str, String)>,
    /// Its body, unchanged.
    pub body: &'a str,
}

impl Webhook<'_> {
    pub(super) fn header(&self, name: &'static str) -> Result<&str, WebhookError> {
        let found = self.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.as_str()).ok_or(WebhookError::Missing(name))
    }
}

/// The reason why a webhook can't be genuine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WebhookError {
    /// It lacks a header field.
    Missing(&'static str),
    /// A header field is not what it should be.
    Malformed {
        /// The field.
        header: &'static str,
        /// A description of the right value.
        expected: &'static str,
    },
    /// It was signed too long ago.
    TooOld {
        /// Its age in seconds.
        age_s: i64,
    },
    /// It was signed in the future.
    TooNew {
        /// Its lead in seconds.
        ahead_s: i64,
    },
    /// No secret that is configured could have made such a signature.
    NoKey,
}

impl WebhookError {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing(_) => "header-missing",
            Self::Malformed { .. } => "header-malformed",
            Self::TooOld { .. } => "signature-too-old",
            Self::TooNew { .. } => "signature-too-new",
            Self::NoKey => "no-key-for-signature",
        }
    }
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

/// A provider's way to sign its webhooks.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    /// An HMAC of the time and the body, in one header field beside the time.
    Timed(Timed),
    /// An HMAC of the body alone, in this header field.
    Body {
        /// The field's name in lower case.
        header: &'static str,
    },
    /// Standard Webhooks, in its own header fields or in Svix's.
    Standard,
}

/// The form of a signature beside its time in one header field.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// The field's name in lower case.
    pub header: &'static str,
    /// A description of the right value.
    pub expected: &'static str,
    /// Stands between the parts of the field.
    pub between: char,
    /// The name of the part with the time, in seconds since 1970.
    pub time: &'static str,
    /// The name of each part with a signature, in hexadecimal digits.
    pub signature: &'static str,
    /// Stands between the time and the body in the signed text.
    pub joint: char,
}

/// The checks of a [`Scheme::Timed`].
pub(super) fn timed(
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

/// The checks of a [`Scheme::Body`].
pub(super) fn by_body(
    billing: &Billing,
    webhook: &Webhook<'_>,
    header: &'static str,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    let expected = "64 hexadecimal digits";
    let malformed = WebhookError::Malformed { header, expected };
    let signature = sha256(webhook.header(header)?).ok_or(malformed)?;
    Ok(vec![by_secrets(billing, webhook.body.to_owned(), signature)])
}

pub(super) fn by_secrets(billing: &Billing, signed: String, signature: Vec<u8>) -> SignatureCheck {
    let secrets = billing.webhook_secrets.iter();
    let keys = secrets.map(|secret| Key::of_secret(secret.as_bytes())).collect();
    check(keys, Algorithm::Hs256, signed, signature)
}

pub(super) fn check(
    keys: Vec<Key>,
    algorithm: Algorithm,
    signed: String,
    signature: Vec<u8>,
) -> SignatureCheck {
    let keys = keys.into_iter().take(MAX_CANDIDATES).map(Rc::new).collect();
    SignatureCheck { keys, algorithm, signed, signature }
}

pub(super) fn check_age(at_s: i64, now: Timestamp) -> Result<(), WebhookError> {
    let age_s = now.as_seconds().saturating_sub(at_s);
    if age_s > TOLERANCE_S {
        return Err(WebhookError::TooOld { age_s });
    }
    let ahead_s = age_s.saturating_neg();
    if ahead_s > TOLERANCE_S { Err(WebhookError::TooNew { ahead_s }) } else { Ok(()) }
}

/// Digits only: the signed thing is the text.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

/// The 32 bytes of a SHA-256.
fn sha256(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).filter(|bytes| bytes.len() == 32)
}
