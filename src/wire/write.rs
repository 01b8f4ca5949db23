//! Fields, written as bytes.

use super::content::{FORM_BITS, FORM_BYTES, FORM_NUMBER, MORE};

/// Begins a message inside a message, with room for the length of a short one. Returns the place of
/// that, for [`end_message`].
///
/// Not inlined, nor are the next: each type would have a copy, an eighth of the module.
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

/// Writes a number as the field of this number.
#[inline(never)]
pub(super) fn write_number(number: u32, value: u64, out: &mut Vec<u8>) {
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

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
