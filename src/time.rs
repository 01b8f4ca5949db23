//! Points in time, handed in by the edge: the core has no clock.

use serde::Serialize;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
///
/// All arithmetic saturates: a hostile `exp` must not be able to overflow anything.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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

    /// As RFC 3339 in UTC, with milliseconds where there are any: what [`Self::parse_rfc3339`]
    /// reads back unchanged. Points outside the years 0000 to 9999 become the nearest one inside.
    pub fn rfc3339_exact(self) -> String {
        let point = Self(self.0.clamp(FIRST_RFC_3339_MS, LAST_RFC_3339_MS));
        let whole = point.rfc3339();
        match point.0.rem_euclid(1_000) {
            0 => whole,
            ms => format!("{}.{ms:03}Z", whole.trim_end_matches('Z')),
        }
    }

    /// The point that `text` names, a date and time as RFC 3339 §5.6 writes them, such as
    /// `2026-12-01T00:00:00Z` or `2026-12-01T01:00:00.250+01:00`; `None` where it is anything else.
    ///
    /// Digits beyond milliseconds are dropped. A leap second is the second after it.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let year = take_number(&mut rest, 4)?;
        take_one_of(&mut rest, b"-")?;
        let month = u8::try_from(take_number(&mut rest, 2)?).ok()?;
        take_one_of(&mut rest, b"-")?;
        let day = u8::try_from(take_number(&mut rest, 2)?).ok()?;
        take_one_of(&mut rest, b"Tt ")?;
        let ms_of_day = take_time_of_day(&mut rest)?;
        let offset_min = take_offset(&mut rest)?;
        let date_exists =
            (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !date_exists || !rest.is_empty() {
            return None;
        }
        let local = Civil { year, month, day, ms_of_day }.to_timestamp();
        let point = local.plus_seconds(offset_min.saturating_mul(-60));
        (FIRST_RFC_3339_MS..=LAST_RFC_3339_MS).contains(&point.0).then_some(point)
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

/// Takes exactly `digits` decimal digits.
fn take_number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (number, after) = rest.split_at_checked(digits)?;
    *rest = after;
    number.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| byte.saturating_sub(b'0'))?;
        Some(value.saturating_mul(10).saturating_add(i64::from(digit)))
    })
}

fn take_one_of(rest: &mut &[u8], allowed: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    allowed.contains(first).then_some(*first)
}

/// Takes `hh:mm:ss` and an optional fraction, and gives milliseconds since midnight.
fn take_time_of_day(rest: &mut &[u8]) -> Option<i64> {
    let hour = take_number(rest, 2)?;
    take_one_of(rest, b":")?;
    let minute = take_number(rest, 2)?;
    take_one_of(rest, b":")?;
    let second = take_number(rest, 2)?;
    let leap = second == 60 && minute == 59;
    if hour > 23 || minute > 59 || (second > 59 && !leap) {
        return None;
    }
    let minutes = hour.saturating_mul(60).saturating_add(minute);
    let seconds = minutes.saturating_mul(60).saturating_add(second);
    Some(seconds.saturating_mul(1_000).saturating_add(take_fraction(rest)?))
}

/// Takes a fraction of a second, if there is one, and gives it in milliseconds.
fn take_fraction(rest: &mut &[u8]) -> Option<i64> {
    if rest.first() != Some(&b'.') {
        return Some(0);
    }
    take_one_of(rest, b".")?;
    let mut ms = take_number(rest, 1)?.saturating_mul(100);
    let mut weight = 10_i64;
    while rest.first().is_some_and(u8::is_ascii_digit) {
        ms = ms.saturating_add(take_number(rest, 1)?.saturating_mul(weight));
        weight = weight.div_euclid(10);
    }
    Some(ms)
}

/// Takes `Z` or `±hh:mm`, and gives minutes ahead of UTC.
fn take_offset(rest: &mut &[u8]) -> Option<i64> {
    let sign = match take_one_of(rest, b"Zz+-")? {
        b'+' => 1_i64,
        b'-' => -1,
        _ => return Some(0),
    };
    let hours = take_number(rest, 2)?;
    take_one_of(rest, b":")?;
    let minutes = take_number(rest, 2)?;
    let offset = hours.saturating_mul(60).saturating_add(minutes).saturating_mul(sign);
    (hours <= 23 && minutes <= 59).then_some(offset)
}

/// 0000-01-01T00:00:00Z, the first instant that RFC 3339 can write.
const FIRST_RFC_3339_MS: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z, the last one.
const LAST_RFC_3339_MS: i64 = 253_402_300_799_999;

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
    fn reads_rfc_3339() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.9999Z", -1),
            ("2026-12-01t00:00:00.25z", 1_796_083_200_250),
            ("2026-12-01 01:30:00+01:30", 1_796_083_200_000),
            ("2026-11-30T19:00:00-05:00", 1_796_083_200_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000),
            ("0000-01-01T00:00:00Z", FIRST_RFC_3339_MS),
            ("9999-12-31T23:59:59.999Z", LAST_RFC_3339_MS),
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), Some(Timestamp(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_rfc_3339() {
        for text in [
            "",
            "2026-12-01",
            "2026-12-01T00:00:00",
            "2026-12-01T00:00Z",
            "2026-12-01T00:00:00.Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01T00:00:60Z",
            "2026-12-01T00:00:00Z ",
            "2026-12-01T00:00:00+0100",
            "2026-12-01T00:00:00+24:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "1796083200",
            "２026-12-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for ms in [0, -1, 999, 1_796_083_200_250, FIRST_RFC_3339_MS, LAST_RFC_3339_MS] {
            let point = Timestamp(ms);
            assert_eq!(Timestamp::parse_rfc3339(&point.rfc3339_exact()), Some(point));
        }
        assert_eq!(Timestamp(i64::MAX).rfc3339_exact(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(i64::MIN).rfc3339_exact(), "0000-01-01T00:00:00Z");
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
