use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::{
    BodyError, CallerRejection, HeadVerifiedCaller, VerifiedCaller, verify::stream::BodyStream,
};

/// The body of a request on a [streamed](crate::BodyMode::Stream) route: it is verified while the
/// handler reads it.
///
/// Read it with [`chunk`](Self::chunk), keep what was read where nobody sees it, and commit with
/// the [`VerifiedCaller`] that [`verified`](Self::verified) returns. On every other route the
/// response is 500.
///
/// ```
/// use axum::extract::Path;
/// use http::StatusCode;
/// use tower_countersign::{BodyError, StreamedBody, VerifiedCaller};
///
/// # struct Staged;
/// # impl Staged {
/// #     async fn begin(_: &str) -> Self { Self }
/// #     async fn write(&mut self, _: &[u8]) {}
/// #     async fn commit(self, _: &VerifiedCaller) {}
/// # }
/// async fn put(Path(name): Path<String>, mut body: StreamedBody) -> Result<StatusCode, BodyError> {
///     let mut staged = Staged::begin(&name).await;
///     while let Some(chunk) = body.chunk().await? {
///         staged.write(&chunk).await;
///     }
///     // Takes a `&VerifiedCaller`. There is no other way to one.
///     staged.commit(&body.verified().await?).await;
///     Ok(StatusCode::CREATED)
/// }
/// # let _ = put;
/// ```
pub struct StreamedBody {
    body: Body,
    stream: BodyStream,
    caller: HeadVerifiedCaller,
}

impl StreamedBody {
    /// Returns the caller. Only the head of its request is verified.
    pub fn caller(&self) -> &HeadVerifiedCaller {
        &self.caller
    }

    /// Returns the next piece of the body, or `None` at the verified end.
    ///
    /// # Errors
    ///
    /// A [`BodyError`] if the body is not the signed one, breaks a limit, or cannot be read.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        while let Some(frame) = self.frame().await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Reads and drops the rest, and returns the caller once the whole body is verified.
    ///
    /// # Errors
    ///
    /// As [`chunk`](Self::chunk).
    pub async fn verified(mut self) -> Result<VerifiedCaller, BodyError> {
        while self.chunk().await?.is_some() {}
        // A layer inside the verifying layer may have left a part of the body unread.
        self.stream.verified().await
    }
}

impl http_body::Body for StreamedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                BodyError::find(&error).unwrap_or_else(|| BodyError::elsewhere(error.into_inner()))
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}

impl<S: Send + Sync> FromRequest<S> for StreamedBody {
    type Rejection = CallerRejection;

    async fn from_request(request: Request, _state: &S) -> Result<Self, CallerRejection> {
        let (parts, body) = request.into_parts();
        let stream = parts
            .extensions
            .get::<BodyStream>()
            .ok_or(CallerRejection)?;
        Ok(Self {
            caller: stream.caller(),
            stream: stream.clone(),
            body,
        })
    }
}

impl fmt::Debug for StreamedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedBody")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}
