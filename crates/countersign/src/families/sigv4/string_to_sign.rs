//! The string to sign.
//!
//! ```text
//! AWS4-HMAC-SHA256
//! date
//! scope
//! hash of the canonical request, in lower-case hexadecimal digits
//! ```

use super::{credential_scope::CredentialScope, date::AmzDate, signing_key};
use crate::{
    crypto::{
        hmac_sha256::{Key, Mac},
        sha256,
    },
    key::{SigningKeyCache, VerifyingKey, VerifyingOperation},
    scheme::Scheme,
    wire::{
        Gathered, Sink,
        hex::{self, Letters},
    },
};

/// The parts of the string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StringToSign<'s> {
    pub(super) date: AmzDate,
    pub(super) scope: CredentialScope<'s>,
    pub(super) request_hash: [u8; 32],
}

impl<'s> StringToSign<'s> {
    /// Builds the string for a canonical request.
    pub(super) fn of(date: AmzDate, scope: CredentialScope<'s>, canonical_request: &str) -> Self {
        Self {
            date,
            scope,
            request_hash: sha256::digest(canonical_request.as_bytes()),
        }
    }

    /// Parses the string, in the form that [`write_to`](Self::write_to) writes.
    pub(crate) fn parse(text: &'s str) -> Option<Self> {
        let mut lines = text.split('\n');
        let [name, date, scope, hash] =
            [lines.next()?, lines.next()?, lines.next()?, lines.next()?];
        let (date, _) = AmzDate::parse(date)?;
        let whole = lines.next().is_none() && name == Scheme::SigV4.name();
        whole.then_some(Self {
            date,
            scope: CredentialScope::parse(scope)?,
            request_hash: hex::decode(hash, Letters::Lower)?,
        })
    }

    /// Returns whether the string holds the hash of this canonical request.
    pub(crate) fn is_of(&self, canonical_request: &str) -> bool {
        // A plain comparison: neither hash is secret.
        sha256::digest(canonical_request.as_bytes()) == self.request_hash
    }

    /// Returns whether the signature is this key's, over this string.
    pub(crate) fn matches(&self, key: &VerifyingKey, signature: &[u8]) -> bool {
        match (key.operation(), key.derived()) {
            (VerifyingOperation::Mac(secret), Some(derived)) => {
                self.mac(secret, derived).verify(signature)
            }
            (
                VerifyingOperation::Mac(_)
                | VerifyingOperation::Ed25519(_)
                | VerifyingOperation::Other,
                _,
            ) => false,
        }
    }

    /// Returns the MAC state after the string.
    pub(super) fn mac(&self, secret: &Key, derived: &SigningKeyCache) -> Mac {
        let mut mac = signing_key::for_scope(secret, derived, &self.scope).into_mac();
        let mut gathered = Gathered::new();
        self.write_to(&mut gathered);
        match gathered.text() {
            Some(text) => mac.update(text),
            None => self.write_to(&mut mac),
        }
        mac
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        sink.write(Scheme::SigV4.name());
        sink.write("\n");
        sink.write(self.date.as_str());
        sink.write("\n");
        self.scope.write_to(sink);
        sink.write("\n");
        let mut digits = [0; 64];
        // Invariant: 32 bytes have 64 digits.
        sink.write(
            base16ct::lower::encode_str(&self.request_hash, &mut digits).unwrap_or_default(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Secret;

    /// Source: github.com/awslabs/aws-c-auth, aws-signing-test-suite/v4/get-vanilla.
    const TEXT: &str = "AWS4-HMAC-SHA256\n20150830T123600Z\n\
         20150830/us-east-1/service/aws4_request\n\
         bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63";
    const SIGNATURE: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    #[test]
    fn is_read_back_as_it_is_written() {
        let mut text = String::new();
        StringToSign::parse(TEXT).unwrap().write_to(&mut text);
        assert_eq!(text, TEXT);
        for other in [
            String::new(),
            format!("{TEXT}\n"),
            format!("{TEXT}0"),
            TEXT.replace("AWS4", "AWS5"),
            TEXT.replace('Z', ""),
            TEXT.replace("/service", ""),
        ] {
            assert!(StringToSign::parse(&other).is_none(), "{other}");
        }
    }

    #[test]
    fn is_of_the_canonical_request_whose_hash_it_holds() {
        const REQUEST: &str = "GET\n/\n\n\
             host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n\
             host;x-amz-date\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let string_to_sign = StringToSign::parse(TEXT).unwrap();
        assert!(string_to_sign.is_of(REQUEST));
        assert!(!string_to_sign.is_of(&REQUEST.replace("GET", "PUT")));
        assert!(!string_to_sign.is_of(""));
    }

    #[test]
    fn a_signature_is_one_keys_over_one_text() {
        let signature = base16ct::lower::decode_vec(SIGNATURE).unwrap();
        let key = VerifyingKey::sigv4(
            &Secret::from_text("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap(),
        );
        let string_to_sign = StringToSign::parse(TEXT).unwrap();
        assert!(string_to_sign.matches(&key, &signature));
        for cut in [0, 1, 31] {
            assert!(!string_to_sign.matches(&key, &signature[..cut]), "{cut}");
        }
        let other_text = TEXT.replace("123600", "123601");
        let other = StringToSign::parse(&other_text).unwrap();
        assert!(!other.matches(&key, &signature));
        let secret = Secret::from_text("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEy").unwrap();
        assert!(!string_to_sign.matches(&VerifyingKey::sigv4(&secret), &signature));
        assert!(!string_to_sign.matches(&VerifyingKey::hmac_sha256(&secret), &signature));
    }
}
