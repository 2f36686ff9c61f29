//! Bodies of unauthenticated peers: peers that hold such bodies open do not keep callers out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests panic where a constant is wrong"
)]

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, routing::post};
use bytes::Bytes;
use countersign::{
    CallerKey, DrfVerifySettings, Keyring, Secret, SigV4Credentials, SigV4SignSettings,
    SigV4VerifySettings, Signer, SigningKey, Verifier,
};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::channel::{Channel, Sender};
use tests::{
    raw,
    signed::{self, AUTHORITY},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tower::ServiceExt;
use tower_countersign::{BodyLimits, ConnectionId, Refusal, VerifiedCaller, VerifyLayer};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const HOUR: Duration = Duration::from_secs(3600);

/// Of every slow sender.
const STRANGER: [u8; 4] = [127, 0, 0, 1];
/// Only Linux accepts every address of the loopback network.
#[cfg(target_os = "linux")]
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

const REGION: &str = "eu-central-1";
const SERVICE: &str = "execute-api";

fn django() -> SigningKey {
    SigningKey::drf(&Secret::from_text("a text of the tests that no other test has").unwrap())
}

fn sigv4() -> SigningKey {
    SigningKey::sigv4(&Secret::from_text("another text of the tests, for SigV4 callers").unwrap())
}

/// A layer that accepts DRF on `POST /drf`, and SigV4.
fn layer(limits: BodyLimits) -> VerifyLayer<Keyring> {
    let key = |key: &SigningKey| CallerKey::new("1", key.verifying_key()).unwrap();
    let keys = Keyring::builder()
        .caller("django", key(&django()))
        .caller("lambda", key(&sigv4()).with_key_id("AKIDLAMBDA").unwrap())
        .build()
        .unwrap();
    let drf = DrfVerifySettings::for_caller("django").unwrap();
    let verifier = Verifier::builder()
        .accept(drf.with_route(Method::POST, "/drf").unwrap())
        .accept(SigV4VerifySettings::new(REGION, SERVICE).unwrap())
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap();
    VerifyLayer::new(keys)
        .with_verifier(verifier)
        .with_body_limits(limits)
}

fn app(layer: VerifyLayer<Keyring>) -> Router {
    let handler = async |caller: VerifiedCaller, body: Bytes| {
        format!("{} sent {} bytes", caller.id(), body.len())
    };
    Router::new()
        .route("/drf", post(handler))
        .route("/sigv4", post(handler))
        .layer(layer)
}

/// A server that provides the addresses of its peers.
struct Server {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: BodyLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let app = app(layer(limits)).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { addr, task }
    }

    /// Connects from this address.
    async fn connect(&self, from: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        socket.connect(self.addr).await.unwrap()
    }

    /// Sends a caller's body of this length. Returns the status and the answer.
    async fn post(&self, from: [u8; 4], len: usize) -> (u16, String) {
        let request = drf(vec![b'x'; len]);
        let mut stream = self.connect(from).await;
        // A refused upload may be cut off.
        let _: Result<(), _> = stream.write_all(&signed::bytes(&request)).await;
        let mut answer = Vec::new();
        let _: Result<usize, _> = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        // A client whose upload was cut off may see a reset and no answer.
        let status = if answer.is_empty() {
            0
        } else {
            raw::status(&answer)
        };
        (status, answer)
    }

    /// Sends all of a body except its last byte, and holds the connection.
    async fn hold(&self, from: [u8; 4], len: usize) -> TcpStream {
        let request = drf(vec![b'x'; len]);
        let mut bytes = signed::bytes(&request);
        bytes.pop();
        let mut stream = self.connect(from).await;
        let _: Result<(), _> = stream.write_all(&bytes).await;
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A DRF request with a unique body. Two equal requests within a second have the same signature.
fn drf(mut body: Vec<u8>) -> Request<Bytes> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    for (byte, mark) in body.iter_mut().zip(number) {
        *byte = mark;
    }
    let signer = Signer::drf(django(), [AUTHORITY]).unwrap();
    signed::now_in_full(&signer, signed::post("/drf", body))
}

async fn within<F: Future>(name: &str, future: F) -> F::Output {
    timeout(Duration::from_secs(30), future)
        .await
        .unwrap_or_else(|_| panic!("{name}: hangs"))
}

/// The default limits, without time limits.
fn patient() -> BodyLimits {
    BodyLimits::default()
        .with_unauthenticated_deadline(HOUR)
        .with_unauthenticated_idle(HOUR)
        .with_unauthenticated_least_rate(0)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn two_hundred_slow_bodies_of_one_address_leave_others_served_and_its_own_small_ones() {
    for (name, held) in [
        ("256 KiB each", [256 * KIB; 2]),
        ("2 MiB each", [2 * MIB; 2]),
        ("16 KiB each", [16 * KIB; 2]),
        ("2 MiB and 4 KiB each", [2 * MIB, 4 * KIB]),
    ] {
        let server = Server::start(patient()).await;
        let mut slow = Vec::new();
        for number in 0..200 {
            slow.push(server.hold(STRANGER, held[number % 2]).await);
        }
        // These bodies keep out further large bodies of the same address when they have arrived in
        // full. A body that is still arriving may lose its memory to the new body; then another
        // body takes its place.
        let used_up = async {
            let mut pause = Duration::from_millis(5);
            while server.post(STRANGER, 2 * MIB).await.0 == 200 {
                slow.push(server.hold(STRANGER, held[0]).await);
                sleep(pause).await;
                pause *= 2;
            }
        };
        within(name, used_up).await;
        for len in [64, 16 * KIB, 17 * KIB, 300 * KIB, 2 * MIB] {
            let (status, answer) = within(name, server.post(ELSEWHERE, len)).await;
            assert_eq!(status, 200, "{name}, {len} bytes from elsewhere: {answer}");
        }
        for len in [64, 16 * KIB] {
            let (status, answer) = within(name, server.post(STRANGER, len)).await;
            assert_eq!(status, 200, "{name}, {len} bytes from there: {answer}");
        }
        // They release their memory.
        drop(slow);
        let given_back = async {
            while server.post(STRANGER, 2 * MIB).await.0 != 200 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        within(name, given_back).await;
    }
}

#[tokio::test]
async fn a_body_that_stalls_or_trickles_is_cut_off() {
    let tenth = Duration::from_millis(100);
    let stalls = patient().with_unauthenticated_idle(tenth);
    let trickles = stalls.clone().with_unauthenticated_least_rate(1_000_000);
    for (name, limits, every) in [
        ("stalls", stalls, None),
        ("trickles", trickles, Some(Duration::from_millis(5))),
    ] {
        let server = Server::start(limits).await;
        let request = drf(vec![b'x'; MIB]);
        let bytes = signed::bytes(&request);
        let (start, _) = bytes.split_at(bytes.len() - MIB);
        let mut stream = server.connect(STRANGER).await;
        stream.write_all(start).await.unwrap();
        let (mut receive, mut send) = stream.split();
        let mut answer = Vec::new();
        let trickle = async {
            while let Some(every) = every {
                if send.write_all(b"x").await.is_err() {
                    break;
                }
                sleep(every).await;
            }
            std::future::pending::<()>().await;
        };
        let answered = async {
            tokio::select! {
                _ = receive.read_to_end(&mut answer) => {}
                () = trickle => {}
            }
        };
        within(name, answered).await;
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(raw::status(&answer), 408, "{name}: {answer}");
        assert!(
            answer.contains(r#"{"error":"timeout"}"#),
            "{name}: {answer}"
        );
    }
}

/// Source: field report `body-300-kib`: a client of execute-api, which sends no
/// `x-amz-content-sha256`.
#[tokio::test]
async fn a_sigv4_client_that_declares_no_hash_may_send_as_much_as_one_that_does() {
    let server = Server::start(BodyLimits::default()).await;
    let settings = || {
        let credentials = SigV4Credentials::new("AKIDLAMBDA", sigv4()).unwrap();
        SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap()
    };
    for (name, settings) in [
        ("declared", settings()),
        ("implied", settings().with_implied_payload_hash()),
    ] {
        let signer = Signer::sigv4(settings, [AUTHORITY]).unwrap();
        for (len, status) in [(300 * KIB, 200), (2 * MIB, 200), (2 * MIB + 1, 413)] {
            let request = signed::now(&signer, signed::post("/sigv4", vec![b'x'; len]));
            let declares = request.headers().contains_key("x-amz-content-sha256");
            assert_eq!(declares, name == "declared");
            let mut stream = server.connect(STRANGER).await;
            let _: Result<(), _> = stream.write_all(&signed::bytes(&request)).await;
            let mut answer = Vec::new();
            let _: Result<usize, _> = stream.read_to_end(&mut answer).await;
            if status == 413 && answer.is_empty() {
                // A client that is still sending may see a reset and no answer.
                continue;
            }
            let answer = String::from_utf8_lossy(&answer);
            assert_eq!(raw::status(&answer), status, "{name}, {len}: {answer}");
        }
    }
}

// Which requests share one peer, without sockets.

/// A DRF request whose body has arrived in part, and its response future.
struct Held {
    _sender: Sender<Bytes>,
    _handling: JoinHandle<()>,
}

/// Begins a DRF request, and sends this much of its body. The declared length is longer.
async fn begin(app: &Router, peer: &Peer, len: usize) -> Held {
    let (mut sender, body) = Channel::new(1);
    let request = peer.of(drf(vec![b'x'; 8])).map(|_| Body::new(body));
    let handling = tokio::spawn({
        let app = app.clone();
        async move {
            app.oneshot(request).await.unwrap();
        }
    });
    let sent = sender.send_data(Bytes::from(vec![b'x'; len])).await;
    sent.unwrap();
    // A second frame fits only when the first was taken.
    sender.send_data(Bytes::new()).await.unwrap();
    sender.send_data(Bytes::new()).await.unwrap();
    Held {
        _sender: sender,
        _handling: handling,
    }
}

async fn status(app: &Router, peer: &Peer, len: usize) -> (StatusCode, Option<String>) {
    let request = peer.of(drf(vec![b'x'; len])).map(Body::from);
    let response = app.clone().oneshot(request).await.unwrap();
    let refusal = response.extensions().get::<Refusal>();
    (response.status(), refusal.map(ToString::to_string))
}

/// The peer's address from the server, and the extensions and headers of the request.
#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    connected: Option<&'static str>,
    plain: Option<&'static str>,
    connection: Option<u64>,
    forwarded_for: Option<&'static str>,
}

impl Peer {
    fn of(self, mut request: Request<Bytes>) -> Request<Bytes> {
        let addr = |ip: &str| SocketAddr::from((ip.parse::<IpAddr>().unwrap(), 4711));
        let extensions = request.extensions_mut();
        if let Some(ip) = self.connected {
            extensions.insert(ConnectInfo(addr(ip)));
        }
        if let Some(ip) = self.plain {
            extensions.insert(addr(ip));
        }
        if let Some(number) = self.connection {
            extensions.insert(ConnectionId::new(number));
        }
        if let Some(list) = self.forwarded_for {
            let value = HeaderValue::from_static(list);
            request.headers_mut().insert("x-forwarded-for", value);
        }
        request
    }
}

#[tokio::test]
async fn peers_with_one_address_or_connection_share_one_share() {
    let limits = patient().with_unauthenticated_peer_bytes(200_000);
    let connected = |ip| Peer {
        connected: Some(ip),
        ..Peer::default()
    };
    let connection = |number| Peer {
        connection: Some(number),
        ..Peer::default()
    };
    let forwarded = |list| Peer {
        connected: Some("192.0.2.1"),
        forwarded_for: Some(list),
        ..Peer::default()
    };
    let unknown = Peer::default();
    let plain = Peer {
        plain: Some("192.0.2.1"),
        ..unknown
    };
    for (name, hops, one, other, same) in [
        (
            "an address",
            0,
            connected("192.0.2.1"),
            connected("192.0.2.1"),
            true,
        ),
        (
            "two addresses",
            0,
            connected("192.0.2.1"),
            connected("192.0.2.2"),
            false,
        ),
        ("a plain address", 0, plain, connected("192.0.2.1"), true),
        (
            "a /64",
            0,
            connected("2001:db8::1"),
            connected("2001:db8::ffff"),
            true,
        ),
        (
            "two /64",
            0,
            connected("2001:db8::1"),
            connected("2001:db8:0:1::1"),
            false,
        ),
        ("a connection", 0, connection(1), connection(1), true),
        ("two connections", 0, connection(1), connection(2), false),
        ("nothing", 0, unknown, unknown, true),
        ("nothing and a connection", 0, unknown, connection(1), false),
        (
            "a header that is not read",
            0,
            forwarded("10.0.0.1"),
            forwarded("10.0.0.2"),
            true,
        ),
        (
            "a client of a proxy",
            1,
            forwarded("10.0.0.1"),
            forwarded("10.0.0.1"),
            true,
        ),
        (
            "two clients of a proxy",
            1,
            forwarded("10.0.0.1"),
            forwarded("10.0.0.2"),
            false,
        ),
        (
            "no header of a proxy",
            1,
            connected("192.0.2.1"),
            connected("192.0.2.2"),
            true,
        ),
    ] {
        let app = app(layer(limits.clone()).with_trusted_hops(hops));
        let held = begin(&app, &one, 100_000).await;
        let (status, reason) = within(name, status(&app, &other, 50_000)).await;
        if same {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
            let reason = reason.unwrap();
            let setting = "BodyLimits::with_unauthenticated_peer_bytes";
            assert!(reason.contains(setting), "{name}: {reason}");
            assert!(reason.contains("100000"), "{name}: {reason}");
        } else {
            assert_eq!(status, StatusCode::OK, "{name}: {reason:?}");
        }
        drop(held);
    }
}

#[tokio::test]
async fn a_peer_is_found_by_the_function_that_is_set() {
    let limits = patient().with_unauthenticated_peer_bytes(200_000);
    let of_plain = |extensions: &http::Extensions| extensions.get::<SocketAddr>().copied();
    let app = app(layer(limits).with_peer_address(of_plain));
    let peer = |plain| Peer {
        connected: Some("192.0.2.1"),
        plain: Some(plain),
        ..Peer::default()
    };
    let _held = begin(&app, &peer("10.0.0.1"), 100_000).await;
    for (plain, expected) in [
        ("10.0.0.1", StatusCode::SERVICE_UNAVAILABLE),
        ("10.0.0.2", StatusCode::OK),
    ] {
        let (status, reason) = within(plain, status(&app, &peer(plain), 50_000)).await;
        assert_eq!(status, expected, "{plain}: {reason:?}");
    }
}
