use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::{DrfVerifySettings, SignedNonce, signature, signed_text};
use crate::{
    error::{Rejection, reason},
    families::{
        BodySignature, Callers, Coverage, Decides, Freshness, ParsedHead, ReplayIdentity,
        Requirements, SignedBody, SignedOver,
    },
    head::{Authority, RequestHead, Target},
    scheme::Scheme,
    timestamp::Timestamp,
    wire::{hex, unix_seconds},
};

/// Parses a head with a timestamp and a signature. Only method and target identify the caller and
/// thus the header names, so they are checked before the grammar.
pub(super) fn parse<'r>(
    callers: &Callers<DrfVerifySettings>,
    head: RequestHead<'r>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let settings = callers.only_caller(&head, requirements)?;
    let names = &settings.headers;
    let timestamp = head.required(&names.timestamp)?;
    let signed_at = unix_seconds::parse(timestamp)
        .ok_or_else(|| Rejection::malformed(unix_seconds::refusal(&names.timestamp, timestamp)))?;
    let digits = head.required(&names.signature)?;
    let signature = signature::parse(digits)
        .ok_or_else(|| Rejection::malformed(hex::no_digest(&names.signature, digits)))?;
    let nonce = if signed_text::announces_nonce(timestamp) {
        let value = head.single(&names.nonce)?.ok_or_else(|| {
            Rejection::malformed(reason!(
                "header {}: expected once because {} begins with one zero, found none",
                &names.nonce,
                &names.timestamp
            ))
        })?;
        // The name from the head, which lives as long as the nonce.
        let header = head.headers().keys().find(|name| **name == names.nonce);
        let nonce = header.and_then(|header| SignedNonce::parse(header, value, digits));
        Some((
            value,
            nonce.ok_or_else(|| Rejection::malformed(SignedNonce::refusal(&names.nonce, value)))?,
        ))
    } else {
        None
    };
    let mut covered: SmallVec<[(&'r str, &'r str); 2]> = SmallVec::new();
    // The names from the head, which live as long as the parsed values.
    for name in head.headers().keys() {
        if *name == names.timestamp {
            covered.push((name.as_str(), timestamp));
        } else if let Some((value, _)) = &nonce
            && *name == names.nonce
        {
            covered.push((name.as_str(), value));
        }
    }
    let replay = match &nonce {
        Some((_, nonce)) => ReplayIdentity::Nonce(nonce.nonce),
        // The digits have one spelling.
        None if settings.once_per_route => ReplayIdentity::SignatureOnRoute {
            signature: digits.as_bytes(),
            method: head.method().as_str(),
            target: Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?,
        },
        None => ReplayIdentity::Signature(digits.as_bytes()),
    };
    requirements.check_audience(Authority::of(&head)?)?;
    let date = Freshness::around("the timestamp", signed_at, settings.window()).judge(now)?;
    Ok(ParsedHead {
        scheme: Scheme::Drf,
        key_id: Cow::Owned(settings.routes.caller().as_str().to_owned()),
        date,
        replay: Some(replay),
        // The scheme covers no header, so no key can require one.
        nonce: Decides::Key,
        content_type_uncovered: false,
        // The host is compared, but the sender of the request controls it.
        audience_checked: false,
        coverage: Coverage::BodyOnly,
        presigned: false,
        signed_over: SignedOver::Body(SignedBody {
            prefix: signed_text::before_the_body(timestamp),
            signatures: smallvec![BodySignature::HmacSha256(signature)],
            nonce: nonce.map(|(_, nonce)| nonce),
            covered,
        }),
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

    use super::*;
    use crate::{
        timestamp::Timestamp,
        verify::{UnverifiedHead, Verifier},
    };

    const NOW: &str = "1767323045";
    const DIGITS: &str = "0f20a2e04291d8fb467f52a6564575b27858e2802acb2abf15f384da7c4376fa";

    fn verifier(hosts: &[&str]) -> Verifier {
        let django = DrfVerifySettings::for_caller("django").unwrap();
        let django = django.with_route(Method::POST, "/api/echo").unwrap();
        let builder = Verifier::builder().accept(django).expected_hosts(hosts);
        builder.build().unwrap()
    }

    fn code(
        verifier: &Verifier,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> &'static str {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let uri: Uri = target.parse().unwrap();
        let head = RequestHead::new(&method, &uri, &map);
        match verifier.parse(head, Timestamp::from_unix_seconds(1_767_323_045)) {
            Ok(unverified) => accepted(&unverified),
            Err(rejection) => rejection.kind().code(),
        }
    }

    fn accepted(unverified: &UnverifiedHead<'_>) -> &'static str {
        assert_eq!(unverified.key_id(), "django");
        assert_eq!(unverified.scheme(), Scheme::Drf);
        "accepted"
    }

    #[test]
    fn judges_heads() {
        let (date, mac) = (("x-hmac-timestamp", NOW), ("x-hmac-signature", DIGITS));
        let host = ("host", "a");
        let upper = DIGITS.to_uppercase();
        for (name, method, target, headers, expected) in [
            (
                "good",
                "POST",
                "/api/echo",
                &[host, date, mac][..],
                "accepted",
            ),
            (
                "another path",
                "POST",
                "/api",
                &[host, date, mac],
                "insufficient_coverage",
            ),
            (
                "a query",
                "POST",
                "/api/echo?a",
                &[host, date, mac],
                "insufficient_coverage",
            ),
            (
                "another method",
                "GET",
                "/api/echo",
                &[host, date, mac],
                "insufficient_coverage",
            ),
            (
                "a small method",
                "post",
                "/api/echo",
                &[host, date, mac],
                "malformed",
            ),
            (
                "no signature",
                "POST",
                "/api/echo",
                &[host, date],
                "missing_signature",
            ),
            (
                "no timestamp",
                "POST",
                "/api/echo",
                &[host, mac],
                "malformed",
            ),
            (
                "two timestamps",
                "POST",
                "/api/echo",
                &[host, date, date, mac],
                "malformed",
            ),
            (
                "two signatures",
                "POST",
                "/api/echo",
                &[host, date, mac, mac],
                "malformed",
            ),
            (
                "a signature in capitals",
                "POST",
                "/api/echo",
                &[host, date, ("x-hmac-signature", &upper)],
                "malformed",
            ),
            (
                "a minute and a second ago",
                "POST",
                "/api/echo",
                &[host, ("x-hmac-timestamp", "1767322984"), mac],
                "expired",
            ),
            (
                "in a minute",
                "POST",
                "/api/echo",
                &[host, ("x-hmac-timestamp", "1767323105"), mac],
                "accepted",
            ),
            ("no host", "POST", "/api/echo", &[date, mac], "malformed"),
            (
                "two schemes",
                "POST",
                "/api/echo",
                &[
                    host,
                    date,
                    mac,
                    ("authorization", "HMAC-SHA256 credential=a"),
                ],
                "malformed",
            ),
        ] {
            assert_eq!(
                code(&verifier(&[]), method, target, headers),
                expected,
                "{name}"
            );
        }
        let headers = [host, date, mac];
        let code = |hosts: &[&str]| code(&verifier(hosts), "POST", "/api/echo", &headers);
        assert_eq!(code(&["a"]), "accepted");
        assert_eq!(code(&["b"]), "misdirected");
    }
}
