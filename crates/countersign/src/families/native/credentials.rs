use super::{authorization::Signature, canonical_request::CanonicalRequest};
use crate::{
    families::CredentialsOfFamily,
    key::{VerifyingKey, VerifyingOperation},
    payload::PayloadDigest,
};

/// The assertion of a request: the signed text as this verifier sees it, and the signature that was
/// sent.
#[derive(Clone, Debug)]
pub(crate) struct Credentials<'r> {
    pub(super) request: CanonicalRequest<'r>,
    pub(super) signature: Signature,
}

impl CredentialsOfFamily for Credentials<'_> {
    #[inline]
    fn matches(&self, key: &VerifyingKey, _body: Option<&PayloadDigest>) -> bool {
        match (&self.signature, key.operation()) {
            (Signature::HmacSha256(signature), VerifyingOperation::Mac(mac)) => {
                self.request.mac(mac).verify(signature)
            }
            (Signature::Ed25519(signature), VerifyingOperation::Ed25519(key)) => {
                key.verify(self.signed_text(None).as_bytes(), signature)
            }
            (Signature::HmacSha256(_) | Signature::Ed25519(_), _) => false,
        }
    }

    fn signed_text(&self, _body: Option<&PayloadDigest>) -> String {
        let mut text = String::with_capacity(512);
        self.request.write_to(&mut text);
        text
    }

    fn signature(&self) -> &[u8] {
        self.signature.as_bytes()
    }

    fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        for (name, value) in self.request.covered() {
            each(name, value);
        }
    }
}
