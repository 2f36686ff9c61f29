use super::{
    cavage,
    message_signatures::{self, ResponseBinding, Unique},
    native, sigv4,
};
use crate::{error::Rejection, head::RequestHead, key::VerifyingKey, payload::PayloadDigest};

/// The assertion of a head in one family: the signed text as this verifier sees it, and the
/// signature that was sent.
pub(crate) trait CredentialsOfFamily {
    /// Returns whether the signature is this key's, over this request. `body` is the digest of the
    /// body, if the signed text holds one that the head does not declare.
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool;

    /// Returns why this key cannot match any signature of this request, for the operator's log.
    fn objection(&self, _key: &VerifyingKey) -> Option<&'static str> {
        None
    }

    /// Returns the signed text.
    fn signed_text(&self, body: Option<&PayloadDigest>) -> String;

    /// Returns the string that the key signs, in families where it is not the signed text but holds
    /// its hash.
    fn string_to_sign(&self, _signed_text: &str) -> Option<String> {
        None
    }

    /// Returns the decoder of a chunked body, for the key that made the signature.
    #[cfg(feature = "sigv4-chunked")]
    fn chunked_decoder(
        &self,
        _key: &VerifyingKey,
    ) -> Result<Option<sigv4::ChunkedDecoder>, Rejection> {
        Ok(None)
    }

    /// Returns the bytes of the signature that this key matched.
    fn signature(&self) -> &[u8];

    /// Passes each covered header with its signed value, in signing order.
    fn covered(&self, each: &mut impl FnMut(&str, &str));

    /// Returns the same as `name:value` lines, each with a line break, in families that keep this
    /// form.
    fn covered_lines(&self) -> Option<&str> {
        None
    }
}

/// The assertion of a head in any family except those that sign the body itself: their heads hold
/// nothing that can be checked alone.
#[derive(Clone, Debug)]
pub(crate) enum Credentials<'r> {
    Native(native::Credentials<'r>),
    MessageSignatures(message_signatures::Credentials<'r>),
    Cavage(cavage::Credentials<'r>),
    SigV4(sigv4::Credentials<'r>),
}

/// Calls a method of the family.
macro_rules! dispatch {
    ($family:expr, $credentials:ident => $call:expr) => {
        match $family {
            Credentials::Native($credentials) => $call,
            Credentials::MessageSignatures($credentials) => $call,
            Credentials::Cavage($credentials) => $call,
            Credentials::SigV4($credentials) => $call,
        }
    };
}

impl CredentialsOfFamily for Credentials<'_> {
    #[inline]
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool {
        dispatch!(self, family => family.matches(key, body))
    }

    #[cfg(feature = "sigv4-chunked")]
    fn chunked_decoder(
        &self,
        key: &VerifyingKey,
    ) -> Result<Option<sigv4::ChunkedDecoder>, Rejection> {
        dispatch!(self, family => family.chunked_decoder(key))
    }

    fn objection(&self, key: &VerifyingKey) -> Option<&'static str> {
        dispatch!(self, family => family.objection(key))
    }

    fn signed_text(&self, body: Option<&PayloadDigest>) -> String {
        dispatch!(self, family => family.signed_text(body))
    }

    fn string_to_sign(&self, signed_text: &str) -> Option<String> {
        dispatch!(self, family => family.string_to_sign(signed_text))
    }

    fn signature(&self) -> &[u8] {
        dispatch!(self, family => family.signature())
    }

    #[inline]
    fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        dispatch!(self, family => family.covered(each));
    }

    #[inline]
    fn covered_lines(&self) -> Option<&str> {
        dispatch!(self, family => family.covered_lines())
    }
}

impl Credentials<'_> {
    /// Returns what a response to this request covers of it. `None` if nothing tells the request
    /// from others.
    pub(crate) fn response_binding(
        &self,
        head: &RequestHead<'_>,
    ) -> Option<Result<ResponseBinding, Rejection>> {
        match self {
            Self::MessageSignatures(credentials) => Some(credentials.response_binding(head)),
            Self::Cavage(_) => None,
            Self::Native(_) | Self::SigV4(_) => {
                let unique = Unique::of_other(head)?;
                Some(ResponseBinding::of_received(head, None, unique))
            }
        }
    }
}

impl<'r> From<native::Credentials<'r>> for Credentials<'r> {
    fn from(credentials: native::Credentials<'r>) -> Self {
        Self::Native(credentials)
    }
}

impl<'r> From<message_signatures::Credentials<'r>> for Credentials<'r> {
    fn from(credentials: message_signatures::Credentials<'r>) -> Self {
        Self::MessageSignatures(credentials)
    }
}

impl<'r> From<cavage::Credentials<'r>> for Credentials<'r> {
    fn from(credentials: cavage::Credentials<'r>) -> Self {
        Self::Cavage(credentials)
    }
}

impl<'r> From<sigv4::Credentials<'r>> for Credentials<'r> {
    fn from(credentials: sigv4::Credentials<'r>) -> Self {
        Self::SigV4(credentials)
    }
}
