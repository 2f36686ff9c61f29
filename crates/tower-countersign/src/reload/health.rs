use std::fmt;

use countersign::Timestamp;
use tokio::sync::watch;

/// How reloading goes, for whoever watches over a service: cheap to clone, and readable from anywhere at any time.
///
/// It does not keep the reloading alive.
#[derive(Clone)]
pub struct ReloadHealth {
    status: watch::Receiver<ReloadStatus>,
}

impl ReloadHealth {
    pub(super) fn new(status: watch::Receiver<ReloadStatus>) -> Self {
        Self { status }
    }

    /// How it stands now.
    pub fn status(&self) -> ReloadStatus {
        self.status.borrow().clone()
    }

    /// Whether nobody reads the source any more: its [`Reloading`](super::Reloading) was dropped.
    pub fn is_stopped(&self) -> bool {
        self.status.has_changed().is_err()
    }

    /// Waits for an attempt that this handle has not told of yet, whether it succeeded or failed. `None` once reloading
    /// has stopped.
    pub async fn changed(&mut self) -> Option<ReloadStatus> {
        self.status.changed().await.ok()?;
        Some(self.status.borrow_and_update().clone())
    }

    /// Waits until the status is one that `wanted` takes, which it may be already. `None` once reloading has stopped
    /// short of it.
    pub async fn wait_for(
        &mut self,
        mut wanted: impl FnMut(&ReloadStatus) -> bool,
    ) -> Option<ReloadStatus> {
        let status = self.status.wait_for(|status| wanted(status)).await;
        status.ok().map(|status| status.clone())
    }
}

impl fmt::Debug for ReloadHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadHealth")
            .field("status", &*self.status.borrow())
            .finish()
    }
}

/// How reloading stands at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadStatus {
    pub(super) generation: u64,
    pub(super) loaded_at: Timestamp,
    pub(super) checked_at: Timestamp,
    pub(super) error: Option<ReloadError>,
    pub(super) last_error: Option<ReloadError>,
    pub(super) notified: bool,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadError {
    pub(super) at: Timestamp,
    pub(super) message: String,
}

impl ReloadStatus {
    /// Whether what is in use is what the source holds, as far as is known. `false` while the source is bad or gone:
    /// then what was last good is in use.
    pub fn is_good(&self) -> bool {
        self.error.is_none()
    }

    /// How many times something was put into use: 1 after the start, one more with each change that was good.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When what is in use was read.
    pub fn loaded_at(&self) -> Timestamp {
        self.loaded_at
    }

    /// When the source was last looked at. If this is far longer ago than the poll interval, the disk hangs.
    pub fn checked_at(&self) -> Timestamp {
        self.checked_at
    }

    /// What is wrong with the source now; `None` if it is good.
    pub fn error(&self) -> Option<&ReloadError> {
        self.error.as_ref()
    }

    /// The last attempt that failed, whether or not one succeeded since.
    pub fn last_error(&self) -> Option<&ReloadError> {
        self.last_error.as_ref()
    }

    /// Whether the operating system tells of changes at once. If not, a change is seen at the next poll.
    pub fn is_notified(&self) -> bool {
        self.notified
    }
}

impl ReloadError {
    /// When the source was found bad: the latest attempt.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What was wrong, for the operator. Errors of keys and settings hold no key.
    pub fn message(&self) -> &str {
        &self.message
    }
}
