//! HMAC-SHA-256 (RFC 2104) under keys that are derived from an operator's secret. Each use has a
//! key of its own, so that nothing signed for one can pass for another.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256};

/// A key for one purpose.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// The key for `purpose` behind the operator's secret.
    pub fn derived(secret: &str, purpose: &str) -> Self {
        let root = Self::of(Sha256::digest(secret).into());
        Self::of(root.tag(&[purpose.as_bytes()]))
    }

    /// Signs the parts, one behind the other: see [`length_of`].
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.fed(parts).finalize().into_bytes().into()
    }

    /// Whether `tag` is [`Self::tag`]'s, or its first bytes (at least [`MIN_TAG_BYTES`]). Takes the
    /// same time wherever they differ.
    pub fn is_tag(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() >= MIN_TAG_BYTES && self.fed(parts).verify_truncated_left(tag).is_ok()
    }

    fn of(key: [u8; 32]) -> Self {
        // A key of a whole block needs no check of its length, so this can't fail.
        let mut block = [0; BLOCK_BYTES];
        for (to, from) in block.iter_mut().zip(key) {
            *to = from;
        }
        Self(<Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into()))
    }

    fn fed(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// Debug output must not put a secret into a log.
impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MacKey(..)")
    }
}

/// The length of a text: signed before it, so that no two lists of parts are signed alike.
pub fn length_of(text: &str) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Shorter ones could be guessed: 64 bits, at a few thousand guesses a second.
pub const MIN_TAG_BYTES: usize = 8;

/// SHA-256's (FIPS 180-4 §1).
const BLOCK_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_key_is_the_key() {
        // RFC 4231, test case 2. Its key is shorter than ours, and HMAC pads it in the same way.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let found = MacKey::of(key).tag(&[b"what do ya want ", b"for nothing?"]);
        let expected = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
            0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_secret_and_every_purpose_has_its_own_key() {
        let keys = [("secret", "a"), ("secret", "b"), ("secret2", "a")];
        let tags = keys.map(|(secret, purpose)| MacKey::derived(secret, purpose).tag(&[]));
        assert!(tags[0] != tags[1] && tags[0] != tags[2] && tags[1] != tags[2]);
    }

    #[test]
    fn tags_may_be_cut_and_not_to_nothing() {
        let key = MacKey::derived("secret", "a");
        let tag = key.tag(&[b"x"]);
        assert!(key.is_tag(&[b"x"], &tag) && key.is_tag(&[b"x"], &tag[..8]));
        assert!(!key.is_tag(&[b"x"], &tag[..7]) && !key.is_tag(&[b"x"], &[]));
        assert!(!key.is_tag(&[b"y"], &tag) && !key.is_tag(&[b"x"], &[0; 33]));
        assert_eq!(format!("{key:?}"), "MacKey(..)");
    }
}
