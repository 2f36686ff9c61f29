use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::watch};

use crate::error::Error;

/// The time for which the error of a failed attempt is returned before the next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(100);

type Make<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
type Outcome<T> = Option<Result<Numbered<T>, Error>>;

/// A value that at most one task at a time creates, for all requests that wait: a connection, or
/// the slot map of a cluster. The value is shared until it is discarded.
///
/// The task is spawned, so a cancelled request does not cancel the task for other requests.
pub(crate) struct SingleFlight<T> {
    make: Box<dyn Fn() -> Make<T> + Send + Sync>,
    state: Mutex<State<T>>,
}

struct State<T> {
    current: Option<Numbered<T>>,
    failed: Option<(Error, Instant)>,
    in_flight: Option<watch::Receiver<Outcome<T>>>,
    made: u64,
}

/// A value and its number, which identifies the value among all created values.
#[derive(Clone)]
pub(crate) struct Numbered<T> {
    pub(crate) number: u64,
    pub(crate) value: T,
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    pub(crate) fn new<M, F>(make: M) -> Arc<Self>
    where
        M: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        Arc::new(Self {
            make: Box::new(move || Box::pin(make())),
            state: Mutex::new(State {
                current: None,
                failed: None,
                in_flight: None,
                made: 0,
            }),
        })
    }

    /// Returns the current value, or waits for the next one.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Numbered<T>, Error> {
        let mut next = {
            let mut state = self.state()?;
            if let Some(current) = &state.current {
                return Ok(current.clone());
            }
            self.start(&mut state)?
        };
        let outcome = next.wait_for(Option::is_some).await;
        if let Ok(outcome) = outcome {
            return match &*outcome {
                Some(outcome) => outcome.clone(),
                None => Err(cancelled()),
            };
        }
        drop(outcome);
        // The task panicked, or its runtime ended. The next request starts a new task.
        let mut state = self.state()?;
        let is_that = |flight: &watch::Receiver<_>| flight.same_channel(&next);
        if state.in_flight.as_ref().is_some_and(is_that) {
            state.in_flight = None;
        }
        Err(cancelled())
    }

    /// Creates the next value. The current value is used until then.
    pub(crate) fn renew(self: &Arc<Self>) {
        if let Ok(mut state) = self.state() {
            // The error can be ignored: requests that need the new value start a task themselves.
            let _ = self.start(&mut state);
        }
    }

    /// Discards the value with this number. A later value stays.
    pub(crate) fn discard(&self, number: u64) {
        if let Ok(mut state) = self.state()
            && state
                .current
                .as_ref()
                .is_some_and(|current| current.number == number)
        {
            state.current = None;
        }
    }

    fn start(self: &Arc<Self>, state: &mut State<T>) -> Result<watch::Receiver<Outcome<T>>, Error> {
        if let Some(flight) = &state.in_flight {
            return Ok(flight.clone());
        }
        if let Some((error, at)) = &state.failed
            && at.elapsed() < RETRY_AFTER
        {
            return Err(error.clone());
        }
        let runtime = Handle::try_current()
            .map_err(|_| Error::unreachable("expected a tokio runtime, found none"))?;
        let (done, flight) = watch::channel(None);
        state.in_flight = Some(flight.clone());
        let future = (self.make)();
        let this = Arc::clone(self);
        runtime.spawn(async move {
            let outcome = future.await;
            let outcome = this.store(outcome);
            // All requests that waited may have been cancelled.
            let _ = done.send(Some(outcome));
        });
        Ok(flight)
    }

    fn store(&self, outcome: Result<T, Error>) -> Result<Numbered<T>, Error> {
        let mut state = self.state()?;
        state.in_flight = None;
        match outcome {
            Ok(value) => {
                state.made = state.made.saturating_add(1);
                let made = Numbered {
                    number: state.made,
                    value,
                };
                state.current = Some(made.clone());
                state.failed = None;
                Ok(made)
            }
            Err(error) => {
                state.failed = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }

    fn state(&self) -> Result<MutexGuard<'_, State<T>>, Error> {
        self.state
            .lock()
            .map_err(|_| Error::unreachable("a panic left the connection in an unknown state"))
    }
}

fn cancelled() -> Error {
    Error::unreachable("connecting was cancelled")
}

impl<T> fmt::Debug for SingleFlight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Returns the number of the attempt as the value, or fails while it is below `failing`.
    fn counting(failing: usize) -> (Arc<SingleFlight<usize>>, Arc<AtomicUsize>) {
        let attempts = Arc::new(AtomicUsize::new(0));
        let flight = SingleFlight::new({
            let attempts = Arc::clone(&attempts);
            move || {
                let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                async move {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    if attempt < failing {
                        return Err(Error::unreachable("not yet"));
                    }
                    Ok(attempt)
                }
            }
        });
        (flight, attempts)
    }

    #[tokio::test]
    async fn concurrent_requests_create_one_value() {
        let (flight, attempts) = counting(0);
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let flight = Arc::clone(&flight);
                tokio::spawn(async move { flight.get().await.unwrap().value })
            })
            .collect();
        for asked in asking {
            assert_eq!(asked.await.unwrap(), 0);
        }
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn only_the_broken_value_is_discarded() {
        let (flight, _) = counting(0);
        let first = flight.get().await.unwrap();
        flight.discard(first.number);
        let second = flight.get().await.unwrap();
        assert_ne!(second.number, first.number);
        // A late error of the first value.
        flight.discard(first.number);
        assert_eq!(flight.get().await.unwrap().number, second.number);
    }

    #[tokio::test]
    async fn a_failure_is_returned_to_all_for_a_while_and_then_retried() {
        let (flight, attempts) = counting(1);
        for _ in 0..10 {
            assert!(flight.get().await.is_err());
        }
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
        tokio::time::sleep(RETRY_AFTER).await;
        assert_eq!(flight.get().await.unwrap().value, 1);
    }

    #[tokio::test]
    async fn the_current_value_is_used_until_the_next_one_is_ready() {
        let (flight, attempts) = counting(0);
        flight.get().await.unwrap();
        flight.renew();
        assert_eq!(flight.get().await.unwrap().value, 0);
        while flight.get().await.unwrap().value == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(attempts.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn the_first_request_may_be_cancelled() {
        let (flight, attempts) = counting(0);
        let first = tokio::spawn({
            let flight = Arc::clone(&flight);
            async move { flight.get().await.map(|made| made.value) }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(flight.get().await.unwrap().value, 0);
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_end_of_a_runtime_is_survived() {
        let (flight, _) = counting(0);
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
        };
        let first = runtime();
        first.block_on(async { flight.renew() });
        drop(first);
        let second = runtime();
        assert!(
            second.block_on(flight.get()).is_err(),
            "its task was dropped"
        );
        assert!(second.block_on(flight.get()).is_ok());
    }
}
