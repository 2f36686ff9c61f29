//! The golden vectors: run against other implementations, and judged by `verify`.

use base64ct::{Base64, Encoding as _};
use countersign::Timestamp;
use countersign_cli::Exit;
use serde_json::Value;
use tests::{directory::Directory, peer, vectors};

use crate::program::program;

const NOW: Timestamp = Timestamp::from_unix_seconds(0);

fn run(command: &str) -> (Exit, Value) {
    let outcome = program(
        &["--json", "vectors", "run", "--command", command],
        b"",
        NOW,
    );
    (outcome.exit, outcome.json())
}

fn command(interpreter: &str, file: &str) -> String {
    format!("{interpreter} '{}'", peer::path(file).display())
}

#[test]
#[ignore = "needs python3"]
fn the_peers_in_python_answer_every_vector_that_they_speak() {
    let (exit, report) = run(&command("python3", "python/vectors_answer.py"));
    assert_eq!(exit, Exit::Yes, "{report}");
    // The sign cases of Ed25519 are skipped.
    assert_eq!(
        (&report["right"], &report["skipped"]),
        (&254.into(), &51.into())
    );
}

#[test]
#[ignore = "needs node"]
fn the_client_in_node_signs_every_vector() {
    let (exit, report) = run(&command("node", "node/vectors_answer.mjs"));
    assert_eq!(exit, Exit::Yes, "{report}");
    assert_eq!(
        (&report["right"], &report["skipped"]),
        (&106.into(), &199.into())
    );
}

/// A case on the wire, where HTTP/1.1 can write it.
fn record(request: &Value) -> Vec<u8> {
    let text = |name: &str| request[name].as_str().unwrap();
    let mut record = format!("{} {} HTTP/1.1\r\n", text("method"), text("target")).into_bytes();
    for pair in request["headers"].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        record.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    record.extend(b"\r\n");
    record.extend(Base64::decode_vec(text("body_b64")).unwrap());
    record
}

/// `verify` is the decision of the layer, so it answers the vectors as the layer does. Two things
/// are not its own: the limit of a body, and what HTTP itself refuses.
#[test]
fn verify_answers_every_verify_vector() {
    let directory = Directory::new();
    let (mut judged, mut unreadable) = (0, 0);
    for name in ["verify.json", "verify-ed25519.json"] {
        let file = vectors::own(name);
        for case in file["cases"].as_array().unwrap() {
            if case["expect"] == "too_large" {
                continue;
            }
            let keys = case["keys"].as_object().unwrap().iter();
            let member = match file["scheme"].as_str().unwrap() {
                "ED25519" => "ed25519_public_key_hex",
                _ => "secret_hex",
            };
            let keys: Vec<_> = keys
                .map(|(caller, key)| {
                    format!(
                        "[[callers]]\nname = \"{caller}\"\n[[callers.keys]]\nversion = \
                         \"1\"\n{member} = {key}\n"
                    )
                })
                .collect();
            let keys = directory.write("callers.toml", &keys.concat());
            let mut arguments = vec!["--json", "verify", "--keys", keys.to_str().unwrap()];
            arguments.extend(["--form", "raw", "--accept", "hmac-sha256"]);
            // Without an expected host, `verify` takes that of the request for Ed25519.
            arguments.extend(["--accept", "ed25519"]);
            for host in case["expected_hosts"].as_array().unwrap() {
                arguments.extend(["--expect-host", host.as_str().unwrap()]);
            }
            let now = Timestamp::from_unix_millis(case["now_unix_ms"].as_i64().unwrap());
            let outcome = program(&arguments, &record(&case["request"]), now);
            let found = outcome.json();
            if outcome.exit == Exit::Usage {
                assert_eq!(case["expect"], "malformed", "{case}: {found}");
                unreadable += 1;
                continue;
            }
            let code = match found["code"].as_str() {
                Some(code) => code,
                None if found["accepted"] == true => "accept",
                None => "none",
            };
            assert_eq!(code, case["expect"], "{}: {found}", case["name"]);
            judged += 1;
        }
    }
    println!("{judged} judged, {unreadable} no HTTP");
    assert!(judged >= 180, "{judged}");
}
