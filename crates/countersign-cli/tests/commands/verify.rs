use countersign_cli::Exit;
use serde_json::Value;

use crate::{
    program::{Outcome, program},
    recorded::{HOST, SCHEMES, Signed, TemporaryFile, keys},
};

fn verify(scheme: &str, record: &[u8], more: &str) -> Outcome {
    let keys = keys(scheme);
    let arguments = format!(
        "verify --json --expect-host {HOST} --keys {}{more}",
        keys.path()
    );
    program(&arguments).stdin(record).run()
}

fn answer(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"))
}

/// Returns the step that failed.
fn failed(answer: &Value) -> &str {
    let steps = answer["steps"].as_array().unwrap().iter();
    let mut failed = steps.filter(|step| step["outcome"] == "failed");
    failed
        .next()
        .map_or("none", |step| step["name"].as_str().unwrap())
}

#[test]
fn a_right_request_is_accepted_in_every_scheme() {
    for scheme in SCHEMES {
        let outcome = verify(scheme, &Signed::in_scheme(scheme).raw(), "");
        assert_eq!(outcome.exit, Exit::Yes, "{scheme}: {outcome:?}");
        let answer = answer(&outcome);
        assert_eq!(answer["accepted"], true, "{scheme}");
        assert_eq!(answer["scheme"], scheme);
        assert_eq!(answer["caller"], "billing");
        assert_eq!(answer["key_version"], "2026");
        let steps = answer["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 9);
        assert!(
            steps.iter().all(|step| step["outcome"] == "passed"),
            "{scheme}: {answer}"
        );
    }
}

#[test]
fn a_wrong_request_is_refused_at_the_step_that_is_wrong() {
    type Change = fn(&mut Signed);
    let changes: [(&str, &str, Change); 6] = [
        ("no signature", "signature", |signed| {
            signed.parts.headers.clear();
        }),
        ("no date", "grammar", |signed| {
            signed.parts.headers.remove("x-date");
        }),
        ("old date", "date", |signed| {
            let date = "Thu, 01 Jan 2026 03:04:05 GMT".parse().unwrap();
            signed.parts.headers.insert("x-date", date);
        }),
        ("another host", "authority", |signed| {
            signed.parts.uri = "http://elsewhere/api/items".parse().unwrap();
        }),
        ("another path", "proof", |signed| {
            signed.parts.uri = format!("http://{HOST}/api/item").parse().unwrap();
        }),
        ("another body", "body", |signed| signed.body.push(b' ')),
    ];
    for (name, step, change) in changes {
        let mut signed = Signed::in_scheme("HMAC-SHA256");
        change(&mut signed);
        let outcome = verify("HMAC-SHA256", &signed.raw(), "");
        assert_eq!(outcome.exit, Exit::No, "{name}: {outcome:?}");
        let answer = answer(&outcome);
        assert_eq!(failed(&answer), step, "{name}: {answer}");
        assert!(answer["code"].is_string(), "{name}");
    }
}

#[test]
fn the_text_shows_every_step_in_order() {
    let keys = keys("HMAC-SHA256");
    let text = program(&format!("verify --keys {}", keys.path()))
        .stdin(Signed::in_scheme("HMAC-SHA256").raw())
        .run()
        .expect(Exit::Yes);
    let expected = "\
accepted: caller billing, key 2026
  POST /api/items?b=2&a=1 at user-service.internal:8081, body of 21 bytes (read as raw)

  signature  passed
  grammar    passed
  authority  passed
  coverage   passed
  date       passed
  keys       passed
  proof      passed
  key rules  passed
  body       passed
  nonce      not judged  only the service knows which nonces were used
";
    assert_eq!(text, expected);
}

#[test]
fn settings_that_were_not_given_are_listed() {
    for (scheme, assumed) in [
        ("HMAC-SHA256", &[][..]),
        ("ED25519", &["--expect-host"][..]),
        ("AWS4-HMAC-SHA256", &["--sigv4 eu-central-1/user-service"]),
        ("RFC 9421", &["--expect-host"]),
        (
            "X-HMAC-SHA256",
            &["--sender billing", "--route \\\"POST /api/items"],
        ),
        ("Standard-Webhooks", &["--sender billing", "--route"]),
    ] {
        let keys = keys(scheme);
        let outcome = program(&format!("verify --json --keys {}", keys.path()))
            .stdin(Signed::in_scheme(scheme).raw())
            .run();
        let answer = answer(&outcome);
        let listed = answer["assumed"].as_array().unwrap();
        assert_eq!(listed.len(), assumed.len(), "{scheme}: {answer}");
        for setting in assumed {
            assert!(
                answer["assumed"].to_string().contains(setting),
                "{scheme}: {answer}"
            );
        }
    }
}

#[test]
fn the_clock_is_given_or_that_of_the_signature() {
    let record = Signed::in_scheme("HMAC-SHA256").raw();
    for (at, exit) in [
        ("", Exit::Yes),
        (" --at 2026-01-02T03:09:05Z", Exit::Yes),
        (" --at 2026-01-02T03:09:06Z", Exit::No),
        (" --at 1767323045", Exit::Yes),
        (" --at 2027-01-01T00:00:00Z", Exit::No),
        (" --at 2026-01-02T03:04:10Z --window 4", Exit::No),
    ] {
        assert_eq!(verify("HMAC-SHA256", &record, at).exit, exit, "{at}");
    }
    let keys = keys("HMAC-SHA256");
    let later = countersign::Timestamp::from_unix_seconds(1_800_000_000);
    let run = |at: &str| {
        let program = program(&format!("verify --keys {}{at}", keys.path()));
        program.stdin(record.clone()).run_at(later).exit
    };
    assert_eq!(run(""), Exit::No);
    assert_eq!(run(" --at signed"), Exit::Yes);
}

#[test]
fn a_policy_decides_after_the_signature() {
    let record = Signed::in_scheme("HMAC-SHA256").raw();
    let policy = |effect: &str, source: &str| {
        let text = format!(
            "[[statements]]\nid = \"s\"\neffect = \"{effect}\"\ncallers = \
             [\"billing\"]\nmethods = [\"POST\"]\npaths = [\"/api/items\"]\n{source}"
        );
        TemporaryFile::new("policy.toml", text)
    };
    let loopback = "[statements.when]\nsource_cidr = [\"127.0.0.0/8\"]\n";
    for (name, effect, source, more, exit, statement) in [
        ("allowed", "allow", "", "", Exit::Yes, "s"),
        ("denied", "deny", "", "", Exit::No, "s"),
        (
            "allowed from there",
            "allow",
            loopback,
            " --source 127.0.0.1",
            Exit::Yes,
            "s",
        ),
        (
            "from elsewhere",
            "allow",
            loopback,
            " --source 192.0.2.1",
            Exit::No,
            "none",
        ),
    ] {
        let policy = policy(effect, source);
        let more = format!(" --policy {}{more}", policy.path());
        let outcome = verify("HMAC-SHA256", &record, &more);
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
        let answer = answer(&outcome);
        assert_eq!(answer["accepted"], true, "{name}");
        assert_eq!(answer["policy"]["allowed"], exit == Exit::Yes, "{name}");
        let found = answer["policy"]["statement"].as_str().unwrap_or("none");
        assert_eq!(found, statement, "{name}");
    }
}

#[test]
fn a_body_that_is_not_recorded_is_not_judged() {
    let signed = Signed::in_scheme("HMAC-SHA256");
    let raw = String::from_utf8(signed.raw()).unwrap();
    let head = raw.split_once("\r\n\r\n").unwrap().0;
    let lines: Vec<String> = head.lines().map(|line| format!("> {line}\n")).collect();
    let record = [lines.concat(), "> \n".to_owned()].concat();
    let outcome = verify("HMAC-SHA256", record.as_bytes(), "");
    assert_eq!(outcome.exit, Exit::No, "{outcome:?}");
    let found = answer(&outcome);
    assert_eq!(found["accepted"], false);
    assert_eq!(found["steps"][8]["outcome"], "not_judged");
    assert!(found["notes"].to_string().contains("--body"));
    let body = TemporaryFile::new("body", &signed.body);
    let more = format!(" --body {}", body.path());
    let outcome = verify("HMAC-SHA256", record.as_bytes(), &more);
    assert_eq!(outcome.exit, Exit::Yes, "{outcome:?}");
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_a_refusal() {
    let keys = keys("HMAC-SHA256");
    let right = Signed::in_scheme("HMAC-SHA256").raw();
    for (name, arguments, stdin, exit) in [
        (
            "no request",
            format!("verify --keys {}", keys.path()),
            &b""[..],
            Exit::Usage,
        ),
        (
            "no HTTP",
            format!("verify --keys {}", keys.path()),
            b"\x00\xff",
            Exit::Usage,
        ),
        (
            "another form",
            format!("verify --form har --keys {}", keys.path()),
            &right,
            Exit::Usage,
        ),
        (
            "no keys",
            "verify --keys /nowhere/keys.toml".to_owned(),
            &right,
            Exit::Unavailable,
        ),
        (
            "no record",
            format!("verify --keys {} /nowhere", keys.path()),
            b"",
            Exit::Unavailable,
        ),
        (
            "wrong setting",
            format!("verify --window 0 --keys {}", keys.path()),
            &right,
            Exit::Usage,
        ),
        (
            "wrong scope",
            format!("verify --accept sigv4 --sigv4 x --keys {}", keys.path()),
            &right,
            Exit::Usage,
        ),
        (
            "wrong moment",
            format!("verify --at yesterday --keys {}", keys.path()),
            &right,
            Exit::Usage,
        ),
    ] {
        let outcome = program(&arguments).stdin(stdin).run();
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
        assert!(!outcome.stderr.is_empty(), "{name}");
    }
}

#[test]
fn no_key_of_the_file_is_in_an_answer_or_an_error() {
    let secret = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
    let broken = TemporaryFile::new("callers.toml", format!("callers = \"{secret}\""));
    let keys = keys("HMAC-SHA256");
    for path in [broken.path(), keys.path()] {
        let record = Signed::in_scheme("HMAC-SHA256").raw();
        let outcome = program(&format!("verify --keys {path}"))
            .stdin(record)
            .run();
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!shown.contains(&secret[..16]), "{shown}");
    }
}
