use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::watch};

use crate::failure::Failure;

/// After a failed attempt, how long everyone is told of that one before the next.
const PAUSE: Duration = Duration::from_millis(100);

type Making<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;
type Outcome<T> = Option<Result<Numbered<T>, Failure>>;

/// Something that is made by one task at a time, however many need it, and is kept until it is discarded: a connection, or the
/// map of a cluster.
///
/// It is made by a task of its own, so that a request that goes away takes nothing from those that wait with it.
pub(crate) struct Kept<T> {
    make: Box<dyn Fn() -> Making<T> + Send + Sync>,
    state: Mutex<State<T>>,
}

struct State<T> {
    current: Option<Numbered<T>>,
    failed: Option<(Failure, Instant)>,
    in_the_making: Option<watch::Receiver<Outcome<T>>>,
    made: u64,
}

/// Which one of those that were made.
#[derive(Clone)]
pub(crate) struct Numbered<T> {
    pub(crate) number: u64,
    pub(crate) value: T,
}

impl<T: Clone + Send + Sync + 'static> Kept<T> {
    pub(crate) fn new<M, F>(make: M) -> Arc<Self>
    where
        M: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        Arc::new(Self {
            make: Box::new(move || Box::pin(make())),
            state: Mutex::new(State {
                current: None,
                failed: None,
                in_the_making: None,
                made: 0,
            }),
        })
    }

    /// The one that is kept, or the next.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Numbered<T>, Failure> {
        let mut next = {
            let mut state = self.state()?;
            if let Some(current) = &state.current {
                return Ok(current.clone());
            }
            self.make_in(&mut state)?
        };
        let outcome = next.wait_for(Option::is_some).await;
        if let Ok(outcome) = outcome {
            return match &*outcome {
                Some(outcome) => outcome.clone(),
                None => Err(given_up()),
            };
        }
        drop(outcome);
        // The runtime of that task is gone, or it panicked. The next one to ask begins anew.
        let mut state = self.state()?;
        let is_that = |making: &watch::Receiver<_>| making.same_channel(&next);
        if state.in_the_making.as_ref().is_some_and(is_that) {
            state.in_the_making = None;
        }
        Err(given_up())
    }

    /// Makes the next one and keeps the present one until it is there.
    pub(crate) fn renew(self: &Arc<Self>) {
        if let Ok(mut state) = self.state() {
            // Whoever needs it more than the present one asks again.
            let _ = self.make_in(&mut state);
        }
    }

    /// Keeps this one no longer. A later one stays.
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

    fn make_in(
        self: &Arc<Self>,
        state: &mut State<T>,
    ) -> Result<watch::Receiver<Outcome<T>>, Failure> {
        if let Some(making) = &state.in_the_making {
            return Ok(making.clone());
        }
        if let Some((failure, at)) = &state.failed
            && at.elapsed() < PAUSE
        {
            return Err(failure.clone());
        }
        let runtime = Handle::try_current()
            .map_err(|_| Failure::unreachable("expected a tokio runtime, found none"))?;
        let (done, making) = watch::channel(None);
        state.in_the_making = Some(making.clone());
        let future = (self.make)();
        let kept = Arc::clone(self);
        runtime.spawn(async move {
            let outcome = future.await;
            let outcome = kept.keep(outcome);
            // Nobody may be waiting any more.
            let _ = done.send(Some(outcome));
        });
        Ok(making)
    }

    fn keep(&self, outcome: Result<T, Failure>) -> Result<Numbered<T>, Failure> {
        let mut state = self.state()?;
        state.in_the_making = None;
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
            Err(failure) => {
                state.failed = Some((failure.clone(), Instant::now()));
                Err(failure)
            }
        }
    }

    fn state(&self) -> Result<MutexGuard<'_, State<T>>, Failure> {
        self.state
            .lock()
            .map_err(|_| Failure::unreachable("a panic left the connection in pieces"))
    }
}

fn given_up() -> Failure {
    Failure::unreachable("connecting was given up")
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Makes the number of the attempt, or fails while it is below `failing`.
    fn counting(failing: usize) -> (Arc<Kept<usize>>, Arc<AtomicUsize>) {
        let attempts = Arc::new(AtomicUsize::new(0));
        let kept = Kept::new({
            let attempts = Arc::clone(&attempts);
            move || {
                let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                async move {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    if attempt < failing {
                        return Err(Failure::unreachable("not yet"));
                    }
                    Ok(attempt)
                }
            }
        });
        (kept, attempts)
    }

    #[tokio::test]
    async fn many_that_ask_at_once_make_one() {
        let (kept, attempts) = counting(0);
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move { kept.get().await.unwrap().value })
            })
            .collect();
        for asked in asking {
            assert_eq!(asked.await.unwrap(), 0);
        }
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn only_the_one_that_broke_is_discarded() {
        let (kept, _) = counting(0);
        let first = kept.get().await.unwrap();
        kept.discard(first.number);
        let second = kept.get().await.unwrap();
        assert_ne!(second.number, first.number);
        // A late word about the first one.
        kept.discard(first.number);
        assert_eq!(kept.get().await.unwrap().number, second.number);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_for_a_while_and_then_it_is_tried_again() {
        let (kept, attempts) = counting(1);
        for _ in 0..10 {
            assert!(kept.get().await.is_err());
        }
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
        tokio::time::sleep(PAUSE).await;
        assert_eq!(kept.get().await.unwrap().value, 1);
    }

    #[tokio::test]
    async fn the_present_one_is_used_until_the_next_is_there() {
        let (kept, attempts) = counting(0);
        kept.get().await.unwrap();
        kept.renew();
        assert_eq!(kept.get().await.unwrap().value, 0);
        while kept.get().await.unwrap().value == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(attempts.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn who_asked_first_may_go_away() {
        let (kept, attempts) = counting(0);
        let first = tokio::spawn({
            let kept = Arc::clone(&kept);
            async move { kept.get().await.map(|made| made.value) }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(kept.get().await.unwrap().value, 0);
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_runtime_that_ended_in_between_is_survived() {
        let (kept, _) = counting(0);
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
        };
        let first = runtime();
        first.block_on(async { kept.renew() });
        drop(first);
        let second = runtime();
        assert!(second.block_on(kept.get()).is_err(), "its task is gone");
        assert!(second.block_on(kept.get()).is_ok());
    }
}
