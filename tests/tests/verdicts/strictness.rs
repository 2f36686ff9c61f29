//! Requests that are refused here although another implementation accepts them, and some that were
//! once refused: the rows of the table in `crates/SCHEMES.md`.

use countersign::{
    Asserted, CavageSignSettings, MessageSignaturesSignSettings, Scheme, Secret,
    SigV4VerifySettings, Signer, SigningKey, Timestamp, Verifier,
};
use tests::{
    keys::{self, NOW, SECRET},
    signed::{AUTHORITY, billing},
};

use crate::{
    HOST, get,
    message::Message,
    sigv4::{
        Forger, KEY_ID, code, code_with, keyring, presigned, signed, signer, unsigned, verifier,
        verify_settings,
    },
    svix,
};

/// The value of `Authorization` in a form that a client of somebody else's sends.
fn with_authorization(form: impl Fn(&str, &str, &str) -> String) -> Message {
    let message = unsigned("/api/account/7");
    let forger = Forger::of(&message, "host;x-amz-date");
    let signature = forger.signature(&message);
    let credential = format!("Credential={KEY_ID}/{}", forger.scope);
    let list = format!("SignedHeaders={}", forger.list);
    let value = form(&credential, &list, &format!("Signature={signature}"));
    message.with("authorization", value)
}

/// Field report `verify_cases.py`. Sources: httr2 sends a comma behind the algorithm, tools of AWS'
/// own services leave out a comma, ex_aws and aws-beam the spaces; AWS takes all of them.
#[test]
fn authorization_is_read_in_every_form_that_aws_takes() {
    const A: &str = "AWS4-HMAC-SHA256";
    type Form = fn(&str, &str, &str) -> String;
    let forms: [(&str, Form, &str); 12] = [
        (
            "as AWS writes it",
            |c, l, s| format!("{A} {c}, {l}, {s}"),
            "accept",
        ),
        ("no spaces", |c, l, s| format!("{A} {c},{l},{s}"), "accept"),
        ("no commas", |c, l, s| format!("{A} {c} {l} {s}"), "accept"),
        ("one comma", |c, l, s| format!("{A} {c} {l}, {s}"), "accept"),
        (
            "a comma behind the algorithm",
            |c, l, s| format!("{A}, {c}, {l}, {s}"),
            "accept",
        ),
        (
            "another order",
            |c, l, s| format!("{A} {s} {l} {c}"),
            "accept",
        ),
        (
            "no space behind the algorithm",
            |c, l, s| format!("{A},{c},{l},{s}"),
            "missing_signature",
        ),
        (
            "two spaces behind it",
            |c, l, s| format!("{A}  {c}, {l}, {s}"),
            "malformed",
        ),
        (
            "semicolons",
            |c, l, s| format!("{A} {c}; {l}; {s}"),
            "malformed",
        ),
        (
            "two commas",
            |c, l, s| format!("{A} {c},, {l}, {s}"),
            "malformed",
        ),
        (
            "a comma at the end",
            |c, l, s| format!("{A} {c}, {l}, {s},"),
            "malformed",
        ),
        (
            "the algorithm in lower case",
            |c, l, s| format!("aws4-hmac-sha256 {c}, {l}, {s}"),
            "missing_signature",
        ),
    ];
    for (name, form, expected) in forms {
        assert_eq!(code(&with_authorization(form)), expected, "{name}");
    }
    // Every form means the same, so a change is refused in each.
    for (name, form, expected) in forms {
        let changed =
            with_authorization(|c, l, s| form(c, l, &s.replace("Signature=", "Signature=0")));
        assert_ne!(code(&changed), "accept", "{name}: {expected}");
    }
    let claimed = with_authorization(|c, l, s| format!("{A} {l} {c} {s}"));
    let parts = claimed.parts().unwrap();
    let named = verifier(verify_settings())
        .asserted(&parts)
        .and_then(Asserted::into_key_id)
        .map(std::borrow::Cow::into_owned);
    assert_eq!(named.as_deref(), Some(KEY_ID), "an event names the caller");
}

/// RFC 9112 section 3.2.2 has an origin server ignore `Host` where the target is in absolute form.
/// A proxy may have routed by either, so that both must name one authority.
#[test]
fn a_target_in_absolute_form_names_the_authority_that_host_names() {
    let keys = keys::keyring("billing", &keys::hmac_key(SECRET));
    let native = get("/a").signed(&billing(), NOW);
    let sigv4 = signed(get("/a"), &signer(), NOW);
    for (name, target, host, expected) in [
        ("origin form", "/a", HOST, "accept"),
        (
            "absolute form",
            "http://user-service.internal/a",
            HOST,
            "accept",
        ),
        ("https", "https://user-service.internal/a", HOST, "accept"),
        (
            "another case",
            "http://User-Service.internal/a",
            HOST,
            "malformed",
        ),
        (
            "the default port",
            "http://user-service.internal:80/a",
            HOST,
            "malformed",
        ),
        ("another host", "http://other.internal/a", HOST, "malformed"),
        (
            "another scheme",
            "ftp://user-service.internal/a",
            HOST,
            "malformed",
        ),
        (
            "user information",
            "http://a@user-service.internal/a",
            HOST,
            "malformed",
        ),
    ] {
        let sent = |message: &Message| {
            let mut message = message.clone();
            message.target = target.to_owned();
            message.set("host", host);
            message
        };
        let verdict = sent(&native).judge(&Verifier::default(), &keys, NOW);
        assert_eq!(verdict.code(), expected, "native: {name}");
        assert_eq!(code(&sent(&sigv4)), expected, "SigV4: {name}");
    }
}

/// RFC 9844 obsoletes RFC 6874, which had zones in URLs: a zone means something on the sender's own
/// machine only.
#[test]
fn an_address_with_a_zone_is_no_authority() {
    for host in [
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]:8081",
        "[fe80::1%25eth0]:8081",
    ] {
        let mut message = get("/a").signed(&billing(), NOW);
        message.set("host", host);
        let keys = keys::keyring("billing", &keys::hmac_key(SECRET));
        let verdict = message.judge(&Verifier::default(), &keys, NOW);
        assert_eq!(verdict.code(), "malformed", "{host}");
        let key = keys::hmac_key(SECRET);
        assert!(Signer::new("billing", key, [host]).is_err(), "{host}");
        let builder = Verifier::builder().expected_hosts([host]);
        assert!(builder.build().is_err(), "{host}");
    }
    let key = keys::hmac_key(SECRET);
    assert!(Signer::new("billing", key, ["[fe80::1]:8081"]).is_ok());
}

/// RFC 9110 section 9.1: methods are compared with their case. `patch`, as `fetch` sends it, is
/// another method than `PATCH`, and a router that takes it for that one would handle what nobody
/// signed.
#[test]
fn a_method_in_lower_case_is_refused_in_every_scheme() {
    let message_key = SigningKey::message_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let settings = MessageSignaturesSignSettings::new("billing", message_key).unwrap();
    let message_signer = Signer::message_signatures(settings, [AUTHORITY]).unwrap();
    let cavage = SigningKey::cavage_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let cavage = CavageSignSettings::new("billing", cavage).unwrap();
    let cavage = Signer::cavage(cavage, [AUTHORITY]).unwrap();
    let (django, drf) = keys::django();
    let verifier = Verifier::builder()
        .expected_hosts([HOST])
        .accept(Scheme::Ed25519)
        .accept(Scheme::MessageSignatures)
        .accept(Scheme::Cavage)
        .accept(verify_settings())
        .accept(drf)
        .accept(svix())
        .build()
        .unwrap();
    let body_only = |signer: Signer, target: &str| {
        let mut message = Message::new("POST", target, HOST, b"{}");
        let signature = signer
            .sign(&message.parts().unwrap(), &b"{}"[..], NOW)
            .unwrap();
        for (name, value) in signature.headers() {
            message.append(name.as_str(), value);
        }
        message
    };
    let ed25519 = Signer::new("billing", keys::ed25519_key(SECRET), [AUTHORITY]).unwrap();
    let post = || Message::new("POST", "/a", HOST, b"");
    let webhooks = Signer::standard_webhooks([crate::webhooks_key()], [HOST]).unwrap();
    for (scheme, message) in [
        (Scheme::HmacSha256, post().signed(&billing(), NOW)),
        (Scheme::Ed25519, post().signed(&ed25519, NOW)),
        (Scheme::SigV4, signed(post(), &signer(), NOW)),
        (
            Scheme::MessageSignatures,
            post().signed(&message_signer, NOW),
        ),
        (Scheme::Cavage, post().signed(&cavage, NOW)),
        (
            Scheme::Drf,
            body_only(Signer::drf(django, [HOST]).unwrap(), "/drf"),
        ),
        (Scheme::StandardWebhooks, body_only(webhooks, "/hook")),
    ] {
        let found = |method: &str| {
            let mut message = message.clone();
            message.method = method.to_owned();
            let parts = message.parts().unwrap();
            let unverified = verifier.parse(&parts, NOW);
            unverified.map_or_else(
                |rejection| rejection.kind().code(),
                |unverified| {
                    assert_eq!(unverified.scheme(), scheme);
                    "accepted"
                },
            )
        };
        assert_eq!(found("POST"), "accepted", "{scheme}");
        for method in ["post", "Post", "pOST"] {
            assert_eq!(found(method), "malformed", "{scheme}: {method}");
        }
    }
    assert_eq!(Scheme::ALL.len(), 7, "each scheme is in the table above");
}

/// S3 answers `HeadersNotSigned`: anyone with the URL could otherwise set `x-amz-acl` or
/// `x-amz-copy-source`. Browsers cannot set `user-agent`, so that SDKs for them send this one; in
/// the URL, where it is signed, it is a parameter.
#[test]
fn an_uncovered_x_amz_user_agent_is_refused_and_one_in_the_url_is_not() {
    let agent = "aws-sdk-js/3.0 callback";
    let in_header = presigned(get("/a"), &signer(), 60, NOW).with("x-amz-user-agent", agent);
    assert_eq!(code(&in_header), "insufficient_coverage");
    let covered = get("/a").with("x-amz-user-agent", agent);
    assert_eq!(code(&presigned(covered, &signer(), 60, NOW)), "accept");
    let in_query = get("/a?x-amz-user-agent=aws-sdk-js%2F3.0");
    assert_eq!(code(&presigned(in_query, &signer(), 60, NOW)), "accept");
    let hash = unsigned("/a").with(
        "x-amz-content-sha256",
        countersign::PayloadDigest::of(b"").to_string(),
    );
    let hash = Forger::of(&hash, "host;x-amz-date").sign(&hash);
    assert_eq!(
        code(&hash),
        "insufficient_coverage",
        "S3 takes this one uncovered"
    );
}

/// The last day of the year 9999 was no date: the library's timestamps end on the day before.
#[test]
fn the_last_day_of_the_year_9999_is_a_date() {
    let last = Timestamp::from_unix_seconds(253_402_300_799);
    let keys = keys::keyring("billing", &keys::hmac_key(SECRET));
    let native = get("/a").signed(&billing(), last);
    assert_eq!(native.header("x-date"), "Fri, 31 Dec 9999 23:59:59 GMT");
    let verdict = native.judge(&Verifier::default(), &keys, last);
    assert_eq!(verdict.code(), "accept");
    let sigv4 = signed(get("/a"), &signer(), last);
    assert_eq!(sigv4.header("x-amz-date"), "99991231T235959Z");
    let found = code_with(&sigv4, verify_settings(), &keyring(), last);
    assert_eq!(found, "accept");
    let after = Timestamp::from_unix_seconds(253_402_300_800);
    for signer in [billing(), signer()] {
        let parts = get("/a").parts().unwrap();
        assert!(signer.sign(&parts, &b""[..], after).is_err());
    }
}

/// Field report `verify_cases.py`, `query-name-twice`: a search such as `created=ge…&created=le…`.
#[test]
fn a_name_twice_in_a_query_is_refused_unless_a_setting_says_otherwise() {
    let target = "/a?created=ge2000-07-01&created=le2024-03-09";
    let message = signed(get(target), &signer(), NOW);
    assert_eq!(code(&message), "malformed");
    let lenient = SigV4VerifySettings::insecure_accept_repeated_query_names(verify_settings());
    assert_eq!(code_with(&message, lenient, &keyring(), NOW), "accept");
}
