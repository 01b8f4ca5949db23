//! The free allowance: "5 per month" for readers who have no account.
//!
//! The count is kept by the reader, in a signed cookie, so that it costs neither storage nor a call
//! on the request's path. A kept cookie can be put back to an older state. Against that, each
//! isolate remembers the counts it has seen ([`ReaderMemory`]), and reports them in batches, off
//! the request's path, to an object that keeps the highest count of each reader ([`Readers`]) and
//! answers with the readers that came with less. `docs/allowance.md` has the guarantees and their
//! limits.
//!
//! One view, from the side of the gate:
//!
//! 1. [`Reader::read`] the cookie; a reader without one that counts is [`Reader::new`].
//! 2. [`ReaderMemory::view`] the [`Page`]: already seen, counted, or used up.
//! 3. If it was counted and the origin delivered ([`is_delivered`]): [`ReaderMemory::confirm`], and
//!    send [`Reader::set_cookie`]. If it didn't: [`ReaderMemory::give_back`], and no cookie.
//! 4. When a report is due: [`ReaderMemory::take`] it, have [`Readers::handle`] answer it in the
//!    shard's object ([`crate::identity::ObjectName::ReaderRegistry`]), and
//!    [`ReaderMemory::correct`] by its reply.

mod address;
mod cookie;
mod crawlers;
mod key;
mod message;
mod page;
mod reader;
mod reader_memory;
mod readers;
mod tally;

use std::fmt;

use crate::cause::QuotaState;
use crate::plan::{Enforcement, Period, QuotaName, Scope, Window};
use crate::time::Timestamp;

pub use address::address_key;
pub use cookie::{COOKIE_NAME, MAX_COOKIE_BYTES, cleared_cookie};
pub use crawlers::{CATEGORIES, lets_through};
pub use key::AllowanceKey;
pub use message::{Correction, Observation, ReadersReply, ReadersRequest};
pub use page::{is_delivered, is_view};
pub use reader::{CountKey, Grant, Reader, ReaderCount, Verdict, View};
pub use reader_memory::{ReaderMemory, ReportDue, SHARDS};
pub use readers::{ReaderRow, ReaderStore, Readers};
pub use tally::{Page, ReaderId};

/// A number of free pages per period. It has no other identity: routes with the same
/// allowance share one count.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Allowance {
    period: Period,
    limit: u8,
}

impl Allowance {
    /// Reads `5 per month`.
    ///
    /// `None` where it is anything else, or where the limit is 0 or above [`MAX_LIMIT`].
    pub fn parse(text: &str) -> Option<Self> {
        let (number, word) = text.split_once(" per ")?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let limit = number.parse().ok().filter(|_| is_plain && !number.starts_with('0'))?;
        Self::new(limit, Period::from_word(word)?)
    }

    /// `limit` pages per `period`, under the same conditions. A billing cycle is none of the
    /// periods: a reader without an account has none.
    pub fn new(limit: u8, period: Period) -> Option<Self> {
        let is_usable = (1..=MAX_LIMIT).contains(&limit) && period != Period::Cycle;
        is_usable.then_some(Self { period, limit })
    }

    /// Number of pages.
    pub const fn limit(self) -> u8 {
        self.limit
    }

    /// The period.
    pub const fn period(self) -> Period {
        self.period
    }

    /// The period that holds `now`, by the calendar of UTC.
    pub fn window(self, now: Timestamp) -> Window {
        self.period.window(now, None, 0)
    }

    /// The count as a quota named `pages/month`, for callers.
    pub fn state(self, used: u8, now: Timestamp) -> QuotaState {
        let window = self.window(now);
        QuotaState {
            name: QuotaName { meter: METER.to_owned(), period: self.period, scope: Scope::Account },
            limit: u64::from(self.limit),
            used: u64::from(used),
            resets_at: window.ends_at,
            window_s: window.length_s(),
            enforcement: Enforcement::Hard,
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} per {}", self.limit, self.period.word())
    }
}

/// The largest allowance: a cookie names each page that was seen, and has room for so many.
pub const MAX_LIMIT: u8 = 100;
/// The most allowances that one configuration may have, for the same reason.
pub const MAX_ALLOWANCES: usize = 6;
/// The meter of an allowance, as callers see it.
const METER: &str = "pages";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        for good in ["1 per minute", "5 per hour", "10 per day", "100 per month"] {
            assert_eq!(Allowance::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "5",
            "0 per month",
            "101 per month",
            "300 per month",
            "05 per month",
            "+5 per month",
            "-5 per month",
            "5 per  month",
            " 5 per month",
            "5 per month ",
            "5 per Month",
            "5 per months",
            "5 per cycle",
            "5 per week",
            "5/month",
            "five per month",
            "٥ per month",
        ] {
            assert_eq!(Allowance::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn tells_its_state_as_a_quota() {
        let now = Timestamp::parse_rfc3339("2026-11-24T20:00:00Z").unwrap();
        let state = Allowance::parse("5 per month").unwrap().state(2, now);
        assert_eq!(
            (state.name.to_string().as_str(), state.limit, state.used),
            ("pages/month", 5, 2)
        );
        assert_eq!(state.resets_at.rfc3339(), "2026-12-01T00:00:00Z");
        assert_eq!(state.window_s, 30 * 86_400);
    }
}
