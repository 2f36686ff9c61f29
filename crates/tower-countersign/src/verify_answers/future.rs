use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::BoxError;

/// The future of [`VerifyAnswer`](super::VerifyAnswer).
pub struct VerifyAnswerFuture<T>(
    pub(super) Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>,
);

impl<T> Future for VerifyAnswerFuture<T> {
    type Output = Result<T, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for VerifyAnswerFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyAnswerFuture").finish_non_exhaustive()
    }
}
