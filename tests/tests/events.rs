//! Events of the layers, captured with those of every crate at `TRACE`. They are as documented,
//! hold no secret, and are limited in number.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, OriginalUri},
    routing::any,
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use countersign::{
    CallerKey, CallerKeys, ClaimOutcome, KeyState, KeyStore, Keyring, MemoryReplayStore,
    ReplayClaim, ReplayStore, ReplayStoreId, Scheme, Secret, SigV4Credentials, SigV4Presigned,
    SigV4SignSettings, SigV4VerifySettings, Signer, SigningKey, Timestamp, Unavailable, Verifier,
    VerifyingKey,
};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tests::{
    bodies::Pending,
    client,
    keys::{NOW, OTHER_SECRET, SECRET, ed25519_key, hmac_key, keyring, signer},
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{BodyLimits, Refusal, RequestBody, SignLayer, VerifiedCaller, VerifyLayer};
use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{layer::Context, layer::SubscriberExt};

/// Every event on this thread, of any crate, at any level.
#[derive(Clone, Default)]
struct Capture {
    events: Arc<Mutex<Vec<Event>>>,
    spans: Arc<Mutex<Vec<Event>>>,
}

#[derive(Clone, Debug)]
struct Event {
    level: Level,
    target: String,
    fields: BTreeMap<String, String>,
}

impl Event {
    fn new(metadata: &tracing::Metadata<'_>) -> Self {
        Self {
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            fields: BTreeMap::new(),
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn names(&self) -> Vec<&str> {
        self.fields.keys().map(String::as_str).collect()
    }
}

impl Visit for Event {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields
            .insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields
            .insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut captured = Event::new(event.metadata());
        event.record(&mut captured);
        self.events.lock().unwrap().push(captured);
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let mut captured = Event::new(attributes.metadata());
        attributes.record(&mut captured);
        self.spans.lock().unwrap().push(captured);
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut captured = Event {
            level: Level::TRACE,
            target: "span".to_owned(),
            fields: BTreeMap::new(),
        };
        values.record(&mut captured);
        self.spans.lock().unwrap().push(captured);
    }
}

impl Capture {
    /// Captures until the guard is dropped. The runtime of the test must have one thread.
    fn start() -> (Self, DefaultGuard) {
        // A thread without a subscriber would disable each callsite that it meets first, for every
        // thread.
        static EVERY_THREAD: Once = Once::new();
        EVERY_THREAD.call_once(|| {
            let everything = tracing_subscriber::registry();
            tracing::subscriber::set_global_default(everything).unwrap();
        });
        let capture = Self::default();
        let subscriber = tracing_subscriber::registry().with(capture.clone());
        (capture, tracing::subscriber::set_default(subscriber))
    }

    /// Returns the events of the layers since the last call.
    fn take(&self) -> Vec<Event> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        events
            .into_iter()
            .filter(|event| event.target == "countersign")
            .collect()
    }

    /// Returns the only event of the layers since the last call.
    fn only(&self, name: &str) -> Event {
        let events = self.take();
        assert_eq!(events.len(), 1, "{name}: {events:?}");
        events[0].clone()
    }

    /// Returns every event of every crate as text.
    fn text(&self) -> String {
        let events = self.events.lock().unwrap();
        let spans = self.spans.lock().unwrap();
        format!("{events:?}{spans:?}")
    }
}

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

async fn send<K, R>(layer: &VerifyLayer<K, R>, request: Request<Body>) -> Option<Refusal>
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let handler = service_fn(|_: Request<RequestBody>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let response = layer.layer(handler).oneshot(request).await.unwrap();
    response.extensions().get().cloned()
}

fn good() -> Request<Body> {
    signed::at(
        NOW,
        &billing(),
        signed::post("/account/7?token=abc", "body"),
    )
    .map(Body::from)
}

#[derive(Clone, Copy)]
struct Down;

impl KeyStore for Down {
    async fn lookup(&self, _key_id: &str) -> Result<CallerKeys, Unavailable> {
        Err(Unavailable::new("key store").with_source("connection refused"))
    }
}

impl ReplayStore for Down {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Err(Unavailable::new("replay store"))
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

const ACCEPTED: [&str; 5] = [
    "caller",
    "key_version",
    "outcome",
    "replay_protected",
    "scheme",
];

#[tokio::test]
async fn an_accepted_request_is_one_event_at_debug_with_the_documented_fields() {
    let layer = layer();
    let (capture, _guard) = Capture::start();
    assert!(send(&layer, good()).await.is_none());
    let events = capture.take();
    let event = events.last().unwrap();
    assert_eq!(event.level, Level::DEBUG);
    assert_eq!(event.names(), ACCEPTED);
    for (field, value) in [
        ("outcome", "accepted"),
        ("caller", "billing"),
        ("key_version", "1"),
        ("scheme", "HMAC-SHA256"),
        ("replay_protected", "true"),
    ] {
        assert_eq!(event.field(field), Some(value), "{field}");
    }
}

#[tokio::test]
async fn a_refused_request_is_one_event_with_the_documented_fields() {
    let unsigned = || signed::post("/account/7?token=abc", "body").map(Body::from);
    let signed =
        |signer: &Signer| signed::at(NOW, signer, signed::post("/account/7?token=abc", "body"));
    let impostor = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    let nobody = signer("nobody", hmac_key(SECRET), AUTHORITY);
    let small = || layer().with_body_limits(BodyLimits::default().with_max_bytes(3));
    let poor = || layer().with_body_limits(BodyLimits::default().with_total_bytes(3));
    let fast = || layer().with_body_limits(BodyLimits::default().with_deadline(Duration::ZERO));
    let used = layer();
    let replayed = signed(&billing());
    assert!(
        send(&used, replayed.clone().map(Body::from))
            .await
            .is_none()
    );
    let store = MemoryReplayStore::builder()
        .quota_per_caller(1)
        .build()
        .unwrap();
    let full = layer().with_replay_store(store);
    assert!(send(&full, good()).await.is_none());
    let hosts = || layer().with_expected_hosts(["elsewhere"]).unwrap();
    let stale = signed::at(
        NOW.saturating_sub(Duration::from_secs(1000)),
        &billing(),
        signed::post("/", "body"),
    );
    let seed = signed(&billing().insecure_three_headers());
    let slow = signed(&billing()).map(|_| Body::new(Pending));
    let other_body = signed(&billing()).map(|_| Body::from("bodx"));
    let mut twice = signed(&billing()).map(Body::from);
    let again = twice.headers()["x-date"].clone();
    twice.headers_mut().append("x-date", again);
    let mut rewritten = signed(&billing()).map(Body::from);
    let original = OriginalUri("http://user-service.internal/elsewhere".parse().unwrap());
    rewritten.extensions_mut().insert(original);

    let revoked = CallerKey::new("1", hmac_key(SECRET).verifying_key()).unwrap();
    let revoked = revoked.with_validity(KeyState::Revoked);
    let revoked = Keyring::builder()
        .caller("billing", revoked)
        .build()
        .unwrap();

    let (capture, _guard) = Capture::start();
    let billing_asserted = Some(("asserted", "billing"));
    let billing_proven = Some(("caller", "billing"));
    macro_rules! check {
        (
            $name:literal, $layer:expr, $request:expr, $code:literal, $status:literal,
            $level:ident, $who:expr
        ) => {{
            let layer = $layer;
            // Another test checks the events at the start.
            let _: Option<Refusal> = send(&layer, Request::new(Body::empty())).await;
            capture.take();
            let refusal = send(&layer, $request).await.expect($name);
            let event = capture.only($name);
            assert_eq!(event.level, Level::$level, $name);
            assert_eq!(event.field("outcome"), Some("refused"), $name);
            assert_eq!(event.field("code"), Some($code), $name);
            assert_eq!(event.field("status"), Some($status), $name);
            assert_eq!(event.field("method"), Some("POST"), $name);
            assert_eq!(event.field("suppressed"), Some("0"), $name);
            assert_eq!(event.field("reason"), Some(&*refusal.to_string()), $name);
            let who: Option<(&str, &str)> = $who;
            let mut names = vec![
                "code",
                "method",
                "outcome",
                "reason",
                "status",
                "suppressed",
            ];
            if let Some((field, name)) = who {
                assert_eq!(event.field(field), Some(name), $name);
                names.push(field);
                names.sort_unstable();
            }
            assert_eq!(event.names(), names, $name);
        }};
    }
    check!(
        "unsigned",
        layer(),
        unsigned(),
        "missing_signature",
        "401",
        WARN,
        None
    );
    check!(
        "a date twice",
        layer(),
        twice,
        "malformed",
        "401",
        WARN,
        billing_asserted
    );
    check!(
        "another host",
        hosts(),
        good(),
        "misdirected",
        "421",
        WARN,
        billing_asserted
    );
    check!(
        "no nonce",
        layer(),
        seed.map(Body::from),
        "insufficient_coverage",
        "401",
        WARN,
        billing_proven
    );
    check!(
        "stale",
        layer(),
        stale.map(Body::from),
        "expired",
        "401",
        WARN,
        billing_asserted
    );
    check!(
        "wrong secret",
        layer(),
        signed(&impostor).map(Body::from),
        "invalid_signature",
        "401",
        WARN,
        billing_asserted
    );
    check!(
        "unknown caller",
        layer(),
        signed(&nobody).map(Body::from),
        "invalid_signature",
        "401",
        WARN,
        Some(("asserted", "nobody"))
    );
    check!(
        "revoked",
        VerifyLayer::new(revoked).with_clock(|| NOW),
        good(),
        "invalid_signature",
        "401",
        WARN,
        billing_proven
    );
    check!(
        "too large",
        small(),
        good(),
        "too_large",
        "413",
        WARN,
        billing_proven
    );
    check!("slow", fast(), slow, "timeout", "408", WARN, billing_proven);
    check!(
        "another body",
        layer(),
        other_body,
        "body_mismatch",
        "401",
        WARN,
        billing_proven
    );
    check!(
        "replayed",
        used,
        replayed.map(Body::from),
        "replayed",
        "401",
        WARN,
        billing_proven
    );
    check!(
        "over quota",
        full,
        good(),
        "over_quota",
        "429",
        WARN,
        billing_proven
    );
    check!(
        "no key store",
        VerifyLayer::new(Down).with_clock(|| NOW),
        good(),
        "unavailable",
        "503",
        ERROR,
        billing_asserted
    );
    check!(
        "no replay store",
        layer().with_replay_store(Down),
        good(),
        "unavailable",
        "503",
        ERROR,
        billing_proven
    );
    check!(
        "no room",
        poor(),
        good(),
        "unavailable",
        "503",
        ERROR,
        billing_proven
    );
    check!(
        "rewritten",
        layer(),
        rewritten,
        "misconfigured",
        "500",
        ERROR,
        billing_asserted
    );
}

#[tokio::test]
async fn a_request_let_through_without_a_claim_is_told_ten_times_a_second_and_counted() {
    let (capture, _guard) = Capture::start();
    let layer = layer()
        .with_expected_hosts([AUTHORITY])
        .unwrap()
        .with_replay_store(Down)
        .insecure_continue_without_replay_store();
    for _ in 0..25 {
        assert!(send(&layer, good()).await.is_none());
    }
    let events = capture.take();
    let unclaimed: Vec<_> = events
        .iter()
        .filter(|event| event.field("outcome") == Some("unclaimed"))
        .collect();
    assert_eq!(unclaimed.len(), 10);
    for event in unclaimed {
        assert_eq!(event.level, Level::WARN);
        assert_eq!(event.names(), ["caller", "outcome", "reason", "suppressed"]);
        assert_eq!(event.field("caller"), Some("billing"));
        assert_eq!(event.field("reason"), Some("replay store unavailable"));
    }
    assert_eq!(layer.unclaimed_requests(), 25);
}

#[tokio::test]
async fn a_layer_says_once_that_it_starts_and_whether_it_knows_its_hosts() {
    let (capture, _guard) = Capture::start();
    let routes = || {
        Router::new()
            .route("/a", any(async || ""))
            .route("/b", any(async || ""))
            .route("/c", any(async || ""))
    };
    let _: Router = routes().layer(layer());
    let levels: Vec<_> = capture.take().iter().map(|event| event.level).collect();
    assert_eq!(levels, [Level::INFO, Level::WARN], "no expected hosts");

    let known = layer().with_expected_hosts([AUTHORITY]).unwrap();
    let _: Router = routes().layer(known.clone()).layer(known.clone());
    let _: Router = routes().layer(known.clone());
    let event = capture.only("expected hosts");
    assert_eq!(event.level, Level::INFO);
    assert_eq!(event.field("outcome"), Some("started"));

    let closed = MemoryReplayStore::builder()
        .refuse_dates_before(NOW)
        .build()
        .unwrap();
    let closed = layer()
        .with_expected_hosts([AUTHORITY])
        .unwrap()
        .with_replay_store(closed);
    let _: Router = routes().layer(closed);
    assert!(capture.take().is_empty(), "nothing to say");
}

// Peers that try to fill or to forge a log.

#[tokio::test]
async fn text_of_the_peers_choosing_is_escaped_and_cut() {
    let layer = layer();
    let with = |authorization: &str, method: &str| {
        let mut request = signed::get("/").map(Body::from);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(authorization.as_bytes()).unwrap();
        request.headers_mut().insert("authorization", value);
        request
    };
    let long = "A".repeat(1000);
    let quoted = "a\"b\\c\td'e=f outcome=accepted";
    for (name, authorization, method, asserted, logged_method) in [
        (
            "plain",
            "HMAC-SHA256 credential=billing".to_owned(),
            "GET",
            Some("billing"),
            "GET",
        ),
        (
            "long",
            format!("HMAC-SHA256 credential={long}"),
            &*long,
            Some(&long[..64]),
            &long[..64],
        ),
        (
            "quotes, tabs and a forged field",
            format!("HMAC-SHA256 credential={quoted}"),
            "GET",
            Some("a\\\"b\\\\c\\td\\'e=f outcome=accepted"),
            "GET",
        ),
        (
            "empty",
            "HMAC-SHA256 credential=".to_owned(),
            "G'T",
            Some(""),
            "G\\'T",
        ),
        (
            "a second name",
            "HMAC-SHA256 credential=a, credential=b".to_owned(),
            "GET",
            Some("a"),
            "GET",
        ),
        (
            "no name",
            "HMAC-SHA256 signature=00".to_owned(),
            "GET",
            None,
            "GET",
        ),
        (
            "beyond ASCII",
            "HMAC-SHA256 credential=b\u{fc}cher".to_owned(),
            "GET",
            None,
            "GET",
        ),
        (
            "another scheme",
            "Bearer credential=billing".to_owned(),
            "GET",
            None,
            "GET",
        ),
        (
            "far too long",
            format!("HMAC-SHA256 credential={}", long.repeat(5)),
            "GET",
            None,
            "GET",
        ),
    ] {
        let _: Option<Refusal> = send(&layer, Request::new(Body::empty())).await;
        let (capture, _guard) = Capture::start();
        assert!(
            send(&layer, with(&authorization, method)).await.is_some(),
            "{name}"
        );
        let event = capture.only(name);
        assert_eq!(event.field("asserted"), asserted, "{name}");
        assert_eq!(event.field("method"), Some(logged_method), "{name}");
        assert_eq!(event.field("caller"), None, "{name}");
        for (field, text) in &event.fields {
            assert!(
                text.len() <= 256,
                "{name}: {field} has {} bytes",
                text.len()
            );
            assert!(
                text.chars().all(|c| matches!(c, ' '..='~')),
                "{name}: {field} is {text:?}"
            );
        }
    }
}

#[tokio::test]
async fn refusals_before_the_mac_are_ten_a_second_for_each_code() {
    let seconds = Arc::new(AtomicI64::new(NOW.as_unix_seconds()));
    let clock = {
        let seconds = Arc::clone(&seconds);
        move || Timestamp::from_unix_seconds(seconds.load(Ordering::SeqCst))
    };
    let layer = layer().with_clock(clock);
    let impostor = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    let unsigned = || signed::get("/").map(Body::from);
    let bad = || signed::at(NOW, &impostor, signed::get("/")).map(Body::from);
    let (capture, _guard) = Capture::start();
    assert!(send(&layer, good()).await.is_none());
    capture.take();
    for _ in 0..25 {
        assert!(send(&layer, unsigned()).await.is_some());
        // A clone of the layer shares the count.
        assert!(send(&layer.clone(), bad()).await.is_some());
    }
    let events = capture.take();
    let of = |events: &[Event], code: &str| {
        let of_code = events
            .iter()
            .filter(|event| event.field("code") == Some(code));
        of_code
            .map(|event| event.field("suppressed").unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&events, "missing_signature"), ["0"; 10]);
    assert_eq!(of(&events, "invalid_signature"), ["0"; 10]);
    assert_eq!(events.len(), 20);

    seconds.fetch_add(1, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(send(&layer, unsigned()).await.is_some());
    }
    let events = capture.take();
    assert_eq!(of(&events, "missing_signature"), ["15", "0", "0"]);
    // The count of another code waits for the next event of that code, however late.
    seconds.fetch_add(100, Ordering::SeqCst);
    assert!(send(&layer, bad()).await.is_some());
    assert_eq!(of(&capture.take(), "invalid_signature"), ["15"]);
}

/// An attacker with one captured request can send it again, or its head with another body, as often
/// as they like.
#[tokio::test]
async fn a_capture_sent_2000_times_is_ten_events_a_second_and_hides_no_other_caller() {
    let seconds = Arc::new(AtomicI64::new(NOW.as_unix_seconds()));
    let clock = {
        let seconds = Arc::clone(&seconds);
        move || Timestamp::from_unix_seconds(seconds.load(Ordering::SeqCst))
    };
    let keys = Keyring::builder();
    let keys = [("billing", SECRET), ("audit", OTHER_SECRET)]
        .into_iter()
        .fold(keys, |keys, (caller, secret)| {
            let key = CallerKey::new("1", hmac_key(secret).verifying_key()).unwrap();
            keys.caller(caller, key)
        });
    let layer = VerifyLayer::new(keys.build().unwrap()).with_clock(clock);
    let captured = |signer: &Signer| signed::at(NOW, signer, signed::post("/", "body"));
    let of_billing = captured(&billing());
    let of_audit = captured(&signer("audit", hmac_key(OTHER_SECRET), AUTHORITY));
    let (capture, _guard) = Capture::start();
    for request in [&of_billing, &of_audit] {
        assert!(
            send(&layer, request.clone().map(Body::from))
                .await
                .is_none()
        );
    }
    capture.take();
    for _ in 0..2000 {
        let again = of_billing.clone().map(Body::from);
        assert_eq!(send(&layer, again).await.unwrap().code(), "replayed");
    }
    let fresh = captured(&billing());
    for _ in 0..2000 {
        let other = fresh.clone().map(|_| Body::from("bodx"));
        assert_eq!(send(&layer, other).await.unwrap().code(), "body_mismatch");
    }
    let again = of_audit.map(Body::from);
    assert_eq!(send(&layer, again).await.unwrap().code(), "replayed");
    let events = capture.take();
    let written = |caller: &str, code: &str| {
        let of_caller = events.iter().filter(|event| {
            event.field("caller") == Some(caller) && event.field("code") == Some(code)
        });
        of_caller.count()
    };
    assert_eq!(written("billing", "replayed"), 10);
    assert_eq!(written("billing", "body_mismatch"), 10);
    assert_eq!(written("audit", "replayed"), 1);
    assert_eq!(events.len(), 21);

    seconds.fetch_add(1, Ordering::SeqCst);
    for code in ["replayed", "body_mismatch"] {
        let request = match code {
            "replayed" => of_billing.clone().map(Body::from),
            _ => fresh.clone().map(|_| Body::from("bodx")),
        };
        assert_eq!(send(&layer, request).await.unwrap().code(), code);
        let event = capture.only(code);
        assert_eq!(event.field("suppressed"), Some("1990"), "{code}");
    }
}

#[tokio::test]
async fn an_event_has_the_address_of_the_peer_and_believes_no_header_for_it() {
    let layer = layer();
    let (capture, _guard) = Capture::start();
    let peer = std::net::SocketAddr::from(([192, 0, 2, 7], 4711));
    let mut from_axum = signed::post("/", "body").map(Body::from);
    from_axum.extensions_mut().insert(ConnectInfo(peer));
    let mut from_another_server = signed::post("/", "body").map(Body::from);
    from_another_server.extensions_mut().insert(peer);
    let mut from_a_header = signed::post("/", "body").map(Body::from);
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let value = HeaderValue::from_static("203.0.113.7");
        from_a_header.headers_mut().insert(name, value);
    }
    let _: Option<Refusal> = send(&layer, Request::new(Body::empty())).await;
    capture.take();
    for (name, request, expected) in [
        ("axum", from_axum, Some("192.0.2.7")),
        ("another server", from_another_server, Some("192.0.2.7")),
        ("a header", from_a_header, None),
    ] {
        assert!(send(&layer, request).await.is_some(), "{name}");
        let event = capture.only(name);
        assert_eq!(event.field("peer"), expected, "{name}");
    }
}

// Secrets.

/// Returns the forms in which bytes may appear in a log. A part is enough for a leak, so the test
/// looks for the first half.
fn forms(bytes: &[u8]) -> Vec<String> {
    let half = &bytes[..bytes.len() / 2];
    let each = |form: fn(&u8) -> String| half.iter().map(form).collect::<Vec<_>>();
    let hex = each(|byte| format!("{byte:02x}")).concat();
    let escaped: String = half
        .iter()
        .flat_map(|byte| std::ascii::escape_default(*byte))
        .map(char::from)
        .collect();
    let list = format!("{half:?}");
    // Half of the bytes may end inside a group of three.
    let base64 = |text: String| text[..half.len() / 3 * 4].to_owned();
    vec![
        hex.to_uppercase(),
        hex,
        base64(Base64::encode_string(half)),
        base64(Base64UrlUnpadded::encode_string(half)),
        list.trim_matches(['[', ']']).to_owned(),
        escaped,
        String::from_utf8_lossy(half).into_owned(),
        each(|byte| format!("{byte:x}")).join(", "),
        each(|byte| format!("{byte:#04x}")).join(", "),
    ]
}

fn bytes_of(hex: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(hex).unwrap()
}

fn signature_of(request: &Request<Bytes>) -> Vec<u8> {
    let value = request.headers()["authorization"].to_str().unwrap();
    bytes_of(value.split_once("signature=").unwrap().1)
}

const MARKED_PATH: &str = "/path-8f3a/x?query-8f3a=y";
const MARKED_BODY: &str = "body-8f3a and some more of it";

/// Proves that the next test would find a leak in each form.
#[test]
fn every_form_of_a_secret_is_looked_for() {
    let bytes = bytes_of(SECRET);
    for (name, text) in [
        ("hex", SECRET.to_owned()),
        ("upper-case hex", SECRET.to_uppercase()),
        ("a part of it", SECRET[..40].to_owned()),
        ("Base64", Base64::encode_string(&bytes)),
        ("Base64 of URLs", Base64UrlUnpadded::encode_string(&bytes)),
        ("Debug of a slice", format!("{bytes:?}")),
        (
            "Debug of bytes",
            format!("{:?}", Bytes::from(bytes.clone())),
        ),
        ("raw", String::from_utf8_lossy(&bytes).into_owned()),
    ] {
        let text = format!("something {text} something");
        assert!(
            forms(&bytes).iter().any(|form| text.contains(form)),
            "{name}: {text}"
        );
    }
}

#[tokio::test]
async fn nothing_secret_is_written_at_any_level_by_any_crate() {
    let (capture, _guard) = Capture::start();
    let key = |secret, state| {
        CallerKey::new("1", hmac_key(secret).verifying_key())
            .unwrap()
            .with_validity(state)
    };
    let third = format!("1{}", &SECRET[1..]);
    let seed = format!("2{}", &SECRET[1..]);
    let keys = Keyring::builder()
        .caller("billing", key(SECRET, KeyState::Active))
        .caller("revoked", key(&third, KeyState::Revoked))
        .caller(
            "edward",
            CallerKey::new("1", ed25519_key(&seed).verifying_key()).unwrap(),
        )
        .build()
        .unwrap();
    let verifier = Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([AUTHORITY])
        .keep_evidence()
        .build()
        .unwrap();
    let layer = VerifyLayer::new(keys.clone())
        .with_verifier(verifier)
        .with_body_limits(BodyLimits::default().with_max_bytes(1000));
    let callers: Arc<Mutex<Option<VerifiedCaller>>> = Arc::default();
    let app = Router::new()
        .fallback({
            let callers = Arc::clone(&callers);
            async move |caller: VerifiedCaller, _body: Bytes| {
                *callers.lock().unwrap() = Some(caller);
                "handled"
            }
        })
        .layer(layer.clone())
        .layer(tower_http::trace::TraceLayer::new_for_http());
    let server = Server::axum(app).await;
    let now: Timestamp = std::time::SystemTime::now().into();

    let marked = || signed::post(MARKED_PATH, MARKED_BODY);
    let edward = signer("edward", ed25519_key(&seed), AUTHORITY);
    let revoked = signer("revoked", hmac_key(&third), AUTHORITY);
    let impostor = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    let good = signed::at(now, &billing(), marked());
    let mut requests = vec![
        ("good", good.clone(), 200),
        ("again", good.clone(), 401),
        ("good, Ed25519", signed::at(now, &edward, marked()), 200),
        ("revoked", signed::at(now, &revoked, marked()), 401),
        ("impostor", signed::at(now, &impostor, marked()), 401),
        ("unsigned", marked(), 401),
        ("stale", signed::at(NOW, &billing(), marked()), 401),
        (
            "too large",
            signed::at(
                now,
                &billing(),
                signed::post(MARKED_PATH, MARKED_BODY.repeat(100)),
            ),
            413,
        ),
    ];
    let mut other_body = signed::at(now, &billing(), marked());
    *other_body.body_mut() = Bytes::from_static(b"another body-8f3a");
    requests.push(("another body", other_body, 401));
    // The signatures that these requests should have had. Anyone who learns one can send the
    // request.
    let mut expected = Vec::new();
    for (name, header, value) in [
        ("another nonce", "x-nonce", "0123456789abcdef"),
        (
            "another hash",
            "x-content-sha256",
            &*"0123456789abcdef".repeat(4),
        ),
    ] {
        let mut changed = signed::at(now, &billing(), marked());
        changed.headers_mut().insert(header, value.parse().unwrap());
        requests.push((name, changed, 401));
    }
    {
        let nonce = countersign::Nonce::new("0123456789abcdef").unwrap();
        let (mut parts, body) = marked().into_parts();
        let digest = countersign::PayloadDigest::of(&body);
        billing()
            .sign_with_nonce(&parts, digest, nonce, now)
            .unwrap()
            .apply(&mut parts);
        let right = Request::from_parts(parts, body);
        expected.push(signature_of(&right));
        let mut wrong = right.clone();
        let value = right.headers()["authorization"].to_str().unwrap();
        let value = format!(
            "{}{}",
            value.split_once("signature=").unwrap().0,
            format_args!("signature={}", "0".repeat(64))
        );
        wrong
            .headers_mut()
            .insert("authorization", value.parse().unwrap());
        requests.push(("a signature of zeroes", wrong, 401));
    }

    for (name, request, status) in requests {
        // The second request uses another connection and HTTP/2. It is a replay if the first was
        // good.
        for http2 in [false, true] {
            let http = if http2 {
                client::http2(server.addr())
            } else {
                client::http1(server.addr())
            };
            let response = http.request(request.clone().map(Full::new)).await.unwrap();
            let found = response.status().as_u16();
            let replayed = http2 && status == 200;
            assert_eq!(found, if replayed { 401 } else { status }, "{name}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(
                !String::from_utf8_lossy(&body).contains("8f3a"),
                "{name}: {body:?}"
            );
        }
    }
    let signing = SignLayer::new(billing());
    let client = signing.layer(client::http2(server.addr()));
    let response = client
        .clone()
        .oneshot(marked().map(Full::new))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let stranger = Request::post("http://elsewhere/")
        .body(Full::new(Bytes::from(MARKED_BODY)))
        .unwrap();
    let error = client.clone().oneshot(stranger).await.unwrap_err();

    // Formatted values hold no more than events do.
    let caller = callers.lock().unwrap().clone().unwrap();
    tracing::trace!(
        "{layer:?} {layer:#?} {signing:?} {signing:#?} {client:?} {keys:?} {keys:#?} \
         {caller:?} {caller:#?} {error} {error:?}"
    );
    tracing::trace!(
        "{:?} {:?}",
        hmac_key(SECRET),
        hmac_key(SECRET).verifying_key()
    );

    let text = capture.text();
    assert!(
        text.contains("accepted") && text.contains("invalid_signature"),
        "nothing was captured"
    );
    let targets: std::collections::BTreeSet<_> = capture
        .events
        .lock()
        .unwrap()
        .iter()
        .map(|event| event.target.clone())
        .collect();
    assert!(
        targets.iter().any(|target| target.starts_with("h2")),
        "{targets:?}"
    );
    for secret in [SECRET, &third, &seed, OTHER_SECRET] {
        for form in forms(&bytes_of(secret)) {
            assert!(!text.contains(&form), "a secret was written: {form}");
        }
    }
    for signature in expected {
        for form in forms(&signature) {
            assert!(
                !text.contains(&form),
                "an expected signature was written: {form}"
            );
        }
    }
    assert!(!text.contains("body-8f3a"), "a body was written");
    // A path or a query may hold a token. Other crates may write it, the layers do not.
    for event in capture.take() {
        let fields = format!("{event:?}");
        for marker in ["8f3a", "/path", "query"] {
            assert!(!fields.contains(marker), "{fields}");
        }
        let signature = base16ct::lower::encode_string(&signature_of(&good));
        assert!(!fields.contains(&signature[..16]), "{fields}");
    }
}

/// Anyone who reads a presigned URL can use it. So no event holds its query, its signature or its
/// token.
#[tokio::test]
async fn nothing_of_a_presigned_url_is_written_accepted_or_refused() {
    const TOKEN: &str = "FwoGZXIvYXdzEBYaDNotAReal-Token";
    let secret = Secret::generate().unwrap();
    let credentials = SigV4Credentials::new("AKIDBILLING", SigningKey::sigv4(&secret))
        .and_then(|credentials| credentials.with_session_token(&Secret::from_text(TOKEN).unwrap()))
        .unwrap();
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials).unwrap();
    let signer = Signer::sigv4(settings, [AUTHORITY]).unwrap();
    let key = VerifyingKey::sigv4(&secret)
        .with_session_token(&Secret::from_text(TOKEN).unwrap())
        .unwrap();
    let key = CallerKey::new("1", key).unwrap();
    let keys = Keyring::builder()
        .caller("billing", key.with_key_id("AKIDBILLING").unwrap())
        .build()
        .unwrap();
    let verify_settings = SigV4VerifySettings::new("eu-central-1", "user-service").unwrap();
    let verifier = Verifier::builder()
        .expected_hosts([AUTHORITY])
        .accept_only(verify_settings.with_presigned(SigV4Presigned::new()))
        .build()
        .unwrap();
    let layer = VerifyLayer::new(keys)
        .with_verifier(verifier)
        .with_clock(|| NOW);
    let (parts, _) = signed::get("/report?ticket=tkt-4711").into_parts();
    let url = signer
        .presign(&parts, &b""[..], Duration::from_secs(60), NOW)
        .unwrap();
    let signature = url
        .query()
        .unwrap()
        .split("X-Amz-Signature=")
        .nth(1)
        .unwrap();
    let signature = signature.split('&').next().unwrap().to_owned();
    let get = |uri: String| Request::get(uri).body(Body::empty()).unwrap();
    let (capture, _guard) = Capture::start();
    assert!(send(&layer, get(url.to_string())).await.is_none());
    let tampered = url.to_string().replace("tkt-4711", "tkt-4712");
    let refusal = send(&layer, get(tampered)).await.unwrap();
    assert_eq!(refusal.code(), "invalid_signature");
    let text = capture.text();
    assert!(text.contains("accepted") && text.contains("refused"));
    for needle in ["tkt-471", "X-Amz-", &*signature, TOKEN, "report"] {
        assert!(!text.contains(needle), "{needle} in {text}");
    }
}

/// The outcome is the one of enforcement, and the event has `report_only = true`.
#[tokio::test]
async fn a_layer_that_reports_says_so_in_every_event() {
    let (capture, _guard) = Capture::start();
    let layer = layer().insecure_report_only();
    assert!(send(&layer, good()).await.is_none());
    let unsigned = signed::post("/account/7?token=abc", "body").map(Body::from);
    assert!(send(&layer, unsigned).await.is_none());
    let events = capture.take();
    let reported: Vec<_> = events
        .iter()
        .filter(|event| event.field("report_only") == Some("true"))
        .map(|event| {
            (
                event.level,
                event.field("outcome").unwrap(),
                event.field("code"),
            )
        })
        .collect();
    assert_eq!(
        reported,
        [
            (Level::WARN, "started", None),
            (Level::DEBUG, "accepted", None),
            (Level::WARN, "refused", Some("missing_signature")),
        ]
    );
    let others = events.len() - reported.len();
    let started = events
        .iter()
        .filter(|event| event.field("outcome") == Some("started"));
    assert_eq!(others, started.count() - 1, "only the events at the start");
    assert!(!capture.text().contains("token=abc"));
}

/// This also holds for requests without a claim, although report-only mode is not the reason that
/// they pass.
#[tokio::test]
async fn a_layer_that_reports_says_so_of_requests_without_a_claim() {
    let (capture, _guard) = Capture::start();
    let base = layer()
        .with_replay_store(Down)
        .insecure_continue_without_replay_store();
    for (layer, expected) in [
        (base.clone(), None),
        (base.insecure_report_only(), Some("true")),
    ] {
        assert!(send(&layer, good()).await.is_none());
        let events = capture.take();
        let mut unclaimed = events
            .iter()
            .filter(|event| event.field("outcome") == Some("unclaimed"));
        let event = unclaimed.next().unwrap();
        assert_eq!(event.field("report_only"), expected, "{event:?}");
    }
}
