//! Drills, for the tests alone: a panic, and signatures over texts that no token could have,
//! checked exactly as a token's are. No deployed build has them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;

use super::glue::{self, resolved};
use super::visit::{Visit, respond};
use crate::answer::{Answer, Headers};
use crate::strict_json;
use crate::token::{Algorithm, KeyRing, KeyRingKind};

/// Panics.
#[expect(clippy::unused_async, clippy::panic, reason = "this is the drill")]
pub(super) async fn panic() -> Result<JsValue, JsValue> {
    panic!("a drill");
}

/// Reads the key as an issuer's is read, imports it and verifies each of the signatures. Asked with
/// `{"jwk":…,"alg":…,"checks":[[message, signature],…]}` in base64url; answers with a word for
/// each, or with one sentence where the key is refused.
pub(super) async fn verify(visit: Visit) -> Result<JsValue, JsValue> {
    let promise = glue::read_body(&visit.request, MAX_BYTES, DEADLINE_MS);
    let text = resolved(promise).await.ok().and_then(|text| text.as_string()).unwrap_or_default();
    let asked = strict_json::parse(&text).unwrap_or_default();
    let answer = match verdicts(&visit, &asked).await {
        Ok(verdicts) => json!({ "verdicts": verdicts }),
        Err(reason) => json!({ "refused": reason }),
    };
    let body = answer.to_string();
    Ok(respond(&Answer { status: 200, headers: Headers::new(), body }).into())
}

async fn verdicts(visit: &Visit, asked: &Value) -> Result<Vec<String>, String> {
    let jwk = asked.get("jwk").ok_or("no key")?;
    let kind = if jwk.get("kty").and_then(Value::as_str) == Some("oct") {
        KeyRingKind::Secret
    } else {
        KeyRingKind::Inline
    };
    let ring = KeyRing::from_value(jwk, kind).map_err(|error| error.to_string())?;
    let name = asked.get("alg").and_then(Value::as_str);
    let algorithm = name.and_then(Algorithm::from_name).ok_or("an algorithm not offered")?;
    let decoded = |text: &Value| text.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let mut verdicts = Vec::new();
    for pair in asked.get("checks").and_then(Value::as_array).into_iter().flatten() {
        let message = pair.get(0).and_then(decoded).ok_or("no message")?;
        let signature = pair.get(1).and_then(decoded).ok_or("no signature")?;
        let keys = ring.keys_for(algorithm, &signature);
        let verified = visit.isolate.verifier.verify_bytes(&keys, algorithm, &message, &signature);
        verdicts.push(match verified.await {
            Ok(true) => "valid".to_owned(),
            Ok(false) => "invalid".to_owned(),
            Err(reason) => reason,
        });
    }
    Ok(verdicts)
}

const MAX_BYTES: u32 = 4 * 1024 * 1024;
const DEADLINE_MS: u32 = 10_000;
