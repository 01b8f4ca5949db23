//! A token taken apart: JWS compact serialization (RFC 7515 §7.1), and nothing else.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{MAX_NAME_BYTES, MAX_TOKEN_BYTES, TokenError};
use crate::strict_json;

/// A token that was taken apart but not verified. Nothing in it may be trusted.
#[derive(Clone, PartialEq)]
pub struct Unverified {
    /// The claims.
    claims: Map<String, Value>,
    algorithm: String,
    key_id: Option<String>,
    typ: Option<String>,
    signed: String,
    signature: Vec<u8>,
}

impl Unverified {
    /// Takes `text` apart: exactly three parts of base64url without padding, the first two of
    /// them JSON objects without duplicate members.
    ///
    /// Keys that the header embeds or points at (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
    ///
    /// # Errors
    ///
    /// [`TokenError::TooLarge`], [`TokenError::Malformed`] or [`TokenError::CriticalHeader`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        // A third dot ends up in one of the parts, where decoding refuses it.
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let signature = decode(signature)?;
        if signature.is_empty() {
            return Err(TokenError::Malformed);
        }
        let header = object(header)?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(TokenError::CriticalHeader);
        }
        let key_id = optional_string(&header, "kid")?;
        if key_id.as_ref().is_some_and(|kid| kid.len() > MAX_NAME_BYTES) {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            claims: object(claims)?,
            algorithm: optional_string(&header, "alg")?.ok_or(TokenError::Malformed)?,
            key_id,
            typ: optional_string(&header, "typ")?,
            signed: signed.to_owned(),
            signature,
        })
    }

    /// The claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The claim `iss`, where it is a string.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The header's `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The header's `alg`, as it came.
    pub fn algorithm_name(&self) -> &str {
        &self.algorithm
    }

    /// The header's `typ`.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The signed text: the first two parts and the dot between them, as they came.
    pub fn signed_text(&self) -> &str {
        &self.signed
    }

    /// The signature, never empty.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// Without claims and signature: a reader of a log could use the token.
impl fmt::Debug for Unverified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Unverified")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .field("typ", &self.typ)
            .finish_non_exhaustive()
    }
}

/// Refuses padding, foreign characters and bits that a canonical encoder would not have set.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

fn object(part: &str) -> Result<Map<String, Value>, TokenError> {
    let text = String::from_utf8(decode(part)?).map_err(|_| TokenError::Malformed)?;
    match strict_json::parse(&text) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(TokenError::Malformed),
    }
}

fn optional_string(header: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(TokenError::Malformed),
    }
}
