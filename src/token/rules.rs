//! An issuer's rules for its tokens: RFC 7519 §4.1 with the advice of RFC 8725 §3.8 to §3.11.

use serde_json::{Map, Value};

use super::error::sentence;
use super::{TokenError, Unverified, numeric_date};
use crate::time::Timestamp;

/// An issuer's rules for its tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The exact `iss`.
    pub issuer: String,
    /// Accepted values of `aud`; a token must name at least one. Never empty.
    pub audiences: Vec<String>,
    /// The required `typ` (RFC 8725 §3.11); where `None`, `JWT`, `at+jwt` or no `typ` is accepted.
    pub typ: Option<String>,
    /// Tolerance for clocks that disagree.
    pub leeway_s: u32,
    /// The longest accepted `exp - iat`, where the operator bounds it.
    pub max_lifetime_s: Option<u32>,
}

impl Rules {
    /// Checks everything but the signature, and returns the end of the token's validity, leeway
    /// included. A token is valid before that point, not at it.
    ///
    /// Passing means nothing yet: it only spares the signature check of a token that is refused
    /// anyway.
    ///
    /// # Errors
    ///
    /// [`TokenError::WrongType`], [`UnknownIssuer`](TokenError::UnknownIssuer),
    /// [`WrongAudience`](TokenError::WrongAudience), [`Expired`](TokenError::Expired),
    /// [`NotYetValid`](TokenError::NotYetValid), [`LifetimeTooLong`](TokenError::LifetimeTooLong),
    /// or [`BadClaims`](TokenError::BadClaims) where `exp` is missing, a time isn't a number, or
    /// `iat` is missing though the lifetime is bounded.
    pub fn check(&self, unverified: &Unverified, now: Timestamp) -> Result<Timestamp, TokenError> {
        if !self.accepts_typ(unverified.typ()) {
            return Err(TokenError::WrongType);
        }
        if unverified.issuer() != Some(self.issuer.as_str()) {
            return Err(TokenError::UnknownIssuer);
        }
        self.check_audience(unverified.claims())?;
        self.check_times(unverified.claims(), now)
    }

    fn accepts_typ(&self, typ: Option<&str>) -> bool {
        match (&self.typ, typ) {
            (Some(required), Some(found)) => same_media_type(required, found),
            (Some(_), None) => false,
            (None, Some(found)) => {
                same_media_type("JWT", found) || same_media_type("at+jwt", found)
            }
            (None, None) => true,
        }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        let bad_shape = TokenError::BadClaims(sentence::AUDIENCE);
        let one = match claims.get("aud") {
            None => return Err(TokenError::WrongAudience),
            Some(Value::Array(many)) if many.iter().all(Value::is_string) => many.as_slice(),
            Some(one @ Value::String(_)) => std::slice::from_ref(one),
            Some(_) => return Err(bad_shape),
        };
        let ours = |value: &Value| self.audiences.iter().any(|ours| value.as_str() == Some(ours));
        if one.iter().any(ours) { Ok(()) } else { Err(TokenError::WrongAudience) }
    }

    fn check_times(
        &self,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Timestamp, TokenError> {
        let expires_at = numeric_date::read(claims, "exp", sentence::EXPIRES_AT)?
            .ok_or(TokenError::BadClaims(sentence::EXPIRES_AT))?;
        let not_before = numeric_date::read(claims, "nbf", sentence::NOT_BEFORE)?;
        let issued_at = numeric_date::read(claims, "iat", sentence::ISSUED_AT)?;

        let leeway_s = i64::from(self.leeway_s);
        let expires_with_leeway = expires_at.plus_seconds(leeway_s);
        if now >= expires_with_leeway {
            return Err(TokenError::Expired);
        }
        let latest_start = now.plus_seconds(leeway_s);
        if [not_before, issued_at].into_iter().flatten().any(|start| start > latest_start) {
            return Err(TokenError::NotYetValid);
        }
        if let Some(max_lifetime_s) = self.max_lifetime_s {
            let issued_at = issued_at.ok_or(TokenError::BadClaims(sentence::ISSUED_AT))?;
            if expires_at > issued_at.plus_seconds(i64::from(max_lifetime_s)) {
                return Err(TokenError::LifetimeTooLong);
            }
        }
        Ok(expires_with_leeway)
    }
}

/// Media types compare without regard to case, and `application/` may be left out where no other
/// slash follows (RFC 7515 §4.1.9).
fn same_media_type(one: &str, other: &str) -> bool {
    short_media_type(one).eq_ignore_ascii_case(short_media_type(other))
}

fn short_media_type(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((top, rest)) if top.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
        _ => typ,
    }
}
