use std::{
    fmt, mem,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use countersign::{KeyStore, ReplayStore};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    body_mode::BodyMode, decide::Accepted, erased::erased, future::VerifyFuture,
    request_body::RequestBody, response_body::ResponseBody, settings::Settings,
    signed_answers::Answering, stream::BodyStream, verification::Verification,
};
use crate::{
    BoxError, head_verified_caller::HeadVerifiedCaller, mode::Mode,
    unverified_caller::UnverifiedCaller, verified_caller::VerifiedCaller,
};

/// The service of [`VerifyLayer`](crate::VerifyLayer). See the
/// [module documentation](crate::verify).
pub struct Verify<S, K, R> {
    inner: S,
    verification: Arc<Verification<K, R>>,
}

impl<S, K, R> Verify<S, K, R> {
    pub(super) fn new(inner: S, settings: Settings, keys: K, replay: R) -> Self {
        Self {
            inner,
            verification: Arc::new(Verification::new(settings, keys, replay)),
        }
    }
}

impl<S: Clone, K, R> Clone for Verify<S, K, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            verification: Arc::clone(&self.verification),
        }
    }
}

impl<S, K, R, B, ResBody> Service<Request<B>> for Verify<S, K, R>
where
    S: Service<Request<RequestBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    K: KeyStore,
    R: ReplayStore,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    ResBody: Body + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = VerifyFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The future outlives this borrow. It must call the instance that was polled ready, because
        // a clone may lack the permit.
        let unready = self.inner.clone();
        let inner = mem::replace(&mut self.inner, unready);
        let verification = Arc::clone(&self.verification);
        let (mut parts, body) = request.into_parts();
        // Removes callers that other code has inserted: they are not verified.
        parts.extensions.remove::<VerifiedCaller>();
        parts.extensions.remove::<HeadVerifiedCaller>();
        parts.extensions.remove::<BodyStream>();
        parts.extensions.remove::<UnverifiedCaller>();
        // Every request that waits for its body holds one of these futures, so the futures are
        // small. Rare parts are boxed, and the request stays where it was captured.
        let settings = &verification.settings;
        let mode = settings.report_only.mode_of(&parts);
        VerifyFuture(match (mode, settings.body_modes.of(&parts)) {
            (Mode::Enforced, BodyMode::Stream) => {
                Box::pin(verification.handle_stream(parts, erased(body), inner))
            }
            (Mode::Enforced, body_mode) => Box::pin(async move {
                // The incoming body is dropped before the handler is called, because the body may
                // hold a permit that the handler needs.
                let handling = {
                    let body = pin!(body);
                    match verification
                        .enforce(&mut parts, body, body_mode, inner)
                        .await
                    {
                        Ok((accepted, body, inner, answering)) => {
                            if let Accepted::Request(caller) = accepted {
                                parts.extensions.insert(caller);
                            }
                            handle(inner, Request::from_parts(parts, body), answering)
                        }
                        Err(refusal) => return Ok(refusal.map(ResponseBody::refused)),
                    }
                };
                // The only await after the first: locals of two awaits would take room in each.
                handling.await
            }),
            (Mode::ReportOnly, _) => Box::pin(async move {
                let mut inner = inner;
                let request = verification.report(parts, body).await;
                Ok(inner.call(request).await?.map(ResponseBody::handled))
            }),
        })
    }
}

/// Calls the inner service, and signs its response if that is asked for.
async fn handle<S, ResBody>(
    mut inner: S,
    request: Request<RequestBody>,
    answering: Option<Box<Answering>>,
) -> Result<Response<ResponseBody<ResBody>>, S::Error>
where
    S: Service<Request<RequestBody>, Response = Response<ResBody>>,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    let Some(answering) = answering else {
        return Ok(inner.call(request).await?.map(ResponseBody::handled));
    };
    // Boxed, so that no other waiting request keeps room for it.
    Box::pin(async move {
        let response = inner.call(request).await?;
        // The inner service may hold a permit, which must not wait for a body.
        drop(inner);
        Ok(answering.sign(response.map(ResponseBody::handled)).await)
    })
    .await
}

impl<S: fmt::Debug, K, R> fmt::Debug for Verify<S, K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use countersign::{
        CallerKey, Keyring, MemoryReplayStore, PayloadDigest, Secret, Signer, SigningKey,
        VerifyingKey,
    };
    use http_body_util::BodyExt;
    use tower::{Layer, ServiceExt};

    use super::*;
    use crate::VerifyLayer;

    /// The largest size that allocators serve from a free list: 1032 bytes in glibc.
    #[test]
    fn the_future_of_a_waiting_request_is_smaller_than_a_kibibyte() {
        let secret = Secret::generate().unwrap();
        let key = CallerKey::new("1", VerifyingKey::hmac_sha256(&secret)).unwrap();
        let keys = Keyring::builder().caller("a", key).build().unwrap();
        let inner = tower::service_fn(async |_: Request<RequestBody>| {
            Ok::<_, BoxError>(Response::new(Body::empty()))
        });
        let mut verify = Verify::new(inner, Settings::default(), keys, MemoryReplayStore::new());
        let waiting = verify.call(Request::new(Body::empty()));
        let kept = size_of_val(&*waiting.0);
        assert!(kept < 1024, "{kept} bytes");
    }

    /// An outer layer may have put a permit into the body. The handler must not hold it.
    #[tokio::test]
    async fn the_incoming_body_is_dropped_before_the_handler_is_called() {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let callers = CallerKey::new("1", key.verifying_key()).unwrap();
        let keys = Keyring::builder().caller("a", callers).build().unwrap();
        let signer = Signer::new("a", key, ["b"]).unwrap();
        let permit = Arc::new(());
        let held = Arc::downgrade(&permit);
        let inner = tower::service_fn(move |_: Request<RequestBody>| {
            let dropped = held.upgrade().is_none();
            async move { Ok::<_, BoxError>(Response::new(Body::from(dropped.to_string()))) }
        });
        let body = Body::from("body").map_frame(move |frame| {
            assert_eq!(Arc::strong_count(&permit), 1);
            frame
        });
        let (mut parts, body) = Request::post("http://b/").body(body).unwrap().into_parts();
        let now = std::time::SystemTime::now().into();
        let signature = signer.sign(&parts, PayloadDigest::of(b"body"), now);
        signature.unwrap().apply(&mut parts);
        let verify = VerifyLayer::new(keys).layer(inner);
        let answer = verify.oneshot(Request::from_parts(parts, body)).await;
        let dropped = answer.unwrap().into_body().collect().await.unwrap();
        assert_eq!(dropped.to_bytes(), "true");
    }
}
