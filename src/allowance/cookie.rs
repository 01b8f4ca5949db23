//! The cookie that a reader keeps: a compact payload and its signature, both in base64url.
//!
//! | bytes | hold |
//! | --- | --- |
//! | 1 | the version, 1 |
//! | 12 | the reader's id |
//! | 1 | how many tallies follow |
//! | for each: 1 | the period |
//! | 1 | the limit |
//! | 4 | when the period started, in minutes since 1970 |
//! | 1 | the count |
//! | 1 | how many pages follow, at most the count |
//! | 4 for each | the pages |
//!
//! The signature covers the host too. A value that doesn't fit in every detail is no cookie at all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::key::AllowanceKey;
use super::tally::{ID_BYTES, Page, ReaderId, Tally};
use super::{Allowance, MAX_ALLOWANCES};
use crate::plan::Period;
use crate::time::Timestamp;

/// The cookie's name. By its prefix a browser takes it from this host alone, over TLS, and sends it
/// to no other (RFC 6265bis §4.1.3.2).
pub const COOKIE_NAME: &str = "__Host-tollgate-free";

/// The longest value that is looked at. Browsers keep cookies of up to 4,096 bytes, name included.
pub const MAX_COOKIE_BYTES: usize = 4_000;

/// The value of the `Set-Cookie` field that takes the cookie away, once its count has gone over to
/// an account.
pub fn cleared_cookie() -> String {
    set("", 0)
}

/// The whole value of a `Set-Cookie` field. No script may read it, and another site's page sends it
/// only by leading here.
pub(super) fn set(value: &str, max_age_s: u64) -> String {
    format!("{COOKIE_NAME}={value}; Max-Age={max_age_s}; Path=/; Secure; HttpOnly; SameSite=Lax")
}

/// A reader's tallies as the value of the cookie.
pub(super) fn seal(id: ReaderId, tallies: &[&Tally], key: &AllowanceKey, host: &str) -> String {
    let mut payload = Vec::with_capacity(64);
    payload.push(VERSION);
    payload.extend(id.as_bytes());
    payload.push(byte(tallies.len()));
    for tally in tallies {
        payload.push(code(tally.allowance.period()));
        payload.push(tally.allowance.limit());
        let minutes = tally.starts_at.as_seconds().div_euclid(60);
        payload.extend(u32::try_from(minutes).unwrap_or_default().to_be_bytes());
        payload.push(tally.count);
        payload.push(byte(tally.pages.len()));
        for page in &tally.pages {
            payload.extend(page.0.to_be_bytes());
        }
    }
    let signature = key.sign(host, &payload);
    let mut value = URL_SAFE_NO_PAD.encode(&payload);
    value.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut value);
    value
}

/// The content of a cookie that [`seal`] made for this host; `None` for anything else.
pub(super) fn open(value: &str, key: &AllowanceKey, host: &str) -> Option<(ReaderId, Vec<Tally>)> {
    if value.len() > MAX_COOKIE_BYTES {
        return None;
    }
    let (payload, signature) = value.split_once('.')?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.is_signed(host, &payload, &signature) {
        return None;
    }
    let mut rest = payload.as_slice();
    let [version] = take(&mut rest)?;
    let id = ReaderId::from_bytes(take(&mut rest)?);
    let [tally_count] = take(&mut rest)?;
    if version != VERSION || usize::from(tally_count) > MAX_ALLOWANCES {
        return None;
    }
    let mut tallies: Vec<Tally> = Vec::new();
    for _ in 0..tally_count {
        let tally = take_tally(&mut rest)?;
        if tallies.iter().any(|other| other.allowance == tally.allowance) {
            return None;
        }
        tallies.push(tally);
    }
    rest.is_empty().then_some((id, tallies))
}

fn take_tally(rest: &mut &[u8]) -> Option<Tally> {
    let [period, limit] = take(rest)?;
    let minutes = u32::from_be_bytes(take(rest)?);
    let [count, page_count] = take(rest)?;
    let allowance = Allowance::new(limit, *PERIODS.get(usize::from(period))?)?;
    let starts_at = Timestamp::from_seconds(i64::from(minutes).saturating_mul(60));
    let is_start = allowance.window(starts_at).starts_at == starts_at;
    if !is_start || count > limit || page_count > count {
        return None;
    }
    let mut pages = Vec::with_capacity(usize::from(page_count));
    for _ in 0..page_count {
        let page = Page(u32::from_be_bytes(take(rest)?));
        if pages.contains(&page) {
            return None;
        }
        pages.push(page);
    }
    Some(Tally { allowance, starts_at, count, pages })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

fn code(period: Period) -> u8 {
    byte(PERIODS.iter().position(|one| *one == period).unwrap_or_default())
}

/// Every number here is far below 256: see the bounds in [`open`].
fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

const VERSION: u8 = 1;
/// A period is written as its place in this list; the order must not change.
const PERIODS: [Period; 4] = [Period::Minute, Period::Hour, Period::Day, Period::Month];

/// The longest value there can be: full tallies of as many allowances as there may be, both parts
/// in base64, and the dot.
const _: () = {
    let pages = super::MAX_LIMIT as usize;
    let payload_bytes = 1 + ID_BYTES + 1 + MAX_ALLOWANCES * (8 + 4 * pages);
    assert!(payload_bytes.div_ceil(3) * 4 + 1 + 43 <= MAX_COOKIE_BYTES);
    assert!(COOKIE_NAME.len() + 1 + MAX_COOKIE_BYTES <= 4_096);
};
