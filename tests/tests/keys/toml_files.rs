//! Keys from TOML.

use std::{env, error::Error, fs, process};

use base64ct::{Base64, Encoding};
use countersign::{ConfigErrorKind, Keyring, PayloadDigest, Scheme, Secret, Signer, SigningKey};
use tests::keys::{NOW, OTHER_SECRET, SECRET, ed25519_key, hmac_key};

use crate::{
    HOST, THREE, bytes, caller_key, code, judge_at,
    message::{Forger, Message},
    one_caller, shown, signed_with,
};

fn toml(keys: &str) -> String {
    format!("[[callers]]\nname = \"billing\"\n\n[[callers.keys]]\nversion = \"1\"\n{keys}\n")
}

#[test]
fn every_documented_member_of_a_callers_key_has_its_effect() {
    let text_secret = "0123456789 abcdefghij ABCDEFGHIJ -- text";
    let base64 = Base64::encode_string(&bytes(SECRET));
    let full = |scheme, secret: &[u8]| signed_with(scheme, secret);
    let three = || {
        let request = Message::new("POST", "/", HOST, b"{}").with("content-type", "text/plain");
        Forger::new(Scheme::HmacSha256, "billing", SECRET).sign(request, THREE, NOW)
    };
    let without_nonce = || {
        let request = Message::new("POST", "/", HOST, b"{}").with("content-type", "text/plain");
        let list = format!("{THREE};content-type");
        Forger::new(Scheme::HmacSha256, "billing", SECRET).sign(request, &list, NOW)
    };
    let hmac_request = || full(Scheme::HmacSha256, &bytes(SECRET));
    let public_key = ed25519_key(SECRET).verifying_key();
    let public_key = base16ct::lower::encode_string(public_key.public_key().unwrap());
    let hex = format!("secret_hex = \"{SECRET}\"");
    for (name, keys, message, expected) in [
        ("secret_hex", hex.clone(), hmac_request(), "accept"),
        (
            "secret_hex in upper case",
            format!("secret_hex = \"{}\"", SECRET.to_uppercase()),
            hmac_request(),
            "accept",
        ),
        (
            "secret_base64",
            format!("secret_base64 = \"{base64}\""),
            hmac_request(),
            "accept",
        ),
        (
            "secret_base64 without padding",
            format!("secret_base64 = \"{}\"", base64.trim_end_matches('=')),
            hmac_request(),
            "accept",
        ),
        (
            "secret_text",
            format!("secret_text = \"{text_secret}\""),
            full(Scheme::HmacSha256, text_secret.as_bytes()),
            "accept",
        ),
        (
            "secret_text of digits is not decoded",
            format!("secret_text = \"{SECRET}\""),
            full(Scheme::HmacSha256, SECRET.as_bytes()),
            "accept",
        ),
        (
            "secret_text of digits is another key",
            format!("secret_text = \"{SECRET}\""),
            hmac_request(),
            "invalid_signature",
        ),
        (
            "ed25519_public_key_hex",
            format!("ed25519_public_key_hex = \"{public_key}\""),
            full(Scheme::Ed25519, &bytes(SECRET)),
            "accept",
        ),
        (
            "state active",
            format!("{hex}\nstate = \"active\""),
            hmac_request(),
            "accept",
        ),
        (
            "state accept-only",
            format!("{hex}\nstate = \"accept-only\""),
            hmac_request(),
            "accept",
        ),
        (
            "state revoked",
            format!("{hex}\nstate = \"revoked\""),
            hmac_request(),
            "invalid_signature",
        ),
        (
            "not_before now",
            format!("{hex}\nnot_before = 2026-01-02T03:04:05Z"),
            hmac_request(),
            "accept",
        ),
        (
            "not_before in a second",
            format!("{hex}\nnot_before = 2026-01-02T03:04:06Z"),
            hmac_request(),
            "invalid_signature",
        ),
        (
            "not_before with an offset",
            format!("{hex}\nnot_before = 2026-01-02T05:04:06+02:00"),
            hmac_request(),
            "invalid_signature",
        ),
        (
            "not_after now",
            format!("{hex}\nnot_after = 2026-01-02T03:04:05Z"),
            hmac_request(),
            "invalid_signature",
        ),
        (
            "not_after in a second",
            format!("{hex}\nnot_after = 2026-01-02T03:04:06Z"),
            hmac_request(),
            "accept",
        ),
        (
            "not_after in a moment",
            format!("{hex}\nnot_after = 2026-01-02T03:04:05.000001Z"),
            hmac_request(),
            "accept",
        ),
        (
            "nonce by default",
            hex.clone(),
            without_nonce(),
            "insufficient_coverage",
        ),
        (
            "nonce required",
            format!("{hex}\nnonce = \"required\""),
            without_nonce(),
            "insufficient_coverage",
        ),
        (
            "nonce optional",
            format!("{hex}\nnonce = \"optional\""),
            without_nonce(),
            "accept",
        ),
        (
            "nonce optional, content-type uncovered",
            format!("{hex}\nnonce = \"optional\""),
            three(),
            "insufficient_coverage",
        ),
        (
            "insecure_three_headers",
            format!("{hex}\ninsecure_three_headers = true"),
            three(),
            "accept",
        ),
        (
            "not insecure_three_headers",
            format!("{hex}\ninsecure_three_headers = false"),
            three(),
            "insufficient_coverage",
        ),
    ] {
        let keys =
            Keyring::from_toml(&toml(&keys)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(code(&keys, &message), expected, "{name}");
    }
}

#[test]
fn a_file_that_is_not_as_documented_is_refused_without_showing_a_key() {
    let hex = format!("secret_hex = \"{SECRET}\"");
    let base64 = Base64::encode_string(&bytes(SECRET));
    let other = "[[callers.keys]]\nversion = \"2\"";
    for (name, text, kind, part) in [
        (
            "no TOML",
            format!("secret_hex {SECRET}"),
            ConfigErrorKind::File,
            "line 1",
        ),
        (
            "an unclosed string",
            toml(&format!("secret_hex = \"{SECRET}")),
            ConfigErrorKind::File,
            "line 6",
        ),
        (
            "the member twice",
            toml(&format!("{hex}\n{hex}")),
            ConfigErrorKind::File,
            "line 7",
        ),
        (
            "an unknown table",
            format!("{}\n[other]\nkey = \"{SECRET}\"", toml(&hex)),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "an unknown member of a caller",
            format!("[[callers]]\nname = \"a\"\nsecret = \"{SECRET}\""),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "an unknown member of a key",
            toml(&format!("{hex}\nsecret = \"{SECRET}\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a misspelled member",
            toml(&format!("secret_hexx = \"{SECRET}\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "callers is a table",
            format!("[callers]\nbilling = \"{SECRET}\""),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "no name",
            format!("[[callers]]\n[[callers.keys]]\nversion = \"1\"\n{hex}"),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "no version",
            format!("[[callers]]\nname = \"a\"\n[[callers.keys]]\n{hex}"),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a version that is a number",
            toml(&hex).replace("\"1\"", "1"),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a secret that is a number",
            toml("secret_hex = 9346041949574"),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a secret that is a list",
            toml(&format!("secret_hex = [\"{SECRET}\"]")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a secret that is a table",
            toml(&format!("secret_hex = {{ hex = \"{SECRET}\" }}")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "an unknown state",
            toml(&format!("{hex}\nstate = \"retired\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a state in upper case",
            toml(&format!("{hex}\nstate = \"Active\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a state that is a key",
            toml(&format!("{hex}\nstate = \"{SECRET}\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "an unknown nonce rule",
            toml(&format!("{hex}\nnonce = \"never\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "insecure_three_headers as text",
            toml(&format!("{hex}\ninsecure_three_headers = \"true\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a date as text",
            toml(&format!("{hex}\nnot_after = \"2026-01-02T03:04:05Z\"")),
            ConfigErrorKind::File,
            "line",
        ),
        (
            "a date without an offset",
            toml(&format!("{hex}\nnot_after = 2026-01-02T03:04:05")),
            ConfigErrorKind::File,
            "not_after",
        ),
        (
            "a day",
            toml(&format!("{hex}\nnot_before = 2026-01-02")),
            ConfigErrorKind::File,
            "not_before",
        ),
        (
            "a time",
            toml(&format!("{hex}\nnot_before = 03:04:05")),
            ConfigErrorKind::File,
            "not_before",
        ),
        (
            "no key",
            toml(""),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "two encodings",
            toml(&format!("{hex}\nsecret_base64 = \"{base64}\"")),
            ConfigErrorKind::Key,
            "exactly one",
        ),
        (
            "two keys",
            toml(&format!(
                "{hex}\ned25519_public_key_hex = \"{}\"",
                "00".repeat(32)
            )),
            ConfigErrorKind::Key,
            "exactly one",
        ),
        (
            "three encodings",
            toml(&format!(
                "{hex}\nsecret_base64 = \"{base64}\"\nsecret_text = \"{SECRET}\""
            )),
            ConfigErrorKind::Key,
            "exactly one",
        ),
        (
            "hex of odd length",
            toml(&format!("secret_hex = \"{}\"", &SECRET[1..])),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "no hex",
            toml(&format!("secret_hex = \"{base64}\"")),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "hex with a blank",
            toml(&format!("secret_hex = \" {SECRET}\"")),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "no Base64",
            toml(&format!("secret_base64 = \"{base64}!\"")),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "Base64 for URLs",
            toml("secret_base64 = \"__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA=\""),
            ConfigErrorKind::Key,
            "caller billing",
        ),
        (
            "an empty secret",
            toml("secret_hex = \"\""),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "an empty text",
            toml("secret_text = \"\""),
            ConfigErrorKind::WeakKey,
            "caller billing: key 1",
        ),
        (
            "a short secret",
            toml(&format!("secret_hex = \"{}\"", &SECRET[..62])),
            ConfigErrorKind::WeakKey,
            "caller billing: key 1",
        ),
        (
            "a short public key",
            toml("ed25519_public_key_hex = \"00\""),
            ConfigErrorKind::Key,
            "caller billing: key 1",
        ),
        (
            "a weak public key",
            toml(&format!("ed25519_public_key_hex = \"{}\"", "00".repeat(32))),
            ConfigErrorKind::WeakKey,
            "caller billing: key 1",
        ),
        (
            "a name that is none",
            toml(&hex).replace("billing", "bill,ing"),
            ConfigErrorKind::Name,
            "bill,ing",
        ),
        (
            "a version that is none",
            toml(&hex).replace("\"1\"", "\"a b\""),
            ConfigErrorKind::Name,
            "a b",
        ),
        (
            "a version twice",
            format!(
                "{}[[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{OTHER_SECRET}\"",
                toml(&hex)
            ),
            ConfigErrorKind::Keyring,
            "version 1",
        ),
        (
            "a key twice with other rules",
            format!("{}{other}\n{hex}\nstate = \"revoked\"", toml(&hex)),
            ConfigErrorKind::SharedKey,
            "caller billing",
        ),
        (
            "a key of two callers",
            format!(
                "{}\n{}",
                toml(&hex),
                toml(&hex).replace("billing", "orders")
            ),
            ConfigErrorKind::SharedKey,
            "caller orders",
        ),
        (
            "a caller twice",
            format!(
                "{}{}",
                toml(&hex),
                toml(&format!("secret_hex = \"{OTHER_SECRET}\""))
            ),
            ConfigErrorKind::File,
            "caller billing",
        ),
        (
            "a key as a caller's name",
            toml(&hex).replace("billing", SECRET),
            ConfigErrorKind::Name,
            "64 hexadecimal digits",
        ),
        (
            "a key as a version",
            toml(&hex).replace("\"1\"", &format!("\"{}\"", &SECRET[..40])),
            ConfigErrorKind::Name,
            "40 hexadecimal digits",
        ),
        (
            "a key in Base64 as a caller's name",
            toml(&hex).replace("billing", &base64),
            ConfigErrorKind::Name,
            "44 bytes",
        ),
        (
            "no callers",
            String::new(),
            ConfigErrorKind::Keyring,
            "at least one caller",
        ),
        (
            "a caller without keys",
            "[[callers]]\nname = \"billing\"\n".to_owned(),
            ConfigErrorKind::Keyring,
            "caller billing",
        ),
    ] {
        let error = Keyring::from_toml(&text).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(part), "{name}: {error}");
        let shown = shown(&error);
        for needle in [&SECRET[1..20], &base64[..20], "__79_Pv6", "9346041949574"] {
            assert!(!shown.contains(needle), "{name}: {shown}");
        }
    }
}

#[test]
fn a_file_is_read_from_disk_and_named_in_the_error() {
    let path = env::temp_dir().join(format!("countersign-keys-{}.toml", process::id()));
    let missing = Keyring::from_toml_file(&path).map(|_| ()).unwrap_err();
    assert_eq!(missing.kind(), ConfigErrorKind::File);
    assert!(
        missing.to_string().contains("countersign-keys-"),
        "{missing}"
    );
    assert!(missing.source().is_some());

    fs::write(&path, toml(&format!("secret_hex = \"{SECRET}\""))).unwrap();
    let keys = Keyring::from_toml_file(&path).unwrap();
    assert_eq!(
        code(&keys, &signed_with(Scheme::HmacSha256, &bytes(SECRET))),
        "accept"
    );

    fs::write(&path, toml(&format!("secret_hex = \"{SECRET}0\""))).unwrap();
    let wrong = Keyring::from_toml_file(&path).map(|_| ()).unwrap_err();
    assert!(wrong.to_string().contains("countersign-keys-"), "{wrong}");
    assert!(!shown(&wrong).contains(&SECRET[..20]), "{wrong}");
    fs::remove_file(&path).unwrap();
}

fn target(members: &str) -> String {
    format!(
        "[[targets]]\nname = \"user-service\"\ncaller = \"billing\"\nauthorities = [\"{HOST}\"]\n{members}\n"
    )
}

#[test]
fn every_documented_member_of_a_target_has_its_effect() {
    let base64 = Base64::encode_string(&bytes(SECRET));
    let hex = format!("secret_hex = \"{SECRET}\"");
    let request = || Message::new("POST", "/", HOST, b"{}").with("x-tenant", "acme");
    let keys = |key: &SigningKey| {
        one_caller(caller_key("1", key.verifying_key()).insecure_three_headers()).unwrap()
    };
    let text_key = SigningKey::hmac_sha256(&Secret::from_text(SECRET).unwrap());
    for (name, members, key, list) in [
        (
            "secret_hex",
            hex.clone(),
            hmac_key(SECRET),
            "host;x-date;x-content-sha256;x-nonce",
        ),
        (
            "secret_base64",
            format!("secret_base64 = \"{base64}\""),
            hmac_key(SECRET),
            "host;x-date;x-content-sha256;x-nonce",
        ),
        (
            "secret_text",
            format!("secret_text = \"{SECRET}\""),
            text_key,
            "host;x-date;x-content-sha256;x-nonce",
        ),
        (
            "ed25519_seed_hex",
            format!("ed25519_seed_hex = \"{SECRET}\""),
            ed25519_key(SECRET),
            "host;x-date;x-content-sha256;x-nonce",
        ),
        (
            "covering",
            format!("{hex}\ncovering = [\"X-Tenant\"]"),
            hmac_key(SECRET),
            "host;x-date;x-content-sha256;x-nonce;x-tenant",
        ),
        (
            "insecure_three_headers",
            format!("{hex}\ninsecure_three_headers = true"),
            hmac_key(SECRET),
            "host;x-date;x-content-sha256",
        ),
    ] {
        let signer = Signer::from_toml(&target(&members), "user-service")
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(signer.caller().unwrap(), &"billing", "{name}");
        let signed = request().signed(&signer, NOW);
        let verified = judge_at(&keys(&key), &signed, NOW).verified(name);
        let covered: Vec<_> = verified.covered_headers().collect();
        assert_eq!(covered.join(";"), list, "{name}");
        // Bound to its authorities.
        let stranger = Message::new("POST", "/", "orders.internal", b"{}")
            .parts()
            .unwrap();
        assert!(
            signer
                .sign(&stranger, PayloadDigest::of(b"{}"), NOW)
                .is_err(),
            "{name}"
        );
    }
}

#[test]
fn a_target_that_is_not_as_documented_is_refused_without_showing_a_key() {
    let hex = format!("secret_hex = \"{SECRET}\"");
    let good = target(&hex);
    let caller = toml(&hex);
    let apart = toml(&format!("secret_hex = \"{OTHER_SECRET}\""));
    assert!(Signer::from_toml(&format!("{good}\n{apart}"), "user-service").is_ok());
    for (name, text, kind) in [
        (
            "another name",
            good.replace("\"user-service\"", "\"orders\""),
            ConfigErrorKind::File,
        ),
        ("twice", good.repeat(2), ConfigErrorKind::File),
        (
            "an unknown member",
            target(&format!("{hex}\nsecret = \"{SECRET}\"")),
            ConfigErrorKind::File,
        ),
        (
            "authorities as text",
            good.replace(&format!("[\"{HOST}\"]"), &format!("\"{HOST}\"")),
            ConfigErrorKind::File,
        ),
        (
            "no caller",
            good.replace("caller = \"billing\"\n", ""),
            ConfigErrorKind::File,
        ),
        (
            "no authorities",
            good.replace(&format!("[\"{HOST}\"]"), "[]"),
            ConfigErrorKind::Authority,
        ),
        (
            "a URL",
            good.replace(HOST, "http://user-service"),
            ConfigErrorKind::Authority,
        ),
        (
            "a caller that is none",
            good.replace("\"billing\"", "\"a b\""),
            ConfigErrorKind::Name,
        ),
        ("no key", target(""), ConfigErrorKind::Key),
        (
            "two keys",
            target(&format!("{hex}\ned25519_seed_hex = \"{SECRET}\"")),
            ConfigErrorKind::Key,
        ),
        (
            "a weak key",
            target(&format!("secret_hex = \"{}\"", &SECRET[..62])),
            ConfigErrorKind::WeakKey,
        ),
        (
            "a short seed",
            target(&format!("ed25519_seed_hex = \"{}\"", &SECRET[..62])),
            ConfigErrorKind::Key,
        ),
        (
            "a header of the connection",
            target(&format!("{hex}\ncovering = [\"connection\"]")),
            ConfigErrorKind::Coverage,
        ),
        (
            "a header that is none",
            target(&format!("{hex}\ncovering = [\"a b\"]")),
            ConfigErrorKind::Coverage,
        ),
        (
            "a caller's key",
            format!("{good}\n{caller}"),
            ConfigErrorKind::SharedKey,
        ),
    ] {
        let error = Signer::from_toml(&text, "user-service")
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(!shown(&error).contains(&SECRET[1..20]), "{name}: {error}");
    }
    // The same file is refused from the other side.
    let error = Keyring::from_toml(&format!("{good}\n{caller}"))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::SharedKey);
}
