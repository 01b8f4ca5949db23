//! Reasons to refuse a token.

/// The reason to refuse a token. Safe to show the caller: it reveals nothing about keys or other
/// tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenError {
    /// A claim that is needed is missing or has the wrong shape; the sentence names it.
    BadClaims(&'static str),
    /// The signature doesn't fit the key.
    BadSignature,
    /// The header has `crit` or `b64`: extensions that change what a signature means.
    CriticalHeader,
    /// `exp` has passed.
    Expired,
    /// `exp - iat` is longer than the operator allows.
    LifetimeTooLong,
    /// It is not a JWS in compact form with a JSON object as payload.
    Malformed,
    /// `nbf` or `iat` is in the future.
    NotYetValid,
    /// It is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    TooLarge,
    /// It is an API key, and there is none like it.
    UnknownApiKey,
    /// No configured issuer has this `iss`.
    UnknownIssuer,
    /// The issuer has no key with this `kid`: the only refusal that fetching its keys can cure.
    UnknownKey,
    /// No key of the issuer is for this `alg`.
    UnsupportedAlgorithm,
    /// `aud` doesn't name this service.
    WrongAudience,
    /// `typ` is that of another kind of token.
    WrongType,
}

impl TokenError {
    /// The stable word for bodies, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadClaims(_) => "bad-claims",
            Self::BadSignature => "bad-signature",
            Self::CriticalHeader => "critical-header",
            Self::Expired => "expired",
            Self::LifetimeTooLong => "lifetime-too-long",
            Self::Malformed => "malformed",
            Self::NotYetValid => "not-yet-valid",
            Self::TooLarge => "too-large",
            Self::UnknownApiKey => "unknown-api-key",
            Self::UnknownIssuer => "unknown-issuer",
            Self::UnknownKey => "unknown-key",
            Self::UnsupportedAlgorithm => "unsupported-algorithm",
            Self::WrongAudience => "wrong-audience",
            Self::WrongType => "wrong-type",
        }
    }

    /// A sentence for the caller, fit for the `error_description` of RFC 6750 §3: ASCII without
    /// quotes and backslashes, and nothing from the token.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::BadClaims(sentence) => sentence,
            Self::BadSignature => "The signature of the token is not valid.",
            Self::CriticalHeader => "The token uses header extensions that are not supported.",
            Self::Expired => "The token has expired.",
            Self::LifetimeTooLong => "The token is valid for longer than this service allows.",
            Self::Malformed => "The token is not a well-formed JWS in compact form.",
            Self::NotYetValid => "The token is not valid yet.",
            Self::TooLarge => "The token is too large.",
            Self::UnknownApiKey => "The API key is not known.",
            Self::UnknownIssuer => "The issuer of the token is not known.",
            Self::UnknownKey => "The key that signed the token is not known.",
            Self::UnsupportedAlgorithm => {
                "The issuer does not sign with the algorithm that the token names."
            }
            Self::WrongAudience => "The token is meant for another audience.",
            Self::WrongType => "The token is of another type than this service accepts.",
        }
    }
}

/// The sentences of [`TokenError::BadClaims`].
pub(super) mod sentence {
    pub(in crate::token) const ACCOUNT: &str =
        "The claim that names the account is missing or has the wrong shape.";
    pub(in crate::token) const AUDIENCE: &str =
        "The claim aud is not a string or an array of strings.";
    pub(in crate::token) const ENTITLEMENTS: &str =
        "The claim that lists entitlements has the wrong shape.";
    pub(in crate::token) const EXPIRES_AT: &str =
        "The claim exp is missing or not a number of seconds.";
    pub(in crate::token) const ISSUED_AT: &str =
        "The claim iat is missing or not a number of seconds.";
    pub(in crate::token) const NOT_BEFORE: &str = "The claim nbf is not a number of seconds.";
    pub(in crate::token) const PLAN: &str = "The claim that names the plan has the wrong shape.";
    pub(in crate::token) const SUBJECT: &str = "The claim sub has the wrong shape.";
    pub(in crate::token) const TENANT: &str =
        "The claim that names the tenant is missing or has the wrong shape.";
    pub(in crate::token) const TOKEN_ID: &str = "The claim jti has the wrong shape.";

    #[cfg(test)]
    pub(in crate::token) const ALL: [&str; 10] = [
        ACCOUNT,
        AUDIENCE,
        ENTITLEMENTS,
        EXPIRES_AT,
        ISSUED_AT,
        NOT_BEFORE,
        PLAN,
        SUBJECT,
        TENANT,
        TOKEN_ID,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_sentences_fit_where_they_go() {
        let mut errors = vec![
            TokenError::BadSignature,
            TokenError::CriticalHeader,
            TokenError::Expired,
            TokenError::LifetimeTooLong,
            TokenError::Malformed,
            TokenError::NotYetValid,
            TokenError::TooLarge,
            TokenError::UnknownApiKey,
            TokenError::UnknownIssuer,
            TokenError::UnknownKey,
            TokenError::UnsupportedAlgorithm,
            TokenError::WrongAudience,
            TokenError::WrongType,
        ];
        errors.extend(sentence::ALL.map(TokenError::BadClaims));
        for error in errors {
            assert!(error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
            // RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E
            let fits = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(error.describe().bytes().all(fits), "{}", error.describe());
            assert!(error.describe().ends_with('.'));
        }
    }
}
