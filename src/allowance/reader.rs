//! A reader without an account, and how much of each allowance it has used.

use std::fmt;

use super::tally::{ReaderId, Tally};
use super::{Allowance, AllowanceKey, MAX_ALLOWANCES, Page, cookie};
use crate::cause::QuotaState;
use crate::time::Timestamp;

/// A reader, by its cookie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reader {
    id: ReaderId,
    tallies: Vec<Tally>,
}

impl Reader {
    /// A reader who was never seen before.
    pub fn new(id: ReaderId) -> Self {
        Self { id, tallies: Vec::new() }
    }

    /// The reader behind the value of the cookie [`COOKIE_NAME`](super::COOKIE_NAME), with what it
    /// has used in the periods that hold `now`.
    ///
    /// `None` where the value is not one that was signed with this key for this host.
    pub fn read(value: &str, key: &AllowanceKey, host: &str, now: Timestamp) -> Option<Self> {
        let (id, mut tallies) = cookie::open(value, key, host)?;
        tallies.retain(|tally| tally.is_current(now));
        Some(Self { id, tallies })
    }

    /// The reader's id.
    pub fn id(&self) -> ReaderId {
        self.id
    }

    /// Looks at a page: free because it was seen before in this period, free and counted, or not
    /// free any more.
    ///
    /// This uses the cookie only; [`ReaderMemory::view`](super::ReaderMemory::view) sees more.
    pub fn view(&mut self, allowance: Allowance, page: Page, now: Timestamp) -> View {
        let reader = self.id;
        self.change(allowance, now, |tally| {
            let had = tally.count;
            let verdict = if tally.pages.contains(&page) {
                Verdict::AlreadySeen
            } else if tally.add(page) {
                let count = CountKey { reader, allowance, starts_at: tally.starts_at };
                Verdict::Counted(Grant { count, page, had, has: tally.count })
            } else {
                Verdict::UsedUp
            };
            View { quota: allowance.state(tally.count, now), verdict }
        })
    }

    /// Number of pages used of an allowance in the period that holds `now`.
    pub fn used(&self, allowance: Allowance, now: Timestamp) -> u8 {
        self.tally(allowance, now).map_or(0, |tally| tally.count)
    }

    /// Counts of each allowance in the periods that hold `now`. They are added to the count of
    /// an account when the reader signs in. The same reader and period never add up to more than
    /// the highest of these.
    pub fn counts(&self, now: Timestamp) -> Vec<ReaderCount> {
        let current = self.tallies.iter().filter(|tally| tally.is_current(now) && tally.count > 0);
        let told = |&Tally { allowance, starts_at, count: used, .. }: &Tally| {
            let count = CountKey { reader: self.id, allowance, starts_at };
            ReaderCount { count, used }
        };
        current.map(told).collect()
    }

    /// Takes an allowance's count out: it has gone over to an account.
    pub fn forget(&mut self, allowance: Allowance) {
        self.tallies.retain(|tally| tally.allowance != allowance);
    }

    /// The value of the `Set-Cookie` field that has the reader keep its count, until the last of
    /// the periods is over.
    pub fn set_cookie(&self, key: &AllowanceKey, host: &str, now: Timestamp) -> String {
        let current: Vec<_> = self.tallies.iter().filter(|tally| tally.is_current(now)).collect();
        let ends = current.iter().map(|tally| tally.allowance.window(now).ends_at);
        let max_age_s = ends.max().map_or(0, |end| end.seconds_from(now));
        cookie::set(&cookie::seal(self.id, &current, key, host), max_age_s)
    }

    pub(super) fn tally(&self, allowance: Allowance, now: Timestamp) -> Option<&Tally> {
        let mut tallies = self.tallies.iter();
        tallies.find(|tally| tally.allowance == allowance && tally.is_current(now))
    }

    /// Adds what is known from elsewhere about the same reader.
    pub(super) fn absorb(&mut self, known: &Tally, now: Timestamp) {
        if known.is_current(now) {
            self.change(known.allowance, now, |tally| tally.absorb(known));
        }
    }

    /// Changes the current tally of an allowance, an empty one where there is none yet. Where there
    /// is no room for another, the one that ends first makes it.
    fn change<T>(
        &mut self,
        allowance: Allowance,
        now: Timestamp,
        change: impl FnOnce(&mut Tally) -> T,
    ) -> T {
        self.tallies.retain(|tally| tally.is_current(now));
        let found = self.tallies.iter().position(|tally| tally.allowance == allowance);
        let mut tally = match found {
            Some(index) => self.tallies.swap_remove(index),
            None => Tally::new(allowance, now),
        };
        let outcome = change(&mut tally);
        if self.tallies.len() >= MAX_ALLOWANCES {
            let ends = self.tallies.iter().map(|tally| tally.allowance.window(now).ends_at);
            if let Some((index, _)) = ends.enumerate().min_by_key(|(_, ends_at)| *ends_at) {
                self.tallies.swap_remove(index);
            }
        }
        self.tallies.push(tally);
        outcome
    }
}

/// The outcome of looking at a page.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The verdict on the page.
    pub verdict: Verdict,
    /// The count of the allowance, this view included.
    pub quota: QuotaState,
}

/// The verdict on a page: free or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is, since the reader has seen it before in this period.
    AlreadySeen,
    /// It is, and was counted.
    Counted(Grant),
    /// It isn't: the allowance is used up.
    UsedUp,
}

/// The identity of a count.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CountKey {
    /// The reader.
    pub reader: ReaderId,
    /// The allowance.
    pub allowance: Allowance,
    /// The start of the period.
    pub starts_at: Timestamp,
}

/// `<reader> <limit> <period> <start in ms>`.
impl fmt::Display for CountKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reader, allowance, starts_at } = self;
        let (limit, period) = (allowance.limit(), allowance.period().word());
        write!(formatter, "{reader} {limit} {period} {}", starts_at.as_millis())
    }
}

/// One view that was counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The count that it was added to.
    pub count: CountKey,
    /// The page that was seen.
    pub page: Page,
    /// The count before it.
    pub had: u8,
    /// The count after it.
    pub has: u8,
}

/// A reader's use of an allowance in one period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReaderCount {
    /// The count: reader, allowance and period.
    pub count: CountKey,
    /// Number of pages.
    pub used: u8,
}
