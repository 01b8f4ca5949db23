//! The forms of numbers, texts, times, lists and maps.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::content::Content;
use super::error::Unreadable;
use super::field::{Field, VALUE, Wire, decode, finish};
use super::write::{begin_message, end_message, write_number, write_text};
use crate::time::Timestamp;

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
