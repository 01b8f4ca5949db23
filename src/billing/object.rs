//! Reads providers' messages. Nothing about their shape is taken for granted, nothing panics, and
//! no field without a known author is read.

mod account;
mod plans;
mod subscription;

pub(super) use account::SaleFields;
pub(super) use plans::plans_of;
pub(super) use subscription::EndFields;

use serde_json::Value;

use super::author::{Author, Field};
use super::error::BillingError;
use crate::time::Timestamp;
use crate::token::MAX_NAME_BYTES;

/// An object of a provider, as one kind of its list of fields.
#[derive(Clone)]
pub(super) struct Object<'a> {
    value: &'a Value,
    /// The kind, and the path from there, as in the list of fields.
    field: String,
    /// Its place in the document (RFC 6901).
    pointer: String,
    document: Document<'a>,
}

/// Is called with each field that is read, as the list of fields has it, and with the place where
/// it stands in the document (a pointer of RFC 6901).
pub type Watcher<'a> = dyn Fn(&str, &str) + 'a;

/// A message of a provider.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    /// Every field that may be read, with its author.
    pub(super) fields: &'static [Field],
    pub(super) watcher: &'a Watcher<'a>,
}

impl<'a> Document<'a> {
    /// A document that is read without a watcher.
    pub(super) fn of(fields: &'static [Field]) -> Self {
        Self { fields, watcher: &|_, _| {} }
    }

    /// The whole of it, which is a `kind`.
    pub(super) fn root(self, kind: &str, value: &'a Value) -> Object<'a> {
        Object { value, field: kind.to_owned(), pointer: String::new(), document: self }
    }

    fn author(self, field: &str) -> Option<Author> {
        let known = self.fields.iter().find(|(known, _)| *known == field);
        known.map(|(_, author)| *author)
    }
}

impl<'a> Object<'a> {
    /// The object at `path`, names apart by dots, which is a `kind`; null is nothing.
    pub(super) fn a(&self, kind: &str, path: &str) -> Option<Self> {
        let value = at(self.value, path)?;
        let pointer = self.pointer_to(path);
        Some(Self { value, field: kind.to_owned(), pointer, document: self.document })
    }

    /// The object at `path`, which is a part of this one.
    pub(super) fn part(&self, path: &str) -> Option<Self> {
        self.a(&self.field_at(path), path)
    }

    /// The same object, looked at as a `kind`.
    pub(super) fn as_a(&self, kind: &str) -> Self {
        Self { field: kind.to_owned(), ..self.clone() }
    }

    /// The items of the list at `path`; none where there is no list.
    pub(super) fn list(&self, path: &str) -> Vec<Self> {
        self.list_of(&[&self.field_at(path), "[]"].concat(), path)
    }

    /// The same, where each item is a `kind`.
    pub(super) fn list_of(&self, kind: &str, path: &str) -> Vec<Self> {
        let items = at(self.value, path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let pointer = self.pointer_to(path);
        let one = |(index, value)| Self {
            value,
            field: kind.to_owned(),
            pointer: format!("{pointer}/{index}"),
            document: self.document,
        };
        items.iter().enumerate().map(one).collect()
    }

    /// The same, where there has to be a list. Anything else is an error, not an empty list.
    ///
    /// # Errors
    ///
    /// Something else stands there, or nothing.
    pub(super) fn needed_list(&self, kind: &str, path: &str) -> Result<Vec<Self>, BillingError> {
        if at(self.value, path).is_none_or(|value| !value.is_array()) {
            return Err(self.missing(path, "a list"));
        }
        Ok(self.list_of(kind, path))
    }

    /// Whether anything stands at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.leaf(path).is_some()
    }

    /// Whether an object stands at `path`.
    pub(super) fn has_object(&self, path: &str) -> bool {
        at(self.value, path).is_some_and(Value::is_object)
    }

    /// The text at `path`, where it is one and not empty.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        self.leaf(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The object itself, where it is a text: providers put ids in the place of objects.
    pub(super) fn itself(&self) -> Option<&'a str> {
        self.value.as_str().filter(|text| !text.is_empty())
    }

    /// The boolean at `path`.
    pub(super) fn flag(&self, path: &str) -> Option<bool> {
        self.leaf(path).and_then(Value::as_bool)
    }

    /// Whether `true` stands at `path`.
    pub(super) fn is(&self, path: &str) -> bool {
        self.flag(path).unwrap_or(false)
    }

    /// The whole number at `path`, which may be written as a text.
    pub(super) fn whole(&self, path: &str) -> Option<u64> {
        let found = self.leaf(path)?;
        found.as_u64().or_else(|| found.as_str()?.trim().parse().ok())
    }

    /// Whether the number zero stands at `path`, which may be written as a text.
    pub(super) fn is_zero(&self, path: &str) -> bool {
        let Some(found) = self.leaf(path) else { return false };
        let is_zeros =
            |text: &str| !text.is_empty() && text.bytes().all(|one| b"0.".contains(&one));
        found.as_f64() == Some(0.0) || found.as_str().is_some_and(is_zeros)
    }

    /// The id at `path`: a text, a whole number, or an object in the place of its id.
    pub(super) fn id(&self, path: &str) -> Option<String> {
        id_of(self.leaf(path)?)
    }

    /// The texts of the list at `path`; `None` where it holds something else.
    pub(super) fn texts(&self, path: &str) -> Option<Vec<String>> {
        let Some(found) = self.leaf(path) else { return Some(Vec::new()) };
        found.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    }

    /// The time at `path`: seconds since 1970, or as RFC 3339.
    ///
    /// # Errors
    ///
    /// Something else stands there.
    pub(super) fn time(&self, path: &str) -> Result<Option<Timestamp>, BillingError> {
        let Some(found) = self.leaf(path) else { return Ok(None) };
        let time = match found {
            Value::String(text) => Timestamp::parse_rfc3339(text),
            // Whole seconds, and floats that are.
            _ => found
                .as_f64()
                .filter(|seconds| (0.0..=LAST_S).contains(seconds))
                .map(|seconds| Timestamp::from_millis(in_ms(seconds))),
        };
        time.map(Some).ok_or_else(|| self.missing(path, "a time"))
    }

    /// The id at `path`, which has to be there.
    ///
    /// # Errors
    ///
    /// There is none; so for the next two.
    pub(super) fn needed_id(&self, path: &str) -> Result<String, BillingError> {
        self.id(path).ok_or_else(|| self.missing(path, "an id"))
    }

    /// The text at `path`, which has to be there.
    pub(super) fn needed_text(&self, path: &str) -> Result<String, BillingError> {
        let found = self.text(path).filter(|text| text.len() <= MAX_NAME_BYTES);
        found.map(str::to_owned).ok_or_else(|| self.missing(path, "a text"))
    }

    /// The time at `path`, which has to be there.
    pub(super) fn needed_time(&self, path: &str) -> Result<Timestamp, BillingError> {
        self.time(path)?.ok_or_else(|| self.missing(path, "a time"))
    }

    /// The error where something else was expected at `path`.
    pub(super) fn missing(&self, path: &str, expected: &'static str) -> BillingError {
        missing(&self.field_at(path), expected)
    }

    /// The value at `path`, where a payer can't have written it.
    fn leaf(&self, path: &str) -> Option<&'a Value> {
        let field = self.field_at(path);
        (self.document.watcher)(&field, &self.pointer_to(path));
        let is_trusted = |author| author != Author::Payer;
        self.document.author(&field).filter(|author| is_trusted(*author))?;
        at(self.value, path)
    }

    fn field_at(&self, path: &str) -> String {
        [self.field.as_str(), ".", path].concat()
    }

    fn pointer_to(&self, path: &str) -> String {
        [self.pointer.as_str(), "/", &path.replace('.', "/")].concat()
    }
}

/// The start of the next page, of a list that goes on behind the id of its last item.
pub(super) fn next_page(list: &Object<'_>) -> Option<String> {
    if !list.is("has_more") {
        return None;
    }
    list.list("data").last()?.id("id")
}

/// The error where something else was expected.
pub(super) fn missing(field: &str, expected: &'static str) -> BillingError {
    BillingError::Missing { field: field.to_owned(), expected }
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name));
    found.filter(|value| !value.is_null())
}

fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => id.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::Object(object) => match object.get("id")? {
            Value::Object(_) => return None,
            id => return id_of(id),
        },
        _ => return None,
    };
    Some(id).filter(|id| !id.is_empty() && id.len() <= MAX_NAME_BYTES)
}

#[expect(clippy::cast_possible_truncation, reason = "in range; less than a millisecond is dropped")]
fn in_ms(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

/// 9999-12-31T23:59:59Z.
const LAST_S: f64 = 253_402_300_799.0;
