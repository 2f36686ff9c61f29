use std::{path::Path, sync::Arc, time::Duration};

use countersign::{ConfigError, ConfigErrorKind};

use crate::{body_timer::TimeLimits, verify::budget::BodyBudget};

/// Limits on bodies that are verified first and held in a file
/// ([`BodyMode::Spill`](crate::BodyMode::Spill)).
///
/// A body of up to 256 KiB stays in memory. A longer body is written to a file without a name, so
/// nothing is left after a crash. On Unix, only this process can open the file. Its content is not
/// encrypted.
///
/// The idle time and the least rate count only while the layer waits for the peer.
#[derive(Clone, Debug)]
pub struct SpillLimits {
    directory: Arc<Path>,
    pub(super) max_bytes: u64,
    total_bytes: u64,
    caller_bytes: u64,
    pub(super) idle: Duration,
    pub(super) least_rate: u64,
    pub(super) deadline: Duration,
}

impl SpillLimits {
    /// Returns the default limits, with the files in this directory:
    ///
    /// | limit | value |
    /// |---|---|
    /// | length of one body | 256 MiB |
    /// | files of all bodies | 1 GiB |
    /// | files of one caller | 512 MiB |
    /// | longest wait for a byte | 10 s |
    /// | least rate | 64 KiB/s |
    /// | time for one body | 10 min |
    ///
    /// No directory is the default, because `/tmp` is in memory on many systems.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if no file can be created in the directory.
    pub fn in_directory(directory: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let directory = directory.as_ref();
        if let Err(error) = tempfile::tempfile_in(directory) {
            let directory = directory.display();
            let message = format!(
                "directory for bodies {directory}: expected one in which files can be created, \
                 found: {error}"
            );
            return Err(ConfigError::new(ConfigErrorKind::Setting, message));
        }
        Ok(Self {
            directory: directory.into(),
            max_bytes: 256 * MIB,
            total_bytes: 1024 * MIB,
            caller_bytes: 512 * MIB,
            idle: Duration::from_secs(10),
            least_rate: 64 * 1024,
            deadline: Duration::from_secs(600),
        })
    }

    /// Sets the maximum length of one body, in bytes. Longer bodies get 413. Default: 256 MiB.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the disk space for all bodies, in bytes. Requests that need more get 503. Default:
    /// 1 GiB.
    #[must_use]
    pub fn with_total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets the share of this space that one caller may use, in bytes. Its requests that need more
    /// get 503. Default: 512 MiB.
    #[must_use]
    pub fn with_caller_bytes(mut self, bytes: u64) -> Self {
        self.caller_bytes = bytes;
        self
    }

    /// Sets the longest wait for a byte. Longer waits get 408. Default: 10 seconds.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Sets the least rate, in bytes for each second that is spent waiting for the peer. Slower
    /// bodies get 408. Default: 64 KiB. 0 sets no least rate.
    ///
    /// The rate is enforced once the waiting has added up to [`with_idle`](Self::with_idle).
    #[must_use]
    pub fn with_least_rate(mut self, bytes_per_second: u64) -> Self {
        self.least_rate = bytes_per_second;
        self
    }

    /// Sets the time within which a body must arrive. Later bodies get 408. Default: 10 minutes. A
    /// nonce is kept for longer by this time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) fn directory(&self) -> &Arc<Path> {
        &self.directory
    }

    pub(super) fn time_limits(&self) -> TimeLimits {
        TimeLimits {
            deadline: self.deadline,
            idle: self.idle,
            least_rate: self.least_rate,
        }
    }
}

/// The limits of a layer, and the disk space that is in use.
pub(in crate::verify) struct Spill {
    pub(super) limits: SpillLimits,
    pub(super) space: BodyBudget,
}

impl Spill {
    pub(in crate::verify) fn new(limits: SpillLimits) -> Self {
        Self {
            space: BodyBudget::on_disk(limits.total_bytes, limits.caller_bytes),
            limits,
        }
    }

    /// Returns the time that a body may take.
    pub(in crate::verify) fn deadline(&self) -> Duration {
        self.limits.deadline
    }
}

const MIB: u64 = 1024 * 1024;
