//! The demand for a meter: a rate over the last few seconds.

use crate::time::Timestamp;

/// Units that were asked for lately, each counting less the longer ago it was. An estimate, which
/// absurd numbers only take to its end: nothing is debited by it.
///
/// The weight of a unit halves in [`HALF_LIFE_MS`], in a straight line within each half-life. With
/// a steady rate of r units a second the level before each of them is 5 r.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    /// Thousandths of a unit, before the last note.
    before_milli: u64,
    /// The same with it.
    level_milli: u64,
    noted_at: Timestamp,
}

impl Demand {
    /// Notes that `units` are wanted.
    pub(super) fn note(&mut self, units: u64, now: Timestamp) {
        let before_milli = decayed(self.level_milli, now.ms_since(self.noted_at));
        let level_milli = before_milli.saturating_add(units.saturating_mul(MILLI));
        *self = Self { before_milli, level_milli, noted_at: now };
    }

    /// Units of the last note.
    pub(super) fn last_units(&self) -> u64 {
        self.level_milli.saturating_sub(self.before_milli) / MILLI
    }

    /// Whether anything was wanted lately.
    pub(super) fn is_recent(&self, now: Timestamp) -> bool {
        now.ms_since(self.noted_at) < RECENT_MS
    }

    /// Units that will be wanted within the next `ms`, if it goes on like this. A first request
    /// promises nothing: the last note isn't reckoned with.
    pub(super) fn expected(&self, ms: i64, now: Timestamp) -> u64 {
        let level_milli = decayed(self.before_milli, now.ms_since(self.noted_at));
        level_milli.saturating_mul(ms.max(0).unsigned_abs()) / (TIME_CONSTANT_MS * MILLI)
    }
}

fn decayed(level_milli: u64, age_ms: i64) -> u64 {
    let age_ms = age_ms.max(0).unsigned_abs();
    let halvings = u32::try_from(age_ms / HALF_LIFE_MS).unwrap_or(u32::MAX);
    let halved = level_milli.checked_shr(halvings).unwrap_or(0);
    // The rest of a half-life takes up to another half, in proportion.
    let lost = halved.saturating_mul(age_ms % HALF_LIFE_MS) / TIME_CONSTANT_MS;
    halved.saturating_sub(lost)
}

const RECENT_MS: i64 = 60_000;
const MILLI: u64 = 1_000;
const HALF_LIFE_MS: u64 = 2_500;
/// The time constant that small steps of [`decayed`] come to.
const TIME_CONSTANT_MS: u64 = 2 * HALF_LIFE_MS;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000_000).plus_ms(ms)
    }

    /// The demand for ten seconds, after requests at an even pace.
    fn at_a_pace_of(every_ms: i64, requests: i64) -> u64 {
        let mut demand = Demand::default();
        for request in 0..requests {
            demand.note(1, at(request.saturating_mul(every_ms)));
        }
        demand.expected(10_000, demand.noted_at)
    }

    #[test]
    fn a_steady_rate_is_recognised() {
        for (every_ms, least, most) in [(1_000, 7, 10), (100, 90, 101), (10, 950, 1_001)] {
            let expected = at_a_pace_of(every_ms, 6_000);
            assert!((least..=most).contains(&expected), "every {every_ms} ms: {expected}");
        }
        assert_eq!(at_a_pace_of(30_000, 10), 0, "a request now and then promises no other");
    }

    #[test]
    fn the_first_request_promises_nothing_and_a_crowd_does() {
        let mut demand = Demand::default();
        demand.note(1, at(0));
        assert_eq!(demand.expected(10_000, at(0)), 0);
        for _ in 0..63 {
            demand.note(1, at(0));
        }
        assert_eq!(demand.expected(10_000, at(0)), 126);
    }

    #[test]
    fn silence_is_forgotten_and_absurd_numbers_do_not_overflow() {
        let mut demand = Demand::default();
        for _ in 0..10_000 {
            demand.note(1, at(0));
        }
        assert!(demand.expected(10_000, at(0)) > 19_000);
        assert!(demand.expected(10_000, at(60_000)) < 2);
        demand.note(u64::MAX, at(i64::MAX));
        demand.note(u64::MAX, at(i64::MIN));
        let _ = demand.expected(i64::MAX, at(0));
    }
}
