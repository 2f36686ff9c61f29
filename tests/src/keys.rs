//! Keys and a fixed clock.

use countersign::{CallerKey, DrfVerifySettings, Keyring, Secret, Signer, SigningKey, Timestamp};
use http::Method;

/// A secret of 32 bytes that is no other test's.
pub const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
/// Another one.
pub const OTHER_SECRET: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

/// 2026-01-02T03:04:05Z.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

/// The HMAC key of these hexadecimal digits.
pub fn hmac_key(hex: &str) -> SigningKey {
    SigningKey::hmac_sha256(&Secret::from_hex(hex).unwrap())
}

/// The Ed25519 key of this seed.
pub fn ed25519_key(hex: &str) -> SigningKey {
    SigningKey::ed25519(&Secret::from_hex(hex).unwrap()).unwrap()
}

/// A keyring with one caller and one key under the strictest rules.
pub fn keyring(caller: &str, key: &SigningKey) -> Keyring {
    Keyring::builder()
        .caller(caller, CallerKey::new("1", key.verifying_key()).unwrap())
        .build()
        .unwrap()
}

/// A signer for one authority.
pub fn signer(caller: &str, key: SigningKey, authority: &str) -> Signer {
    Signer::new(caller, key, [authority]).unwrap()
}

/// The key of `django`, a caller that signs the body alone, and what lets it reach `POST /drf`.
pub fn django() -> (SigningKey, DrfVerifySettings) {
    let key = SigningKey::drf(&Secret::from_text("0123456789abcdefghijklmnopqrstuvwxyz").unwrap());
    let verify_settings = DrfVerifySettings::for_caller("django").unwrap();
    (
        key,
        verify_settings.with_route(Method::POST, "/drf").unwrap(),
    )
}
