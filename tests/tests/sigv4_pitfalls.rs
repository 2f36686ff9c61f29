//! How AWS Signature Version 4 has failed elsewhere, as tests that fail if this project makes the
//! same mistake. Each says where it happened. Where a mistake is one of coverage or of freshness,
//! the request is one with a right signature.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;
mod sigv4;

use std::{hint::black_box, time::Duration};

use countersign::{
    BodyState, CallerKey, ConfigErrorKind, ContentTypeRule, HeadLimits, Keyring, NonceRule,
    PayloadDigest, RejectionKind, Secret, SigV4Credentials, SigV4PathEncoding, SigV4Presigned,
    SigV4SignSettings, SigV4VerifySettings, SignErrorKind, Signer, SigningKey, Timestamp,
};
use http::Method;
use tests::{
    growth::{self, FACTOR},
    keys::NOW,
};

use crate::{
    message::Message,
    sigv4::{
        DATE, Forger, HOST, KEY_ID, OTHER_SECRET, REGION, SECRET, SERVICE, caller_key, code,
        code_with, forged, judge_with, key, keyring, keyring_of, presigned, settings, signed,
        signer, unsigned, verifier, verify_settings,
    },
};

fn get(target: &str) -> Message {
    Message::new("GET", target, HOST, b"")
}

fn post() -> Message {
    Message::new("POST", "/api/account/7?x=1", HOST, b"{\"userId\":123}")
        .with("content-type", "application/json")
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW.as_unix_seconds() + seconds)
}

#[test]
fn what_is_signed_here_is_accepted_and_the_forger_agrees() {
    assert_eq!(code(&signed(post(), &signer(), NOW)), "accept");
    assert_eq!(
        code(&presigned(get("/a?x=1"), &signer(), 60, NOW)),
        "accept"
    );
    assert_eq!(code(&forged(&unsigned("/a%20b?x=1"))), "accept");
}

/// Source: minio CVE-2020-11012: the access key id alone was enough.
#[test]
fn a_known_key_id_with_another_secret_is_refused() {
    let keys = keyring_of(caller_key(key(OTHER_SECRET)));
    for message in [
        signed(post(), &signer(), NOW),
        presigned(get("/a"), &signer(), 60, NOW),
    ] {
        assert_eq!(
            code_with(&message, verify_settings(), &keys, NOW),
            "invalid_signature"
        );
    }
}

/// Source: CVE-2022-2385 (aws-iam-authenticator): one reader took `Action`, the next `action` (part
/// 1, row 8).
#[test]
fn a_parameter_twice_in_another_case_or_spelling_is_refused() {
    for extra in [
        "X-Amz-Date=20260102T030405Z",
        "x-amz-date=20260102T030405Z",
        "X-AMZ-Expires=1",
        "%58-Amz-Credential=a",
        "%78-amz-signature=0",
        "X-Amz-SignedHeader%73=host",
        "x-amz-algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Other=1&x-amz-other=2",
    ] {
        let signed = presigned(get("/a?Action=Get"), &signer(), 60, NOW);
        let behind = Message {
            target: format!("{}&{extra}", signed.target),
            ..signed.clone()
        };
        let before = Message {
            target: signed.target.replace('?', &format!("?{extra}&")),
            ..signed
        };
        assert_eq!(code(&behind), "malformed", "{extra}");
        assert_eq!(code(&before), "malformed", "{extra}");
    }
    for query in [
        "X-Amz-Other=1&x-amz-other=2",
        "X-Amz-Other=1&x-amz-%6fther=2",
    ] {
        assert_eq!(
            code(&forged(&unsigned(&format!("/a?{query}")))),
            "malformed",
            "{query}"
        );
    }
}

/// Source: s3s#176, rustango: sorting hides the order of values of one name (part 1, row 9).
#[test]
fn the_order_of_repeated_names_cannot_be_changed_under_one_signature() {
    let one = forged(&unsigned("/a?role=admin&role=user"));
    let mut other = one.clone();
    other.target = "/a?role=user&role=admin".to_owned();
    for message in [&one, &other] {
        assert_eq!(code(message), "malformed");
        let verify_settings = verify_settings().insecure_accept_repeated_query_names();
        assert_eq!(
            code_with(message, verify_settings, &keyring(), NOW),
            "accept"
        );
    }
}

/// Source: CVE-2020-16250 (Vault): a signed request was sent to a host of the attacker's choice, or
/// for another service (part 1, row 10).
#[test]
fn a_signature_for_another_host_region_or_service_is_refused() {
    let other_host = Message::new("GET", "/", "sts.example.com", b"");
    let signer = Signer::sigv4(settings(), ["sts.example.com"]).unwrap();
    assert_eq!(code(&signed(other_host, &signer, NOW)), "misdirected");

    let message = unsigned("/");
    for (name, scope, expected) in [
        (
            "own",
            format!("20260102/{REGION}/{SERVICE}/aws4_request"),
            "accept",
        ),
        (
            "region",
            format!("20260102/us-east-1/{SERVICE}/aws4_request"),
            "invalid_signature",
        ),
        (
            "service",
            format!("20260102/{REGION}/sts/aws4_request"),
            "invalid_signature",
        ),
        (
            "terminator",
            format!("20260102/{REGION}/{SERVICE}/aws5_request"),
            "malformed",
        ),
        (
            "swapped",
            format!("20260102/{SERVICE}/{REGION}/aws4_request"),
            "invalid_signature",
        ),
    ] {
        let mut forger = Forger::of(&message, "host;x-amz-date");
        forger.scope = scope;
        assert_eq!(code(&forger.sign(&message)), expected, "{name}");
    }

    let mut two = forged(&message);
    two.target = "http://other.internal/".to_owned();
    assert_eq!(code(&two), "malformed");
}

/// Source: MinIO CVE-2026-40344 and CVE-2025-31489, NVIDIA/OpenShell#1638: a payload literal that
/// one handler did not know was taken without its signature being checked (part 1, row 13).
#[test]
fn no_payload_literal_opens_a_way_past_the_signature() {
    for literal in [
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-ANYTHING",
        "required",
        "",
    ] {
        let list = "host;x-amz-content-sha256;x-amz-date";
        let message = Message::new("PUT", "/a", HOST, b"body")
            .with("x-amz-date", DATE)
            .with("x-amz-content-sha256", literal);
        let mut forger = Forger::of(&message, list);
        forger.payload = literal.to_owned();
        let right = forger.sign(&message);
        let digit = right.header("authorization").chars().last().unwrap();
        let mut wrong = right.clone();
        let other = if digit == '0' { "1" } else { "0" };
        let value = right.header("authorization").to_owned();
        wrong.set(
            "authorization",
            format!("{}{other}", &value[..value.len() - 1]),
        );
        let open = || verify_settings().insecure_accept_unsigned_payload();
        let is_unsigned = literal == "UNSIGNED-PAYLOAD";
        let by_default = if is_unsigned {
            "insufficient_coverage"
        } else {
            "malformed"
        };
        assert_eq!(code(&right), by_default, "{literal:?}");
        let where_allowed = if is_unsigned { "accept" } else { "malformed" };
        assert_eq!(
            code_with(&right, open(), &keyring(), NOW),
            where_allowed,
            "{literal:?}"
        );
        let refused = if is_unsigned {
            "invalid_signature"
        } else {
            "malformed"
        };
        assert_eq!(
            code_with(&wrong, open(), &keyring(), NOW),
            refused,
            "{literal:?}"
        );

        let mut presigned = presigned(get("/a"), &signer(), 60, NOW);
        presigned
            .target
            .extend([format!("&X-Amz-Content-Sha256={literal}")]);
        assert_ne!(
            code_with(&presigned, open(), &keyring(), NOW),
            "accept",
            "{literal:?}"
        );
    }
}

/// Source: the same advisory: credentials were taken from the query while the header decided
/// whether to check them.
#[test]
fn credentials_in_header_and_query_together_are_refused() {
    let in_query = presigned(get("/a"), &signer(), 60, NOW);
    let in_header = signed(get("/a"), &signer(), NOW);
    let authorization = in_header.header("authorization");
    for value in [
        authorization,
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=a",
    ] {
        let both = in_query.clone().with("authorization", value);
        assert_eq!(code(&both), "malformed", "{value}");
    }
    for parameter in [
        "X-Amz-Signature=0",
        "X-Amz-Credential=a",
        "x-amz-algorithm=b",
        "%58-amz-signature",
    ] {
        let mut both = in_header.clone();
        both.target.extend([format!("?{parameter}")]);
        assert_eq!(code(&both), "malformed", "{parameter}");
        let alone = get(&format!("/a?{parameter}"));
        assert_eq!(code(&alone), "malformed", "{parameter}");
    }
    let unsigned = in_query.target.rsplit_once('&').unwrap().0;
    assert_eq!(code(&get(unsigned)), "malformed");
}

/// Source: Keystone CVE-2025-65073: a presigned URL could be exchanged for what a header gives.
#[test]
fn a_signature_of_one_place_is_none_in_the_other() {
    let in_query = presigned(get("/a"), &signer(), 60, NOW);
    let signature = in_query.target.rsplit_once('=').unwrap().1;
    let mut in_header = signed(get("/a"), &signer(), NOW);
    let value = in_header.header("authorization").to_owned();
    let own = value.rsplit_once('=').unwrap().1;
    in_header.set("authorization", value.replace(own, signature));
    assert_eq!(code(&in_header), "invalid_signature");
    let mut exchanged = in_query.clone();
    exchanged.target = exchanged.target.replace(signature, own);
    assert_eq!(code(&exchanged), "invalid_signature");
    let verify_settings = SigV4VerifySettings::new(REGION, SERVICE).unwrap();
    assert_eq!(
        code_with(&in_query, verify_settings, &keyring(), NOW),
        "malformed"
    );
}

/// Source: swift3 CVE-2015-8466, actpub-httpsig: one date was checked, another one signed (part 1,
/// row 22).
#[test]
fn the_date_that_is_judged_is_the_one_that_is_signed() {
    let fresh = NOW.to_http_date().unwrap();
    let stale = "20251231T030405Z";
    let message = Message::new("GET", "/", HOST, b"").with("x-amz-date", stale);
    let mut forger = Forger::of(&message, "host;x-amz-date");
    (forger.date, forger.scope) = (
        stale.to_owned(),
        forger.scope.replace("20260102", "20251231"),
    );
    let signed = forger.sign(&message).with("date", &fresh);
    assert_eq!(code(&signed), "expired");

    // Alone, Date is the signed one, and must be covered.
    let message = Message::new("GET", "/", HOST, b"").with("date", &fresh);
    let covered = Forger::of(&message, "date;host").sign(&message);
    assert_eq!(code(&covered), "accept");
    let uncovered = Forger::of(&message, "host").sign(&message);
    assert_eq!(code(&uncovered), "insufficient_coverage");
    let uncovered = Forger::of(&unsigned("/"), "host").sign(&unsigned("/"));
    assert_eq!(code(&uncovered), "insufficient_coverage");
    for (name, extra) in [
        ("x-amz-date", DATE),
        ("date", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ] {
        let twice = covered.clone().with("date", &fresh).with(name, extra);
        assert_eq!(code(&twice), "malformed", "{name}");
    }
}

/// Source: rustack-auth, Keystone CVE-2020-12692, s3s#771: no window, or one side of it (part 1,
/// row 24).
#[test]
fn the_window_has_two_sides_and_the_scope_its_day() {
    let signed = signed(post(), &signer(), NOW);
    for (seconds, expected) in [
        (-301, "expired"),
        (-300, "accept"),
        (300, "accept"),
        (301, "expired"),
        (86_400 * 365, "expired"),
    ] {
        let found = code_with(&signed, verify_settings(), &keyring(), after(seconds));
        assert_eq!(found, expected, "{seconds}");
    }

    // Around midnight both parts must agree: 2026-01-02T23:59:59Z and the second after it.
    let midnight = Timestamp::from_unix_seconds(1_767_398_400);
    for (date, day, expected) in [
        ("20260102T235959Z", "20260102", "accept"),
        ("20260103T000000Z", "20260103", "accept"),
        ("20260102T235959Z", "20260103", "malformed"),
        ("20260103T000000Z", "20260102", "malformed"),
    ] {
        let message = get("/").with("x-amz-date", date);
        let mut forger = Forger::of(&message, "host;x-amz-date");
        (forger.date, forger.scope) = (date.to_owned(), forger.scope.replace("20260102", day));
        let found = code_with(
            &forger.sign(&message),
            verify_settings(),
            &keyring(),
            midnight,
        );
        assert_eq!(found, expected, "{date} {day}");
    }
}

/// Source: scratchstack ignored X-Amz-Expires (part 1, row 25).
#[test]
fn a_presigned_url_expires() {
    let expiring = |expires: u64, at: i64| {
        let message = presigned(get("/a"), &signer(), expires, NOW);
        code_with(&message, verify_settings(), &keyring(), after(at))
    };
    for (expires, at, expected) in [
        (1, 1, "accept"),
        (1, 2, "expired"),
        (60, 60, "accept"),
        (60, 61, "expired"),
        // What a URL may say is more than what this verifier allows.
        (604_800, 900, "accept"),
        (604_800, 901, "expired"),
        (60, -300, "accept"),
        (60, -301, "expired"),
    ] {
        assert_eq!(expiring(expires, at), expected, "{expires} {at}");
    }
    let signed = presigned(get("/a"), &signer(), 60, NOW);
    for other in [
        "604801",
        "0",
        "-1",
        "+60",
        "060",
        "6e1",
        "60.0",
        "",
        "99999999999999999999",
        "%36%30",
    ] {
        let mut message = signed.clone();
        message.target = message
            .target
            .replace("Expires=60", &format!("Expires={other}"));
        assert_eq!(code(&message), "malformed", "{other:?}");
    }
    let mut longer = signed.clone();
    longer.target = longer.target.replace("Expires=60", "Expires=61");
    assert_eq!(code(&longer), "invalid_signature");
    let mut absent = signed;
    absent.target = absent.target.replace("&X-Amz-Expires=60", "");
    assert_eq!(code(&absent), "malformed");
    for expires in [
        Duration::ZERO,
        Duration::from_millis(999),
        Duration::from_secs(604_801),
    ] {
        let parts = get("/a").parts().unwrap();
        assert!(
            signer()
                .presign(&parts, PayloadDigest::of(b""), expires, NOW)
                .is_err()
        );
    }
}

/// Source: scratchstack sorted joined pairs, and read `+` in two ways (part 1, row 26).
#[test]
fn targets_that_look_alike_have_signatures_of_their_own() {
    for (name, targets) in [
        (
            "numbered names",
            &["/?Tag.1=a&Tag.10=b", "/?Tag.1=b&Tag.10=a"][..],
        ),
        (
            "a name that begins another",
            &["/?a=1&a-b=2", "/?a=2&a-b=1", "/?a-b=1&a=2"],
        ),
        (
            "plus, space and escaped plus",
            &["/a+b", "/a%20b", "/a%2Bb"],
        ),
        ("in a query", &["/?q=a%20b", "/?q=a%2Bb", "/?q=ab"]),
        ("escaped percent", &["/%2541", "/%41", "/A"]),
        ("slash", &["/a", "/a/"]),
        ("no value", &["/?a", "/?b", "/"]),
        ("name or value", &["/?a=b", "/?a%3Db"]),
    ] {
        for one in targets {
            let message = signed(get(one), &signer(), NOW);
            assert_eq!(code(&message), "accept", "{name}: {one}");
            for other in targets.iter().filter(|other| *other != one) {
                let mut changed = message.clone();
                changed.target = (*other).to_owned();
                let same = one.contains("a-b=1") && *other == "/?a=2&a-b=1"
                    || *one == "/?a=2&a-b=1" && other.contains("a-b=1&");
                let expected = if same { "accept" } else { "invalid_signature" };
                assert_eq!(code(&changed), expected, "{name}: {one} as {other}");
            }
        }
    }
    assert_eq!(code(&signed(get("/?q=a+b"), &signer(), NOW)), "malformed");
}

/// Source: mauth-core, scratchstack: the normalised path was signed and the raw one routed (part 1,
/// row 27).
#[test]
fn the_path_that_is_signed_is_the_one_that_is_routed() {
    for target in [
        "/admin/../public",
        "//public",
        "/./public",
        "/public/.",
        "/admin/..",
        "/x//public",
        "/%2e%2e/public",
        "/admin/%2E%2e/public",
        "/admin%2f..%2fpublic",
        "/public%2Fx",
    ] {
        let message = signed(get(target), &signer(), NOW);
        assert_eq!(code(&message), "malformed", "{target}");
    }
    // What the check is for: without it one signature serves several.
    let mut message = signed(get("/public"), &signer(), NOW);
    message.target = "/admin/../public".to_owned();
    assert_eq!(code(&message), "malformed");
    let lenient = verify_settings().insecure_accept_noncanonical_paths();
    assert_eq!(code_with(&message, lenient, &keyring(), NOW), "accept");
}

/// A path that is decoded before it is signed has one signature in every spelling, and a router
/// that compares before it decodes knows only one of them.
#[test]
fn a_path_that_is_encoded_once_is_taken_in_one_spelling() {
    let single = || verify_settings().with_path_encoding(SigV4PathEncoding::Single);
    let signer = {
        let settings = settings().with_path_encoding(SigV4PathEncoding::Single);
        Signer::sigv4(settings, [HOST]).unwrap()
    };
    let keys = keyring();
    for (signed_for, sent) in [
        ("/admin", "/%61dmin"),
        ("/a~b", "/a%7Eb"),
        ("/a%3Ab", "/a:b"),
        ("/a%C3%BC", "/a%c3%bc"),
        ("/a%2Bb", "/a+b"),
    ] {
        let message = signed(get(signed_for), &signer, NOW);
        assert_eq!(
            code_with(&message, single(), &keys, NOW),
            "accept",
            "{signed_for}"
        );
        let mut respelled = message.clone();
        respelled.target = sent.to_owned();
        let refused = code_with(&respelled, single(), &keys, NOW);
        assert_eq!(refused, "malformed", "{signed_for} as {sent}");
        // What the check is for: without it the signature holds for both.
        let lenient = single().insecure_accept_noncanonical_paths();
        let taken = code_with(&respelled, lenient, &keys, NOW);
        assert_eq!(taken, "accept", "{signed_for} as {sent}");
    }
}

/// Source: RustFS GHSA-g8w9-qw9q-fghr, GHSA-xm99-m3gq-83g8; s3s#818: an unsigned
/// `x-amz-copy-source` made a PUT read another object (part 1, row 6).
#[test]
fn an_amz_header_that_is_not_covered_is_refused() {
    for name in [
        "x-amz-copy-source",
        "x-amz-meta-a",
        "x-amz-",
        "x-amz-security-token",
        "x-amz-acl",
    ] {
        for message in [
            signed(post(), &signer(), NOW),
            presigned(get("/a"), &signer(), 60, NOW),
            forged(&unsigned("/")),
        ] {
            let added = message.with(name, "/bucket/secret");
            let refused = code(&added);
            assert!(
                matches!(refused, "insufficient_coverage" | "malformed"),
                "{name}: {refused}"
            );
        }
    }
    // Nor is one that is covered, and there twice.
    let message = signed(post().with("x-amz-meta-a", "1"), &signer(), NOW);
    assert_eq!(code(&message), "accept");
    assert_eq!(code(&message.with("x-amz-meta-a", "1")), "malformed");
}

/// Source: CVE-2017-16005 (joyent http-signature): values were signed, names were not (part 1, row
/// 4).
#[test]
fn two_covered_headers_cannot_change_places() {
    let message = signed(post().with("x-from", "a").with("x-to", "b"), &signer(), NOW);
    let mut swapped = message.clone();
    swapped.set("x-from", "b");
    swapped.set("x-to", "a");
    assert_eq!(code(&message), "accept");
    assert_eq!(code(&swapped), "invalid_signature");
}

/// Source: httpsig: an absent header was an empty one (part 1, row 23).
#[test]
fn a_covered_header_that_is_absent_is_not_an_empty_one() {
    let message = unsigned("/").with("x-extra", "");
    let present = Forger::of(&message, "host;x-amz-date;x-extra").sign(&message);
    assert_eq!(code(&present), "accept");
    let mut absent = present;
    absent.remove("x-extra");
    let refused = judge_with(&absent, &verifier(verify_settings()), &keyring(), NOW).unwrap_err();
    assert_eq!(refused.kind(), RejectionKind::Malformed);
    assert!(
        refused
            .to_string()
            .contains("header x-extra: expected once because it is covered, found 0 times"),
        "{refused}"
    );
}

/// Source: http-signature-normalization-actix: the first or the last of two (part 1, row 7).
#[test]
fn a_covered_header_twice_is_another_value_or_refused() {
    let message = signed(post().with("x-extra", "a"), &signer(), NOW);
    for name in [
        "host",
        "x-amz-date",
        "x-amz-content-sha256",
        "content-type",
        "authorization",
        "x-extra",
    ] {
        for other in [message.header(name), "other"] {
            let mut before = message.clone();
            before.prepend(name, other);
            for twice in [before, message.clone().with(name, other)] {
                let expected = if name == "x-extra" {
                    "invalid_signature"
                } else {
                    "malformed"
                };
                assert_eq!(code(&twice), expected, "{name} {other}");
            }
        }
    }
}

/// The comma between two lines counts, and there is none behind the last.
#[test]
fn a_covered_value_is_bounded_to_the_byte_however_many_lines_it_has() {
    let limits = HeadLimits::default().with_covered_value_bytes(32);
    let verifier = verifier(verify_settings())
        .to_builder()
        .limits(limits)
        .build();
    let verifier = verifier.unwrap();
    for (name, lengths, valid) in [
        ("one line", &[32][..], true),
        ("one line", &[33], false),
        ("two lines", &[16, 15], true),
        ("two lines", &[16, 16], false),
        ("lines of one byte", &[1; 16], true),
        ("lines of one byte", &[1; 17], false),
        ("empty lines", &[0; 33], true),
        ("empty lines", &[0; 34], false),
    ] {
        let mut message = unsigned("/a");
        for length in lengths {
            message.append("x-extra", "a".repeat(*length));
        }
        let message = Forger::of(&message, "host;x-amz-date;x-extra").sign(&message);
        let found = judge_with(&message, &verifier, &keyring(), NOW);
        let expected = if valid {
            Ok(())
        } else {
            Err(RejectionKind::Malformed)
        };
        let found = found.map(|_| ()).map_err(|rejection| rejection.kind());
        assert_eq!(found, expected, "{name}: {lengths:?}");
    }
}

/// Source: CVE-2026-26275 (httpsig-hyper), rows 1 and 33: the digest was checked and not signed, or
/// signed and not checked.
#[test]
fn a_body_is_the_one_that_was_signed() {
    let implied = Signer::sigv4(settings().with_implied_payload_hash(), [HOST]).unwrap();
    for (signer, refused) in [(signer(), "body_mismatch"), (implied, "invalid_signature")] {
        let mut message = signed(post(), &signer, NOW);
        assert_eq!(code(&message), "accept");
        message.body[3] ^= 1;
        assert_eq!(code(&message), refused);
        message.body.clear();
        assert_eq!(code(&message), refused);
    }
    let mut message = signed(post(), &signer(), NOW);
    message.body = b"other".to_vec();
    message.set(
        "x-amz-content-sha256",
        PayloadDigest::of(b"other").to_string(),
    );
    assert_eq!(code(&message), "invalid_signature");
    let required = verify_settings().with_payload_hash_required();
    let implied = signed(
        post(),
        &Signer::sigv4(settings().with_implied_payload_hash(), [HOST]).unwrap(),
        NOW,
    );
    assert_eq!(
        code_with(&implied, required, &keyring(), NOW),
        "insufficient_coverage"
    );
}

/// A presigned URL is for what its method says: no body with a GET, and no other method unless it
/// is allowed.
#[test]
fn a_presigned_url_is_for_get_and_head_without_a_body() {
    let mut message = presigned(get("/a"), &signer(), 60, NOW);
    message.body = b"body".to_vec();
    assert_eq!(code(&message), "body_mismatch");
    let put = Message::new("PUT", "/a", HOST, b"body");
    let put = presigned(put, &signer(), 60, NOW);
    assert_eq!(code(&put), "malformed");
    let open = verify_settings().with_presigned(SigV4Presigned::new().with_method(Method::PUT));
    let verified = judge_with(&put, &verifier(open), &keyring(), NOW).unwrap();
    assert_eq!(
        verified.body(),
        BodyState::Verified(PayloadDigest::of(b"body"))
    );
    assert!(verified.presigned());
    let mut get_as_head = presigned(get("/a"), &signer(), 60, NOW);
    get_as_head.method = "HEAD".to_owned();
    assert_eq!(code(&get_as_head), "invalid_signature");
}

/// The rule of a key asks for the content type only where there is one, and is met where it is
/// covered.
#[test]
fn a_covered_content_type_meets_the_rule_of_a_key_and_an_absent_one_too() {
    let strict = caller_key(key(SECRET)).with_content_type(ContentTypeRule::CoveredIfPresent);
    let strict = keyring_of(strict);
    let found = |message: &Message| code_with(message, verify_settings(), &strict, NOW);
    let typed = unsigned("/a").with("content-type", "text/plain");
    let covered = Forger::of(&typed, "content-type;host;x-amz-date").sign(&typed);
    assert_eq!(found(&covered), "accept");
    let absent = unsigned("/a");
    let absent = Forger::of(&absent, "host;x-amz-date").sign(&absent);
    assert_eq!(found(&absent), "accept");
    let uncovered = absent.with("content-type", "text/plain");
    assert_eq!(found(&uncovered), "insufficient_coverage");
}

/// An attacker who replays a request could put a new nonce beside it in every copy.
#[test]
fn a_nonce_that_is_not_covered_is_refused_and_a_covered_one_is_the_replay_identity() {
    let plain = unsigned("/a");
    let plain = Forger::of(&plain, "host;x-amz-date").sign(&plain);
    assert_eq!(code(&plain), "accept");
    let added = plain.with("x-nonce", "0123456789abcdef");
    assert_eq!(code(&added), "insufficient_coverage");
    let identity = |nonce: &str| {
        let message = unsigned("/a").with("x-nonce", nonce);
        let message = Forger::of(&message, "host;x-amz-date;x-nonce").sign(&message);
        let verified = judge_with(&message, &verifier(verify_settings()), &keyring(), NOW);
        verified.unwrap().replay_key("audience").unwrap()
    };
    assert_ne!(identity("0123456789abcdef"), identity("fedcba9876543210"));
}

/// S3 signs no body of a presigned request. Of a GET it has none all the same, also where bodies
/// that are not signed are accepted.
#[test]
fn a_presigned_get_of_s3_has_no_body() {
    const S3: &str = "s3";
    fn strict() -> SigV4VerifySettings {
        let presigned = SigV4Presigned::new().with_method(Method::PUT);
        let verify_settings = SigV4VerifySettings::new(REGION, S3).unwrap();
        verify_settings.with_presigned(presigned)
    }
    fn lenient() -> SigV4VerifySettings {
        strict().insecure_accept_unsigned_payload()
    }
    let key = SigningKey::sigv4(&Secret::from_text(SECRET).unwrap());
    let credentials = SigV4Credentials::new(KEY_ID, key).unwrap();
    let settings = SigV4SignSettings::new(REGION, S3, credentials).unwrap();
    let signer = Signer::sigv4(settings, [HOST]).unwrap();
    let found =
        |message: &Message, verify_settings| code_with(message, verify_settings, &keyring(), NOW);
    for method in ["GET", "HEAD"] {
        let empty = presigned(Message::new(method, "/a", HOST, b""), &signer, 60, NOW);
        let mut with_body = empty.clone();
        with_body.body = b"body".to_vec();
        for verify_settings in [strict, lenient] {
            assert_eq!(found(&empty, verify_settings()), "accept", "{method}");
            assert_eq!(
                found(&with_body, verify_settings()),
                "body_mismatch",
                "{method}"
            );
        }
    }
    // Where a body is expected, the setting decides whether an unsigned one is accepted.
    let put = presigned(Message::new("PUT", "/a", HOST, b"body"), &signer, 60, NOW);
    assert_eq!(found(&put, strict()), "insufficient_coverage");
    assert_eq!(found(&put, lenient()), "accept");
}

/// A session token belongs to its key: what carries another, or one that no key has, is refused
/// like a wrong signature.
#[test]
fn a_session_token_is_bound_to_its_key() {
    let token = Secret::from_text("FwoGZXIvYXdzEBYaDExample//Session+Token==").unwrap();
    let other = Secret::from_text("FwoGZXIvYXdzEBYaDExample//Session+Token=+").unwrap();
    let signer_with = |token: Option<&Secret>| {
        let key = SigningKey::sigv4(&Secret::from_text(SECRET).unwrap());
        let mut credentials = SigV4Credentials::new(KEY_ID, key).unwrap();
        if let Some(token) = token {
            credentials = credentials.with_session_token(token).unwrap();
        }
        let settings = SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap();
        Signer::sigv4(settings, [HOST]).unwrap()
    };
    let bound = keyring_of(caller_key(key(SECRET).with_session_token(&token).unwrap()));
    for (name, sent, keys, expected) in [
        ("the key's own", Some(&token), &bound, "accept"),
        ("another", Some(&other), &bound, "invalid_signature"),
        ("none", None, &bound, "invalid_signature"),
        (
            "one for a key without",
            Some(&token),
            &keyring(),
            "invalid_signature",
        ),
        ("none for a key without", None, &keyring(), "accept"),
    ] {
        let signer = signer_with(sent);
        for message in [
            signed(post(), &signer, NOW),
            presigned(get("/a"), &signer, 60, NOW),
        ] {
            assert_eq!(
                code_with(&message, verify_settings(), keys, NOW),
                expected,
                "{name}"
            );
        }
    }
    // A token in the other place than the signature is not a token.
    let mut message = signed(get("/a"), &signer(), NOW);
    message.target.push_str("?X-Amz-Security-Token=a");
    assert_eq!(
        code_with(&message, verify_settings(), &bound, NOW),
        "malformed"
    );
}

/// Source: aws-sdk-go-v2#3350: the derived key of a secret that had been replaced was still used.
#[test]
fn a_secret_that_is_replaced_or_removed_is_gone_at_once() {
    let keys = keyring();
    let message = signed(post(), &signer(), NOW);
    assert_eq!(code_with(&message, verify_settings(), &keys, NOW), "accept");
    keys.replace(&keyring_of(caller_key(key(OTHER_SECRET))));
    assert_eq!(
        code_with(&message, verify_settings(), &keys, NOW),
        "invalid_signature"
    );
    let rotated = {
        let key = SigningKey::sigv4(&Secret::from_text(OTHER_SECRET).unwrap());
        let credentials = SigV4Credentials::new(KEY_ID, key).unwrap();
        let settings = SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap();
        Signer::sigv4(settings, [HOST]).unwrap()
    };
    let message = signed(post(), &rotated, NOW);
    assert_eq!(code_with(&message, verify_settings(), &keys, NOW), "accept");
    let other = caller_key(key(SECRET)).with_key_id("AKIDOTHER").unwrap();
    keys.replace(&keyring_of(other));
    assert_eq!(
        code_with(&message, verify_settings(), &keys, NOW),
        "invalid_signature"
    );
}

/// Source: CVE-2023-30610 (the aws-sigv4 crate): `Debug` printed secrets; RustFS
/// GHSA-333v-68xh-8mmq.
#[test]
fn nothing_prints_a_secret_or_a_token() {
    let token = "SessionTokenOfThisTest";
    let secret = Secret::from_text(SECRET).unwrap();
    let key = SigningKey::sigv4(&secret);
    let credentials = SigV4Credentials::new(KEY_ID, key)
        .unwrap()
        .with_session_token(&Secret::from_text(token).unwrap())
        .unwrap();
    let settings = SigV4SignSettings::new(REGION, SERVICE, credentials.clone()).unwrap();
    let signer = Signer::sigv4(settings.clone(), [HOST]).unwrap();
    let parts = get("/a").parts().unwrap();
    let signature = signer.sign(&parts, PayloadDigest::of(b""), NOW).unwrap();
    let verifying = sigv4::key(SECRET)
        .with_session_token(&Secret::from_text(token).unwrap())
        .unwrap();
    let keys = keyring_of(caller_key(verifying.clone()));
    let message = signed(get("/a"), &signer, NOW);
    let parts = message.parts().unwrap();
    let verifier = verifier(verify_settings());
    let unverified = verifier.parse(&parts, NOW).unwrap();
    let verified = judge_with(&message, &verifier, &keys, NOW).unwrap();
    let evidence = verified.evidence().unwrap();
    let printed = format!(
        "{credentials:?} {settings:?} {signer:#?} {signature:?} {verifying:?} {keys:?} {unverified:?} {verified:?} {evidence:?}"
    );
    for hidden in [SECRET, token, &evidence.signature_hex()] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
}

/// Source: aws4fetch, which never covers the content type; a key can ask for it.
#[test]
fn a_content_type_may_be_uncovered_unless_the_key_says_otherwise() {
    let name = http::header::CONTENT_TYPE;
    let signer = Signer::sigv4(settings().with_excluded_header(name), [HOST]).unwrap();
    let message = signed(post(), &signer, NOW);
    assert_eq!(code(&message), "accept");
    let strict = caller_key(key(SECRET)).with_content_type(ContentTypeRule::CoveredIfPresent);
    let found = code_with(&message, verify_settings(), &keyring_of(strict), NOW);
    assert_eq!(found, "insufficient_coverage");
}

/// A covered nonce is what tells a replay; a URL that serves once is told by its signature.
#[test]
fn a_replay_is_known_by_its_nonce_or_by_the_signature_of_its_url() {
    let required = keyring_of(caller_key(key(SECRET)).with_nonce(NonceRule::Required));
    let with_nonce = Signer::sigv4(settings().with_nonce(), [HOST]).unwrap();
    let message = signed(post(), &with_nonce, NOW);
    let verified = judge_with(&message, &verifier(verify_settings()), &required, NOW).unwrap();
    assert_eq!(verified.nonce(), Some(message.header("x-nonce")));
    let without = signed(post(), &signer(), NOW);
    assert_eq!(
        code_with(&without, verify_settings(), &required, NOW),
        "insufficient_coverage"
    );
    // Added after signing, it is not covered and no nonce.
    let added = without.with("x-nonce", "0123456789abcdef");
    assert_eq!(code(&added), "insufficient_coverage");
    let list = "host;x-amz-date;x-nonce";
    let short = unsigned("/").with("x-nonce", "short");
    assert_eq!(code(&Forger::of(&short, list).sign(&short)), "malformed");

    let once =
        || verifier(verify_settings().with_presigned(SigV4Presigned::new().with_single_use()));
    let replay_key = |target: &str| {
        let message = presigned(get(target), &signer(), 60, NOW);
        let verified = judge_with(&message, &once(), &required, NOW).unwrap();
        verified.replay_key("audience").unwrap()
    };
    assert_eq!(replay_key("/a"), replay_key("/a"));
    assert_ne!(replay_key("/a"), replay_key("/b"));
    let message = presigned(get("/a"), &signer(), 60, NOW);
    let verified = judge_with(&message, &verifier(verify_settings()), &keyring(), NOW).unwrap();
    assert_eq!(verified.replay_key("audience"), None);
}

/// Source: slack-auth-middleware, hmac-predicate, Kong#2189: undecodable text was a panic or a 500;
/// CVE-2022-29167: a pattern that took for ever (part 1, rows 17 and 28).
#[test]
fn hostile_text_is_refused() {
    let long = "a".repeat(60_000);
    let semicolons = ";".repeat(60_000);
    let escapes = "%2F".repeat(20_000);
    for text in [
        "",
        "\u{e9}",
        "%",
        "=",
        ",",
        ";",
        "/",
        "////",
        "\t",
        &long,
        &semicolons,
        &escapes,
    ] {
        let base = signed(post(), &signer(), NOW);
        for name in [
            "authorization",
            "x-amz-date",
            "x-amz-content-sha256",
            "host",
        ] {
            let mut message = base.clone();
            message.set(name, text);
            assert_ne!(code(&message), "accept", "{name} {text:.9}");
            let mut message = base.clone();
            let value = message.header("authorization").to_owned();
            for parameter in ["Credential=", "SignedHeaders=", "Signature="] {
                message.set(
                    "authorization",
                    value.replace(parameter, &format!("{parameter}{text}")),
                );
                let same = text.is_empty();
                assert_eq!(code(&message) == "accept", same, "{parameter} {text:.9}");
            }
        }
        let query = presigned(get("/a"), &signer(), 60, NOW);
        for parameter in [
            "Credential=",
            "SignedHeaders=",
            "Signature=",
            "Date=",
            "Algorithm=",
        ] {
            let mut message = query.clone();
            let with = format!("{parameter}{text}");
            message.target = message.target.replace(parameter, &with);
            assert_eq!(
                code(&message) == "accept",
                text.is_empty(),
                "{parameter} {text:.9}"
            );
        }
    }
    for (number, expected) in [(128, "accept"), (129, "malformed")] {
        let names: Vec<_> = (0..number).map(|n| format!("p{n}=1")).collect();
        let message = signed(get(&format!("/?{}", names.join("&"))), &signer(), NOW);
        assert_eq!(code(&message), expected, "{number} parameters");
    }
    for (number, expected) in [(29, "accept"), (30, "malformed")] {
        let mut message = get("/");
        for n in 0..number {
            message.append(&format!("x-h{n}"), "1");
        }
        assert_eq!(
            code(&signed(message, &signer(), NOW)),
            expected,
            "{number} headers"
        );
    }
    for (length, expected) in [(8 * 1024, "accept"), (8 * 1024 + 1, "malformed")] {
        let target = format!("/{}", "a".repeat(length - 1));
        assert_eq!(
            code(&signed(get(&target), &signer(), NOW)),
            expected,
            "{length} bytes"
        );
    }
    let value = "v".repeat(8 * 1024 + 1);
    assert_eq!(
        code(&signed(get("/").with("x-h", value), &signer(), NOW)),
        "malformed"
    );
}

/// Source: CVE-2022-29167: a pattern that took for ever (part 1, row 28). The text is within the
/// limits, so that all of it is read.
#[test]
fn hostile_text_is_read_in_linear_time() {
    const LEN: usize = 6_000;
    let in_header = signed(post(), &signer(), NOW);
    let in_query = presigned(get("/a"), &signer(), 60, NOW);
    let assert_linear = |case: &str, changed: &dyn Fn(&str) -> Message, piece: &str| {
        let [small, large] =
            [LEN / FACTOR, LEN].map(|len| changed(&piece.repeat(len / piece.len())));
        let refuse = |message: &Message| assert_ne!(black_box(code(message)), "accept", "{case}");
        growth::assert_linear(case, &|| refuse(&small), &|| refuse(&large));
    };
    for piece in ["a", ";", "%2F", ",", "="] {
        for name in [
            "authorization",
            "x-amz-date",
            "x-amz-content-sha256",
            "host",
        ] {
            let changed = |text: &str| {
                let mut message = in_header.clone();
                message.set(name, text);
                message
            };
            assert_linear(&format!("{name}: {piece}"), &changed, piece);
        }
        for parameter in ["Credential=", "SignedHeaders=", "Signature="] {
            let changed = |text: &str| {
                let mut message = in_header.clone();
                let value = message.header("authorization").to_owned();
                let with = format!("{parameter}{text}");
                message.set("authorization", value.replace(parameter, &with));
                message
            };
            assert_linear(&format!("{parameter}{piece}"), &changed, piece);
        }
        for parameter in ["Credential=", "SignedHeaders=", "Signature=", "Date="] {
            let changed = |text: &str| {
                let mut message = in_query.clone();
                let with = format!("{parameter}{text}");
                message.target = message.target.replace(parameter, &with);
                message
            };
            assert_linear(&format!("X-Amz-{parameter}{piece}"), &changed, piece);
        }
    }
}

/// Source: GHSA-x9cc-346q-g27m (web-bot-auth): a signature that covers nothing was accepted (part
/// 1, row 5).
#[test]
fn a_right_signature_over_too_little_is_refused() {
    let message = unsigned("/");
    let without_host = Forger::of(&message, "x-amz-date").sign(&message);
    assert_eq!(code(&without_host), "insufficient_coverage");

    let encoded = unsigned("/").with("content-encoding", "gzip");
    let uncovered = Forger::of(&encoded, "host;x-amz-date").sign(&encoded);
    assert_eq!(code(&uncovered), "insufficient_coverage");
    let covered = Forger::of(&encoded, "content-encoding;host;x-amz-date").sign(&encoded);
    assert_eq!(code(&covered), "accept");

    let asks = verifier(verify_settings())
        .to_builder()
        .require_headers([http::HeaderName::from_static("x-tenant")])
        .build()
        .unwrap();
    let tenant = unsigned("/").with("x-tenant", "a");
    for (list, expected) in [
        ("host;x-amz-date", Some(RejectionKind::InsufficientCoverage)),
        ("host;x-amz-date;x-tenant", None),
    ] {
        let signed = Forger::of(&tenant, list).sign(&tenant);
        let found = judge_with(&signed, &asks, &keyring(), NOW);
        assert_eq!(
            found.err().map(|rejection| rejection.kind()),
            expected,
            "{list}"
        );
    }
}

/// A URL that the forger signs, with these headers covered. `further` is what its query holds
/// besides, in order.
fn forged_url(message: &Message, list: &str, further: &str, payload: &str) -> Message {
    let escaped = list.replace(';', "%3B");
    let credential = format!("{KEY_ID}%2F20260102%2F{REGION}%2F{SERVICE}%2Faws4_request");
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256{further}&X-Amz-Credential={credential}&X-Amz-Date={DATE}&X-Amz-Expires=60\
         &X-Amz-SignedHeaders={escaped}"
    );
    let mut message = message.clone();
    message.target = format!("/?{query}");
    let mut forger = Forger::of(&message, list);
    payload.clone_into(&mut forger.payload);
    let signature = forger.signature(&message);
    message
        .target
        .extend([format!("&X-Amz-Signature={signature}")]);
    message
}

/// A URL and its headers can say one thing twice: then which of them counts would be the reader's
/// choice.
#[test]
fn a_url_and_its_headers_do_not_say_one_thing_twice() {
    let empty = PayloadDigest::of(b"").to_string();
    let hash = format!("&X-Amz-Content-Sha256={empty}");
    let plain = get("/");
    let with_token = get("/").with("x-amz-security-token", "token");
    let with_hash = get("/").with("x-amz-content-sha256", &empty);
    let bound = key(SECRET)
        .with_session_token(&Secret::from_text("token").unwrap())
        .unwrap();
    let bound = keyring_of(caller_key(bound));
    for (name, message, keys, expected) in [
        (
            "plain",
            forged_url(&plain, "host", "", &empty),
            &keyring(),
            "accept",
        ),
        (
            "hash in the URL",
            forged_url(&plain, "host", &hash, &empty),
            &keyring(),
            "accept",
        ),
        (
            "hash in a header",
            forged_url(&with_hash, "host;x-amz-content-sha256", "", &empty),
            &keyring(),
            "accept",
        ),
        (
            "hash in both",
            forged_url(&with_hash, "host;x-amz-content-sha256", &hash, &empty),
            &keyring(),
            "malformed",
        ),
        (
            "token in a header",
            forged_url(&with_token, "host;x-amz-security-token", "", &empty),
            &bound,
            "malformed",
        ),
    ] {
        assert_eq!(
            code_with(&message, verify_settings(), keys, NOW),
            expected,
            "{name}"
        );
    }
}

/// One secret is one key: listed twice with another token each, the second must not be dropped in
/// silence.
#[test]
fn one_secret_with_two_session_tokens_is_refused() {
    let with = |token: &str| {
        let key = key(SECRET)
            .with_session_token(&Secret::from_text(token).unwrap())
            .unwrap();
        caller_key(key)
    };
    let build = |keys: [CallerKey; 2]| {
        let [one, other] = keys;
        Keyring::builder()
            .caller("billing", one)
            .caller("billing", other)
            .build()
    };
    assert!(build([with("a"), with("a")]).is_ok());
    let error = build([with("a"), with("b")]).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::SharedKey);
    assert!(build([with("a"), caller_key(key(SECRET))]).is_err());
}

/// A request that already says when, with what and by whom it is signed is somebody else's.
#[test]
fn a_request_that_carries_credentials_is_not_signed_again() {
    let digest = PayloadDigest::of(b"");
    for (name, value) in [
        ("authorization", "Bearer a"),
        ("x-amz-date", DATE),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-security-token", "token"),
    ] {
        let parts = get("/a").with(name, value).parts().unwrap();
        let error = signer().sign(&parts, digest, NOW).unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::AlreadySigned, "{name}");
        let error = signer()
            .presign(&parts, digest, Duration::from_secs(60), NOW)
            .unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::AlreadySigned, "{name}");
    }
    let parts = get("/a")
        .with("x-nonce", "0123456789abcdef")
        .parts()
        .unwrap();
    let with_nonce = Signer::sigv4(settings().with_nonce(), [HOST]).unwrap();
    let error = with_nonce.sign(&parts, digest, NOW).unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::AlreadySigned);
    let other = Message::new("GET", "/a", "other.internal", b"")
        .parts()
        .unwrap();
    let error = signer()
        .presign(&other, digest, Duration::from_secs(60), NOW)
        .unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Authority);
}

/// What no verifier would take is not sent in the first place: two values are two answers to one
/// question.
#[test]
fn a_header_that_occurs_once_is_not_signed_twice() {
    let digest = PayloadDigest::of(b"");
    for name in ["content-type", "content-encoding", "x-amz-extra", "x-nonce"] {
        let once = get("/a").with(name, "0123456789abcdef");
        assert!(signer().sign(&once.parts().unwrap(), digest, NOW).is_ok());
        let twice = once.with(name, "0123456789abcdef").parts().unwrap();
        let signed = signer().sign(&twice, digest, NOW);
        assert_eq!(signed.unwrap_err().kind(), SignErrorKind::Header, "{name}");
        let url = signer().presign(&twice, digest, Duration::from_secs(60), NOW);
        assert_eq!(url.unwrap_err().kind(), SignErrorKind::Header, "{name}");
    }
}

/// A proxy signs what it is sent, and how many headers those are is for its peer to choose.
#[test]
fn any_number_of_headers_is_signed_in_linear_time() {
    const HEADERS: usize = 8_000;
    let digest = PayloadDigest::of(b"");
    let signer = signer();
    let [few, many] = [HEADERS / FACTOR, HEADERS].map(|headers| {
        let mut message = get("/a");
        for number in 0..headers {
            message.append(&format!("x-{number:05}"), "a");
        }
        message.append("x-00000", "b");
        message.parts().unwrap()
    });
    let sign = |parts| {
        let signature = signer.sign(parts, digest, NOW).unwrap();
        assert_eq!(signature.headers().count(), 3);
    };
    growth::assert_linear("headers", &|| sign(&few), &|| sign(&many));
}
