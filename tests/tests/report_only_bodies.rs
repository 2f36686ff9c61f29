//! Bodies in report-only mode: for every decision, at every frame, the handler reads the bytes that
//! were sent.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests panic where a constant is wrong"
)]

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{Router, body::Body, extract::Request, routing::any};
use bytes::Bytes;
use countersign::{
    CallerKey, CallerKeys, KeyStore, Keyring, Signer, SigningKey, Unavailable, Verifier,
};
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::BodyExt;
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use tests::{
    keys::{SECRET, django, hmac_key},
    signed::{self, AUTHORITY, billing},
};
use tower::ServiceExt;
use tower_countersign::{BodyLimits, VerifyLayer};

#[derive(Clone, Copy, Debug)]
enum Item {
    Data(usize),
    NotYet,
    Broken,
    Trailers,
}

/// A body that panics if it is polled after its end.
struct Sent {
    items: VecDeque<Item>,
    ended: bool,
}

fn data(len: usize) -> Bytes {
    (0..=u8::MAX).cycle().take(len).collect()
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("x-trailer"),
        HeaderValue::from_static("kept"),
    )])
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        assert!(!self.ended, "polled after its end");
        let frame = match self.items.pop_front() {
            None => None,
            Some(Item::Data(len)) => Some(Ok(Frame::data(data(len)))),
            Some(Item::NotYet) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Item::Broken) => Some(Err(std::io::Error::other("broken"))),
            Some(Item::Trailers) => Some(Ok(Frame::trailers(trailers()))),
        };
        self.ended = frame.is_none();
        Poll::Ready(frame)
    }
}

/// Finds keys only after several polls.
#[derive(Clone)]
struct Waits(Keyring);

impl KeyStore for Waits {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.0.try_lookup(key_id).unwrap()
    }
}

#[derive(Clone, Copy, Debug)]
enum Signature {
    None,
    Right,
    OfAnotherBody,
    OverTheBody,
}

#[derive(Debug, Default, PartialEq)]
struct Received {
    bytes: Vec<u8>,
    broken: bool,
    trailers: Option<HeaderMap>,
}

async fn received(mut body: Body) -> Received {
    let mut received = Received::default();
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => received.bytes.extend_from_slice(&data),
            Ok(Err(frame)) => received.trailers = frame.into_trailers().ok(),
            Err(_) => received.broken = true,
        }
    }
    received
}

fn expected(items: &[Item]) -> Received {
    let mut expected = Received::default();
    for item in items {
        match item {
            Item::Data(len) => expected.bytes.extend_from_slice(&data(*len)),
            Item::NotYet => {}
            Item::Broken => expected.broken = true,
            Item::Trailers => expected.trailers = Some(trailers()),
        }
    }
    expected
}

/// One or two report-only layers. A channel returns the body that the handler receives.
async fn sent_through(layers: usize, limit: u64, signature: Signature, items: &[Item]) -> Received {
    let (drf, verify_settings) = django();
    let key = |key: &SigningKey| CallerKey::new("1", key.verifying_key()).unwrap();
    let keys = Keyring::builder()
        .caller("billing", key(&hmac_key(SECRET)))
        .caller("django", key(&drf));
    let limits = BodyLimits::default()
        .with_max_bytes(limit)
        .with_unauthenticated_max_bytes(limit)
        .with_caller_bytes(limit * 3 / 2);
    let layer = VerifyLayer::new(Waits(keys.build().unwrap()))
        .with_verifier(Verifier::builder().accept(verify_settings).build().unwrap())
        .with_body_limits(limits)
        .insecure_report_only();
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Arc::new(std::sync::Mutex::new(Some(tell)));
    let handler = async move |request: Request| {
        let received = received(request.into_body()).await;
        let tell = tell.lock().unwrap().take();
        tell.unwrap().send(received).unwrap();
    };
    let mut app = Router::new().fallback(any(handler));
    for _ in 0..layers {
        app = app.layer(layer.clone());
    }
    let body = expected(items).bytes;
    let request = match signature {
        Signature::None => signed::post("/a", body),
        Signature::Right => signed::now(&billing(), signed::post("/a", body)),
        Signature::OfAnotherBody => signed::now(&billing(), signed::post("/a", "another")),
        Signature::OverTheBody => {
            let signer = Signer::drf(drf, [AUTHORITY]).unwrap();
            signed::now_in_full(&signer, signed::post("/drf", body))
        }
    };
    let body = Sent {
        items: items.iter().copied().collect(),
        ended: false,
    };
    let request = request.map(|_| Body::new(body));
    app.oneshot(request).await.unwrap();
    told.await.unwrap()
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        4 => (0_usize..30).prop_map(Item::Data),
        2 => (8_000_usize..9_000).prop_map(Item::Data),
        2 => Just(Item::NotYet),
    ]
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let end = prop_oneof![
        Just(None),
        Just(Some(Item::Broken)),
        Just(Some(Item::Trailers))
    ];
    (proptest::collection::vec(item(), 0..8), end).prop_map(|(mut items, end)| {
        items.extend(end);
        items
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_handler_receives_what_was_sent(
        items in items(),
        layers in 1_usize..=2,
        limit in prop_oneof![Just(20_u64), Just(10_000), Just(1_000_000)],
        signature in prop_oneof![
            Just(Signature::None),
            Just(Signature::Right),
            Just(Signature::OfAnotherBody),
            Just(Signature::OverTheBody),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let received = runtime.block_on(sent_through(layers, limit, signature, &items));
        prop_assert_eq!(received, expected(&items));
    }
}
