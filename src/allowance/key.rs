//! The operator's secret, and what is derived from it. Each use has a key of its own, so that
//! nothing signed for one can pass for another.

use super::tally::{Page, ReaderId};
use crate::mac::{MacKey, length_of};

/// Keys that sign cookies and make names and hashes that nobody else can make. Of several values of
/// the secret the first signs, and all verify: a cookie keeps its count while one is changed for
/// another.
#[derive(Clone, Debug)]
pub struct AllowanceKey {
    first: Keys,
    former: Vec<Keys>,
}

/// The keys behind one value of the secret.
#[derive(Clone, Debug)]
struct Keys {
    cookies: MacKey,
    pages: MacKey,
    readers: MacKey,
}

impl AllowanceKey {
    /// The key behind the operator's secret.
    pub fn new(secret: &str) -> Self {
        Self { first: Keys::new(secret), former: Vec::new() }
    }

    /// The key behind several values of the secret; `None` where there is none.
    pub fn of_values(values: &[String]) -> Option<Self> {
        let (first, former) = values.split_first()?;
        let former = former.iter().map(|value| Keys::new(value)).collect();
        Some(Self { first: Keys::new(first), former })
    }

    /// An id for a new reader, which nobody can guess. `seed` has to be one that no other isolate
    /// and no earlier call has used, such as the isolate's random name and a running number.
    ///
    /// Nothing verifies it later: the cookie's signature vouches for it, so that it stays the
    /// same under every value.
    pub fn reader_id(&self, seed: &str) -> ReaderId {
        let bytes = self.first.readers.tag(&[seed.as_bytes()]);
        ReaderId::from_bytes(bytes.first_chunk().copied().unwrap_or_default())
    }

    /// Signs `payload` for the site at `host`.
    pub(super) fn sign(&self, host: &str, payload: &[u8]) -> [u8; 32] {
        self.first.cookies.tag(&signed(host, payload, &length_of(host)))
    }

    /// Whether `signature` is [`Self::sign`]'s, under any of the values; takes the same time
    /// wherever they differ.
    pub(super) fn is_signed(&self, host: &str, payload: &[u8], signature: &[u8]) -> bool {
        let length = length_of(host);
        let parts = signed(host, payload, &length);
        // A cookie has the whole of it.
        signature.len() == SIGNATURE_BYTES
            && self.all().any(|keys| keys.cookies.is_tag(&parts, signature))
    }

    /// A short hash of something that one reader has seen, under each of the values.
    pub(super) fn page_names(&self, reader: &ReaderId, parts: &[&[u8]]) -> Vec<Page> {
        let parts = [&[reader.as_bytes().as_slice()], parts].concat();
        let name = |keys: &Keys| {
            let bytes = keys.pages.tag(&parts);
            Page(bytes.first_chunk().map_or(0, |first| u32::from_be_bytes(*first)))
        };
        self.all().map(name).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.first).chain(&self.former)
    }
}

impl Keys {
    fn new(secret: &str) -> Self {
        let derived = |purpose| MacKey::derived(secret, purpose);
        Self {
            cookies: derived("tollgate free allowance: cookies, version 1"),
            pages: derived("tollgate free allowance: pages, version 1"),
            readers: derived("tollgate free allowance: readers, version 1"),
        }
    }
}

fn signed<'a>(host: &'a str, payload: &'a [u8], length: &'a [u8; 4]) -> [&'a [u8]; 3] {
    [length, host.as_bytes(), payload]
}

/// SHA-256's.
const SIGNATURE_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_use_has_its_own_key_and_every_secret_too() {
        let [key, other] = ["secret", "secret2"].map(Keys::new);
        let signed =
            [&key.cookies, &key.pages, &key.readers, &other.cookies].map(|mac| mac.tag(&[]));
        for (index, one) in signed.iter().enumerate() {
            assert!(!signed[..index].contains(one));
        }
        let key = AllowanceKey::new("secret");
        assert_ne!(key.reader_id("a:1"), key.reader_id("a:2"));
        assert!(!format!("{key:?}").contains("secret"));
    }

    #[test]
    fn a_host_can_not_run_into_the_payload() {
        let key = AllowanceKey::new("secret");
        assert_ne!(key.sign("ab", b"c"), key.sign("a", b"bc"));
        assert!(key.is_signed("a", b"bc", &key.sign("a", b"bc")));
        assert!(!key.is_signed("a", b"bc", &key.sign("a", b"bc")[..31]));
    }

    #[test]
    fn the_first_value_signs_and_all_verify() {
        let values = ["new", "old", "older"].map(str::to_owned);
        let key = AllowanceKey::of_values(&values).unwrap();
        assert_eq!(key.sign("a", b"b"), AllowanceKey::new("new").sign("a", b"b"));
        for value in &values {
            assert!(key.is_signed("a", b"b", &AllowanceKey::new(value).sign("a", b"b")));
        }
        assert!(!key.is_signed("a", b"b", &AllowanceKey::new("other").sign("a", b"b")));
        assert!(AllowanceKey::of_values(&[]).is_none());
        let reader = key.reader_id("a");
        let names = key.page_names(&reader, &[b"/a"]);
        let alone = values.map(|value| AllowanceKey::new(&value).page_names(&reader, &[b"/a"])[0]);
        assert_eq!(names, alone);
    }
}
