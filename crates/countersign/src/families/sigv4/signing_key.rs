//! The signing key, derived from the secret for one day, region and service.
//!
//! ```text
//! kDate    = HMAC("AWS4" + secret, date)
//! kRegion  = HMAC(kDate, region)
//! kService = HMAC(kRegion, service)
//! kSigning = HMAC(kService, "aws4_request")
//! ```

use zeroize::Zeroizing;

use super::credential_scope::{CredentialScope, TERMINATOR};
use crate::{crypto::hmac_sha256::Key, key::SigningKeyCache};

/// The signing key for a scope, derived once and cached inside the secret's key. Dropping that key
/// drops the cache.
///
/// Source: aws-sdk-go-v2#3350, where a cache keyed by access key id served a replaced secret.
pub(super) fn for_scope(
    secret: &Key,
    derived: &SigningKeyCache,
    scope: &CredentialScope<'_>,
) -> Key {
    let parts = [scope.date, scope.region, scope.service];
    derived.for_scope(&parts, || derive(secret, scope))
}

/// `secret` is a MAC state keyed with `"AWS4" + secret`.
fn derive(secret: &Key, scope: &CredentialScope<'_>) -> Key {
    let step = |key: Key, part: &str| {
        let derived = Zeroizing::new(key.into_mac().chain(part.as_bytes()).finish());
        Key::new(&*derived)
    };
    [scope.date, scope.region, scope.service, TERMINATOR]
        .into_iter()
        .fold(secret.clone(), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: AWS General Reference, "Examples of how to derive a signing key for Signature
    /// Version 4". The signed text is this test's own; its MAC was computed from the published key.
    #[test]
    fn derives_the_published_key() {
        let secret = Key::new(b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let scope = CredentialScope {
            date: "20150830",
            region: "us-east-1",
            service: "iam",
        };
        let published = base16ct::lower::decode_vec(
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
        )
        .unwrap();
        let expected = Key::new(&published);
        let mac = |key: Key| key.into_mac().chain(b"text").finish();
        assert_eq!(mac(derive(&secret, &scope)), mac(expected));
    }

    #[test]
    fn each_part_of_the_scope_makes_another_key() {
        let secret = Key::new(b"AWS4secret");
        let keys = SigningKeyCache::new();
        let scope = CredentialScope {
            date: "20150830",
            region: "a",
            service: "b",
        };
        let mac = |scope| {
            let key = for_scope(&secret, &keys, &scope);
            key.into_mac().finish()
        };
        let first = mac(scope);
        assert_eq!(first, mac(scope));
        for other in [
            CredentialScope {
                date: "20150831",
                ..scope
            },
            CredentialScope {
                region: "b",
                ..scope
            },
            CredentialScope {
                service: "a",
                ..scope
            },
            CredentialScope {
                region: "b",
                service: "a",
                ..scope
            },
        ] {
            assert_ne!(first, mac(other), "{other:?}");
        }
    }
}
