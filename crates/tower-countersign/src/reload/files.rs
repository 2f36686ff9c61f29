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

/// Loads a file or a directory, and loads it again after each change. See the [module
/// documentation](crate::reload).
#[derive(Clone)]
#[must_use]
pub struct Reload {
    pub(super) debounce: Duration,
    pub(super) poll_interval: Duration,
    pub(super) clock: Arc<dyn Clock>,
    /// The metric for loads after the first, if they are counted.
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
    /// Uses the defaults: debounce of 50 milliseconds, poll interval of 10 seconds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the pause that must follow a burst of changes before the source is read. During a
    /// longer burst, the source is read after ten times this duration.
    pub fn with_debounce(mut self, debounce: Duration) -> Self {
        self.debounce = debounce;
        self
    }

    /// Sets how often the content is compared with the last content. Polling detects changes that
    /// the operating system does not report, as on network file systems and some mounts. The
    /// minimum is 10 milliseconds.
    pub fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Sets the clock for the times in the [health value](ReloadHealth).
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

    /// Loads `path` with `load` and passes the value to `apply`: now, and after each change until
    /// the returned [`Reloading`] is dropped.
    ///
    /// The first load runs in this call and blocks on the disk. Later loads run on a separate
    /// thread that serves no requests. After a failed load, the last good value stays in use. In
    /// later loads, a panic in either function counts as a failure.
    ///
    /// `load` gets the absolute path. Its errors appear in logs and in the health value.
    ///
    /// # Errors
    ///
    /// The errors of `load` in this call, and [`ConfigErrorKind::File`] if the thread cannot be
    /// started.
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
        let path = std::path::absolute(path)
            .map_err(|error| failed("expected a path that can be made absolute", error))?;
        let mut worker = Worker::new(self, path.clone());
        worker.watch_for_events();
        worker.look();
        apply(load(&path)?);
        let (health, signals) = worker.started();
        thread::Builder::new()
            .name("countersign-reload".to_owned())
            .spawn(move || worker.run(&load, &mut apply))
            .map_err(|error| failed("expected a thread to watch the source, found none", error))?;
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

/// A watched source. Dropping this value stops the watch and keeps the last value in use. A load
/// that is running at that moment may still be applied.
#[derive(Debug)]
#[must_use = "the watch ends when this value is dropped"]
pub struct Reloading {
    health: ReloadHealth,
    signals: Signals,
}

impl Reloading {
    /// Returns the health value, for a health endpoint, a metric or a test.
    pub fn health(&self) -> ReloadHealth {
        self.health.clone()
    }

    /// Returns the current status.
    pub fn status(&self) -> ReloadStatus {
        self.health.status()
    }

    /// Requests a reload soon, even without a change, such as from a signal handler or an admin
    /// route. To learn the result, await the [health value](ReloadHealth::changed).
    pub fn reload(&self) {
        self.signals.reload();
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        self.signals.stop();
    }
}
