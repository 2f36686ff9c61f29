use std::{
    fmt, mem,
    task::{Context, Poll},
};

use countersign::{PayloadDigest, SignError};
use http::Request;
use http_body::Body;
use tower_service::Service;

use super::{
    buffered_body::BufferedBody, future::SignFuture, settings::Settings, signed_body::SignedBody,
};
use crate::{BoxError, grpc};

/// The service of [`SignLayer`](crate::SignLayer). Its error is the inner service's, or a
/// [`SignError`](countersign::SignError) if the request was not sent:
/// `error.downcast_ref::<countersign::SignError>()` tells them apart.
#[derive(Clone)]
pub struct Sign<S> {
    inner: S,
    settings: Settings,
}

impl<S> Sign<S> {
    pub(super) fn new(inner: S, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

impl<S, B> Service<Request<B>> for Sign<S>
where
    S: Service<Request<SignedBody<B>>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = SignFuture<S::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Call the instance that was polled ready, not its clone.
        let unready = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, unready);
        let settings = self.settings.clone();
        SignFuture(Box::pin(async move {
            let request = sign(&settings, request).await?;
            inner.call(request).await.map_err(Into::into)
        }))
    }
}

async fn sign<B>(
    settings: &Settings,
    request: Request<B>,
) -> Result<Request<SignedBody<B>>, SignError>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    if let Some(origin) = &settings.origin {
        origin.apply(&mut parts)?;
    }
    // Select the signer before the body is read: without a signer, the body stays unread.
    let Some(signer) = settings.signer(&parts)? else {
        return Ok(Request::from_parts(parts, SignedBody::streamed(body)));
    };
    signer.prepare_authority(&mut parts)?;
    let (body, signature) = if let Some(digest) = parts.extensions.remove::<PayloadDigest>() {
        let signature = settings.sign(&signer, &parts, digest).await?;
        (SignedBody::streamed(body), signature)
    } else {
        if grpc::is_grpc(&parts.headers) {
            settings.bidirectional.ensure_none(parts.uri.path())?;
        }
        let mut body = BufferedBody::read(body, &parts.headers, &settings.buffer).await?;
        // The keys may have changed while the body was read.
        let Some(signer) = settings.signer(&parts)? else {
            return Ok(Request::from_parts(parts, body.into()));
        };
        let signature = if signer.needs_body() {
            settings.sign(&signer, &parts, &*body.bytes()).await?
        } else {
            settings.sign(&signer, &parts, body.digest()).await?
        };
        (body.into(), signature)
    };
    signature.apply(&mut parts);
    Ok(Request::from_parts(parts, body))
}

impl<S: fmt::Debug> fmt::Debug for Sign<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sign")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
