//! Checks a signature with the keys of an issuer.

use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Map, Value};
use tollgate::token::{Algorithm, Key, SignatureCheck};

use super::{bytes, point};

/// Whether one of the keys fits.
pub(crate) fn verify(check: &SignatureCheck) -> Result<bool, String> {
    let mut fits = false;
    for key in &check.keys {
        fits |= verify_with(key, check)?;
    }
    Ok(fits)
}

fn verify_with(key: &Key, check: &SignatureCheck) -> Result<bool, String> {
    let jwk: Map<String, Value> =
        serde_json::from_str(&key.jwk).map_err(|error| error.to_string())?;
    let (signed, signature) = (check.signed.as_bytes(), check.signature.as_slice());
    let public = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
        UnparsedPublicKey::new(algorithm, key).verify(signed, signature).is_ok()
    };
    Ok(match check.algorithm {
        Algorithm::Ed25519 => public(&ED25519, &bytes(&jwk, "x")?),
        Algorithm::Es256 => {
            public(&ECDSA_P256_SHA256_FIXED, &point(&bytes(&jwk, "x")?, &bytes(&jwk, "y")?))
        }
        Algorithm::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(&jwk, "k")?);
            hmac::verify(&key, signed, signature).is_ok()
        }
        Algorithm::Ps256 => rsa(&RSA_PSS_2048_8192_SHA256, &jwk, signed, signature)?,
        Algorithm::Rs256 => rsa(&RSA_PKCS1_2048_8192_SHA256, &jwk, signed, signature)?,
    })
}

fn rsa(
    parameters: &RsaParameters,
    jwk: &Map<String, Value>,
    signed: &[u8],
    signature: &[u8],
) -> Result<bool, String> {
    let components = RsaPublicKeyComponents { n: bytes(jwk, "n")?, e: bytes(jwk, "e")? };
    Ok(components.verify(parameters, signed, signature).is_ok())
}
