//! The texts for the two sides of a key.

use std::fmt::Write;

use countersign::{Keyring, TargetSigners};
use zeroize::Zeroizing;

use super::{Names, material::Material};
use crate::{failure::Failure, key_kind::KeyKind, shell_quote::quote};

/// Returns the caller's entry in the file that the callee reads.
pub(super) fn callers_toml(names: &Names, material: &Material) -> Zeroizing<String> {
    let (key, value) = material.callee_entry();
    let mut text = format!(
        "[[callers]]\nname = {}\n\n[[callers.keys]]\nversion = {}\n",
        toml(&names.caller),
        toml(&names.version)
    );
    if !material.kind().has_targets() {
        let scheme = material.kind().scheme().name();
        let _ = writeln!(text, "scheme = {}", toml(scheme));
    }
    if let Some(key_id) = material.key_id() {
        let _ = writeln!(text, "key_id = {}", toml(key_id));
    }
    let _ = writeln!(text, "{key} = {}", toml(value));
    Zeroizing::new(text)
}

/// Returns the target in the file that the caller reads. `None` in the schemes without targets.
pub(super) fn targets_toml(names: &Names, material: &Material) -> Option<Zeroizing<String>> {
    let key = target_key(material.kind())?;
    Some(Zeroizing::new(format!(
        "[[targets]]\nname = {}\ncaller = {}\nauthorities = [{}]\n{key} = {}\n",
        toml(&names.target),
        toml(&names.caller),
        toml(&names.authority),
        toml(material.caller_text())
    )))
}

/// Returns the variables of a caller whose scheme is set up in code.
pub(super) fn caller_variables(names: &Names, material: &Material) -> Zeroizing<String> {
    let variables = variables(names, material);
    let mut text = Zeroizing::new(format!("# {}\n", constructor(material.kind())));
    for (name, value) in variables {
        let _ = writeln!(text, "{name}={}", quote(value));
    }
    text
}

/// Returns the text of a new key for a caller that keeps its old key for a while.
pub(in crate::commands) fn new_key_of_caller(
    version: &str,
    material: &Material,
) -> Zeroizing<String> {
    let Some(key) = target_key(material.kind()) else {
        let names = Names {
            caller: String::new(),
            target: "new".to_owned(),
            authority: String::new(),
            version: version.to_owned(),
        };
        return caller_variables(&names, material);
    };
    Zeroizing::new(format!(
        "[[targets.keys]]\nversion = {}\n{key} = {}\n",
        toml(version),
        toml(material.caller_text())
    ))
}

/// Returns the name of a key in a target. `None` in the schemes without targets.
fn target_key(kind: KeyKind) -> Option<&'static str> {
    match kind {
        KeyKind::HmacSha256 => Some("secret_hex"),
        KeyKind::Ed25519 => Some("ed25519_seed_hex"),
        _ => None,
    }
}

/// Returns `SERVICE_SECRETS` of both sides.
pub(super) fn service_secrets(names: &Names, material: &Material) -> [Zeroizing<String>; 2] {
    let object = |name: &str| {
        let object = serde_json::json!({ name: material.caller_text() });
        quote(&object.to_string())
    };
    [
        Zeroizing::new(format!("SERVICE_SECRETS={}\n", object(&names.caller))),
        Zeroizing::new(format!(
            "SERVICE_NAME={}\nSERVICE_SECRETS={}\n",
            quote(&names.caller),
            object(&names.target)
        )),
    ]
}

/// Returns the Secrets that hold what the two sides read.
pub(super) fn kubernetes(
    names: &Names,
    material: &Material,
    callers: &str,
    targets: Option<&str>,
) -> [Zeroizing<String>; 2] {
    let verifying = secret(
        &format!("{}-callers", names.target),
        [("callers.toml", callers)],
    );
    let name = format!("{}-for-{}", names.caller, names.target);
    let signing = if let Some(targets) = targets {
        secret(&name, [("targets.toml", targets)])
    } else {
        let variables = variables(names, material);
        let variables = variables.iter();
        secret(
            &name,
            variables.map(|(name, value)| (name.as_str(), *value)),
        )
    };
    [verifying, signing]
}

/// Loads the texts as the two sides do.
pub(super) fn ensure_loads(
    names: &Names,
    callers: &str,
    targets: Option<&str>,
) -> Result<(), Failure> {
    Keyring::from_toml(callers)?;
    match targets {
        Some(targets) => {
            TargetSigners::from_toml(targets)?;
        }
        None => {
            http::uri::Authority::try_from(names.authority.as_str()).map_err(|error| {
                Failure::usage(format_args!("--authority {:?}: {error}", names.authority))
            })?;
        }
    }
    Ok(())
}

/// Returns the variables that hold the key of a caller.
fn variables<'m>(names: &Names, material: &'m Material) -> Vec<(String, &'m str)> {
    if let Some(key_id) = material.key_id() {
        return vec![
            ("AWS_ACCESS_KEY_ID".to_owned(), key_id),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), material.caller_text()),
        ];
    }
    let letter = |char: char| match char {
        char if char.is_ascii_alphanumeric() => char.to_ascii_uppercase(),
        _ => '_',
    };
    let target: String = names.target.chars().map(letter).collect();
    // A variable begins with no digit.
    let start = if target.starts_with(|it: char| it.is_ascii_digit()) {
        "_"
    } else {
        ""
    };
    vec![(format!("{start}{target}_KEY"), material.caller_text())]
}

/// Names the call that takes the key of a caller.
fn constructor(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::SigV4 => "SigV4Credentials::from_env reads both.",
        KeyKind::MessageSignatures => "For SigningKey::message_hmac_sha256, in hexadecimal digits.",
        KeyKind::MessageSignaturesEd25519 => {
            "The seed for SigningKey::message_ed25519, in hexadecimal digits."
        }
        KeyKind::Webhook => "For Secret::from_webhook_secret and SigningKey::standard_webhooks.",
        KeyKind::WebhookEd25519 => "For SigningKey::standard_webhooks_ed25519.",
        KeyKind::Cavage => "For Secret::from_text and SigningKey::cavage_hmac_sha256.",
        KeyKind::CavageEd25519 => "The seed for SigningKey::cavage_ed25519, in hexadecimal digits.",
        KeyKind::Drf => "For Secret::from_text and SigningKey::drf.",
        KeyKind::HmacSha256 | KeyKind::Ed25519 => "For Signer::from_toml.",
    }
}

fn toml(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Writes a Secret, whose name has the letters that Kubernetes allows.
fn secret<'d>(name: &str, data: impl IntoIterator<Item = (&'d str, &'d str)>) -> Zeroizing<String> {
    let letter = |char: char| match char {
        char if char.is_ascii_alphanumeric() => char.to_ascii_lowercase(),
        _ => '-',
    };
    let name: String = name.chars().map(letter).collect();
    let mut text = Zeroizing::new(format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {}\ntype: Opaque\nstringData:\n",
        name.trim_matches('-')
    ));
    for (name, value) in data {
        if value.contains('\n') {
            let _ = writeln!(text, "  {name}: |");
            for line in value.lines() {
                let indent = if line.is_empty() { "" } else { "    " };
                let _ = writeln!(text, "{indent}{line}");
            }
        } else {
            // A JSON string is a YAML string.
            let _ = writeln!(text, "  {name}: {}", serde_json::json!(value));
        }
    }
    text
}
