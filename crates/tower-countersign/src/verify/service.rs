use std::{
    collections::BTreeSet,
    fmt,
    future::Future,
    mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use countersign::{
    ClaimOutcome, KeyId, KeyStore, Rejection, RejectionKind, ReplayClaim, ReplayKey, ReplayStore,
    ReplayStoreId, RequestHead, Timestamp, Unavailable,
};
use http::{Request, Response, request::Parts};
use http_body::Body;
use smallvec::SmallVec;
use tower_service::Service;

use super::{
    authenticate::Read,
    events::{self, RefusedRequest},
    hints::Hint,
    intake::Intake,
    refusal::Refusal,
    report_only::Mode,
    request_body::RequestBody,
    response_body::ResponseBody,
    settings::Settings,
};
use crate::{
    BoxError,
    caller::VerifiedCaller,
    grpc,
    metrics::{self, Decision, Store, StoreError, Wait},
    unverified_caller::UnverifiedCaller,
};

/// The service of [`VerifyLayer`](crate::VerifyLayer). See the [module documentation](crate::verify).
pub struct Verify<S, K, R> {
    inner: S,
    verification: Arc<Verification<K, R>>,
}

impl<S, K, R> Verify<S, K, R> {
    pub(super) fn new(inner: S, settings: Settings, keys: K, replay: R) -> Self {
        let verification = Arc::new(Verification {
            audience: settings.audience.clone().unwrap_or_else(|| {
                let hosts = settings.verifier.expected_hosts().iter();
                let hosts: BTreeSet<_> = hosts.map(|host| host.to_ascii_lowercase()).collect();
                hosts.into_iter().collect::<Vec<_>>().join(",").into()
            }),
            settings,
            keys,
            replay,
        });
        Self {
            inner,
            verification,
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
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = VerifyFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The future outlives this borrow, and the instance that was polled ready is the one to call: it may hold a
        // permit that its clone has not.
        let unready = self.inner.clone();
        let inner = mem::replace(&mut self.inner, unready);
        let verification = Arc::clone(&self.verification);
        let (mut parts, body) = request.into_parts();
        // Whatever happens, nobody else's word for the caller gets through.
        parts.extensions.remove::<VerifiedCaller>();
        parts.extensions.remove::<UnverifiedCaller>();
        // Every request that waits holds one of these, and each is copied into its box as a whole. So what is seldom needed
        // is in a box of its own, and the request stays where it is captured: only references to it go further in.
        VerifyFuture(match verification.settings.report_only.mode_of(&parts) {
            Mode::Enforced => Box::pin(async move {
                // The body as it came is dropped before the request is handled: it may hold what a handler waits for.
                let (body, mut inner) = {
                    let body = pin!(body);
                    match verification.enforce(&mut parts, body, inner).await {
                        Ok(verified) => verified,
                        Err(refusal) => return Ok(refusal.map(ResponseBody::refused)),
                    }
                };
                let response = inner.call(Request::from_parts(parts, body)).await?;
                Ok(response.map(ResponseBody::handled))
            }),
            Mode::ReportOnly => Box::pin(async move {
                let mut inner = inner;
                let request = verification.report(parts, body).await;
                Ok(inner.call(request).await?.map(ResponseBody::handled))
            }),
        })
    }
}

/// The future of [`Verify`].
pub struct VerifyFuture<T, E>(Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

impl<T, E> Future for VerifyFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T, E> fmt::Debug for VerifyFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyFuture").finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, K, R> fmt::Debug for Verify<S, K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// The claims that layers further out have made for this request.
#[derive(Clone, Debug, Default)]
struct ClaimsMade(SmallVec<[ClaimMade; 2]>);

#[derive(Clone, Copy, Debug)]
pub(super) struct ClaimMade {
    store: ReplayStoreId,
    key: ReplayKey,
    /// The mode of the layer that made it.
    mode: Mode,
    expires_at: Timestamp,
}

impl ClaimMade {
    /// Whether a copy cannot come through once this is forgotten: a layer that enforces refuses one by its date, a layer that
    /// only reports hands it on.
    fn will_do_until(&self, expires_at: Timestamp) -> bool {
        match self.mode {
            Mode::Enforced => true,
            Mode::ReportOnly => self.expires_at >= expires_at,
        }
    }
}

pub(super) struct Verification<K, R> {
    pub(super) settings: Settings,
    pub(super) audience: Arc<str>,
    pub(super) keys: K,
    pub(super) replay: R,
}

/// A refusal, and the caller if it was proven by then.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) caller: Option<KeyId>,
}

impl Refused {
    #[cold]
    pub(super) fn by(caller: &KeyId, refusal: impl Into<Refusal>) -> Self {
        Self {
            refusal: refusal.into(),
            caller: Some(caller.clone()),
        }
    }
}

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(error: E) -> Self {
        let refusal = error.into();
        let caller = refusal.rejection().and_then(Rejection::proven_caller);
        Self {
            caller: caller.cloned(),
            refusal,
        }
    }
}

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// The body to be handled and what handles it, or the response that refuses the request.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn keeps its arguments twice"
    )]
    fn enforce<B, S>(
        &self,
        parts: &mut Parts,
        mut body: Pin<&mut B>,
        inner: S,
    ) -> impl Future<Output = Result<(RequestBody, S), Response<Bytes>>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        async move {
            let now = self.settings.clock.now();
            let mut decision = Decision::begin(Mode::Enforced, &self.settings.metrics)
                // Before a header can be taken away.
                .of_grpc(grpc::is_call(&parts.method, &parts.headers));
            let mut intake = Intake::default();
            let verified = self.verify(parts, body.as_mut(), now, &mut decision, &mut intake);
            let refused = match verified.await {
                Ok(caller) => {
                    self.accepted(&caller, decision, intake.held(), now);
                    parts.extensions.insert(caller);
                    return Ok((intake.into_verified(), inner));
                }
                Err(refused) => refused,
            };
            // A body may not be polled past its end, or where it broke off. What is not handed on takes no memory while the rest
            // is drained.
            let (ended, is_grpc) = (intake.has_ended(), decision.is_grpc());
            let hint = self.hint(parts, &refused, &mut intake, now);
            drop(intake);
            self.refused(parts, &refused, hint.as_ref(), decision, now);
            // It may hold a permit, which a refused peer must not keep from others.
            drop(inner);
            let drain = &self.settings.drain;
            if !ended && drain.is_worth_it(parts, &refused.refusal, &*body) {
                Box::pin(drain.read(body)).await;
            }
            if is_grpc {
                return Err(refused.refusal.into_grpc_response());
            }
            let Settings {
                verifier, realm, ..
            } = &self.settings;
            Err(refused.refusal.into_response(verifier, realm, now))
        }
    }

    /// Logs and counts a request that is let through, or would be.
    pub(super) fn accepted(
        &self,
        caller: &VerifiedCaller,
        decision: Decision,
        body_bytes: u64,
        now: Timestamp,
    ) {
        events::accepted(caller, decision.mode());
        self.settings
            .key_use
            .record(caller.id(), caller.key_version(), now);
        decision.accepted(caller, body_bytes, now);
    }

    /// Logs and counts a request that is refused, or would be.
    pub(super) fn refused(
        &self,
        parts: &Parts,
        refused: &Refused,
        hint: Option<&Hint>,
        decision: Decision,
        now: Timestamp,
    ) {
        let Refused { refusal, caller } = refused;
        let settings = &self.settings;
        let claimed = settings.verifier.claimed_key_id(parts);
        let request = RefusedRequest {
            method: &parts.method,
            from: events::From::new(caller.as_ref(), claimed.as_deref()),
            hint,
            peer: settings.source.of(&parts.headers, &parts.extensions),
        };
        settings
            .events
            .refused(refusal, &request, decision.mode(), now);
        let scheme = || settings.verifier.claimed_scheme(&RequestHead::from(parts));
        if let Some(hint) = hint {
            let scheme = scheme();
            metrics::mismatch_hint(hint.code(), scheme, hint.is_matched.then_some(&hint.caller));
        }
        decision.refused(refusal, caller.as_ref(), scheme, now);
    }

    /// Steps 1 to 10, in their order.
    ///
    /// What has been read of the body is in `intake`, whatever becomes of the request.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn keeps its arguments twice"
    )]
    pub(super) fn verify<B>(
        &self,
        parts: &mut Parts,
        body: Pin<&mut B>,
        now: Timestamp,
        decision: &mut Decision,
        intake: &mut Intake,
    ) -> impl Future<Output = Result<VerifiedCaller, Refused>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        async move {
            // Steps 1 to 8: the head, then the body.
            let read = self.authenticate(parts, body, now, decision, intake);
            let (read, target) = read.await?;
            let refused = |refusal| Refused::by(read.verified.caller(), refusal);

            // Step 9: what the signature does not cover.
            let uncovered = &self.settings.uncovered;
            match decision.mode() {
                Mode::Enforced => uncovered.apply(&mut parts.headers, &read.verified),
                // The request stays as it is.
                Mode::ReportOnly => {
                    let headers = &mut parts.headers.clone();
                    uncovered.apply(headers, &read.verified)
                }
            }
            .map_err(|rejection| refused(rejection.into()))?;

            // Step 10: the nonce, once and for all.
            let replay_protected = self
                .claim(parts, &read, decision.mode())
                .await
                .map_err(refused)?;

            Ok(VerifiedCaller::new(read.verified, replay_protected, target))
        }
    }

    /// The claim of the nonce, the last thing before anyone could observe the request.
    ///
    /// Returns whether the request was let through as the first with its nonce.
    async fn claim(&self, parts: &mut Parts, read: &Read, mode: Mode) -> Result<bool, Refusal> {
        let verified = &read.verified;
        let Some(key) = read.replay_key else {
            return Ok(false);
        };
        let expires_at = verified
            .fresh_until()
            .saturating_add(read.judged_before)
            .saturating_add(self.settings.clock_difference);
        match self.claim_of_this_request(parts, key) {
            Some(claim) if claim.will_do_until(expires_at) => return Ok(true),
            Some(_) => return Err(forgotten_too_soon()),
            None => {}
        }
        let claim = ReplayClaim::new(
            key,
            verified.caller().clone(),
            verified.signed_at(),
            expires_at,
            self.settings.clock.now(),
        );
        if claim.now >= claim.expires_at {
            return Err(claimed_too_late(&claim).into());
        }
        let answer = if let Some(answer) = self.replay.try_claim(&claim) {
            answered(Store::Replay, answer)
        } else {
            let claim = self.replay.claim(claim);
            Box::pin(within(self.settings.store_deadline, Store::Replay, claim)).await
        };
        self.settings
            .metrics
            .replay_answer(answer.as_ref().ok().copied());
        self.settings
            .metrics
            .replay_entries(&self.audience, || self.replay.entries());
        let answer = match answer {
            Ok(answer) => answer,
            Err(outage) => {
                return self.settings.outages.decide(
                    outage,
                    verified.caller(),
                    &self.settings.events,
                    mode,
                    self.settings.clock.now(),
                );
            }
        };
        match answer {
            ClaimOutcome::Fresh => {
                let store = self.replay.id();
                let ClaimsMade(claims) = parts.extensions.get_or_insert_default();
                claims.push(ClaimMade {
                    store,
                    key,
                    mode,
                    expires_at,
                });
                Ok(true)
            }
            ClaimOutcome::OverQuota => Err(OVER_QUOTA.into()),
            // Whatever else a store may come to answer, it is not Fresh.
            _ => Err(verified.replayed().into()),
        }
    }

    /// The claim that a layer further out, with the same store, made of this key for this very request.
    pub(super) fn claim_of_this_request(&self, parts: &Parts, key: ReplayKey) -> Option<ClaimMade> {
        let store = self.replay.id();
        let ClaimsMade(made) = parts.extensions.get()?;
        made.iter()
            .find(|made| made.store == store && made.key == key)
            .copied()
    }
}

/// The operator's to mend, and nothing that a layer may continue without.
fn forgotten_too_soon() -> Refusal {
    Refusal::Unavailable {
        what: Store::Replay.name(),
        reason: "a layer further out that only reports claims nonces for a shorter time than this one: it needs a store or an audience of its own".to_owned(),
    }
}

/// A store that does not answer is not available: a request may not wait for ever.
pub(super) async fn within<T>(
    deadline: Duration,
    store: Store,
    answer: impl Future<Output = Result<T, Unavailable>>,
) -> Result<T, Refusal> {
    let wait = Wait::begin(store);
    let waited = tokio::time::timeout(deadline, answer).await;
    wait.end();
    if let Ok(answer) = waited {
        return answered(store, answer);
    }
    metrics::store_error(store, StoreError::Timeout);
    Err(Refusal::unavailable(store.name()))
}

pub(super) fn answered<T>(store: Store, answer: Result<T, Unavailable>) -> Result<T, Refusal> {
    if answer.is_err() {
        metrics::store_error(store, StoreError::Unavailable);
    }
    Ok(answer?)
}

/// What a request is refused with whose claim would be over when it is made: a store that forgets could not tell whether
/// the request came before.
#[cold]
fn claimed_too_late(claim: &ReplayClaim) -> Rejection {
    Rejection::naming(
        RejectionKind::Replayed,
        format_args!(
            "claim of the nonce: expected before {}, when the date is over, found at {}",
            claim.expires_at, claim.now
        ),
    )
}

const OVER_QUOTA: Rejection = Rejection::new(
    RejectionKind::OverQuota,
    "replay store: expected the caller within its quota of live nonces, found it used up; the quota is a setting of the store, such as MemoryReplayStoreBuilder::quota_per_caller",
);

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

    /// What allocators hand out from a list of ready pieces: glibc up to 1032 bytes.
    #[test]
    fn what_is_kept_of_a_request_that_waits_for_its_body_is_less_than_a_kibibyte() {
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

    /// A permit that a layer further out put into the body must not wait for the handler.
    #[tokio::test]
    async fn the_body_as_it_came_is_gone_when_the_request_is_handled() {
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
