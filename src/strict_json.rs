//! JSON (RFC 8259) that has one meaning only: duplicate member names are refused at every level.
//!
//! Two parsers that disagree on which of two `aud` counts are a way around a check (RFC 8725 §2.4),
//! and in a configuration a duplicate is a line somebody forgot.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads `text` as one JSON value with nothing behind it.
///
/// # Errors
///
/// Says what is wrong and where: bad syntax, a duplicate member name, a number that no 64-bit
/// float holds, or arrays and objects nested deeper than [`MAX_DEPTH`].
pub fn parse(text: &str) -> Result<Value, StrictJsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth_left: MAX_DEPTH }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| StrictJsonError(error.to_string()))
}

/// Reads `text` as JSON values one behind the other, with white space or nothing between them.
///
/// # Errors
///
/// As [`parse`], for any of the values.
pub fn parse_all(text: &str) -> Result<Vec<Value>, StrictJsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut values = Vec::new();
    while deserializer.end().is_err() {
        let value = Strict { depth_left: MAX_DEPTH }.deserialize(&mut deserializer);
        values.push(value.map_err(|error| StrictJsonError(error.to_string()))?);
    }
    Ok(values)
}

/// The deepest nesting of arrays and objects: far more than tokens and configurations need.
pub const MAX_DEPTH: u8 = 32;

/// The reason to refuse a text, as a sentence with line and column. Quotes at most a member's name,
/// never a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StrictJsonError(String);

impl fmt::Display for StrictJsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StrictJsonError {}

/// Builds a [`Value`], as `serde_json` does, but looks at every member name first.
struct Strict {
    depth_left: u8,
}

impl Strict {
    fn inner<E: Error>(&self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1);
        let depth_left = depth_left.ok_or_else(|| {
            E::custom(format_args!("arrays and objects are nested deeper than {MAX_DEPTH}"))
        })?;
        Ok(Self { depth_left })
    }
}

impl<'de> DeserializeSeed<'de> for &Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(&inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        // Escapes are resolved here, so that `"\u0061lg"` is the same name as `"alg"`.
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let name: String = name.chars().take(MAX_QUOTED_CHARS).collect();
                let message =
                    format_args!("member {name:?} stands twice in one object").to_string();
                return Err(A::Error::custom(message));
            }
            let value = members.next_value_seed(&inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// Number of characters of a member's name that an error quotes.
const MAX_QUOTED_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn reads_every_kind_of_value() {
        let text = r#" {"a": [null, true, -1, 18446744073709551615, 1.5, "ü\n"], "b": {}} "#;
        let expected = json!({"a": [null, true, -1, u64::MAX, 1.5, "ü\n"], "b": {}});
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn several_values_are_read_one_behind_the_other() {
        let all = |text| parse_all(text).map(|values| values.len());
        assert_eq!(all(" "), Ok(0));
        assert_eq!(all(r#" {"a": 1} {"a": 1}{} [1] "#), Ok(4));
        assert!(all(r#"{"a": 1} {"a": 1, "a": 2}"#).is_err() && all("{} x").is_err());
    }

    #[test]
    fn names_the_duplicate_member_and_the_place() {
        assert_eq!(
            error("{\"a\": 1,\n \"a\": 2}"),
            "member \"a\" stands twice in one object at line 2 column 4"
        );
        assert!(error(r#"[{"x": {"b": 1, "b": 1}}]"#).contains("\"b\" stands twice"));
        assert!(error(r#"{"alg": 1, "\u0061lg": 2}"#).contains("\"alg\" stands twice"));
        let long = "n".repeat(5_000);
        assert!(error(&format!("{{\"{long}\":1,\"{long}\":2}}")).len() < 200);
    }

    #[test]
    fn the_same_name_in_two_objects_is_fine() {
        assert!(parse(r#"{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}"#).is_ok());
    }

    #[test]
    fn bounds_the_depth() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(32)).is_ok());
        assert!(error(&nested(33)).contains("nested deeper than 32"));
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(parse(&objects(32)).is_ok());
        assert!(error(&objects(33)).contains("nested deeper than 32"));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn refuses_what_is_not_exactly_one_value() {
        for text in ["", "{} {}", "{}x", "{'a':1}", "{\"a\":1,}", "\u{feff}{}", "NaN", "1e999"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(r#""\ud800""#).is_err(), "a lone surrogate");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn never_panics_and_agrees_with_serde_json(text in r#"[\[\]{}:,"ab\\u0016 .e-]{0,40}"#) {
            if let Ok(value) = parse(&text) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            }
        }
    }
}
