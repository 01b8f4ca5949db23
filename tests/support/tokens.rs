//! Signs and verifies tokens with `jsonwebtoken`, which shares no code with the gate.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};
use tollgate::token::{Key, SignatureCheck};

/// The public half of RFC 8037 A.1, as the key `ed`.
pub(crate) fn ed_key() -> Value {
    json!({
        "kid": "ed", "kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    })
}

/// A token with these claims, signed by [`ed_key`] under the name `kid`.
pub(crate) fn mint(claims: &Value, kid: &str) -> String {
    let header = json!({"alg": "EdDSA", "kid": kid, "typ": "JWT"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    // RFC 8410: the fixed head of a private key, then `d` of RFC 8037 A.1.
    let head = decoded("MC4CAQAwBQYDK2VwBCIEIA");
    let private = decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let key = EncodingKey::from_ed_der(&[head, private].concat());
    let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{signed}.{signature}")
}

/// The edge's use of the platform's crypto.
pub(crate) fn is_right(check: &SignatureCheck) -> bool {
    let signature = URL_SAFE_NO_PAD.encode(&check.signature);
    let verifies = |key: &Rc<Key>| {
        let jwk = serde_json::from_str(&key.jwk).unwrap();
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        crypto::verify(&signature, check.signed.as_bytes(), &key, Algorithm::EdDSA).unwrap()
    };
    check.keys.iter().any(verifies)
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
