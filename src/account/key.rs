//! API keys of an account, as its record knows them: everything but the secret.
//!
//! A key is found by the hash of its text (`edge/directory`), which names its account and its id;
//! whether it still opens anything, the account's record says.

use serde::Serialize;

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
}

impl ApiKey {
    /// Whether it opens anything at `now`.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

wire!(ApiKey { id, name, member, scopes, created_at, expires_at, revoked_at });
