//! API keys of an account, as its record knows them: everything but the secret.
//!
//! A key is found by the hash of its text (`edge/directory`), which names its account and its id;
//! whether it still opens anything, the account's record says.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::subscription::write_time;
use crate::time::Timestamp;
use crate::wire::wire;

/// One API key.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ApiKey {
    /// Its id: the visible part of the key, by which people recognise it.
    pub id: String,
    /// What the operator calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose requests it makes, where the plan counts each member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The entitlements that it may use at most; all of the account's where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// When it was made.
    #[serde(serialize_with = "write_time")]
    pub created_at: Option<Timestamp>,
    /// When it stops working.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(serialize_with = "write_time", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The id of the key in whose place it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

impl ApiKey {
    /// What the text of every key begins with.
    pub const MARK: &str = "tg_";

    /// The text of the key with this id and secret, both base64url.
    pub fn text(id: &str, secret: &str) -> String {
        format!("{}{id}_{secret}", Self::MARK)
    }

    /// The id in a key's text.
    pub fn id_in(text: &str) -> &str {
        let rest = text.strip_prefix(Self::MARK);
        rest.and_then(|rest| rest.get(..ID_BYTES)).unwrap_or_default()
    }

    /// Whether `text` could be a key's. What isn't need not be looked for.
    pub fn is_text(text: &str) -> bool {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let rest = text.strip_prefix(Self::MARK).and_then(|rest| rest.split_at_checked(ID_BYTES));
        rest.is_some_and(|(_, secret)| {
            secret.starts_with('_') && text.len() == TEXT_BYTES && text.bytes().all(is_base64url)
        })
    }

    /// What a key is found by: the SHA-256 of its text, in hexadecimal digits. Guessing one of 256
    /// random bits takes as long with a fast hash as with a slow one.
    pub fn hash(text: &str) -> String {
        hex(&Sha256::digest(text))
    }

    /// The name of the object that knows whose the key with this hash is.
    pub fn directory(hash: &str) -> String {
        format!("keys-{}", hash.get(..2).unwrap_or_default())
    }

    /// Whether it opens anything at `now`.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Whose a key is: what the directory of keys says. It never changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyOwner {
    /// The account's name, `tenant/account`.
    pub account: String,
    /// The key's id in the account's record.
    pub key: String,
    /// Whose requests it makes, where that is said.
    pub member: Option<String>,
}

wire!(KeyOwner { account, key, member });
wire!(ApiKey { id, name, member, scopes, created_at, expires_at, revoked_at, replaces });

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

const ID_BYTES: usize = 8;
/// Mark, id, underscore and 32 bytes as base64url.
const TEXT_BYTES: usize = 3 + ID_BYTES + 1 + 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_form() {
        let secret = "-0123456789_abcdefghijklmnopqrstuvwxyzABCDE";
        let text = ApiKey::text("a1b2c3d4", secret);
        assert!(ApiKey::is_text(&text), "{text}");
        assert_eq!(ApiKey::hash(&text).len(), 64);
        assert_eq!(ApiKey::directory(&ApiKey::hash("abc")), "keys-ba", "FIPS 180-2, appendix B.1");
        let cut = text.strip_suffix('E').unwrap();
        for wrong in [
            "",
            "tg_",
            "tg_ünü",
            cut,
            &format!("{text}a"),
            &format!("{cut}="),
            &text.replace("tg_", "TG_"),
            &text.replace("d4_", "d44"),
        ] {
            assert!(!ApiKey::is_text(wrong), "{wrong}");
        }
    }
}
