use std::cell::OnceCell;

use http::request::Parts;

use super::{Signature, Signer};
use crate::{
    error::{SignError, SignErrorKind},
    families::{Nonce, SigningText},
    payload::Payload,
    timestamp::Timestamp,
};

impl Signer {
    /// Like [`sign`](Self::sign), and returns the text that the signature covers. With a nonce,
    /// like [`sign_with_nonce`](Self::sign_with_nonce).
    ///
    /// For diagnosis: nothing in the text is redacted. See [`SigningText`].
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` takes no anonymous lifetime"
    )]
    pub fn sign_with_text<'b>(
        &self,
        parts: &Parts,
        payload: impl Into<Payload<'b>>,
        nonce: Option<Nonce>,
        now: Timestamp,
    ) -> Result<(Signature, SigningText), SignError> {
        let text = OnceCell::new();
        let signature = self.sign_head(parts.into(), payload.into(), nonce, now, Some(&text))?;
        // Invariant: every family keeps the text before it signs.
        let text = text
            .into_inner()
            .ok_or_else(|| SignError::new(SignErrorKind::Header, "the signed text was not kept"))?;
        Ok((signature, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        families::sigv4::SigV4SignSettings,
        families::{message_signatures::MessageSignaturesSignSettings, sigv4::SigV4Credentials},
        key::{Secret, SigningKey},
        scheme::Scheme,
    };

    const BODY: &[u8] = b"{\"id\":7}";
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

    fn signers() -> Vec<(Signer, Option<SigningKey>)> {
        let secret = Secret::from_text("correct/Horse+battery/Staple+0123456789").unwrap();
        let native = SigningKey::hmac_sha256(&secret);
        let ed25519 = SigningKey::ed25519(&Secret::generate().unwrap()).unwrap();
        let message = SigningKey::message_hmac_sha256(&secret);
        let settings = MessageSignaturesSignSettings::new("billing", message.clone()).unwrap();
        let sigv4 = SigningKey::sigv4(&secret);
        let credentials = SigV4Credentials::new("AKIDBILLING", sigv4).unwrap();
        let sigv4 = SigV4SignSettings::new("eu-central-1", "users", credentials).unwrap();
        let (drf, webhooks) = (
            SigningKey::drf(&secret),
            SigningKey::standard_webhooks(&secret),
        );
        vec![
            (
                Signer::new("billing", native.clone(), ["a"]).unwrap(),
                Some(native),
            ),
            (
                Signer::new("billing", ed25519.clone(), ["a"]).unwrap(),
                Some(ed25519),
            ),
            (
                Signer::message_signatures(settings, ["a"]).unwrap(),
                Some(message),
            ),
            (Signer::sigv4(sigv4, ["a"]).unwrap(), None),
            (Signer::drf(drf.clone(), ["a"]).unwrap(), Some(drf)),
            (
                Signer::standard_webhooks([webhooks.clone()], ["a"]).unwrap(),
                Some(webhooks),
            ),
        ]
    }

    /// Returns the bytes of the signature, wherever the scheme writes it.
    fn signature_bytes(scheme: Scheme, signature: &Signature) -> Vec<u8> {
        let (_, value) = signature.headers().last().unwrap();
        let value = value.to_str().unwrap();
        let base64 = |text: &str| {
            use base64ct::Encoding;
            base64ct::Base64::decode_vec(text).unwrap()
        };
        match scheme {
            Scheme::StandardWebhooks => base64(value.strip_prefix("v1,").unwrap()),
            Scheme::MessageSignatures => {
                base64(value.strip_prefix("sig1=:").unwrap().trim_end_matches(':'))
            }
            _ => base16ct::lower::decode_vec(value.rsplit('=').next().unwrap()).unwrap(),
        }
    }

    #[test]
    fn the_text_is_the_one_that_the_signature_covers() {
        let request = http::Request::post("http://a/api/account?x=1")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        for (signer, key) in signers() {
            let scheme = signer.scheme();
            let (signature, text) = signer.sign_with_text(&parts, BODY, None, NOW).unwrap();
            assert_eq!(text.string_to_sign().is_some(), scheme == Scheme::SigV4);
            let Some(key) = key else {
                let string = text.string_to_sign().unwrap();
                let hash = crate::crypto::sha256::digest(text.as_bytes());
                assert!(string.ends_with(&base16ct::lower::encode_string(&hash)));
                continue;
            };
            let bytes = signature_bytes(scheme, &signature);
            let key = key.verifying_key();
            assert!(key.verifies_message(text.as_bytes(), &bytes), "{scheme}");
            assert!(!key.verifies_message(b"another", &bytes), "{scheme}");
        }
    }

    #[test]
    fn a_given_nonce_is_the_one_that_is_signed() {
        let (parts, ()) = http::Request::get("http://a/")
            .body(())
            .unwrap()
            .into_parts();
        let (signer, _) = &signers()[0];
        let nonce = Nonce::new("ab1ea77da142027bdccf911146307534").unwrap();
        let (_, text) = signer
            .sign_with_text(&parts, BODY, Some(nonce), NOW)
            .unwrap();
        let text = String::from_utf8(text.as_bytes().to_vec()).unwrap();
        assert!(
            text.contains("x-nonce:ab1ea77da142027bdccf911146307534\n"),
            "{text}"
        );
        assert_eq!(
            format!(
                "{:?}",
                signer.sign_with_text(&parts, BODY, None, NOW).unwrap().1
            ),
            "SigningText { .. }"
        );
    }
}
