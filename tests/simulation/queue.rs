//! The things to come, in their order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::Random;
use crate::slab::Slab;

/// Things to come. The seed decides on the order within a millisecond.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    /// The time and a random tie-break, and where the event is. Small, since a heap moves them a lot.
    heap: BinaryHeap<Reverse<(u64, u32, u32)>>,
    events: Slab<E>,
    ties: Random,
}

impl<E> Queue<E> {
    pub(crate) fn new(ties: Random) -> Self {
        Self { heap: BinaryHeap::with_capacity(256), events: Slab::default(), ties }
    }

    pub(crate) fn push(&mut self, at_ms: u64, event: E) {
        let tie = (self.ties.next() >> 32) as u32;
        let place = self.events.add(event) as u32;
        self.heap.push(Reverse((at_ms, tie, place)));
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse((at_ms, _, place)) = self.heap.pop()?;
        Some((at_ms, self.events.remove(place as usize)))
    }
}
