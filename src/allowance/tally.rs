//! Counts of one reader: its id, its pages, and how many of them were free.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Allowance;
use crate::time::Timestamp;

/// Names a reader: 96 bits that nobody can guess.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReaderId([u8; ID_BYTES]);

impl ReaderId {
    /// The id of these bytes; `AllowanceKey::reader_id` makes fresh ones.
    pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

/// 16 letters of base64url.
impl fmt::Display for ReaderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A page in one reader's cookie: 32 bits of a keyed hash, different for each reader, so
/// that a list of them reveals nothing of what was read.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Page(pub(super) u32);

/// The free pages of one reader, of one allowance and in one period. The count may be larger than
/// the list of pages: it may come from somewhere that keeps no lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tally {
    pub(super) allowance: Allowance,
    pub(super) starts_at: Timestamp,
    pub(super) count: u8,
    pub(super) pages: Vec<Page>,
}

impl Tally {
    pub(super) fn new(allowance: Allowance, now: Timestamp) -> Self {
        let starts_at = allowance.window(now).starts_at;
        Self { allowance, starts_at, count: 0, pages: Vec::new() }
    }

    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        self.allowance.window(now).starts_at == self.starts_at
    }

    /// Takes the union of the pages and the higher of the counts.
    pub(super) fn absorb(&mut self, other: &Self) {
        for page in &other.pages {
            if !self.pages.contains(page) {
                self.pages.push(*page);
            }
        }
        self.pages.truncate(usize::from(self.allowance.limit()));
        let seen = u8::try_from(self.pages.len()).unwrap_or(u8::MAX);
        self.count = self.count.max(seen);
        self.raise_to(other.count);
    }

    /// Knows from now on that at least this much was used.
    pub(super) fn raise_to(&mut self, count: u8) {
        self.count = self.count.max(count).min(self.allowance.limit());
    }

    /// Takes a view back that came to nothing.
    pub(super) fn remove(&mut self, page: Page) {
        let before = self.pages.len();
        self.pages.retain(|one| *one != page);
        if self.pages.len() < before {
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Counts a page, if there is something left.
    pub(super) fn add(&mut self, page: Page) -> bool {
        if self.count >= self.allowance.limit() {
            return false;
        }
        self.count = self.count.saturating_add(1);
        self.pages.push(page);
        true
    }
}

/// 96 bits: two of a billion readers share an id with a probability of 10^-11.
pub(super) const ID_BYTES: usize = 12;
