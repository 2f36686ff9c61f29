//! The metrics as Prometheus scrapes them from a service over sockets, and the metrics in the
//! dashboard and in the alerts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::arithmetic_side_effects,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use countersign::{
    CallerKey, CallerKeys, ClaimOutcome, KeyStore, Keyring, MemoryReplayStore, ReplayClaim,
    ReplayStore, ReplayStoreId, Scheme, Timestamp, Unavailable,
};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use metrics::set_default_local_recorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use serde_json::Value;
use tests::{
    client,
    keys::{OTHER_SECRET, SECRET, hmac_key, keyring, signer},
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tower::ServiceExt;
use tower_countersign::{
    BodyLimits, BodyMode, VerifyLayer,
    metrics::{self as ours, Authorization, Kind, Reload, Source},
    verify::Mode,
};

fn recorder() -> PrometheusRecorder {
    let mut builder = PrometheusBuilder::new();
    for metric in ours::ALL {
        if !metric.buckets().is_empty() {
            let name = Matcher::Full(metric.name().to_owned());
            builder = builder
                .set_buckets_for_metric(name, metric.buckets())
                .unwrap();
        }
    }
    builder.build_recorder()
}

/// One scraped line.
#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads the text format of Prometheus. The label values in these tests contain no comma and no
/// quote.
fn samples(text: &str) -> Vec<Sample> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.strip_suffix('}').unwrap();
            let labels = labels
                .split(',')
                .filter(|label| !label.is_empty())
                .map(|label| {
                    let (name, value) = label.split_once('=').unwrap();
                    (name.to_owned(), value.trim_matches('"').to_owned())
                });
            Sample {
                name: name.to_owned(),
                labels: labels.collect(),
                value: value.parse().unwrap(),
            }
        })
        .collect()
}

/// Returns the sum of the series with this name and these labels.
fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |sample: &Sample| {
        labels
            .iter()
            .all(|(name, value)| sample.labels.get(*name).is_some_and(|found| found == value))
    };
    samples
        .iter()
        .filter(|sample| sample.name == name && has(sample))
        .map(|sample| sample.value)
        .sum()
}

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
        .with_expected_hosts([AUTHORITY])
        .unwrap()
}

fn app<K, R>(layer: VerifyLayer<K, R>) -> Router
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    Router::new()
        .fallback(any(async |body: Bytes| body.len().to_string()))
        .layer(layer)
}

async fn send(server: &Server, request: Request<Bytes>) -> StatusCode {
    let response = client::http1(server.addr())
        .request(request.map(Full::new))
        .await
        .unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from(SystemTime::now()).saturating_sub(Duration::from_secs(seconds))
}

#[derive(Clone)]
struct Slow;

impl KeyStore for Slow {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        match key_id {
            "billing" => {
                tokio::task::yield_now().await;
                keyring("billing", &hmac_key(SECRET))
                    .try_lookup("billing")
                    .unwrap()
            }
            "lost" => std::future::pending().await,
            _ => Err(Unavailable::new("key store")),
        }
    }
}

#[derive(Clone)]
struct Down(ReplayStoreId);

impl ReplayStore for Down {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Err(Unavailable::new("replay store"))
    }

    fn id(&self) -> ReplayStoreId {
        self.0
    }
}

/// Causes every metric, over connections where possible.
async fn everything() -> Vec<Sample> {
    let recorder = recorder();
    let handle = recorder.handle();
    let _listening = set_default_local_recorder(&recorder);
    let hello = |path| signed::post(path, "hello");

    // A body that the handler reads while it is verified.
    let keys = keyring("uploader", &hmac_key(SECRET));
    let streamed = VerifyLayer::new(keys).with_body_mode(BodyMode::Stream);
    let streamed = streamed.unwrap();
    let uploader = signer("uploader", hmac_key(SECRET), AUTHORITY);
    let handler = any(async |body: Bytes| body.len().to_string());
    let server = Server::axum(Router::new().fallback(handler).layer(streamed)).await;
    let whole = signed::now(&uploader, signed::post("/a", "streamed"));
    assert_eq!(send(&server, whole).await, 200);
    let mut other = signed::now(&uploader, hello("/a"));
    *other.body_mut() = Bytes::from("HELLO");
    assert_eq!(send(&server, other).await, 401);

    let server = Server::axum(app(layer()
        .insecure_report_only_for([(Method::POST, "/reported")])
        .unwrap()))
    .await;
    let copy = signed::now(&billing(), hello("/a"));
    assert_eq!(send(&server, copy.clone()).await, 200);
    assert_eq!(send(&server, copy).await, 401);
    assert_eq!(
        send(&server, signed::at(ago(20), &billing(), hello("/a"))).await,
        200
    );
    assert_eq!(
        send(&server, signed::at(ago(400), &billing(), hello("/a"))).await,
        401
    );
    assert_eq!(send(&server, hello("/a")).await, 401);
    assert_eq!(send(&server, hello("/reported")).await, 200);
    assert_eq!(
        send(&server, signed::now(&billing(), hello("/reported"))).await,
        200
    );
    for number in 0..20 {
        let name = format!("stranger-{number}");
        let stranger = signer(&name, hmac_key(OTHER_SECRET), AUTHORITY);
        assert_eq!(
            send(&server, signed::now(&stranger, hello("/a"))).await,
            401
        );
    }
    let mut other = signed::now(&billing(), hello("/a"));
    *other.body_mut() = Bytes::from("HELLO");
    assert_eq!(send(&server, other).await, 401);

    // Slow stores and stores without an answer.
    let slow = VerifyLayer::new(Slow).with_store_deadline(Duration::from_millis(50));
    let server = Server::axum(app(slow.clone())).await;
    assert_eq!(
        send(&server, signed::now(&billing(), hello("/a"))).await,
        200
    );
    for (name, status) in [("lost", 503), ("gone", 503)] {
        let caller = signer(name, hmac_key(SECRET), AUTHORITY);
        assert_eq!(
            send(&server, signed::now(&caller, hello("/a"))).await,
            status
        );
    }
    let server = Server::axum(app(layer().with_replay_store(Down(ReplayStoreId::unique())))).await;
    assert_eq!(
        send(&server, signed::now(&billing(), hello("/a"))).await,
        503
    );
    let one = MemoryReplayStore::builder()
        .quota_per_caller(1)
        .callers(1)
        .build()
        .unwrap();
    let limits = BodyLimits::default().with_total_bytes(8);
    let server = Server::axum(app(layer()
        .with_replay_store(one)
        .with_body_limits(limits)
        .with_audience("small")))
    .await;
    assert_eq!(
        send(&server, signed::now(&billing(), hello("/a"))).await,
        200
    );
    assert_eq!(
        send(&server, signed::now(&billing(), hello("/a"))).await,
        429
    );
    assert_eq!(
        send(
            &server,
            signed::now(&billing(), signed::post("/a", "too much of it"))
        )
        .await,
        503
    );

    // A refusal with a hint.
    let server = Server::axum(app(layer().with_mismatch_hints())).await;
    let astray = signer("billing", hmac_key(SECRET), "elsewhere");
    let request = Request::post("http://elsewhere/a")
        .body(Bytes::from("hello"))
        .unwrap();
    assert_eq!(send(&server, signed::now(&astray, request)).await, 421);

    // A client that disconnects in the middle of its body.
    let request = signed::now(&billing(), hello("/a"));
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let mut left = Box::pin(app(layer()).oneshot(request.map(|_| body)));
    assert!(futures::poll!(&mut left).is_pending());
    drop(left);

    // Metrics of other parts of the crate.
    ours::key_reload(Reload::Succeeded);
    ours::key_reload(Reload::Failed);
    ours::policy_reload(Reload::Succeeded);
    ours::bad_sources(Source::Keys, 1);
    ours::replay_store_bypassed();
    ours::authorization_decision(Authorization::Denied, None, Mode::Enforced);

    samples(&handle.render())
}

#[tokio::test]
async fn every_metric_is_emitted_with_the_labels_of_the_table_and_no_other_is() {
    let found = everything().await;
    let mut names = BTreeSet::new();
    for metric in ours::ALL {
        let expected: BTreeSet<&str> = metric.labels().iter().copied().collect();
        let endings: &[&str] = match metric.kind() {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        for ending in endings {
            let name = format!("{}{ending}", metric.name());
            let of_it: Vec<_> = found.iter().filter(|sample| sample.name == name).collect();
            assert!(!of_it.is_empty(), "{name} was never emitted");
            for sample in of_it {
                let labels: BTreeSet<&str> = sample.labels.keys().map(String::as_str).collect();
                let mut expected = expected.clone();
                if *ending == "_bucket" {
                    expected.insert("le");
                }
                assert_eq!(labels, expected, "{name}");
            }
            names.insert(name);
        }
    }
    for sample in &found {
        assert!(
            names.contains(&sample.name),
            "{} is not in the table",
            sample.name
        );
    }
}

#[tokio::test]
async fn decisions_are_counted_by_scheme_outcome_and_proven_caller() {
    let found = everything().await;
    let scheme = Scheme::HmacSha256.name();
    for (labels, expected) in [
        (
            &[
                ("outcome", "accepted"),
                ("code", ""),
                ("caller", "billing"),
                ("mode", "enforced"),
                ("scheme", scheme),
            ][..],
            4.0,
        ),
        (
            &[
                ("outcome", "accepted"),
                ("mode", "report_only"),
                ("caller", "billing"),
            ],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "replayed"),
                ("caller", "billing"),
            ],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "expired"),
                ("caller", ""),
                ("scheme", scheme),
            ],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "missing_signature"),
                ("scheme", ""),
                ("mode", "enforced"),
            ],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "missing_signature"),
                ("mode", "report_only"),
            ],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "invalid_signature"),
                ("caller", ""),
                ("scheme", scheme),
            ],
            20.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "body_mismatch"),
                ("caller", "billing"),
            ],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "over_quota"),
                ("caller", "billing"),
            ],
            1.0,
        ),
        (&[("outcome", "refused"), ("code", "unavailable")], 4.0),
        (&[("outcome", "undecided")], 1.0),
    ] {
        assert_eq!(
            sum(&found, "countersign_decisions_total", labels),
            expected,
            "{labels:?}"
        );
    }
    let decided = sum(&found, "countersign_decisions_total", &[]);
    assert_eq!(
        sum(&found, "countersign_verify_duration_seconds_count", &[]),
        decided
    );
    for (name, labels, expected) in [
        (
            "countersign_replay_claims_total",
            &[("answer", "fresh")][..],
            7.0,
        ),
        (
            "countersign_replay_claims_total",
            &[("answer", "over_quota")],
            1.0,
        ),
        (
            "countersign_replay_claims_total",
            &[("answer", "error")],
            1.0,
        ),
        (
            "countersign_store_errors_total",
            &[("store", "keys"), ("error", "timeout")],
            1.0,
        ),
        (
            "countersign_store_errors_total",
            &[("store", "keys"), ("error", "unavailable")],
            1.0,
        ),
        (
            "countersign_store_errors_total",
            &[("store", "replay"), ("error", "unavailable")],
            1.0,
        ),
        (
            "countersign_store_errors_total",
            &[("store", "body_buffer"), ("error", "full")],
            1.0,
        ),
        (
            "countersign_replay_store_entries",
            &[("audience", "small")],
            1.0,
        ),
        (
            "countersign_replay_store_entries",
            &[("audience", AUTHORITY)],
            3.0,
        ),
        (
            "countersign_date_skew_seconds_bucket",
            &[("outcome", "accepted"), ("direction", "past"), ("le", "30")],
            7.0,
        ),
        (
            "countersign_date_skew_seconds_bucket",
            &[("outcome", "accepted"), ("direction", "past"), ("le", "10")],
            6.0,
        ),
        (
            "countersign_date_skew_seconds_count",
            &[
                ("outcome", "refused"),
                ("direction", "past"),
                ("caller", ""),
            ],
            1.0,
        ),
        ("countersign_body_bytes_sum", &[("caller", "billing")], 25.0),
        (
            "countersign_body_outcomes_total",
            &[("body_mode", "stream"), ("outcome", "verified")],
            1.0,
        ),
        (
            "countersign_body_outcomes_total",
            &[("body_mode", "stream"), ("outcome", "body_mismatch")],
            1.0,
        ),
        (
            "countersign_store_wait_seconds_count",
            &[("store", "keys")],
            3.0,
        ),
        (
            "countersign_key_reloads_total",
            &[("result", "failure")],
            1.0,
        ),
    ] {
        assert_eq!(sum(&found, name, labels), expected, "{name} {labels:?}");
    }
    let last = sum(
        &found,
        "countersign_key_last_use_timestamp_seconds",
        &[("caller", "billing"), ("key_version", "1")],
    );
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    assert!(
        (now - last).abs() < 60.0,
        "{last} is the time of a request of this test"
    );
}

/// Otherwise anyone could create as many series as there are names.
#[tokio::test]
async fn no_text_of_a_stranger_is_a_label() {
    for sample in everything().await {
        for (label, value) in &sample.labels {
            assert!(!value.contains("stranger"), "{sample:?}");
            if label == "caller" {
                assert!(
                    matches!(value.as_str(), "" | "billing" | "uploader"),
                    "{sample:?}"
                );
            }
        }
    }
}

/// A signer can date a request in the year 9999: it must not dominate the sum of all others.
#[tokio::test]
async fn a_date_counts_for_a_day_at_most() {
    let recorder = recorder();
    let handle = recorder.handle();
    let _listening = set_default_local_recorder(&recorder);
    let server = Server::axum(app(layer())).await;
    let far = Timestamp::from_unix_seconds(250_000_000_000);
    assert_eq!(
        send(&server, signed::at(far, &billing(), signed::get("/a"))).await,
        401
    );
    let found = samples(&handle.render());
    let labels = [("direction", "future"), ("outcome", "refused")];
    assert_eq!(
        sum(&found, "countersign_date_skew_seconds_sum", &labels),
        86_400.0
    );
}

#[tokio::test]
async fn a_recorder_may_come_after_the_layer() {
    let server = Server::axum(app(layer())).await;
    assert_eq!(
        send(&server, signed::now(&billing(), signed::get("/a"))).await,
        200
    );
    let recorder = recorder();
    let handle = recorder.handle();
    let _listening = set_default_local_recorder(&recorder);
    ours::describe();
    assert_eq!(
        send(&server, signed::now(&billing(), signed::get("/a"))).await,
        200
    );
    let text = handle.render();
    assert_eq!(
        sum(&samples(&text), "countersign_decisions_total", &[]),
        1.0
    );
    assert!(
        text.contains("# HELP countersign_decisions_total Requests by decision"),
        "{text}"
    );
}

/// A signed body is counted whether or not the handler reads it.
#[tokio::test]
async fn a_signed_body_on_a_report_only_route_is_counted_at_its_end() {
    use countersign::{Secret, Signer, SigningKey, StandardWebhooksVerifySettings, Verifier};
    let secret = Secret::from_bytes(b"0123456789abcdefghijklmnop");
    let key = SigningKey::standard_webhooks(&secret);
    let keys = Keyring::builder()
        .caller("svix", CallerKey::new("1", key.verifying_key()).unwrap())
        .build()
        .unwrap();
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let verify_settings = verify_settings
        .with_route(Method::POST, "/read")
        .unwrap()
        .with_route(Method::POST, "/left")
        .unwrap();
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let signer = Signer::standard_webhooks([key], [AUTHORITY]).unwrap();
    let layer = VerifyLayer::new(keys)
        .with_verifier(verifier)
        .insecure_report_only();
    let app = Router::new()
        .route("/read", any(async |body: Bytes| body))
        .route("/left", any(async || "not read"))
        .layer(layer);

    let recorder = recorder();
    let handle = recorder.handle();
    let _listening = set_default_local_recorder(&recorder);
    let good = signed::now_in_full(&signer, signed::post("/read", "event"));
    let mut bad = signed::now_in_full(&signer, signed::post("/read", "event"));
    *bad.body_mut() = Bytes::from("other");
    let left = signed::now_in_full(&signer, signed::post("/left", "event"));
    for request in [good, bad, left] {
        let response = app.clone().oneshot(request.map(Body::from)).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    let found = samples(&handle.render());
    for (labels, expected) in [
        (
            &[
                ("outcome", "accepted"),
                ("caller", "svix"),
                ("mode", "report_only"),
            ][..],
            1.0,
        ),
        (
            &[
                ("outcome", "refused"),
                ("code", "invalid_signature"),
                ("caller", ""),
            ],
            1.0,
        ),
        (&[("outcome", "undecided"), ("caller", "")], 1.0),
        (&[], 3.0),
    ] {
        assert_eq!(
            sum(&found, "countersign_decisions_total", labels),
            expected,
            "{labels:?}"
        );
    }
    assert_eq!(
        sum(&found, "countersign_body_bytes_sum", &[("caller", "svix")]),
        5.0
    );
}

fn operations() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("crates/tower-countersign/operations")
}

fn alerts() -> Value {
    serde_norway::from_str(&fs::read_to_string(operations().join("prometheus-alerts.yml")).unwrap())
        .unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&fs::read_to_string(operations().join("grafana-dashboard.json")).unwrap())
        .unwrap()
}

/// Returns the text of every field with this name, at any depth.
fn fields<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if key == name {
                    found.extend(value.as_str());
                }
                fields(value, name, found);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| fields(value, name, found)),
        _ => {}
    }
}

/// Returns every metric of this crate in a PromQL expression with its label selectors, and all
/// grouping labels.
fn asked(expression: &str) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let mut metrics = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("countersign_") {
        let name = word(&rest[at..]);
        rest = &rest[at + name.len()..];
        let mut labels = Vec::new();
        if let Some(selector) = rest.strip_prefix('{') {
            let (inside, after) = selector.split_once('}').expect("a selector ends");
            rest = after;
            // Skip the values between quotes.
            let names = inside.split('"').step_by(2);
            labels.extend(
                names
                    .map(|text| word(text.trim_start_matches([',', ' '])))
                    .filter(|name| !name.is_empty()),
            );
        }
        metrics.push((name, labels));
    }
    let mut groups = Vec::new();
    for keyword in ["by (", "on (", "ignoring (", "without (", "group_left ("] {
        for part in expression.split(keyword).skip(1) {
            let (inside, _) = part.split_once(')').expect("a list ends");
            groups.extend(inside.split(',').map(|name| name.trim().to_owned()));
        }
    }
    (metrics, groups)
}

#[test]
fn the_expression_reader_finds_every_name() {
    let (metrics, groups) = asked(
        r#"sum by (code, le) (rate(countersign_a_total{mode="x,y{", code!~"z"}[5m])) / on (caller) countersign_b > 0"#,
    );
    let expected = [
        (
            "countersign_a_total".to_owned(),
            vec!["mode".to_owned(), "code".to_owned()],
        ),
        ("countersign_b".to_owned(), vec![]),
    ];
    assert_eq!(metrics, expected);
    assert_eq!(groups, ["code", "le", "caller"]);
}

/// Compared with the table and with the emitted metrics.
#[tokio::test]
async fn the_dashboard_and_the_alerts_use_existing_metrics() {
    let emitted = everything().await;
    let (alerts, dashboard) = (alerts(), dashboard());
    let mut used = BTreeSet::new();
    for (file, value, least) in [("alerts", &alerts, 10), ("dashboard", &dashboard, 10)] {
        let mut expressions = Vec::new();
        fields(value, "expr", &mut expressions);
        assert!(expressions.len() >= least, "{file}: {expressions:?}");
        let mut queries = Vec::new();
        fields(value, "query", &mut queries);
        for query in queries {
            if query.contains("countersign") {
                let (metric, label) = query
                    .strip_prefix("label_values(")
                    .and_then(|query| query.strip_suffix(')'))
                    .and_then(|query| query.split_once(", "))
                    .unwrap();
                let known = ours::ALL
                    .iter()
                    .find(|known| known.name() == metric)
                    .unwrap();
                assert!(known.labels().contains(&label) || label == "job", "{query}");
            }
        }
        for expression in expressions {
            let (metrics, groups) = asked(expression);
            assert!(!metrics.is_empty(), "{file}: {expression}");
            let mut selectable = BTreeSet::from(["le", "job", "instance"]);
            for (name, labels) in &metrics {
                let metric = ours::ALL.iter().find(|metric| match metric.kind() {
                    Kind::Histogram => ["_bucket", "_sum", "_count"]
                        .iter()
                        .any(|ending| name.strip_suffix(ending) == Some(metric.name())),
                    _ => metric.name() == name,
                });
                let metric = metric.unwrap_or_else(|| panic!("{file} uses {name}: {expression}"));
                used.insert(metric.name());
                assert!(
                    emitted.iter().any(|sample| sample.name == *name),
                    "{file}: {name} is never emitted"
                );
                for label in labels {
                    assert!(
                        metric.labels().contains(&label.as_str()) || label == "job",
                        "{file}: {name} has no label {label}"
                    );
                }
                selectable.extend(metric.labels());
            }
            for group in groups {
                assert!(
                    selectable.contains(group.as_str()),
                    "{file}: grouped by {group}: {expression}"
                );
            }
            // A value that no code emits would never match.
            for (label, values) in [
                (
                    "outcome",
                    &["accepted", "refused", "undecided", "allowed", "denied"][..],
                ),
                ("mode", &["enforced", "report_only"]),
                ("answer", &["fresh", "replayed", "over_quota", "error"]),
                ("result", &["success", "failure"]),
                (
                    "code",
                    &[
                        "missing_signature",
                        "malformed",
                        "misdirected",
                        "insufficient_coverage",
                        "expired",
                        "invalid_signature",
                        "too_large",
                        "timeout",
                        "body_mismatch",
                        "replayed",
                        "over_quota",
                        "unavailable",
                        "misconfigured",
                    ],
                ),
            ] {
                for part in expression.split(&format!("{label}=\"")).skip(1) {
                    let (value, _) = part.split_once('"').unwrap();
                    assert!(
                        values.contains(&value),
                        "{file}: {label}={value}: {expression}"
                    );
                }
            }
        }
    }
    for metric in ours::ALL {
        assert!(
            used.contains(metric.name()),
            "{} is in neither",
            metric.name()
        );
    }
}

#[test]
fn the_page_explains_every_metric_and_every_alert() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("crates/OPERATIONS.md")).unwrap();
    let of_proxies = metrics_of_proxies(&root.join("crates/countersign-proxy/src"));
    assert!(of_proxies.len() >= 4, "{of_proxies:?}");
    let known: Vec<&str> = ours::ALL.iter().map(ours::Metric::name).collect();
    let of_proxies = of_proxies.iter().map(String::as_str);
    let known: Vec<&str> = known.into_iter().chain(of_proxies).collect();
    for name in &known {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
    let alerts = alerts();
    let mut names = Vec::new();
    fields(&alerts, "alert", &mut names);
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    // The page names no metric that does not exist.
    for part in page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|part| part.starts_with("countersign_"))
    {
        let name: String = part
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        assert!(known.contains(&&*name), "{name}");
    }
}

/// The names of the metrics that the sources of the proxies count.
fn metrics_of_proxies(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(metrics_of_proxies(&path));
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        let quoted = source.split("\"countersign_proxy_").skip(1);
        let quoted = quoted.filter_map(|rest| rest.split('"').next());
        names.extend(quoted.map(|name| format!("countersign_proxy_{name}")));
    }
    names
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(operations())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
}

#[test]
#[ignore = "needs promtool"]
fn the_alerts_are_rules_that_prometheus_reads() {
    promtool(&["check", "rules", "prometheus-alerts.yml"]);
}

#[test]
#[ignore = "needs promtool"]
fn the_alerts_fire_when_they_should_and_not_before() {
    promtool(&["test", "rules", "prometheus-alerts-test.yml"]);
}
