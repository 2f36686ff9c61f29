//! A receiver of signed requests: the chain of the core, with a verifier of each scheme.

use countersign::{
    DrfVerifySettings, KeyStore, Keyring, MessageSignaturesVerifySettings, Scheme, SigV4Presigned,
    SigV4VerifySettings, StandardWebhooksVerifySettings, Timestamp, Verifier,
};
use http::{HeaderName, Method, Request, request::Parts};
use serde_json::Value;

use crate::program::NOW;

pub(crate) const HOST: &str = "user-service:8081";

/// The route of the schemes that sign the body alone.
const ROUTE: &str = "/api/account";

/// Returns the name of the caller that a request is accepted from.
pub(crate) fn accept(
    scheme: Scheme,
    keys: &Keyring,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<String, String> {
    let head = verifier(scheme, HOST)
        .parse(parts, now)
        .map(|head| {
            let keys = keys.try_lookup(head.key_id()).unwrap().unwrap();
            let verified = head
                .authenticate(&keys, now)
                .and_then(|authentication| authentication.finish_with(body, now));
            verified.map(|verified| verified.caller().to_string())
        })
        .map_err(|rejection| rejection.to_string())?;
    head.map_err(|rejection| rejection.to_string())
}

/// Returns a verifier of one scheme, for requests to this host.
pub(crate) fn verifier(scheme: Scheme, host: &str) -> Verifier {
    let builder = Verifier::builder().expected_hosts([host]);
    match scheme {
        Scheme::MessageSignatures => builder.accept_only(MessageSignaturesVerifySettings::new()),
        Scheme::SigV4 => {
            let settings = SigV4VerifySettings::new("eu-central-1", "users").unwrap();
            builder.accept_only(settings.with_presigned(SigV4Presigned::new()))
        }
        Scheme::StandardWebhooks => {
            let settings = StandardWebhooksVerifySettings::for_caller("billing").unwrap();
            builder.accept_only(settings.with_route(Method::POST, ROUTE).unwrap())
        }
        Scheme::Drf => {
            let settings = DrfVerifySettings::for_caller("billing").unwrap();
            builder.accept_only(settings.with_route(Method::POST, ROUTE).unwrap())
        }
        other => builder.accept_only(other),
    }
    .build()
    .unwrap()
}

/// Returns the request with the headers of an answer of `sign --json`.
pub(crate) fn signed_parts(answer: &Value, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder()
        .method(answer["method"].as_str().unwrap())
        .uri(answer["url"].as_str().unwrap());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    for header in answer["headers"].as_array().into_iter().flatten() {
        let name: HeaderName = header["name"].as_str().unwrap().parse().unwrap();
        request = request.header(name, header["value"].as_str().unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

/// Returns the answer of a command as JSON.
pub(crate) fn json(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Accepts a request at [`NOW`].
pub(crate) fn accept_now(
    scheme: Scheme,
    keys: &Keyring,
    parts: &Parts,
    body: &[u8],
) -> Result<String, String> {
    accept(scheme, keys, parts, body, NOW)
}
