//! The events of the authorization layers.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, Once},
};

use axum::{Router, routing::any};
use http::Method;
use tests::{keys::NOW, signed};
use tower_countersign::{AllowCallers, AuthorizeLayer};
use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{layer::Context, layer::SubscriberExt};

use crate::{
    layers::{get_by, send, verify},
    policy,
};

const POLICY: &str = r#"
[[statements]]
id = "read"
effect = "allow"
callers = ["billing"]
methods = ["GET"]
paths = ["/**"]

[[statements]]
id = "no secrets"
effect = "deny"
callers = ["*"]
methods = ["*"]
paths = ["/secret-path"]
"#;

/// The level of an event, and its fields by name.
type Event = (Level, BTreeMap<String, String>);

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Event>>>);

struct Fields<'f>(&'f mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        if event.metadata().target() == "countersign" {
            let level = *event.metadata().level();
            self.0.lock().unwrap().push((level, fields));
        }
    }
}

impl Capture {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        // A thread without a subscriber would disable callsites for every later thread.
        static EVERY_THREAD: Once = Once::new();
        EVERY_THREAD.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        let capture = Self::default();
        let subscriber = tracing_subscriber::registry().with(capture.clone());
        (capture, tracing::subscriber::set_default(subscriber))
    }

    /// Returns the events of the authorization layers since the last call, as `level field=value
    /// …`.
    fn take(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        let ours = [
            "allowed",
            "forbidden",
            "would_forbid",
            "statement_unreachable",
        ];
        let events = events.into_iter().filter(|(_, fields)| {
            ours.contains(&fields.get("outcome").map_or("", |outcome| outcome))
        });
        events
            .map(|(level, fields)| {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!("{level} {}", fields.join(" "))
            })
            .collect()
    }
}

fn app(layer: AuthorizeLayer) -> Router {
    Router::new()
        .fallback(any(async || "handled"))
        .layer(layer)
        .layer(verify())
}

#[tokio::test]
async fn an_event_says_who_asked_and_which_statement_decided() {
    let (capture, _guard) = Capture::start();
    let enforced = app(AuthorizeLayer::new(policy(POLICY)));
    let report = app(AuthorizeLayer::new(policy(POLICY)).insecure_report_only());
    let post = || {
        let request = signed::at(NOW, &signed::billing(), signed::post("/x", ""));
        request.map(axum::body::Body::from)
    };
    for (name, app, request, expected) in [
        (
            "allowed",
            &enforced,
            get_by(&signed::billing(), "/x?token=hidden"),
            "DEBUG caller=billing method=GET outcome=allowed statement=read",
        ),
        (
            "denied",
            &enforced,
            get_by(&signed::billing(), "/secret-path?token=hidden"),
            "WARN caller=billing method=GET outcome=forbidden reason=a statement denies it statement=no secrets suppressed=0",
        ),
        (
            "no match",
            &enforced,
            post(),
            "WARN caller=billing method=POST outcome=forbidden reason=no statement allows it suppressed=0",
        ),
        (
            "reported",
            &report,
            get_by(&signed::billing(), "/secret-path"),
            "WARN caller=billing method=GET outcome=would_forbid reason=a statement denies it statement=no secrets suppressed=0",
        ),
    ] {
        send(app, request).await;
        assert_eq!(capture.take(), [expected], "{name}");
    }
}

/// If both layers only report, the event holds the decision of both enforced. An enforced layer
/// accepts no unverified caller.
#[tokio::test]
async fn behind_a_verifier_that_reports_a_layer_that_reports_judges_who_would_be_the_caller() {
    let (capture, _guard) = Capture::start();
    let behind = |layer: AuthorizeLayer| {
        Router::new()
            .fallback(any(async || "handled"))
            .layer(layer.with_clock(|| NOW))
            .layer(verify().insecure_report_only())
    };
    let report = behind(AuthorizeLayer::new(policy(POLICY)).insecure_report_only());
    let enforced = behind(AuthorizeLayer::new(policy(POLICY)));
    let unsigned = || signed::get("/x").map(axum::body::Body::from);
    let nobody = |outcome: &str| {
        format!(
            "WARN method=GET outcome={outcome} reason=no verified caller: expected an enforcing VerifyLayer outside this layer suppressed=0"
        )
    };
    for (name, app, request, status, expected) in [
        (
            "would be allowed",
            &report,
            get_by(&signed::billing(), "/x"),
            200,
            "DEBUG caller=billing method=GET outcome=allowed statement=read".to_owned(),
        ),
        (
            "would be denied",
            &report,
            get_by(&signed::billing(), "/secret-path"),
            200,
            "WARN caller=billing method=GET outcome=would_forbid reason=a statement denies it statement=no secrets suppressed=0".to_owned(),
        ),
        ("would be nobody", &report, unsigned(), 200, nobody("would_forbid")),
        (
            "signed, and enforced",
            &enforced,
            get_by(&signed::billing(), "/x"),
            403,
            nobody("forbidden"),
        ),
    ] {
        assert_eq!(send(app, request).await.status(), status, "{name}");
        assert_eq!(capture.take(), [expected], "{name}");
    }
}

#[tokio::test]
async fn requests_without_a_caller_are_logged_ten_times_a_second() {
    let (capture, _guard) = Capture::start();
    let app = Router::new()
        .fallback(any(async || "handled"))
        .layer(AuthorizeLayer::new(policy(POLICY)).with_clock(|| NOW));
    for _ in 0..25 {
        let mut request = signed::get("/x").map(axum::body::Body::from);
        *request.method_mut() = Method::from_bytes(b"GE'T").unwrap();
        assert_eq!(send(&app, request).await.status(), 403);
    }
    let events = capture.take();
    assert_eq!(events.len(), 10);
    assert_eq!(
        events[0],
        "WARN method=GE\\'T outcome=forbidden reason=no verified caller: expected an enforcing VerifyLayer outside this layer suppressed=0"
    );
}

#[tokio::test]
async fn refusals_of_one_caller_are_logged_ten_times_a_second() {
    let (capture, _guard) = Capture::start();
    let app = app(AuthorizeLayer::new(policy(POLICY)).with_clock(|| NOW));
    for _ in 0..25 {
        let denied = get_by(&signed::billing(), "/secret-path");
        assert_eq!(send(&app, denied).await.status(), 403);
    }
    let other = Router::new()
        .fallback(any(async || "handled"))
        .layer(AuthorizeLayer::new(policy(POLICY)).with_clock(|| NOW));
    let events = capture.take();
    assert_eq!(events.len(), 10);
    assert!(
        events.iter().all(|event| event.ends_with("suppressed=0")),
        "{events:?}"
    );
    let nobody = signed::get("/x").map(axum::body::Body::from);
    assert_eq!(send(&other, nobody).await.status(), 403);
    assert_eq!(capture.take().len(), 1, "another layer");
}

#[tokio::test]
async fn a_list_of_callers_logs_no_statement() {
    let (capture, _guard) = Capture::start();
    let app = Router::new()
        .fallback(any(async || "handled"))
        .layer(AllowCallers::new(["audit"]))
        .layer(verify());
    send(&app, get_by(&signed::billing(), "/x")).await;
    assert_eq!(
        capture.take(),
        [
            "WARN caller=billing method=GET outcome=forbidden reason=the caller is not among those that may call this route suppressed=0"
        ]
    );
}

#[test]
fn a_resource_kept_out_is_logged_at_every_load() {
    let (capture, _guard) = Capture::start();
    let directory = tests::directory::Directory::new();
    let path = directory.write(
        "policy.json",
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"ours","Effect":"Allow","Principal":"*","Action":"*","Resource":"orders/*"},
            {"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"*","Resource":"stock/*"}]}"#,
    );
    let api = countersign::ExecuteApi::new("r", "1", "orders", "live").unwrap();
    let api = api.with_shared_documents();
    let reload = tower_countersign::reload::Reload::new();
    let watched = reload.policy_with(path, move |path| {
        countersign::Policy::from_json_file(path, &api)
    });
    let (_policy, _reloading) = watched.unwrap();
    assert_eq!(
        capture.take(),
        [
            "WARN denies=true kept_out=true message=no request to this service can match a resource of the policy outcome=statement_unreachable reason=statement theirs: Resource \"stock/*\": expected the API \"orders\", found \"stock\" resource=stock/* statement=theirs"
        ]
    );
}
