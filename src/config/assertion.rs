//! `ASSERTION_KEY`: the private keys that sign assertions about a caller for the origin.

use std::rc::Rc;

use serde_json::{Value, json};

use super::Binding;
use super::fields::{ConfigReader, Expect};
use crate::strict_json;
use crate::token::{Key, KeyRing, KeyRingKind};

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
impl std::fmt::Debug for FirstKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FirstKey(..)")
    }
}

/// Reads `ASSERTION_KEY`: private JWKs, or JWK Sets of them, apart by white space.
pub(super) fn read(reader: &ConfigReader<'_>) -> Option<AssertionKeys> {
    let keys = match reader.bindings().value("ASSERTION_KEY")? {
        Binding::Text(text) if text.trim().is_empty() => return None,
        Binding::Text(text) => read_keys(&text),
        Binding::Json(_) => Err("something that isn't a string".to_owned()),
    };
    keys.map_err(|found| {
        let expect = Expect::new(
            "a private JWK: OKP Ed25519, EC P-256, or oct of at least 32 bytes; several, each \
             with a kid of its own, in a JWK Set or apart by spaces",
            "npm run keygen",
        );
        reader.mistake("ASSERTION_KEY", "", &found, expect);
    })
    .ok()
}

/// The `alg` that a private JWK signs with, and its `kid`.
///
/// # Errors
///
/// The mistakes in the key, without any of its material.
pub fn signing_algorithm(jwk: &str) -> Result<(&'static str, Option<String>), String> {
    let ring = KeyRing::parse(jwk, KeyRingKind::Signing).map_err(|found| found.join("; "))?;
    let key = ring.keys().first().ok_or("no key")?;
    let algorithm = key.algorithms.first().ok_or("no algorithm")?;
    Ok((algorithm.name(), key.kid.clone()))
}

fn read_keys(text: &str) -> Result<AssertionKeys, String> {
    let values = strict_json::parse_all(text).map_err(|_| "something that isn't JSON")?;
    let mut all = Vec::new();
    for value in &values {
        let ring = KeyRing::from_value(value, KeyRingKind::Signing);
        all.extend_from_slice(ring.map_err(|found| found.join("; "))?.keys());
    }
    if all.len() > MAX_KEYS {
        return Err(format!("{} keys, of which at most {MAX_KEYS} are taken", all.len()));
    }
    let names = || all.iter().map(|key| key.kid.as_deref());
    let is_told_apart =
        |name: Option<&str>| name.is_some() && names().filter(|other| *other == name).count() == 1;
    if all.len() > 1 && !names().all(is_told_apart) {
        return Err("several keys, and two of the same kid or one without".to_owned());
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
