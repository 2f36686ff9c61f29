//! What a request shows of its signature, for settings that were not given.

use countersign::Scheme;
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};

/// Returns whether a request has the headers of this scheme.
pub(super) fn has_signature_in(scheme: Scheme, parts: &Parts) -> bool {
    let has = |name: &str| parts.headers.contains_key(name);
    match scheme {
        Scheme::Drf => has("x-hmac-signature"),
        Scheme::StandardWebhooks => has("webhook-signature") || has("svix-signature"),
        Scheme::MessageSignatures => has("signature-input"),
        Scheme::Cavage => {
            let is_named = || authorization(&parts.headers).starts_with("Signature ");
            is_named() || has("signature") && !has("signature-input")
        }
        Scheme::SigV4 => authorization(&parts.headers).starts_with("AWS4-") || in_query(parts),
        _ => {
            let name = authorization(&parts.headers).split(' ').next();
            name.is_some_and(|name| name.eq_ignore_ascii_case(scheme.name()))
        }
    }
}

/// Returns whether a request is presigned.
pub(super) fn in_query(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    query.contains("X-Amz-Signature=")
}

/// Returns region and service of the credential scope of SigV4, if the request shows them.
pub(super) fn scope_of(parts: &Parts) -> Option<(String, String)> {
    let query = parts.uri.query().unwrap_or_default();
    let text = authorization(&parts.headers);
    let (credential, separator) = if let Some((_, rest)) = text.split_once("Credential=") {
        (rest.split([',', ' ']).next()?, "/")
    } else {
        let (_, rest) = query.split_once("X-Amz-Credential=")?;
        let value = rest.split('&').next()?;
        let is_escaped = value.contains("%2F");
        (value, if is_escaped { "%2F" } else { "/" })
    };
    let mut scope = credential.rsplit(separator);
    if scope.next()? != "aws4_request" {
        return None;
    }
    let service = scope.next()?.to_owned();
    Some((scope.next()?.to_owned(), service))
}

fn authorization(headers: &HeaderMap) -> &str {
    let value = headers.get(AUTHORIZATION);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
