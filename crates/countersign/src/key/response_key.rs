use std::sync::{Arc, OnceLock};

use super::{Secret, SigningKey, record::Record, signing_key::SigningOperation};
use crate::{crypto::hmac_sha256, scheme::Scheme};

/// The text whose MAC by the shared secret is the secret for responses.
const LABEL: &[u8] = b"countersign response key v1";

/// The key for the responses to requests that a shared secret signs, made when it is first needed.
#[derive(Clone, Default)]
pub(super) struct ResponseKeyCell(OnceLock<Arc<SigningKey>>);

impl ResponseKeyCell {
    /// Makes the key from the shared secret at once.
    pub(super) fn of(secret: &hmac_sha256::Key) -> Self {
        Self(OnceLock::from(derived(secret)))
    }

    /// Returns the key, or `None` if a key with this record and operation has none.
    pub(super) fn of_key(
        &self,
        record: &Record,
        operation: &SigningOperation<'_>,
    ) -> Option<Arc<SigningKey>> {
        let SigningOperation::Mac(mac) = operation else {
            return None;
        };
        match record.scheme {
            Scheme::HmacSha256 | Scheme::MessageSignatures => {
                Some(Arc::clone(self.0.get_or_init(|| derived(mac))))
            }
            // The MAC is of another secret: one with a prefix.
            Scheme::SigV4 => self.0.get().cloned(),
            Scheme::Ed25519 | Scheme::Cavage | Scheme::Drf | Scheme::StandardWebhooks => None,
        }
    }
}

fn derived(secret: &hmac_sha256::Key) -> Arc<SigningKey> {
    let bytes = secret.begin().chain(LABEL).finish();
    let key = SigningKey::message_hmac_sha256(&Secret::from_bytes(&bytes));
    Arc::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_make_one_key_of_a_secret_and_every_secret_makes_another() {
        let [secret, other] = [[7; 32], [8; 32]].map(|bytes| Secret::from_bytes(&bytes));
        for make in [
            SigningKey::hmac_sha256,
            SigningKey::sigv4,
            SigningKey::message_hmac_sha256,
        ] {
            let (key, other) = (make(&secret), make(&other));
            let signature = |key: &SigningKey| {
                let signing = key.verifying_key().response_signing_key().unwrap();
                signing.sign_message(b"a")
            };
            let verifying = key.response_verifying_key().unwrap();
            assert!(verifying.verifies_message(b"a", &signature(&key)));
            assert!(!verifying.verifies_message(b"a", &signature(&other)));
            assert!(!verifying.verifies_message(b"a", &key.sign_message(b"a")));
            assert_eq!(verifying.scheme(), Scheme::MessageSignatures);
        }
        let of = |make: fn(&Secret) -> SigningKey| make(&secret).response_verifying_key().unwrap();
        let signed = SigningKey::sigv4(&secret).verifying_key();
        let signed = signed.response_signing_key().unwrap().sign_message(b"a");
        assert!(of(SigningKey::hmac_sha256).verifies_message(b"a", &signed));
    }

    #[test]
    fn public_keys_and_keys_that_sign_no_request_have_none() {
        let seed = Secret::from_bytes(&[7; 32]);
        for key in [
            SigningKey::ed25519(&seed).unwrap(),
            SigningKey::message_ed25519(&seed).unwrap(),
            SigningKey::drf(&seed),
            SigningKey::standard_webhooks(&seed),
        ] {
            assert!(key.response_verifying_key().is_none(), "{key:?}");
            assert!(
                key.verifying_key().response_signing_key().is_none(),
                "{key:?}"
            );
        }
    }
}
