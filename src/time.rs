//! Points in time, handed in by the edge: the core has no clock.

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
///
/// All arithmetic saturates: a hostile `exp` must not be able to overflow anything.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// The point `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This point moved by `ms` milliseconds, which may be negative.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// This point moved by `seconds` seconds, which may be negative.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_ms(seconds.saturating_mul(1_000))
    }

    /// Milliseconds from `earlier` to this point; negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from `now` until this point, rounded up, never negative: what `Retry-After` wants.
    pub const fn seconds_from(self, now: Self) -> u64 {
        let ms = self.ms_since(now);
        if ms <= 0 { 0 } else { ms.unsigned_abs().div_ceil(1_000) }
    }

    /// The calendar date and time of day in UTC.
    pub fn civil(self) -> Civil {
        let days = self.0.div_euclid(MS_PER_DAY);
        let (year, month, day) = date_of_day(days);
        Civil { year, month, day, ms_of_day: self.0.rem_euclid(MS_PER_DAY) }
    }

    /// As RFC 3339 in UTC with whole seconds, such as `2026-12-01T00:00:00Z`.
    pub fn rfc3339(self) -> String {
        let civil = self.civil();
        let seconds = civil.ms_of_day.div_euclid(1_000);
        let (minutes, second) = (seconds.div_euclid(60), seconds.rem_euclid(60));
        let (hour, minute) = (minutes.div_euclid(60), minutes.rem_euclid(60));
        let (year, month, day) = (civil.year, civil.month, civil.day);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// A date and a time of day, without a zone of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Civil {
    /// The year, such as 2026.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// Milliseconds since midnight.
    pub ms_of_day: i64,
}

impl Civil {
    /// The point in time that UTC calendars show as this date and time.
    pub fn to_timestamp(self) -> Timestamp {
        let days = day_of_date(self.year, self.month, self.day);
        Timestamp(days.saturating_mul(MS_PER_DAY).saturating_add(self.ms_of_day))
    }
}

/// The number of days in `month` (1 to 12) of `year`, Gregorian.
pub fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Milliseconds in a day without leap seconds.
pub const MS_PER_DAY: i64 = 86_400_000;

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// Days since 1970-01-01 of a Gregorian date.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn day_of_date(year: i64, month: u8, day: u8) -> i64 {
    let year = year.clamp(-MAX_YEAR, MAX_YEAR);
    let (month, day) = (i64::from(month), i64::from(day));
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month.saturating_sub(3) } else { month.saturating_add(9) };
    let day_of_year = shifted_month
        .saturating_mul(153)
        .saturating_add(2)
        .div_euclid(5)
        .saturating_add(day)
        .saturating_sub(1);
    let day_of_era = year_of_era
        .saturating_mul(365)
        .saturating_add(year_of_era.div_euclid(4))
        .saturating_sub(year_of_era.div_euclid(100))
        .saturating_add(day_of_year);
    era.saturating_mul(146_097).saturating_add(day_of_era).saturating_sub(719_468)
}

/// The Gregorian date of a day counted from 1970-01-01; the inverse of [`day_of_date`].
fn date_of_day(days: i64) -> (i64, u8, u8) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = day_of_era
        .saturating_sub(day_of_era.div_euclid(1_460))
        .saturating_add(day_of_era.div_euclid(36_524))
        .saturating_sub(day_of_era.div_euclid(146_096))
        .div_euclid(365);
    let day_of_year = day_of_era.saturating_sub(
        year_of_era
            .saturating_mul(365)
            .saturating_add(year_of_era.div_euclid(4))
            .saturating_sub(year_of_era.div_euclid(100)),
    );
    let shifted_month = day_of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let first = shifted_month.saturating_mul(153).saturating_add(2).div_euclid(5);
    let day = day_of_year.saturating_sub(first).saturating_add(1);
    let month = if shifted_month < 10 {
        shifted_month.saturating_add(3)
    } else {
        shifted_month.saturating_sub(9)
    };
    let year = era.saturating_mul(400).saturating_add(year_of_era);
    let year = if month <= 2 { year.saturating_add(1) } else { year };
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// Far outside what a millisecond timestamp can hold, so that date arithmetic can't overflow.
const MAX_YEAR: i64 = 300_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_rfc_3339() {
        assert_eq!(Timestamp::from_seconds(0).rfc3339(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_seconds(1_796_083_199).rfc3339(), "2026-11-30T23:59:59Z");
        assert_eq!(Timestamp::from_millis(-1).rfc3339(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn extremes_do_not_overflow() {
        for ms in [i64::MIN, i64::MAX] {
            let point = Timestamp::from_millis(ms);
            let _ = point.rfc3339();
            let _ = point.civil().to_timestamp();
            let _ = point.plus_seconds(ms);
            let _ = point.ms_since(Timestamp::from_millis(i64::MIN));
        }
    }

    #[test]
    fn seconds_are_rounded_up_and_never_negative() {
        let now = Timestamp::from_millis(10_000);
        assert_eq!(Timestamp::from_millis(10_001).seconds_from(now), 1);
        assert_eq!(Timestamp::from_millis(11_000).seconds_from(now), 1);
        assert_eq!(Timestamp::from_millis(9_000).seconds_from(now), 0);
    }
}
