//! Text for header fields: nothing that goes through here can end a field or start another.

use std::fmt::Write as _;

use crate::cause::{Notice, QuotaState};
use crate::text::percent;
use crate::time::Timestamp;

/// `RateLimit` (draft-ietf-httpapi-ratelimit-headers): what is left of each quota, and for how
/// long.
pub(super) fn rate_limit(quotas: &[QuotaState], now: Timestamp) -> String {
    list(quotas, |out, quota| {
        push_string(out, &quota.name.to_string());
        push_integer(out, ";r=", quota.remaining());
        push_integer(out, ";t=", quota.resets_at.seconds_from(now));
    })
}

/// `RateLimit-Policy` of the same draft: the size of each quota and of its window.
pub(super) fn rate_limit_policy(quotas: &[QuotaState]) -> String {
    list(quotas, |out, quota| {
        push_string(out, &quota.name.to_string());
        push_integer(out, ";q=", quota.limit);
        push_integer(out, ";w=", quota.window_s);
    })
}

/// `Tollgate-Notice`: a structured field list of tokens (RFC 9651 §3.1).
pub(super) fn notices(notices: &[Notice]) -> String {
    list(notices, |out, notice| {
        out.push_str(notice_word(notice));
        match notice {
            Notice::ProviderOutage => {}
            Notice::PaymentGrace { until } => {
                out.push_str(";until=");
                push_string(out, &until.rfc3339());
            }
            Notice::QuotaNearLimit { quota, percent } => {
                out.push_str(";quota=");
                push_string(out, &quota.to_string());
                push_integer(out, ";percent=", u64::from(*percent));
            }
            Notice::SoftQuotaPassed { quota } => {
                out.push_str(";quota=");
                push_string(out, &quota.to_string());
            }
            Notice::SubscriptionEnding { at } => {
                out.push_str(";at=");
                push_string(out, &at.rfc3339());
            }
        }
    })
}

/// The stable word for a notice.
pub(super) const fn notice_word(notice: &Notice) -> &'static str {
    match notice {
        Notice::ProviderOutage => "provider-outage",
        Notice::PaymentGrace { .. } => "payment-grace",
        Notice::QuotaNearLimit { .. } => "quota-near-limit",
        Notice::SoftQuotaPassed { .. } => "soft-quota-passed",
        Notice::SubscriptionEnding { .. } => "subscription-ending",
    }
}

/// A string of RFC 9651 §3.3.3, which is also a quoted string of RFC 9110 §5.6.4.
///
/// It can only hold printable ASCII; anything else becomes `?`.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ => out.push('?'),
        }
    }
    out.push('"');
}

/// A URI with everything percent-encoded that may not stand in one (RFC 3986 §2).
pub(super) fn push_uri(out: &mut String, text: &str) {
    percent::push(out, text, is_uri_byte);
}

/// Whether `text` needs no percent-encoding.
pub(super) fn is_uri(text: &str) -> bool {
    text.bytes().all(is_uri_byte)
}

fn list<T>(items: &[T], mut push: impl FnMut(&mut String, &T)) -> String {
    let mut out = String::with_capacity(items.len().saturating_mul(48));
    for item in items {
        if !out.is_empty() {
            out.push_str(", ");
        }
        push(&mut out, item);
    }
    out
}

/// An integer of RFC 9651 §3.3.1, which has at most 15 digits.
fn push_integer(out: &mut String, before: &str, number: u64) {
    // Writing to a string can't fail.
    let _ = write!(out, "{before}{}", number.min(MAX_INTEGER));
}

const fn is_uri_byte(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~')
}

const MAX_INTEGER: u64 = 999_999_999_999_999;
