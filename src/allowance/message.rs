//! The messages between isolates and objects, as text: one line for each count.
//!
//! Each side is the other's own release or the one before it, so a line that can't be read is left
//! out: the reader's next view is reported again.

use std::fmt::Write as _;

use super::{Allowance, CountKey, Grant, Page, ReaderId};
use crate::plan::Period;
use crate::time::Timestamp;
use crate::wire::Wire;

/// An isolate's report.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReadersRequest {
    /// In no particular order.
    pub observations: Vec<Observation>,
}

/// A reader that an isolate has let in, once or several times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Observation {
    /// The count that it was added to.
    pub count: CountKey,
    /// The lowest count it came with.
    pub had: u8,
    /// The highest count it left with.
    pub has: u8,
}

/// The object's reply.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReadersReply {
    /// Readers that came with less than they had used.
    pub corrections: Vec<Correction>,
}

/// A reader's real count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Correction {
    /// The count that is meant.
    pub count: CountKey,
    /// At least this much.
    pub used: u8,
}

impl From<ReadersRequest> for String {
    fn from(request: ReadersRequest) -> Self {
        lines(request.observations.iter().map(|seen| (seen.count, [seen.had, seen.has])))
    }
}

impl From<String> for ReadersRequest {
    fn from(text: String) -> Self {
        let observations = read(&text, |count, [had, has]| Observation { count, had, has });
        Self { observations }
    }
}

impl From<ReadersReply> for String {
    fn from(reply: ReadersReply) -> Self {
        lines(reply.corrections.iter().map(|correction| (correction.count, [0, correction.used])))
    }
}

impl From<String> for ReadersReply {
    fn from(text: String) -> Self {
        Self { corrections: read(&text, |count, [_, used]| Correction { count, used }) }
    }
}

impl Wire for ReadersRequest {
    fn put(&self, text: &mut String) {
        String::from(self.clone()).put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        String::take(rest).map(Self::from)
    }
}

impl Wire for ReadersReply {
    fn put(&self, text: &mut String) {
        String::from(self.clone()).put(text);
    }

    fn take(rest: &mut &str) -> Option<Self> {
        String::take(rest).map(Self::from)
    }
}

impl Grant {
    /// As text that the edge keeps while the origin works.
    pub fn to_line(&self) -> String {
        let Page(page) = self.page;
        lines([(self.count, [self.had, self.has])].into_iter()) + &page.to_string()
    }

    /// Reads [`Self::to_line`]; `None` for anything else.
    pub fn from_line(text: &str) -> Option<Self> {
        let (line, page) = text.split_once('\n')?;
        let (count, [had, has]) = read_line(line)?;
        Some(Self { count, page: Page(read_number(page)?), had, has })
    }
}

/// A count and two numbers, a line each.
fn lines(counts: impl Iterator<Item = (CountKey, [u8; 2])>) -> String {
    let mut out = String::new();
    for (count, [first, second]) in counts {
        // Writing to a string can't fail.
        let _ = writeln!(out, "{count} {first} {second}");
    }
    out
}

fn read<T>(text: &str, make: impl Fn(CountKey, [u8; 2]) -> T) -> Vec<T> {
    let one = |line| read_line(line).map(|(count, numbers)| make(count, numbers));
    text.split('\n').filter_map(one).collect()
}

fn read_line(line: &str) -> Option<(CountKey, [u8; 2])> {
    let mut parts = line.split(' ');
    let reader = ReaderId::parse(parts.next()?)?;
    let limit = read_number(parts.next()?)?;
    let allowance = Allowance::new(limit, Period::from_word(parts.next()?)?)?;
    let starts_at = Timestamp::from_millis(read_number(parts.next()?)?);
    let numbers = [read_number(parts.next()?)?, read_number(parts.next()?)?];
    let count = CountKey { reader, allowance, starts_at };
    parts.next().is_none().then_some((count, numbers))
}

/// One parser for all of them takes less of the module.
fn read_number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    text.parse().ok().and_then(|number: u64| number.try_into().ok())
}
