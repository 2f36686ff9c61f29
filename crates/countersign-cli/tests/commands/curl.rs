//! Requests that curl sends as `sign` prints them, to a service with the layer.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use axum::{Router, routing::any};
use countersign::{Keyring, Scheme};
use countersign_cli::Exit;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};
use tower_countersign::{VerifiedCaller, VerifyLayer};

use crate::{
    keygen::{KINDS, signing_key},
    program::program,
    receiver::{json, verifier},
};

/// A service that answers with the name of its caller.
fn serve(runtime: &Runtime, listener: TcpListener, scheme: Scheme, keys: &Keyring) {
    let host = listener.local_addr().unwrap().to_string();
    let layer = VerifyLayer::new(keys.clone()).with_verifier(verifier(scheme, &host));
    let greet = |caller: VerifiedCaller| async move { caller.id().to_string() };
    let app = Router::new().route("/api/account", any(greet)).layer(layer);
    runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
}

/// Runs a shell with this standard input, and returns what it wrote.
fn shell(command: &str, stdin: &str) -> String {
    let mut shell = Command::new("sh")
        .args(["-ec", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap()
}

/// Returns what `sign` prints for curl.
fn signed(kind: &str, options: &str, made: &Value, host: &str, output: &str) -> String {
    let key = signing_key(kind, made);
    let name = made["key_id"]
        .as_str()
        .map_or(String::new(), |id| format!(" --as {id}"));
    let arguments = format!(
        "sign POST http://{host}/api/account --scheme {kind} --key-env KEY {options}{name} {output}"
    );
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    let program = program(&arguments.join(" ")).variable("KEY", key);
    let program = program.with("-d").with("{\"note\": \"it's\\n\"}\n");
    program
        .run_at(std::time::SystemTime::now().into())
        .expect(Exit::Yes)
}

#[test]
#[ignore = "needs curl"]
fn curl_sends_what_was_signed_in_every_scheme() {
    let runtime = Runtime::new().unwrap();
    for (kind, scheme, options) in KINDS {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let keygen = format!("--json keygen --scheme {kind} --caller billing --authority {host}");
        let made = json(&program(&keygen).run().expect(Exit::Yes));
        let keys = Keyring::from_toml(made["snippets"]["callee"].as_str().unwrap()).unwrap();
        serve(&runtime, listener, scheme, &keys);

        let command = signed(kind, options, &made, &host, "--curl");
        assert_eq!(
            shell(&format!("{} --silent", command.trim_end()), ""),
            "billing",
            "{kind}"
        );
        let config = signed(kind, options, &made, &host, "--curl-config");
        assert_eq!(
            shell("curl --silent -K -", &config),
            "billing",
            "{kind}: {config}"
        );
        let other = command.replace("it", "if");
        assert_ne!(
            shell(&format!("{} --silent", other.trim_end()), ""),
            "billing",
            "{kind}"
        );
    }
}
