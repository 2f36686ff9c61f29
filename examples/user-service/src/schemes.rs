//! The schemes beside `HMAC-SHA256`, each off unless its variable is set.

use std::fmt;

use countersign::{
    CallerKey, DrfProfile, KeyringBuilder, Secret, SigningKey, StandardWebhooksProfile,
    VerifierBuilder, VerifyingKey,
};
use http::Method;
use tower_countersign::BoxError;

use crate::config::variable;

/// The only request that a scheme may send whose signature is for a body and not for a request.
const BODY_ONLY_TARGET: &str = "/api/echo";

/// Adds what the variables say to the keys and to what is accepted.
pub(crate) fn add(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    let (keys, verifier) = add_drf(keys, verifier)?;
    add_webhooks(keys, verifier)
}

fn add_drf(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    let Some((secret, caller)) = both("DRF_SECRET", "DRF_CALLER")? else {
        return Ok((keys, verifier));
    };
    let key = SigningKey::drf(&Secret::from_text(&secret));
    let profile = DrfProfile::for_caller(&caller)
        .and_then(|profile| profile.route(Method::POST, BODY_ONLY_TARGET))
        .map_err(in_variable("DRF_CALLER"))?;
    let keys = keys.caller(caller, CallerKey::new("drf", key.verifying_key())?);
    Ok((keys, verifier.accept(profile)))
}

fn add_webhooks(
    keys: KeyringBuilder,
    verifier: VerifierBuilder,
) -> Result<(KeyringBuilder, VerifierBuilder), BoxError> {
    let Some((secret, caller)) = both("WEBHOOK_SECRET", "WEBHOOK_CALLER")? else {
        return Ok((keys, verifier));
    };
    let secret = Secret::from_webhook_secret(&secret).map_err(in_variable("WEBHOOK_SECRET"))?;
    let profile = StandardWebhooksProfile::for_caller(&caller)
        .and_then(|profile| profile.route(Method::POST, BODY_ONLY_TARGET))
        .map_err(in_variable("WEBHOOK_CALLER"))?;
    let key = VerifyingKey::standard_webhooks(&secret);
    let keys = keys.caller(caller, CallerKey::new("webhook", key)?);
    Ok((keys, verifier.accept(profile)))
}

/// Two variables of which neither is anything without the other.
fn both(one: &str, other: &str) -> Result<Option<(String, String)>, BoxError> {
    match (variable(one)?, variable(other)?) {
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(format!("{other}: not set, and {one} is").into()),
        (None, Some(_)) => Err(format!("{one}: not set, and {other} is").into()),
    }
}

fn in_variable<E: fmt::Display>(name: &str) -> impl Fn(E) -> BoxError + '_ {
    move |error| format!("{name}: {error}").into()
}
