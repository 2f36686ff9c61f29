//! Keys: caller keys, secrets, fingerprints, and the strength that a key must have.

mod caller_key;
mod fingerprint;
#[cfg(feature = "jwk")]
mod jwk;
#[cfg(feature = "jwk")]
mod jwk_set;
mod key_text;
#[cfg(feature = "pem")]
mod pem;
#[cfg(feature = "jwk")]
mod private_jwk;
mod public_key_numbers;
mod record;
mod response_key;
mod root_key;
mod secret;
mod session_token;
mod signing_key;
mod signing_key_cache;
mod strength;
mod thumbprint;
mod validity;
#[cfg(test)]
mod vectors;
mod verifying_key;

#[cfg(feature = "config")]
pub(crate) use self::verifying_key::public_key_from_hex;
pub use self::{
    caller_key::CallerKey,
    root_key::RootKey,
    secret::Secret,
    signing_key::SigningKey,
    validity::{KeyState, Validity},
    verifying_key::VerifyingKey,
};
pub(crate) use self::{
    fingerprint::Fingerprint,
    key_text::{ensure_key_alone, ensure_no_hex, form_of_no_base64},
    session_token::SessionToken,
    signing_key::SigningOperation,
    signing_key_cache::SigningKeyCache,
    verifying_key::VerifyingOperation,
};
#[cfg(feature = "jwk")]
pub use self::{
    jwk::Jwk,
    jwk_set::{JwkNotFound, JwkSet},
};
