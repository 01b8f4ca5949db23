//! What one isolate remembers between requests: all bounded, none of it authoritative.

mod key_set;

pub(super) use key_set::{KeySet, KeysNeeded};

use std::rc::Rc;

use super::outage::Outage;
use super::usage::Reads;
use crate::account::AccountRecord;
use crate::allowance::Watch;
use crate::bounded_map::{BoundedMap, Weight, text_bytes};
use crate::cause::QuotaState;
use crate::identity::Identity;
use crate::plan::Cost;
use crate::quota::{Holder, Merge, RefusalReason};
use crate::time::Timestamp;
use crate::wire;

/// The memory of one isolate. The runtime may throw it away at any time.
#[derive(Debug)]
pub struct Memory {
    tokens: BoundedMap<Rc<str>, Known>,
    /// Hashes of API keys that there are none of, and until when that is believed.
    unknown_keys: BoundedMap<String, Timestamp>,
    accounts: BoundedMap<String, AccountView>,
    key_sets: Vec<KeySet>,
    isolate: String,
    holders: u64,
    refund_ms: i64,
    forgotten: Vec<(String, Holder)>,
    /// What callers were told of their usage a moment ago.
    pub(super) reads: Reads,
    /// Whether the payment provider seems to be down.
    pub(super) outage: Outage,
    readers: Watch,
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
            reads: Reads::default(),
            outage: Outage::default(),
            readers: Watch::default(),
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
                self.key_sets.get(issuer)?.generation == generation
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

    /// Whether the directory has said a moment ago that there is no API key with this hash.
    pub(super) fn is_unknown_key(&self, hash: &str, now: Timestamp) -> bool {
        self.unknown_keys.get(hash).is_some_and(|until| now < *until)
    }

    pub(super) fn remember_unknown_key(&mut self, hash: String, now: Timestamp) {
        self.unknown_keys.insert(hash, now.plus_ms(UNKNOWN_KEY_MS), &mut |_, _| {});
    }

    pub(super) fn key_set(&mut self, issuer: usize) -> Option<&mut KeySet> {
        self.key_sets.get_mut(issuer)
    }

    pub(super) fn account(&self, name: &str) -> Option<&AccountView> {
        self.accounts.get(name)
    }

    /// The view of an account, if there is one.
    pub(super) fn known_account_mut(&mut self, name: &str) -> Option<&mut AccountView> {
        self.accounts.get_mut(name)
    }

    /// The view of an account, an empty one where there is none yet.
    pub(super) fn account_mut(&mut self, name: &str) -> Option<&mut AccountView> {
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
            self.accounts.insert(name.to_owned(), view, &mut forget);
        }
        self.accounts.get_mut(name)
    }

    /// The holders of accounts that had to make room. What they hold should go back.
    pub(super) fn take_forgotten(&mut self) -> Vec<(String, Holder)> {
        std::mem::take(&mut self.forgotten)
    }

    /// The readers without an account whose counts this isolate has seen.
    pub(super) fn readers(&mut self) -> &mut Watch {
        &mut self.readers
    }

    /// What a new reader's id is made from: never the same twice, anywhere.
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

/// A verified caller.
#[derive(Debug)]
pub(super) struct Caller {
    /// The account's name in the ledger.
    pub(super) account: String,
    /// Entitlements that the token itself claims.
    pub(super) claimed: Vec<String>,
    /// Who the caller is by the token and its plan alone.
    pub(super) identity: Rc<Identity>,
    /// When the token stops being valid, or the directory of API keys is to be asked again.
    pub(super) expires_at: Timestamp,
    /// What it was told by.
    pub(super) credential: Credential,
}

/// What a caller was told by.
#[derive(Debug)]
pub(super) enum Credential {
    /// A token.
    Token {
        /// Index of the issuer in the configuration.
        issuer: usize,
        /// Which key set verified it.
        generation: u32,
        /// The token's own id.
        id: Option<String>,
        /// When it was issued.
        issued_at: Option<Timestamp>,
    },
    /// An API key.
    Key {
        /// Its id in the account's record.
        id: String,
        /// When the directory said so.
        found_at: Timestamp,
    },
}

/// What is remembered about an account.
#[derive(Debug)]
pub(super) struct AccountView {
    /// Its units that this isolate holds.
    pub(super) holder: Holder,
    /// What the ledger said last.
    pub(super) snapshot: Option<Snapshot>,
    /// When it said so.
    pub(super) told_at: Timestamp,
    /// Until when the snapshot is good enough to decide by.
    pub(super) fresh_until: Timestamp,
    /// Refused meters, and until when they need not be asked for again.
    pub(super) refusals: Vec<Refused>,
    /// What its ledger has heard of callers who had read free pages before they signed in.
    merged: Vec<Merge>,
    weight: Weight,
}

/// The account as the ledger knows it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// `None` where the ledger has never heard of the account.
    pub(super) record: Option<Rc<AccountRecord>>,
}

/// What the ledger said when it refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) reason: RefusalReason,
    /// The quota that refused, as it stood.
    pub(super) quota: QuotaState,
    /// All quotas of what was wanted.
    pub(super) quotas: Vec<QuotaState>,
}

/// A want that the ledger refused.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// The meter that was in the way.
    pub(super) meter: String,
    /// Units that were asked for. A cheaper request may still pass, and a dearer one may be refused
    /// for a reason that no waiting helps against.
    pub(super) units: u64,
    /// Who asked: others may have room of their own.
    pub(super) member: Option<String>,
    /// On which plan, as far as the token says.
    pub(super) plan: Option<String>,
    pub(super) refusal: Rc<Refusal>,
    pub(super) until: Timestamp,
}

impl Refused {
    fn is_about(&self, cost: &Cost, caller: &Caller) -> bool {
        self.meter == cost.meter
            && self.units == cost.units
            && self.member.as_deref() == Some(caller.member())
            && self.plan == caller.identity.plan
    }
}

impl Caller {
    /// About how many bytes it takes. Entitlements are the most of it: a token may have 1,500.
    fn bytes(&self) -> usize {
        let Identity { tenant, account, subject, plan, entitlements } = &*self.identity;
        let id = match &self.credential {
            Credential::Token { id, .. } => id.as_deref(),
            Credential::Key { id, .. } => Some(id.as_str()),
        };
        let names = [tenant, subject, plan].into_iter().flatten().chain([account, &self.account]);
        let texts = names.chain(entitlements).chain(&self.claimed).map(String::as_str).chain(id);
        texts.map(text_bytes).fold(ENTRY_BYTES, usize::saturating_add)
    }

    /// Whose own count this is, where a plan counts each member: the token's subject.
    pub(super) fn member(&self) -> &str {
        self.identity.subject.as_deref().unwrap_or(&self.identity.account)
    }
}

impl AccountView {
    fn new(holder: Holder, mut weight: Weight) -> Self {
        weight.set(VIEW_BYTES);
        Self {
            holder,
            snapshot: None,
            told_at: Timestamp::default(),
            fresh_until: Timestamp::default(),
            refusals: Vec::new(),
            merged: Vec::new(),
            weight,
        }
    }

    /// Keeps the ledger's record of the account.
    pub(super) fn keep(&mut self, record: Option<Rc<AccountRecord>>) {
        let written = record.as_deref().map_or(0, |record| wire::encode(record).len());
        // Its texts with their pointers.
        self.weight.set(VIEW_BYTES.saturating_add(written.saturating_mul(3)));
        self.snapshot = Some(Snapshot { record });
    }

    /// The snapshot, if it is fresh.
    pub(super) fn fresh(&self, now: Timestamp) -> Option<Snapshot> {
        self.snapshot.clone().filter(|_| now < self.fresh_until)
    }

    /// The refusal that still covers one of these costs.
    pub(super) fn refusal(
        &self,
        costs: &[Cost],
        caller: &Caller,
        now: Timestamp,
    ) -> Option<Rc<Refusal>> {
        let covers = |refused: &&Refused| {
            now < refused.until && costs.iter().any(|cost| refused.is_about(cost, caller))
        };
        self.refusals.iter().find(covers).map(|refused| Rc::clone(&refused.refusal))
    }

    pub(super) fn remember_refusal(&mut self, refused: Refused, now: Timestamp) {
        self.refusals.retain(|other| now < other.until);
        self.refusals.insert(0, refused);
        self.refusals.truncate(MAX_REFUSALS);
    }

    /// Whether the ledger has heard of all of it.
    pub(super) fn has_merged(&self, merge: &Merge) -> bool {
        self.merged.iter().any(|other| other.name == merge.name && other.units >= merge.units)
    }

    pub(super) fn remember_merged(&mut self, merge: Merge) {
        self.merged.retain(|other| other.name != merge.name);
        self.merged.insert(0, merge);
        self.merged.truncate(MAX_MERGED);
    }
}

/// About 8 MB at a typical 1 KB a token.
const MAX_TOKENS: usize = 4_096;
/// Of an isolate's 128 MB. Somebody's large tokens take no more than that: 170 of the largest.
const MAX_TOKENS_BYTES: usize = 20 * MB;
/// Records have less than 1 KB as a rule, and 64 KB at most.
const MAX_ACCOUNTS_BYTES: usize = 20 * MB;
const MB: usize = 1_024 * 1_024;
/// A caller without its texts, and its place in the map.
const ENTRY_BYTES: usize = 400;
/// A view without its record: leases, refusals, and its place in the map.
const VIEW_BYTES: usize = 1_500;
/// Whoever makes up more of them has each one looked for.
const MAX_UNKNOWN_KEYS: usize = 1_024;
/// How long a key that there is none of is not looked for again: as long a new one may take.
const UNKNOWN_KEY_MS: i64 = 10_000;
const MAX_ACCOUNTS: usize = 4_096;
const MAX_REFUSALS: usize = 8;
/// Of one account: beyond that the ledger hears of it again, which changes nothing.
const MAX_MERGED: usize = 8;
