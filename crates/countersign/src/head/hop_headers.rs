//! Headers that may change between sender and receiver.

/// Returns whether no signature can cover a header. Such a header carries a signature or is
/// hop-by-hop (RFC 9110 sections 7.6.1 and 11.7.2).
pub(crate) fn cannot_be_covered(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Headers that clients and intermediaries add, rewrite or remove without the signer's knowledge.
const OWNED_BY_HOPS: [&str; 24] = [
    // RFC 9110 section 12.5.3: the encodings that the next hop can decode.
    "accept-encoding",
    // W3C Baggage and Trace Context: each hop writes its own span.
    "b3",
    "baggage",
    // RFC 9111 sections 5.2 and 5.4: directives for caches on the way.
    "cache-control",
    "cdn-loop",
    // RFC 9112 section 6: an intermediary may reframe the body.
    "content-length",
    // RFC 8470 section 5.1: set and removed by intermediaries.
    "early-data",
    // RFC 9110 section 10.1.1: answered by the next hop.
    "expect",
    // RFC 7239: each proxy appends to it.
    "forwarded",
    // RFC 9110 section 10.1.2: set by clients, removed for privacy.
    "from",
    // RFC 9110 section 7.6.2: decremented by every hop.
    "max-forwards",
    "pragma",
    // RFC 9218 section 5: intermediaries may rewrite it.
    "priority",
    // RFC 9110 section 10.1.3: set by clients, shortened or removed for privacy.
    "referer",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    // RFC 9110 section 10.1.5: set by the client's library.
    "user-agent",
    // RFC 9110 section 7.6.3: each proxy appends to it.
    "via",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-real-ip",
    "x-request-id",
];

const OWNED_PREFIXES: [&str; 5] = ["proxy-", "sec-", "x-b3-", "x-envoy-", "x-forwarded-"];

/// Returns whether a hop may change a header of this name. A signature that covers it may not
/// verify.
pub(crate) fn is_owned_by_hops(name: &str) -> bool {
    OWNED_BY_HOPS.contains(&name) || OWNED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_of_hops_are_sorted_and_can_be_covered() {
        assert!(OWNED_BY_HOPS.is_sorted());
        for name in OWNED_BY_HOPS {
            assert!(!cannot_be_covered(name), "{name}");
        }
    }

    #[test]
    fn what_an_application_sets_belongs_to_no_hop() {
        for name in [
            "accept",
            "content-type",
            "content-encoding",
            "cookie",
            "date",
            "host",
            "if-none-match",
            "origin",
            "range",
            "x-amz-meta-a",
            "x-amz-user-agent",
            "x-forwarded",
            "x-tenant",
        ] {
            assert!(!is_owned_by_hops(name), "{name}");
            assert!(!cannot_be_covered(name), "{name}");
        }
        for name in ["x-forwarded-for", "x-b3-traceid", "sec-fetch-mode"] {
            assert!(is_owned_by_hops(name), "{name}");
        }
    }
}
