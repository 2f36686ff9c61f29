use std::sync::Arc;

use http::HeaderValue;

use super::{
    DrfHeaders, recent_signatures::RecentSignatures, signature, signed_nonce, signed_text,
};
use crate::{
    crypto::hmac_sha256::Key,
    error::{ConfigError, SignError, SignErrorKind},
    families::{Nonce, SignatureHeaders, SignerOfFamily, SigningInput, SigningText},
    key::{Fingerprint, SigningKey, SigningOperation},
    scheme::Scheme,
    wire::unix_seconds,
};

/// A key and the headers in which it signs.
#[derive(Clone, Debug)]
pub(crate) struct FamilySigner {
    key: SigningKey,
    headers: DrfHeaders,
    nonces: Nonces,
}

/// Which requests get a nonce.
#[derive(Clone, Debug)]
enum Nonces {
    /// Requests whose signature was made before.
    WhereAlike(Arc<RecentSignatures>),
    Always,
    Never,
}

impl FamilySigner {
    pub(crate) fn new(key: SigningKey, headers: DrfHeaders) -> Result<Self, ConfigError> {
        key.ensure_for(&[Scheme::Drf])
            .and_then(|()| key.ensure_strong())
            .map_err(|error| error.within("signer"))?;
        Ok(Self {
            key,
            headers,
            nonces: Nonces::WhereAlike(Arc::default()),
        })
    }

    pub(crate) fn send_nonces_always(&mut self) {
        self.nonces = Nonces::Always;
    }

    pub(crate) fn send_no_nonces(&mut self) {
        self.nonces = Nonces::Never;
    }
}

impl SignerOfFamily for FamilySigner {
    fn scheme(&self) -> Scheme {
        Scheme::Drf
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        let names = &self.headers;
        for name in [&names.timestamp, &names.signature, &names.nonce] {
            if input.head.headers().contains_key(name) {
                let message = format!("header {name} is already there");
                return Err(SignError::new(SignErrorKind::AlreadySigned, message));
            }
        }
        let body = input.payload.body()?;
        let timestamp = unix_seconds::format(input.now)?;
        let SigningOperation::Mac(key) = self.key.operation() else {
            // Invariant: the scheme has no such keys.
            let message = "expected a shared secret, found a private key";
            return Err(SignError::new(SignErrorKind::Credentials, message));
        };
        let plain = match (&self.nonces, &input.nonce) {
            (Nonces::Always, _) => None,
            (Nonces::WhereAlike(recent), None) => Some(mac_of(key, &timestamp, body))
                .filter(|signature| recent.is_new(signature, input.now)),
            // A given nonce is for test vectors, whose signatures must be reproducible.
            (Nonces::WhereAlike(_), Some(_)) | (Nonces::Never, _) => {
                Some(mac_of(key, &timestamp, body))
            }
        };
        let value = |text| HeaderValue::try_from(text).map_err(|_| no_header_value());
        if let Some(signature) = plain {
            input.keep_text(|| text_of(&timestamp, body));
            return Ok(SignatureHeaders::from_iter([
                (names.timestamp.clone(), value(timestamp)?),
                (names.signature.clone(), signature::format(&signature)?),
            ]));
        }
        let timestamp = signed_text::announcing_nonce(&timestamp);
        if unix_seconds::parse(&timestamp).is_none() || !signed_text::announces_nonce(&timestamp) {
            let message = format!(
                "{} is outside what 1 to 11 digits of seconds can say beside a nonce",
                input.now
            );
            return Err(SignError::new(SignErrorKind::Date, message));
        }
        input.keep_text(|| text_of(&timestamp, body));
        let signature = signature::format(&mac_of(key, &timestamp, body))?;
        let nonce = input.nonce.map_or_else(Nonce::generate, Ok)?;
        let digits = signature.to_str().map_err(|_| no_header_value())?;
        let nonce = signed_nonce::format(key, &nonce, digits)?;
        Ok(SignatureHeaders::from_iter([
            (names.timestamp.clone(), value(timestamp)?),
            (names.nonce.clone(), nonce),
            (names.signature.clone(), signature),
        ]))
    }

    fn needs_body(&self) -> bool {
        true
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        self.key.fingerprints().for_each(each);
    }
}

fn mac_of(key: &Key, timestamp: &str, body: &[u8]) -> [u8; 32] {
    let mac = key.begin();
    mac.chain(&signed_text::before_the_body(timestamp))
        .chain(body)
        .finish()
}

fn text_of(timestamp: &str, body: &[u8]) -> SigningText {
    let start = signed_text::before_the_body(timestamp);
    SigningText::new([start.as_ref(), body].concat())
}

fn no_header_value() -> SignError {
    SignError::new(SignErrorKind::Header, "the timestamp is no header value")
}

#[cfg(test)]
mod tests {
    use http::{Request, request::Parts};

    use super::*;
    use crate::{
        error::ConfigErrorKind,
        key::Secret,
        payload::{Payload, PayloadDigest},
        sign::Signer,
        timestamp::Timestamp,
    };

    const SECRET: &str = "ahX9queiSh4ieyeeZohf1Aik";

    fn signer() -> Signer {
        Signer::drf(SigningKey::drf(&Secret::from_text(SECRET).unwrap()), ["a"]).unwrap()
    }

    fn sign(parts: &Parts, payload: Payload<'_>) -> Result<Vec<(String, String)>, SignErrorKind> {
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let signature = signer().sign(parts, payload, now).map_err(|e| e.kind())?;
        let text = |(name, value): (&http::HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        Ok(signature.headers().map(text).collect())
    }

    fn post() -> Parts {
        let request = Request::post("http://a/api/echo").body(()).unwrap();
        request.into_parts().0
    }

    /// Source: the specification's vectors, with the published key.
    #[test]
    fn signs_timestamp_and_body() {
        let published = SigningKey::drf(&Secret::from_text("super-secret-key-from-env").unwrap());
        let refused = Signer::drf(published.clone(), ["a"]).unwrap_err();
        assert_eq!(refused.kind(), ConfigErrorKind::WeakKey);
        let signer = Signer::drf(published.insecure_allow_weak_key(), ["a"]).unwrap();
        for (body, expected) in [
            (
                &br#"{"text":"hi","user_id":1}"#[..],
                "0f20a2e04291d8fb467f52a6564575b27858e2802acb2abf15f384da7c4376fa",
            ),
            (
                b"",
                "5870d433e5722f9c852dfa545173ae459bdc3ccab1c6bd4db3b3aaf1add69717",
            ),
        ] {
            let mut parts = post();
            let now = Timestamp::from_unix_seconds(1_767_323_045);
            signer.sign(&parts, body, now).unwrap().apply(&mut parts);
            assert_eq!(parts.headers["x-hmac-timestamp"], "1767323045");
            assert_eq!(parts.headers["x-hmac-signature"], expected);
            assert!(parts.headers["x-hmac-signature"].is_sensitive());
        }
    }

    #[test]
    fn needs_the_body_and_not_its_digest() {
        assert!(signer().needs_body());
        let error = signer()
            .sign(
                &post(),
                PayloadDigest::of(b""),
                Timestamp::from_unix_seconds(0),
            )
            .unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::Body);
        assert_eq!(
            error.to_string(),
            "expected the body itself, which the signature is over, found its digest"
        );
    }

    #[test]
    fn signs_nothing_twice() {
        for name in ["x-hmac-timestamp", "x-hmac-signature"] {
            let mut parts = post();
            parts.headers.insert(name, HeaderValue::from_static("1"));
            let found = sign(&parts, Payload::Bytes(b""));
            assert_eq!(found, Err(SignErrorKind::AlreadySigned), "{name}");
        }
    }

    #[test]
    fn refuses_dates_that_twelve_digits_cannot_say() {
        for seconds in [-1, 1_000_000_000_000] {
            let now = Timestamp::from_unix_seconds(seconds);
            let error = signer().sign(&post(), &b""[..], now).unwrap_err();
            assert_eq!(error.kind(), SignErrorKind::Date, "{seconds}");
        }
    }

    #[test]
    fn refuses_keys_of_other_schemes_and_shows_none() {
        let other = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let error = Signer::drf(other, ["a"]).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Key);
        assert_eq!(
            error.to_string(),
            "signer: expected a key for X-HMAC-SHA256, found one for HMAC-SHA256"
        );
        assert_eq!(
            format!("{:?}", signer()),
            "Signer { signer: Drf(FamilySigner { key: SigningKey(X-HMAC-SHA256, [redacted]), \
             headers: DrfHeaders { timestamp: \"x-hmac-timestamp\", \
             signature: \"x-hmac-signature\", nonce: \"x-hmac-nonce\" }, \
             nonces: WhereAlike(RecentSignatures) }), authorities: Only([\"a\"]) }"
        );
        assert!(signer().caller().is_none());
    }
}
