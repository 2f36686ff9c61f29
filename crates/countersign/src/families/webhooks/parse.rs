use std::borrow::Cow;

use super::{
    StandardWebhooksVerifySettings, header_names::Message, message_id, signatures, signed_content,
    timestamp,
};
use crate::{
    error::{Escaped, Rejection, reason},
    families::{
        Callers, Coverage, Decides, Freshness, ParsedHead, ReplayIdentity, Requirements,
        SignedBody, SignedOver,
    },
    head::{Authority, RequestHead},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Parses a head with an id, a timestamp and signatures. Only method and target identify the
/// sender.
pub(super) fn parse<'r>(
    callers: &Callers<StandardWebhooksVerifySettings>,
    head: RequestHead<'r>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let StandardWebhooksVerifySettings {
        routes,
        header_names,
    } = callers.only_caller(&head, requirements)?;
    let Message {
        names,
        id,
        timestamp,
        signatures,
        covered,
    } = Message::of(&head, *header_names)?;
    if !message_id::is_valid(id) {
        return Err(Rejection::malformed(reason!(
            "header {}: expected 1 to 256 visible ASCII characters without dots, found {} \
             characters, the first of them \"{}\"",
            &names.id,
            id.len(),
            Escaped::text(id)
        )));
    }
    let signed_at = timestamp::parse(timestamp)
        .ok_or_else(|| Rejection::malformed(timestamp::refusal(&names.timestamp, timestamp)))?;
    let signatures =
        signatures::parse(&names.signature, signatures).map_err(Rejection::malformed)?;
    requirements.check_audience(Authority::of(&head)?)?;
    let freshness = match routes.window() {
        Some(window) => Freshness::around(names.timestamp.as_str(), signed_at, window),
        None => requirements.freshness(names.timestamp.as_str(), signed_at),
    };
    let date = freshness.judge(now)?;
    Ok(ParsedHead {
        scheme: Scheme::StandardWebhooks,
        key_id: Cow::Owned(routes.caller().as_str().to_owned()),
        date,
        replay: Some(ReplayIdentity::IdAndTimestamp { id, timestamp }),
        // The scheme covers no other header, so no key can require one.
        nonce: Decides::Key,
        content_type_uncovered: false,
        // The host is compared, but the sender of the request controls it.
        audience_checked: false,
        coverage: Coverage::BodyOnly,
        presigned: false,
        signed_over: SignedOver::Body(SignedBody {
            prefix: signed_content::before_the_body(id, timestamp),
            signatures,
            nonce: None,
            covered,
        }),
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

    use super::*;
    use crate::{timestamp::Timestamp, verify::Verifier};

    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    fn code(hosts: &[&str], method: &str, target: &str, headers: &[(&str, &str)]) -> &'static str {
        let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
        let svix = svix.with_route(Method::POST, "/hook").unwrap();
        let builder = Verifier::builder().accept(svix).expected_hosts(hosts);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let uri: Uri = target.parse().unwrap();
        let head = RequestHead::new(&method, &uri, &map);
        let now = Timestamp::from_unix_seconds(1_649_367_553);
        match builder.build().unwrap().parse(head, now) {
            Ok(unverified) => {
                assert_eq!(unverified.key_id(), "svix");
                assert_eq!(unverified.scheme(), Scheme::StandardWebhooks);
                "accepted"
            }
            Err(rejection) => rejection.kind().code(),
        }
    }

    #[test]
    fn judges_heads() {
        let host = ("host", "a");
        let id = ("webhook-id", "msg_1");
        let date = ("webhook-timestamp", "1649367553");
        let mac = ("webhook-signature", SIGNATURE);
        let good = [host, id, date, mac];
        for (name, method, target, headers, expected) in [
            ("good", "POST", "/hook", &good[..], "accepted"),
            (
                "another path",
                "POST",
                "/hooks",
                &good,
                "insufficient_coverage",
            ),
            ("a query", "POST", "/hook?a", &good, "insufficient_coverage"),
            (
                "another method",
                "PUT",
                "/hook",
                &good,
                "insufficient_coverage",
            ),
            ("a small method", "post", "/hook", &good, "malformed"),
            ("no id", "POST", "/hook", &[host, date, mac], "malformed"),
            (
                "no timestamp",
                "POST",
                "/hook",
                &[host, id, mac],
                "malformed",
            ),
            (
                "no signature",
                "POST",
                "/hook",
                &[host, id, date],
                "missing_signature",
            ),
            ("no host", "POST", "/hook", &[id, date, mac], "malformed"),
            (
                "two ids",
                "POST",
                "/hook",
                &[host, id, id, date, mac],
                "malformed",
            ),
            (
                "two timestamps",
                "POST",
                "/hook",
                &[host, id, date, date, mac],
                "malformed",
            ),
            (
                "two signature headers",
                "POST",
                "/hook",
                &[host, id, date, mac, mac],
                "malformed",
            ),
            (
                "a dot in the id",
                "POST",
                "/hook",
                &[host, ("webhook-id", "msg_1.1"), date, mac],
                "malformed",
            ),
            (
                "a sign on the timestamp",
                "POST",
                "/hook",
                &[host, id, ("webhook-timestamp", "+1649367553"), mac],
                "malformed",
            ),
            (
                "300 seconds ago",
                "POST",
                "/hook",
                &[host, id, ("webhook-timestamp", "1649367253"), mac],
                "accepted",
            ),
            (
                "301 seconds ago",
                "POST",
                "/hook",
                &[host, id, ("webhook-timestamp", "1649367252"), mac],
                "expired",
            ),
            (
                "in 301 seconds",
                "POST",
                "/hook",
                &[host, id, ("webhook-timestamp", "1649367854"), mac],
                "expired",
            ),
            (
                "an empty signature",
                "POST",
                "/hook",
                &[host, id, date, ("webhook-signature", "v1,")],
                "malformed",
            ),
            (
                "an entry that is not ASCII beside a good one",
                "POST",
                "/hook",
                &[
                    host,
                    id,
                    date,
                    ("webhook-signature", &format!("{SIGNATURE} é")),
                ],
                "malformed",
            ),
            (
                "an entry that is no signature beside a good one",
                "POST",
                "/hook",
                &[
                    host,
                    id,
                    date,
                    ("webhook-signature", &format!("{SIGNATURE} v1,AAAA")),
                ],
                "accepted",
            ),
            (
                "svix headers where they are not read",
                "POST",
                "/hook",
                &[
                    host,
                    ("svix-id", "msg_1"),
                    ("svix-timestamp", "1649367553"),
                    ("svix-signature", SIGNATURE),
                ],
                "missing_signature",
            ),
            (
                "two schemes",
                "POST",
                "/hook",
                &[
                    host,
                    id,
                    date,
                    mac,
                    ("authorization", "HMAC-SHA256 credential=a"),
                ],
                "malformed",
            ),
        ] {
            assert_eq!(code(&[], method, target, headers), expected, "{name}");
        }
        assert_eq!(code(&["a"], "POST", "/hook", &good), "accepted");
        assert_eq!(code(&["b"], "POST", "/hook", &good), "misdirected");
    }
}
