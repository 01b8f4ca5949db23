//! What is going to happen, in the order in which it will.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::random::Random;

/// Things to come. What happens in the same millisecond happens in an order that the seed decides.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
    ties: Random,
}

#[derive(Debug)]
struct Entry<E> {
    at_ms: u64,
    tie: u64,
    event: E,
}

impl<E> Queue<E> {
    pub(crate) fn new(ties: Random) -> Self {
        Self { heap: BinaryHeap::with_capacity(256), ties }
    }

    pub(crate) fn push(&mut self, at_ms: u64, event: E) {
        let tie = self.ties.next();
        self.heap.push(Entry { at_ms, tie, event });
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        self.heap.pop().map(|entry| (entry.at_ms, entry.event))
    }
}

impl<E> Ord for Entry<E> {
    /// The soonest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.tie).cmp(&(self.at_ms, self.tie))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
