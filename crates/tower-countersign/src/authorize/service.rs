use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{events, future::AuthorizeFuture, rule::Rule};
use crate::{
    caller_facts::CallerFacts,
    grpc,
    metrics::{Authorization, Handles},
    mode::Mode,
    unverified_caller::UnverifiedCaller,
    verified_caller::VerifiedCaller,
    verify::{ResponseBody, events::Events},
};

/// The service of [`AllowCallers`](crate::AllowCallers) and
/// [`AuthorizeLayer`](crate::AuthorizeLayer). See the [module documentation](crate::authorize).
#[derive(Clone, Debug)]
pub struct Authorize<S> {
    inner: S,
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) rule: Rule,
    pub(super) mode: Mode,
    pub(super) events: Events,
    pub(super) metrics: Arc<Handles>,
}

impl Settings {
    pub(super) fn new(rule: Rule) -> Self {
        Self {
            rule,
            mode: Mode::Enforced,
            events: Events::default(),
            metrics: Arc::default(),
        }
    }

    /// Returns the response that refuses the request, or `None` if the request is passed on.
    fn refusal<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        let caller = self.caller(request);
        let forbidden = match self.rule.judge(caller, request) {
            Ok(statement) => {
                let caller = caller.map(|caller| caller.id());
                self.metrics
                    .authorization_decision(Authorization::Allowed, caller, self.mode);
                events::allowed(caller, request.method(), statement.as_ref());
                return None;
            }
            Err(forbidden) => forbidden,
        };
        let caller = caller.map(|caller| caller.id());
        self.metrics
            .authorization_decision(Authorization::Denied, caller, self.mode);
        let now = self.rule.now();
        events::forbidden(&self.events, &forbidden, self.mode, request.method(), now);
        match self.mode {
            Mode::Enforced if grpc::is_call(request.method(), request.headers()) => {
                Some(forbidden.into_grpc_response())
            }
            Mode::Enforced => Some(forbidden.into_response()),
            Mode::ReportOnly => None,
        }
    }

    /// Returns the caller to judge. A report-only layer also takes the caller that a report-only
    /// `VerifyLayer` would have accepted. An enforcing layer takes only a verified caller. On a
    /// streamed route, only the head of that caller's request is verified.
    fn caller<'r, B>(&self, request: &'r Request<B>) -> Option<CallerFacts<'r>> {
        let extensions = request.extensions();
        match (CallerFacts::of(extensions), self.mode) {
            (None, Mode::ReportOnly) => extensions
                .get::<UnverifiedCaller>()
                .and_then(UnverifiedCaller::as_if_enforced)
                .map(VerifiedCaller::facts),
            (verified, _) => verified,
        }
    }
}

impl<S> Authorize<S> {
    pub(super) fn new(inner: S, settings: Settings) -> Self {
        Self {
            inner,
            settings: Arc::new(settings),
        }
    }
}

impl<S, B, ResBody> Service<Request<B>> for Authorize<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = AuthorizeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Nothing is awaited before this call, so `self.inner` is the instance that was polled
        // ready.
        match self.settings.refusal(&request) {
            None => AuthorizeFuture::handled(self.inner.call(request)),
            Some(refusal) => AuthorizeFuture::refused(refusal),
        }
    }
}
