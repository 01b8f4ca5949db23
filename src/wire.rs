//! The one codec: messages between isolates, objects and releases, and the values that objects keep.
//!
//! Every field has a number, and its bytes say how long they are, so two releases can read each
//! other: a field of a later one is skipped, and a field that an earlier one didn't write is absent.
//! What absence means is part of each declaration: an optional value and a list have none, a field
//! with a default (`4: weight = 1`) has that, and without any other field the message is refused.
//! A variant or a word that this release doesn't know is refused too, except where its declaration
//! names a safe one to read it as.
//!
//! The bytes are those of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>) in
//! two of its forms, so `protoc --decode_raw` shows a message. A number that was ever used for a
//! field is never given to another. docs/formats.md has the rules, and tests/formats holds a copy of
//! each message and value in its bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::rc::Rc;

use crate::time::Timestamp;

/// `value` in bytes.
pub fn encode(value: &impl Field) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    value.put(VALUE, &mut out);
    out
}

/// Reads [`encode`], of this release or another.
///
/// # Errors
///
/// The bytes are no such value, or hold something that this release can't read safely.
pub fn decode<T: Field>(bytes: &[u8]) -> Result<T, Unreadable> {
    let mut held = None;
    let mut fields = Fields(bytes);
    while let Some((number, content)) = fields.next()? {
        if number == VALUE {
            T::take(&mut held, content)?;
        }
    }
    finish(held, "the value")
}

/// The number of the value in what [`encode`] makes.
const VALUE: u32 = 1;

/// A type with a form in such bytes. For types of our own, [`wire!`] lists the fields.
pub trait Wire: Sized {
    /// Writes the value behind `out`, as the field of this number.
    fn write(&self, number: u32, out: &mut Vec<u8>);

    /// Reads the content of a field.
    ///
    /// # Errors
    ///
    /// The content is no such value.
    fn read(content: Content<'_>) -> Result<Self, Unreadable>;
}

/// A field of a message: one value, an optional one, or several.
pub trait Field: Sized {
    /// Writes it behind `out`: nothing, one field, or several of the same number.
    fn put(&self, number: u32, out: &mut Vec<u8>);

    /// Takes one field over. `held` is what earlier ones of the same number made of it.
    ///
    /// # Errors
    ///
    /// The content is no such value.
    fn take(held: &mut Option<Self>, content: Content<'_>) -> Result<(), Unreadable>;

    /// The value where the message has no such field, if it can do without.
    fn absent() -> Option<Self> {
        None
    }
}

/// The content of a field.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A number.
    Number(u64),
    /// Anything else.
    Bytes(&'a [u8]),
}

impl<'a> Content<'a> {
    /// The fields of a message inside a message.
    ///
    /// # Errors
    ///
    /// The content is a number.
    pub(crate) fn fields(self) -> Result<Fields<'a>, Unreadable> {
        self.bytes().map(Fields)
    }

    /// The bytes in it.
    ///
    /// # Errors
    ///
    /// It is a number.
    pub(crate) fn bytes(self) -> Result<&'a [u8], Unreadable> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) => Err(Unreadable::Broken),
        }
    }

    /// The text in it.
    ///
    /// # Errors
    ///
    /// It is none.
    #[inline(never)]
    pub(crate) fn text(self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable::Broken)
    }

    fn number(self) -> Result<u64, Unreadable> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes(_) => Err(Unreadable::Broken),
        }
    }
}

/// The fields that are left of a message.
#[derive(Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The number and the content of the next field; `None` behind the last.
    ///
    /// # Errors
    ///
    /// What is left is no field.
    #[inline(never)]
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Content<'a>)>, Unreadable> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> FORM_BITS).map_err(|_| Unreadable::Broken)?;
        let content = match key & FORM_MASK {
            FORM_NUMBER => Content::Number(self.varint()?),
            FORM_BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| Unreadable::Broken)?;
                let parts = self.0.split_at_checked(length);
                let (bytes, rest) = parts.ok_or(Unreadable::Broken)?;
                self.0 = rest;
                Content::Bytes(bytes)
            }
            _ => return Err(Unreadable::Broken),
        };
        Ok(Some((number, content)))
    }

    fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Unreadable::Broken)?;
            self.0 = rest;
            let part = u64::from(byte & !MORE);
            let placed = part << shift;
            if placed >> shift != part {
                return Err(Unreadable::Broken);
            }
            number |= placed;
            if byte & MORE == 0 {
                return Ok(number);
            }
        }
        Err(Unreadable::Broken)
    }
}

const FORM_BITS: u32 = 3;
const FORM_MASK: u64 = 7;
const FORM_NUMBER: u64 = 0;
const FORM_BYTES: u64 = 2;

/// Bytes that can't be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// They are no message.
    Broken,
    /// A field is absent and has no default.
    Missing(&'static str),
    /// A variant or a word of this enum that this release doesn't know.
    Unknown(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => formatter.write_str("it is damaged"),
            Self::Missing(field) => write!(formatter, "{field} is missing"),
            Self::Unknown(name) => {
                write!(formatter, "it has a {name} that this release does not know")
            }
        }
    }
}

impl Error for Unreadable {}

/// Makes a type [`Wire`], with the number of each field. The compiler sees to it that no field and
/// no variant is left out, and that no number stands twice:
/// `wire!(Name { 1: field, 2: added_later = default, … })`, or
/// `wire! { enum Name { 1: Unit, 2: Struct { 1: field, … }, 3: Tuple(field) } }`.
///
/// An enum is a message with one field: the variant's number, and in it a message with the
/// variant's fields.
macro_rules! wire {
    (enum $name:ident {
        $($tag:literal: $variant:ident $({
            $($number:literal: $field:ident $(= $default:expr)?),* $(,)?
        })? $(($inner:ident))?),* $(,)?
    }) => {
        impl $crate::wire::Wire for $name {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                let message = $crate::wire::begin_message(number, out);
                match self {
                    $(Self::$variant $({ $($field),* })? $(($inner))? => {
                        let fields = $crate::wire::begin_message($tag, out);
                        $($($crate::wire::Field::put($field, $number, out);)*)?
                        $($crate::wire::Field::put($inner, 1, out);)?
                        $crate::wire::end_message(fields, out);
                    })*
                }
                $crate::wire::end_message(message, out);
            }

            fn read(content: $crate::wire::Content<'_>) -> Result<Self, $crate::wire::Unreadable> {
                let unknown = $crate::wire::Unreadable::Unknown(stringify!($name));
                let (tag, content) = content.fields()?.next()?.ok_or(unknown)?;
                match tag {
                    $($tag => {
                        let mut _fields = content.fields()?;
                        $($crate::wire::wire!(
                            @read _fields, $name, $($number: $field $(= $default)?),*
                        );)?
                        $($crate::wire::wire!(@read _fields, $name, 1: $inner);)?
                        Ok(Self::$variant $({ $($field),* })? $(($inner))?)
                    })*
                    _ => Err(unknown),
                }
            }
        }
    };
    ($name:ident { $($number:literal: $field:ident $(= $default:expr)?),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                let message = $crate::wire::begin_message(number, out);
                $($crate::wire::Field::put($field, $number, out);)*
                $crate::wire::end_message(message, out);
            }

            fn read(content: $crate::wire::Content<'_>) -> Result<Self, $crate::wire::Unreadable> {
                let mut fields = content.fields()?;
                $crate::wire::wire!(@read fields, $name, $($number: $field $(= $default)?),*);
                Ok(Self { $($field),* })
            }
        }
    };
    (@read $fields:ident, $name:ident, $($number:literal: $field:ident $(= $default:expr)?),*) => {
        $(let mut $field = None;)*
        while let Some((number, content)) = $fields.next()? {
            match number {
                $($number => $crate::wire::Field::take(&mut $field, content)?,)*
                // Of a later release.
                _ => {}
            }
        }
        $(
            $(let $field = Some($field.unwrap_or($default));)?
            let $field = $crate::wire::finish(
                $field,
                concat!(stringify!($name), ".", stringify!($field)),
            )?;
        )*
    };
}

pub(crate) use wire;

/// Begins a message inside a message, with room for the length of a short one. Returns the place of
/// that, for [`end_message`].
///
/// What follows is not inlined: each type would have a copy of it, an eighth of the module.
#[inline(never)]
pub(crate) fn begin_message(number: u32, out: &mut Vec<u8>) -> usize {
    write_key(number, FORM_BYTES, out);
    let start = out.len();
    out.push(0);
    start
}

/// Ends the message that began at `start`: sets its length. A long one is moved up for that.
#[inline(never)]
pub(crate) fn end_message(start: usize, out: &mut Vec<u8>) {
    // The drills stand for a later release: each of its messages and values has a field more.
    #[cfg(feature = "drills")]
    write_text(1_000, "of a later release", out);
    let length = out.len().saturating_sub(start).saturating_sub(1);
    if let (Some(byte), Ok(short @ ..MORE)) = (out.get_mut(start), u8::try_from(length)) {
        *byte = short;
    } else {
        let mut prefix = Vec::new();
        write_varint(wide(length), &mut prefix);
        drop(out.splice(start..=start, prefix));
    }
}

/// The value of a field whose contents have all been taken.
pub(crate) fn finish<T: Field>(held: Option<T>, field: &'static str) -> Result<T, Unreadable> {
    held.or_else(T::absent).ok_or(Unreadable::Missing(field))
}

/// Writes a text as the field of this number.
pub(crate) fn write_text(number: u32, text: &str, out: &mut Vec<u8>) {
    write_bytes(number, text.as_bytes(), out);
}

/// Writes bytes as the field of this number.
#[inline(never)]
pub(crate) fn write_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    write_key(number, FORM_BYTES, out);
    write_varint(wide(bytes.len()), out);
    out.extend_from_slice(bytes);
}

#[inline(never)]
fn write_number(number: u32, value: u64, out: &mut Vec<u8>) {
    write_key(number, FORM_NUMBER, out);
    write_varint(value, out);
}

fn write_key(number: u32, form: u64, out: &mut Vec<u8>) {
    write_varint(u64::from(number) << FORM_BITS | form, out);
}

/// Writes a number, the lowest seven bits first. Each byte but the last has [`MORE`].
fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & !MORE);
        }
        out.push(low | MORE);
    }
}

/// The bit of a byte behind which a number goes on.
const MORE: u8 = 0x80;

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The ways to write and to read a type as a number.
macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Wire for $kind {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                write_number(number, u64::try_from(*self).unwrap_or(u64::MAX), out);
            }

            fn read(content: Content<'_>) -> Result<Self, Unreadable> {
                content.number()?.try_into().map_err(|_| Unreadable::Broken)
            }
        }
    )*};
}

number!(u8, u16, u32, u64, usize);

impl Wire for bool {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_number(number, u64::from(*self), out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        match content.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable::Broken),
        }
    }
}

/// As `sint64`: small numbers take few bytes on both sides of zero.
impl Wire for i64 {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_number(number, ((*self << 1) ^ (*self >> 63)).cast_unsigned(), out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        let number = content.number()?;
        let half = (number >> 1).cast_signed();
        Ok(if number & 1 == 0 { half } else { !half })
    }
}

impl Wire for Timestamp {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.as_millis().write(number, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        i64::read(content).map(Self::from_millis)
    }
}

impl Wire for String {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_text(number, self, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        content.text().map(str::to_owned)
    }
}

impl Wire for Rc<str> {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_text(number, self, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        content.text().map(Self::from)
    }
}

impl<T: Wire> Wire for Box<T> {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        T::write(self, number, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        T::read(content).map(Self::new)
    }
}

impl<Left: Field, Right: Field> Wire for (Left, Right) {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        let message = begin_message(number, out);
        self.0.put(1, out);
        self.1.put(2, out);
        end_message(message, out);
    }

    fn read(content: Content<'_>) -> Result<Self, Unreadable> {
        let mut fields = content.fields()?;
        let (mut left, mut right) = (None, None);
        while let Some((number, content)) = fields.next()? {
            match number {
                1 => Left::take(&mut left, content)?,
                2 => Right::take(&mut right, content)?,
                _ => {}
            }
        }
        Ok((finish(left, "the first of a pair")?, finish(right, "the second of a pair")?))
    }
}

impl<T: Wire> Field for T {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        self.write(number, out);
    }

    fn take(held: &mut Option<Self>, content: Content<'_>) -> Result<(), Unreadable> {
        *held = Some(T::read(content)?);
        Ok(())
    }
}

impl<T: Wire> Field for Option<T> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.write(number, out);
        }
    }

    fn take(held: &mut Option<Self>, content: Content<'_>) -> Result<(), Unreadable> {
        *held = Some(Some(T::read(content)?));
        Ok(())
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Wire> Field for Vec<T> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        for item in self {
            item.write(number, out);
        }
    }

    fn take(held: &mut Option<Self>, content: Content<'_>) -> Result<(), Unreadable> {
        held.get_or_insert_default().push(T::read(content)?);
        Ok(())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Each inner list is a message with one field, so that an empty one keeps its place.
impl<T: Wire> Field for Vec<Vec<T>> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        for list in self {
            let message = begin_message(number, out);
            list.put(VALUE, out);
            end_message(message, out);
        }
    }

    fn take(held: &mut Option<Self>, content: Content<'_>) -> Result<(), Unreadable> {
        held.get_or_insert_default().push(decode(content.bytes()?)?);
        Ok(())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A list of pairs of a key and a value, as in Protocol Buffers.
impl Field for BTreeMap<String, u64> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        for (key, value) in self {
            let message = begin_message(number, out);
            write_text(1, key, out);
            value.write(2, out);
            end_message(message, out);
        }
    }

    fn take(held: &mut Option<Self>, content: Content<'_>) -> Result<(), Unreadable> {
        let (key, value) = Wire::read(content)?;
        held.get_or_insert_default().insert(key, value);
        Ok(())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

#[cfg(test)]
mod tests;
