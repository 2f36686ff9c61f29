//! The schemes other than `HMAC-SHA256`. Each is off unless its variable is set.

use std::fmt;

use countersign::{
    Algorithm, CallerKey, DrfVerifySettings, Keyring, KeyringBuilder,
    MessageSignaturesVerifySettings, Secret, SigV4VerifySettings, StandardWebhooksVerifySettings,
    Verifier, VerifierBuilder, VerifyingKey,
};
use http::{HeaderName, Method};
use tower_countersign::BoxError;

use crate::{config::variable, key_object};

/// The only target for schemes whose signature covers only the body.
const BODY_ONLY_TARGET: &str = "/api/echo";

const SIGV4_UNCOVERED_HEADERS: &str = "SIGV4_UNCOVERED_HEADERS";
const SIGV4_LENIENT_QUERIES: &str = "SIGV4_LENIENT_QUERIES";
const WEBHOOK_HEADERS: &str = "WEBHOOK_HEADERS";

/// Adds the keys of the variables.
pub(crate) fn keys(keys: KeyringBuilder) -> Result<KeyringBuilder, BoxError> {
    Ok(add(keys, Verifier::builder())?.0)
}

/// Adds the schemes of the variables to the verifier.
pub(crate) fn accept(verifier: VerifierBuilder) -> Result<VerifierBuilder, BoxError> {
    Ok(add(Keyring::builder(), verifier)?.1)
}

fn add(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    let (keys, verifier) = add_sigv4(keys, verifier)?;
    let (keys, verifier) = add_message_signatures(keys, verifier)?;
    let (keys, verifier) = add_drf(keys, verifier)?;
    add_webhooks(keys, verifier)
}

fn add_sigv4(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    let (region, service) = (variable("SIGV4_REGION")?, variable("SIGV4_SERVICE")?);
    let Some(secrets) = variable("SIGV4_KEYS")? else {
        for name in [SIGV4_UNCOVERED_HEADERS, SIGV4_LENIENT_QUERIES] {
            if variable(name)?.is_some() {
                return Err(format!("SIGV4_KEYS: not set, and {name} is").into());
            }
        }
        return match (region, service) {
            (None, None) => Ok((keys, verifier)),
            (Some(_), _) => Err("SIGV4_KEYS: not set, and SIGV4_REGION is".into()),
            (None, Some(_)) => Err("SIGV4_KEYS: not set, and SIGV4_SERVICE is".into()),
        };
    };
    let region = region.as_deref().unwrap_or("us-east-1");
    let service = service.as_deref().unwrap_or("execute-api");
    let settings = SigV4VerifySettings::new(region, service)
        .map_err(in_variable("SIGV4_REGION or SIGV4_SERVICE"))?;
    let settings = accept_queries(accept_uncovered(settings)?)?;
    let keys = key_object::add(keys, "SIGV4_KEYS", "sigv4", &secrets, |text| {
        Ok(VerifyingKey::sigv4(&Secret::from_text(text)?))
    })?;
    Ok((keys, verifier.accept(settings)))
}

/// Accepts uncovered headers of a trusted hop, which no caller can sign.
fn accept_uncovered(settings: SigV4VerifySettings) -> Result<SigV4VerifySettings, BoxError> {
    const NAMES: &str = SIGV4_UNCOVERED_HEADERS;
    let Some(names) = variable(NAMES)? else {
        return Ok(settings);
    };
    let names = names.split(',').map(|name| name.trim().parse());
    let names: Vec<HeaderName> = names
        .collect::<Result<_, _>>()
        .map_err(|_| format!("{NAMES}: expected names of headers, separated by commas"))?;
    let settings = settings.insecure_accept_uncovered_headers(names);
    settings.map_err(in_variable(NAMES))
}

/// Accepts queries that two readers may interpret differently.
fn accept_queries(mut settings: SigV4VerifySettings) -> Result<SigV4VerifySettings, BoxError> {
    let Some(forms) = variable(SIGV4_LENIENT_QUERIES)? else {
        return Ok(settings);
    };
    for form in forms.split(',').map(str::trim) {
        settings = match form {
            "repeated-names" => settings.insecure_accept_repeated_query_names(),
            "any-escapes" => settings.insecure_accept_noncanonical_queries(),
            _ => {
                return Err(format!(
                    "{SIGV4_LENIENT_QUERIES}: expected repeated-names or any-escapes, \
                     found {form:?}"
                )
                .into());
            }
        };
    }
    Ok(settings)
}

fn add_message_signatures(
    mut keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    const SHARED: &str = "MESSAGE_SIGNATURE_KEYS";
    const PUBLIC: &str = "MESSAGE_SIGNATURE_ED25519_KEYS";
    let (shared, public) = (variable(SHARED)?, variable(PUBLIC)?);
    let settings = match (&shared, &public) {
        (None, None) => return Ok((keys, verifier)),
        // A secret is shared with only one callee, so no hosts are required.
        (Some(_), None) => {
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256)
        }
        (None, Some(_)) => {
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::Ed25519)
        }
        (Some(_), Some(_)) => MessageSignaturesVerifySettings::new(),
    };
    if let Some(json) = shared {
        keys = key_object::add(keys, SHARED, "message-signature", &json, |text| {
            let secret = Secret::from_base64(text)?;
            Ok(VerifyingKey::message_hmac_sha256(&secret))
        })?;
    }
    if let Some(json) = public {
        keys = key_object::add(keys, PUBLIC, "message-signature-ed25519", &json, |text| {
            Ok(VerifyingKey::message_ed25519_from_base64(text)?)
        })?;
    }
    Ok((keys, verifier.accept(settings)))
}

fn add_drf(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    let Some((secret, caller)) = both("DRF_SECRET", "DRF_CALLER")? else {
        return Ok((keys, verifier));
    };
    let secret = Secret::from_text(&secret).map_err(in_variable("DRF_SECRET"))?;
    let key = VerifyingKey::drf(&secret);
    let settings = DrfVerifySettings::for_caller(&caller)
        .and_then(|settings| settings.with_route(Method::POST, BODY_ONLY_TARGET))
        .map_err(in_variable("DRF_CALLER"))?;
    let keys = add_key(keys, caller, CallerKey::new("drf", key)?, "DRF_SECRET")?;
    Ok((keys, verifier.accept(settings)))
}

fn add_webhooks(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    const BASE64: &str = "WEBHOOK_SECRET";
    const TEXT: &str = "WEBHOOK_SECRET_TEXT";
    let is_text = variable(TEXT)?.is_some();
    if is_text && variable(BASE64)?.is_some() {
        return Err(format!("{TEXT}: expected one of {BASE64} and {TEXT}, found both").into());
    }
    let name = if is_text { TEXT } else { BASE64 };
    let names = variable(WEBHOOK_HEADERS)?;
    let Some((secret, caller)) = both(name, "WEBHOOK_CALLER")? else {
        if names.is_some() {
            return Err(format!("{name}: not set, and {WEBHOOK_HEADERS} is").into());
        }
        return Ok((keys, verifier));
    };
    let secret = if is_text {
        Secret::from_webhook_text(&secret)
    } else {
        Secret::from_webhook_secret(&secret)
    };
    let secret = secret.map_err(in_variable(name))?;
    let settings = StandardWebhooksVerifySettings::for_caller(&caller)
        .and_then(|settings| settings.with_route(Method::POST, BODY_ONLY_TARGET))
        .map_err(in_variable("WEBHOOK_CALLER"))?;
    let settings = match names.as_deref() {
        None | Some("standard") => settings,
        Some("standard-or-svix") => settings.with_svix_headers(),
        Some(other) => {
            return Err(format!(
                "{WEBHOOK_HEADERS}: expected standard or standard-or-svix, found {other:?}"
            )
            .into());
        }
    };
    let key = VerifyingKey::standard_webhooks(&secret);
    let keys = add_key(keys, caller, CallerKey::new("webhook", key)?, name)?;
    Ok((keys, verifier.accept(settings)))
}

/// Adds a key, and checks its strength under the name of its variable.
fn add_key(
    keys: KeyringBuilder,
    caller: String,
    key: CallerKey,
    variable: &str,
) -> Result<KeyringBuilder, BoxError> {
    Keyring::builder()
        .caller(caller.as_str(), key.clone())
        .build()
        .map_err(in_variable(variable))?;
    Ok(keys.caller(caller, key))
}

/// Returns two variables that need each other.
fn both(one: &str, other: &str) -> Result<Option<(String, String)>, BoxError> {
    match (variable(one)?, variable(other)?) {
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(format!("{other}: expected a value beside {one}, found none").into())
        }
        (None, Some(_)) => {
            Err(format!("{one}: expected a value beside {other}, found none").into())
        }
    }
}

fn in_variable<E: fmt::Display>(name: &str) -> impl Fn(E) -> BoxError + '_ {
    move |error| format!("{name}: {error}").into()
}
