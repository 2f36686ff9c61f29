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
mod tests {
    use std::{
        collections::VecDeque,
        error::Error as _,
        future::poll_fn,
        pin::{Pin, pin},
        sync::atomic::AtomicUsize,
        task::{Context, Poll, Wake, Waker},
    };

    use super::*;
    use crate::{
        families::sigv4::CredentialsProvider,
        key::{Secret, SigningKey},
    };

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);

    fn after(seconds: u64) -> Timestamp {
        START.saturating_add(Duration::from_secs(seconds))
    }

    fn credentials(id: &str, end: Option<u64>) -> SigV4Credentials {
        let key = SigningKey::sigv4(&Secret::generate().unwrap());
        let credentials = SigV4Credentials::new(id, key).unwrap();
        match end {
            Some(end) => credentials.with_expires_at(after(end)),
            None => credentials,
        }
    }

    /// Answers once opened, one answer after the other.
    #[derive(Default)]
    struct Gate {
        asked: AtomicUsize,
        answers: Mutex<VecDeque<Option<SigV4Credentials>>>,
        open: Mutex<(bool, Vec<Waker>)>,
    }

    impl Gate {
        fn answering(answers: impl IntoIterator<Item = Option<SigV4Credentials>>) -> Arc<Self> {
            Arc::new(Self {
                answers: Mutex::new(answers.into_iter().collect()),
                ..Self::default()
            })
        }

        fn open(&self) {
            let mut open = self.open.lock().unwrap();
            open.0 = true;
            open.1.drain(..).for_each(Waker::wake);
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl CredentialsProvider for Arc<Gate> {
        async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            poll_fn(|context| {
                let mut open = self.open.lock().unwrap();
                if open.0 {
                    return Poll::Ready(());
                }
                open.1.push(context.waker().clone());
                Poll::Pending
            })
            .await;
            let answer = self.answers.lock().unwrap().pop_front().flatten();
            answer.ok_or(Unavailable::new("credentials"))
        }
    }

    const MAX_AGE: Duration = Duration::from_secs(900);

    fn current_of(provider: impl CredentialsProvider) -> CurrentCredentials {
        CurrentCredentials::new(ArcProvider::new(provider), MAX_AGE)
    }

    fn is_due(current: &CurrentCredentials, now: Timestamp) -> bool {
        matches!(current.due(now), Due::Ask)
    }

    /// Formats the outcome as one word, with the id of the credentials or the cause of the failure.
    fn told(done: &CredentialsRefresh) -> String {
        match done {
            CredentialsRefresh::Unchanged => "unchanged".to_owned(),
            CredentialsRefresh::Changed(credentials) => {
                format!("changed {}", credentials.access_key_id())
            }
            CredentialsRefresh::Failed(failure) => format!("failed {failure}"),
        }
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll<F: Future<Output = Result<CredentialsRefresh, SignError>>>(
        future: Pin<&mut F>,
        woken: &Arc<Woken>,
    ) -> Poll<Result<String, SignError>> {
        let waker = Waker::from(Arc::clone(woken));
        let answer = future.poll(&mut Context::from_waker(&waker));
        answer.map_ok(|done| told(&done))
    }

    fn ready(told: &str) -> Poll<Result<String, SignError>> {
        Poll::Ready(Ok(told.to_owned()))
    }

    fn id(current: &CurrentCredentials, now: Timestamp) -> Result<String, SignErrorKind> {
        let known = current.at(now).map_err(|error| error.kind())?;
        Ok(known.access_key_id().as_str().to_owned())
    }

    /// Source: temporary credentials from a file without an expiry were used until the process
    /// ended.
    #[test]
    fn credentials_without_a_known_end_are_asked_for_again_when_they_are_old() {
        let gate = Gate::answering([
            Some(credentials("a", None)),
            Some(credentials("b", None)),
            None,
            Some(credentials("c", None)),
        ]);
        let current = current_of(Arc::clone(&gate));
        let woken = Arc::new(Woken::default());
        gate.open();
        let refresh = |seconds| match poll(pin!(current.refresh(after(seconds))).as_mut(), &woken) {
            Poll::Ready(answer) => answer.unwrap(),
            Poll::Pending => panic!("it is answered at once"),
        };
        assert!(is_due(&current, START));
        assert_eq!(refresh(0), "changed a");
        assert!(!is_due(&current, after(899)));
        assert_eq!(refresh(899), "unchanged");
        assert_eq!(gate.asked(), 1, "they are not old");
        assert!(is_due(&current, after(900)));
        assert_eq!(refresh(900), "changed b");
        assert!(!is_due(&current, after(1799)));
        assert_eq!(refresh(1800), "failed credentials unavailable");
        assert_eq!(id(&current, after(1800)).as_deref(), Ok("b"), "they go on");
        assert!(!is_due(&current, after(1829)), "the provider is left alone");
        assert!(is_due(&current, after(1830)));
        assert_eq!(refresh(1830), "changed c");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_credentials_longer() {
        let gate = Gate::answering([Some(credentials("a", None))]);
        let current = current_of(Arc::clone(&gate));
        gate.open();
        let woken = Arc::new(Woken::default());
        assert!(poll(pin!(current.refresh(after(2000))).as_mut(), &woken).is_ready());
        assert!(!is_due(&current, after(1101)));
        assert!(is_due(&current, after(1100)));
    }

    #[test]
    fn fixed_credentials_are_at_hand_and_never_change() {
        let current = current_of(credentials("a", None));
        for seconds in [0, 899, 900, 5000, 1 << 30] {
            match current.due(after(seconds)) {
                Due::Nothing => assert!(seconds < 900, "{seconds}"),
                Due::Done(done) => assert_eq!(told(&done), "unchanged", "{seconds}"),
                Due::Ask => panic!("{seconds}: they are at hand"),
            }
            assert_eq!(id(&current, after(seconds)).as_deref(), Ok("a"));
        }
    }

    /// A provider that hangs blocks one request until its deadline, and not one request after the
    /// other.
    #[test]
    fn a_request_that_gave_up_waiting_spares_those_after_it() {
        let gate = Gate::answering([Some(credentials("a", None)), Some(credentials("b", None))]);
        let current = current_of(Arc::clone(&gate));
        let woken = Arc::new(Woken::default());
        gate.open();
        assert!(poll(pin!(current.refresh(START)).as_mut(), &woken).is_ready());
        gate.open.lock().unwrap().0 = false;
        assert!(is_due(&current, after(900)));
        assert!(poll(pin!(current.refresh(after(900))).as_mut(), &woken).is_pending());
        assert!(!is_due(&current, after(901)), "it has just given up");
        assert_eq!(id(&current, after(901)).as_deref(), Ok("a"));
        assert!(is_due(&current, after(930)));
    }

    #[test]
    fn one_reads_and_the_others_wait_for_its_answer() {
        let gate = Gate::answering([Some(credentials("a", Some(3600)))]);
        let current = current_of(Arc::clone(&gate));
        assert_eq!(id(&current, START), Err(SignErrorKind::Credentials));
        assert!(is_due(&current, START));
        let (first, second) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let mut one = pin!(current.refresh(START));
        let mut two = pin!(current.refresh(START));
        assert!(poll(one.as_mut(), &first).is_pending());
        assert!(poll(two.as_mut(), &second).is_pending());
        gate.open();
        assert_eq!(first.0.load(Ordering::SeqCst), 1);
        assert!(poll(one.as_mut(), &first).is_ready());
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(two.as_mut(), &second), ready("unchanged"));
        assert_eq!(gate.asked(), 1);
        assert_eq!(id(&current, START).as_deref(), Ok("a"));
        assert!(!is_due(&current, after(3299)));
        assert!(is_due(&current, after(3300)));
    }

    #[test]
    fn a_failure_is_everybodys_answer_and_is_followed_by_a_pause() {
        let gate = Gate::answering([None, Some(credentials("a", None))]);
        let current = current_of(Arc::clone(&gate));
        let woken = Arc::new(Woken::default());
        let mut one = pin!(current.refresh(START));
        let mut two = pin!(current.refresh(START));
        assert!(poll(one.as_mut(), &woken).is_pending());
        assert!(poll(two.as_mut(), &woken).is_pending());
        gate.open();
        for future in [one.as_mut(), two.as_mut()] {
            let Poll::Ready(Err(error)) = poll(future, &woken) else {
                panic!("expected an error");
            };
            assert_eq!(error.kind(), SignErrorKind::Credentials);
        }
        assert_eq!(gate.asked(), 1);
        assert!(!is_due(&current, START));
        assert!(is_due(&current, after(1)));
        let mut three = pin!(current.refresh(after(1)));
        assert_eq!(poll(three.as_mut(), &woken), ready("changed a"));
    }

    #[test]
    fn what_a_provider_failed_with_is_behind_the_error() {
        struct Failing(Mutex<VecDeque<Result<SigV4Credentials, Unavailable>>>);
        impl CredentialsProvider for Failing {
            async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
                self.0.lock().unwrap().pop_front().unwrap()
            }
        }
        let answers = [
            Err(Unavailable::new("token service").with_source("connection refused")),
            Ok(credentials("ended", Some(1))),
            Ok(credentials("a", Some(3600))),
            Err(Unavailable::new("token service").with_source("timed out")),
        ];
        let provider = Failing(Mutex::new(answers.into()));
        let current = current_of(provider);
        let woken = Arc::new(Woken::default());
        let refresh = |seconds| match poll(pin!(current.refresh(after(seconds))).as_mut(), &woken) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("it is answered at once"),
        };
        let behind = |error: &SignError| {
            let mut causes = Vec::new();
            let mut cause = error.source();
            while let Some(error) = cause {
                causes.push(error.to_string());
                cause = error.source();
            }
            causes.join(": ")
        };
        assert_eq!(behind(&current.at(START).unwrap_err()), "");
        let error = refresh(0).unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::Credentials);
        assert_eq!(
            behind(&error),
            "token service unavailable: connection refused"
        );
        assert_eq!(
            behind(&refresh(2).unwrap_err()),
            "credentials unavailable: the provider answered with credentials that have ended"
        );
        assert_eq!(refresh(4), Ok("changed a".to_owned()));
        assert_eq!(
            behind(&current.at(after(3600)).unwrap_err()),
            "",
            "they ended, and nothing failed"
        );
        assert_eq!(
            behind(&refresh(3600).unwrap_err()),
            "token service unavailable: timed out"
        );
    }

    #[test]
    fn whoever_gives_up_waiting_gives_up_its_turn() {
        let gate = Gate::answering([Some(credentials("a", None))]);
        let current = current_of(Arc::clone(&gate));
        let woken = Arc::new(Woken::default());
        let mut two = pin!(current.refresh(START));
        {
            let mut one = Box::pin(current.refresh(START));
            assert!(poll(one.as_mut(), &woken).is_pending());
            assert!(poll(two.as_mut(), &woken).is_pending());
        }
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        gate.open();
        assert_eq!(poll(two.as_mut(), &woken), ready("changed a"));
        assert_eq!(gate.asked(), 2);
    }

    #[test]
    fn those_who_can_still_sign_do_not_wait() {
        let gate = Gate::answering([
            Some(credentials("a", Some(3600))),
            Some(credentials("b", Some(7200))),
        ]);
        let current = current_of(Arc::clone(&gate));
        let woken = Arc::new(Woken::default());
        gate.open();
        assert!(poll(pin!(current.refresh(START)).as_mut(), &woken).is_ready());
        gate.open.lock().unwrap().0 = false;
        let mut one = pin!(current.refresh(after(3400)));
        assert!(poll(one.as_mut(), &woken).is_pending());
        assert!(!is_due(&current, after(3400)));
        assert!(is_due(&current, after(3600)), "they have ended");
        assert_eq!(id(&current, after(3599)).as_deref(), Ok("a"));
        assert_eq!(id(&current, after(3600)), Err(SignErrorKind::Credentials));
        gate.open();
        assert!(poll(one.as_mut(), &woken).is_ready());
        assert_eq!(id(&current, after(3600)).as_deref(), Ok("b"));
    }

    #[test]
    fn a_provider_that_has_an_answer_at_hand_is_not_waited_for() {
        struct AtHand(Mutex<VecDeque<SigV4Credentials>>);
        impl CredentialsProvider for AtHand {
            async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
                unreachable!("it is at hand")
            }
            fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
                let next = self.0.lock().unwrap().pop_front();
                Some(next.ok_or(Unavailable::new("credentials")))
            }
        }
        let answers = [credentials("a", Some(3600)), credentials("b", Some(9000))];
        let provider = AtHand(Mutex::new(answers.into()));
        let current = current_of(provider);
        assert_eq!(id(&current, START).as_deref(), Ok("a"));
        assert!(!is_due(&current, after(3400)));
        assert_eq!(id(&current, after(3400)).as_deref(), Ok("b"));
        assert!(
            !is_due(&current, after(8999)),
            "there is no answer any more"
        );
        assert_eq!(id(&current, after(8999)).as_deref(), Ok("b"));
    }

    /// Requests that time out while the provider does not answer.
    #[test]
    fn nothing_is_kept_of_those_who_gave_up_waiting() {
        let gate = Gate::answering([Some(credentials("a", None))]);
        let current = current_of(Arc::clone(&gate));
        let reader = Arc::new(Woken::default());
        let mut one = pin!(current.refresh(START));
        assert!(poll(one.as_mut(), &reader).is_pending());
        let given_up: Vec<_> = (0..100).map(|_| Arc::new(Woken::default())).collect();
        for woken in &given_up {
            assert!(poll(pin!(current.refresh(START)).as_mut(), woken).is_pending());
            assert_eq!(Arc::strong_count(woken), 1);
        }
        gate.open();
        assert_eq!(poll(one.as_mut(), &reader), ready("changed a"));
    }
}
