//! From an API key to a caller: the directory of keys has its owner, and the account's record
//! whether it still opens anything.

use std::rc::Rc;

use super::case::{Halt, Turn};
use super::identify::{Identified, Identify};
use super::memory::{Caller, Credential, Snapshot};
use super::step::{CallError, Need};
use crate::account::{AccountRecord, ApiKey, KeyOwner};
use crate::cause::Cause;
use crate::config::Route;
use crate::decision::Denial;
use crate::identity::Identity;
use crate::time::Timestamp;
use crate::token::TokenError;

impl Turn<'_> {
    /// Memory first; then a look at the text, and the directory last.
    pub(super) fn check_key(&mut self, key: &str) -> Identified {
        let now = self.case.now;
        if let Some(caller) = self.memory.caller(key, now) {
            return Ok(caller);
        }
        if ApiKey::secret_in(key).is_none() {
            return Err(self.invalid_token(TokenError::Malformed).into());
        }
        if !ApiKey::is_ours(key, &self.case.config.gate_secrets) {
            return Err(self.made_up().into());
        }
        let hash = ApiKey::hash(key);
        if self.memory.is_unknown_key(&hash, now) {
            return Err(self.invalid_token(TokenError::UnknownApiKey).into());
        }
        let directory = ApiKey::directory(&hash);
        Err(Halt::Need(Need::FindKey { directory, hash }, Identify::Owner(Rc::from(key))))
    }

    /// Refuses a key that no value of `GATE_SECRET` has made. The directory is not asked, so that
    /// nobody without a key costs it a call.
    fn made_up(&self) -> Box<Denial> {
        let detail = match self.case.config.gate_secrets.len() {
            0 => "GATE_SECRET is not set, and without it there are no API keys",
            _ => "no value of GATE_SECRET made this API key",
        };
        let mut denial = Denial::new(Cause::InvalidToken);
        denial.facts.token_error = Some(TokenError::UnknownApiKey);
        denial.facts.operator_detail = Some(detail.to_owned());
        self.case.deny_stranger(denial)
    }

    /// Takes over the directory's answer. Without it callers can't be told apart, so a missing
    /// answer never passes.
    pub(super) fn key_found(
        &mut self,
        key: Rc<str>,
        found: Result<Option<KeyOwner>, CallError>,
    ) -> Identified {
        let now = self.case.now;
        let owner = match found {
            Ok(Some(owner)) => owner,
            Ok(None) => {
                self.memory.remember_unknown_key(ApiKey::hash(&key), now);
                return Err(self.invalid_token(TokenError::UnknownApiKey).into());
            }
            Err(error) => {
                let mut denial = Denial::new(Cause::CheckerUnavailable);
                denial.retry_at = Some(now.plus_ms(RETRY_MS));
                denial.facts.operator_detail = Some(format!("directory of API keys: {error}"));
                return Err(self.case.deny_stranger(denial).into());
            }
        };
        let identity = Identity::of_account(&owner.account, owner.member);
        let caller = Rc::new(Caller {
            account: owner.account,
            claimed: Vec::new(),
            identity: Rc::new(identity),
            expires_at: now.plus_ms(REMEMBER_MS),
            credential: Credential::Key { id: owner.key, found_at: now },
        });
        self.memory.remember_caller(key, Rc::clone(&caller));
        Ok(caller)
    }
}

/// Denies for entitlements that the key itself leaves out: no payment helps.
pub(super) fn out_of_scope(
    route: &Route,
    caller: &Caller,
    record: Option<&AccountRecord>,
) -> Option<Box<Denial>> {
    let key = key_of(caller, record).filter(|key| !key.scopes.is_empty())?;
    let missing: Vec<String> =
        route.requires.iter().filter(|one| !key.scopes.contains(one)).cloned().collect();
    if missing.is_empty() {
        return None;
    }
    let mut denial = Denial::new(Cause::NotForSale);
    denial.facts.missing = missing;
    denial.facts.is_beyond_scopes = true;
    denial.facts.operator_detail = Some(format!("the scopes of API key {} lack it", key.id));
    Some(Box::new(denial))
}

/// Whether the key may be newer than a snapshot of its account. The snapshot is then read again,
/// once.
pub(super) fn may_be_newer(caller: &Caller, snapshot: &Snapshot) -> bool {
    match caller.credential {
        Credential::Token { .. } => false,
        Credential::Key { found_at, .. } => {
            let record = snapshot.record.as_deref();
            snapshot.read_at <= found_at && key_of(caller, record).is_none()
        }
    }
}

/// The cause for which a key opens nothing, if it doesn't.
pub(super) fn barred(
    caller: &Caller,
    record: Option<&AccountRecord>,
    now: Timestamp,
) -> Option<Cause> {
    let Credential::Key { .. } = caller.credential else { return None };
    match key_of(caller, record) {
        None => Some(Cause::InvalidToken),
        Some(key) if !key.works(now) => Some(Cause::CredentialRevoked),
        Some(_) => None,
    }
}

/// The key in the account's record.
pub(super) fn key_of<'a>(caller: &Caller, record: Option<&'a AccountRecord>) -> Option<&'a ApiKey> {
    let Credential::Key { id, .. } = &caller.credential else { return None };
    record?.keys.iter().find(|key| key.id == *id)
}

/// Time for which a key's owner is remembered: it never changes.
const REMEMBER_MS: i64 = 10 * 60 * 1_000;
/// Time after which callers should come back while the directory can't be asked.
const RETRY_MS: i64 = 2_000;
