//! The first stage of a request on a gated route: from its credential to a verified caller.

use std::rc::Rc;

use super::case::{Halt, Turn};
use super::memory::Caller;
use super::step::Outcome;
use crate::account::ApiKey;
use crate::cause::Cause;
use crate::config::IssuerIndex;
use crate::decision::Denial;
use crate::request::credential;
use crate::time::Timestamp;
use crate::token::{MAX_TOKEN_BYTES, TokenError, Unverified};

/// A place where this stage waits.
#[derive(Debug)]
pub(super) enum Identify {
    /// The owner of this API key.
    Owner(Rc<str>),
    /// The key set of this issuer.
    Keys {
        /// The issuer.
        issuer: IssuerIndex,
    },
    /// Another request, which fetches the keys.
    OthersKeys,
    /// The verification of a signature.
    Signature(Box<Candidate>),
}

/// A token whose signature is being verified. Nothing in it may be trusted yet.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) token: Rc<str>,
    pub(super) unverified: Unverified,
    pub(super) issuer: IssuerIndex,
    pub(super) generation: u32,
    pub(super) expires_at: Timestamp,
}

/// The sender of a request.
#[derive(Debug)]
pub(super) enum Sender {
    /// A verified caller.
    Caller(Rc<Caller>),
    /// A sender without a credential.
    Visitor,
}

/// A verified caller, or the need that comes before one.
pub(super) type Identified = Result<Rc<Caller>, Halt<Identify>>;

impl Turn<'_> {
    /// Finds the sender. A credential that this isolate verified before needs nothing.
    pub(super) fn identify(&mut self) -> Result<Sender, Halt<Identify>> {
        let facts = self.case.facts;
        let caller = match credential::find(&self.case.config.credentials, facts) {
            // Before anything looks at all of it.
            Some(found) if found.token.len() > MAX_TOKEN_BYTES => {
                return Err(self.invalid_token(TokenError::TooLarge).into());
            }
            Some(found) if found.token.starts_with(ApiKey::MARK) => self.check_key(found.token)?,
            Some(found) => self.check_token(found.token)?,
            None => return Ok(Sender::Visitor),
        };
        Ok(Sender::Caller(caller))
    }

    /// Goes on from a place of this stage, with the outcome that it has waited for.
    pub(super) fn resume_identify(
        &mut self,
        place: Identify,
        outcome: Outcome,
    ) -> Result<Sender, Halt<Identify>> {
        let caller = match place {
            Identify::Owner(key) => self.key_found(key, outcome.key_found()?)?,
            Identify::Keys { issuer } => {
                self.keys_fetched(issuer, outcome.keys_fetched()?)?;
                return self.identify();
            }
            Identify::OthersKeys => {
                outcome.waited()?;
                return self.identify();
            }
            Identify::Signature(candidate) => {
                self.signature_verified(*candidate, outcome.signature_verified()?)?
            }
        };
        Ok(Sender::Caller(caller))
    }

    pub(super) fn invalid_token(&self, error: TokenError) -> Box<Denial> {
        let mut denial = Denial::new(Cause::InvalidToken);
        denial.facts.token_error = Some(error);
        self.case.deny_stranger(denial)
    }
}
