//! Percent-encoding (RFC 3986 §2.1).

use super::hex;

/// `text` with every byte encoded but those that may stay.
pub fn encode(text: &str, stays: fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    push(&mut out, text, stays);
    out
}

/// Appends `text` to `out`, as [`encode`] does.
pub fn push(out: &mut String, text: &str, stays: fn(u8) -> bool) {
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            let digits =
                [byte >> 4, byte & 0x0f].map(|digit| hex::digit(digit).to_ascii_uppercase());
            out.push('%');
            out.extend(digits);
        }
    }
}

/// Whether `byte` never needs encoding (RFC 3986 §2.3).
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `text`, decoded once.
///
/// # Errors
///
/// A percent sign without two digits behind it, or a result that is no UTF-8.
pub fn decode(text: &str) -> Result<String, DecodeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped =
            if *first == b'%' { escape(rest).ok_or(DecodeError::Digits)? } else { (*first, after) };
        bytes.push(escaped.0);
        rest = escaped.1;
    }
    String::from_utf8(bytes).map_err(|_| DecodeError::Utf8)
}

/// The byte that an escape at the start of `text` stands for, and the rest of `text`; `None` where
/// none starts there.
pub fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, rest @ ..] = text else { return None };
    Some((hex::byte([*high, *low])?, rest))
}

/// The reason why a text can't be decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecodeError {
    /// Two hexadecimal digits must follow each percent sign.
    Digits,
    /// The decoded bytes are no UTF-8.
    Utf8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["", "plain-._~", "a b/c?d=100%&e", "ü\u{0}"] {
            let encoded = encode(text, is_unreserved);
            assert!(encoded.bytes().all(|byte| is_unreserved(byte) || byte == b'%'), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Ok(text));
        }
        assert_eq!(encode("a/ü", |byte| is_unreserved(byte) || byte == b'/'), "a/%C3%BC");
        assert_eq!(decode("%2f%2F").as_deref(), Ok("//"));
    }

    #[test]
    fn refuses_broken_escapes_and_broken_utf8() {
        for bad in ["%", "%2", "%zz", "%+1", "a%2"] {
            assert_eq!(decode(bad), Err(DecodeError::Digits), "{bad}");
        }
        assert_eq!(decode("%ff"), Err(DecodeError::Utf8));
        assert_eq!(escape(b"%41bc"), Some((b'A', b"bc".as_slice())));
        assert_eq!(escape(b"x%41"), None);
    }
}
