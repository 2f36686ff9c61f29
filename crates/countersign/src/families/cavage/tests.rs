//! What a verifier makes of heads in each dialect, and that it reads what the signer writes.

use http::{HeaderName, HeaderValue, Method, Request, request::Parts};

use super::{CavageSignSettings, CavageVerifySettings};
use crate::{
    error::{ConfigErrorKind, RejectionKind, SignErrorKind},
    families::Coverage,
    key::{CallerKey, Secret, SigningKey},
    keyring::CallerKeys,
    scheme::{Algorithm, ContentTypeRule, NonceRule, Scheme},
    sign::Signer,
    timestamp::Timestamp,
    verify::{Verified, Verifier, VerifierBuilder},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);
const DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";
const BODY: &[u8] = b"{\"userId\":123}";

fn secret() -> SigningKey {
    SigningKey::cavage_hmac_sha256(&Secret::from_text("correct horse battery staple").unwrap())
}

fn seed() -> SigningKey {
    SigningKey::cavage_ed25519(&Secret::from_bytes(&[7, 1, 9, 3, 5, 2, 8, 6].repeat(4))).unwrap()
}

fn verifier(settings: CavageVerifySettings) -> Verifier {
    builder(settings).build().unwrap()
}

fn builder(settings: CavageVerifySettings) -> VerifierBuilder {
    Verifier::builder()
        .expected_hosts(["a"])
        .accept_only(settings)
}

fn post(target: &str) -> Parts {
    let request = Request::post(target)
        .header("host", "a")
        .header("content-type", "application/json")
        .header("content-length", BODY.len());
    request.body(()).unwrap().into_parts().0
}

fn judge(
    verifier: &Verifier,
    key: &SigningKey,
    parts: &Parts,
    body: &[u8],
) -> Result<Verified, RejectionKind> {
    judge_with(
        verifier,
        CallerKey::new("1", key.verifying_key()).unwrap(),
        parts,
        body,
    )
}

fn judge_with(
    verifier: &Verifier,
    key: CallerKey,
    parts: &Parts,
    body: &[u8],
) -> Result<Verified, RejectionKind> {
    let keys = CallerKeys::new("billing", [key]).unwrap();
    let judge = || {
        let unverified = verifier.parse(parts, NOW)?;
        unverified.authenticate(&keys, NOW)?.finish_with(body, NOW)
    };
    judge().map_err(|rejection| rejection.kind())
}

/// Signs `text`, and sends it with these parameters besides the signature.
fn sent(parts: &mut Parts, key: &SigningKey, header: &'static str, parameters: &str, text: &str) {
    use base64ct::{Base64, Encoding as _};
    let signature = Base64::encode_string(&key.sign_message(text.as_bytes()));
    let value = format!("{parameters},signature=\"{signature}\"");
    parts
        .headers
        .insert(header, HeaderValue::try_from(value).unwrap());
}

fn get(headers: &[(&'static str, &str)]) -> Parts {
    let mut request = Request::get("/p?q=1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

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
            let verified = judge(&verifier, &secret(), &parts, body).unwrap();
            assert_eq!(verified.caller(), &"billing");
            assert_eq!(verified.scheme(), Scheme::Cavage);
            assert_eq!(verified.coverage(), Coverage::Request);
            assert!(verified.audience_checked());
            assert_eq!(verified.covered("content-type"), Some("application/json"));
            assert_eq!(verified.covered("host"), Some("a"));
            assert_eq!(verified.nonce(), verified.covered("x-nonce"));
            assert!(verified.nonce().is_some());
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
    let verified = judge(&verifier, &seed(), &parts, BODY).unwrap();
    assert_eq!(verified.fresh_until(), NOW.saturating_add(lifetime));
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
fn times_are_covered_and_belong_to_no_older_algorithm() {
    use RejectionKind::{Expired, InsufficientCoverage, Malformed};
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
        ("created=1767323045", "", "", Err(InsufficientCoverage)),
        ("expires=1767323046", "", "", Err(InsufficientCoverage)),
    ] {
        let parameters = format!("keyId=\"billing\",{parameters},headers=\"{DRAFT_LIST}{names}\"");
        let found = draft(&secret(), &parameters, &text(lines)).map(|_| ());
        assert_eq!(found, expected, "{parameters}");
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

#[test]
fn a_name_that_is_asserted_is_known_before_it_is_proven() {
    let mut parts = get(&[("host", "a")]);
    let value = HeaderValue::from_static("algorithm=\"x\", keyId=\"https://b/c#key\", no");
    parts.headers.insert("signature", value);
    let verifier = verifier(CavageVerifySettings::new());
    let asserted = verifier.asserted(&parts).unwrap();
    assert_eq!(asserted.scheme(), Scheme::Cavage);
    assert_eq!(asserted.key_id().as_deref(), Some("https://b/c#key"));
}
