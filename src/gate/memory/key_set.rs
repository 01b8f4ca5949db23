//! The keys of an issuer that has them at a URL: when they are fetched, and how often at most.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::time::Timestamp;
use crate::token::KeyRing;

/// The keys of an issuer with a JWKS URL.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    /// The last good set, kept through failures.
    pub(crate) ring: Option<Rc<KeyRing>>,
    /// Rises when the set changes, so that tokens verified by a removed key are checked again.
    pub(crate) generation: u32,
    fresh_until: Timestamp,
    retry_at: Timestamp,
    fetching_until: Timestamp,
    unknown_key_fetches: VecDeque<Timestamp>,
}

/// The next step for keys that are not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeysNeeded {
    /// Fetch them now.
    Fetch,
    /// Do without: they are as new as they get, or were fetched too often.
    GiveUp,
    /// They can't be had: the last fetch failed a moment ago.
    Unavailable,
    /// Another request is fetching them. Its promise can't be awaited (the runtime would cancel
    /// it), so look again in a moment.
    Wait,
}

impl KeySet {
    /// The next step where no key set is there at all.
    pub(crate) fn need_any(&mut self, deadline_ms: u32, now: Timestamp) -> KeysNeeded {
        if now < self.fetching_until {
            KeysNeeded::Wait
        } else if now < self.retry_at {
            KeysNeeded::Unavailable
        } else {
            self.begin(deadline_ms, now)
        }
    }

    /// The next step for a token whose key is not in the set: the issuer may have rotated its keys,
    /// or somebody makes up key ids to have us fetch. A set that was fetched since the request
    /// began is not fetched again for it.
    pub(crate) fn need_newer(
        &mut self,
        deadline_ms: u32,
        started_at: Timestamp,
        now: Timestamp,
    ) -> KeysNeeded {
        if self.fresh_until >= started_at.plus_ms(KEYS_FRESH_MS) {
            return KeysNeeded::GiveUp;
        }
        if now < self.fetching_until {
            return KeysNeeded::Wait;
        }
        if now < self.retry_at {
            return KeysNeeded::Unavailable;
        }
        self.unknown_key_fetches.retain(|at| now.ms_since(*at) < UNKNOWN_KEY_PERIOD_MS);
        if self.unknown_key_fetches.len() >= UNKNOWN_KEY_FETCHES {
            return KeysNeeded::GiveUp;
        }
        self.unknown_key_fetches.push_back(now);
        self.begin(deadline_ms, now)
    }

    /// Whether the set should be fetched again in the background; marks it as being fetched.
    pub(crate) fn is_due(&mut self, deadline_ms: u32, now: Timestamp) -> bool {
        let is_due = now >= self.fresh_until && now >= self.retry_at && now >= self.fetching_until;
        is_due && self.begin(deadline_ms, now) == KeysNeeded::Fetch
    }

    /// Takes a fetched set over; a failure keeps the last good one.
    pub(crate) fn fetched(&mut self, ring: Option<KeyRing>, now: Timestamp) {
        self.fetching_until = Timestamp::default();
        let Some(ring) = ring else {
            self.retry_at = now.plus_ms(KEYS_RETRY_MS);
            return;
        };
        if self.ring.as_deref() != Some(&ring) {
            self.generation = self.generation.wrapping_add(1);
            self.ring = Some(Rc::new(ring));
        }
        self.fresh_until = now.plus_ms(KEYS_FRESH_MS);
    }

    fn begin(&mut self, deadline_ms: u32, now: Timestamp) -> KeysNeeded {
        self.fetching_until = now.plus_ms(i64::from(deadline_ms));
        KeysNeeded::Fetch
    }
}

/// Time for which a key set is used without asking again.
const KEYS_FRESH_MS: i64 = 5 * 60 * 1_000;
/// Time for which a failed fetch is not repeated.
const KEYS_RETRY_MS: i64 = 5_000;
/// At most this many fetches for unknown key ids …
const UNKNOWN_KEY_FETCHES: usize = 3;
/// … in this time.
const UNKNOWN_KEY_PERIOD_MS: i64 = 60_000;
