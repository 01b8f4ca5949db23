//! Values and fields: how they become bytes, and how they are read again.

use super::content::{Content, Fields};
use super::error::Unreadable;

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
pub(super) const VALUE: u32 = 1;

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

/// The value of a field whose contents have all been taken.
pub(crate) fn finish<T: Field>(held: Option<T>, field: &'static str) -> Result<T, Unreadable> {
    held.or_else(T::absent).ok_or(Unreadable::Missing(field))
}
