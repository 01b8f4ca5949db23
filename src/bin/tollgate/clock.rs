//! The time: now, from an option, and in words.

use tollgate::time::Timestamp;

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "native: there is a clock")]
pub(crate) fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ms = since_epoch.map(|since| since.as_millis()).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Reads a time on the command line.
pub(crate) fn read_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "expected a time such as 2026-12-01T09:30:00Z".to_owned())
}

/// Reads a length of time on the command line, in seconds.
pub(crate) fn read_duration_s(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match text.strip_prefix(digits) {
        Some("" | "s") => Some(1),
        Some("m" | "min") => Some(60),
        Some("h") => Some(3_600),
        Some("d") => Some(DAY_S),
        _ => None,
    };
    let number = digits.parse::<u32>().ok().map(i64::from);
    factor
        .zip(number)
        .and_then(|(factor, number)| number.checked_mul(factor))
        .ok_or_else(|| "expected a length of time such as 90s, 15m, 12h or 30d".to_owned())
}

/// Reads an IMF-fixdate (RFC 9110 §5.6.7), such as `Tue, 01 Dec 2026 09:30:00 GMT`.
pub(crate) fn read_http_date(text: &str) -> Option<Timestamp> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)?.saturating_add(1);
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))
}

/// The distance from `now` in words: `in 5 minutes`, `3 days ago`.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    let ms = at.ms_since(now);
    let length = length_in_words(ms.unsigned_abs().div_euclid(1_000));
    match ms {
        ..=-1_000 => format!("{length} ago"),
        1_000.. => format!("in {length}"),
        _ => "now".to_owned(),
    }
}

/// A length of time in its two greatest units: `1 hour`, `2 days 4 hours`.
pub(crate) fn length_in_words(seconds: u64) -> String {
    let mut left = seconds;
    let mut words = Vec::new();
    for (unit_s, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")] {
        let count = left.div_euclid(unit_s);
        left = left.rem_euclid(unit_s);
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            words.push(format!("{count} {name}{plural}"));
        } else if !words.is_empty() {
            break;
        }
    }
    if words.is_empty() {
        return "0 seconds".to_owned();
    }
    words.truncate(2);
    words.join(" ")
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_S: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_with_and_without_a_unit() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3_600)] {
            assert_eq!(read_duration_s(text), Ok(seconds), "{text}");
        }
        assert_eq!(read_duration_s("30d"), Ok(2_592_000));
        for text in ["", "m", "-1", "1y", "1.5h", "99999999999d"] {
            assert!(read_duration_s(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_of_headers_are_read() {
        let read = |text| read_http_date(text).map(Timestamp::rfc3339);
        let date = read("Tue, 01 Dec 2026 09:30:00 GMT");
        assert_eq!(date.as_deref(), Some("2026-12-01T09:30:00Z"));
        for text in ["", "Tue, 01 Dez 2026 09:30:00 GMT", "01 Dec 2026 09:30:00 GMT", "Tue, 1 Dec"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn distances_are_told_in_two_units() {
        let now = Timestamp::from_seconds(1_000_000);
        for (seconds, words) in [
            (0, "now"),
            (1, "in 1 second"),
            (-90, "1 minute 30 seconds ago"),
            (3_600, "in 1 hour"),
            (3_601, "in 1 hour"),
            (90_061, "in 1 day 1 hour"),
        ] {
            assert_eq!(distance(now.plus_seconds(seconds), now), words);
        }
    }
}
