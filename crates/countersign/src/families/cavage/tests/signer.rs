use super::*;

#[test]
fn what_a_signer_writes_is_read_in_each_dialect() {
    for (sign, verify) in [
        (
            CavageSignSettings::new("billing", secret()),
            CavageVerifySettings::new(),
        ),
        (
            CavageSignSettings::new("billing", secret())
                .and_then(CavageSignSettings::with_signature_header),
            CavageVerifySettings::new(),
        ),
        (
            CavageSignSettings::kong("billing", secret()),
            CavageVerifySettings::kong(),
        ),
        (
            CavageSignSettings::apisix("billing", secret()),
            CavageVerifySettings::apisix(),
        ),
        (
            CavageSignSettings::tyk("billing", secret()),
            CavageVerifySettings::tyk(),
        ),
    ] {
        let signer = Signer::cavage(sign.unwrap(), ["a"]).unwrap();
        let verifier = verifier(verify);
        for body in [BODY, b""] {
            let mut parts = post("/p");
            if body.is_empty() {
                parts.headers.insert("content-length", HeaderValue::from(0));
            }
            signer.sign(&parts, body, NOW).unwrap().apply(&mut parts);
            let proven = judge(&verifier, &secret(), &parts, body).unwrap();
            assert_eq!(proven.caller(), &"billing");
            assert_eq!(proven.scheme(), Scheme::Cavage);
            assert_eq!(proven.coverage(), Coverage::Request);
            assert!(proven.audience_checked());
            assert_eq!(proven.covered("content-type"), Some("application/json"));
            assert_eq!(proven.covered("host"), Some("a"));
            assert_eq!(proven.nonce(), proven.covered("x-nonce"));
            assert!(proven.nonce().is_some());
            let other: &[u8] = if body.is_empty() { b"x" } else { b"{}" };
            assert_eq!(
                judge(&verifier, &secret(), &parts, other).err(),
                Some(RejectionKind::BodyMismatch)
            );
        }
    }
}

#[test]
fn an_ed25519_key_signs_times_that_end() {
    let lifetime = std::time::Duration::from_secs(20);
    let settings = CavageSignSettings::new("billing", seed()).unwrap();
    let settings = settings.with_expires_in(lifetime).unwrap();
    let signer = Signer::cavage(settings, ["a"]).unwrap();
    let verifier = verifier(CavageVerifySettings::new());
    let mut parts = post("/p?q=1");
    signer.sign(&parts, BODY, NOW).unwrap().apply(&mut parts);
    let value = parts.headers["authorization"].to_str().unwrap();
    assert!(value.contains("algorithm=\"hs2019\",created=1767323045,expires=1767323065"));
    let proven = judge(&verifier, &seed(), &parts, BODY).unwrap();
    assert_eq!(proven.fresh_until(), NOW.saturating_add(lifetime));
    for (after, fresh) in [(20, true), (21, false)] {
        let now = Timestamp::from_unix_seconds(1_767_323_045 + after);
        let found = verifier
            .parse(&parts, now)
            .map(|_| ())
            .map_err(|rejection| rejection.kind());
        let expected = if fresh {
            Ok(())
        } else {
            Err(RejectionKind::Expired)
        };
        assert_eq!(found, expected, "{after}");
    }
}

#[test]
fn settings_that_cannot_hold_are_refused() {
    let lifetime = std::time::Duration::from_secs(20);
    let hmac = || CavageSignSettings::new("billing", secret()).unwrap();
    let message = SigningKey::message_hmac_sha256(&Secret::generate().unwrap());
    let weak = SigningKey::cavage_hmac_sha256(&Secret::from_text("short").unwrap());
    for (name, settings, expected) in [
        (
            "times with a secret",
            hmac().with_expires_in(lifetime),
            ConfigErrorKind::Setting,
        ),
        (
            "a key of another scheme",
            CavageSignSettings::new("billing", message),
            ConfigErrorKind::Key,
        ),
        (
            "a weak key",
            CavageSignSettings::new("billing", weak),
            ConfigErrorKind::WeakKey,
        ),
        (
            "a public key at a gateway",
            CavageSignSettings::kong("billing", seed()),
            ConfigErrorKind::Key,
        ),
        (
            "the other header at a gateway",
            CavageSignSettings::kong("billing", secret())
                .and_then(CavageSignSettings::with_signature_header),
            ConfigErrorKind::Setting,
        ),
        (
            "a name that is none",
            CavageSignSettings::new("a\"", secret()),
            ConfigErrorKind::Name,
        ),
        (
            "a header that carries the signature",
            hmac().with_covered_header(HeaderName::from_static("signature")),
            ConfigErrorKind::Coverage,
        ),
    ] {
        assert_eq!(
            settings.err().map(|error| error.kind()),
            Some(expected),
            "{name}"
        );
    }
    let public = |settings| Verifier::builder().accept_only(settings).build();
    let of = CavageVerifySettings::new;
    for (settings, accepted) in [
        (of(), false),
        (of().with_algorithm(Algorithm::Ed25519), false),
        (of().with_algorithm(Algorithm::HmacSha256), true),
        (CavageVerifySettings::kong(), true),
        (CavageVerifySettings::apisix(), true),
        (CavageVerifySettings::tyk(), true),
    ] {
        assert_eq!(public(settings.clone()).is_ok(), accepted, "{settings:?}");
    }
}

#[test]
fn a_signer_refuses_what_it_would_overwrite_or_cannot_sign() {
    let draft = || CavageSignSettings::new("billing", secret()).unwrap();
    let tyk = || CavageSignSettings::tyk("billing", secret()).unwrap();
    let tenant = HeaderName::from_static("x-tenant");
    let covering = draft().with_covered_header(tenant).unwrap();
    for (name, settings, target, header, expected) in [
        (
            "signed",
            draft(),
            "/",
            "authorization",
            SignErrorKind::AlreadySigned,
        ),
        (
            "signed elsewhere",
            draft(),
            "/",
            "signature",
            SignErrorKind::AlreadySigned,
        ),
        ("a date", draft(), "/", "date", SignErrorKind::AlreadySigned),
        (
            "a digest",
            draft(),
            "/",
            "digest",
            SignErrorKind::AlreadySigned,
        ),
        (
            "a nonce",
            draft(),
            "/",
            "x-nonce",
            SignErrorKind::AlreadySigned,
        ),
        ("a query at Tyk", tyk(), "/?a", "x-a", SignErrorKind::Target),
        (
            "an escape at Tyk",
            tyk(),
            "/%61",
            "x-a",
            SignErrorKind::Target,
        ),
        (
            "no covered header",
            covering,
            "/",
            "x-a",
            SignErrorKind::Header,
        ),
    ] {
        let mut parts = post(target);
        parts.headers.insert(header, HeaderValue::from_static("x"));
        let signer = Signer::cavage(settings, ["a"]).unwrap();
        let error = signer.sign(&parts, BODY, NOW).unwrap_err();
        assert_eq!(error.kind(), expected, "{name}");
    }
}
