//! One JSON Web Key (RFC 7517): which keys are usable, and for which algorithms.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::key_mistake::{KeyMistake, KeyProblem, KeyRingError};
use super::weak_keys::{has_roca_fingerprint, has_small_order, is_on_p256};
use super::{Algorithm, MAX_NAME_BYTES};

/// A key that signatures can be checked with.
#[derive(Clone, Eq, PartialEq)]
pub struct Key {
    /// Its name, by which tokens choose it.
    pub kid: Option<String>,
    /// Its uses: one algorithm, or two where an RSA key doesn't name one.
    pub algorithms: Vec<Algorithm>,
    /// The text to import into a crypto library: a JWK of the required members only, in a fixed
    /// form. Equal keys have equal text, so it can serve as the name of an imported key in a cache.
    /// Never private; for [`Algorithm::Hs256`] it is the secret itself, so never log it.
    pub jwk: String,
    /// The exact length of a signature by this key.
    pub(super) signature_bytes: usize,
}

/// Without the key itself, which may be a secret.
impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// The source of a set of keys, which decides what may be in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyRingKind {
    /// Fetched from the issuer: keys that aren't usable are skipped, since others use the set too.
    Fetched,
    /// From the operator, in a public place: every mistake is reported, secrets are refused.
    Inline,
    /// From the operator, in a secret binding: shared secrets are allowed as well.
    Secret,
    /// As [`Self::Secret`], and every key has to be one that signs; kinds may stand side by side,
    /// since nobody but the gate itself uses them.
    Signing,
}

impl Key {
    /// A shared secret as it is, which may be shorter than those of tokens: providers choose what
    /// their webhooks are signed with.
    pub(crate) fn of_secret(secret: &[u8]) -> Self {
        Self::of(Algorithm::Hs256, format!(r#"{{"k":"{}","kty":"oct"}}"#, encoded(secret)), 32)
    }

    /// A public key of Ed25519; `None` where anybody could sign under it.
    pub(crate) fn of_ed25519(public: &[u8]) -> Option<Self> {
        let public = public.try_into().ok().filter(|point| !has_small_order(point))?;
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encoded(&public));
        Some(Self::of(Algorithm::Ed25519, jwk, 64))
    }

    fn of(algorithm: Algorithm, jwk: String, signature_bytes: usize) -> Self {
        Self { kid: None, algorithms: vec![algorithm], jwk, signature_bytes }
    }

    /// Whether it is a shared secret, which readers of public keys must not see.
    pub(crate) fn is_secret(&self) -> bool {
        self.jwk.ends_with(r#""kty":"oct"}"#)
    }

    /// Reads a key, or says everything that is wrong with it.
    pub(super) fn read(jwk: &Map<String, Value>, kind: KeyRingKind) -> Result<Self, KeyRingError> {
        let mut mistakes = Vec::new();
        match kind {
            KeyRingKind::Signing => check_signing(jwk, &mut mistakes),
            KeyRingKind::Secret => check_use(jwk, &mut mistakes),
            KeyRingKind::Fetched | KeyRingKind::Inline => {
                check_use(jwk, &mut mistakes);
                check_private_members(jwk, &mut mistakes);
            }
        }
        let name = match jwk.get("kid") {
            None => None,
            Some(Value::String(name)) if name.len() <= MAX_NAME_BYTES => Some(name.clone()),
            Some(_) => {
                mistakes.push(KeyMistake::at("kid", KeyProblem::WrongName));
                None
            }
        };
        match Material::read(jwk, kind).and_then(|material| material.narrowed(jwk.get("alg"))) {
            Ok(material) if mistakes.is_empty() => Ok(Self {
                kid: name,
                algorithms: material.algorithms,
                jwk: material.jwk,
                signature_bytes: material.signature_bytes,
            }),
            Ok(_) => Err(KeyRingError(mistakes)),
            Err(mistake) => {
                mistakes.push(mistake);
                Err(KeyRingError(mistakes))
            }
        }
    }
}

/// The part of a key that is mathematics.
struct Material {
    algorithms: Vec<Algorithm>,
    jwk: String,
    signature_bytes: usize,
}

impl Material {
    fn read(jwk: &Map<String, Value>, kind: KeyRingKind) -> Result<Self, KeyMistake> {
        let is_private = matches!(kind, KeyRingKind::Secret | KeyRingKind::Signing);
        match jwk.get("kty").and_then(Value::as_str) {
            Some("EC") => Self::read_p256(jwk),
            Some("OKP") => Self::read_ed25519(jwk),
            Some("RSA") if kind != KeyRingKind::Signing => Self::read_rsa(jwk),
            Some("oct") if is_private => Self::read_hmac(jwk),
            Some("oct") => Err(KeyMistake::at("kty", KeyProblem::Secret)),
            _ => Err(wrong(
                "kty",
                jwk.get("kty"),
                match kind {
                    KeyRingKind::Signing => r#""OKP", "EC" or "oct""#,
                    KeyRingKind::Secret => r#""OKP", "EC", "RSA" or "oct""#,
                    KeyRingKind::Fetched | KeyRingKind::Inline => r#""OKP", "EC" or "RSA""#,
                },
            )),
        }
    }

    fn read_ed25519(jwk: &Map<String, Value>) -> Result<Self, KeyMistake> {
        expect_curve(jwk, "Ed25519")?;
        let (x, point) = coordinate(jwk, "x")?;
        if has_small_order(&point) {
            return Err(KeyMistake::at("x", KeyProblem::SmallOrder));
        }
        Ok(Self {
            algorithms: vec![Algorithm::Ed25519],
            jwk: format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            signature_bytes: 64,
        })
    }

    fn read_p256(jwk: &Map<String, Value>) -> Result<Self, KeyMistake> {
        expect_curve(jwk, "P-256")?;
        let ((x, x_bytes), (y, y_bytes)) = (coordinate(jwk, "x")?, coordinate(jwk, "y")?);
        if !is_on_p256(&x_bytes, &y_bytes) {
            return Err(KeyMistake::at("y", KeyProblem::NotOnCurve));
        }
        Ok(Self {
            algorithms: vec![Algorithm::Es256],
            jwk: format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            signature_bytes: 64,
        })
    }

    fn read_rsa(jwk: &Map<String, Value>) -> Result<Self, KeyMistake> {
        let modulus = unsigned(jwk, "n")?;
        let bits = bit_length(&modulus);
        if !RSA_BITS.contains(&bits) {
            return Err(KeyMistake::at("n", KeyProblem::WrongModulus(bits)));
        }
        let exponent = unsigned(jwk, "e")?;
        let is_odd = exponent.last().is_some_and(|byte| byte & 1 == 1);
        // With 1 everything is a valid signature; huge ones only cost time.
        if !is_odd || !(2..=32).contains(&bit_length(&exponent)) {
            return Err(KeyMistake::at("e", KeyProblem::WrongExponent));
        }
        if has_roca_fingerprint(&modulus) {
            return Err(KeyMistake::at("n", KeyProblem::Roca));
        }
        let (n, e) = (URL_SAFE_NO_PAD.encode(&modulus), URL_SAFE_NO_PAD.encode(&exponent));
        Ok(Self {
            algorithms: vec![Algorithm::Ps256, Algorithm::Rs256],
            jwk: format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            signature_bytes: modulus.len(),
        })
    }

    fn read_hmac(jwk: &Map<String, Value>) -> Result<Self, KeyMistake> {
        let secret = bytes(jwk, "k")?;
        // RFC 7518 §3.2: at least as long as the hash.
        if secret.len() < 32 {
            return Err(KeyMistake::at("k", KeyProblem::ShortSecret(secret.len())));
        }
        let k = URL_SAFE_NO_PAD.encode(&secret);
        Ok(Self {
            algorithms: vec![Algorithm::Hs256],
            jwk: format!(r#"{{"k":"{k}","kty":"oct"}}"#),
            signature_bytes: 32,
        })
    }

    /// Leaves what the key's own `alg` says, if it says something.
    fn narrowed(mut self, alg: Option<&Value>) -> Result<Self, KeyMistake> {
        let Some(alg) = alg else {
            return Ok(self);
        };
        let named = alg.as_str().and_then(Algorithm::from_name);
        if let Some(algorithm) = named.filter(|named| self.algorithms.contains(named)) {
            self.algorithms = vec![algorithm];
            return Ok(self);
        }
        let fitting: Vec<_> =
            self.algorithms.iter().map(|one| format!("\"{}\"", one.name())).collect();
        Err(wrong("alg", Some(alg), fitting.join(" or ")))
    }
}

fn check_use(jwk: &Map<String, Value>, mistakes: &mut Vec<KeyMistake>) {
    if let Some(found) = jwk.get("use").filter(|found| found.as_str() != Some("sig")) {
        mistakes.push(wrong("use", Some(found), "\"sig\""));
    }
    if let Some(operations) = jwk.get("key_ops") {
        let verify = |list: &Vec<Value>| list.iter().any(|one| one.as_str() == Some("verify"));
        if !operations.as_array().is_some_and(verify) {
            mistakes.push(KeyMistake::at("key_ops", KeyProblem::CantVerify));
        }
    }
}

/// Its `use` and `key_ops` are about signing, and nothing is verified by it here.
fn check_signing(jwk: &Map<String, Value>, mistakes: &mut Vec<KeyMistake>) {
    if jwk.get("kty").and_then(Value::as_str) != Some("oct") && decoded(jwk, "d").is_err() {
        mistakes.push(KeyMistake::at("d", KeyProblem::Public));
    }
}

fn check_private_members(jwk: &Map<String, Value>, mistakes: &mut Vec<KeyMistake>) {
    if let Some(name) = PRIVATE_MEMBERS.into_iter().find(|&name| jwk.contains_key(name)) {
        mistakes.push(KeyMistake::at(name, KeyProblem::Private));
    }
}

fn expect_curve(jwk: &Map<String, Value>, expected: &str) -> Result<(), KeyMistake> {
    let found = jwk.get("crv");
    if found.and_then(Value::as_str) == Some(expected) {
        return Ok(());
    }
    Err(wrong("crv", found, format!("\"{expected}\"")))
}

/// A member of exactly 32 bytes, as it is encoded and decoded.
fn coordinate<'a>(
    jwk: &'a Map<String, Value>,
    name: &str,
) -> Result<(&'a str, [u8; 32]), KeyMistake> {
    let (text, bytes) = decoded(jwk, name)?;
    let found = bytes.len();
    let bytes =
        bytes.try_into().map_err(|_| KeyMistake::at(name, KeyProblem::WrongBytes(found)))?;
    Ok((text, bytes))
}

/// A big-endian number without leading zeros, which RFC 7518 §6.3.1.1 forbids and some send.
fn unsigned(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyMistake> {
    let bytes = bytes(jwk, name)?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyMistake> {
    decoded(jwk, name).map(|(_, bytes)| bytes)
}

fn decoded<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<(&'a str, Vec<u8>), KeyMistake> {
    let text = jwk.get(name).and_then(Value::as_str);
    text.and_then(|text| Some((text, URL_SAFE_NO_PAD.decode(text).ok()?)))
        .ok_or_else(|| KeyMistake::at(name, KeyProblem::NotBase64))
}

/// The number of bits without leading zeros; `number` has no leading zero bytes.
fn bit_length(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(0))
}

/// A member that is never secret and has another value than the expected ones; it is cut short.
fn wrong(place: &str, found: Option<&Value>, expected: impl Into<Cow<'static, str>>) -> KeyMistake {
    let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let found = found.chars().take(40).collect();
    KeyMistake::at(place, KeyProblem::Wrong { found, expected: expected.into() })
}

/// Every member that makes a key private (RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Below is breakable (RFC 7518 §3.3), above costs more time than a request has.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
