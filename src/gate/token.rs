//! From a token to a verified caller.

use std::rc::Rc;

use super::memory::{Caller, Credential, KeysNeeded, Memory};
use super::{Errand, Gate, Progress, Step};
use crate::cause::Cause;
use crate::config::{Config, Issuer, KeySource};
use crate::decision::Denial;
use crate::identity::{Identity, union};
use crate::time::Timestamp;
use crate::token::{KeyRing, KeyRingKind, SignatureCheck, TokenError, TokenIdentity, Unverified};

/// A token whose signature is being verified. Nothing in it may be believed yet.
#[derive(Debug)]
pub(super) struct Candidate {
    token: Rc<str>,
    unverified: Unverified,
    issuer: usize,
    generation: u32,
    expires_at: Timestamp,
}

impl Gate {
    /// Cheap checks first: what was verified before, then everything that needs no key, then the
    /// key, and the signature last.
    pub(super) fn check_token(&mut self, token: &str, memory: &mut Memory, now: Timestamp) -> Step {
        if let Some(caller) = memory.caller(token, now) {
            if let Credential::Token { issuer, .. } = caller.credential {
                self.refresh_keys_if_due(issuer, memory, now);
            }
            return self.check_burst(caller, memory, now);
        }
        let config = Rc::clone(&self.config);
        let parsed = Unverified::parse(token).and_then(|unverified| {
            let iss = unverified.issuer().ok_or(TokenError::UnknownIssuer)?;
            let (index, issuer) = config.issuer(iss).ok_or(TokenError::UnknownIssuer)?;
            let expires_at = issuer.rules.check(&unverified, now)?;
            Ok((unverified, index, issuer, expires_at))
        });
        let (unverified, index, issuer, expires_at) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return self.invalid_token(error),
        };
        let check = match self.find_keys(index, issuer, &unverified, memory, now) {
            Ok(check) => check,
            Err(step) => return *step,
        };
        let generation = memory.key_set(index).map_or(0, |set| set.generation);
        let token = Rc::from(token);
        let candidate = Candidate { token, unverified, issuer: index, generation, expires_at };
        self.progress = Progress::Signature(Box::new(candidate));
        Step::VerifySignature(check)
    }

    pub(super) fn signature_verified(
        &mut self,
        candidate: Candidate,
        verdict: Result<bool, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        match verdict {
            Ok(true) => {}
            Ok(false) => return self.invalid_token(TokenError::BadSignature),
            // Whoever holds a token can't help a key that is none: a point off its curve, say.
            Err(reason) => return self.misconfigured(&format!("a key can't be used: {reason}")),
        }
        let Candidate { token, unverified, issuer, generation, expires_at } = candidate;
        let config = Rc::clone(&self.config);
        let Some(mapping) = config.issuers.get(issuer).map(|issuer| &issuer.mapping) else {
            return self.misconfigured("the issuer of a token is gone");
        };
        let TokenIdentity { identity, token_id, issued_at } =
            match mapping.read(unverified.claims()) {
                Ok(found) => found,
                Err(error) => return self.invalid_token(error),
            };
        let caller = Rc::new(Caller {
            account: identity.account_name(),
            claimed: identity.entitlements.clone(),
            identity: Rc::new(with_plan(identity, &config)),
            expires_at,
            credential: Credential::Token { issuer, generation, id: token_id, issued_at },
        });
        memory.remember_caller(token, Rc::clone(&caller));
        self.check_burst(caller, memory, now)
    }

    /// The fetched key set is for the token that was being checked; look at it again.
    pub(super) fn keys_fetched(
        &mut self,
        issuer: usize,
        body: Result<String, String>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Step {
        match keys_refreshed(issuer, body, memory, now) {
            Ok(()) => self.check_credential(memory, now),
            Err(reason) => self.keys_unavailable(issuer, &reason, now),
        }
    }

    /// The keys that may have signed the token; `Err` is the step to take instead.
    fn find_keys(
        &mut self,
        index: usize,
        issuer: &Issuer,
        unverified: &Unverified,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Result<SignatureCheck, Box<Step>> {
        let deadline_ms = self.config.deadlines.jwks_ms;
        if let KeySource::Inline(ring) = &issuer.keys {
            return ring
                .signature_check(unverified)
                .map_err(|error| Box::new(self.invalid_token(error)));
        }
        let Some(set) = memory.key_set(index) else {
            return Err(Box::new(self.misconfigured("no room for an issuer's keys")));
        };
        let Some(ring) = set.ring.clone() else {
            let need = set.need_any(deadline_ms, now);
            let step = self.get_keys(need, index, now);
            return Err(Box::new(
                step.unwrap_or_else(|| self.invalid_token(TokenError::UnknownKey)),
            ));
        };
        match ring.signature_check(unverified) {
            Err(error @ TokenError::UnknownKey) => {
                let need = set.need_newer(deadline_ms, self.started_at, now);
                let step = self.get_keys(need, index, now);
                Err(Box::new(step.unwrap_or_else(|| self.invalid_token(error))))
            }
            Err(error) => Err(Box::new(self.invalid_token(error))),
            Ok(check) => {
                self.refresh_keys_if_due(index, memory, now);
                Ok(check)
            }
        }
    }

    /// The step that gets the keys or says that they can't be had; `None` to do without.
    fn get_keys(&mut self, need: KeysNeeded, issuer: usize, now: Timestamp) -> Option<Step> {
        match need {
            KeysNeeded::Fetch => {
                self.progress = Progress::Keys(issuer);
                Some(Step::FetchKeys { issuer })
            }
            KeysNeeded::Wait if self.waits < self.config.deadlines.jwks_ms.div_ceil(WAIT_MS) => {
                self.waits = self.waits.saturating_add(1);
                self.progress = Progress::Waiting;
                Some(Step::Wait { for_ms: WAIT_MS })
            }
            KeysNeeded::GiveUp => None,
            KeysNeeded::Unavailable | KeysNeeded::Wait => {
                Some(self.keys_unavailable(issuer, "its last fetch failed", now))
            }
        }
    }

    fn refresh_keys_if_due(&mut self, issuer: usize, memory: &mut Memory, now: Timestamp) {
        let is_remote = self
            .config
            .issuers
            .get(issuer)
            .is_some_and(|issuer| matches!(issuer.keys, KeySource::Url(_)));
        let deadline_ms = self.config.deadlines.jwks_ms;
        if is_remote && memory.key_set(issuer).is_some_and(|set| set.is_due(deadline_ms, now)) {
            self.errands.push(Errand::RefreshKeys { issuer });
        }
    }

    pub(super) fn invalid_token(&self, error: TokenError) -> Step {
        let mut denial = Denial::new(Cause::InvalidToken);
        denial.facts.token_error = Some(error);
        self.deny(denial, None)
    }

    /// Without keys nobody can be told apart, so this never passes, whatever the route says about
    /// outages.
    fn keys_unavailable(&self, issuer: usize, reason: &str, now: Timestamp) -> Step {
        let iss = self.config.issuers.get(issuer).map(|issuer| issuer.rules.issuer.as_str());
        let mut denial = Denial::new(Cause::CheckerUnavailable);
        denial.retry_at = Some(now.plus_ms(KEYS_RETRY_MS));
        denial.facts.operator_detail =
            Some(format!("no keys of issuer {}: {reason}", iss.unwrap_or("?")));
        self.deny(denial, None)
    }
}

/// Takes the body of [`Errand::RefreshKeys`] over; a failure keeps the last good set.
///
/// # Errors
///
/// Why the set can't be used, for the log.
pub fn keys_refreshed(
    issuer: usize,
    body: Result<String, String>,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<(), String> {
    let ring = body.and_then(|body| {
        KeyRing::parse(&body, KeyRingKind::Fetched).map_err(|reasons| reasons.join("; "))
    });
    let (ring, result) = match ring {
        Ok(ring) => (Some(ring), Ok(())),
        Err(reason) => (None, Err(reason)),
    };
    if let Some(set) = memory.key_set(issuer) {
        set.fetched(ring, now);
    }
    result
}

/// After how long a request looks again whether another one has fetched the keys; it gives up when
/// that fetch's own deadline has passed.
const WAIT_MS: u32 = 20;

/// Adds what the plan includes that the token names.
fn with_plan(mut identity: Identity, config: &Config) -> Identity {
    let plan = identity.plan.as_deref().and_then(|id| config.plan(id));
    let of_plan = plan.map_or(&[][..], |plan| &plan.entitlements);
    identity.entitlements = union([&identity.entitlements, of_plan]);
    identity
}
/// When callers are told to come back while an issuer's keys can't be had.
const KEYS_RETRY_MS: i64 = 2_000;
