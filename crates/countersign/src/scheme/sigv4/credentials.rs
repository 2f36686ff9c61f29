use std::{borrow::Cow, fmt, sync::OnceLock};

use sha2::Sha256;

use super::{
    authorization::Signature, canonical_request::CanonicalRequest,
    credential_scope::CredentialScope, date::AmzDate, string_to_sign::StringToSign,
};
use crate::{key::VerifyingKey, payload::PayloadDigest, scheme::CredentialsOfFamily};

/// What a request claims: the canonical request as this verifier sees it, and the signature sent with it. Boxed: it is large,
/// and moves with its request from step to step.
#[derive(Clone)]
pub(crate) struct Credentials<'r>(Box<Claimed<'r>>);

#[derive(Clone)]
struct Claimed<'r> {
    request: CanonicalRequest<'r>,
    date: AmzDate,
    scope: CredentialScope<'r>,
    signature: Signature,
    session_token: Option<Cow<'r, str>>,
    /// Made when the first key is tried, and the same for every other.
    head_hash: OnceLock<Sha256>,
}

impl<'r> Credentials<'r> {
    pub(super) fn new(
        request: CanonicalRequest<'r>,
        date: AmzDate,
        scope: CredentialScope<'r>,
        signature: Signature,
        session_token: Option<Cow<'r, str>>,
    ) -> Self {
        Self(Box::new(Claimed {
            request,
            date,
            scope,
            signature,
            session_token,
            head_hash: OnceLock::new(),
        }))
    }

    fn string_to_sign_of(&self, body: Option<&PayloadDigest>) -> StringToSign<'_> {
        let Claimed { request, .. } = &*self.0;
        let head_hash = self.0.head_hash.get_or_init(|| request.head_hash());
        StringToSign {
            date: self.0.date,
            scope: self.0.scope,
            request_hash: request.finish_hash(head_hash.clone(), body),
        }
    }
}

impl CredentialsOfFamily for Credentials<'_> {
    fn matches(&self, key: &VerifyingKey, body: Option<&PayloadDigest>) -> bool {
        // A token that is not the key's own is a wrong signature, and costs the same.
        let is_bound = match (key.session_token(), &self.0.session_token) {
            (Some(token), Some(found)) => token.is(found),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let string_to_sign = self.string_to_sign_of(body);
        string_to_sign.matches(key, &self.0.signature.0) & is_bound
    }

    fn signed_text(&self, body: Option<&PayloadDigest>) -> String {
        let mut text = String::with_capacity(512);
        self.0.request.write_to(body, &mut text);
        text
    }

    fn string_to_sign(&self, signed_text: &str) -> Option<String> {
        let mut text = String::with_capacity(160);
        StringToSign::of(self.0.date, self.0.scope, signed_text).write_to(&mut text);
        Some(text)
    }

    fn signature(&self) -> &[u8] {
        &self.0.signature.0
    }

    fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        for header in &self.0.request.headers {
            each(header.name, &header.value);
        }
    }
}

/// Without the session token.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("date", &self.0.date)
            .field("scope", &self.0.scope)
            .finish_non_exhaustive()
    }
}
