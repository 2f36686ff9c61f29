use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::verify::ResponseBody;

pin_project! {
    /// The future of [`Authorize`](super::Authorize).
    #[derive(Debug)]
    pub struct AuthorizeFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum State<F> {
        Handled { #[pin] future: F },
        Refused { refusal: Option<Response<Bytes>> },
    }
}

impl<F> AuthorizeFuture<F> {
    pub(super) fn handled(future: F) -> Self {
        Self {
            state: State::Handled { future },
        }
    }

    pub(super) fn refused(refusal: Response<Bytes>) -> Self {
        Self {
            state: State::Refused {
                refusal: Some(refusal),
            },
        }
    }
}

impl<F, ResBody, E> Future for AuthorizeFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Handled { future } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(response.map(ResponseBody::handled)))
            }
            Projected::Refused { refusal } => match refusal.take() {
                Some(refusal) => Poll::Ready(Ok(refusal.map(ResponseBody::refused))),
                // A caller must not poll again after `Ready`.
                None => Poll::Pending,
            },
        }
    }
}
