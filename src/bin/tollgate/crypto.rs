//! Keys that sign, and the check of signatures, with `ring`: what WebCrypto does for the Worker.

mod verify;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use ring::{hmac, signature};
use serde_json::{Map, Value, json};
use tollgate::strict_json;

pub(crate) use verify::verify;

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KeyKind {
    #[value(name = "ed25519", alias = "eddsa", alias = "EdDSA", alias = "Ed25519")]
    Ed25519,
    #[value(name = "es256", alias = "ES256")]
    Es256,
    #[value(name = "hs256", alias = "HS256")]
    Hs256,
}

/// A private key as a JWK (RFC 7517).
pub(crate) struct PrivateKey {
    jwk: Map<String, Value>,
    signer: Signer,
}

enum Signer {
    Ed25519(Ed25519KeyPair),
    Es256(Box<EcdsaKeyPair>),
    Hs256(hmac::Key),
}

impl PrivateKey {
    /// A new key with a random name.
    pub(crate) fn generate(kind: KeyKind) -> Result<Self, String> {
        let name = random_text(6)?;
        let jwk = match kind {
            KeyKind::Ed25519 => {
                let seed = random::<32>()?;
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(text)?;
                let x = encoded(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": name, "x": x, "d": encoded(&seed) })
            }
            KeyKind::Es256 => generate_p256(&name)?,
            KeyKind::Hs256 => json!({ "kty": "oct", "kid": name, "k": random_text(32)? }),
        };
        Self::from_jwk(jwk)
    }

    /// Reads a private JWK.
    ///
    /// The reason names the thing that was found instead, and nothing of the key.
    pub(crate) fn parse(jwk: &str) -> Result<Self, String> {
        let value = strict_json::parse(jwk).map_err(|_| {
            let hint = if jwk.contains("-----BEGIN") { " (this is PEM)" } else { "" };
            format!("expected a private JWK{hint}, such as `tollgate keygen` prints")
        })?;
        Self::from_jwk(value)
    }

    fn from_jwk(value: Value) -> Result<Self, String> {
        let Value::Object(jwk) = value else { return Err("expected a JWK, an object".to_owned()) };
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let signer = match (member("kty"), member("crv")) {
            (Some("OKP"), Some("Ed25519")) => {
                let (d, x) = (bytes(&jwk, "d")?, bytes(&jwk, "x")?);
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x).map_err(text)?;
                Signer::Ed25519(pair)
            }
            (Some("EC"), Some("P-256")) => {
                let point = point(&bytes(&jwk, "x")?, &bytes(&jwk, "y")?);
                let (d, random) = (bytes(&jwk, "d")?, SystemRandom::new());
                let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(alg, &d, &point, &random);
                Signer::Es256(Box::new(pair.map_err(text)?))
            }
            (Some("oct"), _) => {
                let k = bytes(&jwk, "k")?;
                if k.len() < 32 {
                    return Err(format!("its k has {} bytes, expected at least 32", k.len()));
                }
                Signer::Hs256(hmac::Key::new(hmac::HMAC_SHA256, &k))
            }
            (kty, crv) => {
                let found: Vec<_> = [kty, crv].into_iter().flatten().collect();
                let expected = "OKP Ed25519, EC P-256 or oct, as `tollgate keygen` makes them";
                return Err(format!("a key of kind {:?}; expected {expected}", found.join(" ")));
            }
        };
        Ok(Self { jwk, signer })
    }

    /// The `alg` of a token that it signs.
    pub(crate) const fn alg(&self) -> &'static str {
        match self.signer {
            // The older name of RFC 8037: more libraries know it than RFC 9864's.
            Signer::Ed25519(_) => "EdDSA",
            Signer::Es256(_) => "ES256",
            Signer::Hs256(_) => "HS256",
        }
    }

    /// Its name.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.jwk.get("kid").and_then(Value::as_str)
    }

    /// The whole of it.
    pub(crate) fn private_jwk(&self) -> Value {
        Value::Object(self.jwk.clone())
    }

    /// The key that a gate checks its signatures with. For HMAC that is the secret itself.
    pub(crate) fn verifying_jwk(&self) -> Value {
        let mut jwk = self.jwk.clone();
        jwk.remove("d");
        Value::Object(jwk)
    }

    /// Whether its signatures can be made with the key that checks them.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.signer, Signer::Hs256(_))
    }

    /// Signs `message` as JWS wants it.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        Ok(match &self.signer {
            Signer::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Signer::Es256(pair) => {
                let signature: signature::Signature =
                    pair.sign(&SystemRandom::new(), message).map_err(text)?;
                signature.as_ref().to_vec()
            }
            Signer::Hs256(key) => hmac::sign(key, message).as_ref().to_vec(),
        })
    }
}

/// `bytes` random bytes in base64url.
pub(crate) fn random_text(bytes: usize) -> Result<String, String> {
    random_bytes(bytes).map(|found| encoded(&found))
}

/// Random bytes.
pub(crate) fn random_bytes(bytes: usize) -> Result<Vec<u8>, String> {
    let mut found = vec![0; bytes];
    SystemRandom::new().fill(&mut found).map_err(text)?;
    Ok(found)
}

/// In base64url without padding.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut found = [0; N];
    SystemRandom::new().fill(&mut found).map_err(text)?;
    Ok(found)
}

/// `ring` hands a new key out as PKCS #8 alone; its version 1 ends with `d`, five bytes that say
/// what follows, and the public point (RFC 5915, RFC 5480).
fn generate_p256(name: &str) -> Result<Value, String> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(text)?;
    let (rest, y) = document.as_ref().split_last_chunk::<32>().ok_or("no key was made")?;
    let (rest, x) = rest.split_last_chunk::<32>().ok_or("no key was made")?;
    let (rest, _) = rest.split_last_chunk::<6>().ok_or("no key was made")?;
    let (_, d) = rest.split_last_chunk::<32>().ok_or("no key was made")?;
    let [x, y, d] = [x, y, d].map(|part| encoded(part));
    Ok(json!({ "kty": "EC", "crv": "P-256", "kid": name, "x": x, "y": y, "d": d }))
}

/// A point of a curve as X9.62 writes it, uncompressed.
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let Some(found) = jwk.get(name).and_then(Value::as_str) else {
        let hint = if name == "d" {
            ": this is a public key, and signing needs the private one"
        } else {
            ""
        };
        return Err(format!("it has no {name}{hint}"));
    };
    URL_SAFE_NO_PAD.decode(found).map_err(|_| format!("its {name} is not base64url"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
