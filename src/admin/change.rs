//! The effect of an operator's write on an account, inside the transaction of its ledger.

use super::idempotency::{IdempotencyKey, execute_once};
use super::reply::Reply;
use super::store::OperatorStore;
use super::view::{
    KeyView, NewKeyView, PackView, RereadView, RevokedBeforeDetail, RevokedTokenDetail,
};
use crate::account::{AccountRecord, ApiKey};
use crate::quota::store::AuditEntry;
use crate::quota::{CreditPack, Ledger};
use crate::store::{MAX_UNITS, StoreError};
use crate::time::Timestamp;
use crate::wire::wire;

/// An operator's command to the ledger of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The change.
    pub change: Change,
    /// The name of the operator, for the audit trail.
    pub actor: String,
    /// The identity of the request, if its client may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Add a pack of credits.
    Credits(Box<CreditPack>),
    /// Add an API key.
    Key(Box<ApiKey>),
    /// Put a record in the place of the operator's part of the one that is there.
    Record(Box<AccountRecord>),
    /// Take over nothing, and note in the audit trail that customers were read again.
    Reread {
        /// The number of customers that were read.
        customers: usize,
    },
    /// Revoke the tokens that were issued before this.
    RevokeBefore(Timestamp),
    /// Revoke the API key with this id.
    RevokeKey(String),
    /// Revoke the token with this id (`jti`).
    RevokeToken(String),
    /// Put another API key in the place of one.
    RotateKey {
        /// The old one's id.
        id: String,
        /// The id of the new one.
        successor: String,
        /// Time for which the old one still works, in seconds.
        overlap_s: u64,
    },
}

wire!(Command { 1: change, 2: actor, 3: idempotency_key });
wire! {
    enum Change {
        1: Credits(pack),
        2: Key(key),
        3: Record(record),
        4: Reread { 1: customers },
        5: RevokeBefore(at),
        6: RevokeKey(id),
        7: RevokeToken(id),
        8: RotateKey { 1: id, 2: successor, 3: overlap_s },
    }
}

impl Command {
    /// Executes the command, once.
    ///
    /// # Errors
    ///
    /// The store failed. Nothing of this call may be kept then.
    pub fn execute(
        self,
        store: &mut impl OperatorStore,
        now: Timestamp,
    ) -> Result<Reply, StoreError> {
        let Self { change, actor, idempotency_key } = self;
        execute_once(store, idempotency_key.as_ref(), now, |store| {
            change.execute(store, &actor, now)
        })
    }
}

impl Change {
    fn execute(
        self,
        store: &mut impl OperatorStore,
        actor: &str,
        now: Timestamp,
    ) -> Result<Reply, StoreError> {
        match self {
            Self::Credits(pack) => add_credits(store, &pack, actor, now),
            Self::Record(record) => {
                let record = Ledger::put_account(store, *record, actor, now)?;
                Ok(Reply::done(200, json(&record)?))
            }
            Self::Reread { customers } => note_reread(store, customers, actor, now),
            Self::Key(key) => {
                let Some(record) = store.account()? else { return Ok(no_account()) };
                add_key(store, record, *key, "add-key", actor, now)
            }
            Self::RotateKey { id, successor, overlap_s } => {
                rotate_key(store, &id, successor, overlap_s, (actor, now))
            }
            Self::RevokeKey(id) => revoke_key(store, &id, actor, now),
            Self::RevokeToken(id) => revoke_token(store, id, actor, now),
            Self::RevokeBefore(cut) => {
                let mut record = store.account()?.unwrap_or_default();
                record.tokens_revoked_before = record.tokens_revoked_before.max(Some(cut));
                let detail = json(&RevokedBeforeDetail { issued_before: cut.rfc3339_exact() })?;
                kept(store, &record, ("revoke-tokens", detail), actor, now)?;
                Ok(Reply::done(200, json(&record)?))
            }
        }
    }
}

fn add_credits(
    store: &mut impl OperatorStore,
    pack: &CreditPack,
    actor: &str,
    now: Timestamp,
) -> Result<Reply, StoreError> {
    let packs = store.credits()?;
    let left = packs.iter().fold(pack.units, |sum, other| sum.saturating_add(other.left));
    if left > MAX_UNITS && packs.iter().all(|other| other.id != pack.id) {
        let detail =
            format!("The account would have {left} units, which is more than {MAX_UNITS}.");
        return Ok(Reply::refused(409, &detail));
    }
    let kept = Ledger::add_credits(store, pack.clone(), actor, now)?;
    let known = json(&PackView::from(&kept))?;
    Ok(if kept.is_same_purchase(pack) {
        Reply::done(200, known)
    } else {
        let detail = format!("A pack of this id was added before, and stays as it is: {known}.");
        Reply::refused(409, &detail)
    })
}

fn note_reread(
    store: &mut impl OperatorStore,
    customers: usize,
    actor: &str,
    now: Timestamp,
) -> Result<Reply, StoreError> {
    let record = store.account()?;
    if record.is_some() {
        let (actor, action) = (actor.to_owned(), "reread".to_owned());
        store.append_audit(&AuditEntry { at: now, actor, action, detail: "{}".to_owned() })?;
    } else if customers == 0 {
        return Ok(no_account());
    }
    Ok(Reply::done(200, json(&RereadView { read: customers, record: record.as_ref() })?))
}

fn add_key(
    store: &mut impl OperatorStore,
    mut record: AccountRecord,
    key: ApiKey,
    action: &str,
    actor: &str,
    now: Timestamp,
) -> Result<Reply, StoreError> {
    while record.keys.len() >= MAX_KEYS {
        // Keys that work no more make room, the oldest first: they open nothing anyway.
        let Some(place) = record.keys.iter().position(|key| !key.works(now)) else {
            return Ok(Reply::refused(409, TOO_MANY_KEYS));
        };
        record.keys.remove(place);
    }
    let detail = json(&KeyView::from(&key))?;
    let body = json(&NewKeyView::without_secret(&key))?;
    record.keys.push(key.clone());
    kept(store, &record, (action, detail), actor, now)?;
    Ok(Reply { new_key: Some(Box::new(key)), ..Reply::done(201, body) })
}

fn rotate_key(
    store: &mut impl OperatorStore,
    id: &str,
    successor: String,
    overlap_s: u64,
    (actor, now): (&str, Timestamp),
) -> Result<Reply, StoreError> {
    let Some(mut record) = store.account()? else { return Ok(no_account()) };
    let Some(old) = record.keys.iter_mut().find(|key| key.id == id) else { return Ok(no_key()) };
    if !old.works(now) {
        return Ok(Reply::refused(409, OVER_ALREADY));
    }
    let key = ApiKey {
        id: successor,
        created_at: Some(now),
        replaces: Some(id.to_owned()),
        ..old.clone()
    };
    let overlap_s = i64::try_from(overlap_s).unwrap_or(i64::MAX);
    let ends_at = now.plus_seconds(overlap_s);
    old.expires_at = Some(old.expires_at.map_or(ends_at, |before| before.min(ends_at)));
    add_key(store, record, key, "rotate-key", actor, now)
}

fn revoke_key(
    store: &mut impl OperatorStore,
    id: &str,
    actor: &str,
    now: Timestamp,
) -> Result<Reply, StoreError> {
    let Some(mut record) = store.account()? else { return Ok(no_account()) };
    let Some(key) = record.keys.iter_mut().find(|key| key.id == id) else { return Ok(no_key()) };
    if key.revoked_at.is_none() {
        key.revoked_at = Some(now);
        let detail = json(&KeyView::from(&*key))?;
        kept(store, &record, ("revoke-key", detail), actor, now)?;
    }
    Ok(Reply::done(204, String::new()))
}

fn revoke_token(
    store: &mut impl OperatorStore,
    id: String,
    actor: &str,
    now: Timestamp,
) -> Result<Reply, StoreError> {
    let mut record = store.account()?.unwrap_or_default();
    if !record.revoked_tokens.contains(&id) {
        // The lifetime of the tokens behind these ids is unknown.
        if record.revoked_tokens.len() >= MAX_REVOKED_TOKENS {
            return Ok(Reply::refused(409, TOO_MANY_TOKENS));
        }
        let detail = json(&RevokedTokenDetail { token_id: &id })?;
        record.revoked_tokens.push(id);
        kept(store, &record, ("revoke-token", detail), actor, now)?;
    }
    Ok(Reply::done(200, json(&record)?))
}

/// Keeps a record, and its change in the audit trail.
fn kept(
    store: &mut impl OperatorStore,
    record: &AccountRecord,
    (action, detail): (&str, String),
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.put_account(record)?;
    let (actor, action) = (actor.to_owned(), action.to_owned());
    store.append_audit(&AuditEntry { at: now, actor, action, detail })
}

fn no_account() -> Reply {
    Reply::refused(404, NO_ACCOUNT)
}

fn no_key() -> Reply {
    Reply::refused(404, "The account has no such key.")
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError(error.to_string()))
}

/// The error where nothing is known of an account.
pub const NO_ACCOUNT: &str = "There is no such account.";

/// Keys of one account. Each reply to an isolate carries them.
pub const MAX_KEYS: usize = 100;
/// Tokens of one account that are revoked by their ids, for the same reason.
pub const MAX_REVOKED_TOKENS: usize = 1_000;

const TOO_MANY_KEYS: &str = "The account has 100 keys that work: revoke one first.";
const OVER_ALREADY: &str = "The key works no more: add a new one.";
const TOO_MANY_TOKENS: &str = "The account has 1000 revoked tokens already, and how long these could \
     live nobody knows. Revoke all that were issued before now with issued_before.";
