//! Reads credentials from disk without blocking a request's thread.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

use super::provider::SigV4Credentials;
use crate::error::{ConfigError, ConfigErrorKind};

type Answer = Result<SigV4Credentials, ConfigError>;

/// Reads on one thread at a time. A disk that hangs blocks one thread, regardless of the number of
/// requests.
#[derive(Debug, Default)]
pub(super) struct Reading {
    is_under_way: Arc<AtomicBool>,
}

/// The thread's answer, once available.
#[derive(Debug)]
pub(super) struct Read(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Reading {
    /// Starts reading.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the previous thread has not ended yet, or no thread can be
    /// started.
    pub(super) fn start(
        &self,
        read: impl FnOnce() -> Answer + Send + 'static,
    ) -> Result<Read, ConfigError> {
        if self.is_under_way.swap(true, Ordering::AcqRel) {
            return Err(failed(
                "expected the last reading to end, found it under way",
            ));
        }
        let slot = Arc::new(Mutex::new(Slot::default()));
        let theirs = Arc::clone(&slot);
        let is_under_way = Arc::clone(&self.is_under_way);
        let started = thread::Builder::new()
            .name("countersign-credentials".to_owned())
            .spawn(move || {
                let answer = catch_unwind(AssertUnwindSafe(read))
                    .unwrap_or_else(|_| Err(failed("expected credentials, found a panic")));
                is_under_way.store(false, Ordering::Release);
                let waker = {
                    let mut slot = lock(&theirs);
                    slot.answer = Some(answer);
                    slot.waker.take()
                };
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
        match started {
            Ok(_) => Ok(Read(slot)),
            Err(error) => {
                self.is_under_way.store(false, Ordering::Release);
                Err(failed("no thread to read it on").with_source(error))
            }
        }
    }
}

impl Future for Read {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut slot = lock(&self.0);
        if let Some(answer) = slot.answer.take() {
            return Poll::Ready(answer);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

fn failed(problem: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::File, problem)
}

/// The guarded value is consistent even after a panic: each change is one assignment.
fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::mpsc::channel, task::Wake};

    use super::*;

    #[derive(Debug)]
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn wait(read: Read) -> Answer {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut read = pin!(read);
        loop {
            match read.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => thread::park(),
            }
        }
    }

    #[test]
    fn a_disk_that_hangs_holds_one_thread() {
        let reading = Reading::default();
        let (open, opened) = channel();
        let hanging = reading
            .start(move || {
                opened.recv().unwrap();
                Err(failed("read at last"))
            })
            .unwrap();
        for _ in 0..3 {
            let error = reading.start(|| unreachable!("one at a time")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "expected the last reading to end, found it under way"
            );
        }
        open.send(()).unwrap();
        assert_eq!(wait(hanging).unwrap_err().to_string(), "read at last");
        let next = reading.start(|| Err(failed("another"))).unwrap();
        assert_eq!(wait(next).unwrap_err().to_string(), "another");
    }

    #[test]
    fn a_panic_is_a_failure_and_does_not_stop_the_next_reading() {
        let reading = Reading::default();
        let panics = reading.start(|| panic!("secret")).unwrap();
        assert_eq!(
            wait(panics).unwrap_err().to_string(),
            "expected credentials, found a panic"
        );
        assert!(reading.start(|| Err(failed("next"))).is_ok());
    }
}
