//! The caller: a token that was given, or one that stands in for it.

use std::rc::Rc;

use serde_json::{Map, Value, json};
use tollgate::config::{Config, Issuer, KeySource, SubscriptionSource};
use tollgate::time::Timestamp;
use tollgate::token::{Algorithm, Key, Unverified};

use super::Explain;
use crate::commands::Failure;
use crate::commands::crypto::encoded;
use crate::commands::mint::put_at;
use crate::commands::remote::AccountArgument;

/// A token for the account that `--as` names. Only the explanation takes it for signed.
pub(super) fn stand_in(
    explain: &Explain,
    config: &Config,
    now: Timestamp,
) -> Result<String, Failure> {
    let issuer = issuer_for(explain, config)?;
    let name = explain.caller.clone().unwrap_or_else(AccountArgument::nobody_known);
    let (tenant, account) = (name.name().tenant(), name.name().account());
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), issuer.rules.issuer.clone().into());
    claims.insert("aud".to_owned(), json!(issuer.rules.audiences.first()));
    claims.insert("iat".to_owned(), now.as_seconds().into());
    claims.insert("exp".to_owned(), now.plus_seconds(60).as_seconds().into());
    let listed = (!explain.entitlement.is_empty()).then(|| json!(explain.entitlement));
    let mapping = &issuer.mapping;
    for (option, path, value) in [
        ("as", Some(&mapping.account), Some(json!(account))),
        ("as TENANT/ACCOUNT", mapping.tenant.as_ref(), tenant.map(|tenant| json!(tenant))),
        ("plan", mapping.plan.as_ref(), explain.plan.as_ref().map(|plan| json!(plan))),
        ("entitlement", mapping.entitlements.as_ref(), listed),
    ] {
        let Some(value) = value else { continue };
        let unread = || Failure::usage(format!("--{option}: tokens of this issuer don't say that"));
        put_at(&mut claims, &path.ok_or_else(unread)?.0, value)
            .map_err(|taken| Failure::usage(format!("--{option}: {taken} stands there already")))?;
    }
    let typ = issuer.rules.typ.as_deref().unwrap_or("JWT");
    let (header, bytes) = match &issuer.keys {
        KeySource::Inline(ring) => fitting_header(ring.keys(), typ),
        KeySource::Url(_) => (json!({ "alg": "Ed25519", "typ": typ }), 64),
    };
    let part = |part: &Value| encoded(part.to_string().as_bytes());
    Ok(format!("{}.{}.{}", part(&header), part(&json!(claims)), encoded(&vec![0; bytes])))
}

/// The first issuer with tokens that fit the given facts of the account.
fn issuer_for<'a>(explain: &Explain, config: &'a Config) -> Result<&'a Issuer, Failure> {
    let reads_record = |issuer: &&Issuer| issuer.subscription != SubscriptionSource::Token;
    let by_record = config.issuers.iter().find(reads_record).filter(|_| explain.account.is_some());
    let issuer = by_record.or(config.issuers.first());
    issuer.ok_or_else(|| Failure::usage("nobody has a token: the configuration has no ISSUERS"))
}

/// A header that the first of the keys is meant by, and the length of its signatures.
fn fitting_header(keys: &[Rc<Key>], typ: &str) -> (Value, usize) {
    let Some(key) = keys.first() else { return (json!({}), 64) };
    let algorithm = key.algorithms.first().copied().unwrap_or(Algorithm::Ed25519);
    let jwk: Value = serde_json::from_str(&key.jwk).unwrap_or_default();
    let modulus = jwk.get("n").and_then(Value::as_str).unwrap_or_default();
    let bytes = match algorithm {
        Algorithm::Ed25519 | Algorithm::Es256 => 64,
        Algorithm::Hs256 => 32,
        Algorithm::Ps256 | Algorithm::Rs256 => modulus.len().saturating_mul(3).div_euclid(4),
    };
    let header = match &key.kid {
        Some(kid) => json!({ "alg": algorithm.name(), "kid": kid, "typ": typ }),
        None => json!({ "alg": algorithm.name(), "typ": typ }),
    };
    (header, bytes)
}

/// A published point of P-256 (FIPS 186-4 §D.1.2.3).
const GENERATOR: (&str, &str) =
    ("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU");

/// A key set that this token could be of, for an issuer whose keys are elsewhere.
pub(super) fn stand_in_keys(token: &str) -> Result<String, String> {
    let unverified = Unverified::parse(token).map_err(|error| error.describe().to_owned())?;
    let kid = unverified.key_id();
    // Any numbers that make a key: nothing is ever verified with them.
    let number = encoded(&[0x55; 32]);
    let mut key = match Algorithm::from_name(unverified.algorithm_name()) {
        Some(Algorithm::Ed25519) => json!({ "kty": "OKP", "crv": "Ed25519", "x": number }),
        Some(Algorithm::Es256) => {
            json!({ "kty": "EC", "crv": "P-256", "x": GENERATOR.0, "y": GENERATOR.1 })
        }
        Some(Algorithm::Ps256 | Algorithm::Rs256) => {
            let modulus = vec![0xff; unverified.signature().len()];
            json!({ "kty": "RSA", "n": encoded(&modulus), "e": "AQAB" })
        }
        _ => return Err("no public key has this algorithm".to_owned()),
    };
    if let (Some(kid), Value::Object(key)) = (kid, &mut key) {
        key.insert("kid".to_owned(), kid.into());
    }
    Ok(json!({ "keys": [key] }).to_string())
}
