//! DRF: requests that have one timestamp and one body, and what tells them from copies.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::Request, middleware, routing::any};
use bytes::Bytes;
use countersign::{
    CallerKey, DrfHeaders, DrfVerifySettings, Keyring, Nonce, Secret, Signer, SigningKey, Verifier,
};
use http::Method;
use http_body_util::Full;
use tests::{
    client,
    keys::NOW,
    raw,
    server::Server,
    signed::{self, AUTHORITY},
};
use tower::{Layer, ServiceExt};
use tower_countersign::{SignLayer, VerifyLayer};

use crate::{
    HOST, get,
    message::{Message, Verdict},
    name,
};

const SECRET: &str = "ahX9queiSh4ieyeeZohf1Aik";

fn key() -> SigningKey {
    SigningKey::drf(&Secret::from_text(SECRET).unwrap())
}

fn signer() -> Signer {
    Signer::drf(key(), [AUTHORITY]).unwrap()
}

fn verify_settings() -> DrfVerifySettings {
    let verify_settings = DrfVerifySettings::for_caller("django").unwrap();
    let routes = [
        (Method::GET, "/a"),
        (Method::GET, "/b"),
        (Method::POST, "/c"),
    ];
    routes
        .into_iter()
        .fold(verify_settings, |verify_settings, (method, path)| {
            verify_settings.with_route(method, path).unwrap()
        })
}

fn verifier(verify_settings: DrfVerifySettings) -> Verifier {
    Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap()
}

fn keyring() -> Keyring {
    let key = CallerKey::new("1", key().verifying_key()).unwrap();
    Keyring::builder().caller("django", key).build().unwrap()
}

fn signed(signer: &Signer, message: Message) -> Message {
    let parts = message.parts().unwrap();
    let signature = signer.sign(&parts, &*message.body, NOW).unwrap();
    let mut message = message;
    for (name, value) in signature.headers() {
        message.append(name.as_str(), value);
    }
    message
}

fn judge(message: &Message) -> Verdict {
    message.judge(&verifier(verify_settings()), &keyring(), NOW)
}

/// Field report F4: GET /a and GET /b within one second were taken for one request.
#[tokio::test]
async fn requests_that_are_alike_are_all_taken_and_a_copy_of_each_is_a_replay() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sent);
    let copies = middleware::from_fn(move |request: Request, next: middleware::Next| {
        let seen = Arc::clone(&seen);
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1024).await.unwrap();
            let copy = Request::from_parts(parts.clone(), body.clone());
            seen.lock().unwrap().push(copy);
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
    });
    let layer = VerifyLayer::new(keyring())
        .with_verifier(verifier(verify_settings()))
        .with_clock(|| NOW);
    let app = Router::new()
        .route("/{path}", any(async || "handled"))
        .layer(layer)
        .layer(copies);
    let server = Server::axum(app).await;
    // All within one second, whatever the machine does meanwhile.
    let client = SignLayer::new(signer()).with_clock(|| NOW);
    let client = client.layer(client::http1::<tower_countersign::SignedBody<Full<Bytes>>>(
        server.addr(),
    ));
    let mut calls = vec![
        ("GET", "/a", ""),
        ("GET", "/b", ""),
        ("GET", "/a", ""),
        ("POST", "/c", "{\"n\":1}"),
        ("POST", "/c", "{\"n\":1}"),
        ("POST", "/c", "{\"n\":2}"),
    ];
    calls.extend([("GET", "/a", ""); 300]);
    for (number, (method, path, body)) in calls.iter().enumerate() {
        let request = http::Request::builder()
            .method(*method)
            .uri(format!("http://{AUTHORITY}{path}"))
            .body(Full::new(Bytes::from(*body)));
        let answer = client.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200, "{number}: {method} {path}");
    }
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    assert_eq!(sent.len(), calls.len());
    let signatures: HashSet<_> = sent
        .iter()
        .map(|request| {
            let headers = request.headers();
            let nonce = headers.get("x-hmac-nonce").cloned();
            (headers["x-hmac-signature"].clone(), nonce)
        })
        .collect();
    assert_eq!(signatures.len(), sent.len(), "no two are one");
    for copy in sent.iter().step_by(17).chain(&sent[..6]) {
        let mut copy = copy.clone();
        copy.headers_mut().remove("content-length");
        let answer = raw::exchange(server.addr(), &signed::bytes(&copy)).await;
        assert_eq!(raw::status(&answer), 401, "{answer}");
        assert!(answer.ends_with("{\"error\":\"replayed\"}"), "{answer}");
    }
}

#[test]
fn the_first_request_is_what_django_signs_and_the_next_one_what_it_reads() {
    let signer = signer();
    let [first, second] = [(); 2].map(|()| signed(&signer, get("/a")));
    assert_eq!(first.header("x-hmac-timestamp"), "1767323045");
    assert!(!first.has("x-hmac-nonce"));
    // Python's int() reads the same number, and the MAC is over the text as it was sent.
    assert_eq!(second.header("x-hmac-timestamp"), "01767323045");
    let mac = crate::message::hmac_sha256(SECRET.as_bytes(), b"01767323045.");
    let expected = base16ct::lower::encode_string(&mac);
    assert_eq!(second.header("x-hmac-signature"), expected);
    let verified = judge(&second).verified("the second");
    let (_, nonce) = second.header("x-hmac-nonce").split_once(':').unwrap();
    assert_eq!(verified.nonce(), Some(nonce));
}

#[test]
fn a_nonce_cannot_be_taken_away_exchanged_or_made() {
    let signer = signer().with_nonce_always();
    let [own, other] = [(); 2].map(|()| signed(&signer, get("/a")));
    let other_body = signed(&signer, Message::new("POST", "/c", HOST, b"{}"));
    assert_eq!(judge(&own).code(), "accept");
    let changed = |change: &dyn Fn(&mut Message)| {
        let mut message = own.clone();
        change(&mut message);
        message
    };
    let (mac, nonce) = own.header("x-hmac-nonce").split_once(':').unwrap();
    let another = nonce.replace(&nonce[..1], if nonce.starts_with('0') { "1" } else { "0" });
    for (what, message, expected) in [
        ("none", changed(&|m| m.remove("x-hmac-nonce")), "malformed"),
        (
            "none, and no zero in front",
            changed(&|m| {
                m.remove("x-hmac-nonce");
                m.set("x-hmac-timestamp", "1767323045");
            }),
            "invalid_signature",
        ),
        (
            "no zero in front",
            changed(&|m| m.set("x-hmac-timestamp", "1767323045")),
            "invalid_signature",
        ),
        (
            "two zeros in front",
            changed(&|m| m.set("x-hmac-timestamp", "001767323045")),
            "invalid_signature",
        ),
        (
            "one of its own choosing",
            changed(&|m| m.set("x-hmac-nonce", format!("{mac}:{another}"))),
            "invalid_signature",
        ),
        (
            "that of a request with another body",
            changed(&|m| m.set("x-hmac-nonce", other_body.header("x-hmac-nonce"))),
            "invalid_signature",
        ),
        (
            "no MAC",
            changed(&|m| m.set("x-hmac-nonce", nonce)),
            "malformed",
        ),
        (
            "twice",
            changed(&|m| m.append("x-hmac-nonce", other.header("x-hmac-nonce"))),
            "malformed",
        ),
        // The two requests are one but for their nonces.
        (
            "that of a request that is alike",
            changed(&|m| m.set("x-hmac-nonce", other.header("x-hmac-nonce"))),
            "accept",
        ),
    ] {
        assert_eq!(judge(&message).code(), expected, "{what}");
    }
    let key_of = |message: &Message| judge(message).verified("its own").replay_key("a");
    assert_eq!(key_of(&own), key_of(&own.clone()));
    assert_ne!(key_of(&own), key_of(&other));
    let exchanged = changed(&|m| m.set("x-hmac-nonce", other.header("x-hmac-nonce")));
    assert_eq!(
        key_of(&exchanged),
        key_of(&other),
        "it is a replay of the other"
    );
}

/// A header that the timestamp does not announce is a header like any other.
#[test]
fn a_nonce_that_is_not_announced_tells_nothing_apart() {
    let signer = signer().insecure_three_headers();
    let plain = signed(&signer, get("/a"));
    let with = plain.clone().with("x-hmac-nonce", "0123456789abcdef");
    let key_of = |message: &Message| judge(message).verified("plain").replay_key("a");
    assert_eq!(key_of(&plain), key_of(&with));
}

#[test]
fn a_insecure_three_headers_signer_sends_no_nonce_and_one_of_several_processes_always_does() {
    let plain = signer().insecure_three_headers();
    let [one, other] = [(); 2].map(|()| signed(&plain, get("/a")));
    assert_eq!(one, other);
    let processes = [(); 2].map(|()| signer().with_nonce_always());
    let [one, other] = processes.map(|signer| signed(&signer, get("/a")));
    let key_of = |message: &Message| judge(message).verified("one").replay_key("a");
    assert_ne!(key_of(&one), key_of(&other));
    let given = Nonce::new("0123456789abcdef").unwrap();
    let parts = get("/a").parts().unwrap();
    let always = signer().with_nonce_always();
    let signature = always
        .sign_with_nonce(&parts, &b""[..], given, NOW)
        .unwrap();
    let (_, value) = signature
        .headers()
        .find(|(name, _)| *name == "x-hmac-nonce")
        .unwrap();
    assert!(value.to_str().unwrap().ends_with(":0123456789abcdef"));
}

#[test]
fn the_nonce_stands_in_the_header_that_the_settings_name() {
    let headers = DrfHeaders::new(name("x-time"), name("x-mac")).unwrap();
    let headers = headers.with_nonce(name("x-once")).unwrap();
    let signer = Signer::drf_with_headers(key(), headers.clone(), [AUTHORITY]).unwrap();
    let message = signed(&signer.with_nonce_always(), get("/a"));
    let verifier = verifier(verify_settings().with_headers(headers));
    let verified = message.judge(&verifier, &keyring(), NOW).verified("named");
    assert_eq!(
        verified.covered("x-once"),
        Some(message.header("x-once")),
        "what is bound is covered"
    );
}

/// Clients of others send no nonce. A captured signature serves once, wherever it is sent, unless
/// that is given up.
#[test]
fn a_signature_without_a_nonce_serves_once_on_all_routes_or_once_on_each() {
    let signer = signer().insecure_three_headers();
    let [a, b] = ["/a", "/b"].map(|path| signed(&signer, get(path)));
    assert_eq!(a.header("x-hmac-signature"), b.header("x-hmac-signature"));
    let key_of = |verify_settings, message: &Message| {
        let verdict = message.judge(&verifier(verify_settings), &keyring(), NOW);
        verdict.verified("plain").replay_key("service")
    };
    let once = |message: &Message| key_of(verify_settings(), message);
    assert_eq!(once(&a), once(&b));
    let per_route =
        |message: &Message| key_of(verify_settings().insecure_replay_once_per_route(), message);
    assert_ne!(per_route(&a), per_route(&b));
    assert_eq!(per_route(&a), per_route(&a.clone()));
    assert_ne!(per_route(&a), once(&a));
}
