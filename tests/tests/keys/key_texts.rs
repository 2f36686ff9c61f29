//! One rule for the text of a key, from every source: what an editor or a mount added is refused
//! and named.

use countersign::{
    ConfigError, DerivedKeyring, Keyring, Scheme, Secret, SharedSigner, SigV4Credentials, Signer,
    SigningKey, Verifier, VerifyingKey,
};
use tests::{directory::Directory, keys::SECRET};

use crate::{HOST, bytes, code, shown, signed_with};

const TEXT: &str = "correct horse battery staple 0123456789 xyz";
const BASE64: &str = "m0NgQbyaSVdOsmZbKtKgo/n5zOTkL10fJt64olazlmo=";

type Load = Box<dyn Fn(&str) -> Result<(), ConfigError>>;

/// A source of keys: how its errors name the setting, a good key for it, and how it is loaded.
struct Source {
    setting: &'static str,
    key: &'static str,
    load: Load,
}

fn source<T>(
    setting: &'static str,
    key: &'static str,
    load: impl Fn(&str) -> Result<T, ConfigError> + 'static,
) -> Source {
    Source {
        setting,
        key,
        load: Box::new(move |text| load(text).map(drop)),
    }
}

/// As a basic string of TOML or a string of JSON, which escape these alike.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn caller(member: &'static str) -> impl Fn(&str) -> Result<Keyring, ConfigError> {
    move |text| {
        Keyring::from_toml(&format!(
            "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\n{member} = {}\n",
            quoted(text)
        ))
    }
}

fn target(member: &str, text: &str) -> String {
    format!(
        "[[targets]]\nname = \"users\"\ncaller = \"billing\"\nauthorities = [\"{HOST}\"]\n{member} = {}\n",
        quoted(text)
    )
}

fn derived(text: &str) -> Result<DerivedKeyring, ConfigError> {
    let verifier = Verifier::builder().expected_hosts([HOST]).build()?;
    let text = quoted(text);
    let toml = format!(
        "[derived]\ncallee = \"users\"\ndeny = []\n[[derived.roots]]\nversion = \"1\"\nsecret_text = {text}\n"
    );
    DerivedKeyring::from_toml(&toml, &verifier)
}

fn sources() -> Vec<Source> {
    let object = |text: &str| format!("{{\"billing\":{}}}", quoted(text));
    vec![
        source("", TEXT, Secret::from_text),
        source("", SECRET, Secret::from_hex),
        source("", BASE64, Secret::from_base64),
        source("", BASE64, Secret::from_webhook_secret),
        source("", TEXT, Secret::from_webhook_text),
        source(
            "",
            "402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38",
            VerifyingKey::ed25519_from_hex,
        ),
        source(
            "",
            "QC4yglHyISN/C3OPasuEkv1wYU1h3rH2+OAg61zte4s=",
            |text: &str| Secret::from_base64(text),
        ),
        source("SERVICE_SECRETS: caller billing: ", SECRET, move |text| {
            Keyring::from_service_secrets(&object(text), None)
        }),
        source("SERVICE_SECRETS: target billing: ", SECRET, move |text| {
            Signer::from_service_secrets("a", &object(text), "billing", HOST)
        }),
        source(
            "line 3: caller billing: key 1: secret_text: ",
            TEXT,
            caller("secret_text"),
        ),
        source(
            "line 3: caller billing: key 1: secret_hex: ",
            SECRET,
            caller("secret_hex"),
        ),
        source(
            "line 3: caller billing: key 1: secret_base64: ",
            BASE64,
            caller("secret_base64"),
        ),
        source(
            "line 3: caller billing: key 1: ed25519_public_key_hex: ",
            "402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38",
            caller("ed25519_public_key_hex"),
        ),
        source("line 1: target users: secret_text: ", TEXT, |text| {
            Signer::from_toml(&target("secret_text", text), "users")
        }),
        source("line 1: target users: ed25519_seed_hex: ", SECRET, |text| {
            SharedSigner::from_toml(&target("ed25519_seed_hex", text), "users")
        }),
        source("line 4: derived: root 1: secret_text: ", TEXT, derived),
        source("session token: ", "token//+==", |text: &str| {
            let key = SigningKey::sigv4(&Secret::from_text(TEXT)?);
            let token = Secret::from_bytes(text.as_bytes());
            SigV4Credentials::new("AKID", key)?.with_session_token(&token)
        }),
    ]
}

/// Source: a file with a second line end, a mount with CRLF, `.env` files that keep quotes, and
/// editors that write a byte order mark.
#[test]
fn what_was_added_to_a_key_is_refused_and_named_from_every_source() {
    for Source { setting, key, load } in sources() {
        load(key).unwrap_or_else(|error| panic!("{setting}: {error}"));
        for (text, found) in [
            (format!("{key}\n"), "ends in a line end"),
            (format!("{key}\r\n"), "ends in a line end"),
            (format!("{key} "), "ends in white space"),
            (format!(" {key}"), "begins with white space"),
            (format!("\"{key}\""), "is enclosed in quotes"),
            (format!("'{key}'"), "is enclosed in quotes"),
            (
                format!("<{key}>"),
                "is enclosed in angle brackets, as placeholders are",
            ),
            (format!("\u{feff}{key}"), "begins with a byte order mark"),
        ] {
            let error = load(&text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{setting}expected the key alone, found a text that {found}")
            );
            assert!(!shown(&error).contains(&key[2..8]), "{error}");
        }
    }
}

#[test]
fn a_file_of_a_directory_may_end_in_one_line_end_and_in_nothing_else() {
    for (content, found) in [
        (TEXT.to_owned(), None),
        (format!("{TEXT}\n"), None),
        (format!("{TEXT}\r\n"), None),
        (format!("{TEXT}\n\n"), Some("ends in a line end")),
        (format!("{TEXT}\r\n\r\n"), Some("ends in a line end")),
        (format!("{TEXT}\r"), Some("ends in a line end")),
        (format!("{TEXT} \n"), Some("ends in white space")),
        (format!("\"{TEXT}\"\n"), Some("is enclosed in quotes")),
        (
            format!("\u{feff}{TEXT}"),
            Some("begins with a byte order mark"),
        ),
    ] {
        let directory = Directory::new();
        directory.write("billing.1.secret_text", &content);
        let loaded = Keyring::from_directory(directory.path());
        match (loaded, found) {
            (Ok(keys), None) => {
                let message = signed_with(Scheme::HmacSha256, TEXT.as_bytes());
                assert_eq!(code(&keys, &message), "accept", "{content:?}");
            }
            (Err(error), Some(found)) => {
                let expected = format!(
                    "{}: \"billing.1.secret_text\": expected the key alone, found a text that {found}",
                    directory.path().display()
                );
                assert_eq!(error.to_string(), expected);
            }
            (loaded, _) => panic!("{content:?}: {loaded:?}"),
        }
    }
}

#[test]
fn one_encoding_in_the_place_of_another_is_refused_and_named() {
    for (member, text, found) in [
        (
            "secret_base64",
            SECRET,
            "expected Base64, found 64 hexadecimal digits",
        ),
        (
            "secret_hex",
            BASE64,
            "expected hexadecimal digits, found Base64",
        ),
        (
            "ed25519_public_key_hex",
            BASE64,
            "expected hexadecimal digits, found Base64",
        ),
    ] {
        let error = caller(member)(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 3: caller billing: key 1: {member}: {found}")
        );
        let directory = Directory::new();
        directory.write(&format!("billing.1.{member}"), text);
        let error = Keyring::from_directory(directory.path()).unwrap_err();
        assert!(error.to_string().ends_with(found), "{error}");
    }
    let error = VerifyingKey::message_ed25519_from_base64(SECRET).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected Base64, found 64 hexadecimal digits"
    );
}

#[test]
fn digits_are_a_text_where_a_text_is_expected() {
    for (member, secret) in [
        ("secret_text", SECRET.as_bytes().to_vec()),
        ("secret_hex", bytes(SECRET)),
    ] {
        let keys = caller(member)(SECRET).unwrap();
        let message = signed_with(Scheme::HmacSha256, &secret);
        assert_eq!(code(&keys, &message), "accept", "{member}");
    }
    assert!(Secret::from_text(SECRET).is_ok());
    assert!(Secret::from_text(BASE64).is_ok());
}

#[test]
fn a_webhook_secret_in_toml_is_base64_with_its_prefix_or_a_text() {
    let webhook = |member: &str, text: &str| {
        Keyring::from_toml(&format!(
            "[[callers]]\nname = \"svix\"\n[[callers.keys]]\nversion = \"1\"\nscheme = \"Standard-Webhooks\"\n{member} = {}\n",
            quoted(text)
        ))
    };
    let prefixed = format!("whsec_{BASE64}");
    for (member, text, expected) in [
        ("secret_base64", BASE64, None),
        ("secret_base64", &prefixed, None),
        ("secret_text", TEXT, None),
        ("secret_text", SECRET, None),
        (
            "secret_text",
            &prefixed,
            Some("expected a secret as plain text, found the prefix whsec_ of Base64"),
        ),
        (
            "secret_base64",
            SECRET,
            Some("expected Base64, found 64 hexadecimal digits"),
        ),
    ] {
        match (webhook(member, text), expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => assert_eq!(
                error.to_string(),
                format!("line 3: caller svix: key 1: {member}: {expected}")
            ),
            (loaded, _) => panic!("{member} {text}: {loaded:?}"),
        }
    }
    // The prefix belongs to that scheme alone.
    assert!(caller("secret_base64")(&prefixed).is_err());
}
