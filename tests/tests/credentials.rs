//! `SignLayer` over a provider of credentials that is late or fails: a request waits for a bounded
//! time, and says why it was not sent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    convert::Infallible,
    error::Error,
    future::pending,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use countersign::{
    CredentialsProvider, Secret, SharedCredentialsFile, SigV4Credentials, SigV4SignSettings,
    SignError, SignErrorKind, Signer, SigningKey, Unavailable,
};
use http::{HeaderMap, Request};
use http_body_util::Full;
use tests::directory::Directory;
use tests::{
    keys::NOW,
    signed::{AUTHORITY, billing},
};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use tower_countersign::{SignLayer, SignMiddleware};
use tracing_subscriber::fmt::MakeWriter;

/// What the provider does when it is asked, and what it had before.
#[derive(Clone)]
struct Provider {
    before: Option<SigV4Credentials>,
    hangs: bool,
}

impl CredentialsProvider for Provider {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        if self.hangs {
            return pending().await;
        }
        Err(Unavailable::new("token service").with_source("connection refused"))
    }
}

/// Has them at hand at the start, and never again.
struct First(Provider, std::sync::atomic::AtomicBool);

impl CredentialsProvider for First {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        self.0.credentials().await
    }

    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        let is_first = !self.1.swap(true, Ordering::SeqCst);
        self.0.before.clone().filter(|_| is_first).map(Ok)
    }
}

fn signer(before: Option<SigV4Credentials>, hangs: bool) -> Signer {
    let provider = First(Provider { before, hangs }, false.into());
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", provider).unwrap();
    Signer::sigv4(settings, [AUTHORITY]).unwrap()
}

/// Credentials that end so many seconds from now.
fn ending_in(seconds: u64) -> SigV4Credentials {
    let key = SigningKey::sigv4(&Secret::generate().unwrap());
    let credentials = SigV4Credentials::new("AKIDBILLING", key).unwrap();
    credentials.with_expires_at(NOW.saturating_add(Duration::from_secs(seconds)))
}

/// The headers that were sent.
async fn send(layer: SignLayer) -> Result<HeaderMap, SignError> {
    let inner = service_fn(async |request: Request<_>| {
        let (parts, _): (_, tower_countersign::SignedBody<Full<Bytes>>) = request.into_parts();
        Ok::<_, Infallible>(parts.headers)
    });
    let request = Request::get(format!("http://{AUTHORITY}/"));
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let sent: Result<HeaderMap, BoxError> = layer.layer(inner).oneshot(request).await;
    sent.map_err(|error| *error.downcast::<SignError>().unwrap())
}

fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes
}

fn layer(signer: Signer) -> SignLayer {
    SignLayer::new(signer)
        .with_clock(|| NOW)
        .with_credentials_deadline(Duration::from_millis(10))
}

#[tokio::test]
async fn a_provider_that_never_answers_is_an_error_and_no_wait_for_ever() {
    for (name, before) in [("nothing at hand", None), ("expired", Some(ending_in(0)))] {
        let error = send(layer(signer(before, true))).await.unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::Credentials, "{name}");
        assert_eq!(
            error.to_string(),
            "credentials: expected within 10ms, found none by then",
            "{name}"
        );
        assert_eq!(causes(&error).len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_five_seconds_unless_set() {
    let error = send(SignLayer::new(signer(None, true))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "credentials: expected within 5s, found none by then"
    );
}

#[tokio::test]
async fn credentials_that_are_still_valid_sign_while_the_provider_is_late_or_fails() {
    for (name, hangs) in [("late", true), ("failing", false)] {
        let headers = send(layer(signer(Some(ending_in(60)), hangs))).await;
        let headers = headers.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(headers.contains_key("authorization"), "{name}");
    }
}

#[tokio::test]
async fn what_the_provider_failed_with_is_behind_the_error() {
    let error = send(layer(signer(None, false))).await.unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Credentials);
    assert_eq!(
        causes(&error),
        ["token service unavailable", "connection refused"]
    );
}

#[tokio::test]
async fn the_middleware_has_the_same_deadline() {
    let middleware = SignMiddleware::new(signer(None, true))
        .with_credentials_deadline(Duration::from_millis(10));
    let client = middleware.client(reqwest::Client::builder()).unwrap();
    let error = client
        .get(format!("http://{AUTHORITY}/"))
        .send()
        .await
        .unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("expected within 10ms"), "{text}");
}

/// A timer would ask for a runtime of tokio's.
#[test]
fn a_signer_with_a_fixed_key_needs_no_runtime() {
    let layer = SignLayer::new(billing()).with_clock(|| NOW);
    let headers = futures::executor::block_on(send(layer)).unwrap();
    assert!(headers.contains_key("authorization"));
}

/// What was logged since it was last asked for.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const SECRET: &str = "correct/Horse+battery/Staple+0123456789";

fn profile(id: &str) -> String {
    format!(
        "[billing]\naws_access_key_id = {id}\naws_secret_access_key = {SECRET}\naws_session_token = token//+==\n"
    )
}

/// Source: temporary credentials of a file, which says no end, were used until the process ended.
#[tokio::test]
async fn credentials_of_a_file_are_read_again_in_a_quarter_of_an_hour_and_the_log_says_so() {
    let directory = Directory::new();
    let path = directory.write("credentials", &profile("ASIAFIRST"));
    let provider = SharedCredentialsFile::open(&path, "billing").unwrap();
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", provider).unwrap();
    let signer = Signer::sigv4(settings, [AUTHORITY]).unwrap();
    let elapsed = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&elapsed);
    let layer = SignLayer::new(signer)
        .with_clock(move || NOW.saturating_add(Duration::from_secs(clock.load(Ordering::SeqCst))));
    let (log, _logging) = Log::start();
    let sent_at = async |seconds: u64| {
        elapsed.store(seconds, Ordering::SeqCst);
        let headers = send(layer.clone()).await.unwrap();
        let authorization = headers["authorization"].to_str().unwrap().to_owned();
        let (_, id) = authorization.split_once("Credential=").unwrap();
        (id.split('/').next().unwrap().to_owned(), log.take())
    };
    assert_eq!(sent_at(0).await, ("ASIAFIRST".to_owned(), String::new()));

    directory.rename_in("credentials", &profile("ASIASECOND"));
    assert_eq!(sent_at(899).await.0, "ASIAFIRST");
    let (id, said) = sent_at(900).await;
    assert_eq!(id, "ASIASECOND");
    assert!(
        said.contains("INFO") && said.contains("outcome=\"credentials_changed\""),
        "{said}"
    );
    assert!(said.contains("ASIA… (10 characters)"), "{said}");
    assert!(
        !said.contains("Horse") && !said.contains("token//"),
        "{said}"
    );
    assert_eq!(
        sent_at(1799).await,
        ("ASIASECOND".to_owned(), String::new())
    );
    assert_eq!(
        sent_at(1800).await,
        ("ASIASECOND".to_owned(), String::new()),
        "they are the same"
    );

    directory.rename_in("credentials", "[billing]\ncredential_process = tool\n");
    let (id, said) = sent_at(2700).await;
    assert_eq!(id, "ASIASECOND", "they go on");
    assert!(
        said.contains("WARN") && said.contains("outcome=\"credentials_failed\""),
        "{said}"
    );
    assert!(
        said.contains("line 2: profile billing: expected aws_access_key_id, aws_secret_access_key and aws_session_token alone, found credential_process"),
        "{said}"
    );
    assert_eq!(
        sent_at(2701).await.1,
        "",
        "the provider is left alone for a while"
    );
    directory.rename_in("credentials", &profile("ASIATHIRD"));
    assert_eq!(sent_at(2730).await.0, "ASIATHIRD");
}

#[tokio::test]
async fn how_old_credentials_may_become_is_a_setting() {
    let directory = Directory::new();
    let path = directory.write("credentials", &profile("ASIAFIRST"));
    let provider = SharedCredentialsFile::open(&path, "billing").unwrap();
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", provider)
        .unwrap()
        .with_max_credentials_age(Duration::from_secs(60));
    let signer = Signer::sigv4(settings, [AUTHORITY]).unwrap();
    let told = |done| format!("{done:?}");
    let later = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    assert_eq!(told(signer.refresh(NOW).await.unwrap()), "Unchanged");
    directory.rename_in("credentials", &profile("ASIASECOND"));
    assert_eq!(told(signer.refresh(later(59)).await.unwrap()), "Unchanged");
    let changed = told(signer.refresh(later(60)).await.unwrap());
    assert!(changed.starts_with("Changed("), "{changed}");
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_one_request_while_credentials_are_valid() {
    let (log, _logging) = Log::start();
    let layer = layer(signer(Some(ending_in(60)), true));
    send(layer.clone()).await.unwrap();
    let said = log.take();
    assert!(
        said.contains("credentials: expected within 10ms, found none by then"),
        "{said}"
    );
    // The clock of the layer does not move, so that the provider is not asked again.
    send(layer).await.unwrap();
    assert_eq!(log.take(), "");
}
