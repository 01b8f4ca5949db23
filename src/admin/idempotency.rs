//! A write that is sent again has its effect once (draft-ietf-httpapi-idempotency-key-header).

use sha2::{Digest, Sha256};

use super::invalid::{InvalidRequest, MAX_IDEMPOTENCY_KEY_BYTES};
use super::reply::{Reply, StoredReply};
use super::store::OperatorStore;
use crate::store::StoreError;
use crate::text::hex;
use crate::time::Timestamp;
use crate::wire::wire;

/// The identity of a request that may be sent again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdempotencyKey {
    /// `Idempotency-Key`, chosen by the client.
    pub key: String,
    /// A hash of the request and its operator.
    pub fingerprint: String,
}

wire!(IdempotencyKey { 1: key, 2: fingerprint });

impl IdempotencyKey {
    /// The key of a request that consists of `parts`, such as its method, path and body.
    ///
    /// # Errors
    ///
    /// The key is empty, too long, or no printable ASCII.
    pub fn new(key: &str, parts: &[&str]) -> Result<Self, InvalidRequest> {
        let is_valid = (1..=MAX_IDEMPOTENCY_KEY_BYTES).contains(&key.len())
            && key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_valid {
            return Err(InvalidRequest::IdempotencyKey);
        }
        let mut hash = Sha256::new();
        for part in parts {
            // The length of each part, so that no two lists of parts are hashed alike.
            hash.update(part.len().to_string());
            hash.update(":");
            hash.update(part);
        }
        Ok(Self { key: key.to_owned(), fingerprint: hex::encode(&hash.finalize()) })
    }
}

/// Does `work`, unless the same request came within [`KEEP_MS`]: then its reply is repeated. Part
/// of the transaction that `work` is part of.
pub(super) fn execute_once<S: OperatorStore>(
    store: &mut S,
    idempotency_key: Option<&IdempotencyKey>,
    now: Timestamp,
    work: impl FnOnce(&mut S) -> Result<Reply, StoreError>,
) -> Result<Reply, StoreError> {
    let Some(IdempotencyKey { key, fingerprint }) = idempotency_key else { return work(store) };
    store.delete_stored_replies(now.plus_ms(KEEP_MS.saturating_neg()))?;
    if let Some(known) = store.stored_reply(key)? {
        if known.fingerprint != *fingerprint {
            return Ok(Reply::refused(422, OTHER_REQUEST));
        }
        return Ok(known.replayed());
    }
    let reply = work(store)?;
    let (fingerprint, body) = (fingerprint.clone(), reply.body.clone());
    let stored = StoredReply { fingerprint, status: reply.status, body, at: now };
    store.put_stored_reply(key, &stored)?;
    Ok(reply)
}

/// Time for which a reply is kept, in milliseconds.
pub const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;

const OTHER_REQUEST: &str = "This Idempotency-Key came with another request, or from another \
     operator, within the last 24 hours. Nothing was done: choose a new one.";
