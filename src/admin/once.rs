//! A write that is sent again has its effect once (draft-ietf-httpapi-idempotency-key-header).

use sha2::{Digest, Sha256};

use super::change::Reply;
use super::store::{Answered, OperatorStore};
use crate::store::StoreError;
use crate::text::hex;
use crate::time::Timestamp;
use crate::wire::wire;

/// What tells a request that is sent again from another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Once {
    /// `Idempotency-Key`, which the client has chosen.
    pub key: String,
    /// A hash of everything that the request says, and of who says it.
    pub fingerprint: String,
}

wire!(Once { key, fingerprint });

impl Once {
    /// Of a request that says `parts`, such as its method, path and body.
    ///
    /// # Errors
    ///
    /// What is wrong with the key, as a sentence.
    pub fn new(key: &str, parts: &[&str]) -> Result<Self, String> {
        let is_right = (1..=MAX_KEY_BYTES).contains(&key.len())
            && key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_right {
            return Err(format!(
                "Idempotency-Key: expected 1 to {MAX_KEY_BYTES} printable ASCII characters."
            ));
        }
        let mut hash = Sha256::new();
        for part in parts {
            // Where a part ends, so that no two lists of parts are hashed alike.
            hash.update(part.len().to_string());
            hash.update(":");
            hash.update(part);
        }
        Ok(Self { key: key.to_owned(), fingerprint: hex::encode(&hash.finalize()) })
    }
}

/// Does `work`, unless it was done for the same request within [`KEEP_MS`]: then what was answered
/// is answered again. Part of the transaction that `work` is part of.
pub(super) fn do_once<S: OperatorStore>(
    store: &mut S,
    once: Option<&Once>,
    now: Timestamp,
    work: impl FnOnce(&mut S) -> Result<Reply, StoreError>,
) -> Result<Reply, StoreError> {
    let Some(Once { key, fingerprint }) = once else { return work(store) };
    store.delete_answered(now.plus_ms(KEEP_MS.saturating_neg()))?;
    if let Some(known) = store.answered(key)? {
        if known.fingerprint != *fingerprint {
            return Ok(Reply::refused(422, OTHER_REQUEST));
        }
        return Ok(Reply { is_replay: true, ..known.reply });
    }
    let reply = work(store)?;
    let answered = Answered { fingerprint: fingerprint.clone(), reply: reply.clone(), at: now };
    store.put_answered(key, &answered)?;
    Ok(reply)
}

/// How long what was answered is kept.
pub const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;
const MAX_KEY_BYTES: usize = 255;

const OTHER_REQUEST: &str = "This Idempotency-Key came with another request, or from another \
     operator, within the last 24 hours. Nothing was done: choose a new one.";
