//! The program as the service and as its caller.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use base64ct::{Base64, Encoding as _};
use countersign::{Secret, SigningKey};

const SEED: &str = "yN9RRpwwilm/vUijw70NIoypItZgMgNfX25K1F9HOp8=";
const OTHER_SEED: &str = "mzRgQbyaSVdOsmZbKtKgo/n5zOTkL10fJt6ooltWlmo=";

/// The running service, stopped when dropped.
struct Service {
    child: Child,
    authority: String,
}

impl Service {
    fn start(variables: &[(&str, &str)]) -> Self {
        let seed = Secret::from_base64(SEED).unwrap();
        let key = SigningKey::message_ed25519(&seed).unwrap().verifying_key();
        let public_key = Base64::encode_string(key.public_key().unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_message-signatures"))
            .arg("serve")
            .env_remove("EXPECTED_HOST")
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("PUBLIC_KEY", public_key)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let authority = line
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .trim_end()
            .to_owned();
        Self { child, authority }
    }

    fn call(&self, seed: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_message-signatures"))
            .args([
                "call",
                &format!("http://{}/greetings", self.authority),
                "Ada",
            ])
            .env("SEED", seed)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The program may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

#[test]
fn the_holder_of_the_key_is_answered_and_others_are_not() {
    let service = Service::start(&[]);
    assert_eq!(service.call(SEED), "200 OK\nHello Ada, says billing\n");
    let refused = "401 Unauthorized\n{\"error\":\"invalid_signature\"}\n";
    assert_eq!(service.call(OTHER_SEED), refused);
}

#[test]
fn what_was_signed_for_another_host_is_refused() {
    let service = Service::start(&[("EXPECTED_HOST", "greeter.internal")]);
    let answer = service.call(SEED);
    assert!(answer.starts_with("421 "), "{answer}");
}
