//! Ends what was begun before the process ends.

use std::time::Duration;

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// Announces the end to all listeners, and waits for what they have accepted.
#[derive(Debug)]
pub(crate) struct Drain {
    announce: watch::Sender<bool>,
    guard: Guard,
    all_dropped: mpsc::Receiver<()>,
}

/// A listener's view of the announcement.
#[derive(Clone, Debug)]
pub(crate) struct Draining(watch::Receiver<bool>);

/// Keeps the process until it is dropped, or until the time for draining is over.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    _sender: mpsc::Sender<()>,
}

impl Drain {
    pub(crate) fn new() -> Self {
        let (announce, _) = watch::channel(false);
        let (sender, all_dropped) = mpsc::channel(1);
        Self {
            announce,
            guard: Guard { _sender: sender },
            all_dropped,
        }
    }

    pub(crate) fn draining(&self) -> Draining {
        Draining(self.announce.subscribe())
    }

    pub(crate) fn guard(&self) -> Guard {
        self.guard.clone()
    }

    /// Announces the end and waits for all guards. Returns whether they were dropped in time.
    pub(crate) async fn end(self, within: Duration) -> bool {
        let Self {
            announce,
            guard,
            mut all_dropped,
        } = self;
        announce.send_replace(true);
        drop(guard);
        timeout(within, all_dropped.recv()).await.is_ok()
    }
}

impl Draining {
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) async fn begins(&mut self) {
        // An error means that the sender is dropped: the process ends.
        let _: Result<_, _> = self.0.wait_for(|begun| *begun).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_every_guard_and_no_longer_than_it_may() {
        let drain = Drain::new();
        let (guard, mut draining) = (drain.guard(), drain.draining());
        assert!(!draining.has_begun());
        let ended = tokio::spawn(drain.end(Duration::from_secs(1)));
        draining.begins().await;
        drop(guard);
        assert!(ended.await.unwrap());

        let drain = Drain::new();
        let _guard = drain.guard();
        assert!(!drain.end(Duration::from_secs(1)).await);
    }
}
