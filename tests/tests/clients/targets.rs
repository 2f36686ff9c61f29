//! One layer or one middleware for several services.

use bytes::Bytes;
use countersign::{SignError, SignErrorKind, TargetSigners};
use futures::stream;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tests::keys::{OTHER_SECRET, SECRET, hmac_key, signer};
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, SignLayer, SignMiddleware};

use crate::Callee;

type Body = BoxBody<Bytes, BoxError>;

fn whole(body: &'static str) -> Body {
    BoxBody::new(Full::new(Bytes::from(body)).map_err(Into::into))
}

/// Calls through the layer, and returns the caller's name as the service verified it.
async fn by_layer(layer: &SignLayer, url: &str, body: Body) -> Result<String, SignError> {
    let client = layer.layer(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::post(url).body(body).unwrap();
    let response = match client.oneshot(request).await {
        Ok(response) => response,
        Err(error) => return Err(*error.downcast::<SignError>().unwrap()),
    };
    assert_eq!(response.status(), StatusCode::OK, "{url}");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Calls through the middleware.
async fn by_middleware(signers: &TargetSigners, url: &str) -> Result<String, SignError> {
    let middleware = SignMiddleware::new(signers.clone());
    let client = middleware.client(reqwest::Client::builder().no_proxy());
    let response = match client.unwrap().post(url).body("a").send().await {
        Ok(response) => response,
        Err(reqwest_middleware::Error::Middleware(error)) => {
            return Err(error.downcast::<SignError>().unwrap());
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(response.status(), StatusCode::OK, "{url}");
    Ok(response.text().await.unwrap())
}

#[tokio::test]
async fn the_authority_of_each_request_selects_its_key() {
    let users = Callee::verifying(SECRET);
    let audit = Callee::verifying(OTHER_SECRET);
    let metrics = Callee::open();
    let stranger = Callee::open();
    let signers = TargetSigners::builder()
        .target(
            "users",
            signer("billing", hmac_key(SECRET), &users.authority()),
        )
        .target(
            "audit",
            signer("billing", hmac_key(OTHER_SECRET), &audit.authority()),
        )
        .unsigned("metrics", [metrics.authority()])
        .build()
        .unwrap();
    let layer = SignLayer::new(signers.clone());
    for (callee, expected) in [
        (&users, Some("billing")),
        (&audit, Some("billing")),
        (&metrics, Some("nobody")),
        (&stranger, None),
    ] {
        let url = callee.url("/a?b=c");
        let answers = [
            by_layer(&layer, &url, whole("a")).await,
            by_middleware(&signers, &url).await,
        ];
        let seen = callee.take();
        let Some(expected) = expected else {
            assert!(seen.is_empty(), "nothing is sent: {seen:?}");
            let named = [callee, &users, &audit, &metrics].map(Callee::authority);
            for error in answers.map(Result::unwrap_err) {
                assert_eq!(error.kind(), SignErrorKind::Authority);
                let parts = named.iter().map(String::as_str);
                for part in parts.chain(["users", "audit", "metrics"]) {
                    assert!(error.to_string().contains(part), "{error}");
                }
            }
            continue;
        };
        assert_eq!(answers.map(Result::unwrap), [expected, expected]);
        assert_eq!(seen.len(), 2);
        for seen in seen {
            let is_signed = seen.headers.contains_key("authorization");
            assert_eq!(is_signed, expected == "billing");
            assert_eq!(seen.body, "a");
        }
    }
}

#[tokio::test]
async fn a_body_is_not_read_for_an_authority_without_a_signer() {
    let open = Callee::open();
    let signers = TargetSigners::builder()
        .unsigned("open", [open.authority()])
        .build()
        .unwrap();
    // Reading the body into memory would be an error: it exceeds the limit.
    let layer = SignLayer::new(signers).with_buffer_bytes(10);
    let frames =
        (0..100).map(|_| Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"0123456789"))));
    let body = BoxBody::new(StreamBody::new(stream::iter(frames)));
    let answer = by_layer(&layer, &open.url("/"), body).await;
    assert_eq!(answer.unwrap(), "nobody");
    assert_eq!(open.only().body.len(), 1000);

    let unread = stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            panic!("the body is read")
        },
    );
    let body = BoxBody::new(StreamBody::new(unread));
    let error = by_layer(&layer, "http://elsewhere.internal/", body).await;
    assert_eq!(error.unwrap_err().kind(), SignErrorKind::Authority);
}

#[tokio::test]
async fn every_layer_uses_the_targets_that_replaced_a_clones() {
    let users = Callee::verifying(SECRET);
    let audit = Callee::verifying(OTHER_SECRET);
    let signers = TargetSigners::builder()
        .target(
            "users",
            signer("billing", hmac_key(SECRET), &users.authority()),
        )
        .build()
        .unwrap();
    let layer = SignLayer::new(signers.clone());
    let url = audit.url("/");
    let before = by_layer(&layer, &url, whole("a")).await;
    assert_eq!(before.unwrap_err().kind(), SignErrorKind::Authority);
    let with_audit = TargetSigners::builder()
        .target(
            "audit",
            signer("billing", hmac_key(OTHER_SECRET), &audit.authority()),
        )
        .build()
        .unwrap();
    signers.replace(&with_audit);
    assert_eq!(by_layer(&layer, &url, whole("a")).await.unwrap(), "billing");
    let after = by_layer(&layer, &users.url("/"), whole("a")).await;
    assert_eq!(after.unwrap_err().kind(), SignErrorKind::Authority);
}
