use std::{fmt, io, path::Path, sync::Arc, thread, time::Duration};

use countersign::{ConfigError, ConfigErrorKind};

use super::{
    health::{ReloadHealth, ReloadStatus},
    worker::{Signals, Worker},
};
use crate::{
    clock::{Clock, SystemClock},
    metrics,
};

/// Reads something from a file or a directory, and again whenever that changes. See the
/// [module documentation](crate::reload).
#[derive(Clone)]
#[must_use]
pub struct Reload {
    pub(super) debounce: Duration,
    pub(super) poll_interval: Duration,
    pub(super) clock: Arc<dyn Clock>,
    /// As what attempts after the first are counted.
    pub(super) counted: Option<metrics::Source>,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            debounce: Duration::from_millis(50),
            poll_interval: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
            counted: None,
        }
    }
}

impl Reload {
    /// Looks 50 milliseconds after the last of a burst of changes, and every 10 seconds whether or not any was told of.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long a burst of changes must have been over before the source is read, though after ten times as long it
    /// is read in the midst of it.
    pub fn with_debounce(mut self, debounce: Duration) -> Self {
        self.debounce = debounce;
        self
    }

    /// Sets how often the content is compared with what it was, for sources whose changes the operating system does not
    /// tell of: on a network, behind some mounts, where a watch could not be had. At least 10 milliseconds.
    pub fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Reads the times of the [health value](ReloadHealth) from this clock.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(super) fn counted(&self, source: metrics::Source) -> Self {
        Self {
            counted: Some(source),
            ..self.clone()
        }
    }

    /// Reads `path` with `load` and hands the value to `apply`: now, and again after each change until the answer is
    /// dropped.
    ///
    /// The first time happens here, and waits for the disk. All others happen on a thread of their own, which no request
    /// runs on. What cannot be loaded is not applied: what was applied last stays in use. Both functions may panic; that
    /// counts as a failure.
    ///
    /// `load` is given the path made absolute. Its errors are written to logs and to the health value.
    ///
    /// # Errors
    ///
    /// As `load` the first time, and [`ConfigErrorKind::File`] if no thread can be started.
    pub fn watch<T>(
        &self,
        path: impl AsRef<Path>,
        load: impl Fn(&Path) -> Result<T, ConfigError> + Send + 'static,
        mut apply: impl FnMut(T) + Send + 'static,
    ) -> Result<Reloading, ConfigError>
    where
        T: 'static,
    {
        let path = path.as_ref();
        let failed = |what: &str, error: io::Error| {
            let message = format!("{}: {what}", path.display());
            ConfigError::new(ConfigErrorKind::File, message).with_source(error)
        };
        let path = std::path::absolute(path).map_err(|error| failed("no path", error))?;
        let mut worker = Worker::new(self, path.clone());
        worker.watch_for_events();
        worker.look();
        apply(load(&path)?);
        let (health, signals) = worker.started();
        thread::Builder::new()
            .name("countersign-reload".to_owned())
            .spawn(move || worker.run(&load, &mut apply))
            .map_err(|error| failed("no thread to watch it on", error))?;
        Ok(Reloading { health, signals })
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload")
            .field("debounce", &self.debounce)
            .field("poll_interval", &self.poll_interval)
            .finish_non_exhaustive()
    }
}

/// A source that is being watched. Dropped, it is watched no more and what was last applied stays in use, but for a load
/// that is under way at that moment, which may still be applied.
#[derive(Debug)]
#[must_use = "a source is watched for as long as this lives"]
pub struct Reloading {
    health: ReloadHealth,
    signals: Signals,
}

impl Reloading {
    /// How it goes: for a health endpoint, a metric, a test.
    pub fn health(&self) -> ReloadHealth {
        self.health.clone()
    }

    /// How it stands now.
    pub fn status(&self) -> ReloadStatus {
        self.health.status()
    }

    /// Reads the source soon, whether or not it changed: for a signal handler or an administrator's route. Await the
    /// [health value](ReloadHealth::changed) to know what came of it.
    pub fn reload(&self) {
        self.signals.reload();
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        self.signals.stop();
    }
}
