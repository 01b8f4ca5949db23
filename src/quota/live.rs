//! The rows of a ledger in its database, packed so that a message writes one of them.
//!
//! A row costs as much as the rest of a message. So the counts of the present windows stand
//! together in the *live row* of the account, and so do the first few holders; each member has a
//! live row of its own. Only what would make a live row grow without end has rows apart: counts of
//! windows that are over, and further holders.
//!
//! [`LivePages`] reads each live row once in a message, and writes the changed ones at its end.

mod row;

use std::cell::RefCell;

use self::row::{Found, Placed};
use super::store::{Counter, CounterKey, HolderRow, HolderTimes};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

pub use self::row::{LiveCounter, LiveRow};

/// The tables that hold a ledger's counts and holders.
pub trait LiveRows {
    /// The live row of a member, or of the account where `member` is empty.
    ///
    /// # Errors
    /// The row could not be read; so for every method.
    fn live_row(&self, member: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a live row; the oldest of its windows starts at `starts_at`.
    ///
    /// # Errors
    /// The row could not be written; so for every method that writes.
    fn put_live_row(
        &mut self,
        member: &str,
        starts_at: Timestamp,
        value: &[u8],
    ) -> Result<(), StoreError>;

    /// Deletes a live row.
    ///
    /// # Errors
    /// See [`Self::put_live_row`].
    fn delete_live_row(&mut self, member: &str) -> Result<(), StoreError>;

    /// The members whose live rows have a window that started before this; empty for the account.
    ///
    /// # Errors
    /// See [`Self::live_row`].
    fn live_rows_before(&self, started_before: Timestamp) -> Result<Vec<String>, StoreError>;

    /// The count of a window that is over.
    ///
    /// # Errors
    /// See [`Self::live_row`].
    fn past_counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError>;

    /// Writes the count of a window that is over.
    ///
    /// # Errors
    /// See [`Self::put_live_row`].
    fn put_past_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError>;

    /// Deletes the counts of a meter that are over and whose window started before this.
    ///
    /// # Errors
    /// See [`Self::put_live_row`].
    fn delete_past_counters(
        &mut self,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError>;

    /// A holder that has a row of its own.
    ///
    /// # Errors
    /// See [`Self::live_row`].
    fn own_holder(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a holder in a row of its own.
    ///
    /// # Errors
    /// See [`Self::put_live_row`].
    fn put_own_holder(&mut self, times: &HolderTimes, value: &[u8]) -> Result<(), StoreError>;

    /// Deletes a holder's own row.
    ///
    /// # Errors
    /// See [`Self::put_live_row`].
    fn delete_own_holder(&mut self, name: &str) -> Result<(), StoreError>;

    /// The times of all holders that have rows of their own, in any order.
    ///
    /// # Errors
    /// See [`Self::live_row`].
    fn own_holder_times(&self) -> Result<Vec<HolderTimes>, StoreError>;
}

/// The live rows that a message has read so far.
///
/// The methods that take [`LiveRows`] are those of a
/// [`LedgerStore`](super::store::LedgerStore).
#[derive(Debug, Default)]
pub struct LivePages(RefCell<Vec<Page>>);

/// A live row in memory.
#[derive(Debug)]
struct Page {
    member: String,
    row: LiveRow,
    is_stored: bool,
    is_changed: bool,
}

impl LivePages {
    /// The count of a window, if anything was counted.
    ///
    /// # Errors
    /// A row could not be read; so for every method.
    pub fn counter(
        &self,
        rows: &impl LiveRows,
        key: &CounterKey,
    ) -> Result<Option<Counter>, StoreError> {
        let found = self.with(rows, member_of(key), |page| page.row.find(key))?;
        match found {
            Found::Here(counter) => Ok(Some(counter)),
            // Nothing newer than the newest window was ever counted.
            Found::Newest => Ok(None),
            Found::Older => rows.past_counter(key),
        }
    }

    /// Writes what was counted in a window.
    ///
    /// # Errors
    /// A row could not be read or written; so for every method that writes.
    pub fn put_counter(
        &self,
        rows: &mut impl LiveRows,
        key: &CounterKey,
        counter: &Counter,
    ) -> Result<(), StoreError> {
        let placed = self.with(rows, member_of(key), |page| {
            let placed = page.row.place(key, counter);
            page.is_changed |= !matches!(placed, Placed::Past);
            placed
        })?;
        match placed {
            Placed::Live(None) => Ok(()),
            Placed::Live(Some(past)) => rows.put_past_counter(&past.key(key), &past.counter),
            Placed::Past => rows.put_past_counter(key, counter),
        }
    }

    /// Takes over the account's live row that was read along with something else; `None` where it
    /// has none. A page that is there already is the newer one.
    ///
    /// # Errors
    /// See [`Self::counter`].
    pub fn know_account(&self, stored: Option<&[u8]>) -> Result<(), StoreError> {
        let mut pages = self.0.borrow_mut();
        if !pages.iter().any(|page| page.member == ACCOUNT) {
            pages.push(Page::of(ACCOUNT, stored)?);
        }
        Ok(())
    }

    /// Deletes the counts of a meter whose window started before `started_before`.
    ///
    /// # Errors
    /// See [`Self::put_counter`].
    pub fn delete_counters(
        &self,
        rows: &mut impl LiveRows,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError> {
        // A page that wasn't written is in no table to be found.
        self.write(rows)?;
        for member in rows.live_rows_before(started_before)? {
            self.with(rows, &member, |page| {
                let counters = &mut page.row.counters;
                let before = counters.len();
                counters.retain(|one| one.meter != meter || one.starts_at >= started_before);
                page.is_changed |= counters.len() != before;
            })?;
        }
        rows.delete_past_counters(meter, started_before)
    }

    /// A holder, if it is known.
    ///
    /// # Errors
    /// See [`Self::counter`].
    pub fn holder(
        &self,
        rows: &impl LiveRows,
        name: &str,
    ) -> Result<Option<HolderRow>, StoreError> {
        let (here, others) = self
            .with(rows, ACCOUNT, |page| (page.row.holder(name).cloned(), page.row.other_holders))?;
        if here.is_some() || others == 0 {
            return Ok(here);
        }
        rows.own_holder(name)?.map(|value| read(&value)).transpose()
    }

    /// Writes what is known of a holder.
    ///
    /// # Errors
    /// See [`Self::put_counter`].
    pub fn put_holder(&self, rows: &mut impl LiveRows, row: &HolderRow) -> Result<(), StoreError> {
        let has_own_row = self.has_own_row(rows, &row.name)?;
        let is_placed = self.with(rows, ACCOUNT, |page| {
            let is_placed = !has_own_row && page.row.place_holder(row);
            if !is_placed && !has_own_row {
                page.row.other_holders = page.row.other_holders.saturating_add(1);
            }
            page.is_changed |= !has_own_row;
            is_placed
        })?;
        if is_placed { Ok(()) } else { rows.put_own_holder(&row.times(), &wire::encode(row)) }
    }

    /// Forgets a holder.
    ///
    /// # Errors
    /// See [`Self::put_counter`].
    pub fn delete_holder(&self, rows: &mut impl LiveRows, name: &str) -> Result<(), StoreError> {
        let has_own_row = self.has_own_row(rows, name)?;
        self.with(rows, ACCOUNT, |page| {
            let before = page.row.holders.len();
            page.row.holders.retain(|row| row.name != name);
            page.is_changed |= has_own_row || page.row.holders.len() != before;
            if has_own_row {
                page.row.other_holders = page.row.other_holders.saturating_sub(1);
            }
        })?;
        if has_own_row { rows.delete_own_holder(name) } else { Ok(()) }
    }

    /// Every holder's times, in any order.
    ///
    /// # Errors
    /// See [`Self::counter`].
    pub fn holder_times(&self, rows: &impl LiveRows) -> Result<Vec<HolderTimes>, StoreError> {
        let (mut times, others) = self.with(rows, ACCOUNT, |page| {
            let times: Vec<_> = page.row.holders.iter().map(HolderRow::times).collect();
            (times, page.row.other_holders)
        })?;
        if others > 0 {
            times.extend(rows.own_holder_times()?);
        }
        Ok(times)
    }

    /// Writes the changed live rows. Whoever undoes the message makes new pages.
    ///
    /// # Errors
    /// See [`Self::put_counter`].
    pub fn write(&self, rows: &mut impl LiveRows) -> Result<(), StoreError> {
        for page in self.0.borrow_mut().iter_mut().filter(|page| page.is_changed) {
            if let Some(starts_at) = page.row.oldest() {
                rows.put_live_row(&page.member, starts_at, &wire::encode(&page.row))?;
            } else if page.is_stored {
                rows.delete_live_row(&page.member)?;
            }
            (page.is_stored, page.is_changed) = (page.row.oldest().is_some(), false);
        }
        Ok(())
    }

    fn has_own_row(&self, rows: &impl LiveRows, name: &str) -> Result<bool, StoreError> {
        let may_have = self.with(rows, ACCOUNT, |page| {
            page.row.other_holders > 0 && page.row.holder(name).is_none()
        })?;
        Ok(may_have && rows.own_holder(name)?.is_some())
    }

    /// Has `work` done on the live row of a member, which is read now if it wasn't before.
    fn with<T>(
        &self,
        rows: &impl LiveRows,
        member: &str,
        work: impl FnOnce(&mut Page) -> T,
    ) -> Result<T, StoreError> {
        let mut pages = self.0.borrow_mut();
        if let Some(page) = pages.iter_mut().find(|page| page.member == member) {
            return Ok(work(page));
        }
        let mut page = Page::of(member, rows.live_row(member)?.as_deref())?;
        let done = work(&mut page);
        pages.push(page);
        Ok(done)
    }
}

impl Page {
    fn of(member: &str, stored: Option<&[u8]>) -> Result<Self, StoreError> {
        let row = stored.map(read).transpose()?.unwrap_or_default();
        let (member, is_stored) = (member.to_owned(), stored.is_some());
        Ok(Self { member, row, is_stored, is_changed: false })
    }
}

fn member_of(key: &CounterKey) -> &str {
    key.member.as_deref().unwrap_or(ACCOUNT)
}

fn read<T: wire::Field>(value: &[u8]) -> Result<T, StoreError> {
    wire::decode(value).map_err(|error| StoreError(format!("a row that can't be read: {error}")))
}

/// In the place of a member, for the account's own live row.
const ACCOUNT: &str = "";

#[cfg(test)]
mod tests;
