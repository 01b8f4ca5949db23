//! Dates, numbers and lists as they stand in a sentence.

use crate::cause::QuotaState;
use crate::plan::{QuotaName, Scope};
use crate::time::{MS_PER_DAY, Timestamp};

/// A point in time for people, such as `1 December 2026, 00:00 UTC`.
pub(crate) fn date(at: Timestamp) -> String {
    let civil = at.civil();
    let month = MONTHS.get(usize::from(civil.month).saturating_sub(1)).unwrap_or(&"");
    let minutes = civil.ms_of_day.div_euclid(60_000);
    let (hour, minute) = (minutes.div_euclid(60), minutes.rem_euclid(60));
    format!("{} {month} {}, {hour:02}:{minute:02} UTC", civil.day, civil.year)
}

/// `in 12 seconds` for a short wait, `on 1 December 2026, 00:00 UTC` for a long one.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> String {
    match at.seconds_from(now) {
        0 => "now".to_owned(),
        1 => "in 1 second".to_owned(),
        seconds @ ..=119 => format!("in {seconds} seconds"),
        seconds @ ..=7_199 => format!("in {} minutes", seconds.div_ceil(60)),
        _ if at.ms_since(now) > MAX_DATED_MS => "much later".to_owned(),
        _ => format!("on {}", date(at)),
    }
}

/// A number with its thousands set apart: `1,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(27);
    for (position, digit) in digits.chars().enumerate() {
        let digits_left = digits.len().saturating_sub(position);
        if position > 0 && digits_left.checked_rem(3) == Some(0) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `a`, `a and b`, `a, b and c`; the rest of a long list is counted.
pub(super) fn enumerate(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMED).map(String::as_str);
    let hidden = names.len().saturating_sub(MAX_NAMED);
    let mut parts: Vec<_> = shown.map(str::to_owned).collect();
    if hidden > 0 {
        parts.push(format!("{hidden} more"));
    }
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The size of a quota: `1,000 api units` or `5 articles`.
pub(super) fn quota_size(quota: &QuotaState) -> String {
    let (limit, meter) = (grouped(quota.limit), quota.name.meter.as_str());
    match quota.limit {
        // The meter of a free allowance.
        1 if meter == "pages" => "1 page".to_owned(),
        // A meter named in the plural is its own unit.
        _ if meter.ends_with('s') => format!("{limit} {meter}"),
        1 => format!("1 {meter} unit"),
        _ => format!("{limit} {meter} units"),
    }
}

/// ` per month`, or ` per month for each member`.
pub(crate) fn period_of(quota: &QuotaName) -> String {
    let of_member = if quota.scope == Scope::Member { " for each member" } else { "" };
    format!(" per {}{of_member}", quota.period.word())
}

/// `api per month`, for the quota `api/month`.
pub(crate) fn quota_name(quota: &QuotaName) -> String {
    format!("{}{}", quota.meter, period_of(quota))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// More names than this make no sentence.
const MAX_NAMED: usize = 5;
/// A date further away than a century is a mistake, and helps nobody.
const MAX_DATED_MS: i64 = MS_PER_DAY * 36_525;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_read_naturally() {
        let now = Timestamp::from_seconds(1_796_000_000);
        let after = |seconds| when(now.plus_seconds(seconds), now);
        assert_eq!(after(-5), "now");
        assert_eq!(after(1), "in 1 second");
        assert_eq!(after(12), "in 12 seconds");
        assert_eq!(after(121), "in 3 minutes");
        assert_eq!(after(83_200), "on 1 December 2026, 00:00 UTC");
        assert_eq!(after(i64::MAX), "much later");
    }

    #[test]
    fn names_of_quotas_read_naturally() {
        for (name, text) in [
            ("api/month", "api per month"),
            ("a/b/day", "a/b per day"),
            ("api/month/member", "api per month for each member"),
        ] {
            assert_eq!(quota_name(&QuotaName::parse(name).unwrap()), text);
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn lists_end_with_and() {
        let names: Vec<String> = "a b c d e f g".split(' ').map(str::to_owned).collect();
        assert_eq!(enumerate(&names[..0]), "");
        assert_eq!(enumerate(&names[..1]), "a");
        assert_eq!(enumerate(&names[..3]), "a, b and c");
        assert_eq!(enumerate(&names), "a, b, c, d, e and 2 more");
    }
}
