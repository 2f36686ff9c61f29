//! Refreshes credentials before they expire.
//!
//! This module has no runtime and no clock. A caller asks first whether a refresh is due, and
//! passes the time. During a refresh, a request with valid credentials continues; the others wait
//! for the one answer.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;

use super::{
    provider::{ArcProvider, SigV4Credentials},
    refresh::CredentialsRefresh,
};
use crate::{
    error::{SignError, SignErrorKind, Unavailable},
    timestamp::Timestamp,
};

/// Credentials are refreshed this long before their expiry.
const EARLY: Duration = Duration::from_secs(300);

/// Minimum pause after any answer before the provider is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The same pause while the cached credentials are valid: a failure is then not urgent.
const PAUSE_WHILE_VALID: Duration = Duration::from_secs(30);

/// The time that represents no answer.
const NEVER: i64 = i64::MIN;

/// The step needed before a request is signed.
pub(super) enum Due {
    Nothing,
    /// The provider answered without waiting.
    Done(CredentialsRefresh),
    /// The provider must be asked.
    Ask,
}

/// The cached credentials and their provider.
#[derive(Debug)]
pub(super) struct CurrentCredentials {
    provider: ArcProvider,
    /// Maximum age of credentials without a known expiry.
    max_age: Duration,
    /// When the provider last returned the cached credentials, in microseconds.
    read_at: AtomicI64,
    current: ArcSwapOption<SigV4Credentials>,
    /// Held by the request that asks the provider.
    turn: async_lock::Mutex<()>,
    /// Number of the provider's answers.
    answers: AtomicU64,
    last: Mutex<LastAnswer>,
}

/// The provider's last answer, without the credentials.
#[derive(Debug, Default)]
struct LastAnswer {
    /// Time of the answer; `None` if the provider has not been asked since the start.
    at: Option<Timestamp>,
    /// Why the answer held no valid credentials.
    failure: Option<Arc<Unavailable>>,
}

impl CurrentCredentials {
    /// Starts with the credentials that the provider has without waiting.
    pub(super) fn new(provider: ArcProvider, max_age: Duration) -> Self {
        let (at_hand, failure) = match provider.try_credentials() {
            Some(Ok(credentials)) => (Some(Arc::new(credentials)), None),
            Some(Err(failure)) => (None, Some(Arc::new(failure))),
            None => (None, None),
        };
        Self {
            provider,
            max_age: max_age.max(PAUSE),
            read_at: AtomicI64::new(NEVER),
            current: ArcSwapOption::new(at_hand),
            turn: async_lock::Mutex::new(()),
            answers: AtomicU64::new(0),
            last: Mutex::new(LastAnswer { at: None, failure }),
        }
    }

    /// Returns the credentials that are valid at `now`.
    pub(super) fn at(&self, now: Timestamp) -> Result<Arc<SigV4Credentials>, SignError> {
        let current = self.current.load_full();
        current.filter(|known| is_valid(known, now)).ok_or_else(|| {
            let error = SignError::new(
                SignErrorKind::Credentials,
                "expected credentials that are valid, found none or expired ones",
            );
            match lock(&self.last).failure.clone() {
                Some(failure) => error.with_source(failure),
                None => error,
            }
        })
    }

    /// Returns the cached credentials, valid or not.
    pub(super) fn at_hand(&self) -> Option<Arc<SigV4Credentials>> {
        self.current.load_full()
    }

    /// Returns whether a refresh is due that the request must wait for.
    pub(super) fn due(&self, now: Timestamp) -> Due {
        if !self.is_stale(now) || self.is_paused(now) {
            return Due::Nothing;
        }
        // A request with valid credentials does not wait for a refresh in progress.
        if self.turn.try_lock().is_none() && self.has_valid(now) {
            return Due::Nothing;
        }
        match self.provider.try_credentials() {
            Some(answer) => Due::Done(self.take(answer, now)),
            None => Due::Ask,
        }
    }

    /// Asks the provider, or waits for the request that is asking.
    pub(super) async fn refresh(&self, now: Timestamp) -> Result<CredentialsRefresh, SignError> {
        let answers = self.answers.load(Ordering::Acquire);
        let turn = self.turn.lock().await;
        // The request that had the turn before got an answer, good or bad. All waiting requests
        // share it.
        let is_answered = self.answers.load(Ordering::Acquire) != answers;
        let mut done = CredentialsRefresh::Unchanged;
        if !is_answered && self.is_stale(now) {
            let mut asking = Asking {
                credentials: self,
                now,
                is_answered: false,
            };
            let answer = self.provider.credentials().await;
            asking.is_answered = true;
            done = self.take(answer, now);
        }
        drop(turn);
        self.at(now).map(|_| done)
    }

    fn take(
        &self,
        answer: Result<SigV4Credentials, Unavailable>,
        now: Timestamp,
    ) -> CredentialsRefresh {
        let done = match answer {
            Ok(credentials) if is_valid(&credentials, now) => {
                self.read_at.store(now.as_unix_micros(), Ordering::Release);
                let before = self.current.load_full();
                if before.is_some_and(|before| before.is_same_as(&credentials)) {
                    CredentialsRefresh::Unchanged
                } else {
                    let credentials = Arc::new(credentials);
                    self.current.store(Some(Arc::clone(&credentials)));
                    CredentialsRefresh::Changed(credentials)
                }
            }
            Ok(_) => CredentialsRefresh::Failed(Arc::new(
                Unavailable::new("credentials")
                    .with_source("the provider answered with credentials that have ended"),
            )),
            Err(failure) => CredentialsRefresh::Failed(Arc::new(failure)),
        };
        *lock(&self.last) = LastAnswer {
            at: Some(now),
            failure: match &done {
                CredentialsRefresh::Failed(failure) => Some(Arc::clone(failure)),
                CredentialsRefresh::Unchanged | CredentialsRefresh::Changed(_) => None,
            },
        };
        self.answers.fetch_add(1, Ordering::Release);
        done
    }

    /// Returns whether the provider must be asked: credentials are missing, expire soon, or are old
    /// without a known expiry.
    fn is_stale(&self, now: Timestamp) -> bool {
        let current = self.current.load();
        let Some(known) = current.as_ref() else {
            return true;
        };
        match known.expires_at {
            Some(end) => now.saturating_add(EARLY) >= end,
            None => self.is_old(now),
        }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        let read_at = self.read_at.load(Ordering::Acquire);
        if read_at == NEVER {
            // These credentials date from the start, which has no clock: their age counts from the
            // first request.
            self.read_at.store(now.as_unix_micros(), Ordering::Release);
            return false;
        }
        // A clock that was set back must not extend their use.
        now.abs_diff(Timestamp::from_unix_micros(read_at)) >= self.max_age
    }

    fn has_valid(&self, now: Timestamp) -> bool {
        let current = self.current.load();
        current.as_ref().is_some_and(|known| is_valid(known, now))
    }

    fn is_paused(&self, now: Timestamp) -> bool {
        let answered_at = lock(&self.last).at;
        let pause = if self.has_valid(now) {
            PAUSE_WHILE_VALID
        } else {
            PAUSE
        };
        // A clock that was set back must not extend the pause.
        answered_at.is_some_and(|at| now.abs_diff(at) < pause)
    }
}

fn is_valid(credentials: &SigV4Credentials, now: Timestamp) -> bool {
    credentials.expires_at.is_none_or(|end| now < end)
}

/// A question to the provider.
///
/// A drop without an answer (the asking request gave up) counts as a failure while the cached
/// credentials are valid. The next request then signs with them and does not wait as well.
struct Asking<'c> {
    credentials: &'c CurrentCredentials,
    now: Timestamp,
    is_answered: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.is_answered && self.credentials.has_valid(self.now) {
            let failure = Unavailable::new("credentials")
                .with_source("the provider had not answered when a request gave up waiting");
            *lock(&self.credentials.last) = LastAnswer {
                at: Some(self.now),
                failure: Some(Arc::new(failure)),
            };
        }
    }
}

/// The guarded values are consistent even after a panic: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
