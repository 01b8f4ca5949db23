//! API keys: the account's record lists them, the directory finds them.
//!
//! The record comes first. Where the directory fails after it, the key is listed and opens nothing.

use super::{Asked, Done, Next, Question, Refusal, Then};
use crate::account::{AccountRecord, ApiKey, KeyOwner};
use crate::admin::change::NO_GATE_SECRET;
use crate::admin::query::page_json;
use crate::admin::{What, shown};
use crate::edge::glue::random_text;
use crate::edge::ledger::Message;

impl Asked<'_> {
    /// The text of a new key, where one is asked for.
    pub(super) fn new_secret(&self) -> Result<Option<String>, Refusal> {
        if !matches!(self.operation.what, What::AddKey | What::RotateKey) {
            return Ok(None);
        }
        // Letters and digits alone, so that a click selects it.
        let id = random_text(ID_BYTES).replace(['-', '_'], "x");
        let text = ApiKey::text(&id, &random_text(SECRET_BYTES), &self.config.gate_secrets);
        text.map(Some).ok_or_else(|| Refusal::new(409, NO_GATE_SECRET))
    }

    /// The account's keys, in the order in which they were made.
    pub(super) fn keys(&self, record: &AccountRecord) -> Result<String, Refusal> {
        let ids: Vec<_> = record.keys.iter().map(|key| key.id.as_str()).collect();
        let (range, next) = self.page()?.of(&ids).map_err(Refusal::bad)?;
        let keys = record.keys.get(range).unwrap_or_default();
        Ok(page_json(&keys.iter().map(shown::key).collect::<Vec<_>>(), next))
    }
}

/// Puts a key that was listed into the directory.
pub(super) fn to_file(mut done: Done, account: String, secret: &str) -> Question {
    let member = shown::member_of_key(&done.json);
    done.json = shown::with_member(done.json, &format!("\"secret\":\"{secret}\""));
    let hash = ApiKey::hash(secret);
    let owner = KeyOwner { account, key: ApiKey::id_in(secret).to_owned(), member };
    let object = ApiKey::directory(&hash);
    let message = Message::FileKey { hash, owner };
    Question { object, message, then: Then::Filed(done) }
}

/// What is answered once it is there.
pub(super) fn filed(done: Done, reply: Result<String, String>) -> Result<Next, Refusal> {
    reply.map(|_| Next::Done(done)).map_err(|reason| {
        Refusal::new(
            503,
            format!(
                "The key is listed and opens nothing, since the directory of keys did not answer: \
             {reason}. Revoke it, and add another."
            ),
        )
    })
}

/// The answer to a request that comes again: the secret was kept nowhere.
pub(super) fn without_secret(mut done: Done) -> Done {
    done.json = shown::with_member(done.json, NO_SECRET);
    done
}

/// 8 and 43 characters.
const ID_BYTES: u32 = 6;
const SECRET_BYTES: u32 = 32;

const NO_SECRET: &str = r#""secret":null,"note":"This key was made when the request came first, and its secret was shown then. It is kept nowhere: where it got lost, rotate the key.""#;
