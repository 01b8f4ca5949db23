//! The side of the object: the highest reported count of each reader, and the readers that came
//! with less than that.
//!
//! It keeps counts and no pages, so nobody can read in it what somebody has read.

use super::{Correction, CountKey, Observation, ReadersReply, ReadersRequest};
use crate::store::StoreError;
use crate::time::Timestamp;

/// One of the objects that watch over readers. What counts is in the store; this only remembers
/// when it last tidied up.
#[derive(Debug, Default)]
pub struct Readers {
    swept_at: Option<Timestamp>,
}

impl Readers {
    /// Takes observations over, and answers which readers came with less than they had used.
    ///
    /// An observation that comes twice, late or in another order than it was made changes nothing:
    /// only the highest counts stay.
    ///
    /// # Errors
    ///
    /// The store failed. Rows written until then may stay: they are true all the same.
    pub fn handle(
        &mut self,
        store: &mut impl ReaderStore,
        request: &ReadersRequest,
        now: Timestamp,
    ) -> Result<ReadersReply, StoreError> {
        let recent = |at: Timestamp| (0..SWEEP_INTERVAL_MS).contains(&now.ms_since(at));
        if !self.swept_at.is_some_and(recent) {
            store.delete_forgotten(now)?;
            self.swept_at = Some(now);
        }
        let mut reply = ReadersReply::default();
        for seen in &request.observations {
            let Observation { count, had, has } = *seen;
            let has = has.min(count.allowance.limit());
            let highest = store.highest(count)?;
            if had < highest {
                reply.corrections.push(Correction { count, used: highest.max(has) });
            }
            if has > highest {
                let ends_at = count.allowance.window(count.starts_at).ends_at;
                let forget_at = ends_at.plus_ms(FORGET_MARGIN_MS);
                store.put_row(&ReaderRow { count, highest: has, forget_at })?;
            }
        }
        Ok(reply)
    }
}

/// The object's needs of a database. There is at most one row of each count.
pub trait ReaderStore {
    /// The highest count of a reader that was written; 0 where there is no row.
    ///
    /// # Errors
    ///
    /// The row could not be read.
    fn highest(&self, count: CountKey) -> Result<u8, StoreError>;

    /// Writes a row, in the place of the one that is there.
    ///
    /// # Errors
    ///
    /// The row could not be written.
    fn put_row(&mut self, row: &ReaderRow) -> Result<(), StoreError>;

    /// Deletes every row whose `forget_at` is `now` or earlier.
    ///
    /// # Errors
    ///
    /// The rows could not be deleted.
    fn delete_forgotten(&mut self, now: Timestamp) -> Result<(), StoreError>;
}

/// A count as the object remembers it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReaderRow {
    /// The key.
    pub count: CountKey,
    /// The highest count it has left with.
    pub highest: u8,
    /// The time at which the period is over everywhere and the row may be deleted.
    pub forget_at: Timestamp,
}

/// Tidying up reads every row, so it is not done more often.
const SWEEP_INTERVAL_MS: i64 = 3_600_000;
/// Greatest lag of clocks and late reports behind the end of a period.
const FORGET_MARGIN_MS: i64 = 600_000;
