//! `sign` and `presign`: the headers, the texts, and the request for curl.

use std::{fs, path::Path};

use base64ct::{Base64, Encoding};
use countersign::{Keyring, Scheme};
use countersign_cli::Exit;
use serde_json::Value;

use crate::{
    folder::Folder,
    program::{Program, program},
    receiver::{accept_now, json, signed_parts},
};

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

/// A request of billing's, signed with [`SECRET`].
fn signing(further: &str) -> Program {
    let arguments = format!(
        "sign GET http://user-service:8081/api/account --as billing --key-env KEY{further}"
    );
    program(&arguments).variable("KEY", SECRET)
}

fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let text = fs::read_to_string(path.join(file)).unwrap();
    json(&text)["cases"].as_array().unwrap().clone()
}

fn text<'c>(case: &'c Value, member: &str) -> &'c str {
    case[member].as_str().unwrap()
}

/// Sets up the signing of a golden vector. `None` if its request is no argument of a command.
fn signing_of(case: &Value, scheme: &str, body: &Path) -> Option<Program> {
    let target = text(case, "target");
    // The target of `OPTIONS *` and of `CONNECT` is in no URL.
    if !target.starts_with('/') {
        return None;
    }
    let mut signing = program("--json sign")
        .with(text(case, "method"))
        .with(format!("http://{}{target}", text(case, "host")))
        .with("--scheme")
        .with(scheme)
        .with("--as")
        .with(text(case, "caller"))
        .with("--key-env")
        .with("KEY")
        .with("--date")
        .with(case["date_unix"].to_string())
        .variable("KEY", text(case, "key_hex"));
    signing = match case["nonce"].as_str() {
        Some(nonce) => signing.with("--nonce").with(nonce),
        None => signing.with("--insecure-three-headers"),
    };
    if let Some(content_type) = case["content_type"].as_str() {
        signing = signing
            .with("-H")
            .with(format!("content-type: {content_type}"));
    }
    for header in case["extra_headers"].as_array().unwrap() {
        let [name, value] = [0, 1].map(|at| header[at].as_str().unwrap());
        signing = signing.with("-H").with(format!("{name}: {value}"));
        signing = signing.with("--cover").with(name);
    }
    fs::write(body, Base64::decode_vec(text(case, "body_b64")).unwrap()).unwrap();
    Some(signing.with("-d").with(format!("@{}", body.display())))
}

#[test]
fn every_golden_vector_is_signed_as_it_says() {
    let folder = Folder::new();
    let body = folder.file("body");
    for (file, scheme, at_least) in [
        ("hmac-sha256.json", "hmac-sha256", 50),
        ("ed25519.json", "ed25519", 45),
    ] {
        let mut signed = 0;
        for case in vectors(file) {
            let name = text(&case, "name");
            let Some(signing) = signing_of(&case, scheme, &body) else {
                continue;
            };
            let answer = json(&signing.run().expect(Exit::Yes));
            let headers = answer["headers"].as_array().unwrap();
            let authorization = headers.last().unwrap();
            assert_eq!(
                authorization["value"], case["authorization"],
                "{file}: {name}"
            );
            let shown = signing_of(&case, scheme, &body).unwrap();
            let shown = shown.with("--show").with("canonical").run();
            let shown = json(&shown.expect(Exit::Yes));
            assert_eq!(shown["text"], case["canonical_request"], "{file}: {name}");
            signed += 1;
        }
        assert!(signed >= at_least, "{file}: {signed}");
    }
}

#[test]
fn the_text_is_one_header_a_line() {
    let nonce = " --nonce ab1ea77da142027bdccf911146307534";
    let lines = signing(nonce).run().expect(Exit::Yes);
    let names: Vec<_> = lines
        .lines()
        .map(|line| line.split_once(": ").unwrap().0)
        .collect();
    assert_eq!(
        names,
        ["x-date", "x-content-sha256", "x-nonce", "authorization"]
    );
    assert!(
        lines.contains("x-date: Fri, 02 Jan 2026 03:04:05 GMT\n"),
        "{lines}"
    );
    assert!(
        lines.contains("x-nonce: ab1ea77da142027bdccf911146307534\n"),
        "{lines}"
    );
    assert!(!lines.contains(SECRET), "{lines}");
}

#[test]
fn a_target_of_a_file_signs_as_its_caller() {
    let folder = Folder::new();
    let targets = folder.file("targets.toml");
    let text = format!(
        "[[targets]]\nname = \"user-service\"\ncaller = \"billing\"\n\
         authorities = [\"user-service:8081\"]\nsecret_hex = \"{SECRET}\"\n"
    );
    fs::write(&targets, &text).unwrap();
    let sign = |url: &str, target: &str| {
        program("--json sign GET")
            .with(url)
            .with("--keys")
            .with(&targets)
            .with("--target")
            .with(target)
            .run()
    };
    let answer =
        json(&sign("http://user-service:8081/api/account", "user-service").expect(Exit::Yes));
    let callee = format!(
        "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{SECRET}\"\n"
    );
    let keys = Keyring::from_toml(&callee).unwrap();
    let accepted = accept_now(Scheme::HmacSha256, &keys, &signed_parts(&answer, &[]), b"");
    assert_eq!(accepted, Ok("billing".to_owned()));

    let error = sign("http://elsewhere/", "user-service").expect_error(Exit::Usage);
    assert!(error.contains("authority elsewhere"), "{error}");
    let error = sign("http://user-service:8081/", "audit").expect_error(Exit::Usage);
    assert!(error.contains("target \"audit\""), "{error}");
    let missing = program("sign GET http://a/ --keys /nonexistent --target a").run();
    missing.expect_error(Exit::Unavailable);
}

#[test]
fn the_key_is_read_from_a_file_or_standard_input_without_its_line_end() {
    let folder = Folder::new();
    let file = folder.file("key");
    let nonce = " --nonce ab1ea77da142027bdccf911146307534";
    let expected = signing(nonce).run().expect(Exit::Yes);
    let with_file = |path: &Path| {
        let arguments = "sign GET http://user-service:8081/api/account --as billing";
        program(&format!("{arguments}{nonce} --key-file")).with(path)
    };
    for end in ["", "\n", "\r\n"] {
        fs::write(&file, format!("{SECRET}{end}")).unwrap();
        assert_eq!(
            with_file(&file).run().expect(Exit::Yes),
            expected,
            "{end:?}"
        );
        let stdin = with_file(Path::new("-")).stdin(format!("{SECRET}{end}"));
        assert_eq!(stdin.run().expect(Exit::Yes), expected, "{end:?}");
    }
    let two = with_file(Path::new("-")).with("-d").with("-").run();
    assert!(two.expect_error(Exit::Usage).contains("found both"));
}

#[test]
fn what_cannot_be_signed_is_refused_and_no_key_is_shown() {
    for (name, program, exit, expected) in [
        (
            "no key",
            program("sign GET http://a/"),
            Exit::Usage,
            "expected a key",
        ),
        (
            "no name",
            program("sign GET http://a/ --key-env KEY").variable("KEY", SECRET),
            Exit::Usage,
            "--as NAME",
        ),
        (
            "an unset variable",
            program("sign GET http://a/ --as a --key-env KEY"),
            Exit::Unavailable,
            "variable KEY: not set",
        ),
        (
            "a key in place of the variable",
            program(&format!("sign GET http://a/ --as a --key-env {SECRET}")),
            Exit::Unavailable,
            "variable [redacted]: not set",
        ),
        (
            "a weak key",
            program("sign GET http://a/ --as a --key-env KEY").variable("KEY", "00ff"),
            Exit::Usage,
            "weak key",
        ),
        (
            "a path",
            signing("").with("-d").with("@/nonexistent"),
            Exit::Unavailable,
            "cannot be read",
        ),
        (
            "a nonce",
            signing(" --nonce short"),
            Exit::Usage,
            "16 to 128",
        ),
        (
            "a date",
            signing(" --date soon"),
            Exit::Usage,
            "seconds since 1970",
        ),
        (
            "a header",
            signing(" -H nothing"),
            Exit::Usage,
            "found no colon",
        ),
        (
            "an option",
            signing(" --region eu"),
            Exit::Usage,
            "--region: it has no effect",
        ),
        (
            "a string to sign",
            signing(" --show string-to-sign"),
            Exit::Usage,
            "only SigV4",
        ),
        (
            "a covered header",
            signing(" --cover x-tenant"),
            Exit::Usage,
            "x-tenant",
        ),
        (
            "a signed request",
            signing(" -H x-nonce:1"),
            Exit::Usage,
            "already there",
        ),
        (
            "a URL without a host",
            program("sign GET /api --as a --key-env KEY").variable("KEY", SECRET),
            Exit::Usage,
            "URL: expected http://",
        ),
        (
            "a fragment",
            program("sign GET http://a/#b --as a --key-env KEY").variable("KEY", SECRET),
            Exit::Usage,
            "fragment",
        ),
    ] {
        let outcome = program.run();
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{name}: {outcome:?}");
        assert!(!outcome.stderr.contains(SECRET), "{name}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{name}");
    }
}

#[test]
fn sigv4_shows_its_string_to_sign_and_makes_urls() {
    let secret = "correct/Horse+battery/Staple+0123456789";
    let sigv4 = |command: &str, further: &str| {
        let arguments = format!(
            "--json {command} GET http://user-service:8081/api/account --scheme sigv4 --as AKID \
             --region eu-central-1 --service users --key-env KEY{further}"
        );
        let text = program(&arguments).variable("KEY", secret).run();
        json(&text.expect(Exit::Yes))
    };
    let callee = format!(
        "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\nkey_id = \"AKID\"\n\
         scheme = \"AWS4-HMAC-SHA256\"\nsecret_text = \"{secret}\"\n"
    );
    let keys = Keyring::from_toml(&callee).unwrap();
    let shown = sigv4("sign", " --show string-to-sign");
    let text = shown["text"].as_str().unwrap();
    let start = "AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/eu-central-1/users/aws4_request\n";
    assert!(text.starts_with(start), "{text}");
    let presigned = sigv4("presign", " --expires 60");
    assert_eq!(presigned["expires_at"], "2026-01-02T03:05:05Z");
    for answer in [shown, presigned] {
        let accepted = accept_now(Scheme::SigV4, &keys, &signed_parts(&answer, &[]), b"");
        assert_eq!(accepted, Ok("billing".to_owned()), "{answer}");
    }
    let refused = signing("").run();
    refused.expect(Exit::Yes);
    let arguments = "presign GET http://a/ --as billing --key-env KEY";
    let other = program(arguments).variable("KEY", SECRET).run();
    assert!(other.expect_error(Exit::Usage).contains("can sign a URL"));
}

#[test]
fn curl_gets_the_request_that_was_signed() {
    let text = signing(" --curl")
        .with("-H")
        .with("x-note: it's")
        .run()
        .expect(Exit::Yes);
    assert!(
        text.starts_with("curl http://user-service:8081/api/account \\\n  --globoff"),
        "{text}"
    );
    assert!(text.contains(r"--header 'x-note: it'\''s'"), "{text}");
    let text = signing(" --curl-config")
        .with("-d")
        .with("a\"b\\c\nd")
        .run()
        .expect(Exit::Yes);
    for line in [
        "url = \"http://user-service:8081/api/account\"\n",
        "request = \"GET\"\n",
        "header = \"content-type:\"\n",
        "data-raw = \"a\\\"b\\\\c\\nd\"\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let bytes = signing(" --curl -d -").stdin(b"\xff\x00".to_vec()).run();
    assert!(bytes.expect_error(Exit::Usage).contains("-d @FILE"));
}
