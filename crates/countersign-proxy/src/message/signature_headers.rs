//! The headers that carry signatures.

use countersign::Scheme;
use http::{HeaderMap, Uri};

/// Removes the headers of a verified signature, so that the upstream cannot log or replay it.
pub(crate) fn remove(headers: &mut HeaderMap, scheme: Scheme) {
    let holds_signature = headers.contains_key("signature");
    for name in of(scheme) {
        // Where another header holds the signature, this one may hold the token of a user.
        if scheme == Scheme::Cavage && holds_signature && *name == "authorization" {
            continue;
        }
        headers.remove(*name);
    }
}

/// Removes the headers of every scheme. An egress proxy calls this: a client behind it must not
/// bring credentials that reach the target beside the proxy's.
pub(crate) fn remove_all(headers: &mut HeaderMap) {
    for scheme in Scheme::ALL {
        remove(headers, *scheme);
    }
}

/// Returns whether the query holds the parameters of a presigned URL.
pub(crate) fn is_presigned(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|parameter| {
        // A receiver decodes names, so `X%2DAmz-Signature` is a parameter as well.
        let name = parameter.split('=').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).collect::<Vec<u8>>();
        name.get(..6)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"))
    })
}

/// Returns the names of the headers of a scheme.
pub(crate) fn of(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::HmacSha256 | Scheme::Ed25519 => {
            &["authorization", "x-date", "x-content-sha256", "x-nonce"]
        }
        Scheme::SigV4 => &[
            "authorization",
            "x-amz-date",
            "x-amz-content-sha256",
            "x-amz-security-token",
        ],
        Scheme::MessageSignatures => &["signature", "signature-input"],
        Scheme::Cavage => &["authorization", "signature", "x-nonce"],
        Scheme::Drf => &["x-hmac-timestamp", "x-hmac-signature", "x-hmac-nonce"],
        // The id of a message stays: it is the key by which a receiver skips a repetition.
        Scheme::StandardWebhooks => &[
            "webhook-signature",
            "webhook-timestamp",
            "svix-signature",
            "svix-timestamp",
        ],
        // A scheme that is added later keeps its headers until it is listed here.
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn each_scheme_has_its_headers_listed() {
        for scheme in Scheme::ALL {
            assert!(!of(*scheme).is_empty(), "{scheme}");
        }
    }

    #[test]
    fn the_token_of_a_user_stays_where_another_header_holds_the_signature() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer token"));
        headers.insert("signature", HeaderValue::from_static("sig1=:YQ==:"));
        for scheme in [Scheme::MessageSignatures, Scheme::Cavage] {
            let mut headers = headers.clone();
            remove(&mut headers, scheme);
            assert_eq!(headers.keys().collect::<Vec<_>>(), ["authorization"]);
        }
        remove_all(&mut headers);
        assert!(headers.is_empty());
        let value = HeaderValue::from_static("Signature keyId=\"a\",signature=\"YQ==\"");
        headers.insert("authorization", value);
        remove(&mut headers, Scheme::Cavage);
        assert!(headers.is_empty());
    }

    #[test]
    fn presigned_urls_are_recognised_in_any_spelling() {
        for (uri, expected) in [
            ("/a", false),
            ("/a?b=X-Amz-Signature", false),
            ("/a?b=c&X-Amz-Signature=1", true),
            ("/a?x-amz-credential=1", true),
            ("/a?X%2DAmz%2dDate=1", true),
            ("/a?X-Amz%2DDate=1", true),
            ("/a?%58-%41m%7A-Date=1", true),
            ("/a?x-amz", false),
        ] {
            assert_eq!(is_presigned(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
