//! How attempts and bad sources are counted.

use std::sync::{Mutex, PoisonError};

use crate::metrics::{self, Source};

/// How many sources of each kind this process watches that are bad.
static BAD_KEYS: Mutex<u32> = Mutex::new(0);
static BAD_POLICIES: Mutex<u32> = Mutex::new(0);

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
        // The gauge is set under the lock: of two changes at once the later one must be the last to be told.
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
