//! The snippets of `tests/peers/wire` call this service through a hop, which may change requests.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    thread,
};

use countersign::{CallerKey, Keyring, Scheme, Secret, SigningKey, Verifier};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_countersign::VerifyLayer;

use crate::{
    calls::{OLD, secrets},
    process::Process,
};

const SNIPPETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/wire/");
const BODY: &str = r#"{"userId":123}"#;
const SHA256_OF_BODY: &str = "d778b010f35e2c666aec6ad5550abf61db97b5921c8aed9139e8e66d55bada82";

/// A snippet: the program that runs the file, and the file.
type Snippet = (&'static [&'static str], &'static str);

const PYTHON: Snippet = (&["python3"], "sign.py");
const NODE: Snippet = (&["node"], "sign.mjs");
const GO: Snippet = (&["go", "run"], "sign.go");
const BASH: Snippet = (&["bash"], "sign.sh");

/// The action of a hop on a request.
#[derive(Clone, Copy)]
enum Hop {
    HandsOn,
    /// Replaces the first text, which must occur once, by the second.
    Changes(&'static str, &'static str),
    /// Sends the request twice and returns the second answer.
    Repeats,
}

/// Runs the snippet once, with a hop between it and the service. Returns the status and the body of
/// the answer.
fn call(
    (program, file): Snippet,
    scheme: Scheme,
    (method, target, body): (&str, &str, &str),
    hop: Hop,
    (listener, service): (&TcpListener, SocketAddr),
) -> (u16, Value) {
    let addr = listener.local_addr().unwrap();
    let mut client = Command::new(program[0]);
    client
        .args(&program[1..])
        .arg(format!("{SNIPPETS}{file}"))
        .env("SCHEME", scheme.name())
        .env("CALLER", "billing")
        .env("KEY", OLD)
        .env("METHOD", method)
        .env("URL", format!("http://{addr}{target}"))
        .env("BODY", body)
        // For Go: no C compiler, and a cache that needs no home.
        .env("CGO_ENABLED", "0")
        .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"));
    let output = thread::scope(|scope| {
        scope.spawn(|| {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let mut request = message(&mut client);
                if request.is_empty() {
                    break;
                }
                if let Hop::Changes(old, new) = hop {
                    assert_eq!(request.matches(old).count(), 1, "{old} in {request}");
                    request = request.replace(old, new);
                }
                let mut answer = exchange(service, &request);
                if let Hop::Repeats = hop {
                    answer = exchange(service, &request);
                }
                client.write_all(answer.as_bytes()).unwrap();
            }
        });
        let output = client.output();
        // A connection without a request ends the hop.
        TcpStream::connect(addr).unwrap();
        output.unwrap()
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file}: {errors}");
    let found = String::from_utf8(output.stdout).unwrap();
    let (body, status) = found.trim_end().rsplit_once(' ').unwrap();
    (
        status.parse().unwrap(),
        serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)),
    )
}

/// Sends a request and returns the answer.
fn exchange(service: SocketAddr, request: &str) -> String {
    let mut service = TcpStream::connect(service).unwrap();
    service.write_all(request.as_bytes()).unwrap();
    message(&mut service)
}

/// Reads one message of HTTP/1.1 with a `content-length`, or without a body. Returns nothing if the
/// peer sends nothing.
fn message(stream: &mut TcpStream) -> String {
    let mut message = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&message).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lines = head.lines().filter_map(|line| line.split_once(':'));
            let length = lines
                .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map(|(_, length)| length.trim().parse::<usize>().unwrap())
                .sum::<usize>();
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return text,
            read => message.extend_from_slice(&chunk[..read]),
        }
    }
}

/// Has the snippet call the service in `HMAC-SHA256`. Then has the snippet call the router of the
/// service in each scheme that the snippet signs in, with a key under the strictest rules.
fn is_judged(snippet: Snippet, schemes: &[Scheme]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hop = listener.local_addr().unwrap().to_string();
    {
        let process =
            Process::start(&[("SERVICE_SECRETS", &secrets(OLD)), ("EXPECTED_HOSTS", &hop)]);
        let service = process.authority().parse().unwrap();
        makes_every_call(snippet, Scheme::HmacSha256, &listener, service);
    }
    for scheme in schemes {
        let runtime = Runtime::new().unwrap();
        let service = runtime.block_on(serve(*scheme, &hop));
        makes_every_call(snippet, *scheme, &listener, service);
        // Dropping the runtime stops the service.
    }
}

/// Serves the router of the service for a caller with a key of this scheme.
async fn serve(scheme: Scheme, host: &str) -> SocketAddr {
    let secret = Secret::from_hex(OLD).unwrap();
    let key = match scheme {
        Scheme::HmacSha256 => SigningKey::hmac_sha256(&secret),
        Scheme::Ed25519 => SigningKey::ed25519(&secret).unwrap(),
        other => panic!("no key of {other}"),
    };
    let key = CallerKey::new("1", key.verifying_key()).unwrap();
    let keys = Keyring::builder().caller("billing", key).build().unwrap();
    let verifier = Verifier::builder()
        .accept_only(scheme)
        .expected_hosts([host]);
    let verify = VerifyLayer::new(keys).with_verifier(verifier.build().unwrap());
    let app = user_service::app(verify, None).into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    addr
}

fn makes_every_call(snippet: Snippet, scheme: Scheme, listener: &TcpListener, service: SocketAddr) {
    let read = ("GET", "/api/account/7?view=full", "");
    let send = ("POST", "/api/echo", BODY);
    let account = json!({ "id": 7, "status": "active", "caller": "billing" });
    let echo = json!({ "caller": "billing", "len": BODY.len(), "sha256": SHA256_OF_BODY });
    let code = |code: &str| json!({ "error": code });
    for (name, request, hop, expected) in [
        ("read", read, Hop::HandsOn, (200, account)),
        ("send", send, Hop::HandsOn, (200, echo)),
        (
            "a byte of the path",
            read,
            Hop::Changes("/api/account/7", "/api/account/8"),
            (401, code("invalid_signature")),
        ),
        (
            "a byte of the query",
            read,
            Hop::Changes("view=full", "view=fuld"),
            (401, code("invalid_signature")),
        ),
        (
            "the method",
            send,
            Hop::Changes("POST /", "PUT /"),
            (401, code("invalid_signature")),
        ),
        (
            "a byte of the body",
            send,
            Hop::Changes("123}", "124}"),
            (401, code("body_mismatch")),
        ),
        (
            "a byte of a covered header",
            send,
            Hop::Changes("application/json", "application/jsom"),
            (401, code("invalid_signature")),
        ),
        (
            "the host",
            read,
            Hop::Changes("127.0.0.1", "127.0.0.2"),
            (421, code("misdirected")),
        ),
        (
            "the same request again",
            send,
            Hop::Repeats,
            (401, code("replayed")),
        ),
    ] {
        assert_eq!(
            call(snippet, scheme, request, hop, (listener, service)),
            expected,
            "{} in {scheme}: {name}",
            snippet.1
        );
    }
}

#[test]
#[ignore = "needs python3"]
fn the_snippet_in_python_is_accepted_until_a_byte_of_its_request_changes() {
    is_judged(PYTHON, &[Scheme::HmacSha256]);
}

#[test]
#[ignore = "needs node"]
fn the_snippet_in_node_is_accepted_until_a_byte_of_its_request_changes() {
    is_judged(NODE, &[Scheme::HmacSha256, Scheme::Ed25519]);
}

#[test]
#[ignore = "needs go"]
fn the_snippet_in_go_is_accepted_until_a_byte_of_its_request_changes() {
    is_judged(GO, &[Scheme::HmacSha256, Scheme::Ed25519]);
}

#[test]
#[ignore = "needs bash, curl and openssl"]
fn the_snippet_in_bash_is_accepted_until_a_byte_of_its_request_changes() {
    is_judged(BASH, &[Scheme::HmacSha256, Scheme::Ed25519]);
}
