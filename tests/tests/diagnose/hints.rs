//! The hints of a layer, over real sockets.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, routing::any};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use countersign::{
    CallerKey, CallerKeys, KeyStore, Keyring, Secret, Timestamp, Unavailable, VerifyingKey,
    diagnose::Cause,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tests::{raw, server::Server};
use tower_countersign::{VerifyLayer, metrics::MISMATCH_HINTS};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{layer::Context, layer::SubscriberExt};

use crate::{
    client::{self, ALL, Family, HEADS, KEY, NOW, Seen, other_key, signature, written},
    mistakes::HMAC_KEYS,
};

/// The fields of the events that are written on this thread.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "countersign" {
            let mut fields = Fields(BTreeMap::new());
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

impl Capture {
    /// Captures until the guard is dropped. The test's runtime must be of one thread.
    fn start() -> (Self, DefaultGuard) {
        static EVERY_THREAD: Once = Once::new();
        EVERY_THREAD.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        let capture = Self::default();
        let subscriber = tracing_subscriber::registry().with(capture.clone());
        (capture, tracing::subscriber::set_default(subscriber))
    }

    /// This field of every refusal since the last time.
    fn take(&self, field: &str) -> Vec<Option<String>> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        let refused = events.iter().filter(|event| {
            event
                .get("outcome")
                .is_some_and(|outcome| outcome == "refused")
        });
        refused.map(|event| event.get(field).cloned()).collect()
    }
}

/// A keyring that counts how often it is asked.
#[derive(Clone)]
struct Counting(Keyring, Arc<AtomicUsize>);

impl KeyStore for Counting {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        self.0.lookup(key_id).await
    }

    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.try_lookup(key_id)
    }

    fn callers(&self) -> Option<usize> {
        self.0.callers()
    }
}

fn layer(family: Family) -> (VerifyLayer<Counting>, Arc<AtomicUsize>) {
    layer_with(family, client::keyring(family))
}

fn layer_with(family: Family, keys: Keyring) -> (VerifyLayer<Counting>, Arc<AtomicUsize>) {
    let asked = Arc::default();
    let keys = Counting(keys, Arc::clone(&asked));
    let layer = VerifyLayer::new(keys)
        .with_verifier(client::verifier(family))
        .with_clock(|| Timestamp::from_unix_seconds(NOW));
    (layer, asked)
}

async fn serve(layer: VerifyLayer<Counting>) -> Server {
    let router = Router::new().fallback(any(async |body: Bytes| body.len().to_string()));
    Server::axum(router.layer(layer)).await
}

/// A request as bytes: signed as one side sees it, sent as the other.
fn request(family: Family, key: &[u8], signed: &Seen, sent: &Seen) -> Vec<u8> {
    let text = signed.text(family, sent);
    let made = signature(family, key, &text, signed);
    let parts = sent.parts(family, &written(family, &made));
    let head = tests::signed::head(&parts);
    let length = sent.body.len();
    let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), end.as_bytes(), &sent.body].concat()
}

fn without_port() -> Seen {
    Seen {
        host: "user-service.internal".to_owned(),
        ..Seen::usual()
    }
}

/// The answer without the date that the server itself adds.
async fn answer(server: &Server, request: &[u8]) -> String {
    let answer = raw::exchange(server.addr(), request).await;
    let lines = answer.split("\r\n");
    let lines: Vec<_> = lines.filter(|line| !line.starts_with("date: ")).collect();
    lines.join("\r\n")
}

#[tokio::test]
async fn a_refusal_has_its_hint_in_the_event_and_in_the_metric() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _listening = metrics::set_default_local_recorder(&recorder);
    let (capture, _guard) = Capture::start();
    for family in HEADS {
        let (layer, _) = layer(*family);
        let server = serve(layer.with_mismatch_hints()).await;
        let request = request(*family, &KEY, &without_port(), &Seen::usual());
        let answer = answer(&server, &request).await;
        assert_eq!(raw::status(&answer), 401, "{family:?}: {answer}");
        assert!(!answer.contains("host_without_port"), "{answer}");
        let hints = capture.take("hint");
        assert_eq!(hints, [Some("host_without_port".to_owned())], "{family:?}");
        let scheme = client::verifier(*family).accepted_schemes().next().unwrap();
        let series = format!(
            "{}{{hint=\"host_without_port\",scheme=\"{scheme}\",caller=\"billing\"}} 1",
            MISMATCH_HINTS.name()
        );
        let rendered = handle.render();
        assert!(rendered.contains(&series), "{series}: {rendered}");
    }
}

/// A keyring of one caller, made from its secret as configuration is.
fn keyring_of_secret(family: Family) -> Keyring {
    if family == Family::Hmac {
        let digits = base16ct::lower::encode_string(&KEY);
        let keys = format!(
            "name = \"billing\"\nkeys = [{{ version = \"1\", secret_hex = \"{digits}\" }}]"
        );
        return Keyring::from_toml(&format!("[[callers]]\n{keys}")).unwrap();
    }
    let secret = Secret::from_bytes(&KEY);
    let key = match family {
        Family::SigV4 => VerifyingKey::sigv4(&secret),
        Family::Rfc9421 => VerifyingKey::message_hmac_sha256(&secret),
        Family::Cavage => VerifyingKey::cavage_hmac_sha256(&secret),
        Family::Drf => VerifyingKey::drf(&secret),
        Family::Webhooks => VerifyingKey::standard_webhooks(&secret),
        Family::Hmac | Family::Ed25519 => VerifyingKey::hmac_sha256(&secret),
    };
    let key = CallerKey::new("2026", key).unwrap();
    Keyring::builder().caller("billing", key).build().unwrap()
}

#[tokio::test]
async fn a_secret_that_the_client_read_in_another_encoding_is_recognised() {
    let (capture, _guard) = Capture::start();
    let digits = base16ct::lower::encode_string(&KEY);
    let mistakes = [
        ("secret_as_text", digits.clone().into_bytes()),
        ("secret_as_text", Base64::encode_string(&KEY).into_bytes()),
        ("secret_as_base64", Base64::decode_vec(&digits).unwrap()),
    ];
    for family in HMAC_KEYS {
        for (hint, key) in &mistakes {
            let (layer, _) = layer_with(*family, keyring_of_secret(*family));
            let server = serve(layer.with_mismatch_hints()).await;
            let seen = Seen::usual();
            let answer = answer(&server, &request(*family, key, &seen, &seen)).await;
            assert_eq!(raw::status(&answer), 401, "{family:?}: {answer}");
            let hints = capture.take("hint");
            assert_eq!(hints, [Some((*hint).to_owned())], "{family:?}");
        }
    }
}

#[tokio::test]
async fn a_rewritten_header_is_named() {
    let (capture, _guard) = Capture::start();
    let (layer, _) = layer(Family::Hmac);
    let server = serve(layer.with_mismatch_hints()).await;
    let mut sent = Seen::usual();
    sent.header("accept-encoding", "br");
    let request = request(Family::Hmac, &KEY, &Seen::usual(), &sent);
    answer(&server, &request).await;
    let hint_header = capture.take("hint_header");
    assert_eq!(hint_header, [Some("accept-encoding".to_owned())]);
}

#[tokio::test]
async fn a_prefix_that_is_configured_is_tried() {
    let (capture, _guard) = Capture::start();
    let mut sent = Seen::usual();
    sent.path = sent.path.replace("/api", "");
    let request = request(Family::Hmac, &KEY, &Seen::usual(), &sent);
    for (prefixes, hint) in [(vec![], "none"), (vec!["/api"], "path_prefix_stripped")] {
        let (layer, _) = layer(Family::Hmac);
        let server = serve(layer.with_mismatch_hints_for(prefixes)).await;
        answer(&server, &request).await;
        assert_eq!(capture.take("hint"), [Some(hint.to_owned())]);
    }
}

#[tokio::test]
async fn a_body_that_is_read_is_tried_in_other_forms() {
    let (capture, _guard) = Capture::start();
    for family in ALL {
        let (layer, _) = layer(*family);
        let server = serve(layer.with_mismatch_hints()).await;
        let mut sent = Seen::usual();
        let request = if HEADS.contains(family) {
            // The head is signed, and the body loses its line end on the way.
            sent.body.push(b'\n');
            let mut request = request(*family, &KEY, &sent, &sent);
            request.pop();
            let text = String::from_utf8(request).unwrap();
            let (from, to) = (sent.body.len(), sent.body.len() - 1);
            text.replace(
                &format!("content-length: {from}"),
                &format!("content-length: {to}"),
            )
            .into_bytes()
        } else {
            let mut signed = Seen::usual();
            signed.body.push(b'\n');
            request(*family, &KEY, &signed, &sent)
        };
        let answer = answer(&server, &request).await;
        assert_eq!(raw::status(&answer), 401, "{family:?}");
        let hints = capture.take("hint");
        assert_eq!(hints, [Some("body_line_end".to_owned())], "{family:?}");
    }
}

/// Whether hints are made is no one's business but the operator's.
#[tokio::test]
async fn the_peer_gets_the_same_answer_with_and_without_hints() {
    let stale = Seen {
        date: NOW - 4000,
        ..Seen::usual()
    };
    let elsewhere = Seen {
        host: "elsewhere".to_owned(),
        ..Seen::usual()
    };
    let unknown = Seen {
        caller: "nobody".to_owned(),
        ..Seen::usual()
    };
    let mut otherwise = Seen::usual();
    otherwise.body = b"{}".to_vec();
    for family in ALL {
        let usual = Seen::usual();
        let (off, _) = layer(*family);
        let (on, _) = layer(*family);
        let (off, on) = (serve(off).await, serve(on.with_mismatch_hints()).await);
        for (signed, sent, key) in [
            (&usual, &usual, KEY.to_vec()),
            (&without_port(), &usual, KEY.to_vec()),
            (&usual, &usual, other_key(9)),
            (&usual, &usual, other_key(1)),
            (&stale, &stale, KEY.to_vec()),
            (&elsewhere, &elsewhere, KEY.to_vec()),
            (&unknown, &unknown, KEY.to_vec()),
            (&otherwise, &usual, KEY.to_vec()),
        ] {
            let request = request(*family, &key, signed, sent);
            assert_eq!(
                answer(&off, &request).await,
                answer(&on, &request).await,
                "{family:?}"
            );
        }
    }
}

/// The keys are asked for once by the decision. A hint asks a second time.
#[tokio::test]
async fn without_hints_nothing_is_done_and_with_them_nothing_for_what_is_accepted() {
    let (capture, _guard) = Capture::start();
    for hints in [false, true] {
        let (mut layer, asked) = layer(Family::Hmac);
        if hints {
            layer = layer.with_mismatch_hints();
        }
        let server = serve(layer).await;
        let usual = Seen::usual();
        let good = request(Family::Hmac, &KEY, &usual, &usual);
        assert_eq!(raw::status(&answer(&server, &good).await), 200);
        assert_eq!(asked.swap(0, Ordering::SeqCst), 1);
        let bad = request(Family::Hmac, &KEY, &without_port(), &usual);
        assert_eq!(raw::status(&answer(&server, &bad).await), 401);
        let times = if hints { 2 } else { 1 };
        assert_eq!(asked.load(Ordering::SeqCst), times);
        let found = capture.take("hint");
        assert_eq!(found, [hints.then(|| "host_without_port".to_owned())]);
    }
}

#[tokio::test]
async fn a_caller_gets_one_hint_a_second() {
    let (capture, _guard) = Capture::start();
    let (layer, _) = layer(Family::Hmac);
    // The clock of the layer does not move: all requests come within one second.
    let server = serve(layer.with_mismatch_hints()).await;
    let bad = request(Family::Hmac, &KEY, &without_port(), &Seen::usual());
    for _ in 0..8 {
        answer(&server, &bad).await;
    }
    let hints = capture.take("hint");
    assert_eq!(hints.len(), 8);
    assert_eq!(hints.iter().flatten().count(), 1);
    // The cap of one caller is not another's.
    let usual = Seen {
        caller: "audit".to_owned(),
        ..Seen::usual()
    };
    let signed = Seen {
        host: "user-service.internal".to_owned(),
        ..usual.clone()
    };
    let other = request(Family::Hmac, &other_key(2), &signed, &usual);
    answer(&server, &other).await;
    let hints = capture.take("hint");
    assert_eq!(hints, [Some("host_without_port".to_owned())]);
}

#[tokio::test]
async fn nobody_gets_a_hint_and_a_random_key_gets_none() {
    let (capture, _guard) = Capture::start();
    let (layer, asked) = layer(Family::Hmac);
    let server = serve(layer.with_mismatch_hints()).await;
    let usual = Seen::usual();
    let unknown = Seen {
        caller: "nobody".to_owned(),
        ..Seen::usual()
    };
    answer(&server, &request(Family::Hmac, &KEY, &unknown, &unknown)).await;
    assert_eq!(capture.take("hint"), [None]);
    // The work is done for the unknown name as well.
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    answer(
        &server,
        &request(Family::Hmac, &other_key(9), &usual, &usual),
    )
    .await;
    assert_eq!(capture.take("hint"), [Some("none".to_owned())]);
    answer(
        &server,
        b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(capture.take("hint"), [None]);
}

#[test]
fn every_hint_is_the_code_of_a_cause() {
    assert!(Cause::ALL.iter().all(|cause| cause.as_str() != "none"));
    assert!(MISMATCH_HINTS.labels().contains(&"hint"));
}
