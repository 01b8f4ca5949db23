//! Periods against an independent calendar.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{ToSpan, Zoned};
use proptest::prelude::*;
use tollgate::plan::{Period, Window};
use tollgate::time::Timestamp;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn windows_tile_time(
        period in prop::sample::select(Period::ALL.as_slice()),
        now in point(),
        anchor in prop::option::of(point()),
        utc_offset_min in -840..=840,
    ) {
        let window = period.window(now, anchor, utc_offset_min);
        prop_assert!(window.contains(now));
        for same in [window.starts_at, window.ends_at.plus_ms(-1)] {
            prop_assert_eq!(period.window(same, anchor, utc_offset_min), window);
        }
        let next = period.window(window.ends_at, anchor, utc_offset_min);
        prop_assert_eq!(next.starts_at, window.ends_at);
        let previous = period.window(window.starts_at.plus_ms(-1), anchor, utc_offset_min);
        prop_assert_eq!(previous.ends_at, window.starts_at);
    }

    #[test]
    fn minutes_and_hours_are_those_of_utc(now in point(), utc_offset_min in -840..=840) {
        let utc = local(now, 0);
        let minute = Period::Minute.window(now, None, utc_offset_min);
        let floor = |unit| jiff::ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Floor);
        prop_assert_eq!(minute, span(&utc.round(floor(jiff::Unit::Minute)).unwrap(), 1.minute()));
        let hour = Period::Hour.window(now, None, utc_offset_min);
        prop_assert_eq!(hour, span(&utc.round(floor(jiff::Unit::Hour)).unwrap(), 1.hour()));
    }

    #[test]
    fn days_and_months_are_those_of_the_offset(now in point(), utc_offset_min in -840..=840) {
        let here = local(now, utc_offset_min);
        let day = here.start_of_day().unwrap();
        prop_assert_eq!(Period::Day.window(now, None, utc_offset_min), span(&day, 1.day()));
        let month = here.first_of_month().unwrap().start_of_day().unwrap();
        prop_assert_eq!(
            Period::Month.window(now, None, utc_offset_min), span(&month, 1.month())
        );
        prop_assert_eq!(Period::Cycle.window(now, None, utc_offset_min), span(&month, 1.month()));
    }

    #[test]
    fn cycles_are_whole_months_from_the_anchor(
        now in point(), anchor in prop_oneof![point(), month_end()], utc_offset_min in -840..=840,
    ) {
        let window = Period::Cycle.window(now, Some(anchor), utc_offset_min);
        let first = local(anchor, 0).datetime();
        let from_anchor = |months: i64| timestamp(first.checked_add(months.months()).unwrap());
        // The estimate is never off by more than a month; exactly one cycle may hold `now`.
        let estimate = now.ms_since(anchor).div_euclid(2_629_746_000);
        let holding: Vec<_> = (estimate.saturating_sub(2)..=estimate.saturating_add(2))
            .map(|n| Window { starts_at: from_anchor(n), ends_at: from_anchor(n.saturating_add(1)) })
            .filter(|cycle| cycle.contains(now))
            .collect();
        prop_assert_eq!(holding, vec![window]);
    }

    #[test]
    fn rfc_3339_is_read_as_written_elsewhere(now in point(), utc_offset_min in -840..=840) {
        let elsewhere = local(now, utc_offset_min).timestamp().display_with_offset(
            offset(utc_offset_min)
        ).to_string();
        prop_assert_eq!(Timestamp::parse_rfc3339(&elsewhere), Some(now));
        let ours: jiff::Timestamp = now.rfc3339_exact().parse().unwrap();
        prop_assert_eq!(ours.as_millisecond(), now.as_millis());
    }

    #[test]
    fn rfc_3339_takes_any_text(text in "[0-9TZ:.+-]{0,30}|\\PC{0,30}") {
        if let Some(point) = Timestamp::parse_rfc3339(&text) {
            prop_assert_eq!(Timestamp::parse_rfc3339(&point.rfc3339_exact()), Some(point));
        }
    }
}

/// Any millisecond of the years 1900 to 2199.
fn point() -> impl Strategy<Value = Timestamp> {
    (-2_208_988_800_000_i64..7_258_118_400_000).prop_map(Timestamp::from_millis)
}

/// A time on the 28th to the 31st, where months differ.
fn month_end() -> impl Strategy<Value = Timestamp> {
    (1_900_i16..2_200, 1_i8..=12, 28_i8..=31, 0_i8..24).prop_map(|(year, month, day, hour)| {
        let last = jiff::civil::date(year, month, 1).days_in_month();
        timestamp(jiff::civil::date(year, month, day.min(last)).at(hour, 59, 59, 999_000_000))
    })
}

fn offset(utc_offset_min: i32) -> Offset {
    Offset::from_seconds(utc_offset_min.saturating_mul(60)).unwrap()
}

fn local(point: Timestamp, utc_offset_min: i32) -> Zoned {
    jiff::Timestamp::from_millisecond(point.as_millis())
        .unwrap()
        .to_zoned(TimeZone::fixed(offset(utc_offset_min)))
}

fn timestamp(utc: DateTime) -> Timestamp {
    let zoned = utc.to_zoned(TimeZone::UTC).unwrap();
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}

fn span(start: &Zoned, length: jiff::Span) -> Window {
    let point = |zoned: &Zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond());
    Window { starts_at: point(start), ends_at: point(&start.checked_add(length).unwrap()) }
}
