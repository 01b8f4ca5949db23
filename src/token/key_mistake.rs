//! Mistakes in a set of keys.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::MAX_NAME_BYTES;
use crate::strict_json::StrictJsonError;

/// The reason why no key of a set is usable: every mistake in it, at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRingError(pub Vec<KeyMistake>);

/// A mistake in a set of keys. It repeats no part of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyMistake {
    /// The way to it, such as `keys[0].kty`; empty for the whole set.
    pub place: String,
    /// Its kind.
    pub problem: KeyProblem,
}

/// A kind of mistake in a set of keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyProblem {
    /// The set is longer than this, in bytes.
    TooLong(usize),
    /// It is no JSON.
    NotJson(StrictJsonError),
    /// It is JSON, but no set.
    NoSet,
    /// The member `keys` is no list.
    NoList,
    /// There are too many keys, or none.
    WrongCount {
        /// The number of keys.
        found: usize,
        /// The most that a set may have.
        most: usize,
    },
    /// A key is no object.
    NoJwk,
    /// Two keys have one name.
    SameName,
    /// Shared secrets stand beside public keys.
    Mixed,
    /// A public key stands where a private one is needed.
    Public,
    /// A private key stands in a public place.
    Private,
    /// A shared secret stands in a public place.
    Secret,
    /// A name is no string, or too long.
    WrongName,
    /// A member that is never secret has another value than the expected one.
    Wrong {
        /// The value, as JSON.
        found: String,
        /// The right ones.
        expected: Cow<'static, str>,
    },
    /// `key_ops` allows no verification.
    CantVerify,
    /// A member is no base64url.
    NotBase64,
    /// A coordinate has this number of bytes.
    WrongBytes(usize),
    /// A point of Ed25519 of small order.
    SmallOrder,
    /// A point that is not on P-256.
    NotOnCurve,
    /// An RSA modulus of this number of bits.
    WrongModulus(usize),
    /// An RSA exponent that is even, too small or too large.
    WrongExponent,
    /// An RSA modulus with the ROCA weakness.
    Roca,
    /// A shared secret of this number of bytes.
    ShortSecret(usize),
}

impl KeyRingError {
    pub(super) fn of(place: &str, problem: KeyProblem) -> Self {
        Self(vec![KeyMistake::at(place, problem)])
    }

    /// The stable word of the first mistake.
    pub fn code(&self) -> &'static str {
        self.0.first().map_or("no-usable-key", |mistake| mistake.problem.code())
    }
}

impl KeyMistake {
    pub(super) fn at(place: &str, problem: KeyProblem) -> Self {
        Self { place: place.to_owned(), problem }
    }

    /// The same mistake, in the key of this index.
    pub(super) fn in_key(&self, index: usize) -> Self {
        let dot = if self.place.is_empty() { "" } else { "." };
        let place = format!("keys[{index}]{dot}{}", self.place);
        Self { place, problem: self.problem.clone() }
    }
}

impl KeyProblem {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too-long",
            Self::NotJson(_) => "not-json",
            Self::NoSet => "no-set",
            Self::NoList => "no-list",
            Self::WrongCount { .. } => "wrong-count",
            Self::NoJwk => "no-jwk",
            Self::SameName => "same-name",
            Self::Mixed => "mixed",
            Self::Public => "public",
            Self::Private => "private",
            Self::Secret => "secret",
            Self::WrongName => "wrong-name",
            Self::Wrong { .. } => "wrong-value",
            Self::CantVerify => "cannot-verify",
            Self::NotBase64 => "not-base64",
            Self::WrongBytes(_) => "wrong-bytes",
            Self::SmallOrder => "small-order",
            Self::NotOnCurve => "not-on-curve",
            Self::WrongModulus(_) => "wrong-modulus",
            Self::WrongExponent => "wrong-exponent",
            Self::Roca => "roca",
            Self::ShortSecret(_) => "short-secret",
        }
    }

    /// A description of the thing in the place; `None` where it says nothing, or is a secret.
    pub fn found(&self) -> Option<Cow<'static, str>> {
        let found = match self {
            Self::NotJson(reason) => return Some(format!("no JSON ({reason})").into()),
            Self::WrongCount { found, .. } => return Some(found.to_string().into()),
            Self::Wrong { found, .. } => return Some(found.clone().into()),
            Self::WrongBytes(bytes) => return Some(format!("{bytes} bytes").into()),
            Self::WrongModulus(bits) => return Some(format!("a modulus of {bits} bits").into()),
            Self::ShortSecret(bytes) => return Some(format!("a secret of {bytes} bytes").into()),
            Self::SameName => "the same kid as another key's",
            Self::Mixed => "shared secrets (oct) beside public keys",
            Self::Public => "a public key",
            Self::Private => {
                "a private key in a public place, so that it has to be considered compromised"
            }
            Self::Secret => "\"oct\", a shared secret, which may stand in a secret binding only",
            Self::SmallOrder => "a point of small order, under which anybody can sign",
            Self::NotOnCurve => "a point that is not on P-256",
            Self::Roca => {
                "a modulus with the ROCA weakness (CVE-2017-15361), whose private key can be \
                 computed"
            }
            Self::TooLong(_)
            | Self::NoSet
            | Self::NoList
            | Self::NoJwk
            | Self::WrongName
            | Self::CantVerify
            | Self::NotBase64
            | Self::WrongExponent => return None,
        };
        Some(found.into())
    }

    /// A description of the right thing.
    pub fn expected(&self) -> Cow<'static, str> {
        let expected = match self {
            Self::TooLong(most) => return format!("at most {most} bytes").into(),
            Self::WrongCount { most, .. } => return format!("1 to {most}").into(),
            Self::Wrong { expected, .. } => return expected.clone(),
            Self::WrongName => {
                return format!("a string of at most {MAX_NAME_BYTES} bytes").into();
            }
            Self::NotJson(_) | Self::NoSet => "a JWK Set such as {\"keys\":[…]}",
            Self::NoList => "a list of JWKs",
            Self::NoJwk => "a JWK",
            Self::SameName => "a kid of its own",
            Self::Mixed => "one kind: whoever may know the public ones must not know the others",
            Self::Public => "a private one",
            Self::Private => "the public half of a new pair",
            Self::Secret => "a public key",
            Self::CantVerify => "a list with \"verify\" in it",
            Self::NotBase64 => "base64url without padding",
            Self::WrongBytes(_) => "32",
            Self::SmallOrder => "the public half of an Ed25519 pair",
            Self::NotOnCurve => "the public half of an ES256 pair",
            Self::WrongModulus(_) => "2048 to 8192",
            Self::WrongExponent => "an odd exponent from 3 to 32 bits, such as \"AQAB\"",
            Self::Roca => "a pair that was made by other software",
            Self::ShortSecret(_) => "at least 32",
        };
        expected.into()
    }
}

/// Every mistake, apart by semicolons.
impl fmt::Display for KeyRingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { "; " };
            write!(formatter, "{before}{mistake}")?;
        }
        Ok(())
    }
}

/// `place: found this, expected that`, without the parts that are not known.
impl fmt::Display for KeyMistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, problem } = self;
        if !place.is_empty() {
            write!(formatter, "{place}: ")?;
        }
        if let Some(found) = problem.found() {
            write!(formatter, "found {found}, ")?;
        }
        write!(formatter, "expected {}", problem.expected())
    }
}

impl Error for KeyRingError {}
