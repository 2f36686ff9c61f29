//! Errors at load name the mistake, its place and the expected value.

use countersign::{ConfigError, DerivedKeyring, Keyring, SharedSigner, Signer, Verifier};
use tests::{
    directory::Directory,
    keys::{OTHER_SECRET, SECRET},
};

use crate::{HOST, shown};

const KNOWN: &str = "version, scheme, key_id, secret_hex, secret_base64, secret_text, secret_jwk, ed25519_public_key_hex, public_key_jwk, public_key_pem, algorithm, state, not_before, not_after, nonce, insecure_three_headers";

fn callers(key: &str) -> String {
    format!("[[callers]]\nname = \"billing\"\n\n[[callers.keys]]\nversion = \"1\"\n{key}\n")
}

fn targets(members: &str) -> String {
    format!(
        "[[targets]]\nname = \"users\"\ncaller = \"billing\"\nauthorities = [\"{HOST}\"]\n{members}\n"
    )
}

fn derived(members: &str) -> String {
    format!("[derived]\ncallee = \"users\"\n{members}\n")
}

fn read_derived(text: &str) -> Result<DerivedKeyring, ConfigError> {
    let verifier = Verifier::builder().expected_hosts([HOST]).build()?;
    DerivedKeyring::from_toml(text, &verifier)
}

#[test]
fn an_error_in_toml_names_place_mistake_and_what_is_known() {
    let hex = format!("secret_hex = \"{SECRET}\"");
    let other = format!("secret_hex = \"{OTHER_SECRET}\"");
    let long = "x".repeat(30);
    for (name, text, expected) in [
        (
            "a misspelt key",
            callers(&format!("secret_hx = \"{SECRET}\"")),
            format!("line 6, column 1: unknown key secret_hx: expected one of {KNOWN} (did you mean secret_hex?)"),
        ),
        (
            "a key that is near to none",
            callers(&format!("{hex}\nrotation = \"{SECRET}\"")),
            format!("line 7, column 1: unknown key rotation: expected one of {KNOWN}"),
        ),
        (
            "a secret in the place of a key",
            callers(&format!("{SECRET} = \"secret_hex\"")),
            format!("line 6, column 1: unknown key: expected one of {KNOWN}"),
        ),
        (
            "a long name in the place of a key",
            callers(&format!("{long} = 1")),
            format!("line 6, column 1: unknown key: expected one of {KNOWN}"),
        ),
        (
            "an unknown table",
            "[[caller]]\nname = \"a\"\n".to_owned(),
            "line 1, column 3: unknown key caller: expected one of callers, targets, derived (did you mean callers?)".to_owned(),
        ),
        (
            "a misspelt state",
            callers(&format!("{hex}\nstate = \"accept_only\"")),
            "line 7, column 9: unknown value accept_only: expected one of active, accept-only, revoked (did you mean accept-only?)".to_owned(),
        ),
        (
            "a misspelt nonce rule",
            callers(&format!("{hex}\nnonce = \"option\"")),
            "line 7, column 9: unknown value option: expected one of required, optional (did you mean optional?)".to_owned(),
        ),
        (
            "a misspelt scheme",
            callers(&format!("{hex}\nscheme = \"HMAC_SHA256\"")),
            "line 4: caller billing: key 1: unknown scheme HMAC_SHA256: expected one of HMAC-SHA256, ED25519, X-HMAC-SHA256, Standard-Webhooks, RFC 9421, draft-cavage-12, AWS4-HMAC-SHA256 (did you mean HMAC-SHA256?)".to_owned(),
        ),
        (
            "no version",
            format!("[[callers]]\nname = \"billing\"\n[[callers.keys]]\n{hex}\n"),
            "line 3, column 1: expected version, found none".to_owned(),
        ),
        (
            "a number for a text",
            callers("secret_hex = 9346041949574"),
            "line 6, column 14: expected a string, found an integer".to_owned(),
        ),
        (
            "a text for a boolean",
            callers(&format!("{hex}\ninsecure_three_headers = \"true\"")),
            "line 7, column 26: expected true or false, found a string".to_owned(),
        ),
        (
            "a table for a list",
            "[callers]\nname = \"billing\"\n".to_owned(),
            "line 1, column 1: expected an array, found a table".to_owned(),
        ),
        (
            "a value without quotes",
            callers(&format!("secret_hex = {SECRET}")),
            "line 6, column 1".to_owned(),
        ),
        (
            "a byte order mark",
            format!("\u{feff}{}", callers(&hex)),
            "line 1, column 1: expected TOML, found a byte order mark".to_owned(),
        ),
        (
            "no key",
            callers(""),
            "line 4: caller billing: key 1: expected exactly one of secret_hex, secret_base64, secret_text, secret_jwk, ed25519_public_key_hex, public_key_jwk, public_key_pem, found none".to_owned(),
        ),
        (
            "two keys",
            callers(&format!("{hex}\nsecret_text = \"{OTHER_SECRET}\"")),
            "line 4: caller billing: key 1: expected exactly one of secret_hex, secret_base64, secret_text, found secret_hex and secret_text".to_owned(),
        ),
        (
            "a weak key",
            callers("secret_hex = \"00\""),
            "line 4: caller billing: key 1: weak key: expected at least 32 bytes, found 1".to_owned(),
        ),
        (
            "a caller twice",
            format!("{}{}", callers(&hex), callers(&format!("secret_hex = \"{OTHER_SECRET}\""))),
            "line 7: caller billing: expected once in the file, found twice".to_owned(),
        ),
        (
            "a target twice",
            format!("{}{}{}", callers(&hex), targets(&other), targets(&other)),
            "line 12: target users: expected once in the file, found twice".to_owned(),
        ),
        (
            "a weak key of a target",
            format!("{}{}", callers(&hex), targets("secret_hex = \"00\"")),
            "line 7: target users: signer billing: weak key: expected at least 32 bytes, found 1".to_owned(),
        ),
    ] {
        let error = Keyring::from_toml(&text).map(drop).unwrap_err();
        assert!(error.to_string().starts_with(&expected), "{name}:\n{error}\n{expected}");
        // The text of an error in TOML's syntax is the parser's.
        let exact = name != "a value without quotes";
        assert!(exact || error.to_string().contains(": expected TOML"), "{error}");
        assert!(!exact || error.to_string() == expected, "{name}: {error}");
        for key in [&SECRET[..12], &OTHER_SECRET[..12], "9346041949574"] {
            assert!(!shown(&error).contains(key), "{name}: {error}");
        }
    }
}

#[test]
fn an_error_about_a_target_names_the_targets_that_there_are() {
    let hex = format!("secret_hex = \"{SECRET}\"");
    let twice = format!(
        "{}{}",
        targets(&hex),
        targets(&format!("secret_hex = \"{OTHER_SECRET}\""))
    );
    let keys = targets(&format!("[[targets.keys]]\nversion = \"1\"\n{hex}"));
    let bad_key = targets("[[targets.keys]]\nversion = \"1\"\nsecret_hex = \"0\"");
    for (name, text, target, expected) in [
        (
            "none of this name",
            targets(&hex),
            "user",
            "target \"user\": expected once in the file, found none but users (did you mean users?)",
        ),
        (
            "none at all",
            String::new(),
            "users",
            "target \"users\": expected once in the file, found none",
        ),
        (
            "twice",
            twice,
            "users",
            "target \"users\": expected once in the file, found it at line 1 and at line 6",
        ),
        (
            "several keys for one signer",
            keys,
            "users",
            "line 1: target users: expected one key beside its name, found targets.keys: SharedSigner::from_toml reads both",
        ),
        (
            "an authority that is none",
            targets(&hex).replace(HOST, "users/path"),
            "users",
            "line 1: target users: authority \"users/path\": ",
        ),
    ] {
        let error = Signer::from_toml(&text, target).map(drop).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{name}: {error}");
        let exact = !expected.ends_with(": ");
        assert!(!exact || error.to_string() == expected, "{name}: {error}");
    }
    let error = SharedSigner::from_toml(&bad_key, "users").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1: target users: key 1 (line 5): secret_hex: expected hexadecimal digits, found an odd number of them"
    );
}

#[test]
fn an_error_about_roots_names_what_is_known() {
    let root = format!("[[derived.roots]]\nversion = \"1\"\nsecret_hex = \"{SECRET}\"");
    for (name, text, expected) in [
        (
            "no list",
            derived(&root),
            "derived: expected exactly one of allow and deny, found none",
        ),
        (
            "both lists",
            derived(&format!("allow = []\ndeny = []\n{root}")),
            "derived: expected exactly one of allow and deny, found both",
        ),
        (
            "a root without a key",
            derived("deny = []\n[[derived.roots]]\nversion = \"1\""),
            "line 4: derived: root 1: expected exactly one of secret_hex, secret_base64, secret_text, found none",
        ),
        (
            "a misspelt member",
            derived(&format!("denied = []\n{root}")),
            "line 3, column 1: unknown key denied: expected one of callee, allow, deny, roots",
        ),
    ] {
        let error = read_derived(&text).map(drop).unwrap_err();
        assert_eq!(error.to_string(), expected, "{name}");
    }
}

#[test]
fn an_error_about_a_file_of_a_directory_names_the_known_endings() {
    for (file, expected) in [
        (
            "billing.1.secret_hx",
            "unknown encoding after the last dot secret_hx: expected one of secret_hex, secret_base64, secret_text, ed25519_public_key_hex (did you mean secret_hex?)",
        ),
        (
            "billing.1.txt",
            "unknown encoding after the last dot txt: expected one of secret_hex, secret_base64, secret_text, ed25519_public_key_hex",
        ),
    ] {
        let directory = Directory::new();
        directory.write(file, SECRET);
        let error = Keyring::from_directory(directory.path()).unwrap_err();
        let place = directory.path().display();
        assert_eq!(error.to_string(), format!("{place}: {file:?}: {expected}"));
    }
    let directory = Directory::new();
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(SECRET.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(directory.join("billing.1.secret_hex"), utf16).unwrap();
    let error = Keyring::from_directory(directory.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected text in UTF-8, found UTF-16"),
        "{error}"
    );
}
