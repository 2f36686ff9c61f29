use super::*;

const DRAFT_TEXT: &str =
    "(request-target): get /p?q=1\nhost: a\ndate: Fri, 02 Jan 2026 03:04:05 GMT";

const DRAFT_LIST: &str = "(request-target) host date";

/// Judges a GET in the form of the draft, signed over `text`.
fn draft(key: &SigningKey, parameters: &str, text: &str) -> Result<Verified, RejectionKind> {
    let mut parts = get(&[("host", "a"), ("date", DATE)]);
    sent(&mut parts, key, "signature", parameters, text);
    judge(&verifier(CavageVerifySettings::new()), key, &parts, b"")
}

#[test]
fn a_request_of_the_draft_is_read_from_either_header() {
    let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}\"");
    assert!(draft(&secret(), &parameters, DRAFT_TEXT).is_ok());
    for (prefix, found) in [
        ("Signature ", Ok(())),
        ("signature ", Ok(())),
        ("hmac ", Err(RejectionKind::MissingSignature)),
        ("Signature", Err(RejectionKind::MissingSignature)),
        ("Signature  ", Err(RejectionKind::Malformed)),
    ] {
        let mut parts = get(&[("host", "a"), ("date", DATE)]);
        let parameters = [prefix, &parameters].concat();
        sent(
            &mut parts,
            &secret(),
            "authorization",
            &parameters,
            DRAFT_TEXT,
        );
        let verifier = verifier(CavageVerifySettings::new());
        let judged = judge(&verifier, &secret(), &parts, b"").map(|_| ());
        assert_eq!(judged, found, "{prefix}");
    }
}

#[test]
fn the_key_decides_the_algorithm() {
    for (key, named, accepted) in [
        (secret(), "", true),
        (secret(), "hs2019", true),
        (secret(), "hmac-sha256", true),
        (secret(), "ed25519", false),
        (secret(), "rsa-sha256", false),
        (secret(), "hmac-sha512", false),
        (seed(), "", true),
        (seed(), "hs2019", true),
        (seed(), "ed25519", true),
        (seed(), "hmac-sha256", false),
    ] {
        let algorithm = if named.is_empty() {
            String::new()
        } else {
            format!("algorithm=\"{named}\",")
        };
        let parameters = format!("keyId=\"billing\",{algorithm}headers=\"{DRAFT_LIST}\"");
        let found = draft(&key, &parameters, DRAFT_TEXT).map(|_| ());
        let expected = if accepted {
            Ok(())
        } else {
            Err(RejectionKind::InvalidSignature)
        };
        assert_eq!(found, expected, "{key:?} {named}");
    }
    // Settings of one algorithm refuse the keys of others, whatever they sign.
    let mut parts = get(&[("host", "a"), ("date", DATE)]);
    let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}\"");
    sent(&mut parts, &secret(), "signature", &parameters, DRAFT_TEXT);
    let only = CavageVerifySettings::new().with_algorithm(Algorithm::Ed25519);
    assert_eq!(
        judge(&verifier(only), &secret(), &parts, b"").err(),
        Some(RejectionKind::InvalidSignature)
    );
}

#[test]
fn a_signature_covers_target_host_and_date() {
    const TARGET: &str = "(request-target): get /p?q=1";
    const TIMED: &str = "(created): 1767323045";
    let date = ["date: ", DATE].concat();
    for (list, lines, expected) in [
        (DRAFT_LIST, vec![TARGET, "host: a", &date], Ok(())),
        (
            "(request-target) host (created)",
            vec![TARGET, "host: a", TIMED],
            Ok(()),
        ),
        ("host date", vec!["host: a", &date], Err(())),
        ("(request-target) date", vec![TARGET, &date], Err(())),
        ("(request-target) host", vec![TARGET, "host: a"], Err(())),
        ("(created)", vec![TIMED], Err(())),
    ] {
        let created = if list.contains("(created)") {
            "created=1767323045,"
        } else {
            ""
        };
        let parameters = format!("keyId=\"billing\",{created}headers=\"{list}\"");
        let found = draft(&secret(), &parameters, &lines.join("\n")).map(|_| ());
        let expected = expected.map_err(|()| RejectionKind::InsufficientCoverage);
        assert_eq!(found, expected, "{list}");
    }
    let found = draft(&secret(), "keyId=\"billing\"", "(created): 1767323045");
    assert_eq!(found.err(), Some(RejectionKind::InsufficientCoverage));
}

#[test]
fn times_are_judged_and_covered_under_no_older_algorithm() {
    use RejectionKind::{Expired, Malformed};
    let text = |lines: &str| [DRAFT_TEXT, lines].concat();
    for (parameters, names, lines, expected) in [
        (
            "created=1767323045",
            " (created)",
            "\n(created): 1767323045",
            Ok(()),
        ),
        (
            "created=\"1767323045\"",
            " (created)",
            "\n(created): 1767323045",
            Ok(()),
        ),
        (
            "created=1767323045,algorithm=\"hs2019\"",
            " (created)",
            "\n(created): 1767323045",
            Ok(()),
        ),
        (
            "created=1767323045,algorithm=\"hmac-sha256\"",
            " (created)",
            "\n(created): 1767323045",
            Err(Malformed),
        ),
        (
            "expires=1767323046,algorithm=\"hmac-sha256\"",
            " (expires)",
            "\n(expires): 1767323046",
            Err(Malformed),
        ),
        (
            "expires=1767323046",
            " (expires)",
            "\n(expires): 1767323046",
            Ok(()),
        ),
        (
            "expires=1767323044",
            " (expires)",
            "\n(expires): 1767323044",
            Err(Expired),
        ),
        (
            "created=1767322744",
            " (created)",
            "\n(created): 1767322744",
            Err(Expired),
        ),
        (
            "created=1767323346",
            " (created)",
            "\n(created): 1767323346",
            Err(Expired),
        ),
        (
            "algorithm=\"hs2019\"",
            " (created)",
            "\n(created): ",
            Err(Malformed),
        ),
        (
            "algorithm=\"hs2019\"",
            " (expires)",
            "\n(expires): ",
            Err(Malformed),
        ),
        ("created=1767323045", "", "", Ok(())),
        (
            "created=1767323045,algorithm=\"hmac-sha256\"",
            "",
            "",
            Ok(()),
        ),
        ("created=1767323346", "", "", Err(Expired)),
        ("expires=1767323046", "", "", Ok(())),
        ("expires=1767323044", "", "", Err(Expired)),
    ] {
        let parameters = format!("keyId=\"billing\",{parameters},headers=\"{DRAFT_LIST}{names}\"");
        let found = draft(&secret(), &parameters, &text(lines)).map(|_| ());
        assert_eq!(found, expected, "{parameters}");
    }
}

/// A claim must outlive its request. Anyone who takes away or changes an uncovered time could end
/// it early.
#[test]
fn an_uncovered_time_does_not_end_the_claim_of_a_request() {
    for parameters in ["", "created=1767322800,", "expires=1767323050,"] {
        let parameters = format!("keyId=\"billing\",{parameters}headers=\"{DRAFT_LIST}\"");
        let proven = draft(&secret(), &parameters, DRAFT_TEXT).unwrap();
        let window = std::time::Duration::from_secs(300);
        assert_eq!(
            proven.fresh_until(),
            NOW.saturating_add(window),
            "{parameters}"
        );
    }
}

#[test]
fn a_stale_date_is_refused_beside_a_fresh_created() {
    for (created, date, expected) in [
        (1_767_323_045, "Fri, 02 Jan 2026 03:04:05 GMT", Ok(())),
        (
            1_767_323_045,
            "Fri, 02 Jan 2026 02:59:04 GMT",
            Err(RejectionKind::Expired),
        ),
        (
            1_767_322_744,
            "Fri, 02 Jan 2026 03:04:05 GMT",
            Err(RejectionKind::Expired),
        ),
        (
            1_767_323_045,
            "2026-01-02T03:04:05Z",
            Err(RejectionKind::Malformed),
        ),
    ] {
        let mut parts = get(&[("host", "a"), ("date", date)]);
        let list = "(request-target) host date (created)";
        let parameters = format!("keyId=\"billing\",created={created},headers=\"{list}\"");
        let text =
            format!("(request-target): get /p?q=1\nhost: a\ndate: {date}\n(created): {created}");
        sent(&mut parts, &secret(), "signature", &parameters, &text);
        let verifier = verifier(CavageVerifySettings::new());
        let found = judge(&verifier, &secret(), &parts, b"").map(|_| ());
        assert_eq!(found, expected, "{created} {date}");
    }
}

/// Source: APISIX issues 13395 and 13415, Tyk issue 3040: a digest that is checked but not signed,
/// or signed but not checked.
#[test]
fn a_digest_is_signed_and_checked() {
    const DIGEST: &str = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let judge = |headers: &[(&'static str, &str)], covers: bool, settings, body: &[u8]| {
        let mut all = vec![("host", "a"), ("date", DATE)];
        all.extend(headers);
        let mut parts = get(&all);
        let (list, line) = if covers {
            (" digest", format!("\ndigest: {DIGEST}"))
        } else {
            ("", String::new())
        };
        let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}{list}\"");
        let text = [DRAFT_TEXT, &line].concat();
        sent(&mut parts, &secret(), "signature", &parameters, &text);
        judge(&verifier(settings), &secret(), &parts, body).map(|_| ())
    };
    let strict = CavageVerifySettings::new;
    let unsigned = || strict().insecure_allow_unsigned_content();
    let digest = ("digest", DIGEST);
    let refused = Err(RejectionKind::InsufficientCoverage);
    let mismatch = Err(RejectionKind::BodyMismatch);
    assert_eq!(judge(&[digest], true, strict(), b""), Ok(()));
    assert_eq!(judge(&[digest], true, strict(), b"x"), mismatch);
    assert_eq!(judge(&[digest], true, unsigned(), b"x"), mismatch);
    assert_eq!(judge(&[digest], false, strict(), b""), refused);
    assert_eq!(judge(&[], false, strict(), b""), Ok(()));
    assert_eq!(judge(&[], false, strict(), b"x"), mismatch);
    assert_eq!(judge(&[], false, unsigned(), b"x"), Ok(()));
    let length = ("content-length", "1");
    assert_eq!(judge(&[length], false, strict(), b"x"), refused);
    assert_eq!(judge(&[length], false, unsigned(), b"x"), Ok(()));
    let chunked = ("transfer-encoding", "chunked");
    assert_eq!(judge(&[chunked], false, strict(), b""), refused);
    assert_eq!(
        judge(&[("content-length", "0")], false, strict(), b""),
        Ok(())
    );
}

#[test]
fn what_changes_the_meaning_of_a_body_is_covered() {
    for header in ["content-encoding", "x-nonce"] {
        let mut parts = get(&[("host", "a"), ("date", DATE), (header, "0123456789abcdef")]);
        let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}\"");
        sent(&mut parts, &secret(), "signature", &parameters, DRAFT_TEXT);
        let verifier = verifier(CavageVerifySettings::new());
        let found = judge(&verifier, &secret(), &parts, b"").err();
        assert_eq!(found, Some(RejectionKind::InsufficientCoverage), "{header}");
    }
    let mut parts = get(&[
        ("host", "a"),
        ("date", DATE),
        ("content-type", "text/plain"),
    ]);
    let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}\"");
    sent(&mut parts, &secret(), "signature", &parameters, DRAFT_TEXT);
    let verifier = verifier(CavageVerifySettings::new());
    for (rule, expected) in [
        (ContentTypeRule::Exempt, None),
        (
            ContentTypeRule::CoveredIfPresent,
            Some(RejectionKind::InsufficientCoverage),
        ),
    ] {
        let key = CallerKey::new("1", secret().verifying_key()).unwrap();
        let found = judge_with(&verifier, key.with_content_type(rule), &parts, b"");
        assert_eq!(found.err(), expected, "{rule:?}");
    }
}

#[test]
fn a_signature_identifies_its_request_unless_repeats_are_accepted() {
    let mut parts = get(&[("host", "a"), ("date", DATE)]);
    let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}\"");
    sent(&mut parts, &secret(), "signature", &parameters, DRAFT_TEXT);
    for rule in [NonceRule::Required, NonceRule::Optional] {
        let judge = |settings| {
            let key = CallerKey::new("1", secret().verifying_key()).unwrap();
            judge_with(&verifier(settings), key.with_nonce(rule), &parts, b"").unwrap()
        };
        let once = judge(CavageVerifySettings::new());
        assert!(once.replay_key("a").is_some());
        assert_eq!(once.nonce(), None);
        let often = judge(CavageVerifySettings::new().insecure_accept_repeats());
        assert!(often.replay_key("a").is_none());
    }
}

#[test]
fn several_lines_of_a_header_are_one_value() {
    for (name, values, line, expected) in [
        ("x-a", &["1", "2"][..], "\nx-a: 1, 2", Ok(())),
        ("x-a", &[""], "\nx-a: ", Ok(())),
        (
            "x-a",
            &["1", "2"],
            "\nx-a: 1",
            Err(RejectionKind::InvalidSignature),
        ),
        ("cookie", &["a=1", "b=2"], "\ncookie: a=1; b=2", Ok(())),
        (
            "content-type",
            &["a/b", "a/b"],
            "\ncontent-type: a/b",
            Err(RejectionKind::Malformed),
        ),
        ("x-b", &[], "\nx-b: ", Err(RejectionKind::Malformed)),
        ("cookie", &[], "\ncookie: ", Err(RejectionKind::Malformed)),
        (
            "x-a",
            &["\u{e9}"],
            "\nx-a: \u{e9}",
            Err(RejectionKind::Malformed),
        ),
    ] {
        let mut parts = get(&[("host", "a"), ("date", DATE)]);
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            parts.headers.append(name, value);
        }
        let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST} {name}\"");
        let text = [DRAFT_TEXT, line].concat();
        sent(&mut parts, &secret(), "signature", &parameters, &text);
        let verifier = verifier(CavageVerifySettings::new());
        let found = judge(&verifier, &secret(), &parts, b"").map(|_| ());
        assert_eq!(found, expected, "{name} {values:?}");
    }
}

/// Source: CVE-2017-16005 (http-signature signed the values of headers and not their names).
#[test]
fn names_are_signed() {
    let mut parts = get(&[("host", "a"), ("date", DATE), ("x-a", "1"), ("x-b", "2")]);
    let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST} x-a x-b\"");
    let text = [DRAFT_TEXT, "\nx-a: 1\nx-b: 2"].concat();
    sent(&mut parts, &secret(), "signature", &parameters, &text);
    let verifier = verifier(CavageVerifySettings::new());
    assert!(judge(&verifier, &secret(), &parts, b"").is_ok());
    parts.headers.insert("x-a", HeaderValue::from_static("2"));
    parts.headers.insert("x-b", HeaderValue::from_static("1"));
    let value = parts.headers["signature"].to_str().unwrap();
    let swapped = value.replace("x-a x-b", "x-b x-a");
    let swapped = HeaderValue::try_from(swapped).unwrap();
    parts.headers.insert("signature", swapped);
    assert_eq!(
        judge(&verifier, &secret(), &parts, b"").err(),
        Some(RejectionKind::InvalidSignature)
    );
}

#[test]
fn two_signatures_are_refused_and_one_of_rfc_9421_is_no_signature() {
    let parameters = format!("keyId=\"billing\",headers=\"{DRAFT_LIST}\"");
    let verifier = verifier(CavageVerifySettings::new());
    let signed = |header, prefix: &str| {
        let mut parts = get(&[("host", "a"), ("date", DATE)]);
        let parameters = [prefix, &parameters].concat();
        sent(&mut parts, &secret(), header, &parameters, DRAFT_TEXT);
        parts
    };
    let mut both = signed("signature", "");
    let other = signed("authorization", "Signature ");
    both.headers.extend(other.headers);
    assert_eq!(
        judge(&verifier, &secret(), &both, b"").err(),
        Some(RejectionKind::Malformed)
    );
    let mut twice = signed("signature", "");
    let value = twice.headers["signature"].clone();
    twice.headers.append("signature", value);
    assert_eq!(
        judge(&verifier, &secret(), &twice, b"").err(),
        Some(RejectionKind::Malformed)
    );
    let mut message = signed("signature", "");
    message
        .headers
        .insert("signature-input", HeaderValue::from_static("sig1=()"));
    assert_eq!(
        judge(&verifier, &secret(), &message, b"").err(),
        Some(RejectionKind::MissingSignature)
    );
}

#[test]
fn a_name_that_is_asserted_is_known_before_it_is_proven() {
    let mut parts = get(&[("host", "a")]);
    let value = HeaderValue::from_static("algorithm=\"x\", keyId=\"https://b/c#key\", no");
    parts.headers.insert("signature", value);
    let verifier = verifier(CavageVerifySettings::new());
    let asserted = verifier.asserted(&parts).unwrap();
    assert_eq!(asserted.scheme(), Scheme::Cavage);
    assert_eq!(asserted.key_id(), Some("https://b/c#key"));
}

#[test]
fn a_request_of_two_dates_is_fresh_until_the_first_one_ends() {
    for (created, date, ends) in [
        (
            1_767_323_045,
            "Fri, 02 Jan 2026 03:04:00 GMT",
            1_767_323_340,
        ),
        (1_767_323_035, DATE, 1_767_323_335),
    ] {
        let mut parts = get(&[("host", "a"), ("date", date)]);
        let list = "(request-target) host date (created)";
        let parameters = format!("keyId=\"billing\",created={created},headers=\"{list}\"");
        let text =
            format!("(request-target): get /p?q=1\nhost: a\ndate: {date}\n(created): {created}");
        sent(&mut parts, &secret(), "signature", &parameters, &text);
        let verifier = verifier(CavageVerifySettings::new());
        let proven = judge(&verifier, &secret(), &parts, b"").unwrap();
        assert_eq!(proven.fresh_until(), Timestamp::from_unix_seconds(ends));
    }
}
