use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

/// Returns the outputs of all futures, which take turns on this task.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut turns: Vec<_> = futures.into_iter().map(Turn::new).collect();
    poll_fn(|cx| {
        let mut pending = false;
        for turn in &mut turns {
            if turn.output.is_none() {
                match turn.future.as_mut().poll(cx) {
                    Poll::Ready(output) => turn.output = Some(output),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    turns.into_iter().filter_map(|turn| turn.output).collect()
}

struct Turn<F: Future> {
    future: Pin<Box<F>>,
    output: Option<F::Output>,
}

impl<F: Future> Turn<F> {
    fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            output: None,
        }
    }
}

/// Returns the output of `future`, or `None` if `limit` expires first.
pub(super) async fn before<F: Future>(
    future: F,
    limit: impl Future<Output = ()>,
) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut limit = std::pin::pin!(limit);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        limit.as_mut().poll(cx).map(|()| None)
    })
    .await
}
