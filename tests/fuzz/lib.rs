//! What the targets share: a verifier, a key, and the claim that nothing a fuzzer makes up is let through.

use std::sync::LazyLock;

use countersign::{
    CallerKey, KeyStore, Keyring, RequestHead, Scheme, Secret, SigningKey, Timestamp, Verifier,
};

/// The clock of the verifier: 2026-01-02T03:04:05Z.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder()
        .expected_hosts(["a"])
        .accept(Scheme::Ed25519)
        .accept(Scheme::MessageSignatures)
        .accept_rfc3339_dates()
        .keep_evidence()
        .build()
        .expect("the settings are right")
});

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let secret = || Secret::generate().expect("random bytes");
    let keys = [
        ("1", SigningKey::hmac_sha256(&secret())),
        ("2", SigningKey::message_hmac_sha256(&secret())),
    ];
    keys.iter()
        .fold(Keyring::builder(), |keyring, (version, key)| {
            let caller = CallerKey::new(version, key.verifying_key()).expect("a version");
            keyring.caller("a", caller.seed_compatible())
        })
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
