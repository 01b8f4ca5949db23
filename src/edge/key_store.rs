//! The key directory's rows in the SQLite database of its Durable Object.

use wasm_bindgen::JsValue;

use super::database::{Database, account_of, text_of};
use crate::account::KeyOwner;
use crate::store::StoreError;

/// The owner of the key with this hash.
pub(super) fn find(database: &Database, hash: &str) -> Result<Option<KeyOwner>, StoreError> {
    let query = "SELECT account, key, member FROM api_key WHERE hash = ?";
    let cells = database.cells(query, &[hash.into()])?;
    let owner = |[account, key, member]: &[JsValue; 3]| {
        let (account, key) = (account_of(account)?, text_of(key)?);
        Ok(KeyOwner { account, key, member: member.as_string() })
    };
    cells.as_chunks().0.first().map(owner).transpose()
}

/// Adds a key. What is there stays.
pub(super) fn add(database: &Database, hash: &str, owner: &KeyOwner) -> Result<(), StoreError> {
    let query = "INSERT INTO api_key (hash, account, key, member) VALUES (?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING";
    let KeyOwner { account, key, member } = owner;
    let member = member.as_ref().map_or(JsValue::NULL, JsValue::from);
    database.write(query, &[hash.into(), account.as_str().into(), key.into(), member])
}
