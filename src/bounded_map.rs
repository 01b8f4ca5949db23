//! A map that can't grow without end: the oldest entry makes room for the newest.
//!
//! It is bounded by the number of its entries, and by the bytes that their values declare: see
//! [`Weight`].

use std::borrow::Borrow;
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::rc::Rc;

/// A map of at most `capacity` entries. Replacing a value does not make its entry younger.
#[derive(Debug)]
pub struct BoundedMap<K, V> {
    /// The index of each key since the first insertion. It is never reused, so dropping the oldest
    /// moves nothing and the table's code is the same for all values.
    places: HashMap<K, usize>,
    entries: VecDeque<(K, V)>,
    gone: usize,
    capacity: usize,
    bytes: Rc<Cell<usize>>,
    max_bytes: usize,
}

/// The bytes that a value declares to hold. They count in the map for as long as the weight exists,
/// so the value keeps it.
#[derive(Debug)]
pub struct Weight {
    bytes: usize,
    total: Rc<Cell<usize>>,
}

impl Weight {
    /// Sets the number of bytes that the value holds now.
    pub fn set(&mut self, bytes: usize) {
        let others = self.total.get().saturating_sub(self.bytes);
        self.total.set(others.saturating_add(bytes));
        self.bytes = bytes;
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// The approximate bytes of a text on the heap, with its pointer and the allocator's overhead.
pub fn text_bytes(text: &str) -> usize {
    text.len().saturating_add(TEXT_BYTES)
}

/// 12 bytes of a `String` in WebAssembly, 24 elsewhere; the allocator rounds up to 8 or 16, and
/// keeps a number beside each block.
const TEXT_BYTES: usize = 40;

impl<K: Clone + Eq + Hash, V> BoundedMap<K, V> {
    /// An empty map of at most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self::weighed(capacity, usize::MAX)
    }

    /// The same, for values that declare at most `max_bytes` together.
    pub fn weighed(capacity: usize, max_bytes: usize) -> Self {
        let (places, entries, bytes) = Default::default();
        Self { places, entries, gone: 0, capacity, bytes, max_bytes }
    }

    /// The weight of a value that is to be put into this map: none yet.
    pub fn weight(&self) -> Weight {
        Weight { bytes: 0, total: Rc::clone(&self.bytes) }
    }

    /// The bytes that all values declare together.
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// The value at `key`.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.get(key)?.wrapping_sub(self.gone);
        self.entries.get(place).map(|(_, value)| value)
    }

    /// The value at `key`, to change it.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.get(key)?.wrapping_sub(self.gone);
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// Puts `value` at `key`, and drops the oldest entries where there is no room: this one too, if
    /// it alone is too much. Hands over the dropped entries, one after another.
    pub fn insert(&mut self, key: K, value: V, dropped: &mut dyn FnMut(K, V)) {
        if let Some(known) = self.get_mut(&key) {
            *known = value;
        } else {
            let place = self.gone.wrapping_add(self.entries.len());
            self.places.insert(key.clone(), place);
            self.entries.push_back((key, value));
        }
        self.trim(dropped);
    }

    /// Drops the oldest entries until there is room, where values have grown.
    pub fn trim(&mut self, dropped: &mut dyn FnMut(K, V)) {
        while self.entries.len() > self.capacity || self.bytes.get() > self.max_bytes {
            let Some((key, value)) = self.entries.pop_front() else { break };
            self.gone = self.gone.wrapping_add(1);
            self.places.remove(&key);
            dropped(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(
        map: &mut BoundedMap<&'static str, u32>,
        key: &'static str,
        value: u32,
    ) -> Vec<(&'static str, u32)> {
        let mut all = Vec::new();
        map.insert(key, value, &mut |key, value| all.push((key, value)));
        all
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut map = BoundedMap::new(2);
        put(&mut map, "a", 1);
        put(&mut map, "b", 2);
        assert_eq!(put(&mut map, "a", 3), []);
        assert_eq!(put(&mut map, "c", 4), [("a", 3)]);
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(&2), Some(&4)));
        assert_eq!((map.places.len(), map.entries.len()), (2, 2));
        *map.get_mut("b").unwrap() = 5;
        assert_eq!(put(&mut map, "d", 6), [("b", 5)]);
        assert_eq!((map.get("b"), map.get("c"), map.get("d")), (None, Some(&4), Some(&6)));
    }

    #[test]
    fn what_values_hold_is_bounded_too() {
        let mut map = BoundedMap::weighed(100, 1_000);
        let weigh = |map: &BoundedMap<u32, Weight>, bytes| {
            let mut weight = map.weight();
            weight.set(bytes);
            weight
        };
        for number in 0..50 {
            let weight = weigh(&map, 300);
            map.insert(number, weight, &mut |_, _| {});
            assert!(map.bytes() <= 1_000 && map.get(&number).is_some(), "{number}");
        }
        assert_eq!((map.entries.len(), map.places.len(), map.bytes()), (3, 3, 900));
        let weight = weigh(&map, 10);
        map.insert(49, weight, &mut |_, _| {});
        assert_eq!((map.entries.len(), map.bytes()), (3, 610), "what is replaced counts no more");
        map.get_mut(&49).unwrap().set(500);
        assert_eq!(map.bytes(), 1_100);
        let mut dropped = Vec::new();
        map.trim(&mut |key, _| dropped.push(key));
        assert_eq!((dropped.as_slice(), map.bytes()), (&[47][..], 800), "what has grown");
        let weight = weigh(&map, 1_001);
        map.insert(50, weight, &mut |_, _| {});
        assert_eq!((map.entries.len(), map.bytes()), (0, 0), "it alone is too much");
    }
}
