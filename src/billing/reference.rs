//! Signed references to accounts. A checkout carries one so that its payment finds the account,
//! though a buyer may write anything else in its place.
//!
//! A reference holds the account, the purpose, and the time of its expiry. The account's name is
//! encrypted, and the encryption starts from the signature (SIV, as in RFC 5297, with HMAC-SHA-256
//! for both). It has at most 200 characters of `[A-Za-z0-9_-]`, as Stripe's `client_reference_id`
//! takes (<https://docs.stripe.com/payment-links/url-parameters>).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::gate_secret::GateSecret;
use crate::identity::AccountName;
use crate::mac::MacKey;
use crate::time::Timestamp;

/// The keys that references are signed with: the first signs, all verify.
#[derive(Clone, Debug, Default)]
pub struct References(Vec<[MacKey; 2]>);

/// The content of a genuine reference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// The account's name.
    pub account: AccountName,
    /// The last moment at which a sale may begin by it.
    pub expires_at: Timestamp,
}

impl References {
    /// The keys behind the values of `GATE_SECRET`.
    pub fn new(secrets: &[GateSecret]) -> Self {
        Self(secrets.iter().map(|secret| secret.references.clone()).collect())
    }

    /// Whether any can be signed.
    pub fn can_sign(&self) -> bool {
        !self.0.is_empty()
    }

    /// A reference to `account`, good until `expires_at` to the minute. `None` where no secret is
    /// configured, or the name is too long for the 200 characters.
    pub fn sign(&self, account: &AccountName, expires_at: Timestamp) -> Option<String> {
        self.sign_text(account.as_str(), expires_at)
    }

    fn sign_text(&self, account: &str, expires_at: Timestamp) -> Option<String> {
        let [signature, names] = self.0.first()?;
        if account.len() > MAX_ACCOUNT_BYTES {
            return None;
        }
        let head = head(expires_at);
        let tag = signature.tag(&[&head, account.as_bytes()]);
        let tag = tag.first_chunk::<TAG_BYTES>()?;
        let name = hidden(names, tag, account.as_bytes());
        let bytes = [&tag[..], &head, &name].concat();
        Some([MARK, &URL_SAFE_NO_PAD.encode(bytes)].concat())
    }

    /// The content of `text`, where this gate has signed it.
    pub fn verify(&self, text: &str) -> Option<Reference> {
        let text = text.strip_prefix(MARK).filter(|_| text.len() <= MAX_CHARS)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, rest) = bytes.split_first_chunk::<TAG_BYTES>()?;
        let (head, name) = rest.split_first_chunk::<HEAD_BYTES>()?;
        let [VERSION, PURCHASE, minutes @ ..] = head else { return None };
        let account = self.0.iter().find_map(|[signature, names]| {
            let name = hidden(names, tag, name);
            signature.is_tag(&[head, &name], tag).then_some(name)
        })?;
        let account = AccountName::parse(str::from_utf8(&account).ok()?).ok()?;
        let seconds = i64::from(u32::from_be_bytes(*minutes)).saturating_mul(60);
        Some(Reference { account, expires_at: Timestamp::from_seconds(seconds) })
    }
}

/// The start of every reference.
pub const MARK: &str = "tgr_";
/// Lifetime of the gate's references: a page may stay open over a weekend.
pub const LIFETIME_S: i64 = 7 * 86_400;
/// The place of a reference in `buy_url` and `plans_url`.
pub const PLACEHOLDER: &str = "{reference}";

/// A configured link with the caller's reference in the place of [`PLACEHOLDER`]: with nothing
/// where there is no reference.
pub fn filled_in(url: &str, reference: impl FnOnce() -> Option<String>) -> String {
    if url.contains(PLACEHOLDER) {
        url.replace(PLACEHOLDER, &reference().unwrap_or_default())
    } else {
        url.to_owned()
    }
}

/// Version, purpose, and the minute in which it expires.
fn head(expires_at: Timestamp) -> [u8; HEAD_BYTES] {
    let minutes = expires_at.as_seconds().div_euclid(60).clamp(0, i64::from(u32::MAX));
    let [a, b, c, d] = u32::try_from(minutes).unwrap_or(u32::MAX).to_be_bytes();
    [VERSION, PURCHASE, a, b, c, d]
}

/// Encrypts or decrypts `name`: both are the same.
fn hidden(key: &MacKey, tag: &[u8; TAG_BYTES], name: &[u8]) -> Vec<u8> {
    let blocks = (0_u8..).map(|block| key.tag(&[tag, &[block]]));
    let stream = blocks.take(name.len().div_ceil(32)).flatten();
    name.iter().zip(stream).map(|(byte, other)| byte ^ other).collect()
}

const VERSION: u8 = 1;
/// The only purpose: a purchase for this account.
const PURCHASE: u8 = 1;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 6;
const MAX_CHARS: usize = 200;
/// The rest of 196 characters of base64url.
const MAX_ACCOUNT_BYTES: usize = 147 - TAG_BYTES - HEAD_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    const END: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn alice() -> AccountName {
        AccountName::parse("-/alice").unwrap()
    }

    fn references(values: &[&str]) -> References {
        References::new(&values.iter().map(|value| GateSecret::new(value)).collect::<Vec<_>>())
    }

    #[test]
    fn what_was_signed_is_known_again() {
        let keys = references(&["a"]);
        for account in ["-/alice", "acme/alice", "-/ü%2F", &format!("-/{}", "x".repeat(123))] {
            let text = keys.sign(&AccountName::parse(account).unwrap(), END).unwrap();
            assert!(text.len() <= 200, "{}", text.len());
            assert!(
                text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
                "{text}"
            );
            assert!(!text.contains("alice"));
            let said = keys.verify(&text).unwrap();
            assert_eq!((said.account.as_str(), said.expires_at), (account, END));
        }
        let long = AccountName::new(None, &"x".repeat(124)).unwrap();
        assert_eq!(keys.sign(&long, END), None, "too long");
        assert_eq!(references(&[]).sign(&alice(), END), None);
    }

    #[test]
    fn nothing_else_is_believed() {
        let keys = references(&["a"]);
        let text = keys.sign(&alice(), END).unwrap();
        let encoded = text.strip_prefix(MARK).unwrap();
        let raw = URL_SAFE_NO_PAD.decode(encoded).unwrap();
        for index in 0..raw.len() {
            for bit in 0..8 {
                let mut bent = raw.clone();
                bent[index] ^= 1 << bit;
                let bent = [MARK, &URL_SAFE_NO_PAD.encode(bent)].concat();
                assert_eq!(keys.verify(&bent), None, "byte {index}, bit {bit}");
            }
        }
        let other = references(&["b"]).sign(&alice(), END).unwrap();
        let cut = text.get(..text.len() - 2).unwrap();
        for wrong in ["", "alice", "-/alice", "tgr_", encoded, cut, &other, &text.repeat(9)] {
            assert_eq!(keys.verify(wrong), None, "{wrong}");
        }
        // Signed, and still no account's name: no other object of the ledger's class is reached.
        let inbox = keys.sign_text("inbox", END).unwrap();
        assert_eq!(keys.verify(&inbox), None);
    }

    #[test]
    fn the_first_secret_signs_and_all_verify() {
        let (old, both) = (references(&["old"]), references(&["new", "old"]));
        let before = old.sign(&alice(), END).unwrap();
        assert_eq!(both.verify(&before).unwrap().account, "-/alice");
        let after = both.sign(&alice(), END).unwrap();
        assert_eq!(references(&["new"]).verify(&after).unwrap().account, "-/alice");
        assert_eq!(old.verify(&after), None);
    }

    #[test]
    fn links_carry_a_reference_where_they_ask_for_one() {
        let reference = || Some("tgr_x".to_owned());
        let link = "https://buy.example/1?client_reference_id={reference}";
        let plain = "https://buy.example/1";
        assert_eq!(filled_in(link, reference), "https://buy.example/1?client_reference_id=tgr_x");
        assert_eq!(filled_in(link, || None), "https://buy.example/1?client_reference_id=");
        assert_eq!(filled_in(plain, || panic!("nobody asked for one")), plain);
    }
}
