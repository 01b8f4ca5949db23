//! Signatures, by WebCrypto: 2 to 19 times faster here than the same in WebAssembly.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::glue::resolved;
use crate::bounded_map::{BoundedMap, Weight, text_bytes};
use crate::config::signing_algorithm;
use crate::time::Timestamp;
use crate::token::{Algorithm, Key, SignatureCheck};

/// Verifies signatures; each key is imported once.
pub(super) struct Verifier {
    keys: RefCell<BoundedMap<String, (JsValue, Weight)>>,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { keys: RefCell::new(BoundedMap::weighed(MAX_KEYS, MAX_BYTES)) }
    }
}

impl Verifier {
    /// Whether one of the keys made the signature.
    ///
    /// # Errors
    ///
    /// None did, and WebCrypto refused one of them: what it said.
    pub(super) async fn verify(&self, check: &SignatureCheck) -> Result<bool, String> {
        let SignatureCheck { keys, algorithm, signed, signature } = check;
        self.verify_bytes(keys, *algorithm, signed.as_bytes(), signature).await
    }

    /// As [`Self::verify`], for any bytes.
    ///
    /// # Errors
    ///
    /// As there.
    pub(super) async fn verify_bytes(
        &self,
        keys: &[Rc<Key>],
        algorithm: Algorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<bool, String> {
        let parameters = parameters(algorithm.name());
        let (signature, signed) = (Uint8Array::from(signature), Uint8Array::from(signed));
        let mut verdict = Ok(false);
        for key in keys {
            let key = match self.import(&key.jwk, algorithm).await {
                Ok(key) => key,
                Err(reason) => {
                    verdict = Err(reason);
                    continue;
                }
            };
            let verified = resolved(verify(&parameters, &key, &signature, &signed)).await;
            if verified.is_ok_and(|verified| verified.is_truthy()) {
                return Ok(true);
            }
        }
        verdict
    }

    async fn import(&self, jwk: &str, algorithm: Algorithm) -> Result<JsValue, String> {
        let name = algorithm.name();
        let id = format!("{name}:{jwk}");
        let known = self.keys.borrow().get(&id).map(|(key, _)| key.clone());
        if let Some(key) = known {
            return Ok(key);
        }
        let key = import(jwk, name, "verify").await?;
        remember(&self.keys, id, 0, |weight| (key.clone(), weight));
        Ok(key)
    }
}

/// Signs assertions, and keeps each for half its life.
pub(super) struct Signer {
    key: RefCell<Option<JsValue>>,
    signed: RefCell<BoundedMap<String, (String, Timestamp, Weight)>>,
}

impl Default for Signer {
    fn default() -> Self {
        Self {
            key: RefCell::new(None),
            signed: RefCell::new(BoundedMap::weighed(MAX_ASSERTIONS, MAX_BYTES)),
        }
    }
}

impl Signer {
    /// The assertion that was signed for `subject` and is still good, if there is one.
    pub(super) fn known(&self, subject: &str, now: Timestamp) -> Option<String> {
        let signed = self.signed.borrow();
        let (token, until, _) = signed.get(subject)?;
        (now < *until).then(|| token.clone())
    }

    /// Signs `claims` with the private JWK `jwk`, and remembers it for `subject` until `until`.
    ///
    /// # Errors
    ///
    /// WebCrypto's reason for refusing the key.
    pub(super) async fn sign(
        &self,
        jwk: &str,
        subject: String,
        claims: &str,
        until: Timestamp,
    ) -> Result<String, String> {
        let (algorithm, kid) = signing_algorithm(jwk).map_err(|error| error.to_string())?;
        let known = self.key.borrow().clone();
        let key = match known {
            Some(key) => key,
            None => import(jwk, algorithm, "sign").await?,
        };
        *self.key.borrow_mut() = Some(key.clone());
        let header = JwsHeader { alg: algorithm, typ: "JWT", kid: kid.as_deref() };
        let header = serde_json::to_string(&header).map_err(|error| error.to_string())?;
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let bytes = Uint8Array::from(signed.as_bytes());
        let signature = resolved(sign(&parameters(algorithm), &key, &bytes)).await?;
        let signature = Uint8Array::new(&signature).to_vec();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let bytes = text_bytes(&token);
        remember(&self.signed, subject, bytes, |weight| (token.clone(), until, weight));
        Ok(token)
    }
}

/// The protected header of an assertion (RFC 7515 §4.1).
#[derive(Serialize)]
struct JwsHeader<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

/// Keeps the value that `make` returns. Its weight is `bytes`, and twice its name.
fn remember<V>(
    map: &RefCell<BoundedMap<String, V>>,
    name: String,
    bytes: usize,
    make: impl FnOnce(Weight) -> V,
) {
    let mut map = map.borrow_mut();
    let mut weight = map.weight();
    // The map has a name twice.
    weight.set(text_bytes(&name).saturating_mul(2).saturating_add(bytes));
    map.insert(name, make(weight), &mut |_, _| {});
}

const MAX_KEYS: usize = 256;
const MAX_ASSERTIONS: usize = 4_096;
/// Of either, of an isolate's 128 MB: entitlements stand in an assertion, and a caller may have a
/// token's worth of them.
const MAX_BYTES: usize = 8 * 1_024 * 1_024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &JsValue,
        parameters: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Promise;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"])]
    fn sign(parameters: &JsValue, key: &JsValue, data: &Uint8Array) -> Promise;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"])]
    fn verify(
        parameters: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Promise;
}

async fn import(jwk: &str, algorithm: &str, usage: &str) -> Result<JsValue, String> {
    let jwk = js_sys::JSON::parse(jwk).map_err(|_| "the key isn't JSON".to_owned())?;
    // Members that restrict a key's use may contradict ours, and were checked already.
    for member in ["use", "key_ops", "ext", "alg"] {
        let _ = Reflect::delete_property(jwk.unchecked_ref::<Object>(), &JsValue::from_str(member));
    }
    let usages = Array::of(&[JsValue::from_str(usage)]);
    resolved(import_key("jwk", &jwk, &parameters(algorithm), false, &usages)).await
}

/// WebCrypto's parameters for a JOSE algorithm (RFC 7518 §3.1, RFC 9864); the same object serves
/// for importing, signing and verifying.
fn parameters(algorithm: &str) -> JsValue {
    let object = Object::new();
    let set = |name: &str, value: JsValue| {
        let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
    };
    let name = match algorithm {
        "ES256" => "ECDSA",
        "HS256" => "HMAC",
        "PS256" => "RSA-PSS",
        "RS256" => "RSASSA-PKCS1-v1_5",
        _ => "Ed25519",
    };
    set("name", JsValue::from_str(name));
    set("hash", JsValue::from_str("SHA-256"));
    set("namedCurve", JsValue::from_str("P-256"));
    set("saltLength", JsValue::from_f64(SHA256_BYTES));
    object.into()
}

/// PS256 uses a salt as long as the hash (RFC 7518 §3.5).
const SHA256_BYTES: f64 = 32.0;
