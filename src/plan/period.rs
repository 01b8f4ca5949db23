//! Periods: when a count starts, and when it starts again.
//!
//! Every period cuts the whole of time into windows without gap or overlap. A window belongs to the
//! instant it starts at and not to the one it ends at.

use crate::time::{Civil, MS_PER_DAY, Timestamp, days_in_month};
use crate::words::words;

words! {
    /// The period of a count, shortest first.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Period: Serialize, Wire {
        /// Every minute of UTC.
        Minute = "minute",
        /// Every hour of UTC.
        Hour = "hour",
        /// Every day, at midnight of a fixed offset from UTC.
        Day = "day",
        /// Every calendar month, at midnight of its first day at a fixed offset from UTC.
        #[default]
        Month = "month",
        /// Every month, on the day and at the time of day that the subscription began, in UTC.
        Cycle = "cycle",
    }
}

/// A stretch of time in which one count runs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Window {
    /// The first instant in it.
    pub starts_at: Timestamp,
    /// The first instant after it.
    pub ends_at: Timestamp,
}

impl Window {
    /// Its length in whole seconds.
    pub fn length_s(self) -> u64 {
        self.ends_at.seconds_from(self.starts_at)
    }

    /// Whether `point` lies in it.
    pub fn contains(self, point: Timestamp) -> bool {
        self.starts_at <= point && point < self.ends_at
    }
}

impl Period {
    /// The window that holds `now`.
    ///
    /// `anchor` is the start of the account's billing cycle, and only [`Period::Cycle`] uses it: a
    /// cycle without an anchor is a calendar month. `utc_offset_min` shifts the start of days and
    /// calendar months, in minutes ahead of UTC.
    pub fn window(self, now: Timestamp, anchor: Option<Timestamp>, utc_offset_min: i32) -> Window {
        let offset_ms = i64::from(utc_offset_min).saturating_mul(MS_PER_MINUTE);
        match (self, anchor) {
            (Self::Minute, _) => fixed_window(now, MS_PER_MINUTE, 0),
            (Self::Hour, _) => fixed_window(now, MS_PER_HOUR, 0),
            (Self::Day, _) => fixed_window(now, MS_PER_DAY, offset_ms),
            (Self::Cycle, Some(anchor)) => cycle_window(now, anchor),
            (Self::Month | Self::Cycle, _) => month_window(now, offset_ms),
        }
    }
}

fn fixed_window(now: Timestamp, length_ms: i64, offset_ms: i64) -> Window {
    let into = now.plus_ms(offset_ms).as_millis().rem_euclid(length_ms);
    let starts_at = now.plus_ms(into.saturating_neg());
    Window { starts_at, ends_at: starts_at.plus_ms(length_ms) }
}

fn month_window(now: Timestamp, offset_ms: i64) -> Window {
    let local = now.plus_ms(offset_ms).civil();
    let first = Civil { day: 1, ms_of_day: 0, ..local };
    let back = offset_ms.saturating_neg();
    Window {
        starts_at: first.to_timestamp().plus_ms(back),
        ends_at: months_after(first, 1).to_timestamp().plus_ms(back),
    }
}

/// Counts from the anchor itself, not from the window before: a cycle that began on a 31st is on
/// the 28th in February and on the 31st again in March.
fn cycle_window(now: Timestamp, anchor: Timestamp) -> Window {
    let (anchor, today) = (anchor.civil(), now.civil());
    let months = month_number(today).saturating_sub(month_number(anchor));
    // The one start that falls in this calendar month; where it is still to come, we are in the
    // cycle before it.
    let this_month = months_after(anchor, months).to_timestamp();
    if this_month <= now {
        let next = months_after(anchor, months.saturating_add(1)).to_timestamp();
        Window { starts_at: this_month, ends_at: next }
    } else {
        let previous = months_after(anchor, months.saturating_sub(1)).to_timestamp();
        Window { starts_at: previous, ends_at: this_month }
    }
}

/// `date` moved by whole months, on the last day of the month where its own day does not exist.
fn months_after(date: Civil, months: i64) -> Civil {
    let number = month_number(date).saturating_add(months);
    let year = number.div_euclid(MONTHS_PER_YEAR);
    let month = number.rem_euclid(MONTHS_PER_YEAR).saturating_add(1);
    let month = u8::try_from(month).unwrap_or(1);
    Civil { year, month, day: date.day.min(days_in_month(year, month)), ..date }
}

/// Months since January of the year 0.
fn month_number(date: Civil) -> i64 {
    let month = i64::from(date.month).saturating_sub(1);
    date.year.saturating_mul(MONTHS_PER_YEAR).saturating_add(month)
}

const MONTHS_PER_YEAR: i64 = 12;
const MS_PER_HOUR: i64 = 3_600_000;
const MS_PER_MINUTE: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn window(period: Period, now: &str, anchor: Option<&str>, utc_offset_min: i32) -> String {
        let window = period.window(at(now), anchor.map(at), utc_offset_min);
        format!("{} {}", window.starts_at.rfc3339(), window.ends_at.rfc3339())
    }

    #[test]
    fn calendar_windows() {
        for (period, now, utc_offset_min, expected) in [
            (
                Period::Minute,
                "2026-03-01T10:20:30Z",
                0,
                "2026-03-01T10:20:00Z 2026-03-01T10:21:00Z",
            ),
            (
                Period::Hour,
                "2026-03-01T10:20:30Z",
                330,
                "2026-03-01T10:00:00Z 2026-03-01T11:00:00Z",
            ),
            (Period::Day, "2026-03-01T10:20:30Z", 0, "2026-03-01T00:00:00Z 2026-03-02T00:00:00Z"),
            (Period::Day, "2026-03-01T23:20:30Z", 60, "2026-03-01T23:00:00Z 2026-03-02T23:00:00Z"),
            (Period::Month, "2026-02-28T23:59:59Z", 0, "2026-02-01T00:00:00Z 2026-03-01T00:00:00Z"),
            (
                Period::Month,
                "2026-03-01T04:59:59Z",
                -300,
                "2026-02-01T05:00:00Z 2026-03-01T05:00:00Z",
            ),
            (Period::Month, "2026-12-31T12:00:00Z", 0, "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z"),
            (Period::Cycle, "2026-12-31T12:00:00Z", 0, "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(window(period, now, None, utc_offset_min), expected);
        }
    }

    #[test]
    fn a_cycle_counts_from_its_original_anchor() {
        let anchor = Some("2026-01-31T15:00:00Z");
        for (now, expected) in [
            ("2026-01-31T15:00:00Z", "2026-01-31T15:00:00Z 2026-02-28T15:00:00Z"),
            ("2026-02-28T14:59:59Z", "2026-01-31T15:00:00Z 2026-02-28T15:00:00Z"),
            ("2026-02-28T15:00:00Z", "2026-02-28T15:00:00Z 2026-03-31T15:00:00Z"),
            ("2026-04-30T15:00:00Z", "2026-04-30T15:00:00Z 2026-05-31T15:00:00Z"),
            ("2028-02-29T15:00:00Z", "2028-02-29T15:00:00Z 2028-03-31T15:00:00Z"),
            ("2025-12-31T14:59:59Z", "2025-11-30T15:00:00Z 2025-12-31T15:00:00Z"),
        ] {
            assert_eq!(window(Period::Cycle, now, anchor, 0), expected, "{now}");
        }
    }

    #[test]
    fn absurd_arguments_do_not_overflow() {
        let extremes = [i64::MIN, 0, i64::MAX].map(Timestamp::from_millis);
        for period in Period::ALL {
            for now in extremes {
                for anchor in extremes {
                    for utc_offset_min in [i32::MIN, i32::MAX] {
                        let _ = period.window(now, Some(anchor), utc_offset_min).length_s();
                        let _ = period.window(now, None, utc_offset_min).length_s();
                    }
                }
            }
        }
    }
}
