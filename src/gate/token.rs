//! From a token to a verified caller.

use std::rc::Rc;

use super::case::{Halt, Turn};
use super::identify::{Candidate, Identified, Identify};
use super::memory::{Caller, Credential, KeysNeeded, Memory};
use super::step::{CallError, Errand, Need};
use crate::cause::Cause;
use crate::config::{Config, Issuer, IssuerIndex, KeySource};
use crate::decision::Denial;
use crate::identity::{Identity, union};
use crate::time::Timestamp;
use crate::token::{
    KeyRing, KeyRingError, KeyRingKind, SignatureCheck, TokenError, TokenIdentity, Unverified,
};

impl Turn<'_> {
    /// Cheap checks first: memory, then everything that needs no key, then the
    /// key, and the signature last.
    pub(super) fn check_token(&mut self, token: &str) -> Identified {
        let (config, now) = (self.case.config, self.case.now);
        if let Some(caller) = self.memory.caller(token, now) {
            if let Credential::Token { issuer, .. } = caller.credential {
                self.refresh_keys_if_due(issuer);
            }
            return Ok(caller);
        }
        let parsed = Unverified::parse(token).and_then(|unverified| {
            let iss = unverified.issuer().ok_or(TokenError::UnknownIssuer)?;
            let (index, issuer) = config.issuer(iss).ok_or(TokenError::UnknownIssuer)?;
            let expires_at = issuer.rules.check(&unverified, now)?;
            Ok((unverified, index, issuer, expires_at))
        });
        let (unverified, index, issuer, expires_at) =
            parsed.map_err(|error| self.invalid_token(error))?;
        let check = self.find_keys(index, issuer, &unverified)?;
        let generation = self.memory.key_set(index).map_or(0, |set| set.generation);
        let token = Rc::from(token);
        let candidate = Candidate { token, unverified, issuer: index, generation, expires_at };
        let place = Identify::Signature(Box::new(candidate));
        Err(Halt::Need(Need::VerifySignature(check), place))
    }

    pub(super) fn signature_verified(
        &mut self,
        candidate: Candidate,
        verdict: Result<bool, CallError>,
    ) -> Identified {
        match verdict {
            Ok(true) => {}
            Ok(false) => return Err(self.invalid_token(TokenError::BadSignature).into()),
            // The holder of a token can't help a key that is none: a point off its curve, say.
            Err(error) => {
                let detail = format!("a key can't be used: {}", error.reason());
                return Err(Halt::Fault(detail.into()));
            }
        }
        let Candidate { token, unverified, issuer, generation, expires_at } = candidate;
        let config = self.case.config;
        let Some(mapping) = config.issuer_at(issuer).map(|issuer| &issuer.mapping) else {
            return Err(Halt::fault("the issuer of a token is gone"));
        };
        let TokenIdentity { identity, token_id, issued_at } =
            mapping.read(unverified.claims()).map_err(|error| self.invalid_token(error))?;
        let caller = Rc::new(Caller {
            account: identity.account_name(),
            claimed: identity.entitlements.clone(),
            identity: Rc::new(with_plan(identity, config)),
            expires_at,
            credential: Credential::Token { issuer, generation, id: token_id, issued_at },
        });
        self.memory.remember_caller(token, Rc::clone(&caller));
        Ok(caller)
    }

    /// Takes over the key set for the token that was being checked.
    pub(super) fn keys_fetched(
        &mut self,
        issuer: IssuerIndex,
        body: Result<String, CallError>,
    ) -> Result<(), Halt<Identify>> {
        keys_refreshed(issuer, body, self.memory, self.case.now)
            .map_err(|error| self.keys_unavailable(issuer, &error.to_string()).into())
    }

    /// The keys that may have signed the token.
    fn find_keys(
        &mut self,
        index: IssuerIndex,
        issuer: &Issuer,
        unverified: &Unverified,
    ) -> Result<SignatureCheck, Halt<Identify>> {
        let deadline_ms = self.case.config.deadlines.jwks_ms;
        if let KeySource::Inline(ring) = &issuer.keys {
            let check = ring.signature_check(unverified);
            return check.map_err(|error| self.invalid_token(error).into());
        }
        let Some(set) = self.memory.key_set(index) else {
            return Err(Halt::fault("no room for an issuer's keys"));
        };
        let Some(ring) = set.ring.clone() else {
            let need = set.need_any(deadline_ms, self.case.now);
            return Err(self.get_keys(need, index, TokenError::UnknownKey));
        };
        match ring.signature_check(unverified) {
            Err(error @ TokenError::UnknownKey) => {
                let need = set.need_newer(deadline_ms, self.case.started_at, self.case.now);
                Err(self.get_keys(need, index, error))
            }
            Err(error) => Err(self.invalid_token(error).into()),
            Ok(check) => {
                self.refresh_keys_if_due(index);
                Ok(check)
            }
        }
    }

    /// Gets the keys, or denies: with `error` where there are no newer ones to be had.
    fn get_keys(
        &mut self,
        need: KeysNeeded,
        issuer: IssuerIndex,
        error: TokenError,
    ) -> Halt<Identify> {
        let most_waits = self.case.config.deadlines.jwks_ms.div_ceil(WAIT_MS);
        match need {
            KeysNeeded::Fetch => Halt::Need(Need::FetchKeys { issuer }, Identify::Keys { issuer }),
            KeysNeeded::Wait if self.notes.waits < most_waits => {
                self.notes.waits = self.notes.waits.saturating_add(1);
                Halt::Need(Need::Wait { for_ms: WAIT_MS }, Identify::OthersKeys)
            }
            KeysNeeded::GiveUp => self.invalid_token(error).into(),
            KeysNeeded::Unavailable | KeysNeeded::Wait => {
                self.keys_unavailable(issuer, "its last fetch failed").into()
            }
        }
    }

    fn refresh_keys_if_due(&mut self, issuer: IssuerIndex) {
        let config = self.case.config;
        let is_remote =
            config.issuer_at(issuer).is_some_and(|issuer| matches!(issuer.keys, KeySource::Url(_)));
        let (deadline_ms, now) = (config.deadlines.jwks_ms, self.case.now);
        let set = self.memory.key_set(issuer).filter(|_| is_remote);
        if set.is_some_and(|set| set.is_due(deadline_ms, now)) {
            self.notes.errands.push(Errand::RefreshKeys { issuer });
        }
    }

    /// Denies, even where the route passes requests during outages: without keys callers can't be
    /// told apart.
    fn keys_unavailable(&self, issuer: IssuerIndex, reason: &str) -> Box<Denial> {
        let issuer = self.case.config.issuer_at(issuer);
        let iss = issuer.map_or("?", |issuer| issuer.rules.issuer.as_str());
        let mut denial = Denial::new(Cause::CheckerUnavailable);
        denial.retry_at = Some(self.case.now.plus_ms(KEYS_RETRY_MS));
        denial.facts.operator_detail = Some(format!("no keys of issuer {iss}: {reason}"));
        self.case.deny_stranger(denial)
    }
}

/// Takes the body of [`Errand::RefreshKeys`] over; a failure keeps the last good set.
///
/// # Errors
///
/// The body's own, or that the set can't be used.
pub fn keys_refreshed(
    issuer: IssuerIndex,
    body: Result<String, CallError>,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<(), CallError> {
    let unreadable = |error: KeyRingError| CallError::Unreadable(error.to_string());
    let ring =
        body.and_then(|body| KeyRing::parse(&body, KeyRingKind::Fetched).map_err(unreadable));
    let (ring, result) = match ring {
        Ok(ring) => (Some(ring), Ok(())),
        Err(error) => (None, Err(error)),
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

/// Time after which callers should come back while an issuer's keys can't be had.
const KEYS_RETRY_MS: i64 = 2_000;
