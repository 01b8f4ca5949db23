//! API keys of an account, as its record lists them: everything but the secret.
//!
//! A key is found by the hash of its text (`edge/key_store.rs`), which names its account and its
//! id; the account's record decides whether it still opens anything.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::subscription::write_time;
use crate::gate_secret::GateSecret;
use crate::identity::{AccountName, ObjectName};
use crate::mac::MIN_TAG_BYTES;
use crate::text::hex;
use crate::time::Timestamp;
use crate::wire::wire;

/// One API key.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ApiKey {
    /// Its id: the visible part of the key, by which people recognise it.
    pub id: String,
    /// The operator's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The member that it makes requests for, where the plan counts each member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The entitlements that it may use at most; all of the account's where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The time of its making.
    #[serde(serialize_with = "write_time")]
    pub created_at: Option<Timestamp>,
    /// The end of its validity.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The time of its revocation.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The id of the key that it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

impl ApiKey {
    /// The first characters of every key.
    pub const MARK: &str = "tg_";

    /// The text of the key with this id and secret, both base64url: a checksum that only the gate
    /// can make stands behind them. `None` where there is no `GATE_SECRET` to make it with.
    pub fn text(id: &str, secret: &str, signers: &[GateSecret]) -> Option<String> {
        let mut text = format!("{}{id}_{secret}", Self::MARK);
        let tag = signers.first()?.api_keys.tag(&[text.as_bytes()]);
        let (checksum, _) = tag.split_first_chunk::<MIN_TAG_BYTES>()?;
        URL_SAFE_NO_PAD.encode_string(checksum, &mut text);
        Some(text)
    }

    /// The id in a key's text.
    pub fn id_in(text: &str) -> &str {
        let rest = text.strip_prefix(Self::MARK);
        rest.and_then(|rest| rest.get(..ID_BYTES)).unwrap_or_default()
    }

    /// The part of `text` behind the id and its underscore, if it has a key's form: the secret and
    /// the checksum. A text without that form need not be looked for.
    pub fn secret_in(text: &str) -> Option<(&str, &str)> {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() != TEXT_BYTES || !text.bytes().all(is_base64url) {
            return None;
        }
        let (_, rest) = text.strip_prefix(Self::MARK)?.split_at_checked(ID_BYTES)?;
        rest.strip_prefix('_')?.split_at_checked(SECRET_BYTES)
    }

    /// Whether one of the `signers` made this text. One hash of a block each, and no call: made-up
    /// keys cost nothing but that.
    pub fn is_ours(text: &str, signers: &[GateSecret]) -> bool {
        let signed = text.split_at_checked(TEXT_BYTES.saturating_sub(CHECKSUM_BYTES));
        let Some((signed, checksum)) = signed else { return false };
        let Ok(tag) = URL_SAFE_NO_PAD.decode(checksum) else { return false };
        signers.iter().any(|signer| signer.api_keys.is_tag(&[signed.as_bytes()], &tag))
    }

    /// The name to find a key by: the SHA-256 of its text, in hexadecimal digits. Guessing one of
    /// 256 random bits takes as long with a fast hash as with a slow one.
    pub fn hash(text: &str) -> String {
        hex::encode(&Sha256::digest(text))
    }

    /// The object that keeps the owner of the key with this hash.
    pub fn directory(hash: &str) -> ObjectName {
        let first = hash.get(..2).and_then(hex::decode);
        ObjectName::KeyDirectory(first.and_then(|bytes| bytes.first().copied()).unwrap_or_default())
    }

    /// Whether it opens anything at `now`.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The owner of a key, as in the directory of keys. It never changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyOwner {
    /// The account's name.
    pub account: AccountName,
    /// The key's id in the account's record.
    pub key: String,
    /// The member that it makes requests for, where one is named.
    pub member: Option<String>,
}

wire!(KeyOwner { 1: account, 2: key, 3: member });
wire!(ApiKey {
    1: id,
    2: name,
    3: member,
    4: scopes,
    5: created_at,
    6: expires_at,
    7: revoked_at,
    8: replaces,
});

const ID_BYTES: usize = 8;
/// 32 bytes as base64url.
const SECRET_BYTES: usize = 43;
/// [`MIN_TAG_BYTES`] as base64url.
const CHECKSUM_BYTES: usize = 11;
/// Mark, id, underscore, secret and checksum.
const TEXT_BYTES: usize = 3 + ID_BYTES + 1 + SECRET_BYTES + CHECKSUM_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "-0123456789_abcdefghijklmnopqrstuvwxyzABCDE";

    fn signers(values: &[&str]) -> Vec<GateSecret> {
        values.iter().map(|value| GateSecret::new(value)).collect()
    }

    fn text(values: &[&str]) -> String {
        ApiKey::text("a1b2c3d4", SECRET, &signers(values)).unwrap()
    }

    #[test]
    fn keys_have_one_form() {
        let text = text(&["one"]);
        let (secret, checksum) = ApiKey::secret_in(&text).unwrap();
        assert_eq!((ApiKey::id_in(&text), secret, checksum.len()), ("a1b2c3d4", SECRET, 11));
        assert_eq!(ApiKey::hash(&text).len(), 64);
        let directory = ApiKey::directory(&ApiKey::hash("abc"));
        assert_eq!(directory.to_string(), "ba", "FIPS 180-2, appendix B.1");
        let (cut, _) = text.split_at(text.len() - 1);
        for wrong in [
            "",
            "tg_",
            "tg_ünü",
            cut,
            &format!("{text}a"),
            &format!("{cut}="),
            &text.replace("tg_", "TG_"),
            &text.replace("d4_", "d44"),
            &format!("tg_a1b2c3d4_{SECRET}"),
        ] {
            assert_eq!(ApiKey::secret_in(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_value_of_the_gates_secret_makes_a_key() {
        let key = text(&["one", "two"]);
        for (values, is_ours) in [
            (&["one"][..], true),
            (&["two"], false),
            (&["two", "one"], true),
            (&["three", "two"], false),
            (&[], false),
        ] {
            assert_eq!(ApiKey::is_ours(&key, &signers(values)), is_ours, "{values:?}");
        }
        assert_eq!(ApiKey::text("a1b2c3d4", SECRET, &[]), None);
    }

    #[test]
    fn a_key_of_which_anything_was_changed_is_made_up() {
        let signers = signers(&["one", "two"]);
        let key = text(&["one"]);
        for place in 0..key.len() {
            for other in "Az09-_".chars() {
                let (before, after) = key.split_at(place);
                let changed = format!("{before}{other}{}", after.split_at(1).1);
                assert_eq!(ApiKey::is_ours(&changed, &signers), changed == key, "{changed}");
            }
            assert!(!ApiKey::is_ours(key.split_at(place).0, &signers), "{place}");
        }
        for wrong in ["", "tg_", "ü", &"ü".repeat(33), &format!("{key}A"), &"A".repeat(66)] {
            assert!(!ApiKey::is_ours(wrong, &signers), "{wrong}");
        }
    }
}
