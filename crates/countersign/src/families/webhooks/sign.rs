use http::HeaderValue;
use smallvec::SmallVec;

use super::{header_names::STANDARD, message_id, signatures, signed_content, timestamp};
use crate::{
    error::{ConfigError, ConfigErrorKind, SignError, SignErrorKind},
    families::{BodySignature, SignatureHeaders, SignerOfFamily, SigningInput, SigningText},
    head::RequestHead,
    key::{Fingerprint, SigningKey, SigningOperation},
    scheme::Scheme,
};

/// Maximum number of keys that sign at a time: an old and a new one of each version.
const MAX_KEYS: usize = 4;

/// The keys that sign every message.
#[derive(Clone, Debug)]
pub(crate) struct FamilySigner {
    keys: Vec<SigningKey>,
}

impl FamilySigner {
    pub(crate) fn new(keys: impl IntoIterator<Item = SigningKey>) -> Result<Self, ConfigError> {
        let refused = |kind, problem: String| Err(ConfigError::new(kind, problem));
        let mut checked: Vec<SigningKey> = Vec::new();
        for key in keys {
            key.ensure_for(&[Scheme::StandardWebhooks])
                .and_then(|()| key.ensure_strong())
                .map_err(|error| error.within("signer"))?;
            let own = key.verifying_key();
            if checked
                .iter()
                .any(|other| other.verifying_key().is_same_as(&own))
            {
                let problem = "signer: expected different keys, found one twice";
                return refused(ConfigErrorKind::Key, problem.to_owned());
            }
            checked.push(key);
        }
        let found = checked.len();
        if !(1..=MAX_KEYS).contains(&found) {
            let problem = format!("signer: expected 1 to {MAX_KEYS} keys, found {found}");
            return refused(ConfigErrorKind::Keyring, problem);
        }
        Ok(Self { keys: checked })
    }
}

impl SignerOfFamily for FamilySigner {
    fn scheme(&self) -> Scheme {
        Scheme::StandardWebhooks
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        for name in [&STANDARD.timestamp, &STANDARD.signature] {
            if input.head.headers().contains_key(name) {
                let message = format!("header {name} is already there");
                return Err(SignError::new(SignErrorKind::AlreadySigned, message));
            }
        }
        let body = input.payload.body()?;
        let id = message_id(&input.head)?;
        let timestamp = timestamp::format(input.now)?;
        // Invariant: an id is visible ASCII.
        let prefix = signed_content::before_the_body(id.to_str().unwrap_or_default(), &timestamp);
        input.keep_text(|| SigningText::new([&prefix, body].concat()));
        let signatures: SmallVec<[BodySignature; 2]> = self
            .keys
            .iter()
            .map(|key| signature(key, &prefix, body))
            .collect::<Result<_, SignError>>()?;
        let timestamp = HeaderValue::try_from(timestamp).map_err(|_| {
            SignError::new(SignErrorKind::Header, "the timestamp is no header value")
        })?;
        Ok(SignatureHeaders::from_iter([
            (STANDARD.id.clone(), id),
            (STANDARD.timestamp.clone(), timestamp),
            (STANDARD.signature.clone(), signatures::format(&signatures)?),
        ]))
    }

    fn needs_body(&self) -> bool {
        true
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        self.keys
            .iter()
            .flat_map(SigningKey::fingerprints)
            .for_each(each);
    }
}

/// Returns the id of the request, or a new one.
fn message_id(head: &RequestHead<'_>) -> Result<HeaderValue, SignError> {
    let mut given = head.headers().get_all(&STANDARD.id).iter();
    match (given.next(), given.next()) {
        (None, _) => message_id::generate(),
        (Some(id), None) if id.to_str().is_ok_and(message_id::is_valid) => Ok(id.clone()),
        (Some(_), _) => Err(SignError::new(
            SignErrorKind::Header,
            "header webhook-id: expected once, 1 to 256 visible ASCII characters without dots",
        )),
    }
}

fn signature(key: &SigningKey, prefix: &[u8], body: &[u8]) -> Result<BodySignature, SignError> {
    Ok(match key.operation() {
        SigningOperation::Mac(mac) => {
            let mac = mac.begin().chain(prefix).chain(body);
            BodySignature::HmacSha256(mac.finish())
        }
        SigningOperation::Ed25519(key) => {
            BodySignature::Ed25519(key.sign(&[prefix, body].concat()))
        }
        // Invariant: the scheme has no such keys.
        SigningOperation::Other => {
            let message = "expected a shared secret or an Ed25519 key, found another key";
            return Err(SignError::new(SignErrorKind::Credentials, message));
        }
    })
}

#[cfg(test)]
mod tests {
    use http::{Request, request::Parts};

    use super::*;
    use crate::{key::Secret, payload::PayloadDigest, sign::Signer, timestamp::Timestamp};

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_649_367_553);

    fn secret() -> SigningKey {
        let text = "whsec_can7yaa6Ykv/6RJezUuLmvVbmV32vKcvh8idTKbuFk4=";
        SigningKey::standard_webhooks(&Secret::from_webhook_secret(text).unwrap())
    }

    fn ed25519() -> SigningKey {
        let text = "whsk_p5cvC2fIJjbV8knCeZH+0IDkqJzGRVi8rUkS5II\
                    WJniOAfmfn2lce7ZLx0zZUEs/QT2oNYDqUK3c7T5GzELUNg==";
        SigningKey::standard_webhooks_ed25519(text).unwrap()
    }

    fn random() -> SigningKey {
        SigningKey::standard_webhooks(&Secret::generate().unwrap())
    }

    fn post(id: &[&str]) -> Parts {
        let request = Request::post("http://a/hook").body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        for id in id {
            let id = HeaderValue::from_str(id).unwrap();
            parts.headers.append(&STANDARD.id, id);
        }
        parts
    }

    fn signer(keys: impl IntoIterator<Item = SigningKey>) -> Signer {
        Signer::standard_webhooks(keys, ["a"]).unwrap()
    }

    /// Source: the specification's vector, with the published secret.
    #[test]
    fn signs_id_timestamp_and_body() {
        let secret = Secret::from_webhook_secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let key = SigningKey::standard_webhooks(&secret);
        let refused = Signer::standard_webhooks([key.clone()], ["a"]).unwrap_err();
        assert_eq!(refused.kind(), ConfigErrorKind::WeakKey, "it is published");
        let signer = signer([key.insecure_allow_weak_key()]);
        let mut parts = post(&["msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"]);
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        signer
            .sign(&parts, &body[..], NOW)
            .unwrap()
            .apply(&mut parts);
        assert_eq!(
            parts.headers["webhook-id"],
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"
        );
        assert_eq!(parts.headers["webhook-timestamp"], "1649367553");
        assert_eq!(
            parts.headers["webhook-signature"],
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }

    #[test]
    fn signs_with_every_key_in_its_order() {
        let mut parts = post(&[]);
        let signer = signer([secret(), ed25519(), random()]);
        signer
            .sign(&parts, &b"{}"[..], NOW)
            .unwrap()
            .apply(&mut parts);
        let list = parts.headers["webhook-signature"].to_str().unwrap();
        let versions: Vec<_> = list
            .split(' ')
            .map(|entry| entry.split_once(',').unwrap().0)
            .collect();
        assert_eq!(versions, ["v1", "v1a", "v1"]);
    }

    #[test]
    fn keeps_an_id_that_is_there_and_makes_one_where_there_is_none() {
        let signer = signer([secret()]);
        let id_of = |parts: &Parts| {
            let signature = signer.sign(parts, &b""[..], NOW).unwrap();
            let (_, id) = signature
                .headers()
                .find(|(name, _)| **name == STANDARD.id)
                .unwrap();
            id.to_str().unwrap().to_owned()
        };
        assert_eq!(id_of(&post(&["evt_7"])), "evt_7");
        assert_ne!(id_of(&post(&[])), id_of(&post(&[])));
        for ids in [
            &["a.b"][..],
            &["a b"],
            &[""],
            &["a", "a"],
            &[&"a".repeat(257)],
        ] {
            let error = signer.sign(&post(ids), &b""[..], NOW).unwrap_err();
            assert_eq!(error.kind(), SignErrorKind::Header, "{ids:?}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_signed() {
        let signer = signer([secret()]);
        assert!(signer.needs_body());
        let digest = signer
            .sign(&post(&[]), PayloadDigest::of(b""), NOW)
            .unwrap_err();
        assert_eq!(digest.kind(), SignErrorKind::Body);
        for name in ["webhook-timestamp", "webhook-signature"] {
            let mut parts = post(&[]);
            parts.headers.insert(name, HeaderValue::from_static("1"));
            let error = signer.sign(&parts, &b""[..], NOW).unwrap_err();
            assert_eq!(error.kind(), SignErrorKind::AlreadySigned, "{name}");
        }
        let before = Timestamp::from_unix_seconds(-1);
        let error = signer.sign(&post(&[]), &b""[..], before).unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::Date);
    }

    #[test]
    fn refuses_no_keys_five_one_twice_and_others() {
        let five: Vec<_> = (0..5).map(|_| random()).collect();
        let other = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        for (name, keys, expected) in [
            ("none", vec![], ConfigErrorKind::Keyring),
            ("five", five, ConfigErrorKind::Keyring),
            ("one twice", vec![secret(), secret()], ConfigErrorKind::Key),
            (
                "another scheme's",
                vec![secret(), other],
                ConfigErrorKind::Key,
            ),
        ] {
            let error = Signer::standard_webhooks(keys, ["a"]).unwrap_err();
            assert_eq!(error.kind(), expected, "{name}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(
            format!("{:?}", signer([secret(), ed25519()])),
            "Signer { signer: StandardWebhooks(FamilySigner { keys: \
             [SigningKey(Standard-Webhooks, [redacted]), \
             SigningKey(Standard-Webhooks, [redacted])] }), authorities: Only([\"a\"]) }"
        );
    }
}
