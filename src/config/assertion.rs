//! `ASSERTION_KEY`: the private keys that sign assertions about a caller for the origin.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use serde_json::{Value, json};

use super::Binding;
use super::fields::{ConfigReader, Expect};
use crate::strict_json;
use crate::token::{Key, KeyRing, KeyRingError, KeyRingKind};

/// Private keys. The first signs. Origins get the public halves of all, so that they accept
/// assertions by a former or a future key too. Debug output shows none of the keys.
#[derive(Clone, Debug)]
pub struct AssertionKeys {
    first: FirstKey,
    all: Vec<Rc<Key>>,
}

impl AssertionKeys {
    /// The private JWK that signs.
    pub fn first(&self) -> &str {
        &self.first.0
    }

    /// The public halves, for a key set (RFC 7517 §5). A shared secret has none.
    pub fn public(&self) -> Vec<Value> {
        let public = self.all.iter().filter(|key| !key.is_secret());
        public.filter_map(|key| public_half(key)).collect()
    }
}

/// A private JWK.
#[derive(Clone)]
struct FirstKey(String);

/// Debug output must not put a secret into a log.
impl fmt::Debug for FirstKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FirstKey(..)")
    }
}

/// Reads `ASSERTION_KEY`: private JWKs, or JWK Sets of them, apart by white space.
pub(super) fn read(reader: &ConfigReader<'_>) -> Option<AssertionKeys> {
    let keys = match reader.bindings().value("ASSERTION_KEY")? {
        Binding::Text(text) if text.trim().is_empty() => return None,
        Binding::Text(text) => read_keys(&text),
        Binding::Json(_) => Err(AssertionKeyError::NotText),
    };
    keys.map_err(|error| {
        let expect = Expect::new(
            "a private JWK: OKP Ed25519, EC P-256, or oct of at least 32 bytes; several, each \
             with a kid of its own, in a JWK Set or apart by spaces",
            "npm run keygen",
        );
        reader.mistake("ASSERTION_KEY", "", &error.to_string(), expect);
    })
    .ok()
}

/// The `alg` that a private JWK signs with, and its `kid`.
///
/// # Errors
///
/// The mistakes in the key, without any of its material.
pub fn signing_algorithm(jwk: &str) -> Result<(&'static str, Option<String>), AssertionKeyError> {
    let ring = KeyRing::parse(jwk, KeyRingKind::Signing).map_err(AssertionKeyError::Keys)?;
    let key = ring.keys().first().ok_or(AssertionKeyError::NoKey)?;
    let algorithm = key.algorithms.first().ok_or(AssertionKeyError::NoKey)?;
    Ok((algorithm.name(), key.kid.clone()))
}

/// The reason why nothing can be signed with a value of `ASSERTION_KEY`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AssertionKeyError {
    /// The value is no string.
    NotText,
    /// It is no JSON.
    NotJson,
    /// A key is wrong.
    Keys(KeyRingError),
    /// There is no key.
    NoKey,
    /// There are this many keys, which is too many.
    TooMany(usize),
    /// Several keys are not told apart by their names.
    SameName,
}

impl AssertionKeyError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotText => "not-text",
            Self::NotJson => "not-json",
            Self::Keys(error) => error.code(),
            Self::NoKey => "no-key",
            Self::TooMany(_) => "too-many",
            Self::SameName => "same-name",
        }
    }
}

/// The value, without any part of a key.
impl fmt::Display for AssertionKeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => formatter.write_str("something that isn't a string"),
            Self::NotJson => formatter.write_str("something that isn't JSON"),
            Self::Keys(error) => error.fmt(formatter),
            Self::NoKey => formatter.write_str("no key"),
            Self::TooMany(found) => {
                write!(formatter, "{found} keys, of which at most {MAX_KEYS} are taken")
            }
            Self::SameName => {
                formatter.write_str("several keys, and two of the same kid or one without")
            }
        }
    }
}

impl Error for AssertionKeyError {}

fn read_keys(text: &str) -> Result<AssertionKeys, AssertionKeyError> {
    let values = strict_json::parse_all(text).map_err(|_| AssertionKeyError::NotJson)?;
    let mut all = Vec::new();
    for value in &values {
        let ring = KeyRing::from_value(value, KeyRingKind::Signing);
        all.extend_from_slice(ring.map_err(AssertionKeyError::Keys)?.keys());
    }
    if all.len() > MAX_KEYS {
        return Err(AssertionKeyError::TooMany(all.len()));
    }
    let names = || all.iter().map(|key| key.kid.as_deref());
    let is_told_apart =
        |name: Option<&str>| name.is_some() && names().filter(|other| *other == name).count() == 1;
    if all.len() > 1 && !names().all(is_told_apart) {
        return Err(AssertionKeyError::SameName);
    }
    let first = values.first().map(|value| value.pointer("/keys/0").unwrap_or(value));
    let first = FirstKey(first.map(Value::to_string).unwrap_or_default());
    Ok(AssertionKeys { first, all })
}

fn public_half(key: &Key) -> Option<Value> {
    let mut public = strict_json::parse(&key.jwk).ok()?;
    let members = public.as_object_mut()?;
    members.insert("alg".to_owned(), key.algorithms.first()?.name().into());
    members.insert("use".to_owned(), "sig".into());
    if let Some(kid) = &key.kid {
        members.insert("kid".to_owned(), json!(kid));
    }
    Some(public)
}

/// The new one, and those before it.
const MAX_KEYS: usize = 4;
