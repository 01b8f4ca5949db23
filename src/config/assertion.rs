//! `ASSERTION_KEY`: the private keys that sign what the origin is told about a caller.

use serde_json::{Map, Value};

use super::Binding;
use super::fields::{Expect, Reader};
use crate::strict_json;
use crate::token::{KeyRing, KeyRingKind};

/// Private JWKs: the first signs; origins are shown the public halves of all, so that they take
/// what the others have signed, or are going to sign.
#[derive(Clone, Eq, PartialEq)]
pub struct AssertionKeys {
    jwks: Vec<Map<String, Value>>,
    first: String,
}

impl AssertionKeys {
    /// The JWK that signs.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// The public halves, for a key set (RFC 7517 §5). A shared secret has none.
    pub fn public(&self) -> Vec<Value> {
        self.jwks.iter().filter_map(public_half).collect()
    }
}

/// A secret must not get into a log by way of what holds it.
impl std::fmt::Debug for AssertionKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AssertionKeys(..)")
    }
}

/// Reads `ASSERTION_KEY`: private JWKs, or a JWK Set of them, apart by white space.
pub(super) fn read(reader: &Reader<'_>) -> Option<AssertionKeys> {
    let found = match reader.bindings().value("ASSERTION_KEY")? {
        Binding::Text(text) if text.trim().is_empty() => return None,
        Binding::Text(text) => text,
        Binding::Json(_) => {
            reader.mistake("ASSERTION_KEY", "", "something that isn't a string", EXPECT);
            return None;
        }
    };
    let keys = read_keys(&found);
    if let Err(mistake) = &keys {
        reader.mistake("ASSERTION_KEY", "", mistake, EXPECT);
    }
    keys.ok()
}

/// The `alg` that a private JWK signs with, and its `kid`.
///
/// # Errors
///
/// What was found instead, without any of the key's material.
pub fn signing_algorithm(jwk: &str) -> Result<(&'static str, Option<String>), String> {
    let value = strict_json::parse(jwk).map_err(|_| "something that isn't JSON".to_owned())?;
    let jwk = value.as_object().ok_or("JSON that is no JWK")?;
    let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
    algorithm_of(jwk).map(|algorithm| (algorithm, kid))
}

fn read_keys(text: &str) -> Result<AssertionKeys, String> {
    let values = strict_json::parse_all(text).map_err(|_| "something that isn't JSON")?;
    let mut jwks = Vec::new();
    for value in values {
        match value {
            Value::Object(mut set) if set.contains_key("keys") => match set.remove("keys") {
                Some(Value::Array(items)) => jwks.extend(items),
                _ => return Err("a JWK Set whose keys are no list".to_owned()),
            },
            other => jwks.push(other),
        }
    }
    let count = jwks.len();
    let jwks: Option<Vec<Map<String, Value>>> = jwks
        .into_iter()
        .map(|jwk| if let Value::Object(jwk) = jwk { Some(jwk) } else { None })
        .collect();
    let jwks = jwks.ok_or("JSON that is no JWK")?;
    for (index, jwk) in jwks.iter().enumerate() {
        check_key(jwk).map_err(|found| match count {
            1 => found,
            _ => format!("{found} (key {} of {count})", index.saturating_add(1)),
        })?;
    }
    let names: Vec<_> = jwks.iter().map(|jwk| jwk.get("kid").and_then(Value::as_str)).collect();
    for (index, name) in names.iter().enumerate() {
        if count > 1
            && (name.is_none()
                || names.iter().skip(index.saturating_add(1)).any(|other| other == name))
        {
            return Err("several keys, and two of the same kid or one without".to_owned());
        }
    }
    if count > MAX_KEYS {
        return Err(format!("{count} keys, of which at most {MAX_KEYS} are taken"));
    }
    let first = jwks.first().ok_or("a JWK Set without keys")?;
    let first = serde_json::to_string(first).unwrap_or_default();
    Ok(AssertionKeys { jwks, first })
}

/// Whether it can sign, and its public half is one that an origin can believe.
fn check_key(jwk: &Map<String, Value>) -> Result<(), String> {
    let algorithm = algorithm_of(jwk)?;
    let mut verifying = jwk.clone();
    // It is not for verifying, and says so.
    for member in ["use", "key_ops", "alg"] {
        verifying.remove(member);
    }
    let ring = KeyRing::from_value(&Value::Object(verifying), KeyRingKind::Secret);
    ring.map_err(|mistakes| format!("a JWK that can't be right: {}", mistakes.join("; ")))?;
    let named = jwk.get("alg").and_then(Value::as_str);
    let is_meant = match (algorithm, named) {
        (_, None) | ("Ed25519", Some("EdDSA")) => true,
        (algorithm, Some(named)) => algorithm == named,
    };
    if is_meant { Ok(()) } else { Err("a JWK for another algorithm than its kind".to_owned()) }
}

fn algorithm_of(jwk: &Map<String, Value>) -> Result<&'static str, String> {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    let has_private_part = member("d").is_some();
    match (member("kty"), member("crv")) {
        (Some("OKP"), Some("Ed25519")) if has_private_part => Ok("Ed25519"),
        (Some("EC"), Some("P-256")) if has_private_part => Ok("ES256"),
        (Some("oct"), _) if member("k").is_some_and(|k| k.len() >= MIN_OCT_CHARS) => Ok("HS256"),
        (Some("OKP" | "EC"), _) if !has_private_part => Err("a public key".to_owned()),
        (Some("oct"), _) => Err("an oct key that is too short".to_owned()),
        _ => Err("a JWK of another kind".to_owned()),
    }
}

fn public_half(jwk: &Map<String, Value>) -> Option<Value> {
    let algorithm = algorithm_of(jwk).ok().filter(|algorithm| *algorithm != "HS256")?;
    let mut public = jwk.clone();
    public.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y" | "kid"));
    public.insert("alg".to_owned(), algorithm.into());
    public.insert("use".to_owned(), "sig".into());
    Some(Value::Object(public))
}

const EXPECT: Expect<'static> = Expect::new(
    "a private JWK: OKP Ed25519, EC P-256, or oct of at least 32 bytes; several, each with a kid \
     of its own, in a JWK Set or apart by spaces",
    "npm run keygen",
);

/// 32 bytes in base64url.
const MIN_OCT_CHARS: usize = 43;
/// The new one, and those before it.
const MAX_KEYS: usize = 4;
