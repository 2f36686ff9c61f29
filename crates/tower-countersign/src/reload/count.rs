//! How attempts and bad sources are counted.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::metrics::{self, Source};

/// How many sources of each kind this process watches that are bad.
static BAD_KEYS: AtomicU32 = AtomicU32::new(0);
static BAD_POLICIES: AtomicU32 = AtomicU32::new(0);

/// What is counted of one source. Dropped, the source is bad no more.
#[derive(Debug)]
pub(super) struct Count {
    source: Option<Source>,
    is_bad: bool,
}

impl Count {
    pub(super) fn new(source: Option<Source>) -> Self {
        Self {
            source,
            is_bad: false,
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.attempt(metrics::Reload::Succeeded);
        self.set_bad(false);
    }

    pub(super) fn failed(&mut self) {
        self.attempt(metrics::Reload::Failed);
        self.set_bad(true);
    }

    fn attempt(&self, result: metrics::Reload) {
        match self.source {
            Some(Source::Keys) => metrics::key_reload(result),
            Some(Source::Policy) => metrics::policy_reload(result),
            None => {}
        }
    }

    fn set_bad(&mut self, is_bad: bool) {
        let Some(source) = self.source else { return };
        if self.is_bad == is_bad {
            return;
        }
        self.is_bad = is_bad;
        let all = match source {
            Source::Keys => &BAD_KEYS,
            Source::Policy => &BAD_POLICIES,
        };
        // Each source adds one and takes away its own.
        let before = if is_bad {
            all.fetch_add(1, Ordering::Relaxed)
        } else {
            all.fetch_sub(1, Ordering::Relaxed)
        };
        let now = if is_bad {
            before.saturating_add(1)
        } else {
            before.saturating_sub(1)
        };
        metrics::bad_sources(source, now);
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.set_bad(false);
    }
}
