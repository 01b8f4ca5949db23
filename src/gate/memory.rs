//! The memory of one isolate between requests: all of it bounded, none of it authoritative.

mod account_view;
mod caller;
mod key_set;
mod provider_health;
mod usage_cache;

pub(super) use account_view::{AccountView, LedgerRefusal, Snapshot};
pub(super) use caller::{Caller, Credential};
pub(super) use key_set::{KeySet, KeysNeeded};
pub(super) use provider_health::ProviderHealth;
pub(super) use usage_cache::{KEEP_MS as USAGE_KEEP_MS, UsageCache, UsageKey, UsageRead};

use std::rc::Rc;

use crate::allowance::ReaderMemory;
use crate::bounded_map::{BoundedMap, Weight, text_bytes};
use crate::config::IssuerIndex;
use crate::identity::AccountName;
use crate::quota::Holder;
use crate::time::Timestamp;

/// The memory of one isolate. The runtime may throw it away at any time.
#[derive(Debug)]
pub struct Memory {
    tokens: BoundedMap<Rc<str>, Known>,
    /// Hashes of API keys that don't exist, each with the time until which that is taken for true.
    unknown_keys: BoundedMap<String, Timestamp>,
    accounts: BoundedMap<AccountName, AccountView>,
    /// By [`IssuerIndex`].
    key_sets: Vec<KeySet>,
    isolate: String,
    holders: u64,
    refund_ms: i64,
    forgotten: Vec<(AccountName, Holder)>,
    /// Usage that was read a moment ago.
    pub(super) usage: UsageCache,
    /// Whether the payment provider seems to be down.
    pub(super) outage: ProviderHealth,
    readers: ReaderMemory,
    readers_started: u64,
}

impl Memory {
    /// An empty memory for `issuers` issuers. `isolate` names this isolate and must be unique; an
    /// origin has `origin_ms` to answer, so that long units may come back.
    pub fn new(issuers: usize, isolate: String, origin_ms: u32) -> Self {
        let key_sets = std::iter::repeat_with(KeySet::default).take(issuers).collect();
        Self {
            tokens: BoundedMap::weighed(MAX_TOKENS, MAX_TOKENS_BYTES),
            unknown_keys: BoundedMap::new(MAX_UNKNOWN_KEYS),
            accounts: BoundedMap::weighed(MAX_ACCOUNTS, MAX_ACCOUNTS_BYTES),
            key_sets,
            isolate,
            holders: 0,
            refund_ms: i64::from(origin_ms),
            forgotten: Vec::new(),
            usage: UsageCache::default(),
            outage: ProviderHealth::default(),
            readers: ReaderMemory::default(),
            readers_started: 0,
        }
    }

    /// The caller behind a token that was verified before, is still valid, and was verified with
    /// a key set that still stands.
    pub(super) fn caller(&self, token: &str, now: Timestamp) -> Option<Rc<Caller>> {
        let Known { caller, .. } = self.tokens.get(token)?;
        let stands = match caller.credential {
            Credential::Key { .. } => true,
            Credential::Token { issuer, generation, .. } => {
                self.key_sets.get(issuer.get())?.generation == generation
            }
        };
        (stands && now < caller.expires_at).then(|| Rc::clone(caller))
    }

    pub(super) fn remember_caller(&mut self, token: Rc<str>, caller: Rc<Caller>) {
        let mut weight = self.tokens.weight();
        weight.set(caller.bytes().saturating_add(text_bytes(&token)));
        self.tokens.insert(token, Known { caller, _weight: weight }, &mut |_, _| {});
    }

    /// About how many bytes this holds of tokens and of accounts, which is bounded.
    pub fn bytes(&self) -> [usize; 2] {
        [self.tokens.bytes(), self.accounts.bytes()]
    }

    /// Whether the directory had no API key with this hash a moment ago.
    pub(super) fn is_unknown_key(&self, hash: &str, now: Timestamp) -> bool {
        self.unknown_keys.get(hash).is_some_and(|until| now < *until)
    }

    pub(super) fn remember_unknown_key(&mut self, hash: String, now: Timestamp) {
        self.unknown_keys.insert(hash, now.plus_ms(UNKNOWN_KEY_MS), &mut |_, _| {});
    }

    pub(super) fn key_set(&mut self, issuer: IssuerIndex) -> Option<&mut KeySet> {
        self.key_sets.get_mut(issuer.get())
    }

    pub(super) fn account(&self, name: &AccountName) -> Option<&AccountView> {
        self.accounts.get(name)
    }

    /// The view of an account, if there is one.
    pub(super) fn known_account_mut(&mut self, name: &AccountName) -> Option<&mut AccountView> {
        self.accounts.get_mut(name)
    }

    /// The view of an account, an empty one where there is none yet.
    pub(super) fn account_mut(&mut self, name: &AccountName) -> Option<&mut AccountView> {
        let forgotten = &mut self.forgotten;
        let mut forget = |name, view: AccountView| {
            if view.holder.may_hold() {
                forgotten.push((name, view.holder));
            }
        };
        // Records may have grown since.
        self.accounts.trim(&mut forget);
        if self.accounts.get(name).is_none() {
            // Each holder has a name of its own: its messages start again with the first number.
            self.holders = self.holders.saturating_add(1);
            let holder_name = format!("{}:{}", self.isolate, self.holders);
            let holder = Holder::new(&holder_name, self.refund_ms);
            let view = AccountView::new(holder, self.accounts.weight());
            self.accounts.insert(name.clone(), view, &mut forget);
        }
        self.accounts.get_mut(name)
    }

    /// The holders of accounts that had to make room. Their units should go back.
    pub(super) fn take_forgotten(&mut self) -> Vec<(AccountName, Holder)> {
        std::mem::take(&mut self.forgotten)
    }

    /// The readers without an account whose counts this isolate has seen.
    pub(super) fn readers(&mut self) -> &mut ReaderMemory {
        &mut self.readers
    }

    /// The seed of a new reader's id: never the same twice, anywhere.
    pub(super) fn next_reader_seed(&mut self) -> String {
        self.readers_started = self.readers_started.saturating_add(1);
        format!("{}:{}", self.isolate, self.readers_started)
    }
}

/// A remembered caller, and its weight in memory.
#[derive(Debug)]
struct Known {
    caller: Rc<Caller>,
    /// Counts until it is dropped.
    _weight: Weight,
}

/// About 8 MB at a typical 1 KB a token.
const MAX_TOKENS: usize = 4_096;
/// Of an isolate's 128 MB. Somebody's large tokens take no more than that: 170 of the largest.
const MAX_TOKENS_BYTES: usize = 20 * MB;
/// Records have less than 1 KB as a rule, and 64 KB at most.
const MAX_ACCOUNTS_BYTES: usize = 20 * MB;
const MB: usize = 1_024 * 1_024;
/// Of made-up keys beyond that, each is looked for.
const MAX_UNKNOWN_KEYS: usize = 1_024;
/// Time for which a missing key is not looked for again: a new one may take as long.
const UNKNOWN_KEY_MS: i64 = 10_000;
const MAX_ACCOUNTS: usize = 4_096;
