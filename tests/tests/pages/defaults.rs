//! The page of defaults: each value is the one of the code.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt::Debug,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::ConnectInfo};
use bytes::Bytes;
use countersign::{
    CallerKey, CallerKeys, ClaimOutcome, DrfVerifySettings, KeyId, KeyStore, KeyVersion, Keyring,
    MemoryReplayStore, MessageSignaturesVerifySettings, Nonce, PayloadDigest, ReplayClaim,
    ReplayKey, ReplayStore, ReplayStoreId, Secret, SigV4Credentials, SigV4Presigned,
    SigV4SignSettings, SigV4VerifySettings, SigningKey, Unavailable, Verifier, diagnose::Diagnosis,
};
use countersign_redis::RedisReplayStore;
use http::{HeaderValue, Request, Response, Version, header::WWW_AUTHENTICATE};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use tests::{
    keys::{NOW, SECRET, django, hmac_key, keyring},
    signed::{self, AUTHORITY, billing},
};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{
    BodyLimits, BodyMode, CachedKeys, Refusal, RequestBody, SignLayer, SpillLimits, StreamLimits,
    UncoveredHeaders, VerifyLayer, reload::Reload,
};

use crate::{page, proxy_defaults, rows, symptoms::Capture};

/// What the page says: a value for each setting.
pub(crate) type Values = BTreeMap<String, String>;

/// Returns the value of a field, as `Debug` shows it.
fn shown(value: &impl Debug, field: &str) -> String {
    let text = format!("{value:?}");
    let (_, after) = text
        .split_once(&format!("{field}: "))
        .unwrap_or_else(|| panic!("no {field} in {text}"));
    let end = after.find([',', '}', ' ']).unwrap_or(after.len());
    after[..end].to_owned()
}

/// Returns the names of the fields that `Debug` shows.
fn fields(value: &impl Debug) -> Vec<String> {
    let text = format!("{value:?}");
    let (_, fields) = text.split_once("{ ").unwrap();
    let fields = fields.trim_end_matches(" }").split(", ");
    fields
        .map(|field| field.split(':').next().unwrap().to_owned())
        .collect()
}

/// Returns a duration as the page writes it, of the text of `Debug`.
pub(crate) fn time(shown: &str) -> String {
    let unit = shown.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{} {unit}", shown.trim_end_matches(unit))
}

/// Returns a number of bytes as the page writes it.
pub(crate) fn bytes(shown: &str) -> String {
    let bytes: u64 = shown.parse().unwrap();
    match bytes {
        0x10_0000.. => format!("{} MiB", bytes >> 20),
        _ => format!("{} KiB", bytes >> 10),
    }
}

/// Returns the value of a field in the form of its name: bytes, a time or a number.
fn value(of: &impl Debug, field: &str) -> String {
    let shown = shown(of, field);
    if field.ends_with("bytes") || field.ends_with("rate") {
        bytes(&shown)
    } else if shown.ends_with('s') {
        time(&shown)
    } else {
        shown
    }
}

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

async fn answer<K, R>(layer: &VerifyLayer<K, R>, request: Request<Body>) -> Response<()>
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let handler = service_fn(|_: Request<RequestBody>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let response = layer.layer(handler).oneshot(request).await.unwrap();
    response.map(|_| ())
}

/// Never answers, as a key store and as a replay store that remembers what it was asked.
#[derive(Clone, Default)]
struct Silent(Arc<Mutex<Vec<ReplayClaim>>>);

impl KeyStore for Silent {
    async fn lookup(&self, _: &str) -> Result<CallerKeys, Unavailable> {
        std::future::pending().await
    }
}

impl ReplayStore for Silent {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        self.0.lock().unwrap().push(claim);
        std::future::pending().await
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

impl Silent {
    /// The key by which a request is known, and for how long, in seconds.
    async fn asked(hosts: &[&str]) -> (ReplayKey, i64) {
        let nonce = Nonce::new("0123456789abcdef").unwrap();
        let (mut parts, body) = signed::get("/").into_parts();
        let digest = PayloadDigest::of(&body);
        let signature = billing().sign_with_nonce(&parts, digest, nonce, NOW);
        signature.unwrap().apply(&mut parts);
        let store = Self::default();
        let layer = layer().with_expected_hosts(hosts).unwrap();
        let layer = layer.with_replay_store(store.clone());
        let request = Request::from_parts(parts, Body::from(body));
        assert_eq!(answer(&layer, request).await.status(), 503);
        let claim = store.0.lock().unwrap().pop().unwrap();
        let life = claim.expires_at.as_unix_seconds() - NOW.as_unix_seconds();
        (claim.key, life)
    }
}

/// A body of which bytes come as long as they are asked for, and that counts them.
struct Endless {
    piece: usize,
    read: Arc<Mutex<usize>>,
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.piece == 0 {
            // A byte comes now and then, so that no wait is too long.
            let waker = context.waker().clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                waker.wake();
            });
            let mut read = self.read.lock().unwrap();
            *read += 1;
            return match *read % 2 {
                0 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x"))))),
                _ => Poll::Pending,
            };
        }
        *self.read.lock().unwrap() += self.piece;
        let piece = Bytes::from(vec![b'x'; self.piece]);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// How much of a refused body is read, and for how long.
async fn drained() -> String {
    let send = async |piece| {
        let read = Arc::new(Mutex::new(0));
        let body = Endless {
            piece,
            read: Arc::clone(&read),
        };
        let mut request = signed::post("/", "").map(|_| Body::new(body));
        *request.version_mut() = Version::HTTP_11;
        let began = Instant::now();
        assert_eq!(answer(&layer(), request).await.status(), 401);
        let read = *read.lock().unwrap();
        (read, began.elapsed())
    };
    let (read, _) = send(64 * 1024).await;
    let (_, took) = send(0).await;
    format!("{}, {} s", bytes(&read.to_string()), took.as_secs())
}

/// The defaults of the layer that verifies, by what it does.
async fn of_the_layer(found: &mut Values) {
    let mut insert = |setting: &str, value: &str| {
        found.insert(format!("VerifyLayer::{setting}"), value.to_owned());
    };
    insert("with_refused_body_drain", &drained().await);

    let began = Instant::now();
    let silent = VerifyLayer::new(Silent::default()).with_clock(|| NOW);
    let signed = || signed::at(NOW, &billing(), signed::get("/")).map(Body::from);
    let response = answer(&silent, signed()).await;
    let took = format!("{} s", began.elapsed().as_secs());
    insert("with_store_deadline", &took);
    let is_refused = response.status() == 503;
    assert!(is_refused);
    insert("insecure_continue_without_replay_store", "refused with 503");

    let (key, life) = Silent::asked(&[AUTHORITY]).await;
    let window = 300;
    let deadline = 30;
    let difference = format!("{} s", life - window - deadline);
    insert("with_clock_difference", &difference);
    let (same, _) = Silent::asked(&[AUTHORITY]).await;
    let (other, _) = Silent::asked(&[AUTHORITY, "elsewhere"]).await;
    assert!(key == same && key != other);
    insert("with_audience", "the expected hosts");

    let capture = Capture::start();
    let mut unsigned = signed::get("/").map(Body::from);
    let peer = SocketAddr::from(([192, 0, 2, 1], 80));
    unsigned.extensions_mut().insert(ConnectInfo(peer));
    let forged = HeaderValue::from_static("203.0.113.1");
    unsigned.headers_mut().insert("x-forwarded-for", forged);
    let response = answer(&layer(), unsigned).await;
    let refusal: &Refusal = response.extensions().get().unwrap();
    assert_eq!(refusal.code(), "missing_signature");
    insert("insecure_report_only", "off");
    insert("with_body_mode", &format!("`{:?}`", BodyMode::default()));
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    let realm = challenge.split('"').nth(1).unwrap();
    insert("with_realm", &format!("`{realm}`"));
    let text = capture.take();
    assert!(text.contains("peer=192.0.2.1 "), "{text}");
    insert("with_trusted_hops", "0");

    let wrong = tests::keys::signer("billing", hmac_key(tests::keys::OTHER_SECRET), AUTHORITY);
    let wrong = signed::at(NOW, &wrong, signed::get("/")).map(Body::from);
    assert_eq!(answer(&layer(), wrong).await.status(), 401);
    let text = capture.take();
    assert!(text.contains("invalid_signature"), "{text}");
    assert!(!text.contains("hint"), "{text}");
    insert("with_mismatch_hints", "off");

    assert_eq!(
        shown(&UncoveredHeaders::default(), "mode"),
        "StripOverrides"
    );
    let removed = "those that override method or URL are removed";
    insert("with_uncovered_headers", removed);
}

/// How many events of one code are written in a second.
async fn events_of_a_second() -> usize {
    let capture = Capture::start();
    let layer = layer();
    for _ in 0..50 {
        let unsigned = signed::get("/").map(Body::from);
        assert_eq!(answer(&layer, unsigned).await.status(), 401);
    }
    capture.take().matches("outcome=\"refused\"").count()
}

fn of_settings(found: &mut Values) {
    let mut insert = |setting: &str, value: String| {
        found.insert(setting.to_owned(), value);
    };
    let verifier = Verifier::default();
    let schemes: Vec<_> = verifier.accepted_schemes().collect();
    let schemes = schemes.iter().map(|scheme| format!("`{scheme}`"));
    let schemes = schemes.collect::<Vec<_>>().join(", ");
    insert("VerifierBuilder::accept", schemes);
    let window = format!("{} s", verifier.window().as_secs());
    insert("VerifierBuilder::window", window);
    let word = |field: &str, is: &str, word: &str| {
        assert_eq!(shown(&verifier, field), is, "{field}");
        word.to_owned()
    };
    let hosts = word("expected_hosts", "[]", "none");
    insert("VerifierBuilder::expected_hosts", hosts);
    let form = word("host_form", "AsSent", "as sent");
    insert("VerifierBuilder::host_form", form);
    let form = word("date_form", "ImfFixdate", "IMF-fixdate");
    insert("VerifierBuilder::accept_rfc3339_dates", form);
    let headers = word("required_headers", "[]", "none");
    insert("VerifierBuilder::require_headers", headers);
    let evidence = word("keep_evidence", "false", "not kept");
    insert("VerifierBuilder::keep_evidence", evidence);

    let limits = countersign::HeadLimits::default();
    for field in fields(&limits) {
        let setting = format!("HeadLimits::with_{field}");
        insert(&setting, value(&limits, &field));
    }
    let limits = BodyLimits::default();
    for field in fields(&limits) {
        let setting = format!("BodyLimits::with_{field}");
        insert(&setting, value(&limits, &field));
    }

    let limits = StreamLimits::default();
    for field in fields(&limits) {
        let setting = format!("StreamLimits::with_{field}");
        let value = match &*shown(&limits, &field) {
            "None" => "none".to_owned(),
            "false" => "off".to_owned(),
            _ => value(&limits, &field),
        };
        insert(&setting, value);
    }

    let limits = SpillLimits::in_directory(std::env::temp_dir()).unwrap();
    for field in fields(&limits) {
        match &*field {
            "directory" => insert("SpillLimits::in_directory", "none".to_owned()),
            _ => insert(
                &format!("SpillLimits::with_{field}"),
                value(&limits, &field),
            ),
        }
    }

    let sign = SignLayer::new(billing());
    for (setting, field) in [
        ("with_buffer_bytes", "bytes"),
        ("with_body_deadline", "deadline"),
        ("with_body_idle", "idle"),
        ("with_grpc_idle", "grpc_idle"),
        ("with_credentials_deadline", "credentials_deadline"),
    ] {
        insert(&format!("SignLayer::{setting}"), value(&sign, field));
    }

    let store = MemoryReplayStore::builder();
    for (setting, field) in [("quota_per_caller", "quota"), ("callers", "callers")] {
        let setting = format!("MemoryReplayStoreBuilder::{setting}");
        insert(&setting, value(&store, field));
    }
    assert_eq!(shown(&store, "refuse_dates_before"), "None");
    let setting = "MemoryReplayStoreBuilder::refuse_dates_before";
    insert(setting, "accepted".to_owned());
    let store = RedisReplayStore::builder("redis://127.0.0.1").unwrap();
    insert("RedisReplayStoreBuilder::timeout", value(&store, "timeout"));
    let namespace = shown(&store, "namespace").replace('"', "`");
    insert("RedisReplayStoreBuilder::namespace", namespace);

    let cached = CachedKeys::builder(keyring("billing", &hmac_key(SECRET)));
    for field in fields(&cached)
        .iter()
        .filter(|field| !field.starts_with('.'))
    {
        let field = field
            .trim_start_matches("settings")
            .trim_start_matches(": Settings { ");
        if field.is_empty() || field.starts_with("misses") {
            continue;
        }
        let setting = format!("CachedKeysBuilder::{field}");
        insert(&setting, value(&cached, field));
    }
    let fresh = value(&cached, "fresh_for");
    insert("CachedKeysBuilder::fresh_for", fresh);
    let misses = ["misses_per_second", "misses_burst"].map(|field| shown(&cached, field));
    let misses = format!("{} a second, {} at once", misses[0], misses[1]);
    insert("CachedKeysBuilder::misses", misses);
    let reload = Reload::new();
    insert("Reload::with_debounce", value(&reload, "debounce"));
    insert(
        "Reload::with_poll_interval",
        value(&reload, "poll_interval"),
    );

    let key = CallerKey::new("1", hmac_key(SECRET).verifying_key()).unwrap();
    for (setting, field, is, word) in [
        ("with_nonce", "nonce", "Required", "required"),
        (
            "with_content_type",
            "content_type",
            "CoveredIfPresent",
            "covered where present",
        ),
        ("with_validity", "state", "Active", "active, no bound"),
    ] {
        assert_eq!(shown(&key, field), is);
        insert(&format!("CallerKey::{setting}"), word.to_owned());
    }
    assert_eq!(shown(&key, "not_before"), "None");
    assert_eq!(shown(&key, "not_after"), "None");
}

fn of_other_schemes(found: &mut Values) {
    let mut insert = |setting: &str, value: String| {
        found.insert(setting.to_owned(), value);
    };
    let presigned = SigV4Presigned::new();
    insert("SigV4Presigned::with_max_age", value(&presigned, "max_age"));
    let settings = SigV4VerifySettings::new("region", "service").unwrap();
    let bytes = value(&settings, "max_chunk_bytes");
    insert("SigV4VerifySettings::with_max_chunk_bytes", bytes);
    let rule = "ChunkRule { signed: false, unsigned: false,";
    assert!(format!("{settings:?}").contains(rule), "{settings:?}");
    let chunked = "SigV4VerifySettings::with_chunked";
    insert(chunked, "refused".to_owned());
    assert_eq!(shown(&presigned, "single_use"), "false");
    insert("SigV4Presigned::with_single_use", "many".to_owned());

    let secret = Secret::from_text("0123456789abcdefghijklmnopqrstuvwxyz").unwrap();
    let credentials = SigV4Credentials::new("AKID", SigningKey::sigv4(&secret)).unwrap();
    let settings = SigV4SignSettings::new("r", "s", credentials).unwrap();
    let setting = "SigV4SignSettings::with_max_credentials_age";
    insert(setting, value(&settings, "max_credentials_age"));

    let settings = format!("{:?}", MessageSignaturesVerifySettings::new());
    let derived = settings.split("component: ComponentId(Derived(").skip(1);
    let components = derived.map(|component| {
        let (name, _) = component.split_once(')').unwrap();
        format!("`@{}`", name.to_lowercase())
    });
    let components = components.collect::<Vec<_>>().join(", ");
    let (_, bits) = settings.split_once("algorithms: AlgorithmSet(").unwrap();
    let (bits, _) = bits.split_once(')').unwrap();
    let algorithms = bits.parse::<u8>().unwrap().count_ones();
    insert(
        "MessageSignaturesVerifySettings::with_algorithm",
        format!("all {algorithms}"),
    );
    insert(
        "MessageSignaturesVerifySettings::with_required_component",
        components,
    );

    // The window is its own, and is named where it is over.
    let (key, settings): (_, DrfVerifySettings) = django();
    let signer = countersign::Signer::drf(key, [AUTHORITY]).unwrap();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
    let (mut parts, body) = signed::post("/drf", "body").into_parts();
    let old = NOW.saturating_sub(Duration::from_secs(1000));
    signer
        .sign(&parts, &body[..], old)
        .unwrap()
        .apply(&mut parts);
    let stale = verifier.parse(&parts, NOW).unwrap_err().to_string();
    let (_, window) = stale.split_once("more than ").unwrap();
    let (window, _) = window.split_once(" from").unwrap();
    insert("DrfVerifySettings::with_window", window.to_owned());

    let verifier = Verifier::default();
    let diagnosis = Diagnosis::new(&verifier, &parts, NOW);
    insert("Diagnosis::with_limit", shown(&diagnosis, "limit"));
}

fn of_constants(found: &mut Values) {
    for (constant, value) in [
        ("Keyring::MAX_KEYS_PER_CALLER", Keyring::MAX_KEYS_PER_CALLER),
        ("KeyId::MAX_LEN", KeyId::MAX_LEN),
        ("KeyVersion::MAX_LEN", KeyVersion::MAX_LEN),
        ("Nonce::MIN_LEN", Nonce::MIN_LEN),
        ("Nonce::MAX_LEN", Nonce::MAX_LEN),
    ] {
        found.insert(constant.to_owned(), value.to_string());
    }
}

/// The least length of a shared secret, in bytes.
fn least_secret() -> usize {
    let is_strong = |length: &usize| {
        let digits = (0..*length).map(|n| u8::try_from(n * 37 % 251).unwrap());
        let secret: Vec<u8> = digits.collect();
        let key = SigningKey::hmac_sha256(&Secret::from_bytes(&secret)).verifying_key();
        let keys = Keyring::builder().caller("billing", CallerKey::new("1", key).unwrap());
        keys.build().is_ok()
    };
    (1..100).find(is_strong).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_default_is_the_one_of_the_code() {
    let mut expected = Values::new();
    of_the_layer(&mut expected).await;
    of_settings(&mut expected);
    of_other_schemes(&mut expected);
    of_constants(&mut expected);
    proxy_defaults::add(&mut expected);

    let mut found = Values::new();
    let mut without_setting = Values::new();
    for row in rows(&page("crates/DEFAULTS.md")) {
        let [what, value, _, setting] = &row.cells[..] else {
            panic!("{:?}", row.cells);
        };
        if setting == "none" {
            without_setting.insert(what.clone(), value.clone());
            continue;
        }
        let setting = setting.trim_matches('`').to_owned();
        assert_eq!(found.insert(setting, value.clone()), None, "{what}: twice");
    }
    for (setting, value) in &expected {
        assert_eq!(found.get(setting), Some(value), "{setting}");
    }
    let unknown = found
        .keys()
        .find(|setting| !expected.contains_key(*setting));
    assert_eq!(unknown, None, "a default that no test reads");

    let least = format!("{} bytes", least_secret());
    let events = events_of_a_second().await.to_string();
    let values: Vec<_> = without_setting.into_values().collect();
    assert_eq!(values, [events, least]);
}
