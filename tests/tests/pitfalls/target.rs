//! Method, target and host.

use std::collections::HashSet;

use countersign::{HostForm, PayloadDigest, Scheme, SignErrorKind, Verifier};
use tests::keys::NOW;

use crate::{
    BODY, HOST, SCHEMES, THREE, assert_code, billing, forger, keyring,
    message::{Message, NONCE},
    request, signed,
};

/// Source: RustFS GHSA-c667-rgrv-99vj: the MAC was bound to a prefix and not to the method, so that
/// it served sibling routes and other methods (part 1, row 11).
#[test]
fn a_signature_that_serves_a_sibling_route_or_another_method() {
    for scheme in SCHEMES {
        let signed = request("GET", "/buckets/a/objects").signed(&billing(scheme), NOW);
        assert_code(scheme, "as signed", &signed, "accept");
        for target in [
            "/buckets/a",
            "/buckets/a/objects/1",
            "/buckets/b/objects",
            "/buckets/a/objects?delete",
            "/buckets/a/objects/",
            "/",
        ] {
            let mut message = signed.clone();
            target.clone_into(&mut message.target);
            assert_code(scheme, target, &message, "invalid_signature");
        }
        for method in [
            "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GETX", "GE",
        ] {
            let mut message = signed.clone();
            method.clone_into(&mut message.method);
            assert_code(scheme, method, &message, "invalid_signature");
        }
    }
}

/// Source: mauth-core and scratchstack signed a normalised path while the raw one was routed;
/// s3s#176 and rustango sorted the query, so that the order of repeated names was free;
/// CVE-2022-2385, aws-iam-authenticator: parameters in another case or twice (part 1, rows 8, 9, 26
/// and 27).
#[test]
fn targets_that_are_different_and_signed_alike() {
    let targets = [
        "/a+b",
        "/a%20b",
        "/a%2Bb",
        "/a%2bb",
        "/a/b",
        "/a//b",
        "/a/./b",
        "/a/b/",
        "/x/../a/b",
        "/%61/b",
        "/a%2Fb",
        "/a%2fb",
        "/a/%2e%2e/b",
        "/A/b",
        "/a/b?",
        "/a/b?a=1&a=2",
        "/a/b?a=2&a=1",
        "/a/b?a=1&a=2&",
        "/a/b?a=1",
        "/a/b?A=1",
        "/a/b?%61=1",
        "/a/b?Action=GetCallerIdentity",
        "/a/b?Action=GetCallerIdentity&Action=Other",
        "/a/b?Action=GetCallerIdentity&action=Other",
        "/a/b?Action=GetCallerIdentity&%41ction=Other",
        "/a/b?Tag.1=x&Tag.10=y",
        "/a/b?Tag.10=y&Tag.1=x",
        "/a/b?a=b+c",
        "/a/b?a=b%20c",
        "/a/b?a=b%2Bc",
    ];
    for scheme in SCHEMES {
        let keeping = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([HOST])
            .keep_evidence()
            .build()
            .unwrap();
        for target in targets {
            let signed = request("GET", target).signed(&billing(scheme), NOW);
            let verified = signed
                .judge(&keeping, &keyring(scheme), NOW)
                .verified(target);
            let text = verified.evidence().unwrap().canonical_request();
            // Byte for byte what a router sees, in both schemes; then one of them is enough.
            assert_eq!(text.split('\n').nth(1), Some(target), "{scheme}");
            if scheme == Scheme::Ed25519 {
                continue;
            }
            for other in targets.into_iter().filter(|other| *other != target) {
                let mut message = signed.clone();
                other.clone_into(&mut message.target);
                let name = format!("{target} as {other}");
                assert_code(scheme, &name, &message, "invalid_signature");
            }
        }
    }
}

/// Source: CVE-2020-16250, Vault: a signed request was led to another host; and verifiers that read
/// one of Host and `:authority` where the server routes by the other (part 1, row 10; part 2).
#[test]
fn a_request_that_was_signed_for_another_host() {
    for scheme in SCHEMES {
        for (name, target, host, expected) in [
            (
                "Host and URI",
                "http://user-service.internal/",
                HOST,
                "accept",
            ),
            ("another Host", "/", "orders.internal", "misdirected"),
            ("another URI", "http://orders.internal/", HOST, "malformed"),
            (
                "another port",
                "http://user-service.internal:81/",
                HOST,
                "malformed",
            ),
            (
                "both another",
                "http://orders.internal/",
                "orders.internal",
                "misdirected",
            ),
            (
                "another case",
                "http://USER-SERVICE.internal/",
                HOST,
                "malformed",
            ),
        ] {
            let mut message = Message::new("GET", "/", HOST, b"");
            message.set("host", host);
            let mut message = forger(scheme).sign(message, &format!("{THREE};x-nonce"), NOW);
            target.clone_into(&mut message.target);
            assert_code(scheme, name, &message, expected);
        }
        for header in ["x-forwarded-host", "forwarded", "x-host", "x-original-host"] {
            let mut message = signed(scheme);
            message.remove("host");
            let message = message.with(header, HOST);
            assert_code(scheme, header, &message, "malformed");
        }
        // A service is not made to sign for a stranger in the first place.
        let parts = Message::new("GET", "/", "orders.internal", b"")
            .parts()
            .unwrap();
        let refused = billing(scheme).sign(&parts, PayloadDigest::of(b""), NOW);
        assert_eq!(
            refused.unwrap_err().kind(),
            SignErrorKind::Authority,
            "{scheme}"
        );
    }
}

/// Source: the article's own client and receiver disagree off port 80: Node sends `name:port` and
/// the bare name was signed (wire format, rules 4 and 5). One form holds for a verifier, never
/// either.
#[test]
fn a_port_that_is_sent_but_not_signed() {
    let list = format!("{THREE};x-nonce");
    for scheme in SCHEMES {
        let strip = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([HOST, "[::1]"])
            .host_form(HostForm::StripPort)
            .build()
            .unwrap();
        let exact = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([HOST, "user-service.internal:8081", "[::1]", "[::1]:8081"])
            .build()
            .unwrap();
        for (name, signed_host, sent_host, stripped, as_sent) in [
            ("no port", HOST, HOST, "accept", "accept"),
            (
                "a port",
                HOST,
                "user-service.internal:8081",
                "accept",
                "invalid_signature",
            ),
            (
                "a signed port",
                "user-service.internal:8081",
                "user-service.internal:8081",
                "invalid_signature",
                "accept",
            ),
            ("IPv6", "[::1]", "[::1]:8081", "accept", "invalid_signature"),
            (
                "another name",
                HOST,
                "orders.internal:8081",
                "misdirected",
                "misdirected",
            ),
            (
                "another of ours",
                HOST,
                "[::1]:8081",
                "invalid_signature",
                "invalid_signature",
            ),
        ] {
            let message = Message::new("GET", "/", signed_host, b"");
            let mut message = forger(scheme).sign(message, &list, NOW);
            message.set("host", sent_host);
            for (verifier, expected) in [(&strip, stripped), (&exact, as_sent)] {
                let found = message.judge(verifier, &keyring(scheme), NOW).code();
                assert_eq!(found, expected, "{scheme}: {name}");
            }
        }
        // Where there is none, none is made up.
        let mut nobody =
            forger(scheme).sign(Message::new("GET", "/", "localhost", b""), &list, NOW);
        nobody.remove("host");
        assert_code(scheme, "no host", &nobody, "malformed");
    }
}

/// Source: WIMSE#297: `@request-target` is another text in HTTP/2, so that a request was refused
/// behind a hop (part 1, row 34).
#[test]
fn a_request_that_verifies_in_one_version_of_http_only() {
    for scheme in SCHEMES {
        let signed = signed(scheme);
        assert_code(scheme, "HTTP/1.1", &signed, "accept");
        let mut h2 = signed.clone();
        h2.target = format!("http://{HOST}{}", signed.target);
        assert_code(scheme, "with Host and :authority", &h2, "accept");
        h2.remove("host");
        assert_code(scheme, "HTTP/2", &h2, "accept");
    }
}

/// Source: A2A#1829: a nonce from the date and the key repeats within a millisecond (part 1, row
/// 34).
#[test]
fn a_nonce_that_repeats_within_a_moment() {
    let parts = request("POST", "/").parts().unwrap();
    let mut seen = HashSet::new();
    for round in 0..1000 {
        let signature = billing(Scheme::HmacSha256).sign(&parts, PayloadDigest::of(BODY), NOW);
        let signature = signature.unwrap();
        let (_, nonce) = signature
            .headers()
            .find(|(name, _)| *name == "x-nonce")
            .unwrap();
        assert!(seen.insert(nonce.clone()), "round {round}");
    }
}

/// Source: nonce-auth, and CVE-2023-35941, Envoy OAuth2: fields were joined without separators, so
/// that digits moved from one to the next under the same MAC (part 1, row 12; part 2).
#[test]
fn bytes_that_move_from_one_field_to_the_next() {
    type Change = (&'static str, fn(&mut Message));
    // Each leaves the text the same if the separator is not in it.
    let moves: [Change; 6] = [
        ("target to host", |m| {
            m.target = "/8080?x=".into();
            m.set("host", "1user-service.internal");
        }),
        ("host to target", |m| {
            m.target = "/8080?x=1u".into();
            m.set("host", "ser-service.internal");
        }),
        ("nonce to content type", |m| {
            m.set("x-nonce", format!("{NONCE}a"));
            m.set("content-type", "pplication/json");
        }),
        ("value to value", |m| {
            m.set("x-a", "12:x-b3");
            m.set("x-b", ";4");
        }),
        ("value to the next name", |m| {
            m.set("x-a", "12:");
            m.remove("x-b");
            m.append("x-bx-b", "3;4");
            m.edit("authorization", "x-a;x-b", "x-a;x-bx-b");
        }),
        ("two headers to one", |m| {
            m.set("x-a", "12:x-bx-b:3;4");
            m.remove("x-b");
            m.edit("authorization", "x-a;x-b", "x-a");
        }),
    ];
    let separators: [Change; 8] = [
        ("method", |m| m.method = "GET\n/".into()),
        ("target", |m| m.target = "/a\nhost:x".into()),
        ("host", |m| m.set("host", "a\nx-date:b")),
        ("date", |m| m.edit("x-date", "GMT", "GMT\nx:")),
        ("nonce", |m| m.set("x-nonce", format!("{NONCE}\nx:"))),
        ("value", |m| m.set("x-a", "1\nx-b:2")),
        ("carriage return", |m| m.set("x-a", "1\rx-b:2")),
        ("nul", |m| m.set("x-a", "1\0")),
    ];
    let all_hosts = Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([HOST, "1user-service.internal", "ser-service.internal"])
        .build()
        .unwrap();
    for scheme in SCHEMES {
        let signer = billing(scheme)
            .with_covered_header("x-a".parse().unwrap())
            .unwrap()
            .with_covered_header("x-b".parse().unwrap())
            .unwrap();
        let signed = request("GET", "/8080?x=1")
            .with("x-a", "12:x-b")
            .with("x-b", "3;4")
            .signed(&signer, NOW);
        assert_code(scheme, "as signed", &signed, "accept");
        for (name, change) in moves {
            let mut message = signed.clone();
            change(&mut message);
            let found = message.judge(&all_hosts, &keyring(scheme), NOW).code();
            assert_eq!(found, "invalid_signature", "{scheme}: {name}");
        }
        // And no field can hold the separator.
        for (name, change) in separators {
            let mut message = signed.clone();
            change(&mut message);
            assert_code(scheme, name, &message, "no HTTP");
        }
    }
}
