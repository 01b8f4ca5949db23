//! Things that come and go, found by their place.

/// A slab. A place that was given back is used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn add(&mut self, item: T) -> usize {
        if let Some(place) = self.free.pop() {
            self.items[place] = Some(item);
            return place;
        }
        self.items.push(Some(item));
        self.items.len() - 1
    }

    pub(crate) fn get(&self, place: usize) -> &T {
        self.items[place].as_ref().unwrap()
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> &mut T {
        self.items[place].as_mut().unwrap()
    }

    pub(crate) fn remove(&mut self, place: usize) -> T {
        self.free.push(place);
        self.items[place].take().unwrap()
    }
}
