//! The messages between isolates and the registry of readers.

use super::{Allowance, CountKey, Grant, Page, ReaderId};
use crate::plan::Period;
use crate::wire::{Content, Unreadable, Wire, begin_message, end_message, wire, write_bytes};

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

wire!(ReadersRequest { 1: observations });
wire!(Observation { 1: count, 2: had, 3: has });
wire!(ReadersReply { 1: corrections });
wire!(Correction { 1: count, 2: used });
wire!(CountKey { 1: reader, 2: allowance, 3: starts_at });
wire!(Grant { 1: count, 2: page, 3: had, 4: has });

impl Wire for ReaderId {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_bytes(number, self.as_bytes(), out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        content.bytes()?.try_into().map(Self::from_bytes).map_err(|_| Unreadable::Broken)
    }
}

impl Wire for Allowance {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        let message = begin_message(number, out);
        self.limit().write(1, out);
        self.period().write(2, out);
        end_message(message, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        let (limit, period): (u8, Period) = Wire::read(content)?;
        Self::new(limit, period).ok_or(Unreadable::Broken)
    }
}

impl Wire for Page {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.0.write(number, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        u32::read(content).map(Self)
    }
}
