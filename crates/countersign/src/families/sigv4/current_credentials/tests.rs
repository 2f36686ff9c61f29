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
