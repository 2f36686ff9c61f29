use std::fmt;

/// The text that a signature covers, as the signer made it. For diagnosis: compare it with the text
/// of the receiver.
///
/// It holds covered headers unredacted, such as a session token, and in the schemes that sign the
/// body the body itself.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningText {
    bytes: Box<[u8]>,
    string_to_sign: Option<Box<str>>,
}

impl SigningText {
    pub(crate) fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self {
            bytes: bytes.into(),
            string_to_sign: None,
        }
    }

    pub(crate) fn with_string_to_sign(self, text: String) -> Self {
        Self {
            string_to_sign: Some(text.into_boxed_str()),
            ..self
        }
    }

    /// Returns the canonical request of the native schemes and of SigV4, the signature base of RFC
    /// 9421, or the id, the timestamp and the body in the schemes that sign the body.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the text that is signed in place of the canonical request and holds its hash. `Some`
    /// for `AWS4-HMAC-SHA256` only.
    pub fn string_to_sign(&self) -> Option<&str> {
        self.string_to_sign.as_deref()
    }
}

impl fmt::Debug for SigningText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningText").finish_non_exhaustive()
    }
}
