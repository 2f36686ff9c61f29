//! What a signature covers.

use countersign::{ConfigErrorKind, Keyring, PayloadDigest, SignErrorKind};
use tests::keys::{NOW, OTHER_SECRET, SECRET};

use crate::{
    BODY, HOST, SCHEMES, THREE, assert_code, billing, caller_key, forger, judge, key,
    message::{ALL_FIVE, Forger, Message, NONCE},
    request, signed, verifier,
};

/// Source: CVE-2017-16005, joyent http-signature <= 0.9.11: the values of headers were signed,
/// their names were not (part 1, row 4; part 2).
#[test]
fn names_of_headers_that_are_not_signed() {
    for scheme in SCHEMES {
        let signer = billing(scheme)
            .with_covered_header("x-debit".parse().unwrap())
            .unwrap()
            .with_covered_header("x-credit".parse().unwrap())
            .unwrap();
        for (name, debit, credit) in [("equal values", "5", "5"), ("two values", "5", "7")] {
            let signed = request("POST", "/")
                .with("x-debit", debit)
                .with("x-credit", credit)
                .signed(&signer, NOW);
            assert_code(scheme, name, &signed, "accept");

            let mut list = signed.clone();
            list.edit("authorization", "x-debit;x-credit", "x-credit;x-debit");
            assert_code(scheme, name, &list, "invalid_signature");

            let mut headers = signed.clone();
            headers.set("x-debit", credit);
            headers.set("x-credit", debit);
            let same = debit == credit;
            let expected = if same { "accept" } else { "invalid_signature" };
            assert_code(scheme, name, &headers, expected);
            let mut both = headers;
            both.edit("authorization", "x-debit;x-credit", "x-credit;x-debit");
            assert_code(scheme, name, &both, "invalid_signature");

            // One name for another, with the value it had.
            let mut renamed = signed.clone();
            renamed.remove("x-debit");
            renamed.append("x-owed", debit);
            renamed.edit("authorization", "x-debit", "x-owed");
            assert_code(scheme, name, &renamed, "invalid_signature");
        }
    }
}

/// Source: GHSA-x9cc-346q-g27m, Cloudflare's web-bot-auth: a signature over the empty list `()` was
/// good and bound to nothing (part 1, row 5; part 2).
#[test]
fn a_good_signature_over_too_little() {
    for scheme in SCHEMES {
        for list in [
            "",
            "host",
            "x-date",
            "x-content-sha256",
            "host;x-date",
            "host;x-content-sha256",
            "x-date;x-content-sha256",
            "x-nonce",
            "x-date;x-content-sha256;x-nonce;content-type",
        ] {
            let message = forger(scheme).sign(request("POST", "/"), list, NOW);
            assert_code(scheme, list, &message, "insufficient_coverage");
        }
        // Enough for the scheme, too little for the key: told to the holder of the key only.
        let without_type = || Message::new("POST", "/", HOST, BODY);
        for (name, request, list) in [
            ("neither", request("POST", "/"), THREE),
            ("no nonce", without_type(), THREE),
            (
                "no type",
                request("POST", "/"),
                "host;x-date;x-content-sha256;x-nonce",
            ),
        ] {
            let signed = forger(scheme).sign(request.clone(), list, NOW);
            assert_code(scheme, name, &signed, "insufficient_coverage");
            let forged = Forger::new(scheme, "billing", OTHER_SECRET).sign(request, list, NOW);
            assert_code(scheme, name, &forged, "invalid_signature");
        }
    }
}

/// Source: RFC 9421 section 2.1, and verifiers that did not refuse it: a component covered twice
/// (part 1, row 35).
#[test]
fn a_component_that_is_covered_twice() {
    for scheme in SCHEMES {
        for (name, list) in [
            ("host", "host;x-date;x-content-sha256;x-nonce;host"),
            ("nonce", "host;x-date;x-content-sha256;x-nonce;x-nonce"),
            ("host at once", "host;host;x-date;x-content-sha256;x-nonce"),
            (
                "a further one",
                "host;x-date;x-content-sha256;x-nonce;content-type;content-type",
            ),
        ] {
            let message = forger(scheme).sign(request("POST", "/"), list, NOW);
            assert_code(scheme, name, &message, "malformed");
        }
        // One of few is found in another way than one of many.
        let names: Vec<_> = (0..9).map(|number| format!("x-{number}")).collect();
        let message = names.iter().fold(request("POST", "/"), |message, name| {
            message.with(name, "a")
        });
        let list = format!("{ALL_FIVE};{}", names.join(";"));
        let signed = forger(scheme).sign(message.clone(), &list, NOW);
        assert_code(scheme, "each once", &signed, "accept");
        for name in &names {
            let list = format!("{list};{name}");
            let signed = forger(scheme).sign(message.clone(), &list, NOW);
            assert_code(scheme, name, &signed, "malformed");
        }
    }
}

/// Source: httpsig: an absent header was signed like an empty one (part 1, row 23; Kong does so
/// too).
#[test]
fn a_header_that_is_absent_and_counts_as_empty() {
    for scheme in SCHEMES {
        let signer = billing(scheme)
            .with_covered_header("x-tenant".parse().unwrap())
            .unwrap();
        let parts = request("POST", "/").parts().unwrap();
        let refused = signer
            .sign(&parts, PayloadDigest::of(BODY), NOW)
            .unwrap_err();
        assert_eq!(refused.kind(), SignErrorKind::Header, "{scheme}");

        let signed = request("POST", "/")
            .with("x-tenant", "")
            .signed(&signer, NOW);
        assert_code(scheme, "empty", &signed, "accept");
        let mut absent = signed.clone();
        absent.remove("x-tenant");
        assert_code(scheme, "absent", &absent, "malformed");
        let mut filled = signed;
        filled.set("x-tenant", "acme");
        assert_code(scheme, "filled", &filled, "invalid_signature");
    }
}

/// Source: RFC 9110 section 5.5: a receiver trims the blanks around a value, so that what was
/// signed with them never verifies (the class of part 1, row 27).
#[test]
fn a_value_that_is_trimmed_on_the_way() {
    for scheme in SCHEMES {
        let signer = billing(scheme)
            .with_covered_header("x-tenant".parse().unwrap())
            .unwrap();
        for value in [" acme", "acme ", "\tacme", "acme\t", " "] {
            let request = request("POST", "/").with("x-tenant", value);
            let parts = request.parts().unwrap();
            let refused = signer.sign(&parts, PayloadDigest::of(BODY), NOW);
            let kind = refused.unwrap_err().kind();
            assert_eq!(kind, SignErrorKind::Header, "{scheme}: {value:?}");
        }
        let inner = request("POST", "/").with("x-tenant", "a  c\te");
        assert_code(scheme, "inside", &inner.signed(&signer, NOW), "accept");
    }
}

/// Source: httpsig, http-signature-normalization-actix, APISIX: of two headers one was signed and
/// the other used (part 1, rows 7 and 32).
#[test]
fn a_second_header_of_a_name_that_is_read() {
    for scheme in SCHEMES {
        let signer = billing(scheme)
            .with_covered_header("x-tenant".parse().unwrap())
            .unwrap();
        let signed = request("POST", "/")
            .with("x-tenant", "acme")
            .signed(&signer, NOW);
        for name in [
            "authorization",
            "host",
            "x-date",
            "x-content-sha256",
            "x-nonce",
            "content-type",
            "x-tenant",
        ] {
            let same = signed.header(name).to_owned();
            for (value, which) in [(&*same, "equal"), ("other", "another"), ("", "empty")] {
                let row = format!("{name}, {which}");
                for (place, message) in [
                    ("in front", {
                        let mut message = signed.clone();
                        message.prepend(name, value);
                        message
                    }),
                    ("behind", signed.clone().with(name, value)),
                    (
                        "in another case",
                        signed.clone().with(&name.to_uppercase(), value),
                    ),
                ] {
                    let verdict = judge(scheme, &message);
                    assert_eq!(verdict.code(), "malformed", "{scheme}: {row} {place}");
                    let status = verdict.kind().unwrap().status();
                    assert_eq!(status, 401, "{scheme}: {row} {place}");
                }
            }
        }
    }
}

/// Source: RustFS GHSA-g8w9-qw9q-fghr and GHSA-xm99-m3gq-83g8, s3s#818: a header that was added
/// behind the signature turned a write into a read; webhooksmith-axum: the type of a verified
/// request held headers that were not (part 1, rows 6 and 31). Taking such headers away is the
/// layer's part.
#[test]
fn a_header_that_is_added_and_counts_as_proven() {
    for scheme in SCHEMES {
        let message = signed(scheme)
            .with("x-amz-copy-source", "/other/secret")
            .with("x-http-method-override", "DELETE")
            .with("x-user", "root");
        let verified = judge(scheme, &message).verified("added headers");
        let covered: Vec<_> = verified.covered_headers().collect();
        assert_eq!(covered.join(";"), ALL_FIVE, "{scheme}");
        for name in [
            "x-amz-copy-source",
            "x-http-method-override",
            "x-user",
            "user-agent",
        ] {
            assert_eq!(verified.covered(name), None, "{scheme}: {name}");
        }

        // What would change the meaning of the body or the identity of the request is not even
        // passed on.
        let three = forger(scheme).sign(Message::new("POST", "/", HOST, BODY), THREE, NOW);
        let keys = Keyring::builder()
            .caller(
                "billing",
                caller_key("1", &key(scheme, SECRET)).insecure_three_headers(),
            )
            .build()
            .unwrap();
        let judge = |message: &Message| message.judge(&verifier(), &keys, NOW).code();
        assert_eq!(judge(&three), "accept", "{scheme}");
        for (name, value) in [("content-encoding", "gzip"), ("x-nonce", NONCE)] {
            let added = three.clone().with(name, value);
            assert_eq!(judge(&added), "insufficient_coverage", "{scheme}: {name}");
        }
        let full = signed(scheme).with("content-encoding", "gzip");
        assert_code(scheme, "content-encoding", &full, "insufficient_coverage");
        let encoded = Message::new("POST", "/", HOST, BODY).with("content-encoding", "gzip");
        let encoded = encoded.signed(&billing(scheme), NOW);
        assert_code(scheme, "a covered encoding", &encoded, "accept");
        let untyped = Message::new("POST", "/", HOST, BODY).signed(&billing(scheme), NOW);
        let typed = untyped.with("content-type", "text/html");
        assert_code(scheme, "content-type", &typed, "insufficient_coverage");
    }
}

/// Source: CVE-2024-45410, Traefik, and CVE-2025-48865, Fabio: `Connection: x-date` made a proxy
/// drop the header (part 2). Nothing here reads `Connection`, and no signature may cover it.
#[test]
fn a_connection_header_that_takes_a_signed_header_away() {
    for scheme in SCHEMES {
        let message = signed(scheme).with("connection", "x-date, x-nonce, authorization, close");
        assert_code(scheme, "named", &message, "accept");
        let mut dropped = message.clone();
        dropped.remove("x-nonce");
        assert_code(scheme, "named and dropped", &dropped, "malformed");

        for name in [
            "connection",
            "transfer-encoding",
            "te",
            "upgrade",
            "authorization",
        ] {
            let refused = billing(scheme)
                .with_covered_header(name.parse().unwrap())
                .unwrap_err();
            assert_eq!(
                refused.kind(),
                ConfigErrorKind::Coverage,
                "{scheme}: {name}"
            );
        }
        let list = format!("{ALL_FIVE};connection");
        let covered = request("POST", "/").with("connection", "close");
        let covered = forger(scheme).sign(covered, &list, NOW);
        assert_code(scheme, "covered", &covered, "malformed");
    }
}
