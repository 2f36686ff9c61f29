use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::public_key_numbers::PublicKeyNumbers;
use crate::crypto::sha256;

/// Returns the JWK thumbprint of a public key (RFC 7638): SHA-256 over the needed members, in
/// unpadded base64url.
pub(super) fn thumbprint(numbers: &PublicKeyNumbers<'_>) -> String {
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members = match numbers {
        PublicKeyNumbers::Ed25519(x) => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encoded(*x))
        }
        PublicKeyNumbers::Ec { curve, x, y } => format!(
            r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#,
            encoded(x),
            encoded(y)
        ),
        #[cfg(feature = "rsa")]
        PublicKeyNumbers::Rsa { modulus, exponent } => format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            encoded(exponent),
            encoded(modulus)
        ),
    };
    encoded(&sha256::digest(members.as_bytes()))
}
