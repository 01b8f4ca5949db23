//! Signed tokens: JWS compact (RFC 7515), checked by the rules of RFC 8725. No crypto calls.
//!
//! A token goes through these steps, cheap ones first; each refuses with a [`TokenError`]:
//!
//! 1. [`Unverified::parse`] takes it apart. Nothing in it may be trusted yet.
//! 2. [`Unverified::issuer`] picks the issuer: [`Rules`], [`ClaimMapping`] and [`KeyRing`].
//! 3. [`Rules::check`] looks at audience, times and type.
//! 4. [`KeyRing::signature_check`] chooses the keys. The key decides the algorithm, never the
//!    token; the caller of this module then verifies the [`SignatureCheck`].
//! 5. [`ClaimMapping::read`] identifies the caller, once the signature was found good.

mod algorithm;
mod claims;
mod error;
mod jwk;
mod key_mistake;
mod key_ring;
mod numeric_date;
mod rules;
mod unverified;
mod weak_keys;

pub use self::algorithm::Algorithm;
pub use self::claims::{ClaimMapping, ClaimPath, TokenIdentity};
pub use self::error::TokenError;
pub use self::jwk::{Key, KeyRingKind};
pub use self::key_mistake::{KeyMistake, KeyProblem, KeyRingError};
pub use self::key_ring::{KeyRing, MAX_CANDIDATES, SignatureCheck};
pub use self::rules::Rules;
pub use self::unverified::Unverified;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest key id, account name or other identifier in a token, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
