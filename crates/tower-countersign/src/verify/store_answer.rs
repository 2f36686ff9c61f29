//! Waits for answers of the stores within their deadline, and counts errors.

use std::{future::Future, time::Duration};

use countersign::Unavailable;

use crate::{
    metrics::{self, Store, StoreError, Wait},
    refusal::Refusal,
};

/// Waits for an answer until the deadline. A store that has not answered by then is unavailable.
pub(super) async fn within<T>(
    deadline: Duration,
    store: Store,
    answer: impl Future<Output = Result<T, Unavailable>>,
) -> Result<T, Refusal> {
    let wait = Wait::begin(store);
    let waited = tokio::time::timeout(deadline, answer).await;
    wait.end();
    if let Ok(answer) = waited {
        return counted(store, answer);
    }
    metrics::store_error(store, StoreError::Timeout);
    Err(Refusal::unavailable(store.name()))
}

/// Counts the answer if it is an error.
pub(super) fn counted<T>(store: Store, answer: Result<T, Unavailable>) -> Result<T, Refusal> {
    if answer.is_err() {
        metrics::store_error(store, StoreError::Unavailable);
    }
    Ok(answer?)
}
