use std::{borrow::Cow, fmt, sync::OnceLock};

#[cfg(feature = "sigv4-chunked")]
use super::chunked::{ChunkedDecoder, ChunkedHead};
use super::{
    authorization::Signature,
    canonical_request::{HeadHash, HeadText},
    credential_scope::CredentialScope,
    date::AmzDate,
    string_to_sign::StringToSign,
};
#[cfg(feature = "sigv4-chunked")]
use crate::error::Rejection;
use crate::{families::CredentialsOfFamily, key::VerifyingKey, payload::PayloadDigest};

/// The assertion of a request: the canonical request as this verifier sees it, and the signature
/// that was sent.
///
/// The text is written once and kept: its hash is signed, and a verified request keeps its covered
/// headers. Separate parts would be large to move from step to step.
#[derive(Clone)]
pub(crate) struct Credentials<'r> {
    request: HeadText,
    date: AmzDate,
    scope: CredentialScope<'r>,
    signature: Signature,
    session_token: Option<Cow<'r, str>>,
    #[cfg(feature = "sigv4-chunked")]
    chunked: Option<Box<ChunkedHead>>,
    /// Computed for the first key tried, and equal for every other key.
    head_hash: OnceLock<HeadHash>,
}

impl<'r> Credentials<'r> {
    pub(super) fn new(
        request: HeadText,
        date: AmzDate,
        scope: CredentialScope<'r>,
        signature: Signature,
        session_token: Option<Cow<'r, str>>,
    ) -> Self {
        Self {
            request,
            date,
            scope,
            signature,
            session_token,
            #[cfg(feature = "sigv4-chunked")]
            chunked: None,
            head_hash: OnceLock::new(),
        }
    }

    /// Adds the declaration of a chunked body.
    #[cfg(feature = "sigv4-chunked")]
    pub(super) fn with_chunks(mut self, chunked: Option<ChunkedHead>) -> Self {
        self.chunked = chunked.map(Box::new);
        self
    }

    fn string_to_sign_of(&self, body: Option<&PayloadDigest>) -> StringToSign<'_> {
        let head_hash = self.head_hash.get_or_init(|| self.request.hash());
        StringToSign {
            date: self.date,
            scope: self.scope,
            request_hash: head_hash.with_body(body),
        }
    }
}

impl CredentialsOfFamily for Credentials<'_> {
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool {
        // Another key's token counts as a wrong signature and takes the same time.
        let is_bound = match (key.session_token(), &self.session_token) {
            (Some(token), Some(found)) => token.is(found),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let string_to_sign = self.string_to_sign_of(body);
        string_to_sign.matches(key, &self.signature.0) & is_bound
    }

    fn objection(&self, key: &VerifyingKey) -> Option<&'static str> {
        match (key.session_token(), &self.session_token) {
            (Some(token), Some(found)) if token.is(found) => None,
            (Some(_), Some(_)) => Some("expected its session token, found another"),
            (Some(_), None) => Some("expected its session token, found none"),
            (None, Some(_)) => Some("expected no session token, found one"),
            (None, None) => None,
        }
    }

    fn signed_text(&self, body: Option<&PayloadDigest>) -> String {
        self.request.with_body(body)
    }

    fn string_to_sign(&self, signed_text: &str) -> Option<String> {
        let mut text = String::with_capacity(160);
        StringToSign::of(self.date, self.scope, signed_text).write_to(&mut text);
        Some(text)
    }

    #[cfg(feature = "sigv4-chunked")]
    fn chunked_decoder(&self, key: &VerifyingKey) -> Result<Option<ChunkedDecoder>, Rejection> {
        let Some(chunked) = &self.chunked else {
            return Ok(None);
        };
        let decoder = chunked.decoder(key, self.date, self.scope, self.signature.0)?;
        Ok(Some(decoder))
    }

    fn signature(&self) -> &[u8] {
        &self.signature.0
    }

    fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        let lines = self.request.covered_lines().split_terminator('\n');
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            each(name, value);
        }
    }

    fn covered_lines(&self) -> Option<&str> {
        Some(self.request.covered_lines())
    }
}

/// Hides the session token.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("date", &self.date)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
