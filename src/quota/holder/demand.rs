//! The demand for a meter: a rate over the last few seconds, and the last gaps where it is slow.

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
    /// The times between the last three notes, the latest first.
    gaps_ms: [Option<i64>; 2],
}

impl Demand {
    /// Notes that `units` are wanted.
    pub(super) fn note(&mut self, units: u64, now: Timestamp) {
        let before_milli = decayed(self.level_milli, now.ms_since(self.noted_at));
        let level_milli = before_milli.saturating_add(units.saturating_mul(MILLI));
        let is_first = self.noted_at == Timestamp::default();
        let last_ms = (!is_first).then(|| now.ms_since(self.noted_at).max(0));
        let gaps_ms = [last_ms, self.gaps_ms[0]];
        *self = Self { before_milli, level_milli, noted_at: now, gaps_ms };
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

    /// Units that will be wanted within the next `ms` of a demand so slow that no rate shows it, if
    /// the next gaps are as long as the last two. None where these aren't known.
    pub(super) fn expected_by_gaps(&self, ms: i64) -> u64 {
        // A few requests at once are no pace.
        let Some(gap_ms) = self.gap_ms().filter(|gap_ms| *gap_ms >= SLOW_GAP_MS) else { return 0 };
        let requests = ms.max(0).checked_div(gap_ms).unwrap_or_default();
        requests.unsigned_abs().saturating_mul(self.last_units().max(1))
    }

    /// The longer of the last two times between requests; `None` before three requests.
    pub(super) fn gap_ms(&self) -> Option<i64> {
        let [last, before] = self.gaps_ms;
        last.zip(before).map(|(last, before)| last.max(before))
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
/// Shorter gaps show as a rate, once there are enough of them.
const SLOW_GAP_MS: i64 = 1_000;
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
    fn a_slow_pace_is_recognised_by_its_gaps() {
        let mut demand = Demand::default();
        for (at_ms, gap_ms, expected) in [
            (0, None, 0),
            (5_000, None, 0),
            (10_000, Some(5_000), 4),
            (15_000, Some(5_000), 4),
            (16_000, Some(5_000), 4),
            (17_000, Some(1_000), 20),
            (77_000, Some(60_000), 0),
            (76_000, Some(60_000), 0),
        ] {
            demand.note(1, at(at_ms));
            let found = (demand.gap_ms(), demand.expected_by_gaps(20_000));
            assert_eq!(found, (gap_ms, expected), "{at_ms}");
        }
        for at_ms in [76_000, 76_005, 76_010, 76_999] {
            demand.note(1, at(at_ms));
            assert_eq!(demand.expected_by_gaps(20_000), 0, "a few at once are no pace");
        }
        demand.note(1, at(77_999));
        demand.note(u64::MAX, at(78_999));
        assert_eq!(demand.expected_by_gaps(i64::MAX), u64::MAX);
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
