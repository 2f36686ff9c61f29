//! Counts reloads and bad sources.

use std::sync::{Mutex, PoisonError};

use crate::metrics::{self, Source};

/// The number of bad sources of keys that this process watches.
static BAD_KEYS: Mutex<u32> = Mutex::new(0);
/// The number of bad sources of policies that this process watches.
static BAD_POLICIES: Mutex<u32> = Mutex::new(0);

/// The counts of one source. A dropped source is no longer counted as bad.
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
        // The lock keeps two concurrent changes from setting the gauge in the wrong order.
        let mut bad = all.lock().unwrap_or_else(PoisonError::into_inner);
        *bad = if is_bad {
            bad.saturating_add(1)
        } else {
            bad.saturating_sub(1)
        };
        metrics::bad_sources(source, *bad);
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.set_bad(false);
    }
}
