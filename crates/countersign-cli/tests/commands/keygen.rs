//! `keygen`: what it prints is what both sides load.

use countersign::{Keyring, Scheme, Signer};
use countersign_cli::Exit;
use serde_json::Value;

use std::fs;

use crate::{
    folder::Folder,
    program::program,
    receiver::{accept_now, json, signed_parts},
};

/// Every kind of key, with the options that its signer needs.
pub(crate) const KINDS: [(&str, Scheme, &str); 10] = [
    ("hmac-sha256", Scheme::HmacSha256, "--as billing"),
    ("ed25519", Scheme::Ed25519, "--as billing"),
    (
        "message-signatures",
        Scheme::MessageSignatures,
        "--as billing",
    ),
    (
        "message-signatures-ed25519",
        Scheme::MessageSignatures,
        "--as billing",
    ),
    (
        "sigv4",
        Scheme::SigV4,
        "--region eu-central-1 --service users",
    ),
    ("webhook", Scheme::StandardWebhooks, ""),
    ("webhook-ed25519", Scheme::StandardWebhooks, ""),
    ("cavage", Scheme::Cavage, "--as billing"),
    ("cavage-ed25519", Scheme::Cavage, "--as billing"),
    ("drf", Scheme::Drf, "--nonce-always"),
];

fn made(kind: &str, further: &str) -> Value {
    let arguments = format!(
        "--json keygen --scheme {kind} --caller billing --target user-service --authority \
         user-service:8081{further}"
    );
    json(&program(&arguments).run().expect(Exit::Yes))
}

/// Returns the text of the key that signs. That of a webhook's Ed25519 key is in a snippet alone.
pub(crate) fn signing_key<'m>(kind: &str, made: &'m Value) -> &'m str {
    let snippet = made["snippets"]["caller"].as_str().unwrap();
    match (kind, made["secret"].as_str()) {
        ("webhook-ed25519", _) => snippet.trim_end().split_once("_KEY=").unwrap().1,
        (_, Some(secret)) => secret,
        (_, None) => made["private_key"]["hex"].as_str().unwrap(),
    }
}

/// Signs with the key of an answer, and returns the caller that its callee accepts.
fn call(
    kind: &str,
    scheme: Scheme,
    options: &str,
    made: &Value,
    key: &str,
) -> Result<String, String> {
    let name = match made["key_id"].as_str() {
        Some(key_id) => format!(" --as {key_id}"),
        None => String::new(),
    };
    let options = format!(
        "--json sign POST http://user-service:8081/api/account --scheme {kind} --key-env KEY \
         {options}{name} -d {{}}"
    );
    let options: Vec<_> = options.split_whitespace().collect();
    let signed = program(&options.join(" ")).variable("KEY", key).run();
    let signed = json(&signed.expect(Exit::Yes));
    let keys = Keyring::from_toml(made["snippets"]["callee"].as_str().unwrap()).unwrap();
    accept_now(scheme, &keys, &signed_parts(&signed, &[]), b"{}")
}

#[test]
fn a_request_that_the_caller_signs_is_accepted_by_the_callee_in_every_scheme() {
    for (kind, scheme, options) in KINDS {
        let made = made(kind, "");
        assert_eq!(made["scheme"], scheme.name(), "{kind}");
        let key = signing_key(kind, &made);
        let snippet = made["snippets"]["caller"].as_str().unwrap();
        assert_eq!(
            call(kind, scheme, options, &made, key),
            Ok("billing".into()),
            "{kind}"
        );
        assert!(snippet.contains(key), "{kind}: {snippet}");
        let another = self::made(kind, "");
        let refused = call(kind, scheme, options, &another, key);
        assert!(refused.is_err(), "{kind}");
    }
}

#[test]
fn the_snippet_of_a_native_caller_is_a_target_that_signs() {
    for kind in ["hmac-sha256", "ed25519"] {
        let made = made(kind, "");
        let text = made["snippets"]["caller"].as_str().unwrap();
        let signer = Signer::from_toml(text, "user-service").unwrap();
        assert_eq!(signer.caller().unwrap(), &"billing", "{kind}");
    }
}

#[test]
fn an_ed25519_key_is_one_key_in_each_of_its_forms() {
    let made = made("ed25519", "");
    for form in ["hex", "pem", "jwk"] {
        let key = made["private_key"][form].as_str().unwrap();
        let accepted = call("ed25519", Scheme::Ed25519, "--as billing", &made, key);
        assert_eq!(accepted, Ok("billing".into()), "{form}");
    }
    let public: Value = json(made["public_key"]["jwk"].as_str().unwrap());
    assert_eq!(public["crv"], "Ed25519");
    assert!(public.get("d").is_none(), "{public}");
}

#[test]
fn the_variables_are_those_that_both_sides_read() {
    let made = made("hmac-sha256", " --format env");
    let value = |side: &str| {
        let text = made["snippets"][side].as_str().unwrap();
        let (_, value) = text.split_once("SERVICE_SECRETS='").unwrap();
        value.trim_end().strip_suffix('\'').unwrap().to_owned()
    };
    assert_eq!(
        Keyring::from_service_secrets(&value("callee"), None)
            .unwrap()
            .len(),
        1
    );
    let targets = value("caller");
    Signer::from_service_secrets("billing", &targets, "user-service", "user-service:8081").unwrap();
    let caller = made["snippets"]["caller"].as_str().unwrap();
    assert!(caller.starts_with("SERVICE_NAME=billing\n"), "{caller}");

    let refused = program("keygen --scheme drf --format env").run();
    assert!(refused.expect_error(Exit::Usage).contains("hmac-sha256"));
}

#[test]
fn the_kubernetes_secrets_hold_the_files_that_both_sides_read() {
    for kind in ["hmac-sha256", "ed25519", "webhook"] {
        let made = made(kind, " --format kubernetes");
        let secret = |side: &str| -> serde_norway::Value {
            serde_norway::from_str(made["snippets"][side].as_str().unwrap()).unwrap()
        };
        let verifying = secret("callee");
        assert_eq!(verifying["kind"], "Secret");
        assert_eq!(verifying["metadata"]["name"], "user-service-callers");
        Keyring::from_toml(verifying["stringData"]["callers.toml"].as_str().unwrap()).unwrap();
        let signing = secret("caller");
        let data = &signing["stringData"];
        if kind == "webhook" {
            let key = data["USER_SERVICE_KEY"].as_str().unwrap();
            assert!(key.starts_with("whsec_"));
        } else {
            let targets = data["targets.toml"].as_str().unwrap();
            Signer::from_toml(targets, "user-service").unwrap();
        }
    }
}

#[test]
fn names_that_no_side_would_load_are_refused() {
    for (name, arguments) in [
        ("a caller", "--caller a=b"),
        ("a target", "--target a,b"),
        ("an authority", "--authority a/b"),
        (
            "an authority of another scheme",
            "--scheme drf --authority a/b",
        ),
        ("a version", "--key-version a=b;c"),
        ("a scheme", "--scheme rot13"),
    ] {
        let outcome = program(&format!("keygen {arguments}")).run();
        assert_eq!(outcome.exit, Exit::Usage, "{name}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{name}");
    }
}

#[test]
fn the_text_has_both_snippets_and_the_month_as_version() {
    let text = program("keygen --caller billing --target user-service").run();
    let text = text.expect(Exit::Yes);
    for part in [
        "# user-service, which verifies:\n[[callers]]\nname = \"billing\"\n",
        "version = \"2026-01\"\nsecret_hex = \"",
        "# billing, which signs:\n[[targets]]\nname = \"user-service\"\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_key_that_goes_to_two_new_files_is_not_shown() {
    let folder = Folder::new();
    let [callers, targets] = ["callers.toml", "targets.toml"].map(|name| folder.file(name));
    let keygen = |further: &str| {
        let program = program(&format!("keygen --target users --scheme ed25519{further}"));
        program
            .with("--callee-file")
            .with(&callers)
            .with("--caller-file")
            .with(&targets)
            .run()
    };
    let said = keygen("").expect(Exit::Yes);
    assert!(
        said.starts_with(&format!("wrote {}, for users\n", callers.display())),
        "{said}"
    );
    let [verifying, signing] = [&callers, &targets].map(|path| fs::read_to_string(path).unwrap());
    Keyring::from_toml(&verifying).unwrap();
    Signer::from_toml(&signing, "users").unwrap();
    let seed = signing.rsplit('"').nth(1).unwrap();
    assert!(seed.len() == 64 && !said.contains(seed), "{said}");
    let answer = json(&{
        fs::remove_file(&callers).unwrap();
        fs::remove_file(&targets).unwrap();
        keygen(" --json").expect(Exit::Yes)
    });
    assert!(
        answer["private_key"].is_null() && answer["snippets"].is_null(),
        "{answer}"
    );

    // A file that is there stays, and the other half of the new key is not left behind.
    fs::remove_file(&callers).unwrap();
    let before = fs::read_to_string(&targets).unwrap();
    assert!(
        keygen("")
            .expect_error(Exit::Unavailable)
            .contains("cannot be written")
    );
    assert_eq!(fs::read_to_string(&targets).unwrap(), before);
    assert!(!callers.exists());
}

#[test]
#[ignore = "needs openssl"]
fn openssl_reads_the_pem() {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };
    let made = made("ed25519", "");
    let mut openssl = Command::new("openssl")
        .args(["pkey", "-pubout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pem = made["private_key"]["pem"].as_str().unwrap();
    openssl
        .stdin
        .take()
        .unwrap()
        .write_all(pem.as_bytes())
        .unwrap();
    let output = openssl.wait_with_output().unwrap();
    let public = String::from_utf8(output.stdout).unwrap();
    assert_eq!(public, made["public_key"]["pem"].as_str().unwrap());
}
