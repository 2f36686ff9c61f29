//! What the targets share: a verifier, a key, and the claim that nothing a fuzzer makes up is let through.

use std::sync::LazyLock;

use countersign::{
    CallerKey, KeyStore, Keyring, RequestHead, Scheme, Secret, SigV4Presigned, SigV4Profile,
    SigningKey, Timestamp, Verifier, VerifyingKey,
};

/// The clock of the verifier: 2026-01-02T03:04:05Z.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder()
        .expected_hosts(["a"])
        .accept(Scheme::Ed25519)
        .accept(
            SigV4Profile::new("r", "s")
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
    let key = SigningKey::hmac_sha256(&Secret::generate().expect("random bytes"));
    let caller = CallerKey::new("1", key.verifying_key()).expect("a version");
    let secret = Secret::generate().expect("random bytes");
    let sigv4 = CallerKey::new("2", VerifyingKey::sigv4(&secret)).expect("a version");
    Keyring::builder()
        .caller("a", caller.seed_compatible())
        .caller("a", sigv4)
        .build()
        .expect("a keyring")
});

/// Reads a head and tries to authenticate it. It must neither panic nor succeed: the key is random.
pub fn refuse(head: RequestHead<'_>) {
    let _ = VERIFIER.claimed_key_id(head);
    if let Ok(claim) = VERIFIER.parse(head, NOW) {
        let keys = KEYS
            .try_lookup(claim.key_id())
            .expect("a keyring answers at once")
            .expect("a keyring is available");
        assert!(claim.authenticate(&keys, NOW).is_err(), "let through");
    }
}
