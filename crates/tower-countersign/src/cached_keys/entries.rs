//! What is remembered of names, and what it is worth at which age.

use std::collections::HashMap;

use countersign::CallerKeys;
use tokio::time::Instant;

use super::builder::Settings;

#[derive(Default)]
pub(super) struct Entries {
    known: HashMap<Box<str>, Known>,
    /// Until when they are taken for unknown.
    unknown: HashMap<Box<str>, Instant>,
    /// Never seen, and until when the store is left alone for them because it failed.
    failed: HashMap<Box<str>, Instant>,
}

struct Known {
    keys: CallerKeys,
    /// When the look-up began: what it found may have been so old.
    read_at: Instant,
    failed_at: Option<Instant>,
}

/// What a name is answered with.
pub(super) enum Found {
    /// Fresh, or unknown.
    Answer(CallerKeys),
    /// The store failed just now, and this is what is left.
    Stale(CallerKeys),
    /// To be given, and the store to be asked meanwhile.
    Revalidate(CallerKeys),
    /// The store is to be asked. It is a name that it knew.
    Ask,
    /// The store failed just now and there is nothing to be given.
    Failed,
    /// The store is to be asked. Nobody has seen the name before.
    Miss,
}

impl Entries {
    pub(super) fn find(&self, name: &str, now: Instant, settings: &Settings) -> Found {
        if let Some(known) = self.known.get(name) {
            return known.at(now, settings);
        }
        let is_within = |until: Option<&Instant>| until.is_some_and(|until| now < *until);
        if is_within(self.unknown.get(name)) {
            Found::Answer(CallerKeys::unknown())
        } else if is_within(self.failed.get(name)) {
            Found::Failed
        } else {
            Found::Miss
        }
    }

    /// What may be given of a name for which the store has failed.
    pub(super) fn stale(
        &self,
        name: &str,
        now: Instant,
        settings: &Settings,
    ) -> Option<CallerKeys> {
        let known = self.known.get(name)?;
        known.is_usable(now, settings).then(|| known.keys.clone())
    }

    pub(super) fn learn(
        &mut self,
        name: &str,
        keys: CallerKeys,
        asked_at: Instant,
        settings: &Settings,
    ) {
        self.failed.remove(name);
        if keys.is_unknown() {
            self.known.remove(name);
            self.learn_unknown(name, asked_at, settings);
            return;
        }
        self.unknown.remove(name);
        if self.known.len() >= settings.capacity && !self.known.contains_key(name) {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.read_at);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.known.remove(&oldest);
            }
        }
        let known = Known {
            keys,
            read_at: asked_at,
            failed_at: None,
        };
        self.known.insert(Box::from(name), known);
    }

    fn learn_unknown(&mut self, name: &str, asked_at: Instant, settings: &Settings) {
        let until = asked_at.checked_add(settings.unknown_for);
        remember(&mut self.unknown, name, until, asked_at, settings);
    }

    pub(super) fn failed(&mut self, name: &str, now: Instant, settings: &Settings) {
        if let Some(known) = self.known.get_mut(name) {
            known.failed_at = Some(now);
        } else {
            let until = now.checked_add(settings.retry_after);
            remember(&mut self.failed, name, until, now, settings);
        }
    }

    pub(super) fn len(&self) -> (usize, usize) {
        (self.known.len(), self.unknown.len())
    }
}

/// Names can be made up: no more than so many of them are kept.
fn remember(
    names: &mut HashMap<Box<str>, Instant>,
    name: &str,
    until: Option<Instant>,
    now: Instant,
    settings: &Settings,
) {
    if names.len() >= settings.unknown_capacity {
        names.retain(|_, until| now < *until);
    }
    // Full of names that are still fresh: one more look-up, within the limit of misses, is all that it costs.
    if names.len() < settings.unknown_capacity
        && let Some(until) = until
    {
        names.insert(Box::from(name), until);
    }
}

impl Known {
    fn at(&self, now: Instant, settings: &Settings) -> Found {
        let age = now.saturating_duration_since(self.read_at);
        if age < settings.fresh_for {
            return Found::Answer(self.keys.clone());
        }
        let failed_lately = self
            .failed_at
            .is_some_and(|at| now.saturating_duration_since(at) < settings.retry_after);
        if failed_lately {
            return if self.is_usable(now, settings) {
                Found::Stale(self.keys.clone())
            } else {
                Found::Failed
            };
        }
        if age
            < settings
                .fresh_for
                .saturating_add(settings.stale_while_revalidate)
        {
            return Found::Revalidate(self.keys.clone());
        }
        Found::Ask
    }

    fn is_usable(&self, now: Instant, settings: &Settings) -> bool {
        let age = now.saturating_duration_since(self.read_at);
        age < settings.fresh_for.saturating_add(settings.stale_if_error)
    }
}
