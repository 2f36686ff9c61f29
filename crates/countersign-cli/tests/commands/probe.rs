use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    thread,
    time::SystemTime,
};

use axum::{Router, extract::Request, http::StatusCode, routing::any};
use countersign::{KeyStore as _, Keyring, RequestHead, Timestamp, Verifier, VerifierBuilder};
use countersign_cli::Exit;
use serde_json::Value;
use tower_countersign::VerifyLayer;

use crate::{
    program::{Outcome, program},
    recorded::{HEX, Signed, TemporaryFile, keys, verifier},
};

/// Runs a server on its own thread, which ends with the tests.
fn serve<F>(app: impl FnOnce(SocketAddr) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = Router>,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async move {
            let app = app(address).await;
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    address
}

fn keyring(scheme: &str) -> Keyring {
    Keyring::from_toml_file(keys(scheme).path()).unwrap()
}

fn settings(scheme: &str, address: SocketAddr) -> VerifierBuilder {
    verifier(scheme, "/api/items?b=2&a=1%20x").expected_hosts([address.to_string()])
}

/// Our service.
fn careful(scheme: &'static str) -> SocketAddr {
    serve(move |address| async move {
        let verifier = settings(scheme, address).build().unwrap();
        let layer = VerifyLayer::new(keyring(scheme)).with_verifier(verifier);
        Router::new().fallback(any(async || "ok")).layer(layer)
    })
}

/// A service that makes the mistakes of hand-written verifiers: it takes the last of several
/// headers, the expected host in place of the sent one, the path in normal form, and any
/// date; it compares no body and remembers no nonce.
pub(crate) fn careless() -> SocketAddr {
    fn handle(request: Request, address: SocketAddr) -> StatusCode {
        let (mut parts, _) = request.into_parts();
        let headers = parts.headers.clone();
        for name in headers.keys() {
            let last = headers.get_all(name).iter().next_back().unwrap();
            parts.headers.insert(name, last.clone());
        }
        parts
            .headers
            .insert("host", address.to_string().parse().unwrap());
        let target = parts.uri.path_and_query().unwrap().as_str();
        let target = target.replace("/./", "/").replace("/?", "?");
        parts.uri = target.parse().unwrap();
        let verifier = Verifier::default();
        let now = Timestamp::from(SystemTime::now());
        let head = RequestHead::from(&parts);
        let head = match verifier.parse(head, now) {
            Ok(head) => Ok(head),
            Err(rejection) => match rejection.stale_date() {
                Some(date) => verifier.parse(head, date),
                None => Err(rejection),
            },
        };
        let Ok(head) = head else {
            return StatusCode::UNAUTHORIZED;
        };
        let keys = keyring("HMAC-SHA256")
            .try_lookup(head.key_id())
            .unwrap()
            .unwrap();
        match head.authenticate(&keys, now) {
            Ok(_) => StatusCode::OK,
            Err(rejection) if rejection.stale_date().is_some() => StatusCode::OK,
            Err(_) => StatusCode::UNAUTHORIZED,
        }
    }
    serve(|address| async move {
        Router::new().fallback(any(async move |request: Request| handle(request, address)))
    })
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// Probes a server with requests that are signed with the caller's key.
fn probe(address: SocketAddr, options: &str) -> Outcome {
    let url = format!("http://{address}/api/items?b=2&a=1%20x");
    program(&format!("--json probe {url} --key-env KEY {options}"))
        .with("-H")
        .with("content-type: application/json")
        .variable("KEY", HEX)
        .run_at(now())
}

fn graded(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"))
}

fn with_outcome<'g>(graded: &'g Value, outcome: &str) -> Vec<&'g str> {
    let probes = graded["probes"].as_array().unwrap().iter();
    let probes = probes.filter(|probe| probe["outcome"] == outcome);
    probes
        .map(|probe| probe["name"].as_str().unwrap())
        .collect()
}

#[test]
fn our_service_refuses_every_attack_in_every_scheme() {
    for (scheme, options, least) in [
        ("HMAC-SHA256", "--as billing", 60),
        ("ED25519", "--scheme ed25519 --as billing", 60),
        (
            "AWS4-HMAC-SHA256",
            "--scheme sigv4 --key-encoding hex --region eu-central-1 --service user-service \
             --with-nonce --as billing",
            50,
        ),
        ("RFC 9421", "--scheme message-signatures --as billing", 50),
        (
            "X-HMAC-SHA256",
            "--scheme drf --key-encoding hex --nonce-always",
            20,
        ),
        (
            "Standard-Webhooks",
            "--scheme webhook --key-encoding hex",
            20,
        ),
    ] {
        let outcome = probe(careful(scheme), options);
        let graded = graded(&outcome);
        for outcome in ["accepted", "weak", "unclear"] {
            let found = with_outcome(&graded, outcome);
            assert!(found.is_empty(), "{scheme}: {outcome}: {found:?}");
        }
        assert_eq!(graded["grade"], "A", "{scheme}");
        assert_eq!(graded["unchanged"], 200, "{scheme}");
        assert_eq!(outcome.exit, Exit::Yes, "{scheme}");
        let refused = with_outcome(&graded, "refused").len();
        assert!(refused >= least, "{scheme}: {refused} refused");
    }
}

#[test]
fn a_careless_service_is_graded_by_what_it_lets_in() {
    let outcome = probe(careless(), "--as billing");
    assert_eq!(outcome.exit, Exit::No, "{outcome:?}");
    let graded = graded(&outcome);
    assert_eq!(graded["grade"], "F");
    let accepted = with_outcome(&graded, "accepted");
    for name in [
        "dot segment added",
        "trailing slash added",
        "another host",
        "second host before the right one",
        "content-type doubled with another value before it",
        "byte of the body changed",
        "body removed",
        "signed a day ago",
        "signed a day from now",
        "sent twice",
    ] {
        assert!(accepted.contains(&name), "{name}: {accepted:?}");
    }
    for name in ["signature removed", "another method", "segment added"] {
        assert!(!accepted.contains(&name), "{name}: {accepted:?}");
    }
}

#[test]
fn a_recorded_request_is_enough() {
    for (name, address, exit, grade) in [
        ("careful", careful("HMAC-SHA256"), Exit::Yes, "A"),
        ("careless", careless(), Exit::No, "F"),
    ] {
        let signed = Signed::at("HMAC-SHA256", &address.to_string(), now());
        let record = TemporaryFile::new("record", signed.raw());
        let url = format!("http://{address}/");
        let outcome = program(&format!("--json probe {url} --timeout 4 --request"))
            .with(record.path())
            .run_at(now());
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
        let graded = graded(&outcome);
        assert_eq!(graded["grade"], grade, "{name}: {graded}");
        assert_eq!(with_outcome(&graded, "skipped"), ["all dates"], "{name}");
    }
}

#[test]
fn a_service_that_reads_every_body_first_is_weak() {
    let address = serve(|_| async {
        let handler = async |request: Request| {
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
            // The unchanged request has this length.
            match body {
                Ok(body) if body.len() == 14 => StatusCode::OK,
                _ => StatusCode::UNAUTHORIZED,
            }
        };
        Router::new().fallback(any(handler))
    });
    let graded = graded(&probe(address, "--as billing --timeout 2"));
    let weak = with_outcome(&graded, "weak");
    assert!(
        weak.contains(&"16 MiB of body with a forged signature"),
        "{graded}"
    );
    assert!(
        weak.iter().any(|name| name.contains("never comes")),
        "{graded}"
    );
}

#[test]
fn only_a_loopback_address_is_attacked_without_a_word() {
    for (name, url, exit, message) in [
        (
            "another address",
            "http://192.0.2.1/",
            Exit::Usage,
            "--i-own-this",
        ),
        ("TLS", "https://127.0.0.1/", Exit::Usage, "without its TLS"),
        ("no host", "/path", Exit::Usage, "expected http://"),
        (
            "nothing listens",
            "http://127.0.0.1:1/",
            Exit::Unavailable,
            "cannot be reached",
        ),
    ] {
        let outcome = program(&format!("probe {url} --key-env KEY --as billing"))
            .variable("KEY", HEX)
            .run_at(now());
        assert!(outcome.stderr.contains(message), "{name}: {outcome:?}");
        assert_eq!(outcome.exit, exit, "{name}");
    }
}

#[test]
fn nothing_is_shown_if_the_unchanged_request_is_refused() {
    let outcome = probe(careful("HMAC-SHA256"), "--as stranger");
    let message = outcome.expect_error(Exit::Usage);
    assert!(message.contains("refused with 401"), "{message}");
}
