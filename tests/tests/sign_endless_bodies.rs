//! `SignLayer` and bodies that do not end: an error within a limit. The error names the limit and
//! an alternative.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests panic where a constant is wrong"
)]

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use countersign::{SignError, SignErrorKind};
use http::{Request, Response};
use http_body_util::channel::Channel;
use tests::{
    keys::{SECRET, hmac_key, keyring},
    signed::{self, AUTHORITY, billing},
};
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{BodyLimits, SignLayer, SignMiddleware, SignedBody, VerifyLayer};

const SECOND: Duration = Duration::from_secs(1);

type Body = Channel<Bytes, Infallible>;

fn post(content_type: &str, body: Body) -> Request<Body> {
    Request::post(format!("http://{AUTHORITY}/"))
        .header("content-type", content_type)
        .body(body)
        .unwrap()
}

/// Signs with this layer. Returns the error, if any, and whether a request was sent.
async fn sign(layer: &SignLayer, request: Request<Body>) -> Result<(), SignError> {
    let sent = Arc::new(AtomicUsize::new(0));
    let inner = {
        let sent = Arc::clone(&sent);
        service_fn(move |_: Request<SignedBody<Body>>| {
            sent.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Response::new(())) }
        })
    };
    let signed = layer.layer(inner).oneshot(request).await;
    let signed = signed.map_err(|error| error.downcast_ref::<SignError>().unwrap().clone());
    let expected = usize::from(signed.is_ok());
    assert_eq!(sent.load(Ordering::SeqCst), expected, "sent");
    signed.map(|_| ())
}

/// Source: field report F3: a body that stays open until the response arrives.
#[tokio::test(start_paused = true)]
async fn an_endless_body_is_an_error_that_names_the_limit_and_an_alternative() {
    let default = SignLayer::new(billing());
    let second = default.clone().with_body_idle(SECOND);
    let short = second.clone().with_body_deadline(SECOND * 3);
    let grpc = default.clone().with_grpc_idle(SECOND * 2);
    let plain = "application/octet-stream";
    for (name, layer, content_type, every, after, says) in [
        ("stalls", &default, plain, None, 10_000, "with_body_idle"),
        (
            "stalls, by a setting",
            &second,
            plain,
            None,
            1_000,
            "with_body_idle",
        ),
        (
            "trickles",
            &default,
            plain,
            Some(9 * SECOND),
            30_000,
            "with_body_deadline",
        ),
        (
            "trickles, by a setting",
            &short,
            plain,
            Some(SECOND / 2),
            3_000,
            "with_body_deadline",
        ),
        (
            "gRPC",
            &default,
            "application/grpc",
            None,
            500,
            "with_grpc_idle",
        ),
        (
            "gRPC with a format",
            &default,
            "application/grpc+proto",
            None,
            500,
            "with_grpc_idle",
        ),
        (
            "gRPC, by a setting",
            &grpc,
            "application/grpc",
            None,
            2_000,
            "with_grpc_idle",
        ),
    ] {
        let (mut sender, body) = Body::new(4);
        sender
            .send_data(Bytes::from_static(b"first message"))
            .await
            .unwrap();
        let sending = tokio::spawn(async move {
            loop {
                match every {
                    Some(every) => sleep(every).await,
                    None => std::future::pending().await,
                }
                if sender.send_data(Bytes::from_static(b"x")).await.is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let error = sign(layer, post(content_type, body)).await.unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::Body, "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(says), "{name}: {text}");
        let instead = if content_type == plain {
            "PayloadDigest"
        } else {
            "server-streaming"
        };
        assert!(text.contains(instead), "{name}: {text}");
        // The paused clock of tokio advances when all tasks wait.
        let took = begun.elapsed().as_millis();
        assert!((after..=after + 10).contains(&took), "{name}: {took} ms");
        sending.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_is_signed_in_any_chunks() {
    for (name, content_type, waits) in [
        ("slow pieces", "text/plain", vec![9 * SECOND; 3]),
        (
            "messages at hand",
            "application/grpc",
            vec![Duration::ZERO; 3],
        ),
        (
            "messages that come soon",
            "application/grpc",
            vec![SECOND / 3; 5],
        ),
    ] {
        let (mut sender, body) = Body::new(1);
        let sending = tokio::spawn(async move {
            for wait in waits {
                sleep(wait).await;
                sender.send_data(Bytes::from_static(b"x")).await.unwrap();
            }
        });
        let signed = sign(&SignLayer::new(billing()), post(content_type, body)).await;
        assert_eq!(signed, Ok(()), "{name}");
        sending.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_of_a_known_length_is_no_grpc_stream() {
    let (mut sender, body) = Body::new(1);
    let request = post("application/grpc", body);
    let (parts, body) = request.into_parts();
    let body = KnownLength(body);
    let sent = service_fn(async |_: Request<SignedBody<KnownLength>>| {
        Ok::<_, Infallible>(Response::new(()))
    });
    let sign = SignLayer::new(billing()).layer(sent);
    let signing = tokio::spawn(sign.oneshot(Request::from_parts(parts, body)));
    sleep(SECOND * 9).await;
    sender.send_data(Bytes::from_static(b"x")).await.unwrap();
    drop(sender);
    signing.await.unwrap().unwrap();
}

struct KnownLength(Body);

impl http_body::Body for KnownLength {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(1)
    }
}

#[tokio::test(start_paused = true)]
async fn the_reqwest_middleware_has_the_same_limits() {
    let client = reqwest::Client::builder().no_proxy();
    let middleware = SignMiddleware::new(billing()).with_body_idle(SECOND * 2);
    let client = middleware.client(client).unwrap();
    let (_sender, body) = Body::new(1);
    let request = client.post(format!("http://{AUTHORITY}/"));
    let sending = request.body(reqwest::Body::wrap(body)).send();
    let Err(reqwest_middleware::Error::Middleware(error)) = sending.await else {
        panic!("expected an error of the middleware");
    };
    let error = error.downcast_ref::<SignError>().unwrap();
    assert_eq!(error.kind(), SignErrorKind::Body);
    assert!(error.to_string().contains("with_body_idle"), "{error}");
}

/// Outside of a runtime there is no timer, and the layer waits for a body without a limit.
#[test]
fn signs_outside_of_a_runtime_as_well() {
    let layer = SignLayer::new(billing());
    let sent =
        service_fn(async |_: Request<SignedBody<Body>>| Ok::<_, Infallible>(Response::new(())));
    let (mut sender, body) = Body::new(64);
    let signing = layer.layer(sent).oneshot(post("text/plain", body));
    let mut signing = pin!(signing);
    let mut context = Context::from_waker(Waker::noop());
    assert!(signing.as_mut().poll(&mut context).is_pending());
    for _ in 0..3 {
        // Each needs two turns.
        let frame = Bytes::from(vec![b'x'; 100_000]);
        assert!(sender.try_send(http_body::Frame::data(frame)).is_ok());
        assert!(signing.as_mut().poll(&mut context).is_pending());
    }
    drop(sender);
    let signed = (0..10).find_map(|_| match signing.as_mut().poll(&mut context) {
        Poll::Ready(signed) => Some(signed),
        Poll::Pending => None,
    });
    signed.expect("it ends").unwrap();
}

// Sizes.

#[tokio::test]
async fn the_default_limits_of_signer_and_verifier_agree() {
    let verify = |limits| {
        let layer = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)));
        let app = axum::Router::new().fallback(async || "handled");
        app.layer(layer.with_body_limits(limits))
    };
    let post = |len| signed::post("/", vec![b'x'; len]).map(axum::body::Body::from);
    let client = SignLayer::new(billing()).layer(verify(BodyLimits::default()));
    let most = 2 * 1024 * 1024;
    let answer = client.clone().oneshot(post(most)).await.unwrap();
    assert_eq!(answer.status(), 200);

    let error = client.oneshot(post(most + 1)).await.unwrap_err();
    let error = error.downcast_ref::<SignError>().unwrap().to_string();
    for part in ["2097152", "2097153", "with_buffer_bytes", "BodyLimits"] {
        assert!(error.contains(part), "{error}");
    }
    // With only the signer's limit raised, the verifier's reason names the verifier's limit.
    let larger = SignLayer::new(billing()).with_buffer_bytes(u64::MAX);
    let client = larger.clone().layer(verify(BodyLimits::default()));
    let answer = client.oneshot(post(most + 1)).await.unwrap();
    assert_eq!(answer.status(), 413);
    let refusal = answer.extensions().get::<tower_countersign::Refusal>();
    let reason = refusal.unwrap().to_string();
    for part in ["2097152", "2097153", "BodyLimits::with_max_bytes"] {
        assert!(reason.contains(part), "{reason}");
    }
    let limits = BodyLimits::default().with_max_bytes(u64::MAX);
    let client = larger.layer(verify(limits));
    let answer = client.oneshot(post(most + 1)).await.unwrap();
    assert_eq!(answer.status(), 200);
}
