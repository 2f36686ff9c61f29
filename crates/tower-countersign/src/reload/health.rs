use std::fmt;

use countersign::Timestamp;
use tokio::sync::watch;

/// The health of a watched source. Clones are cheap, and every thread can read the status at any
/// time.
///
/// This value does not keep the watch alive.
#[derive(Clone)]
pub struct ReloadHealth {
    status: watch::Receiver<ReloadStatus>,
}

impl ReloadHealth {
    pub(super) fn new(status: watch::Receiver<ReloadStatus>) -> Self {
        Self { status }
    }

    /// Returns the current status.
    pub fn status(&self) -> ReloadStatus {
        self.status.borrow().clone()
    }

    /// Returns whether the watch has stopped because its [`Reloading`](super::Reloading) was
    /// dropped.
    pub fn is_stopped(&self) -> bool {
        self.status.has_changed().is_err()
    }

    /// Waits for the next attempt that this handle has not yet seen, successful or not. Returns
    /// `None` once the watch has stopped.
    pub async fn changed(&mut self) -> Option<ReloadStatus> {
        self.status.changed().await.ok()?;
        Some(self.status.borrow_and_update().clone())
    }

    /// Waits until `wanted` returns `true` for the status, which may be at once. Returns `None` if
    /// the watch stops first.
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

/// The status of a watched source at one moment.
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
    /// Returns whether the source was good at the last attempt. `false` while the source is bad or
    /// absent; the last good content stays in use.
    pub fn is_good(&self) -> bool {
        self.error.is_none()
    }

    /// Returns the number of values put into use: 1 after the start, plus one per successful
    /// reload.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the time when the content in use was read.
    pub fn loaded_at(&self) -> Timestamp {
        self.loaded_at
    }

    /// Returns the time of the last check. A time far older than the poll interval means that the
    /// disk does not respond.
    pub fn checked_at(&self) -> Timestamp {
        self.checked_at
    }

    /// Returns the current error of the source, or `None` if the source is good.
    pub fn error(&self) -> Option<&ReloadError> {
        self.error.as_ref()
    }

    /// Returns the error of the last failed attempt, even if a later attempt succeeded.
    pub fn last_error(&self) -> Option<&ReloadError> {
        self.last_error.as_ref()
    }

    /// Returns whether the operating system reports changes. If not, polling detects them.
    pub fn is_notified(&self) -> bool {
        self.notified
    }
}

impl ReloadError {
    /// Returns the time of the latest failed attempt.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the error text for the operator. Errors about keys and settings contain no key.
    pub fn message(&self) -> &str {
        &self.message
    }
}
