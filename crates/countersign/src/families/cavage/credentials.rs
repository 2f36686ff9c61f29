use super::{algorithm, parameters::SignatureBytes, signing_string::SigningString};
use crate::{
    families::CredentialsOfFamily, key::VerifyingKey, payload::PayloadDigest, scheme::AlgorithmSet,
};

/// The assertion of a request: the signing string as this verifier sees it, and the signature that
/// was sent.
#[derive(Clone, Debug)]
pub(crate) struct Credentials<'r> {
    pub(super) text: SigningString<'r>,
    pub(super) signature: SignatureBytes,
    /// The parameter `algorithm`.
    pub(super) named: Option<&'r str>,
    /// The accepted algorithms.
    pub(super) algorithms: AlgorithmSet,
}

impl CredentialsOfFamily for Credentials<'_> {
    /// The key decides the algorithm. Another `algorithm`, or a key outside the settings, is
    /// detected only after the same work as for a matching key.
    fn matches(&self, key: &VerifyingKey, _body: Option<&PayloadDigest>) -> bool {
        let algorithm = key.algorithm();
        let agrees = algorithm::agrees(self.named, algorithm);
        let admitted = self.algorithms.contains(algorithm);
        key.verifies_message(self.text.as_str().as_bytes(), &self.signature) && agrees && admitted
    }

    fn objection(&self, key: &VerifyingKey) -> Option<&'static str> {
        let algorithm = key.algorithm();
        if !algorithm::agrees(self.named, algorithm) {
            Some("expected algorithm to be that of the key or hs2019, found another")
        } else if !self.algorithms.contains(algorithm) {
            Some("the settings accept no key of its algorithm")
        } else {
            None
        }
    }

    fn signed_text(&self, _body: Option<&PayloadDigest>) -> String {
        self.text.as_str().to_owned()
    }

    fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        for (name, value) in self.text.fields() {
            each(name, value);
        }
    }
}
