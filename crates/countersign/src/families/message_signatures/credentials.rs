use super::{
    answers::{ResponseBinding, Unique},
    labeled_signature::SignatureBytes,
    message::UriScheme,
    signature_base::SignatureBase,
};
use crate::{
    error::Rejection, families::CredentialsOfFamily, head::RequestHead, key::VerifyingKey,
    payload::PayloadDigest, scheme::AlgorithmSet,
};

/// The assertion of a request: the signature base as this verifier sees it, and the signature that
/// was sent.
#[derive(Clone, Debug)]
pub(crate) struct Credentials<'r> {
    pub(super) base: SignatureBase,
    pub(super) signature: SignatureBytes,
    pub(super) alg: Option<&'r str>,
    /// The accepted algorithms.
    pub(super) algorithms: AlgorithmSet,
    pub(super) label: &'r str,
    /// The scheme in the settings.
    pub(super) scheme: Option<UriScheme>,
}

impl Credentials<'_> {
    /// Returns what a response to this request covers of it.
    pub(crate) fn response_binding(
        &self,
        head: &RequestHead<'_>,
    ) -> Result<ResponseBinding, Rejection> {
        let unique = Unique::SignatureInput(self.label.into());
        ResponseBinding::of_received(head, self.scheme, unique)
    }
}

impl CredentialsOfFamily for Credentials<'_> {
    /// The key decides the algorithm (RFC 9421 section 3.2, step 6). A different `alg`, or a key
    /// outside the settings, is detected only after the same work as for a matching key.
    fn matches(&self, key: &VerifyingKey, _body: Option<&PayloadDigest>) -> bool {
        let algorithm = key.algorithm();
        let agrees = self.alg.is_none_or(|alg| alg == algorithm.name());
        let admitted = self.algorithms.contains(algorithm);
        key.verifies_message(self.base.as_str().as_bytes(), &self.signature) && agrees && admitted
    }

    fn objection(&self, key: &VerifyingKey) -> Option<&'static str> {
        let algorithm = key.algorithm();
        if self.alg.is_some_and(|alg| alg != algorithm.name()) {
            Some("expected alg to be the algorithm of the key, found another")
        } else if !self.algorithms.contains(algorithm) {
            Some("the settings accept no key of its algorithm")
        } else {
            None
        }
    }

    fn signed_text(&self, _body: Option<&PayloadDigest>) -> String {
        self.base.as_str().to_owned()
    }

    fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        for (name, value) in self.base.fields() {
            each(name, value);
        }
    }
}
