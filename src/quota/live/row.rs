//! The content of a live row: the present counts, and the first few holders.

use crate::plan::Period;
use crate::quota::store::{Counter, CounterKey, HolderRow};
use crate::time::Timestamp;
use crate::wire::wire;

/// The content of a live row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LiveRow {
    /// The counts, of each meter and period the newest two.
    pub counters: Vec<LiveCounter>,
    /// The first holders; none in a member's row.
    pub holders: Vec<HolderRow>,
    /// Number of holders that have rows of their own.
    pub other_holders: u64,
}

/// The count of a window in a live row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LiveCounter {
    /// The meter.
    pub meter: String,
    /// The kind of period.
    pub period: Period,
    /// The start of this one.
    pub starts_at: Timestamp,
    /// The count.
    pub counter: Counter,
}

wire!(LiveRow { 1: counters, 2: holders, 3: other_holders });
wire!(LiveCounter { 1: meter, 2: period, 3: starts_at, 4: counter });

/// The place of a count.
pub(super) enum Found {
    Here(Counter),
    /// Not in the live row, and newer than all windows that are.
    Newest,
    /// Not in the live row, and older than one that is.
    Older,
}

/// The new place of a count.
pub(super) enum Placed {
    /// In the live row. A window that is over may have left it for that.
    Live(Option<LiveCounter>),
    /// Among those that are over.
    Past,
}

impl LiveRow {
    pub(super) fn find(&self, key: &CounterKey) -> Found {
        let mut found = Found::Newest;
        for one in self.counters.iter().filter(|one| one.is_alike(key)) {
            if one.starts_at == key.starts_at {
                return Found::Here(one.counter);
            }
            if one.starts_at > key.starts_at {
                found = Found::Older;
            }
        }
        found
    }

    pub(super) fn place(&mut self, key: &CounterKey, counter: &Counter) -> Placed {
        match self.find(key) {
            Found::Older => return Placed::Past,
            Found::Here(_) => {
                let is_it =
                    |one: &&mut LiveCounter| one.is_alike(key) && one.starts_at == key.starts_at;
                if let Some(one) = self.counters.iter_mut().find(is_it) {
                    one.counter = *counter;
                }
                return Placed::Live(None);
            }
            Found::Newest => {}
        }
        let (meter, period) = (key.meter.clone(), key.period);
        let of_it = self.counters.iter().filter(|one| one.is_alike(key));
        let oldest = of_it.clone().map(|one| one.starts_at).min();
        let left = oldest.filter(|_| of_it.count() >= WINDOWS_KEPT).and_then(|oldest| {
            let is_it = |one: &LiveCounter| one.is_alike(key) && one.starts_at == oldest;
            let place = self.counters.iter().position(is_it)?;
            Some(self.counters.remove(place))
        });
        self.counters.push(LiveCounter {
            meter,
            period,
            starts_at: key.starts_at,
            counter: *counter,
        });
        // A row for each minute of each account would be the most of the database.
        Placed::Live(left.filter(|one| one.period != Period::Minute))
    }

    pub(super) fn holder(&self, name: &str) -> Option<&HolderRow> {
        self.holders.iter().find(|row| row.name == name)
    }

    /// Puts a holder into the live row, if it is there already or there is room.
    pub(super) fn place_holder(&mut self, row: &HolderRow) -> bool {
        if let Some(known) = self.holders.iter_mut().find(|known| known.name == row.name) {
            known.clone_from(row);
            return true;
        }
        let has_room = self.holders.len() < HOLDERS_KEPT;
        if has_room {
            self.holders.push(row.clone());
        }
        has_room
    }

    /// The start of the oldest window; `None` for a row that need not be kept. One without windows
    /// is as old as can be.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let oldest = self.counters.iter().map(|one| one.starts_at).min();
        let is_needed = !self.holders.is_empty() || self.other_holders > 0;
        oldest.or_else(|| is_needed.then(Timestamp::default))
    }
}

impl LiveCounter {
    /// True for a window of the same meter and period.
    fn is_alike(&self, key: &CounterKey) -> bool {
        self.period == key.period && self.meter == key.meter
    }

    /// Its key, where `alike` is that of another window.
    pub(super) fn key(&self, alike: &CounterKey) -> CounterKey {
        CounterKey { starts_at: self.starts_at, ..alike.clone() }
    }
}

/// Of a meter and period: the present window, and the one before, into which leases still go back
/// and from which units roll over.
const WINDOWS_KEPT: usize = 2;
/// Holders in the live row. Most accounts have no more: each is an isolate of the last 85 seconds.
const HOLDERS_KEPT: usize = 4;
