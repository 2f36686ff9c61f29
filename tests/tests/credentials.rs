//! `SignLayer` over a provider of credentials that is late or fails: a request waits for a bounded time, and says why it was
//! not sent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{convert::Infallible, error::Error, future::pending, time::Duration};

use bytes::Bytes;
use countersign::{
    CredentialsProvider, Secret, SigV4Credentials, SigV4Settings, SignError, SignErrorKind, Signer,
    SigningKey, Unavailable,
};
use http::{HeaderMap, Request};
use http_body_util::Full;
use tests::{
    keys::NOW,
    signed::{AUTHORITY, billing},
};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use tower_countersign::{SignLayer, SignMiddleware};

/// What the provider does when it is asked, and what it had before.
#[derive(Clone)]
struct Provider {
    before: Option<SigV4Credentials>,
    hangs: bool,
}

impl CredentialsProvider for Provider {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        if self.hangs {
            return pending().await;
        }
        Err(Unavailable::new("token service").with_source("connection refused"))
    }
}

/// Has them at hand at the start, and never again.
struct First(Provider, std::sync::atomic::AtomicBool);

impl CredentialsProvider for First {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        self.0.credentials().await
    }

    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        let is_first = !self.1.swap(true, std::sync::atomic::Ordering::SeqCst);
        self.0.before.clone().filter(|_| is_first).map(Ok)
    }
}

fn signer(before: Option<SigV4Credentials>, hangs: bool) -> Signer {
    let provider = First(Provider { before, hangs }, false.into());
    let settings = SigV4Settings::new("eu-central-1", "user-service", provider).unwrap();
    Signer::sigv4(settings, [AUTHORITY]).unwrap()
}

/// Credentials that end so many seconds from now.
fn ending_in(seconds: u64) -> SigV4Credentials {
    let key = SigningKey::sigv4(&Secret::generate().unwrap());
    let credentials = SigV4Credentials::new("AKIDBILLING", key).unwrap();
    credentials.with_expires_at(NOW.saturating_add(Duration::from_secs(seconds)))
}

/// The headers that were sent.
async fn send(layer: SignLayer) -> Result<HeaderMap, SignError> {
    let inner = service_fn(async |request: Request<_>| {
        let (parts, _): (_, tower_countersign::SignedBody<Full<Bytes>>) = request.into_parts();
        Ok::<_, Infallible>(parts.headers)
    });
    let request = Request::get(format!("http://{AUTHORITY}/"));
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let sent: Result<HeaderMap, BoxError> = layer.layer(inner).oneshot(request).await;
    sent.map_err(|error| *error.downcast::<SignError>().unwrap())
}

fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes
}

fn layer(signer: Signer) -> SignLayer {
    SignLayer::new(signer)
        .with_clock(|| NOW)
        .with_credentials_deadline(Duration::from_millis(10))
}

#[tokio::test]
async fn a_provider_that_never_answers_is_an_error_and_no_wait_for_ever() {
    for (name, before) in [("nothing at hand", None), ("expired", Some(ending_in(0)))] {
        let error = send(layer(signer(before, true))).await.unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::Credentials, "{name}");
        assert_eq!(
            error.to_string(),
            "credentials: expected within 10ms, found none by then",
            "{name}"
        );
        assert_eq!(causes(&error).len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_five_seconds_unless_set() {
    let error = send(SignLayer::new(signer(None, true))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "credentials: expected within 5s, found none by then"
    );
}

#[tokio::test]
async fn credentials_that_are_still_valid_sign_while_the_provider_is_late_or_fails() {
    for (name, hangs) in [("late", true), ("failing", false)] {
        let headers = send(layer(signer(Some(ending_in(60)), hangs))).await;
        let headers = headers.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(headers.contains_key("authorization"), "{name}");
    }
}

#[tokio::test]
async fn what_the_provider_failed_with_is_behind_the_error() {
    let error = send(layer(signer(None, false))).await.unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Credentials);
    assert_eq!(
        causes(&error),
        ["token service unavailable", "connection refused"]
    );
}

#[tokio::test]
async fn the_middleware_has_the_same_deadline() {
    let middleware = SignMiddleware::new(signer(None, true))
        .with_credentials_deadline(Duration::from_millis(10));
    let client = middleware.client(reqwest::Client::builder()).unwrap();
    let error = client
        .get(format!("http://{AUTHORITY}/"))
        .send()
        .await
        .unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("expected within 10ms"), "{text}");
}

/// A timer would ask for a runtime of tokio's.
#[test]
fn a_signer_with_a_fixed_key_needs_no_runtime() {
    let layer = SignLayer::new(billing()).with_clock(|| NOW);
    let headers = futures::executor::block_on(send(layer)).unwrap();
    assert!(headers.contains_key("authorization"));
}
