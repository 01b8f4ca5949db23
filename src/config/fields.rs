//! Reads variables and their fields, and collects what is wrong with them.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::closest::closest;
use super::shown::{shown, shown_url};
use super::{Binding, Bindings, Mistake};
use crate::strict_json;
use crate::text::url::{SAFE_URL, is_safe_url};

/// The expected value, and an example of it.
#[derive(Clone, Copy)]
pub(super) struct Expect<'a> {
    what: &'a str,
    example: &'a str,
}

impl<'a> Expect<'a> {
    pub(super) const fn new(what: &'a str, example: &'a str) -> Self {
        Self { what, example }
    }
}

/// Reads whole variables.
pub(super) struct ConfigReader<'a> {
    bindings: &'a dyn Bindings,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> ConfigReader<'a> {
    pub(super) fn new(bindings: &'a dyn Bindings) -> Self {
        Self { bindings, mistakes: RefCell::default() }
    }

    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    pub(super) fn mistake(&self, variable: &str, field: &str, found: &str, expect: Expect<'_>) {
        self.mistakes.borrow_mut().push(Mistake {
            variable: variable.to_owned(),
            field: field.to_owned(),
            found: found.to_owned(),
            expected: expect.what.to_owned(),
            example: expect.example.to_owned(),
        });
    }

    /// Whether something is wrong with this variable.
    pub(super) fn is_mistaken(&self, variable: &str) -> bool {
        self.mistakes.borrow().iter().any(|mistake| mistake.variable == variable)
    }

    /// A variable that is a string.
    pub(super) fn text(&self, variable: &'static str, example: &str) -> Option<String> {
        match self.bindings.value(variable)? {
            Binding::Text(text) => Some(text),
            Binding::Json(value) => {
                self.mistake(variable, "", &shown(&value), Expect::new("a string", example));
                None
            }
        }
    }

    /// A variable that is `true` or `false`, also as a string (the dashboard has only strings).
    pub(super) fn flag(&self, variable: &'static str) -> Option<bool> {
        let value = self.bindings.value(variable)?;
        match &value {
            Binding::Json(Value::Bool(flag)) => return Some(*flag),
            Binding::Text(text) if text == "true" => return Some(true),
            Binding::Text(text) if text == "false" => return Some(false),
            Binding::Text(_) | Binding::Json(_) => {}
        }
        self.mistake(variable, "", &value.shown(), Expect::new("true or false", "false"));
        None
    }

    /// A variable that is an `https:` URL, or `http:` on the loopback for trying things out.
    pub(super) fn url(&self, variable: &'static str, example: &str) -> Option<String> {
        let found = self.text(variable, example)?;
        if is_safe_url(&found) {
            return Some(found);
        }
        self.mistake(variable, "", &shown_url(&found), Expect::new(SAFE_URL, example));
        None
    }

    /// A variable that is one of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        variable: &'static str,
        choices: &[(&str, T)],
        example: &str,
    ) -> Option<T> {
        let found = self.text(variable, example)?;
        let chosen = choices.iter().find(|(word, _)| *word == found);
        if chosen.is_none() {
            let expected = one_of(choices);
            self.mistake(variable, "", &format!("{found:?}"), Expect::new(&expected, example));
        }
        chosen.map(|(_, value)| *value)
    }

    /// A variable as JSON, wherever it came from.
    pub(super) fn json(&self, variable: &'static str, example: &str) -> Option<Value> {
        match self.bindings.value(variable)? {
            Binding::Json(value) => Some(value),
            Binding::Text(text) => match strict_json::parse(&text) {
                Ok(value) => Some(value),
                Err(error) => {
                    let found = format!("a string that isn't JSON ({error})");
                    let expect = Expect::new("a table in wrangler.toml, or JSON", example);
                    self.mistake(variable, "", &found, expect);
                    None
                }
            },
        }
    }

    /// A variable that is a table.
    pub(super) fn table(
        &self,
        variable: &'static str,
        example: &'static str,
    ) -> Option<Fields<'_>> {
        let value = self.json(variable, example)?;
        Fields::of(self, variable, String::new(), value, example)
    }

    /// A variable that is an array of tables.
    pub(super) fn tables(&self, variable: &'static str, example: &'static str) -> Vec<Fields<'_>> {
        let Some(value) = self.json(variable, example) else { return Vec::new() };
        let Value::Array(items) = value else {
            let expect = Expect::new("an array of tables", example);
            self.mistake(variable, "", &shown(&value), expect);
            return Vec::new();
        };
        let one = |(index, item)| Fields::of(self, variable, format!("[{index}]"), item, example);
        items.into_iter().enumerate().filter_map(one).collect()
    }

    pub(super) fn bindings(&self) -> &'a dyn Bindings {
        self.bindings
    }
}

impl Binding {
    fn shown(&self) -> String {
        match self {
            Self::Json(value) => shown(value),
            Self::Text(text) => shown(&Value::String(text.clone())),
        }
    }
}

/// The fields of one table; [`finish`](Self::finish) refuses those nobody asked for.
pub(super) struct Fields<'a> {
    reader: &'a ConfigReader<'a>,
    variable: &'static str,
    path: String,
    map: Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn of(
        reader: &'a ConfigReader<'a>,
        variable: &'static str,
        path: String,
        value: Value,
        example: &str,
    ) -> Option<Self> {
        if let Value::Object(map) = value {
            return Some(Self { reader, variable, path, map, known: Vec::new() });
        }
        reader.mistake(variable, &path, &shown(&value), Expect::new("a table", example));
        None
    }

    /// Reports a mistake in the field `name`, or in the whole table where `name` is empty.
    pub(super) fn mistake(&self, name: &str, found: &str, expect: Expect<'_>) {
        let field = if name.is_empty() { self.path.clone() } else { self.path_of(name) };
        self.reader.mistake(self.variable, &field, found, expect);
    }

    /// Whether something is wrong with a field of this table.
    pub(super) fn is_mistaken(&self) -> bool {
        let start = format!("{}.", self.path);
        let mistakes = self.reader.mistakes.borrow();
        mistakes.iter().any(|one| one.variable == self.variable && one.field.starts_with(&start))
    }

    /// The place of the field `name` in its variable.
    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Whether a field has a value that was not read yet.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// The raw value of a field.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// A field that is a non-empty string.
    pub(super) fn text(&mut self, name: &'static str, example: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            other => {
                let expect = Expect::new("a string that isn't empty", example);
                self.mistake(name, &shown(&other), expect);
                None
            }
        }
    }

    /// The same, where the table is useless without it.
    pub(super) fn needed_text(&mut self, name: &'static str, expect: Expect<'_>) -> Option<String> {
        if !self.has(name) {
            self.take(name);
            self.mistake(name, "nothing", expect);
            return None;
        }
        self.text(name, expect.example)
    }

    /// A field that is `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            other => {
                self.mistake(name, &shown(&other), Expect::new("true or false", "true"));
                None
            }
        }
    }

    /// A field that is a whole number in `range`.
    pub(super) fn whole(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
        example: &str,
    ) -> Option<u64> {
        let value = self.take(name)?;
        let found = value.as_u64().filter(|number| range.contains(number));
        if found.is_none() {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            self.mistake(name, &shown(&value), Expect::new(&expected, example));
        }
        found
    }

    /// A field that is one of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
        example: &str,
    ) -> Option<T> {
        let value = self.take(name)?;
        let chosen = choices.iter().find(|(word, _)| value.as_str() == Some(word));
        if chosen.is_none() {
            self.mistake(name, &shown(&value), Expect::new(&one_of(choices), example));
        }
        chosen.map(|(_, value)| *value)
    }

    /// A field that is an array of words without spaces; a single string counts as one.
    pub(super) fn words(&mut self, name: &'static str, example: &str) -> Vec<String> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let items = match value {
            Value::Array(items) => items,
            Value::String(_) => vec![value],
            other => {
                self.mistake(name, &shown(&other), Expect::new("an array of words", example));
                return Vec::new();
            }
        };
        let mut words = Vec::new();
        for item in items {
            match item {
                Value::String(word) if is_word(&word) => words.push(word),
                other => {
                    let expect = Expect::new("words without spaces or control characters", example);
                    self.mistake(name, &shown(&other), expect);
                }
            }
        }
        words
    }

    /// A field that is an `https:` URL, or `http:` on the loopback for trying things out.
    pub(super) fn url(&mut self, name: &'static str, example: &str) -> Option<String> {
        let found = self.text(name, example)?;
        if is_safe_url(&found) {
            return Some(found);
        }
        self.mistake(name, &shown_url(&found), Expect::new(SAFE_URL, example));
        None
    }

    /// A field that is a table of whole numbers in `range`, in the order of their names.
    pub(super) fn numbers(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
        example: &str,
    ) -> Vec<(String, u64)> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let number = |(word, value): (&String, &Value)| {
            let number = value.as_u64().filter(|number| range.contains(number))?;
            is_word(word).then(|| (word.clone(), number))
        };
        let read: Option<Vec<_>> =
            value.as_object().and_then(|map| map.iter().map(number).collect());
        read.filter(|numbers| !numbers.is_empty()).unwrap_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let expected = format!("a table of whole numbers from {least} to {most}");
            self.mistake(name, &shown(&value), Expect::new(&expected, example));
            Vec::new()
        })
    }

    /// A field that is an array of tables.
    pub(super) fn tables(&mut self, name: &'static str, example: &'static str) -> Vec<Fields<'a>> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let Value::Array(items) = value else {
            self.mistake(name, &shown(&value), Expect::new("an array of tables", example));
            return Vec::new();
        };
        let path = self.path_of(name);
        let one = |(index, item)| {
            Fields::of(self.reader, self.variable, format!("{path}[{index}]"), item, example)
        };
        items.into_iter().enumerate().filter_map(one).collect()
    }

    /// A field that is a table.
    pub(super) fn table(&mut self, name: &'static str, example: &str) -> Option<Fields<'a>> {
        let value = self.take(name)?;
        let path = self.path_of(name);
        Fields::of(self.reader, self.variable, path, value, example)
    }

    pub(super) fn reader(&self) -> &'a ConfigReader<'a> {
        self.reader
    }

    /// Refuses all fields that are left.
    pub(super) fn finish(self) {
        for name in self.map.keys() {
            let expected = match closest(name, &self.known) {
                Some(known) => format!("no such field; did you mean {known:?}?"),
                None => format!("one of the fields {}", self.known.join(", ")),
            };
            self.mistake("", &format!("the unknown field {name:?}"), Expect::new(&expected, ""));
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn one_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
    format!("one of {}", words.join(", "))
}
