//! What a key asks of a request whose signature is its own, and bodies that are not the signed
//! ones.

use std::time::Duration;

use countersign::{
    CallerKey, DerivedCallers, DerivedKeyring, KeyState, KeyStore, Keyring,
    MessageSignaturesVerifySettings, RootKey, Secret, Signer, SigningKey, Validity, Verifier,
};
use http::{Request, request::Parts};
use tests::{
    keys::{NOW, SECRET, hmac_key, signer},
    signed,
};

use crate::refused;

const HOUR: Duration = Duration::from_secs(3600);

fn by(signer: &Signer, request: Request<&'static [u8]>) -> Parts {
    let (parts, _) = signed::at(NOW, signer, request).into_parts();
    parts
}

fn post() -> Request<&'static [u8]> {
    let request = Request::post("http://user-service/").header("content-type", "text/plain");
    request.body(&b"body"[..]).unwrap()
}

fn keyring(with: impl FnOnce(CallerKey) -> CallerKey) -> Keyring {
    let key = CallerKey::new("2026-01", hmac_key(SECRET).verifying_key()).unwrap();
    let keys = Keyring::builder().caller("billing", with(key));
    keys.build().unwrap()
}

/// A derived key, and a verifier without expected hosts, which its keyring would not have been
/// built for.
fn derived() -> String {
    let root = || RootKey::new("2026-01", &Secret::from_hex(SECRET).unwrap()).unwrap();
    let strict = Verifier::builder().expected_hosts(["user-service"]);
    let strict = strict.build().unwrap();
    let everyone = DerivedCallers::deny::<[&str; 0]>([]);
    let keys = DerivedKeyring::builder("user-service", everyone, &strict).root(root());
    let keys = keys.build().unwrap();
    let secret = root().derive_for("billing", "user-service").unwrap();
    let parts = by(
        &signer("billing", SigningKey::hmac_sha256(&secret), "user-service"),
        post(),
    );
    let lax = Verifier::default();
    let unverified = lax.parse(&parts, NOW).unwrap();
    let keys = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
    let refused = unverified.authenticate(&keys, NOW).unwrap_err();
    refused.to_string()
}

pub(crate) fn reasons() -> Vec<String> {
    let verifier = Verifier::builder().expected_hosts(["user-service"]);
    let verifier = verifier.build().unwrap();
    let billing = signer("billing", hmac_key(SECRET), "user-service");
    let default = keyring(|key| key);
    let mut found = Vec::new();
    let mut check = |name: &str, reason: String, expected: &str| {
        assert_eq!(reason, expected, "{name}");
        found.push(reason);
    };
    let judged = |keys: &Keyring, parts: &Parts, body: &[u8]| {
        let rejection = refused(&verifier, keys, parts, body);
        assert_eq!(
            rejection.proven_caller().map(countersign::KeyId::as_str),
            Some("billing"),
            "{rejection}"
        );
        rejection.to_string()
    };
    let whole = by(&billing, post());
    check(
        "revoked",
        judged(
            &keyring(|key| key.with_validity(KeyState::Revoked)),
            &whole,
            b"body",
        ),
        "key version 2026-01: the key is revoked",
    );
    check(
        "not valid yet",
        judged(
            &keyring(|key| {
                key.with_validity(Validity::new().with_not_before(NOW.saturating_add(HOUR)))
            }),
            &whole,
            b"body",
        ),
        "key version 2026-01: the key is not valid yet",
    );
    check(
        "no longer valid",
        judged(
            &keyring(|key| key.with_validity(Validity::new().with_not_after(NOW))),
            &whole,
            b"body",
        ),
        "key version 2026-01: the key is no longer valid",
    );
    check(
        "derived, without expected hosts",
        derived(),
        "key version 2026-01: the key is derived, so that expected hosts must be configured (VerifierBuilder::expected_hosts), found none",
    );
    let seed = by(&billing.clone().insecure_three_headers(), post());
    check(
        "no nonce",
        judged(&default, &seed, b"body"),
        "key version 2026-01: expected x-nonce to be covered, found none",
    );
    let mut typed = by(
        &billing,
        Request::post("http://user-service/")
            .body(&b"body"[..])
            .unwrap(),
    );
    let value = http::HeaderValue::from_static("text/plain");
    typed.headers.insert("content-type", value);
    check(
        "a content type that is not covered",
        judged(&default, &typed, b"body"),
        "key version 2026-01: expected the header content-type to be covered where it is present",
    );
    check(
        "another body",
        judged(&default, &whole, b"bodies"),
        "body: expected the one whose SHA-256 was signed, found another one of 6 bytes",
    );
    check(
        "a body where none was signed",
        judged(
            &default,
            &by(
                &billing,
                Request::get("http://user-service/").body(&b""[..]).unwrap(),
            ),
            b"bodies",
        ),
        "body: expected none, found one of 6 bytes",
    );
    check(
        "another body by its SHA-512",
        sha512(),
        "body: expected the one whose SHA-512 was signed, found another one of 6 bytes",
    );
    let wrong = signer(
        "billing",
        hmac_key(tests::keys::OTHER_SECRET),
        "user-service",
    );
    let revoked = keyring(|key| key.with_validity(KeyState::Revoked));
    let parts = by(&wrong, post());
    check(
        "a wrong signature where the only key is revoked",
        refused(&verifier, &revoked, &parts, b"body").to_string(),
        "key id \"billing\": the signature is of none of its keys, found version 2026-01 (the key is revoked)",
    );
    found
}

/// A request in RFC 9421 whose `content-digest` is a SHA-512, which our signer does not make.
fn sha512() -> String {
    use base64ct::{Base64, Encoding};
    use hmac::{KeyInit, Mac};
    use sha2::{Digest, Sha256, Sha512};

    let secret = base16ct::mixed::decode_vec(SECRET).unwrap();
    let digest = format!(
        "sha-512=:{}:",
        Base64::encode_string(&Sha512::digest(b"body"))
    );
    let params = "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\");created=1767323045;keyid=\"billing\";nonce=\"n-1\"";
    let base = format!(
        "\"@method\": POST\n\"@authority\": user-service\n\"@path\": /\n\"@query\": ?\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
    );
    let mac = hmac::Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let mac = mac.chain_update(base).finalize().into_bytes();
    let text = format!(
        "POST /\nhost: user-service\ncontent-digest: {digest}\nsignature-input: a={params}\nsignature: a=:{}:",
        Base64::encode_string(&mac)
    );
    let key = SigningKey::message_hmac_sha256(&Secret::from_bytes(&secret));
    let keys = tests::keys::keyring("billing", &key);
    let verifier = Verifier::builder().expected_hosts(["user-service"]);
    let verifier = verifier.accept_only(MessageSignaturesVerifySettings::new());
    let verifier = verifier.build().unwrap();
    refused(&verifier, &keys, &crate::head(&text), b"bodies").to_string()
}
