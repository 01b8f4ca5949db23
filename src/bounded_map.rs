//! A map that can't grow without end: the oldest entry makes room for the newest.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map of at most `capacity` entries. Replacing a value does not make its entry younger.
#[derive(Debug)]
pub struct BoundedMap<K, V> {
    /// At which place each key ever stood; places are counted on while old entries go, so that the
    /// table's code is the same for all values.
    places: HashMap<K, usize>,
    entries: VecDeque<(K, V)>,
    gone: usize,
    capacity: usize,
}

impl<K: Clone + Eq + Hash, V> BoundedMap<K, V> {
    /// An empty map of at most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self { places: HashMap::new(), entries: VecDeque::new(), gone: 0, capacity }
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

    /// Puts `value` at `key`, and drops the oldest entry where there is no room. Returns what was
    /// dropped.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some(known) = self.get_mut(&key) {
            *known = value;
            return None;
        }
        let place = self.gone.wrapping_add(self.entries.len());
        self.places.insert(key.clone(), place);
        self.entries.push_back((key, value));
        if self.entries.len() <= self.capacity {
            return None;
        }
        let oldest = self.entries.pop_front()?;
        self.gone = self.gone.wrapping_add(1);
        self.places.remove(&oldest.0);
        Some(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut map = BoundedMap::new(2);
        map.insert("a", 1);
        map.insert("b", 2);
        assert_eq!(map.insert("a", 3), None);
        assert_eq!(map.insert("c", 4), Some(("a", 3)));
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(&2), Some(&4)));
        assert_eq!((map.places.len(), map.entries.len()), (2, 2));
        *map.get_mut("b").unwrap() = 5;
        assert_eq!(map.insert("d", 6), Some(("b", 5)));
        assert_eq!((map.get("b"), map.get("c"), map.get("d")), (None, Some(&4), Some(&6)));
    }
}
