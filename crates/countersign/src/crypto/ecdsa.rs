//! ECDSA (FIPS 186-5) over P-256 with SHA-256 and over P-384 with SHA-384.
//!
//! A signature is `r` and `s`, each as long as the order of the curve, big-endian, one after the
//! other (RFC 9421 sections 3.3.4 and 3.3.5). DER is another form and is refused by its length.
//! Both values of `s` are valid: a signature must not identify a message.

macro_rules! curve {
    ($(#[$doc:meta])* $name:ident, $curve:ident, $field_len:literal, $point_len:literal, $signature_len:literal) => {
        $(#[$doc])*
        pub(crate) mod $name {
            use ::$curve::ecdsa::{
                Signature, SigningKey, VerifyingKey,
                signature::{Signer as _, Verifier as _},
            };

            /// The length of a coordinate, and of a private key, in bytes.
            pub(crate) const FIELD_LEN: usize = $field_len;

            /// A key that signs.
            #[derive(Clone)]
            pub(crate) struct PrivateKey(SigningKey);

            /// A key that verifies: a point on the curve, not the point at infinity.
            #[derive(Clone)]
            pub(crate) struct PublicKey(VerifyingKey);

            impl PrivateKey {
                /// Makes the key from its number, big-endian. `None` if it is zero, or not below
                /// the order of the curve.
                pub(crate) fn from_scalar(scalar: &[u8; $field_len]) -> Option<Self> {
                    SigningKey::from_slice(scalar).ok().map(Self)
                }

                pub(crate) fn public_key(&self) -> PublicKey {
                    PublicKey(*self.0.verifying_key())
                }

                /// Signs with the nonce of RFC 6979, so that one message has one signature.
                pub(crate) fn sign(&self, message: &[u8]) -> [u8; $signature_len] {
                    let signature: Signature = self.0.sign(message);
                    signature.to_bytes().into()
                }
            }

            impl PublicKey {
                /// Reads an uncompressed point (SEC 1 section 2.3.3): `04`, then both coordinates.
                pub(crate) fn from_point(point: &[u8; $point_len]) -> Option<Self> {
                    VerifyingKey::from_sec1_bytes(point).ok().map(Self)
                }

                /// Returns the uncompressed point.
                pub(crate) fn to_point(&self) -> Box<[u8]> {
                    self.0.to_sec1_point(false).as_bytes().into()
                }

                pub(crate) fn verify(&self, message: &[u8], signature: &[u8; $signature_len]) -> bool {
                    // Refuses zero and numbers that are not below the order.
                    Signature::from_slice(signature)
                        .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
                }
            }
        }
    };
}

curve!(
    /// P-256 with SHA-256.
    ecdsa_p256, p256, 32, 65, 64
);
curve!(
    /// P-384 with SHA-384.
    ecdsa_p384, p384, 48, 97, 96
);
