//! The contents of fields, as they stand in bytes.

use super::error::Unreadable;

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

    pub(super) fn number(self) -> Result<u64, Unreadable> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes(_) => Err(Unreadable::Broken),
        }
    }
}

/// The fields that are left of a message.
#[derive(Debug)]
pub struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The number and the content of the next field; `None` behind the last.
    ///
    /// # Errors
    ///
    /// The rest is no field.
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

pub(super) const FORM_BITS: u32 = 3;
const FORM_MASK: u64 = 7;
pub(super) const FORM_NUMBER: u64 = 0;
pub(super) const FORM_BYTES: u64 = 2;
/// The bit of a byte behind which a number goes on.
pub(super) const MORE: u8 = 0x80;
