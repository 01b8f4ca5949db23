//! The operator's secret, and what is derived from it. Each use has a key of its own, so that
//! nothing signed for one can pass for another.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::ReaderId;

/// What signs cookies and makes names and hashes that nobody else can make.
#[derive(Clone)]
pub struct AllowanceKey {
    cookies: Keyed,
    pages: Keyed,
    readers: Keyed,
}

impl AllowanceKey {
    /// The key behind the operator's secret.
    pub fn new(secret: &str) -> Self {
        let root = keyed(Sha256::digest(secret).into());
        let derived = |label: &str| keyed(tag(&root, &[label.as_bytes()]));
        Self {
            cookies: derived("tollgate free allowance: cookies, version 1"),
            pages: derived("tollgate free allowance: pages, version 1"),
            readers: derived("tollgate free allowance: readers, version 1"),
        }
    }

    /// An id for a new reader, which nobody can guess. `seed` has to be one that no other isolate
    /// and no earlier call has used, such as the isolate's random name and a running number.
    pub fn reader_id(&self, seed: &str) -> ReaderId {
        let bytes = tag(&self.readers, &[seed.as_bytes()]);
        ReaderId::from_bytes(bytes.first_chunk().copied().unwrap_or_default())
    }

    /// Signs `payload` for the site at `host`.
    pub(super) fn sign(&self, host: &str, payload: &[u8]) -> [u8; 32] {
        tag(&self.cookies, &[&length(host), host.as_bytes(), payload])
    }

    /// Whether `signature` is [`Self::sign`]'s; takes the same time wherever they differ.
    pub(super) fn is_signed(&self, host: &str, payload: &[u8], signature: &[u8]) -> bool {
        let parts: [&[u8]; 3] = [&length(host), host.as_bytes(), payload];
        fed(&self.cookies, &parts).verify_slice(signature).is_ok()
    }

    /// A short hash of something that one reader has seen.
    pub(super) fn hash_page(&self, reader: &ReaderId, parts: &[&[u8]]) -> u32 {
        let mut mac = self.pages.clone();
        mac.update(reader.as_bytes());
        let bytes: [u8; 32] = fed(&mac, parts).finalize().into_bytes().into();
        bytes.first_chunk().map_or(0, |first| u32::from_be_bytes(*first))
    }
}

/// A secret must not get into a log by way of what holds it.
impl fmt::Debug for AllowanceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AllowanceKey(..)")
    }
}

type Keyed = Hmac<Sha256>;

fn keyed(key: [u8; 32]) -> Keyed {
    // A key of a whole block needs no check of its length, so this can't fail.
    let mut block = [0; BLOCK_BYTES];
    for (to, from) in block.iter_mut().zip(key) {
        *to = from;
    }
    <Keyed as hmac::digest::KeyInit>::new(&block.into())
}

fn fed(mac: &Keyed, parts: &[&[u8]]) -> Keyed {
    let mut mac = mac.clone();
    for part in parts {
        mac.update(part);
    }
    mac
}

fn tag(mac: &Keyed, parts: &[&[u8]]) -> [u8; 32] {
    fed(mac, parts).finalize().into_bytes().into()
}

/// Says where a text ends, so that no two lists of parts are signed alike.
fn length(text: &str) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// SHA-256's (FIPS 180-4 §1).
const BLOCK_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_key_is_the_key() {
        // RFC 4231, test case 2, whose key is shorter than ours: padding is what HMAC does too.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let found = tag(&keyed(key), &[b"what do ya want ", b"for nothing?"]);
        let expected = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
            0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_use_has_its_own_key_and_every_secret_too() {
        let key = AllowanceKey::new("secret");
        let other = AllowanceKey::new("secret2");
        let signed =
            [&key.cookies, &key.pages, &key.readers, &other.cookies].map(|mac| tag(mac, &[]));
        for (index, one) in signed.iter().enumerate() {
            assert!(!signed[..index].contains(one));
        }
        assert_ne!(key.reader_id("a:1"), key.reader_id("a:2"));
        assert_eq!(format!("{key:?}"), "AllowanceKey(..)");
    }

    #[test]
    fn a_host_can_not_run_into_the_payload() {
        let key = AllowanceKey::new("secret");
        assert_ne!(key.sign("ab", b"c"), key.sign("a", b"bc"));
        assert!(key.is_signed("a", b"bc", &key.sign("a", b"bc")));
        assert!(!key.is_signed("a", b"bc", &key.sign("a", b"bc")[..31]));
    }
}
