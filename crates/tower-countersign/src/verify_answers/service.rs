use std::{
    fmt, mem,
    task::{Context, Poll},
};

use countersign::{AnswerError, AnswerErrorKind, Escaped, ResponseBinding};
use http::{Request, Response, StatusCode, request};
use http_body::Body;
use tower_service::Service;

use super::{
    checked_body::CheckedBody,
    future::VerifyAnswerFuture,
    layer::{Settings, UnsignedErrors},
    state::AnswerState,
};
use crate::BoxError;

/// The service of [`VerifyAnswerLayer`](crate::VerifyAnswerLayer). Its error is the inner
/// service's, or an [`AnswerError`]: `error.downcast_ref::<countersign::AnswerError>()` tells them
/// apart.
#[derive(Clone)]
pub struct VerifyAnswer<S> {
    inner: S,
    settings: Settings,
}

impl<S> VerifyAnswer<S> {
    pub(super) fn new(inner: S, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, ResBody> Service<Request<B>> for VerifyAnswer<S>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
    ResBody: Body + Send,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<CheckedBody<ResBody>>;
    type Error = BoxError;
    type Future = VerifyAnswerFuture<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Call the instance that was polled ready, not its clone.
        let unready = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, unready);
        let settings = self.settings.clone();
        VerifyAnswerFuture(Box::pin(async move {
            let (parts, body) = request.into_parts();
            let binding = settings.bind(&parts)?;
            let response = inner.call(Request::from_parts(parts, body)).await;
            Ok(settings.verify(&binding, response.map_err(Into::into)?)?)
        }))
    }
}

impl Settings {
    /// Returns the binding of a request. Refuses one whose answer could not be verified.
    fn bind(&self, parts: &request::Parts) -> Result<ResponseBinding, AnswerError> {
        let binding = ResponseBinding::of(parts)?;
        if self.verifier.knows(binding.authority()) {
            return Ok(binding);
        }
        Err(AnswerError::naming(
            AnswerErrorKind::Unbound,
            format_args!(
                "authority: expected a service whose keys are known, found \"{}\"",
                Escaped::text(binding.authority())
            ),
        ))
    }

    fn verify<B: Body>(
        &self,
        binding: &ResponseBinding,
        response: Response<B>,
    ) -> Result<Response<CheckedBody<B>>, AnswerError> {
        let (mut parts, body) = response.into_parts();
        let now = self.clock.now();
        let (state, body) = match self.verifier.authenticate(binding, &parts, now) {
            Ok(answer) => {
                let offset = answer.clock_offset_seconds();
                let service = answer.service().clone();
                if let Some(offset_seconds) = offset {
                    clock_differs(&service, offset_seconds);
                }
                let state = AnswerState::Verified {
                    service,
                    clock_offset_seconds: offset,
                };
                let body = CheckedBody::checked(body, answer);
                (
                    state,
                    body.map_err(|error| error.with_status(parts.status))?,
                )
            }
            Err(error)
                if error.kind() == AnswerErrorKind::Unsigned
                    && self.unsigned == UnsignedErrors::Allowed
                    && is_of_a_proxy(parts.status) =>
            {
                (AnswerState::Unsigned, CheckedBody::unchecked(body))
            }
            Err(error) => return Err(error),
        };
        parts.extensions.insert(state);
        Ok(Response::from_parts(parts, body))
    }
}

fn clock_differs(service: &countersign::KeyId, offset_seconds: i64) {
    tracing::warn!(
        target: "countersign",
        outcome = "clock_differs",
        %service,
        offset_seconds,
        "the service refused the date of a request, and signed its own time"
    );
}

/// Returns whether a proxy may answer with this status in the place of the service.
fn is_of_a_proxy(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

impl<S: fmt::Debug> fmt::Debug for VerifyAnswer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyAnswer")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
