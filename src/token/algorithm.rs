//! The signature algorithms the gate accepts.

/// A signature algorithm (RFC 7518 §3.1, RFC 8037, RFC 9864). There is no `none` to choose.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Algorithm {
    /// Ed25519, under its own name or the older `EdDSA`.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; the signature is r‖s, never DER.
    Es256,
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The algorithm that an `alg` names. Names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            // RFC 9864 deprecates `EdDSA`, which most issuers still send.
            "Ed25519" | "EdDSA" => Some(Self::Ed25519),
            "ES256" => Some(Self::Es256),
            "HS256" => Some(Self::Hs256),
            "PS256" => Some(Self::Ps256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }
}
