//! `NumericDate` (RFC 7519 §2): seconds since 1970, as a JSON number.

use serde_json::{Map, Value};

use super::error::TokenError;
use crate::time::Timestamp;

/// Reads the claim `name`, `None` where it is absent. Fractions are allowed and cut to
/// milliseconds.
///
/// # Errors
///
/// [`TokenError::BadClaims`] with `sentence` where it is anything but a number of seconds between
/// 1970 and the year 9999: a string, null, a negative number, or milliseconds by mistake.
pub(super) fn read(
    claims: &Map<String, Value>,
    name: &str,
    sentence: &'static str,
) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    timestamp(value).map(Some).ok_or(TokenError::BadClaims(sentence))
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_u64() {
        let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds <= MAX_SECONDS)?;
        return Some(Timestamp::from_seconds(seconds));
    }
    let ms = value.as_f64()? * 1_000.0;
    if !(0.0..=MAX_MS).contains(&ms) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "in range, as was just checked; dropping the fraction of a millisecond is meant"
    )]
    Some(Timestamp::from_millis(ms as i64))
}

/// 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;
const MAX_MS: f64 = 253_402_300_799_000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read_one(value: Value) -> Result<Option<Timestamp>, TokenError> {
        read(&Map::from_iter([("exp".to_owned(), value)]), "exp", "sentence")
    }

    #[test]
    fn reads_numbers_of_seconds() {
        for (value, ms) in [
            (json!(0), 0),
            (json!(-0.0), 0),
            (json!(1_300_819_380), 1_300_819_380_000),
            (json!(1_300_819_380.0), 1_300_819_380_000),
            (json!(1_300_819_380.25), 1_300_819_380_250),
            (json!(1.3e9), 1_300_000_000_000),
            (json!(MAX_SECONDS), MAX_SECONDS * 1_000),
        ] {
            assert_eq!(read_one(value), Ok(Some(Timestamp::from_millis(ms))));
        }
        assert_eq!(read(&Map::new(), "exp", "sentence"), Ok(None));
    }

    #[test]
    fn refuses_everything_else() {
        for value in [
            json!("1300819380"),
            json!(null),
            json!(true),
            json!([1_300_819_380]),
            json!({}),
            json!(-1),
            json!(-0.001),
            json!(MAX_SECONDS + 1),
            json!(1_300_819_380_000_u64),
            json!(u64::MAX),
            json!(1e300),
            json!(f64::MAX),
        ] {
            assert_eq!(read_one(value.clone()), Err(TokenError::BadClaims("sentence")), "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn integers_and_their_floats_are_the_same(seconds in 0..=MAX_SECONDS) {
            let float: f64 = seconds.to_string().parse().unwrap();
            prop_assert_eq!(read_one(json!(seconds)), read_one(json!(float)));
        }
    }
}
