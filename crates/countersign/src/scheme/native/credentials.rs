use hmac::Mac as _;

use super::{authorization::Signature, canonical_request::CanonicalRequest};
use crate::key::{VerifyingKey, VerifyingOperation};

/// What a request claims: the signed text as this verifier sees it, and the signature sent with it.
#[derive(Clone, Debug)]
pub(crate) struct Credentials<'r> {
    pub(super) request: CanonicalRequest<'r>,
    pub(super) signature: Signature,
}

impl<'r> Credentials<'r> {
    /// Whether the signature is this key's over this request.
    pub(crate) fn matches(&self, key: &VerifyingKey) -> bool {
        match (&self.signature, key.operation()) {
            (Signature::HmacSha256(signature), VerifyingOperation::Mac(mac)) => {
                self.request.mac(mac).verify_slice(signature).is_ok()
            }
            (Signature::Ed25519(signature), VerifyingOperation::Ed25519(key)) => {
                key.verify(self.canonical_request().as_bytes(), signature)
            }
            (Signature::HmacSha256(_), VerifyingOperation::Ed25519(_))
            | (Signature::Ed25519(_), VerifyingOperation::Mac(_)) => false,
        }
    }

    /// The signed text.
    pub(crate) fn canonical_request(&self) -> String {
        let mut text = String::with_capacity(512);
        self.request.write_to(&mut text);
        text
    }

    pub(crate) fn signature(&self) -> &[u8] {
        self.signature.as_bytes()
    }

    /// The covered headers, in the order listed, with the value of each as it was signed.
    pub(crate) fn covered(&self) -> impl Iterator<Item = (&'r str, &'r str)> + Clone {
        self.request.covered()
    }
}
