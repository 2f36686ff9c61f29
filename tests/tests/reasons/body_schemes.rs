//! The schemes that sign the body alone.

use countersign::{
    Keyring, RejectionKind, Secret, Signer, SigningKey, StandardWebhooksVerifySettings, Verifier,
};
use http::{HeaderValue, Method};
use tests::keys::{NOW, SECRET, django, hmac_key, keyring};

use crate::{Row, head, refused, table};

const DRF: &str = "\
POST /drf
host: user-service
x-hmac-timestamp: 1767323045
x-hmac-signature: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const WEBHOOK: &str = "\
POST /hook
host: user-service
webhook-id: msg_1
webhook-timestamp: 1767323045
webhook-signature: v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const OF_DJANGO: &[Row] = &[
    (
        "another path",
        &[("/drf", "/other")],
        "route: expected one of the 1 that are set, because the signature is over the body alone, found another path: POST",
    ),
    (
        "another method",
        &[("POST", "PUT")],
        "route: expected one of the 1 that are set, because the signature is over the body alone, found another method for the path of one: PUT",
    ),
    (
        "another query",
        &[("/drf", "/drf?x=1")],
        "route: expected one of the 1 that are set, because the signature is over the body alone, found another query for the path of one: POST",
    ),
    (
        "milliseconds",
        &[("1767323045", "1767323045123")],
        "header x-hmac-timestamp: expected seconds since 1970-01-01T00:00:00Z, found 1767323045123, which looks like milliseconds",
    ),
    (
        "no seconds",
        &[("1767323045", "+1767323045")],
        "header x-hmac-timestamp: expected 1 to 12 decimal digits, found \"+1767323045\"",
    ),
    (
        "no timestamp",
        &[("x-hmac-timestamp", "x-other")],
        "header x-hmac-timestamp: expected once, found none",
    ),
    (
        "a signature in capitals",
        &[("0a0b", "0A0B")],
        "header x-hmac-signature: expected 64 lower-case hexadecimal digits, found 64 characters, 2 of them others",
    ),
    (
        "no nonce where the timestamp announces one",
        &[("1767323045", "01767323045")],
        "header x-hmac-nonce: expected once because x-hmac-timestamp begins with one zero, found none",
    ),
    (
        "a nonce without its MAC",
        &[(
            "x-hmac-timestamp: 1",
            "x-hmac-nonce: 0123456789abcdef\nx-hmac-timestamp: 01",
        )],
        "header x-hmac-nonce: expected 64 lower-case hexadecimal digits, a colon and a nonce, found 16 characters without a colon",
    ),
    (
        "a nonce with another MAC",
        &[(
            "x-hmac-timestamp: 1",
            "x-hmac-nonce: 01XY:0123456789abcdef\nx-hmac-timestamp: 01",
        )],
        "header x-hmac-nonce: expected 64 lower-case hexadecimal digits, a colon and 16 to 128 visible ASCII characters, found 4 characters before the colon, 2 of them others, and 16 after it",
    ),
    (
        "an old date",
        &[("1767323045", "1767322000")],
        "the timestamp: signed at 2026-01-02T02:46:40Z, more than 60 s from 2026-01-02T03:04:05Z",
    ),
    (
        "an unexpected host",
        &[("host: user-service", "host: other")],
        "authority: expected one of the expected hosts (user-service), found \"other\"",
    ),
    (
        "a wrong signature",
        &[],
        "key id \"django\": the signature is of none of its keys, found version 1; the key or the body is another one",
    ),
];

const OF_SVIX: &[Row] = &[
    (
        "a dot in the id",
        &[("msg_1", "msg.1")],
        "header webhook-id: expected 1 to 256 visible ASCII characters without dots, found 5 characters, the first of them \"msg.1\"",
    ),
    (
        "milliseconds",
        &[("1767323045", "1767323045123")],
        "header webhook-timestamp: expected seconds since 1970-01-01T00:00:00Z, found 1767323045123, which looks like milliseconds",
    ),
    (
        "a leading zero",
        &[("1767323045", "01767323045")],
        "header webhook-timestamp: expected no leading zeroes, found 01767323045",
    ),
    (
        "an old date",
        &[("1767323045", "1767322000")],
        "webhook-timestamp: signed at 2026-01-02T02:46:40Z, more than 300 s from 2026-01-02T03:04:05Z",
    ),
    (
        "no Base64",
        &[("AAECAw", "A_ECAw")],
        "header webhook-signature: expected v1 to be Base64 of 32 bytes, found 44 characters that are not",
    ),
    (
        "no Base64 of Ed25519",
        &[(
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "v1a,AAECAw==",
        )],
        "header webhook-signature: expected v1a to be Base64 of 64 bytes, found 8 characters that are not",
    ),
    (
        "no version",
        &[(
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "junk ,junk",
        )],
        "header webhook-signature: expected a version, a comma and a signature, found 2 entries of which none has a version",
    ),
    (
        "only later versions",
        &[(
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "v2,x v3,y",
        )],
        "header webhook-signature: expected a v1 or v1a signature, found v2, v3",
    ),
    (
        "many entries",
        &[(
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        )],
        "header webhook-signature: expected at most 8 entries, found 9",
    ),
    (
        "many of Ed25519",
        &[(
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "v1a,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA== v1a,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA== v1a,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        )],
        "header webhook-signature: expected at most 2 v1a entries, found 3",
    ),
    (
        "a long list",
        &[(
            "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "v2,{long}",
        )],
        "header webhook-signature: expected at most 2048 bytes, found 9003",
    ),
    (
        "a wrong signature",
        &[],
        "key id \"svix\": the signature is of none of its keys, found version 1; the key or the body is another one",
    ),
];

const OF_SVIX_HEADERS: &[Row] = &[
    (
        "two ids",
        &[("webhook-id: msg_1", "webhook-id: msg_1\nsvix-id: msg_2")],
        "header svix-id: expected the value of webhook-id, found another",
    ),
    (
        "two lists",
        &[("webhook-id", "svix-signature: v1,AA==\nwebhook-id")],
        "header svix-signature: expected the value of webhook-signature, found another",
    ),
    (
        "a timestamp alone under the other name",
        &[("webhook-timestamp", "svix-timestamp")],
        "header webhook-timestamp: expected once, found none",
    ),
    (
        "a leading zero",
        &[("webhook-", "svix-"), ("1767323045", "01767323045")],
        "header svix-timestamp: expected no leading zeroes, found 01767323045",
    ),
    (
        "a dot in the id",
        &[("webhook-", "svix-"), ("msg_1", "msg.1")],
        "header svix-id: expected 1 to 256 visible ASCII characters without dots, found 5 characters, the first of them \"msg.1\"",
    ),
    (
        "an old date",
        &[("webhook-", "svix-"), ("1767323045", "1767322000")],
        "svix-timestamp: signed at 2026-01-02T02:46:40Z, more than 300 s from 2026-01-02T03:04:05Z",
    ),
    (
        "no signature",
        &[("webhook-", "svix-"), ("v1,", "v2,")],
        "header svix-signature: expected a v1 or v1a signature, found v2",
    ),
];

const OF_NOBODY: &[Row] = &[(
    "an unknown caller",
    &[],
    "key id \"svix\": no caller has it",
)];

const OF_ANOTHER_SCHEME: &[Row] = &[(
    "a caller of another scheme",
    &[],
    "key id \"svix\": its caller has no key in Standard-Webhooks, but in HMAC-SHA256",
)];

fn keys() -> Keyring {
    let key = SigningKey::standard_webhooks(&Secret::from_hex(SECRET).unwrap());
    keyring("svix", &key)
}

/// A good signature beside a nonce of another one.
fn foreign_nonce() -> String {
    let (key, verify_settings) = django();
    let signer = Signer::drf(key.clone(), ["user-service"]).unwrap();
    let signer = signer.with_nonce_always();
    let request = || {
        let mut parts = head("POST /drf\nhost: user-service");
        let signature = signer.sign(&parts, &b""[..], NOW).unwrap();
        signature.apply(&mut parts);
        parts
    };
    let (own, other) = (request(), request());
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let keys = keyring("django", &key);
    let (mac, _) = own.headers["x-hmac-nonce"]
        .to_str()
        .unwrap()
        .split_once(':')
        .unwrap();
    let (_, nonce) = other.headers["x-hmac-nonce"]
        .to_str()
        .unwrap()
        .split_once(':')
        .unwrap();
    let mixed = HeaderValue::from_str(&format!("{mac}:{nonce}")).unwrap();
    let mut parts = own.clone();
    parts.headers.insert("x-hmac-nonce", mixed);
    let rejection = refused(&verifier, &keys, &parts, b"");
    assert_eq!(rejection.kind(), RejectionKind::InvalidSignature);
    let reason = rejection.to_string();
    assert_eq!(
        reason,
        "header x-hmac-nonce: expected a MAC of the nonce and this signature by key version 1, found another"
    );
    reason
}

pub(crate) fn reasons() -> Vec<String> {
    let (key, verify_settings) = django();
    let builder = || Verifier::builder().expected_hosts(["user-service"]);
    let drf = builder().accept_only(verify_settings).build().unwrap();
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let verify_settings = verify_settings.with_route(Method::POST, "/hook").unwrap();
    let webhooks = builder()
        .accept_only(verify_settings.clone())
        .build()
        .unwrap();
    let svix = builder().accept_only(verify_settings.with_svix_headers());
    let svix = svix.build().unwrap();
    let of_another_scheme = keyring("svix", &hmac_key(SECRET));
    [
        table(&drf, &keyring("django", &key), DRF, OF_DJANGO),
        table(&webhooks, &keys(), WEBHOOK, OF_SVIX),
        table(&svix, &keys(), WEBHOOK, OF_SVIX_HEADERS),
        vec![foreign_nonce()],
        table(&webhooks, &keyring("django", &key), WEBHOOK, OF_NOBODY),
        table(&webhooks, &of_another_scheme, WEBHOOK, OF_ANOTHER_SCHEME),
    ]
    .concat()
}
