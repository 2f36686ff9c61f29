//! The thread that watches a source.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Instant,
};

use countersign::{ConfigError, ConfigErrorKind, ErrorChain, Timestamp};
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::sync::watch;

use super::{
    content::Content,
    count::Count,
    files::Reload,
    health::{ReloadError, ReloadHealth, ReloadStatus},
};
/// The signals from the handle to the thread.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    flags: Arc<Flags>,
    /// Holds one wake-up at most: more would add nothing.
    wake: SyncSender<()>,
}

#[derive(Debug, Default)]
struct Flags {
    stop: AtomicBool,
    reload: AtomicBool,
}

impl Signals {
    pub(super) fn reload(&self) {
        self.flags.reload.store(true, Ordering::Release);
        self.changed();
    }

    pub(super) fn stop(&self) {
        self.flags.stop.store(true, Ordering::Release);
        self.changed();
    }

    fn changed(&self) {
        // A full channel already wakes the thread. A closed channel means that the thread has
        // ended.
        self.wake.try_send(()).ok();
    }

    fn is_stopped(&self) -> bool {
        self.flags.stop.load(Ordering::Acquire)
    }
}

pub(super) struct Worker {
    settings: Reload,
    path: PathBuf,
    signals: Signals,
    woken: Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    /// The content at the last attempt to load.
    seen: Option<Content>,
    count: Count,
    status: watch::Sender<ReloadStatus>,
}

impl Worker {
    pub(super) fn new(settings: &Reload, path: PathBuf) -> Self {
        let (wake, woken) = sync_channel(1);
        let now = settings.clock.now();
        Self {
            settings: settings.clone(),
            path,
            signals: Signals {
                flags: Arc::default(),
                wake,
            },
            woken,
            watcher: None,
            seen: None,
            count: Count::new(settings.counted),
            status: watch::Sender::new(ReloadStatus {
                generation: 1,
                loaded_at: now,
                checked_at: now,
                error: None,
                last_error: None,
                notified: false,
            }),
        }
    }

    /// Returns the handles, after the first load was applied.
    pub(super) fn started(&mut self) -> (ReloadHealth, Signals) {
        let now = self.now();
        self.status.send_modify(|status| {
            status.loaded_at = now;
            status.checked_at = now;
        });
        let health = ReloadHealth::new(self.status.subscribe());
        (health, self.signals.clone())
    }

    pub(super) fn run<T>(
        mut self,
        load: &impl Fn(&Path) -> Result<T, ConfigError>,
        apply: &mut impl FnMut(T),
    ) {
        loop {
            let woken = match self.woken.recv_timeout(self.settings.poll_interval) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.signals.is_stopped() {
                return;
            }
            if woken && !self.signals.flags.reload.load(Ordering::Acquire) {
                self.let_settle();
            }
            // Read the flag after settling: requests made in the meantime need no second reload.
            let forced = self.signals.flags.reload.swap(false, Ordering::AcqRel);
            if self.signals.is_stopped() {
                return;
            }
            if forced || self.has_changed() {
                self.attempt(load, apply);
            }
        }
    }

    /// Waits for the end of a burst of changes, within a limit.
    fn let_settle(&self) {
        let debounce = self.settings.debounce;
        let began = Instant::now();
        while began.elapsed() < debounce.saturating_mul(10)
            && self.woken.recv_timeout(debounce).is_ok()
            && !self.signals.is_stopped()
            && !self.signals.flags.reload.load(Ordering::Acquire)
        {}
    }

    /// Returns whether to load. A bad source is tried each time: the cause may be outside of the
    /// source.
    fn has_changed(&self) -> bool {
        let now = self.now();
        let was_good = self.status.borrow().is_good();
        self.status.send_if_modified(|status| {
            status.checked_at = now;
            false
        });
        !was_good || self.seen.as_ref() != Some(&Content::of(&self.path))
    }

    /// Records the current content, and returns whether it changed. Called before a load, so that a
    /// later change is detected.
    pub(super) fn look(&mut self) -> bool {
        let content = Some(Content::of(&self.path));
        let has_changed = self.seen != content;
        self.seen = content;
        has_changed
    }

    fn attempt<T>(
        &mut self,
        load: &impl Fn(&Path) -> Result<T, ConfigError>,
        apply: &mut impl FnMut(T),
    ) {
        // A link may point to another directory by now, and a recreated directory needs a new
        // watch.
        self.watch_for_events();
        let has_changed = self.look();
        let loaded = caught(|| load(&self.path)).and_then(|loaded| loaded);
        if self.signals.is_stopped() {
            return;
        }
        match loaded.and_then(|value| caught(|| apply(value))) {
            Ok(()) => self.succeeded(),
            Err(error) => self.failed(&error, has_changed),
        }
    }

    fn succeeded(&mut self) {
        self.count.succeeded();
        let now = self.now();
        let mut generation = 0;
        self.status.send_modify(|status| {
            status.generation = status.generation.saturating_add(1);
            status.loaded_at = now;
            status.checked_at = now;
            status.error = None;
            generation = status.generation;
        });
        tracing::info!(
            target: "countersign",
            outcome = "reloaded",
            path = %self.path.display(),
            generation,
        );
    }

    fn failed(&mut self, error: &ConfigError, has_changed: bool) {
        let message = ErrorChain::new(error).to_string();
        let now = self.now();
        // A source that stays bad is tried at every poll, but logged and counted once per reason.
        let known = !has_changed && {
            let status = self.status.borrow();
            status.error().map(ReloadError::message) == Some(&*message)
        };
        let error = ReloadError { at: now, message };
        if !known {
            self.count.failed();
            tracing::error!(
                target: "countersign",
                outcome = "reload_failed",
                path = %self.path.display(),
                reason = %error.message,
                "the last good content stays in use"
            );
        }
        self.status.send_modify(|status| {
            status.checked_at = now;
            status.last_error = Some(error.clone());
            status.error = Some(error);
        });
    }

    /// Asks the operating system to report changes. If this fails, polling detects them.
    pub(super) fn watch_for_events(&mut self) {
        let signals = self.signals.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_only_read(event.kind)) {
                return;
            }
            signals.changed();
        });
        let watcher = watcher.and_then(|mut watcher| {
            for (directory, mode) in self.directories() {
                watcher.watch(&directory, mode)?;
            }
            Ok(watcher)
        });
        let notified = watcher.is_ok();
        if let Err(error) = &watcher
            && self.watcher.is_some()
        {
            tracing::debug!(
                target: "countersign",
                outcome = "reload_polls",
                path = %self.path.display(),
                reason = %error,
            );
        }
        self.watcher = watcher.ok();
        self.status.send_if_modified(|status| {
            status.notified = notified;
            false
        });
    }

    /// Returns the directories to watch. A watch on the file itself would end when another file is
    /// renamed over it.
    fn directories(&self) -> Vec<(PathBuf, RecursiveMode)> {
        let mut directories = Vec::new();
        let mut add = |path: &Path| {
            if path.is_dir() {
                directories.push((path.to_owned(), RecursiveMode::Recursive));
            }
            if let Some(parent) = path.parent() {
                directories.push((parent.to_owned(), RecursiveMode::NonRecursive));
            }
        };
        add(&self.path);
        if let Ok(target) = self.path.canonicalize()
            && target != self.path
        {
            add(&target);
        }
        directories
    }

    fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }
}

/// Reading the source causes an event too, which must not trigger the next read.
fn is_only_read(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Turns a panic into an error. The panic text may hold anything, so the error leaves it out.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, ConfigError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
        ConfigError::new(
            ConfigErrorKind::File,
            "expected a value or an error, found a panic",
        )
    })
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, ModifyKind, RemoveKind};

    use super::*;

    /// Every load opens files, and each open is an event: without this filter loads would never
    /// stop.
    #[test]
    fn reading_is_no_change() {
        for (name, kind, expected) in [
            (
                "opened",
                EventKind::Access(AccessKind::Open(AccessMode::Any)),
                true,
            ),
            ("read", EventKind::Access(AccessKind::Read), true),
            (
                "closed after reading",
                EventKind::Access(AccessKind::Close(AccessMode::Read)),
                true,
            ),
            (
                "closed after writing",
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                false,
            ),
            ("created", EventKind::Create(CreateKind::Any), false),
            ("changed", EventKind::Modify(ModifyKind::Any), false),
            ("removed", EventKind::Remove(RemoveKind::Any), false),
            ("anything else", EventKind::Any, false),
        ] {
            assert_eq!(is_only_read(kind), expected, "{name}");
        }
    }
}
