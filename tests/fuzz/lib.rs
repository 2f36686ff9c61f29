//! A verifier and its keys, shared by all targets. No input may be accepted or panic.

pub mod targets;

use std::sync::LazyLock;

use countersign::{
    CallerKey, DrfVerifySettings, KeyStore, Keyring, RequestHead, Scheme, Secret, SigV4Presigned,
    SigV4VerifySettings, SigningKey, StandardWebhooksVerifySettings, Timestamp, Verifier,
};
use http::Method;

/// The clock of the verifier: 2026-01-02T03:04:05Z.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let drf =
        DrfVerifySettings::for_caller("d").and_then(|drf| drf.with_route(Method::POST, "/drf"));
    let webhooks = StandardWebhooksVerifySettings::for_caller("a")
        .and_then(|webhooks| webhooks.with_route(Method::POST, "/webhooks"));
    Verifier::builder()
        .accept(drf.expect("a route"))
        .accept(webhooks.expect("a route"))
        .expected_hosts(["a"])
        .accept(Scheme::Ed25519)
        .accept(Scheme::MessageSignatures)
        .accept(Scheme::Cavage)
        .accept(
            SigV4VerifySettings::new("r", "s")
                .expect("names")
                .with_presigned(SigV4Presigned::new())
                .insecure_accept_noncanonical_paths()
                .insecure_accept_ambiguous_queries()
                .insecure_accept_repeated_query_names(),
        )
        .accept_rfc3339_dates()
        .keep_evidence()
        .build()
        .expect("the settings are right")
});

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let secret = || Secret::generate().expect("random bytes");
    let key =
        |version, key: SigningKey| CallerKey::new(version, key.verifying_key()).expect("a version");
    Keyring::builder()
        .caller(
            "a",
            key("1", SigningKey::hmac_sha256(&secret())).insecure_three_headers(),
        )
        .caller("d", key("1", SigningKey::drf(&secret())))
        .caller("a", key("3", SigningKey::standard_webhooks(&secret())))
        .caller(
            "a",
            key("4", SigningKey::message_hmac_sha256(&secret())).insecure_three_headers(),
        )
        .caller("c", key("1", SigningKey::cavage_hmac_sha256(&secret())))
        .caller("a", key("2", SigningKey::sigv4(&secret())))
        .build()
        .expect("a keyring")
});

/// Tries to authenticate a head. Panics if that succeeds: the keys are random.
pub fn refuse(head: RequestHead<'_>) {
    let _ = VERIFIER.asserted(head);
    if let Ok(claim) = VERIFIER.parse(head, NOW) {
        let keys = KEYS
            .try_lookup(claim.key_id())
            .expect("a keyring answers at once")
            .expect("a keyring is available");
        let verified = claim
            .authenticate(&keys, NOW)
            .and_then(|found| found.finish_with(b"", NOW));
        assert!(
            verified.is_err(),
            "expected a refusal, found an accepted request"
        );
    }
}
