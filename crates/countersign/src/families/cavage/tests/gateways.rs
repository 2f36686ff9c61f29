use super::*;

#[test]
fn a_client_of_kong_is_read_with_either_name_of_the_target() {
    for (list, text, prefix, expected) in [
        (
            "date request-line",
            "date: Fri, 02 Jan 2026 03:04:05 GMT\nGET /p?q=1 HTTP/1.1",
            "hmac ",
            Ok(Coverage::Partial),
        ),
        (
            "date @request-target",
            "date: Fri, 02 Jan 2026 03:04:05 GMT\n@request-target: get /p?q=1",
            "hmac ",
            Ok(Coverage::Partial),
        ),
        (
            "host x-date request-line",
            "host: a\nx-date: Fri, 02 Jan 2026 03:04:05 GMT\nGET /p?q=1 HTTP/1.1",
            "hmac ",
            Ok(Coverage::Request),
        ),
        (
            "date request-line",
            "date: Fri, 02 Jan 2026 03:04:05 GMT\nGET /p?q=1 HTTP/2.0",
            "hmac ",
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "date request-line",
            "date: Fri, 02 Jan 2026 03:04:05 GMT\nGET /p?q=1 HTTP/1.1",
            "Signature ",
            Err(RejectionKind::MissingSignature),
        ),
    ] {
        let headers = [("host", "a"), ("date", DATE), ("x-date", DATE)];
        let mut parts = get(&headers);
        let parameters =
            format!("{prefix}username=\"billing\", algorithm=\"hmac-sha256\", headers=\"{list}\"");
        sent(&mut parts, &secret(), "authorization", &parameters, text);
        let kong = CavageVerifySettings::kong();
        let strict = judge(&verifier(kong.clone()), &secret(), &parts, b"");
        let judged = verifier(kong.insecure_allow_uncovered_host());
        let found = judge(&judged, &secret(), &parts, b"");
        if let Ok(verified) = &found {
            let is_whole = verified.coverage() == Coverage::Request;
            assert_eq!(verified.audience_checked(), is_whole, "{list}");
            assert_eq!(strict.is_ok(), is_whole, "{list}");
        }
        assert_eq!(
            found.map(|verified| verified.coverage()),
            expected,
            "{list}"
        );
    }
}

#[test]
fn a_client_of_apisix_signs_the_name_of_its_key() {
    for (text, expected) in [
        (
            "billing\nGET /p?q=1\nhost: a\ndate: Fri, 02 Jan 2026 03:04:05 GMT\n",
            Ok(()),
        ),
        (
            "billing\nGET /p?q=1\nhost: a\ndate: Fri, 02 Jan 2026 03:04:05 GMT",
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "other\nGET /p?q=1\nhost: a\ndate: Fri, 02 Jan 2026 03:04:05 GMT\n",
            Err(RejectionKind::InvalidSignature),
        ),
    ] {
        let mut parts = get(&[("host", "a"), ("date", DATE)]);
        let parameters = "Signature keyId=\"billing\",algorithm=\"hmac-sha256\",\
                          headers=\"@request-target host date\"";
        sent(&mut parts, &secret(), "authorization", parameters, text);
        let verifier = verifier(CavageVerifySettings::apisix());
        let found = judge(&verifier, &secret(), &parts, b"").map(|_| ());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_target_that_tyk_does_not_sign_is_refused() {
    let signer = CavageSignSettings::tyk("billing", secret()).unwrap();
    let signer = Signer::cavage(signer, ["a"]).unwrap();
    let verifier = verifier(CavageVerifySettings::tyk());
    let mut parts = post("/p");
    signer.sign(&parts, BODY, NOW).unwrap().apply(&mut parts);
    for (target, expected) in [
        ("/p", Ok(())),
        ("/p?", Err(RejectionKind::InsufficientCoverage)),
        ("/p?a", Err(RejectionKind::InsufficientCoverage)),
        ("/%70", Err(RejectionKind::InsufficientCoverage)),
        ("/q", Err(RejectionKind::InvalidSignature)),
    ] {
        parts.uri = target.parse().unwrap();
        let found = judge(&verifier, &secret(), &parts, BODY).map(|_| ());
        assert_eq!(found, expected, "{target}");
    }
    parts.uri = "/p".parse().unwrap();
    parts.method = Method::PUT;
    assert_eq!(
        judge(&verifier, &secret(), &parts, BODY).err(),
        Some(RejectionKind::InvalidSignature)
    );
}

#[test]
fn a_401_says_what_must_be_covered() {
    let challenge = |settings| {
        let challenges = verifier(settings).challenges("service", RejectionKind::Expired);
        let [(name, value)] = &challenges[..] else {
            panic!("{challenges:?}");
        };
        assert_eq!(name, "www-authenticate");
        value.to_str().unwrap().to_owned()
    };
    assert_eq!(
        challenge(CavageVerifySettings::new()),
        "Signature realm=\"service\", headers=\"(request-target) host date digest\", error=\"stale\""
    );
    let kong = CavageVerifySettings::kong().insecure_allow_uncovered_host();
    assert_eq!(
        challenge(kong.insecure_allow_unsigned_content()),
        "hmac realm=\"service\", headers=\"@request-target date\", error=\"stale\""
    );
}
