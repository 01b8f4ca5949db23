//! The header fields of an answer: the same for every format of the body.

use std::borrow::Cow;

use super::asker::{Asker, Place};
use super::field::{self, push_string};
use super::message::{LANGUAGE, credential_fault};
use super::negotiate::Format;
use super::refusal::{
    ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN, CACHE_CONTROL, CAUSE_HEADER,
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, CONTENT_TYPE_OPTIONS, DEGRADED,
    EXPOSE_HEADERS, EXPOSED_HEADERS, LINK, LOCATION, MAX_AGE, NOTICE_HEADER, RATE_LIMIT,
    RATE_LIMIT_POLICY, REFERRER_POLICY, RETRY_AFTER, ROBOTS_TAG, VARY, WWW_AUTHENTICATE,
};
use super::response::Headers;
use crate::cause::{Notice, QuotaState};
use crate::config::Brand;
use crate::decision::{Degraded, Denial};
use crate::time::Timestamp;

/// The fields that a passed response gets on top of the origin's own.
///
/// `quotas` are all quotas the request was counted in, as they stand after it. Caching is left
/// to the origin.
pub fn passed_headers(
    quotas: &[QuotaState],
    notices: &[Notice],
    degraded: Option<Degraded>,
    now: Timestamp,
) -> Headers {
    let mut headers = Headers::new();
    push_standing(&mut headers, quotas, notices, now);
    if let Some(degraded) = degraded {
        headers.push((DEGRADED, degraded.word().into()));
    }
    headers
}

/// The caller's standing: its quotas and notices.
pub(super) fn push_standing(
    headers: &mut Headers,
    quotas: &[QuotaState],
    notices: &[Notice],
    now: Timestamp,
) {
    push_quotas(headers, quotas, now);
    if !notices.is_empty() {
        headers.push((NOTICE_HEADER, field::notices(notices).into()));
    }
}

/// The fields of every answer of the gate. `csp` is empty where the body is no page.
pub(super) fn common(format: Format, csp: String, asker: &Asker<'_>, place: &Place<'_>) -> Headers {
    let mut headers = Headers::with_capacity(CAPACITY);
    push_body_headers(&mut headers, content_type(format), csp);
    push_private(&mut headers, asker, place);
    headers
}

/// The fields of an answer with the data that its caller asked for, for that caller alone.
pub(super) fn private(
    format: Format,
    csp: String,
    asker: &Asker<'_>,
    place: &Place<'_>,
) -> Headers {
    let mut headers = Headers::with_capacity(CAPACITY);
    let content_type =
        if format == Format::Json { "application/json" } else { content_type(format) };
    push_body_headers(&mut headers, content_type, csp);
    push_private(&mut headers, asker, place);
    headers
}

/// The headers of an answer without a body, for its caller alone.
pub(super) fn bare(asker: &Asker<'_>, place: &Place<'_>) -> Headers {
    let mut headers = Headers::new();
    push_private(&mut headers, asker, place);
    headers
}

/// The answer to a preflight for something that may be read with a credential.
pub(super) fn preflight(asker: &Asker<'_>, place: &Place<'_>) -> Headers {
    let mut headers = bare(asker, place);
    let mut allowed = "Authorization".to_owned();
    if !place.credential_headers.is_empty() {
        allowed.push_str(", ");
        allowed.push_str(place.credential_headers);
    }
    headers.push((ALLOW_HEADERS, allowed.into()));
    headers.push((ALLOW_METHODS, "GET, HEAD".into()));
    headers.push((MAX_AGE, "600".into()));
    headers
}

/// Restricts caching and reading of an answer that depends on its caller.
fn push_private(headers: &mut Headers, asker: &Asker<'_>, place: &Place<'_>) {
    headers.push((CACHE_CONTROL, "no-store".into()));
    let mut vary = Cow::Borrowed(VARIES_ON);
    if !place.credential_headers.is_empty() {
        vary = format!("{VARIES_ON}, {}", place.credential_headers).into();
    }
    headers.push((VARY, vary));
    push_cors(headers, asker);
}

/// The header fields of an explanation, which is the same for everybody.
pub(super) fn public(format: Format, csp: String) -> Headers {
    let mut headers = Headers::with_capacity(CAPACITY);
    push_body_headers(&mut headers, content_type(format), csp);
    headers.push((CACHE_CONTROL, "public, max-age=300".into()));
    headers.push((VARY, "Accept, Sec-Fetch-Mode".into()));
    headers.push((ALLOW_ORIGIN, "*".into()));
    headers
}

/// The fields of a denial: its cause, places of help, and the time to come back.
pub(super) fn push_denial(
    headers: &mut Headers,
    denial: &Denial,
    type_uri: &str,
    realm: &str,
    now: Timestamp,
) {
    headers.push((CAUSE_HEADER, denial.cause.word().into()));
    headers.push((LINK, format!("<{type_uri}>; rel=\"help\"").into()));
    if let Some(retry_at) = denial.retry_at {
        // A client that trusts a zero would come back in a tight loop.
        push_retry_after(headers, retry_at.seconds_from(now).max(1));
    }
    let all = if denial.quotas.is_empty() { denial.quota.as_slice() } else { &denial.quotas };
    push_quotas(headers, all, now);
    if denial.cause.status() == 401 {
        headers.push((WWW_AUTHENTICATE, challenge(denial, realm).into()));
    }
}

/// The time to come back.
pub(super) fn push_retry_after(headers: &mut Headers, seconds: u64) {
    headers.push((RETRY_AFTER, seconds.to_string().into()));
}

/// The address to go on with, a valid URI.
pub(super) fn push_location(headers: &mut Headers, location: String) {
    headers.push((LOCATION, location.into()));
}

/// The name of the protection space: the brand where a header can hold it, else the host.
pub(super) fn realm<'a>(brand: &'a Brand, asker: &Asker<'a>) -> &'a str {
    let fits = !brand.name.is_empty() && brand.name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if fits { &brand.name } else { asker.host }
}

/// RFC 6750 §3: no error code where no token was sent (§3.1).
fn challenge(denial: &Denial, realm: &str) -> String {
    let mut out = String::with_capacity(160);
    out.push_str("Bearer realm=");
    push_string(&mut out, realm);
    if let Some(description) = credential_fault(denial) {
        out.push_str(", error=\"invalid_token\", error_description=");
        push_string(&mut out, description);
    }
    out
}

const fn content_type(format: Format) -> &'static str {
    match format {
        Format::Html => "text/html; charset=utf-8",
        Format::Json => "application/problem+json",
        Format::Text => "text/plain; charset=utf-8",
    }
}

fn push_body_headers(headers: &mut Headers, content_type: &'static str, csp: String) {
    headers.push((CONTENT_TYPE, content_type.into()));
    if !csp.is_empty() {
        headers.push((CONTENT_SECURITY_POLICY, csp.into()));
    }
    headers.push((CONTENT_LANGUAGE, LANGUAGE.into()));
    headers.push((CONTENT_TYPE_OPTIONS, "nosniff".into()));
    headers.push((ROBOTS_TAG, "noindex".into()));
    // The plans page may know where a reader came from, never the path or a token in the query.
    headers.push((REFERRER_POLICY, "strict-origin".into()));
}

fn push_quotas(headers: &mut Headers, quotas: &[QuotaState], now: Timestamp) {
    if !quotas.is_empty() {
        headers.push((RATE_LIMIT, field::rate_limit(quotas, now).into()));
        headers.push((RATE_LIMIT_POLICY, field::rate_limit_policy(quotas).into()));
    }
}

/// Lets a script read the answer (Fetch standard, "CORS protocol").
///
/// A denial reveals a visitor's plan and standing. Any site can have a visitor's browser send a
/// request with cookies, so only a page of the same site may read such an answer. The browser
/// itself names that site's pages (`Sec-Fetch-Site`, which scripts can't set). Every other page may
/// read an answer that needed no cookie, such as the one to a token that it sent itself.
fn push_cors(headers: &mut Headers, asker: &Asker<'_>) {
    if asker.origin.is_empty() {
        return;
    }
    if matches!(asker.fetch_site, "same-origin" | "same-site") && is_origin(asker.origin) {
        headers.push((ALLOW_ORIGIN, asker.origin.to_owned().into()));
        headers.push((ALLOW_CREDENTIALS, "true".into()));
    } else {
        headers.push((ALLOW_ORIGIN, "*".into()));
    }
    headers.push((EXPOSE_HEADERS, EXPOSED_HEADERS.into()));
}

/// Whether `text` is safe to be sent back as one serialised origin (RFC 6454 §6.1).
fn is_origin(text: &str) -> bool {
    text.len() <= MAX_ORIGIN_BYTES
        && text.contains("://")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.:/[]_".contains(&byte))
}

/// All of a request that any answer may depend on.
const VARIES_ON: &str = "Accept, Authorization, Cookie, Origin, Sec-Fetch-Mode, Sec-Fetch-Site";
const MAX_ORIGIN_BYTES: usize = 512;
const CAPACITY: usize = 18;
