//! The tests that the article promises, as it meant them.
//!
//! Its own compare a member that its signer does not return, and its receiver has neither a nonce
//! nor a check before the body is parsed. What it says it wants is asserted here: the same inputs
//! give the same signature; another body, path, method, header or host gives another one; and a
//! stale, tampered, replayed or unknown request is answered 401 before the handler runs and, where
//! the head already tells, before one byte of the body is read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::State, routing::any};
use bytes::Bytes;
use countersign::{Keyring, Nonce, PayloadDigest, Signer, SigningKey, Timestamp};
use http::{Request, StatusCode, header::WWW_AUTHENTICATE};
use http_body::Frame;
use http_body_util::BodyExt;
use tests::keys::{NOW, OTHER_SECRET, SECRET, hmac_key, keyring};
use tower::ServiceExt;
use tower_countersign::{Refusal, VerifiedCaller, VerifyLayer};

use crate::message::{Message, NONCE};

const HOST: &str = "user-service.internal";
const BODY: &[u8] = b"{\"userId\":123}";

/// The article's request, with a header that the application asks to be covered.
fn request() -> Message {
    Message::new("POST", "/api/account/123", HOST, BODY)
        .with("content-type", "application/json")
        .with("x-tenant", "acme")
}

fn signer(caller: &str, key: SigningKey) -> Signer {
    let signer = Signer::new(caller, key, [HOST, "payment-service.internal"]).unwrap();
    signer
        .with_covered_header("x-tenant".parse().unwrap())
        .unwrap()
}

fn billing() -> Signer {
    signer("billing", hmac_key(SECRET))
}

/// The signature of a request at a moment with a nonce, out of its authorization header.
fn signature_with(message: Message, nonce: &str, now: Timestamp) -> String {
    let signed = message.signed_with(&billing(), nonce, now);
    let (_, signature) = signed
        .header("authorization")
        .split_once("signature=")
        .unwrap();
    signature.to_owned()
}

fn signature(message: Message) -> String {
    signature_with(message, NONCE, NOW)
}

#[test]
fn the_same_inputs_give_the_same_signature() {
    assert_eq!(signature(request()), signature(request()));
}

#[test]
fn whatever_changes_gives_another_signature() {
    let changed = |change: fn(&mut Message)| {
        let mut message = request();
        change(&mut message);
        signature(message)
    };
    let mut seen = vec![("nothing", signature(request()))];
    for (name, other) in [
        ("body", changed(|m| m.body = b"{\"userId\":456}".to_vec())),
        ("no body", changed(|m| m.body.clear())),
        ("path", changed(|m| m.target = "/api/account/456".into())),
        ("query", changed(|m| m.target.push_str("?x=1"))),
        ("method", changed(|m| m.method = "DELETE".into())),
        ("header", changed(|m| m.set("x-tenant", "other"))),
        (
            "content type",
            changed(|m| m.set("content-type", "text/plain")),
        ),
        (
            "host",
            changed(|m| m.set("host", "payment-service.internal")),
        ),
        (
            "date",
            signature_with(request(), NONCE, NOW.saturating_add(Duration::from_secs(1))),
        ),
        ("nonce", signature_with(request(), "0123456789abcdef", NOW)),
    ] {
        for (earlier, signature) in &seen {
            assert_ne!(&other, signature, "{name} and {earlier}");
        }
        seen.push((name, other));
    }
}

/// Two honest requests with equal content are two requests: each has another nonce.
#[test]
fn the_same_inputs_twice_are_signed_with_two_nonces() {
    let parts = request().parts().unwrap();
    let sign = || {
        let signature = billing()
            .sign(&parts, PayloadDigest::of(BODY), NOW)
            .unwrap();
        let nonce = signature.headers().find(|(name, _)| *name == "x-nonce");
        nonce.unwrap().1.clone()
    };
    let (first, second) = (sign(), sign());
    assert_ne!(first, second);
    assert!(Nonce::new(first.to_str().unwrap()).is_ok());
}

/// A body that counts how often it is polled, and at first has nothing to give.
struct Counted {
    polls: Arc<AtomicUsize>,
    data: Option<Bytes>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.polls.fetch_add(1, Ordering::SeqCst) == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }
}

/// The receiver, and how often its handler ran.
struct Receiver {
    app: Router,
    handled: Arc<AtomicUsize>,
}

/// What became of one request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: StatusCode,
    code: Option<&'static str>,
    body: String,
    handled: usize,
    polls: usize,
}

impl Receiver {
    fn new(keys: Keyring) -> Self {
        async fn account(
            State(handled): State<Arc<AtomicUsize>>,
            caller: VerifiedCaller,
            body: Bytes,
        ) -> String {
            handled.fetch_add(1, Ordering::SeqCst);
            format!("{} sent {} bytes", caller.id(), body.len())
        }
        let handled = Arc::<AtomicUsize>::default();
        // A refused body is read after the decision, so that its sender sees the refusal. Here only
        // what the decision itself reads is counted.
        let layer = VerifyLayer::new(keys)
            .with_clock(|| NOW)
            .with_refused_body_drain(0, Duration::ZERO);
        let app = Router::new()
            .route("/api/account/{id}", any(account))
            .layer(layer)
            .with_state(Arc::clone(&handled));
        Self { app, handled }
    }

    async fn receive(&self, message: &Message) -> Outcome {
        let polls = Arc::<AtomicUsize>::default();
        let before = self.handled.load(Ordering::SeqCst);
        let body = Body::new(Counted {
            polls: Arc::clone(&polls),
            data: Some(Bytes::copy_from_slice(&message.body)),
        });
        let request = Request::from_parts(message.parts().unwrap(), body);
        let response = self.app.clone().oneshot(request).await.unwrap();
        let code = response.extensions().get::<Refusal>().map(Refusal::code);
        let challenged = response.headers().contains_key(WWW_AUTHENTICATE);
        let status = response.status();
        assert_eq!(challenged, status == StatusCode::UNAUTHORIZED);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Outcome {
            status,
            code,
            body: String::from_utf8(body.into()).unwrap(),
            handled: self.handled.load(Ordering::SeqCst) - before,
            polls: polls.load(Ordering::SeqCst),
        }
    }

    async fn assert_accepts(&self, name: &str, message: &Message) {
        let outcome = self.receive(message).await;
        let expected = format!("billing sent {} bytes", message.body.len());
        assert_eq!(outcome.status, StatusCode::OK, "{name}: {outcome:?}");
        assert_eq!(outcome.body, expected, "{name}");
        assert_eq!(outcome.handled, 1, "{name}");
    }

    /// Refused with 401 and this code, the handler not run, and the body unread if the head tells.
    async fn assert_refuses(&self, name: &str, message: &Message, code: &str, read: Read) {
        let outcome = self.receive(message).await;
        let expected = format!("{{\"error\":\"{code}\"}}");
        assert_eq!(
            outcome.status,
            StatusCode::UNAUTHORIZED,
            "{name}: {outcome:?}"
        );
        assert_eq!(outcome.code, Some(code), "{name}");
        assert_eq!(outcome.body, expected, "{name}");
        assert_eq!(outcome.handled, 0, "{name}");
        assert_eq!(
            outcome.polls > 0,
            matches!(read, Read::Body),
            "{name}: {outcome:?}"
        );
    }
}

/// How much of a request must have been read to refuse it.
#[derive(Clone, Copy)]
enum Read {
    Head,
    Body,
}

fn receiver() -> Receiver {
    Receiver::new(keyring("billing", &hmac_key(SECRET)))
}

#[tokio::test]
async fn what_billing_signs_reaches_the_handler_with_its_name() {
    let signed = request().signed(&billing(), NOW);
    receiver().assert_accepts("signed", &signed).await;
}

#[tokio::test]
async fn a_stale_request_is_refused_before_its_body_is_read() {
    let receiver = receiver();
    for (name, offset, accepted) in [
        ("ten minutes old", -600, false),
        ("ten minutes ahead", 600, false),
        ("five minutes and a second old", -301, false),
        ("five minutes and a second ahead", 301, false),
        ("five minutes old", -300, true),
        ("five minutes ahead", 300, true),
    ] {
        let then = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + offset);
        let nonce = format!("{NONCE}{offset}");
        let signed = request().signed_with(&billing(), &nonce, then);
        if accepted {
            receiver.assert_accepts(name, &signed).await;
        } else {
            receiver
                .assert_refuses(name, &signed, "expired", Read::Head)
                .await;
        }
    }
}

#[tokio::test]
async fn a_tampered_request_is_refused_and_its_body_read_only_if_the_head_is_right() {
    let receiver = receiver();
    let signed = request().signed(&billing(), NOW);
    let later = NOW.saturating_add(Duration::from_secs(1)).to_http_date();
    let later = later.unwrap();
    let tampered = |change: &dyn Fn(&mut Message)| {
        let mut message = signed.clone();
        change(&mut message);
        message
    };
    for (name, message) in [
        ("method", tampered(&|m| m.method = "DELETE".into())),
        ("path", tampered(&|m| m.target = "/api/account/456".into())),
        ("query", tampered(&|m| m.target.push_str("?admin=1"))),
        (
            "host",
            tampered(&|m| m.set("host", "payment-service.internal")),
        ),
        ("date", tampered(&|m| m.set("x-date", &later))),
        (
            "content hash",
            tampered(&|m| m.set("x-content-sha256", PayloadDigest::of(b"{}").to_string())),
        ),
        ("nonce", tampered(&|m| m.set("x-nonce", "0123456789abcdef"))),
        (
            "content type",
            tampered(&|m| m.set("content-type", "text/plain")),
        ),
        ("covered header", tampered(&|m| m.set("x-tenant", "other"))),
        (
            "body and its hash",
            tampered(&|m| {
                m.body = b"{}".to_vec();
                m.set("x-content-sha256", PayloadDigest::of(b"{}").to_string());
            }),
        ),
    ] {
        receiver
            .assert_refuses(name, &message, "invalid_signature", Read::Head)
            .await;
    }
    for (name, body) in [
        ("body", &b"{\"userId\":456}"[..]),
        ("body cut", b"{\"userId\":123"),
        ("body extended", b"{\"userId\":123}\n"),
        ("no body", b""),
    ] {
        let message = tampered(&|m| m.body = body.to_vec());
        receiver
            .assert_refuses(name, &message, "body_mismatch", Read::Body)
            .await;
    }
    // Nothing of this has used the nonce up: the request itself still goes through.
    receiver.assert_accepts("untouched", &signed).await;
}

#[tokio::test]
async fn a_replayed_request_is_refused_before_its_body_is_read_again() {
    let receiver = receiver();
    let signed = request().signed(&billing(), NOW);
    receiver.assert_accepts("the first", &signed).await;
    for copy in ["the second", "the third"] {
        receiver
            .assert_refuses(copy, &signed, "replayed", Read::Head)
            .await;
    }
    let again = request().signed_with(&billing(), "0123456789abcdef", NOW);
    receiver.assert_accepts("signed again", &again).await;
}

/// Both heads are let in before the body of either is read: the claim of the nonce decides, and it
/// comes last.
#[tokio::test]
async fn of_two_copies_at_once_one_reaches_the_handler() {
    let receiver = receiver();
    let signed = request().signed(&billing(), NOW);
    let (one, other) = tokio::join!(receiver.receive(&signed), receiver.receive(&signed));
    assert!(one.polls > 0 && other.polls > 0, "{one:?}, {other:?}");
    let mut codes = [one.code, other.code];
    codes.sort_unstable();
    assert_eq!(codes, [None, Some("replayed")]);
    assert_eq!(receiver.handled.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unknown_credential_is_refused_like_a_wrong_secret() {
    let receiver = receiver();
    for (name, signer) in [
        ("unknown caller", signer("nobody", hmac_key(SECRET))),
        ("name in another case", signer("Billing", hmac_key(SECRET))),
        ("wrong secret", signer("billing", hmac_key(OTHER_SECRET))),
    ] {
        let signed = request().signed(&signer, NOW);
        receiver
            .assert_refuses(name, &signed, "invalid_signature", Read::Head)
            .await;
    }
}

#[tokio::test]
async fn a_request_without_a_signature_is_refused_before_its_body_is_read() {
    let receiver = receiver();
    let mut half = request().signed(&billing(), NOW);
    half.edit("authorization", ", signature=", ", sig=");
    for (name, message, code) in [
        ("no signature at all", request(), "missing_signature"),
        (
            "somebody else's scheme",
            request().with("authorization", "Bearer abc"),
            "missing_signature",
        ),
        ("a signature that cannot be read", half, "malformed"),
    ] {
        receiver
            .assert_refuses(name, &message, code, Read::Head)
            .await;
    }
}
