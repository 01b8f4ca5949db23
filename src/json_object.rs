//! JSON objects that people write by hand, read field by field. A mistake names the field, the
//! right value and the value that was found.
//!
//! `config` has a reader of its own (`config/fields.rs`). That one collects every mistake of a
//! variable, shows no value that may be a secret, and is part of the module that serves requests;
//! this one stops at the first mistake.

mod error;

pub use error::ReadError;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::strict_json;
use crate::time::Timestamp;

/// An object while it is read: its members that were not read yet.
#[derive(Debug)]
pub struct JsonObject {
    members: Map<String, Value>,
    known: Vec<&'static str>,
}

impl JsonObject {
    /// Reads `text` as one object, by `read`; `expected` describes it.
    ///
    /// # Errors
    ///
    /// The text is no JSON or no object, `read` finds a mistake, or there is a member that `read`
    /// did not ask for.
    pub fn parse<T>(
        text: &str,
        expected: &str,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let value = strict_json::parse(text).map_err(ReadError::NotJson)?;
        Self::read(value, expected, read)
    }

    /// The same for JSON that was parsed before, strictly.
    ///
    /// # Errors
    ///
    /// As for [`JsonObject::parse`].
    pub fn read<T>(
        value: Value,
        expected: &str,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut object = Self::of(value, expected)?;
        let content = read(&mut object)?;
        object.finish()?;
        Ok(content)
    }

    /// A field as `read` reads it; `None` where it was left out or is null.
    ///
    /// # Errors
    ///
    /// `read` finds something else than `expected`.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        let value = self.take(name).filter(|value| !value.is_null());
        let Some(value) = value else { return Ok(None) };
        read(&value).map(Some).ok_or_else(|| ReadError::wrong(name, expected, Some(&value)))
    }

    /// The same, where the object says nothing without it.
    ///
    /// # Errors
    ///
    /// It was left out, or is something else.
    pub fn needed<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, ReadError> {
        let content = self.optional(name, expected, read)?;
        content.ok_or_else(|| ReadError::wrong(name, expected, None))
    }

    /// A field as `read` reads it; the default where it was left out. Null is a mistake.
    ///
    /// # Errors
    ///
    /// It is something else than `expected`.
    pub fn or_default<T: Default>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, ReadError> {
        let Some(value) = self.take(name) else { return Ok(T::default()) };
        read(&value).ok_or_else(|| ReadError::wrong(name, expected, Some(&value)))
    }

    /// A string of any length; `None` where it was left out or is null.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, ReadError> {
        self.optional(name, TEXT, text)
    }

    /// The same, where the object says nothing without it.
    ///
    /// # Errors
    ///
    /// It was left out, or is something else.
    pub fn needed_text(&mut self, name: &'static str) -> Result<String, ReadError> {
        self.needed(name, TEXT, text)
    }

    /// A string that [`is_line`]; `None` where it was left out or is null.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn line(&mut self, name: &'static str) -> Result<Option<String>, ReadError> {
        self.optional(name, LINE, line)
    }

    /// The same, where the object says nothing without it.
    ///
    /// # Errors
    ///
    /// It was left out, or is something else.
    pub fn needed_line(&mut self, name: &'static str) -> Result<String, ReadError> {
        self.needed(name, LINE, line)
    }

    /// `true` or `false`, which is also said by leaving it out.
    ///
    /// # Errors
    ///
    /// It is something else, also null.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, ReadError> {
        self.or_default(name, "true or false", Value::as_bool)
    }

    /// A whole number in `range`, which must not be left out.
    ///
    /// # Errors
    ///
    /// It was left out, or is something else.
    pub fn needed_whole(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<u64, ReadError> {
        let value = self.take(name).filter(|value| !value.is_null());
        whole(value.as_ref(), &range).map_err(|error| error.inside(name))
    }

    /// Whole numbers in `range` by their names; none where it was left out.
    ///
    /// # Errors
    ///
    /// It is something else, also null.
    pub fn wholes(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<BTreeMap<String, u64>, ReadError> {
        let numbers: Map<String, Value> =
            self.or_default(name, "an object of whole numbers", |value| {
                value.as_object().cloned()
            })?;
        let one = |(key, value): (String, Value)| match whole(Some(&value), &range) {
            Ok(number) => Ok((key, number)),
            Err(error) => Err(error.inside(&key).inside(name)),
        };
        numbers.into_iter().map(one).collect()
    }

    /// A time as RFC 3339 writes it; `None` where it was left out or is null.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>, ReadError> {
        self.optional(name, TIME, time)
    }

    /// The same, where the object says nothing without it.
    ///
    /// # Errors
    ///
    /// It was left out, or is something else.
    pub fn needed_time(&mut self, name: &'static str) -> Result<Timestamp, ReadError> {
        self.needed(name, TIME, time)
    }

    /// A list of strings; empty where it was left out.
    ///
    /// # Errors
    ///
    /// It is something else, also null.
    pub fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ReadError> {
        let items = self.list(name, "a list of strings")?;
        let one = |(index, item): (usize, &Value)| {
            let wrong = || ReadError::wrong(&format!("{name}[{index}]"), TEXT, Some(item));
            text(item).ok_or_else(wrong)
        };
        items.iter().enumerate().map(one).collect()
    }

    /// An object in this one; `None` where it was left out or is null.
    ///
    /// # Errors
    ///
    /// It is something else, or `read` finds a mistake in it.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let value = self.take(name).filter(|value| !value.is_null());
        let Some(value) = value else { return Ok(None) };
        Self::read(value, OBJECT, read).map(Some).map_err(|error| error.inside(name))
    }

    /// A list of objects; empty where it was left out.
    ///
    /// # Errors
    ///
    /// It is something else, also null, or `read` finds a mistake in one of them.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let items = self.list(name, "a list of objects")?;
        let one = |(index, item)| {
            let object = Self::read(item, OBJECT, &read);
            object.map_err(|error| error.inside(&format!("{name}[{index}]")))
        };
        items.into_iter().enumerate().map(one).collect()
    }

    fn of(value: Value, expected: &str) -> Result<Self, ReadError> {
        match value {
            Value::Object(members) => Ok(Self { members, known: Vec::new() }),
            value => Err(ReadError::wrong("", expected, Some(&value))),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.members.remove(name)
    }

    fn list(&mut self, name: &'static str, expected: &str) -> Result<Vec<Value>, ReadError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(value) => Err(ReadError::wrong(name, expected, Some(&value))),
        }
    }

    /// Refuses a member that was not asked for.
    fn finish(self) -> Result<(), ReadError> {
        match self.members.keys().next() {
            Some(name) => Err(ReadError::unknown(name, self.known)),
            None => Ok(()),
        }
    }
}

/// The time that a JSON value names, as RFC 3339 writes it.
pub fn time(value: &Value) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(value.as_str()?)
}

/// Whether a text may stand in records, in the audit trail and in answers: 1 to 200 bytes without
/// control characters.
pub fn is_line(text: &str) -> bool {
    (1..=MAX_LINE_BYTES).contains(&text.len()) && !text.contains(|one: char| one.is_control())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn line(value: &Value) -> Option<String> {
    text(value).filter(|text| is_line(text))
}

fn whole(value: Option<&Value>, range: &RangeInclusive<u64>) -> Result<u64, ReadError> {
    let number = value.and_then(Value::as_u64).filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        ReadError::wrong("", &expected, value)
    })
}

const TEXT: &str = "a string";
const LINE: &str = "a text of 1 to 200 bytes on one line";
const MAX_LINE_BYTES: usize = 200;
const TIME: &str = "an RFC 3339 time such as \"2026-12-01T00:00:00Z\"";
const OBJECT: &str = "an object";

#[cfg(test)]
mod tests;
