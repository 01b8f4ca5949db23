//! A set of keys (RFC 7517 §5), and the choice of the one that a token has to fit.

use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::key_mistake::{KeyMistake, KeyProblem, KeyRingError};
use super::{Algorithm, Key, KeyRingKind, TokenError, Unverified};
use crate::strict_json;

/// A set of keys of one issuer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyRing {
    keys: Vec<Rc<Key>>,
}

/// The signature to verify before a token may be trusted.
#[derive(Clone, PartialEq)]
pub struct SignatureCheck {
    /// The keys that come into question, 1 to [`MAX_CANDIDATES`]; one that fits is enough.
    pub keys: Vec<Rc<Key>>,
    /// The algorithm, allowed by every one of the keys.
    pub algorithm: Algorithm,
    /// The signed text; its bytes are what is verified.
    pub signed: String,
    /// The signature, of the right length for every one of the keys.
    pub signature: Vec<u8>,
}

/// Without what was signed: together with the signature it is a token that could be used.
impl fmt::Debug for SignatureCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignatureCheck")
            .field("keys", &self.keys)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Reads a JWK Set; from the operator also a single JWK.
    ///
    /// # Errors
    ///
    /// Every mistake with the place it stands at and what was expected. For
    /// [`KeyRingKind::Fetched`] only where nothing usable is left.
    pub fn parse(json: &str, kind: KeyRingKind) -> Result<Self, KeyRingError> {
        if json.len() > MAX_SET_BYTES {
            return Err(KeyRingError::of("", KeyProblem::TooLong(MAX_SET_BYTES)));
        }
        let value = strict_json::parse(json)
            .map_err(|error| KeyRingError::of("", KeyProblem::NotJson(error)))?;
        Self::from_value(&value, kind)
    }

    /// Like [`KeyRing::parse`], for JSON that was read (strictly) as part of something larger.
    ///
    /// # Errors
    ///
    /// As for [`KeyRing::parse`].
    pub fn from_value(value: &Value, kind: KeyRingKind) -> Result<Self, KeyRingError> {
        match value {
            Value::Object(set) if set.contains_key("keys") => Self::from_set(set, kind),
            Value::Object(jwk) if kind != KeyRingKind::Fetched => {
                Key::read(jwk, kind).map(|key| Self { keys: vec![Rc::new(key)] })
            }
            _ => Err(KeyRingError::of("", KeyProblem::NoSet)),
        }
    }

    /// The keys.
    pub fn keys(&self) -> &[Rc<Key>] {
        &self.keys
    }

    /// Chooses the keys that `unverified` has to fit: the one it names by `kid`, or without a
    /// `kid` all that are for its `alg`. A key without a `kid` is not chosen by a token that has
    /// one.
    ///
    /// # Errors
    ///
    /// [`TokenError::UnsupportedAlgorithm`] where the key (or every key) is for another `alg`;
    /// [`TokenError::UnknownKey`] where no key has this `kid`, so that fetching the set again may
    /// help; [`TokenError::BadSignature`] where the signature's length can't be right.
    pub fn signature_check(&self, unverified: &Unverified) -> Result<SignatureCheck, TokenError> {
        // Before the `kid`: a made-up `alg` must not cause a fetch.
        let algorithm = Algorithm::from_name(unverified.algorithm_name())
            .ok_or(TokenError::UnsupportedAlgorithm)?;
        let named = self.named(unverified.key_id())?;
        let allowed: Vec<_> =
            named.into_iter().filter(|key| key.algorithms.contains(&algorithm)).collect();
        if allowed.is_empty() {
            return Err(TokenError::UnsupportedAlgorithm);
        }
        let signature = unverified.signature();
        let keys = fitting(allowed, signature);
        if keys.is_empty() {
            return Err(TokenError::BadSignature);
        }
        Ok(SignatureCheck {
            keys,
            algorithm,
            signed: unverified.signed_text().to_owned(),
            signature: signature.to_owned(),
        })
    }

    /// The keys that may have made `signature`, over any text.
    #[cfg(feature = "drills")]
    pub fn keys_for(&self, algorithm: Algorithm, signature: &[u8]) -> Vec<Rc<Key>> {
        let allowed = self.keys.iter().filter(|key| key.algorithms.contains(&algorithm));
        fitting(allowed.collect(), signature)
    }

    fn named(&self, key_id: Option<&str>) -> Result<Vec<&Rc<Key>>, TokenError> {
        let Some(key_id) = key_id else {
            return Ok(self.keys.iter().collect());
        };
        let named: Vec<_> =
            self.keys.iter().filter(|key| key.kid.as_deref() == Some(key_id)).collect();
        if named.is_empty() { Err(TokenError::UnknownKey) } else { Ok(named) }
    }

    fn from_set(set: &Map<String, Value>, kind: KeyRingKind) -> Result<Self, KeyRingError> {
        let Some(Value::Array(items)) = set.get("keys") else {
            return Err(KeyRingError::of("keys", KeyProblem::NoList));
        };
        if items.is_empty() || items.len() > MAX_KEYS {
            let problem = KeyProblem::WrongCount { found: items.len(), most: MAX_KEYS };
            return Err(KeyRingError::of("keys", problem));
        }
        let mut keys: Vec<Rc<Key>> = Vec::new();
        let mut mistakes = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Value::Object(jwk) = item else {
                mistakes.push(KeyMistake::at("", KeyProblem::NoJwk).in_key(index));
                continue;
            };
            match Key::read(jwk, kind) {
                Ok(key) if kind != KeyRingKind::Fetched && keys.iter().any(|k| clash(k, &key)) => {
                    mistakes.push(KeyMistake::at("kid", KeyProblem::SameName).in_key(index));
                }
                Ok(key) => keys.push(Rc::new(key)),
                Err(KeyRingError(found)) => {
                    mistakes.extend(found.iter().map(|one| one.in_key(index)));
                }
            }
        }
        if matches!(kind, KeyRingKind::Inline | KeyRingKind::Secret) && is_mixed(&keys) {
            mistakes.push(KeyMistake::at("keys", KeyProblem::Mixed));
        }
        let is_usable = mistakes.is_empty() || kind == KeyRingKind::Fetched;
        if is_usable && !keys.is_empty() { Ok(Self { keys }) } else { Err(KeyRingError(mistakes)) }
    }
}

/// Those by whose kind a signature has this length.
fn fitting(keys: Vec<&Rc<Key>>, signature: &[u8]) -> Vec<Rc<Key>> {
    let fits = |key: &&Rc<Key>| key.signature_bytes == signature.len();
    keys.into_iter().filter(fits).take(MAX_CANDIDATES).cloned().collect()
}

/// Whether secrets stand among public keys. Publishing such a set would give the secrets away.
fn is_mixed(keys: &[Rc<Key>]) -> bool {
    let secret = keys.iter().filter(|key| key.is_secret()).count();
    secret != 0 && secret != keys.len()
}

/// Whether a token's `kid` and `alg` could mean either key.
fn clash(one: &Key, other: &Key) -> bool {
    one.kid.is_some()
        && one.kid == other.kid
        && one.algorithms.iter().any(|algorithm| other.algorithms.contains(algorithm))
}

/// The most keys that one token is tried against: each costs a verification.
pub const MAX_CANDIDATES: usize = 4;

/// The most keys in a set.
const MAX_KEYS: usize = 64;

/// The longest set.
const MAX_SET_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
