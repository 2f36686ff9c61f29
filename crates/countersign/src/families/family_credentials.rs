use super::{message_signatures, native, sigv4};
use crate::{key::VerifyingKey, payload::PayloadDigest};

/// What a head claims in one family: the signed text as this verifier sees it, and the signature sent with it.
pub(crate) trait CredentialsOfFamily {
    /// Whether the signature is this key's over this request. `body` is the digest of the body where the head declares
    /// none and the signed text holds one.
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool;

    /// What keeps this key from matching whatever the signature is. It is for the operator's log.
    fn objection(&self, _key: &VerifyingKey) -> Option<&'static str> {
        None
    }

    /// The signed text.
    fn signed_text(&self, body: Option<&PayloadDigest>) -> String;

    /// What the key signs in place of the signed text, in the families in which that is another text and holds its hash.
    fn string_to_sign(&self, _signed_text: &str) -> Option<String> {
        None
    }

    /// The bytes of the signature that this key matched.
    fn signature(&self) -> &[u8];

    /// The covered headers, in the order in which they are signed, with the value of each as it was signed.
    fn covered(&self, each: &mut impl FnMut(&str, &str));

    /// The same as `name:value` lines with a line break behind each, in the families that keep them so.
    fn covered_lines(&self) -> Option<&str> {
        None
    }
}

/// What a head claims in one family of schemes: all but those whose signatures are over the body
/// itself, and have nothing that could be checked with the head.
#[derive(Clone, Debug)]
pub(crate) enum Credentials<'r> {
    Native(native::Credentials<'r>),
    MessageSignatures(message_signatures::Credentials<'r>),
    SigV4(sigv4::Credentials<'r>),
}

/// Calls a method of the family.
macro_rules! dispatch {
    ($family:expr, $credentials:ident => $call:expr) => {
        match $family {
            Credentials::Native($credentials) => $call,
            Credentials::MessageSignatures($credentials) => $call,
            Credentials::SigV4($credentials) => $call,
        }
    };
}

impl CredentialsOfFamily for Credentials<'_> {
    #[inline]
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool {
        dispatch!(self, family => family.matches(key, body))
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

impl<'r> From<sigv4::Credentials<'r>> for Credentials<'r> {
    fn from(credentials: sigv4::Credentials<'r>) -> Self {
        Self::SigV4(credentials)
    }
}
