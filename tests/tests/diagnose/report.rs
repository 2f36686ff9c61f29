use countersign::{
    Secret, Timestamp,
    diagnose::{Cause, Diagnosis, StepName, StepOutcome},
};
use http::HeaderValue;
use proptest::prelude::*;

use crate::client::{self, ALL, Family, HEADS, KEY, NOW, Seen, other_key, signature, written};

const AT: Timestamp = Timestamp::from_unix_seconds(NOW);

/// Words that stand for secrets, in every place where one may be.
const HIDDEN: &[&str] = &["hunter2", "swordfish", "opensesame"];

fn full_of_secrets() -> Seen {
    let mut seen = Seen::usual();
    seen.query = Some("a=1&token=swordfish".to_owned());
    for (name, value) in [
        ("cookie", "session=hunter2"),
        ("x-api-key", "hunter2"),
        ("x-csrf-token", "opensesame"),
        ("x-private", "swordfish"),
    ] {
        seen.headers.push((name.to_owned(), value.to_owned()));
    }
    seen
}

#[test]
fn no_secret_is_in_a_report_whatever_way_it_is_written() {
    let hex = base16ct::lower::encode_string(&KEY);
    for family in HEADS {
        let mut signed = full_of_secrets();
        signed.host = "elsewhere".to_owned();
        let sent = full_of_secrets();
        let text = signed.text(*family, &sent);
        // One that matches, and one that nothing explains.
        for key in [KEY.to_vec(), other_key(9)] {
            let made = written(*family, &signature(*family, &key, &text, &signed));
            let parts = sent.parts(*family, &made);
            let verifier = client::verifier(*family);
            let keyring = client::keyring(*family);
            let secret = Secret::from_bytes(&KEY);
            let theirs = String::from_utf8(text.clone()).unwrap();
            let report = Diagnosis::new(&verifier, &parts, AT)
                .with_keyring(&keyring)
                .with_secret(&secret)
                .with_body(b"hunter2")
                .with_their_text(&theirs)
                .with_redacted_header(http::HeaderName::from_static("x-private"))
                .run();
            assert!(report.signed_text().is_some());
            for shown in [
                format!("{report}"),
                format!("{report:?}"),
                format!("{report:#?}"),
                report.to_json(),
            ] {
                for hidden in HIDDEN.iter().chain(&[&*hex, &*made]) {
                    assert!(!shown.contains(hidden), "{family:?}: {hidden}: {shown}");
                }
                let hidden = shown.contains("[redacted]");
                assert!(hidden || !shown.contains("x-api-key:"), "{shown}");
            }
        }
    }
}

#[test]
fn a_diagnosis_shows_no_secret() {
    let verifier = client::verifier(Family::Hmac);
    let secret = Secret::from_bytes(&KEY);
    let keyring = client::keyring(Family::Hmac);
    let parts = Seen::usual().parts(Family::Hmac, &"0".repeat(64));
    let diagnosis = Diagnosis::new(&verifier, &parts, AT)
        .with_secret(&secret)
        .with_keyring(&keyring)
        .with_body(b"hunter2");
    let shown = format!("{diagnosis:?}");
    let zeroes = "0".repeat(64);
    for hidden in [&*base16ct::lower::encode_string(&KEY), "hunter2", &zeroes] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn a_decision_has_the_steps_of_a_diagnosis_and_tries_nothing() {
    for family in ALL {
        let seen = Seen::usual();
        let text = seen.text(*family, &seen);
        for (name, key) in [("right key", KEY.to_vec()), ("wrong key", other_key(9))] {
            let made = written(*family, &signature(*family, &key, &text, &seen));
            let parts = seen.parts(*family, &made);
            let verifier = client::verifier(*family);
            let keyring = client::keyring(*family);
            let diagnosis = || {
                Diagnosis::new(&verifier, &parts, AT)
                    .with_keyring(&keyring)
                    .with_body(&seen.body)
            };
            let (decided, run) = (diagnosis().decide(), diagnosis().run());
            let shown = format!("{family:?}, {name}: {decided}");
            assert_eq!(decided.steps(), run.steps(), "{shown}");
            assert_eq!(decided.is_accepted(), run.is_accepted(), "{shown}");
            assert_eq!(decided.coverage().is_some(), run.is_accepted(), "{shown}");
            assert_eq!(decided.scheme(), run.scheme(), "{shown}");
            assert_eq!(decided.causes(), [], "{shown}");
            assert_eq!(decided.checks(), 0, "{shown}");
        }
    }
}

#[test]
fn the_sender_s_text_is_compared_line_by_line_and_checked() {
    for family in HEADS {
        let mut signed = Seen::usual();
        // No candidate is made of this.
        signed.path = "/something/else".to_owned();
        let sent = Seen::usual();
        let text = String::from_utf8(signed.text(*family, &sent)).unwrap();
        let made = signature(*family, &KEY, text.as_bytes(), &signed);
        let parts = sent.parts(*family, &written(*family, &made));
        let verifier = client::verifier(*family);
        let keyring = client::keyring(*family);
        let run = |theirs: &str| {
            Diagnosis::new(&verifier, &parts, AT)
                .with_keyring(&keyring)
                .with_body(&sent.body)
                .with_their_text(theirs)
                .run()
        };
        let report = run(&text);
        let comparison = report.comparison().unwrap();
        assert_eq!(comparison.is_signed(), Some(true), "{family:?}");
        assert_eq!(comparison.theirs().len(), text.split('\n').count());
        assert_eq!(Some(comparison.ours()), report.signed_text());
        let difference = comparison.difference().unwrap();
        let line = match family {
            Family::Rfc9421 => 3,
            Family::Cavage => 1,
            _ => 2,
        };
        assert_eq!(difference.line(), line, "{family:?}: {difference:?}");
        assert!(difference.theirs().unwrap().contains("/something/else"));
        assert!(difference.ours().unwrap().contains("/api/v1/items"));
        let first = report.first_cause().unwrap().cause();
        assert_eq!(first, Cause::SignedTextDiffers, "{family:?}");
        // A line feed that an editor added is not what was signed.
        let with_end = run(&(text.clone() + "\n"));
        assert_eq!(with_end.comparison().unwrap().is_signed(), Some(true));
        // A text that was not signed explains nothing.
        let other = run(&text.replace("/else", "/more"));
        assert_eq!(other.comparison().unwrap().is_signed(), Some(false));
        assert_eq!(other.causes(), [], "{family:?}");
    }
}

#[test]
fn each_step_says_how_it_ended() {
    let usual = Seen::usual();
    let sign = |seen: &Seen, key: &[u8]| {
        let text = seen.text(Family::Hmac, seen);
        let made = signature(Family::Hmac, key, &text, seen);
        seen.parts(Family::Hmac, &written(Family::Hmac, &made))
    };
    let mut stale = Seen::usual();
    stale.date -= 4000;
    let mut elsewhere = Seen::usual();
    elsewhere.host = "elsewhere".to_owned();
    let mut unknown = Seen::usual();
    unknown.caller = "nobody".to_owned();
    let mut unsigned = sign(&usual, &KEY);
    unsigned.headers.remove("authorization");
    let mut garbled = sign(&usual, &KEY);
    garbled
        .headers
        .insert("authorization", HeaderValue::from_static("HMAC-SHA256 a"));
    for (name, parts, body, failed) in [
        ("unsigned", unsigned, &b""[..], StepName::Signature),
        ("garbled", garbled, b"", StepName::Grammar),
        (
            "elsewhere",
            sign(&elsewhere, &KEY),
            b"",
            StepName::Authority,
        ),
        ("stale", sign(&stale, &KEY), b"", StepName::Date),
        ("unknown", sign(&unknown, &KEY), b"", StepName::Keys),
        (
            "wrong key",
            sign(&usual, &other_key(9)),
            b"",
            StepName::Proof,
        ),
        (
            "revoked",
            sign(&usual, &other_key(1)),
            b"",
            StepName::KeyRules,
        ),
        ("other body", sign(&usual, &KEY), b"", StepName::Body),
    ] {
        let verifier = client::verifier(Family::Hmac);
        let keyring = client::keyring(Family::Hmac);
        let report = Diagnosis::new(&verifier, &parts, AT)
            .with_keyring(&keyring)
            .with_body(body)
            .run();
        assert!(!report.is_accepted(), "{name}");
        for step in report.steps() {
            let expected = step.name().cmp(&failed);
            match step.outcome() {
                StepOutcome::Passed => assert!(expected.is_lt(), "{name}: {step:?}"),
                StepOutcome::Failed(_) => assert!(expected.is_eq(), "{name}: {step:?}"),
                StepOutcome::NotReached => assert!(expected.is_gt(), "{name}: {step:?}"),
                _ => panic!("{name}: {step:?}"),
            }
        }
    }
}

#[test]
fn without_keys_or_body_nothing_is_claimed() {
    for family in ALL {
        let seen = Seen::usual();
        let text = seen.text(*family, &seen);
        let made = signature(*family, &KEY, &text, &seen);
        let parts = seen.parts(*family, &written(*family, &made));
        let verifier = client::verifier(*family);
        let report = Diagnosis::new(&verifier, &parts, AT).run();
        assert!(report.proven().is_none(), "{family:?}");
        assert!(!report.is_accepted(), "{family:?}");
        assert!(
            report.to_json().contains("\"accepted\":false"),
            "{family:?}"
        );
        assert_eq!(report.causes(), [], "{family:?}");
        assert!(report.signed_text().is_some(), "{family:?}");
        let open = report
            .steps()
            .iter()
            .find(|step| *step.outcome() == StepOutcome::NotJudged);
        assert_eq!(open.unwrap().name(), StepName::Keys, "{family:?}");
    }
}

#[test]
fn any_bytes_give_a_report() {
    let verifier = client::verifier(Family::Hmac);
    let keyring = client::keyring(Family::Hmac);
    for value in [
        "",
        "HMAC-SHA256",
        "HMAC-SHA256 ",
        "HMAC-SHA256 signature=",
        "HMAC-SHA256 signature=,signed-headers=;;;,credential=",
        "AWS4-HMAC-SHA256 Credential=////",
        "hmac-sha256 \u{7f}",
    ] {
        let mut parts = Seen::usual().parts(Family::Hmac, "x");
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert("authorization", value);
        }
        let long = HeaderValue::from_str(&"a, ".repeat(3000)).unwrap();
        parts.headers.append("x-list", long);
        let report = Diagnosis::new(&verifier, &parts, AT)
            .with_keyring(&keyring)
            .with_body(&[0xff, 0xfe, b'{'])
            .run();
        assert!(!report.is_accepted(), "{value}");
        assert!(report.to_json().starts_with('{'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a peer writes: no panic, no match that a key did not make, no more work than
    /// allowed.
    #[test]
    fn hostile_heads_give_a_report_within_the_limit(
        number in 0_usize..6,
        name in 0_usize..8,
        value in "[ -~]{0,80}",
        path in "/[!-~]{0,40}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let family = ALL[number];
        let mut parts = Seen::usual().parts(family, &value.replace('"', ""));
        let names = [
            "authorization",
            "x-date",
            "x-amz-date",
            "signature-input",
            "signature",
            "host",
            "x-hmac-timestamp",
            "webhook-signature",
        ];
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.append(names[name], value);
        }
        if let Ok(uri) = path.parse() {
            parts.uri = uri;
        }
        let verifier = client::verifier(family);
        let keyring = client::keyring(family);
        let secret = Secret::from_bytes(&KEY);
        let report = Diagnosis::new(&verifier, &parts, AT)
            .with_keyring(&keyring)
            .with_secret(&secret)
            .with_body(&body)
            .with_their_text(&value)
            .with_limit(300)
            .run();
        prop_assert!(!report.is_accepted());
        prop_assert!(report.checks() <= 300);
        prop_assert!(report.tried().iter().all(|candidate| !candidate.matched()));
    }
}
