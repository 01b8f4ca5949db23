//! The one codec: messages between isolates, objects and releases, and values that objects keep.
//!
//! Every field has a number, and its bytes say how long they are, so two releases can read each
//! other: a field of a later one is skipped, and one that an earlier one didn't write is absent.
//! The meaning of absence is part of each declaration: an optional value and a list have none, a
//! field with a default (`4: weight = 1`) has that, and without any other field the message is
//! refused.
//! A variant or a word that this release doesn't know is refused too, except where its declaration
//! names a safe one to read it as.
//!
//! The bytes are those of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>) in
//! two of its forms, so `protoc --decode_raw` shows a message. A number that was ever used for a
//! field is never given to another. docs/formats.md has the rules, and tests/formats holds a copy
//! of each message and value in its bytes.

//!
//! | file | content |
//! | --- | --- |
//! | `wire.rs` | [`wire!`], which makes a type part of it |
//! | `wire/field.rs` | [`encode`], [`decode`], and the forms of a value and of a field |
//! | `wire/values.rs` | numbers, texts, times, lists, maps |
//! | `wire/content.rs`, `wire/write.rs` | bytes in and out |
//! | `wire/error.rs` | bytes that can't be read |

mod content;
mod error;
mod field;
mod values;
mod write;

pub use content::{Content, Fields};
pub use error::Unreadable;
pub(crate) use field::finish;
pub use field::{Field, Wire, decode, encode};
pub(crate) use write::{begin_message, end_message, write_bytes, write_text};

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

#[cfg(test)]
mod tests;
