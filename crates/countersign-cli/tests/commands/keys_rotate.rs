//! `keys rotate`: the steps in their order, and what the metrics say about the old key.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
    time::Duration,
};

use countersign::{Keyring, Scheme, SharedSigner, Timestamp};
use countersign_cli::Exit;
use tower_countersign::metrics::KEY_LAST_USE;

use crate::{
    folder::Folder,
    program::{NOW, Program, program},
    receiver::{accept_now, json, signed_parts},
};

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const THIRD: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

const HEAD: &str = "# The callers of user-service.   Ask security before a change.\n\n\
                    [[callers]]\nname = 'billing'   # the invoices\n";
const TAIL: &str = "\n# The auditors.\n[[callers]]\nname = \"audit\"\n\n[[callers.keys]]\n\
                    version = \"1\"\ned25519_public_key_hex = \
                    \"402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38\" # ours\n";

/// A key of billing's.
fn key(version: &str, further: &str) -> String {
    let secret = if version == "2025-10" { SECRET } else { THIRD };
    format!("\n[[callers.keys]]\nversion = \"{version}\"\nsecret_hex = \"{secret}\"\n{further}")
}

fn file(keys: &str) -> String {
    format!("{HEAD}{keys}{TAIL}")
}

fn rotate(path: &Path, further: &str) -> Program {
    let program = program("keys rotate").with(path).with("billing");
    further.split_whitespace().fold(program, Program::with)
}

/// The metrics of a service that saw these keys of billing's.
fn metrics(uses: &[(&str, Timestamp)]) -> String {
    let name = KEY_LAST_USE.name();
    // Another caller's key of the same label is used at this moment.
    let of_audit = "{caller=\"audit\",key_version=\"2025-10\"}";
    let now = NOW.as_unix_seconds();
    let mut text = format!("# TYPE {name} gauge\n{name}{of_audit} {now}\n");
    for (version, at) in uses {
        let seconds = at.as_unix_seconds();
        let labels = format!("{{caller=\"billing\",key_version=\"{version}\"}}");
        text.extend([name, &labels, " ", &seconds.to_string(), "\n"]);
    }
    text
}

fn hours_ago(hours: u64) -> Timestamp {
    NOW.saturating_sub(Duration::from_secs(3600 * hours))
}

/// Answers one request with these metrics, and returns the URL.
fn serve(metrics: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"GET /metrics HTTP/1.1\r\n"));
        let length = metrics.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{metrics}"
        )
        .unwrap();
    });
    url
}

#[test]
fn three_steps_rotate_a_key_and_keep_the_rest_of_the_file() {
    let folder = Folder::new();
    let path = folder.with("keys.toml", &file(&key("2025-10", "")));

    let answer = rotate(&path, "--json").run().expect(Exit::Yes);
    let answer = json(&answer);
    assert_eq!(answer["step"], "add");
    assert_eq!(answer["new"], "2026-01");
    let text = fs::read_to_string(&path).unwrap();
    let start = format!(
        "{HEAD}{}\n[[callers.keys]]\nversion = \"2026-01\"\n",
        key("2025-10", "")
    );
    assert!(text.starts_with(&start), "{text}");
    assert!(text.ends_with(TAIL), "{text}");
    let snippet = answer["snippet"].as_str().unwrap();
    let targets = format!(
        "[[targets]]\nname = \"users\"\ncaller = \"billing\"\nauthorities = [\"user-service:8081\"]\n\
         {snippet}"
    );
    SharedSigner::from_toml(&targets, "users").unwrap();
    let targets = folder.with("targets.toml", &targets);
    let signed = program("--json sign GET http://user-service:8081/ --target users --keys");
    let signed = json(&signed.with(&targets).run().expect(Exit::Yes));
    let keys = Keyring::from_toml(&text).unwrap();
    let accepted = accept_now(Scheme::HmacSha256, &keys, &signed_parts(&signed, &[]), b"");
    assert_eq!(accepted, Ok("billing".to_owned()));

    let said = rotate(&path, "--step accept-only").run().expect(Exit::Yes);
    assert!(
        said.starts_with("step 2 of 3, accept-only: key 2025-10 is accept-only"),
        "{said}"
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!(
        "{HEAD}{}",
        key("2025-10", "state = \"accept-only\"\n")
    )));
    assert_eq!(text.matches("accept-only").count(), 1, "{text}");

    let refused = rotate(&path, "").run().expect_error(Exit::No);
    assert!(
        refused.contains("expected --used URL or --old-key-is-unused"),
        "{refused}"
    );
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text,
        "a refused step writes nothing"
    );

    let url = serve(metrics(&[
        ("2025-10", hours_ago(49)),
        ("2026-01", hours_ago(0)),
    ]));
    let said = rotate(&path, "--used").with(&url).run().expect(Exit::Yes);
    assert!(said.contains("used: key 2025-10, 49 hours ago\n"), "{said}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(SECRET) && text.ends_with(TAIL), "{text}");
    assert!(
        text.starts_with(&format!("{HEAD}\n[[callers.keys]]\nversion = \"2026-01\"")),
        "{text}"
    );
    assert_eq!(Keyring::from_toml(&text).unwrap().len(), 2);
    let next = rotate(&path, "--dry-run --json").run().expect(Exit::Yes);
    assert_eq!(json(&next)["step"], "add", "a rotation is over");
    assert_eq!(json(&next)["new"], "2026-01-2");
}

#[test]
fn a_key_that_is_used_or_was_not_seen_stays() {
    let folder = Folder::new();
    let text = file(
        &[
            key("2025-10", "state = \"accept-only\"\n"),
            key("2026-01", ""),
        ]
        .concat(),
    );
    let path = folder.with("keys.toml", &text);
    let now = hours_ago(0);
    for (name, uses, further, expected) in [
        (
            "used just now",
            &[("2025-10", now), ("2026-01", now)][..],
            "",
            Some("0 seconds ago"),
        ),
        (
            "used yesterday",
            &[("2025-10", hours_ago(24)), ("2026-01", now)],
            "",
            Some("24 hours"),
        ),
        (
            "a shorter pause",
            &[("2025-10", hours_ago(24)), ("2026-01", now)],
            "--unused-for 12",
            None,
        ),
        (
            "not seen",
            &[("2026-01", now)],
            "",
            Some("no replica has seen key 2025-10"),
        ),
        (
            "a silent caller",
            &[("2025-10", hours_ago(99))],
            "",
            Some("2026-01 has not been used"),
        ),
        (
            "a clock ahead",
            &[("2025-10", NOW.saturating_add(Duration::from_secs(9)))],
            "",
            Some("was used"),
        ),
    ] {
        let seen = folder.with("metrics", &metrics(uses));
        let further = format!("--dry-run {further} --used");
        let outcome = rotate(&path, &further).with(&seen).run();
        match expected {
            None => assert_eq!(outcome.exit, Exit::Yes, "{name}: {outcome:?}"),
            Some(expected) => {
                let error = outcome.expect_error(Exit::No);
                assert!(error.contains(expected), "{name}: {error}");
            }
        }
    }
    // One of two replicas saw the old key today.
    let [here, there] = [hours_ago(99), hours_ago(1)].map(|at| {
        folder.with(
            &at.as_unix_seconds().to_string(),
            &metrics(&[("2025-10", at), ("2026-01", now)]),
        )
    });
    let both = rotate(&path, "--used")
        .with(&here)
        .with("--used")
        .with(&there)
        .run();
    assert!(both.expect_error(Exit::No).contains("60 minutes ago"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    rotate(&path, "--old-key-is-unused").run().expect(Exit::Yes);
    assert!(!fs::read_to_string(&path).unwrap().contains(SECRET));
}

#[test]
fn a_step_out_of_order_is_refused_and_writes_nothing() {
    let folder = Folder::new();
    let [old, new] = [key("2025-10", ""), key("2026-01", "")];
    let retired = key("2025-10", "state = \"accept-only\"\n");
    let ended = key("2025-10", "not_after = 2026-01-01T00:00:00Z\n");
    let revoked = key("2025-10", "state = \"revoked\"\n");
    let future = key("2026-01", "not_before = 2026-02-01T00:00:00Z\n");
    for (name, keys, further, expected) in [
        (
            "removed first",
            &[&old][..],
            "--step remove",
            "next step is add, not remove",
        ),
        (
            "retired first",
            &[&old],
            "--step accept-only",
            "next step is add, not accept-only",
        ),
        (
            "added twice",
            &[&old, &new],
            "--step add",
            "next step is accept-only, not add",
        ),
        (
            "removed early",
            &[&old, &new],
            "--step remove",
            "is accept-only, not remove",
        ),
        (
            "added between",
            &[&retired, &new],
            "--step add",
            "next step is remove, not add",
        ),
        (
            "another key as the old one",
            &[&retired, &new],
            "--old 2026-01",
            "2025-10, found 2026-01",
        ),
        (
            "before the new key is valid",
            &[&retired, &future],
            "--old-key-is-unused",
            "not valid yet",
        ),
        ("no active key", &[&retired], "", "expected an active key"),
        (
            "an ended key alone",
            &[&ended],
            "",
            "expected an active key",
        ),
        (
            "a revoked key alone",
            &[&revoked],
            "",
            "not revoked, found none",
        ),
    ] {
        let keys: String = keys.iter().map(|key| key.as_str()).collect();
        let path = folder.with("keys.toml", &file(&keys));
        let error = rotate(&path, further).run().expect_error(Exit::No);
        assert!(error.contains(expected), "{name}: {error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), file(&keys), "{name}");
    }
    // A key that has ended verifies nothing, so it can go at once.
    let path = folder.with("keys.toml", &file(&[ended, new.clone()].concat()));
    rotate(&path, "--step remove").run().expect(Exit::Yes);
    // With two active keys, the first one is old unless another is named.
    let path = folder.with("keys.toml", &file(&[new, old].concat()));
    let answer = rotate(&path, "--dry-run --json --old 2025-10")
        .run()
        .expect(Exit::Yes);
    assert_eq!(json(&answer)["old"], "2025-10");
    assert_eq!(
        json(&rotate(&path, "--dry-run --json").run().expect(Exit::Yes))["old"],
        "2026-01"
    );
}

#[test]
fn a_new_key_is_of_the_old_keys_scheme_with_its_rules() {
    let folder = Folder::new();
    for (name, scheme, material, rules, shown) in [
        (
            "Ed25519",
            "ED25519",
            "ed25519_public_key_hex = \
             \"84403b74df6b776f10fcdc5bab3fdc761fa60ff088dc0fbd7307bc35fc5ef768\"",
            "nonce = \"optional\"",
            "ed25519_seed_hex = ",
        ),
        (
            "SigV4",
            "AWS4-HMAC-SHA256",
            "key_id = \"AKIDBILLING\"\nsecret_text = \"correct/Horse+battery/Staple+0123456789\"",
            "",
            "AWS_SECRET_ACCESS_KEY=",
        ),
        (
            "webhooks",
            "Standard-Webhooks",
            &format!("secret_hex = \"{SECRET}\""),
            "",
            "whsec_",
        ),
        (
            "a shared secret",
            "HMAC-SHA256",
            &format!("secret_hex = \"{SECRET}\""),
            "insecure_three_headers = true",
            "[[targets.keys]]",
        ),
    ] {
        let old = format!(
            "\n[[callers.keys]]\nversion = \"1\"\nscheme = \"{scheme}\"\n{material}\n{rules}\n"
        );
        let path = folder.with("keys.toml", &file(&old));
        let answer = json(&rotate(&path, "--json").run().expect(Exit::Yes));
        let snippet = answer["snippet"].as_str().unwrap();
        assert!(snippet.contains(shown), "{name}: {snippet}");
        let text = fs::read_to_string(&path).unwrap();
        let (_, added) = text.split_once("version = \"2026-01\"\n").unwrap();
        let (added, _) = added.split_once("\n# The auditors").unwrap();
        assert!(added.contains(rules), "{name}: {added}");
        assert!(!added.contains("AKIDBILLING"), "{name}: {added}");
    }
}

#[test]
fn what_is_no_rotation_of_a_file_is_a_usage_error() {
    let folder = Folder::new();
    let path = folder.with("keys.toml", &file(&key("2025-10", "")));
    for (name, program, exit, expected) in [
        (
            "another caller",
            program("keys rotate").with(&path).with("orders"),
            Exit::Usage,
            "orders",
        ),
        (
            "standard input",
            program("keys rotate - billing"),
            Exit::Usage,
            "expected a file",
        ),
        (
            "https",
            rotate(&path, "--used https://a/metrics"),
            Exit::Usage,
            "expected http://",
        ),
        (
            "nobody there",
            rotate(&path, "--used http://127.0.0.1:1/"),
            Exit::Unavailable,
            "cannot be read",
        ),
        (
            "no such file",
            rotate(&folder.file("no"), ""),
            Exit::Unavailable,
            "cannot be read",
        ),
        (
            "a taken label",
            rotate(&path, "--key-version 2025-10"),
            Exit::Usage,
            "would not load",
        ),
        (
            "a bad file",
            rotate(&folder.with("bad.toml", "[[callers"), ""),
            Exit::Usage,
            "expected TOML",
        ),
        (
            "inline tables",
            rotate(
                &folder.with(
                    "inline.toml",
                    &format!(
                        "callers = [{{ name = \"billing\", keys = [{{ version = \"1\", \
                         secret_hex = \"{SECRET}\" }}] }}]\n"
                    ),
                ),
                "",
            ),
            Exit::Usage,
            "[[callers.keys]]",
        ),
    ] {
        let outcome = program.run();
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
        assert!(outcome.stderr.contains(expected), "{name}: {outcome:?}");
        assert!(!outcome.stderr.contains(SECRET), "{name}: {outcome:?}");
    }
    let two = format!(
        "{}\n[[callers.keys]]\nversion = \"aws\"\nscheme = \"X-HMAC-SHA256\"\n\
         secret_text = \"ahX9queiSh4ieyeeZohf1Aik\"\n",
        key("2025-10", "")
    );
    let path = folder.with("two.toml", &file(&two));
    assert!(
        rotate(&path, "")
            .run()
            .expect_error(Exit::Usage)
            .contains("expected --scheme")
    );
    rotate(&path, "--scheme drf --dry-run")
        .run()
        .expect(Exit::Yes);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let path = folder.with("real.toml", &file(&key("2025-10", "")));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.file("keys.toml");
    symlink("real.toml", &link).unwrap();
    rotate(&link, "").run().expect(Exit::Yes);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(fs::read_to_string(&path).unwrap().contains("2026-01"));
    let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 2, "no other file is left");
}
