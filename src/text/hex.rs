//! Hexadecimal digits (RFC 4648 §8).

/// `bytes` as lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).map(digit).collect()
}

/// The bytes of digits of either case; `None` where something else stands there, or one digit is
/// left over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().copied().map(byte).collect()).flatten()
}

/// The byte that two digits stand for.
pub(super) fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? << 4 | low?).ok()
}

/// The lower-case digit of a number below 16.
pub(super) fn digit(number: u8) -> char {
    char::from_digit(u32::from(number), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, in both cases.
    #[test]
    fn reads_what_it_writes() {
        assert_eq!(encode(b"foobar"), "666f6f626172");
        assert_eq!(decode("666F6f626172").as_deref(), Some(b"foobar".as_slice()));
        assert_eq!(decode("").as_deref(), Some([].as_slice()));
        for bad in ["6", "6g", "+1", "666", "ü"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
