//! From an API key to a caller: the directory of keys says whose it is, the account's record
//! whether it still opens anything.

use std::rc::Rc;

use super::memory::{AccountView, Caller, Credential, Memory};
use super::{Gate, Progress, Step};
use crate::account::{AccountRecord, ApiKey, KeyOwner};
use crate::cause::Cause;
use crate::decision::Denial;
use crate::identity::Identity;
use crate::time::Timestamp;
use crate::token::TokenError;

impl Gate {
    /// What is remembered first; then a look at the text, and the directory last.
    pub(super) fn check_key(&mut self, key: &str, memory: &mut Memory, now: Timestamp) -> Step {
        if let Some(caller) = memory.caller(key, now) {
            return self.check_burst(caller, memory, now);
        }
        if ApiKey::secret_in(key).is_none() {
            return self.invalid_token(TokenError::Malformed);
        }
        if !ApiKey::is_ours(key, &self.config.gate_secrets) {
            return self.made_up();
        }
        let hash = ApiKey::hash(key);
        if memory.is_unknown_key(&hash, now) {
            return self.invalid_token(TokenError::UnknownApiKey);
        }
        let directory = ApiKey::directory(&hash);
        self.progress = Progress::ApiKey(Rc::from(key));
        Step::FindKey { directory, hash }
    }

    /// Refuses a key that no value of `GATE_SECRET` has made. The directory is not asked, so that
    /// nobody without a key costs it a call.
    fn made_up(&self) -> Step {
        let detail = match self.config.gate_secrets.len() {
            0 => "GATE_SECRET is not set, and without it there are no API keys",
            _ => "no value of GATE_SECRET made this API key",
        };
        let mut denial = Denial::new(Cause::InvalidToken);
        denial.facts.token_error = Some(TokenError::UnknownApiKey);
        denial.facts.operator_detail = Some(detail.to_owned());
        self.deny(denial, None)
    }

    /// Takes over what the directory said. Without it nobody can be told apart, so its silence
    /// never passes.
    pub(super) fn key_found(
        &mut self,
        key: Rc<str>,
        found: Result<Option<KeyOwner>, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        let owner = match found {
            Ok(Some(owner)) => owner,
            Ok(None) => {
                memory.remember_unknown_key(ApiKey::hash(&key), now);
                return self.invalid_token(TokenError::UnknownApiKey);
            }
            Err(reason) => {
                let mut denial = Denial::new(Cause::CheckerUnavailable);
                denial.retry_at = Some(now.plus_ms(RETRY_MS));
                denial.facts.operator_detail = Some(format!("directory of API keys: {reason}"));
                return self.deny(denial, None);
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
        memory.remember_caller(key, Rc::clone(&caller));
        self.check_burst(caller, memory, now)
    }

    /// Entitlements that the key itself leaves out, whatever the account has: no payment helps.
    pub(super) fn out_of_scope(
        &self,
        caller: &Caller,
        record: Option<&AccountRecord>,
    ) -> Option<Box<Denial>> {
        let key = key_of(caller, record).filter(|key| !key.scopes.is_empty())?;
        let missing: Vec<String> =
            self.requires().iter().filter(|one| !key.scopes.contains(one)).cloned().collect();
        if missing.is_empty() {
            return None;
        }
        let mut denial = Denial::new(Cause::NotForSale);
        denial.facts.missing = missing;
        denial.facts.is_beyond_scopes = true;
        denial.facts.operator_detail = Some(format!("the scopes of API key {} lack it", key.id));
        Some(Box::new(denial))
    }
}

/// Whether what the ledger said of the account may be older than the key: then it is to be asked
/// again, once.
pub(super) fn may_be_newer(caller: &Caller, view: &AccountView) -> bool {
    let record = view.snapshot.as_ref().and_then(|snapshot| snapshot.record.as_deref());
    match caller.credential {
        Credential::Token { .. } => false,
        Credential::Key { found_at, .. } => {
            view.told_at <= found_at && key_of(caller, record).is_none()
        }
    }
}

/// Why a key opens nothing, if it doesn't.
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

/// How long it is remembered whose a key is: that never changes.
const REMEMBER_MS: i64 = 10 * 60 * 1_000;
/// When callers are told to come back while the directory can't be asked.
const RETRY_MS: i64 = 2_000;
