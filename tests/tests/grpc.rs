//! gRPC over real sockets: a tonic client with its `Channel` under `SignLayer`, and tonic services
//! under `VerifyLayer` and `AuthorizeLayer`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    collections::BTreeSet,
    convert::Infallible,
    error::Error as _,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::OriginalUri};
use bytes::{Buf, BufMut, Bytes};
use countersign::{
    CallerKeys, KeyStore, Keyring, MemoryReplayStore, Policy, Rejection, RejectionKind, SignError,
    SignErrorKind, Signer, TargetSigners, Unavailable, Verifier,
};
use futures::{
    SinkExt, Stream, StreamExt,
    channel::mpsc,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use http::{HeaderValue, Request, Response, StatusCode, Uri, uri::PathAndQuery};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, StreamBody};
use tests::{
    client,
    keys::{NOW, OTHER_SECRET, SECRET, hmac_key, keyring, signer},
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tokio::net::TcpListener;
use tonic::{
    Code, Status,
    body::Body as TonicBody,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService,
};
use tower_countersign::{
    AllowCallers, AuthorizeLayer, BodyLimits, Forbidden, ForbiddenReason, Refusal, RequestBody,
    SignLayer, SignedBody, VerifiedCaller, VerifyLayer,
};

/// Messages are bytes, so that no protobuf is needed.
#[derive(Clone, Copy, Debug, Default)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

const ONE: PathAndQuery = PathAndQuery::from_static("/tests.Tally/One");
const MANY: PathAndQuery = PathAndQuery::from_static("/tests.Tally/Many");
const SUM: PathAndQuery = PathAndQuery::from_static("/tests.Tally/Sum");
const TALK: PathAndQuery = PathAndQuery::from_static("/tests.Tally/Talk");

/// One method of each kind.
#[derive(Clone, Debug, Default)]
struct Tally {
    calls: Arc<AtomicUsize>,
}

impl tonic::server::NamedService for Tally {
    const NAME: &'static str = "tests.Tally";
}

impl Service<Request<TonicBody>> for Tally {
    type Response = Response<TonicBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<TonicBody>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(BytesCodec);
            let response = match request.uri().path() {
                "/tests.Tally/One" => grpc.unary(Hello, request).await,
                "/tests.Tally/Many" => grpc.server_streaming(Hello, request).await,
                "/tests.Tally/Sum" => grpc.client_streaming(Hello, request).await,
                _ => grpc.streaming(Hello, request).await,
            };
            Ok(response)
        })
    }
}

struct Hello;

fn greeting<T>(request: &tonic::Request<T>) -> Result<Bytes, Status> {
    let caller = request
        .extensions()
        .get::<VerifiedCaller>()
        .ok_or_else(|| Status::internal("no caller"))?;
    Ok(Bytes::from(format!("hello {}", caller.id())))
}

type Answer<T> = BoxFuture<'static, Result<tonic::Response<T>, Status>>;
type Messages = BoxStream<'static, Result<Bytes, Status>>;

impl tonic::server::UnaryService<Bytes> for Hello {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        Box::pin(async move { greeting(&request).map(tonic::Response::new) })
    }
}

impl tonic::server::ServerStreamingService<Bytes> for Hello {
    type Response = Bytes;
    type ResponseStream = Messages;
    type Future = Answer<Messages>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        Box::pin(async move {
            let greeting = greeting(&request)?;
            let count = usize::from(request.into_inner()[0]);
            let greetings = (0..count).map(move |_| Ok(greeting.clone()));
            Ok(tonic::Response::new(stream::iter(greetings).boxed()))
        })
    }
}

impl tonic::server::ClientStreamingService<Bytes> for Hello {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, request: tonic::Request<tonic::Streaming<Bytes>>) -> Self::Future {
        Box::pin(async move {
            let greeting = greeting(&request)?;
            let mut messages = request.into_inner();
            let mut count = 0_usize;
            while messages.message().await?.is_some() {
                count = count.saturating_add(1);
            }
            let text = String::from_utf8_lossy(&greeting).into_owned();
            Ok(tonic::Response::new(
                format!("{text}, {count} messages").into(),
            ))
        })
    }
}

impl tonic::server::StreamingService<Bytes> for Hello {
    type Response = Bytes;
    type ResponseStream = Messages;
    type Future = Answer<Messages>;

    fn call(&mut self, request: tonic::Request<tonic::Streaming<Bytes>>) -> Self::Future {
        Box::pin(async move { Ok(tonic::Response::new(request.into_inner().boxed())) })
    }
}

/// The client's channel.
type Client = Grpc<BoxCloneSyncService<Request<TonicBody>, Response<TonicBody>, BoxError>>;

fn origin() -> Uri {
    format!("http://{AUTHORITY}").parse().unwrap()
}

/// Connects to this address, with the authority of the tests.
fn channel(addr: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    endpoint.origin(origin()).connect_lazy()
}

fn sign_layer(signers: impl Into<TargetSigners>) -> SignLayer {
    let layer = SignLayer::new(signers).with_clock(|| NOW);
    layer.with_origin(&origin()).unwrap()
}

/// A client as in the pages. `edit` changes requests after they were signed.
fn edited(
    layer: SignLayer,
    addr: SocketAddr,
    edit: impl Fn(&mut Request<TonicBody>) + Clone + Send + Sync + 'static,
) -> Client {
    let service = ServiceBuilder::new()
        .layer(layer)
        .map_request(move |request: Request<SignedBody<TonicBody>>| {
            let mut request = request.map(TonicBody::new);
            edit(&mut request);
            request
        })
        .service(channel(addr));
    Grpc::new(BoxCloneSyncService::new(service))
}

fn signing(layer: SignLayer, addr: SocketAddr) -> Client {
    edited(layer, addr, |_| ())
}

fn unsigned(addr: SocketAddr) -> Client {
    let service = ServiceBuilder::new().map_err(BoxError::from);
    Grpc::new(BoxCloneSyncService::new(service.service(channel(addr))))
}

fn verifier() -> Verifier {
    let builder = Verifier::builder().expected_hosts([AUTHORITY]);
    builder.build().unwrap()
}

fn verify_layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
        .with_verifier(verifier())
        .with_clock(|| NOW)
}

fn message() -> tonic::Request<Bytes> {
    tonic::Request::new(Bytes::from_static(&[3]))
}

async fn unary(client: &mut Client) -> Result<Bytes, Status> {
    client.ready().await.unwrap();
    let response = client.unary(message(), ONE, BytesCodec).await;
    response.map(tonic::Response::into_inner)
}

async fn sum<S>(client: &mut Client, messages: S) -> Result<Bytes, Status>
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    client.ready().await.unwrap();
    let request = tonic::Request::new(messages);
    let response = client.client_streaming(request, SUM, BytesCodec).await;
    response.map(tonic::Response::into_inner)
}

async fn talk<S>(client: &mut Client, messages: S) -> Result<tonic::Streaming<Bytes>, Status>
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    client.ready().await.unwrap();
    let request = tonic::Request::new(messages);
    let call = client.streaming(request, TALK, BytesCodec);
    let response = tokio::time::timeout(Duration::from_secs(60), call).await;
    response
        .expect("the call hangs")
        .map(tonic::Response::into_inner)
}

fn three() -> impl Stream<Item = Bytes> + Send + 'static {
    stream::iter(["a", "b", "c"].map(Bytes::from))
}

#[tokio::test]
async fn a_service_knows_the_callers_of_a_channel() {
    let tally = Tally::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let routes = tonic::service::Routes::new(tally.clone());
    let own_server = tonic::transport::Server::builder()
        .layer(verify_layer())
        .add_routes(routes.clone());
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let own_server = tokio::spawn(own_server.serve_with_incoming(incoming));
    let in_axum = Server::axum(routes.into_axum_router().layer(verify_layer())).await;

    for (name, addr) in [("tonic's server", addr), ("axum", in_axum.addr())] {
        tally.calls.store(0, Ordering::SeqCst);
        let mut client = signing(sign_layer(billing()), addr);
        assert_eq!(unary(&mut client).await.unwrap(), "hello billing", "{name}");

        client.ready().await.unwrap();
        let response = client.server_streaming(message(), MANY, BytesCodec).await;
        let mut greetings = response.unwrap().into_inner();
        for _ in 0..3 {
            let greeting = greetings.message().await.unwrap();
            assert_eq!(greeting.as_deref(), Some(&b"hello billing"[..]), "{name}");
        }
        // The response ends with trailers, which pass.
        assert_eq!(greetings.message().await.unwrap(), None, "{name}");

        let answer = sum(&mut client, three()).await.unwrap();
        assert_eq!(answer, "hello billing, 3 messages", "{name}");
        assert_eq!(tally.calls.load(Ordering::SeqCst), 3, "{name}");

        let refused = unary(&mut unsigned(addr)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{name}");
        assert_eq!(refused.message(), "missing_signature", "{name}");
        assert_eq!(tally.calls.load(Ordering::SeqCst), 3, "{name}");
    }
    own_server.abort();
}

#[tokio::test]
async fn one_channel_calls_what_its_origin_names_and_nothing_else() {
    let server = Server::axum(router(&Tally::default()).layer(verify_layer())).await;
    // The signed host is the host that is sent.
    let mut same = signing(sign_layer(billing()), server.addr());
    assert_eq!(unary(&mut same).await.unwrap(), "hello billing");

    let layer = sign_layer(billing());
    let service = ServiceBuilder::new()
        .layer(layer)
        .map_request(|request: Request<SignedBody<TonicBody>>| request.map(TonicBody::new))
        .service(channel(server.addr()));
    let elsewhere = Uri::from_static("http://elsewhere.internal");
    let mut elsewhere: Client = Grpc::with_origin(BoxCloneSyncService::new(service), elsewhere);
    let refused = unary(&mut elsewhere).await.unwrap_err();
    assert_eq!(sign_error(&refused).kind(), SignErrorKind::Authority);
    assert!(refused.message().contains(AUTHORITY), "{refused}");

    // A request of a channel has no authority.
    let nowhere = SignLayer::new(billing()).with_clock(|| NOW);
    let refused = unary(&mut signing(nowhere, server.addr()))
        .await
        .unwrap_err();
    assert_eq!(sign_error(&refused).kind(), SignErrorKind::Authority);
}

#[tokio::test]
async fn the_origin_selects_the_signer_of_a_target() {
    let server = Server::axum(router(&Tally::default()).layer(verify_layer())).await;
    let signers = || TargetSigners::builder().target("users", billing());
    let mut known = signing(sign_layer(signers().build().unwrap()), server.addr());
    assert_eq!(unary(&mut known).await.unwrap(), "hello billing");

    let other = signer("billing", hmac_key(OTHER_SECRET), "audit.internal");
    let others = TargetSigners::builder().target("audit", other);
    let mut unknown = signing(sign_layer(others.build().unwrap()), server.addr());
    let refused = unary(&mut unknown).await.unwrap_err();
    assert_eq!(sign_error(&refused).kind(), SignErrorKind::Authority);
    assert!(refused.message().contains("audit.internal"), "{refused}");
}

// Streams.

/// Returns the signer's error that a tonic client gets.
fn sign_error(status: &Status) -> SignError {
    assert_eq!(status.code(), Code::Unknown, "{status}");
    let source = status.source().expect("the signer's error");
    source.downcast_ref::<SignError>().unwrap().clone()
}

#[tokio::test]
async fn a_bidirectional_call_is_refused_by_the_signer_and_never_sent() {
    let tally = Tally::default();
    let server = Server::axum(router(&tally).layer(verify_layer())).await;

    // The method is known to be bidirectional, so its stream is not read.
    let layer = sign_layer(billing()).with_grpc_bidirectional([TALK.as_str()]);
    let unread = stream::poll_fn(|_| -> Poll<Option<Bytes>> { panic!("the stream is read") });
    let mut client = signing(layer, server.addr());
    let refused = talk(&mut client, unread).await.unwrap_err();
    assert_eq!(sign_error(&refused).kind(), SignErrorKind::Body);
    assert!(refused.message().contains("/tests.Tally/Talk"), "{refused}");
    // Other methods are sent.
    let answer = sum(&mut client, three()).await.unwrap();
    assert_eq!(answer, "hello billing, 3 messages");

    // The method is found to be bidirectional, because the client waits for an answer.
    let layer = sign_layer(billing()).with_grpc_idle(Duration::from_millis(20));
    let mut client = signing(layer, server.addr());
    for sent in 0..2 {
        let (mut sender, messages) = mpsc::channel::<Bytes>(sent);
        for _ in 0..sent {
            sender.send(Bytes::from_static(b"a")).await.unwrap();
        }
        let refused = talk(&mut client, messages).await.unwrap_err();
        let error = sign_error(&refused);
        assert_eq!(error.kind(), SignErrorKind::Body);
        for part in ["bidirectional", "20ms", "with_grpc_idle"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        // The sender has not ended the stream.
        drop(sender);
    }
    assert_eq!(
        tally.calls.load(Ordering::SeqCst),
        1,
        "only the sum is sent"
    );
}

#[tokio::test]
async fn a_client_stream_that_ends_is_signed_within_the_limits_of_the_layer() {
    let server = Server::axum(router(&Tally::default()).layer(verify_layer())).await;
    let patient = sign_layer(billing()).with_grpc_idle(Duration::from_secs(60));
    let mut client = signing(patient, server.addr());
    let (mut sender, messages) = mpsc::channel::<Bytes>(0);
    let sending = tokio::spawn(async move {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            sender.send(Bytes::from_static(b"a")).await.unwrap();
        }
    });
    let answer = sum(&mut client, messages).await.unwrap();
    assert_eq!(answer, "hello billing, 10 messages");
    sending.await.unwrap();

    let small = sign_layer(billing()).with_buffer_bytes(100);
    let long = stream::iter((0..100).map(|_| Bytes::from_static(b"0123456789")));
    let refused = sum(&mut signing(small, server.addr()), long).await;
    assert_eq!(
        sign_error(&refused.unwrap_err()).kind(),
        SignErrorKind::Body
    );
}

// Refusals.

#[derive(Clone)]
struct Down;

impl KeyStore for Down {
    async fn lookup(&self, _key_id: &str) -> Result<CallerKeys, Unavailable> {
        Err(Unavailable::new("key store").with_source("connection refused"))
    }
}

fn router(tally: &Tally) -> Router {
    tonic::service::Routes::new(tally.clone()).into_axum_router()
}

fn for_authority(authority: &str) -> Signer {
    signer("billing", hmac_key(SECRET), authority)
}

/// A refusal: the service, the client, and the status that a tonic client must get.
struct Case {
    app: Router,
    client: fn(SocketAddr) -> Client,
    /// The number of calls. The last answer counts.
    calls: usize,
    expected: (Code, &'static str),
}

fn cases(tally: &Tally) -> Vec<Case> {
    let usual = || router(tally).layer(verify_layer());
    let case = |app, client, expected| Case {
        app,
        client,
        calls: 1,
        expected,
    };
    let good = |addr| signing(sign_layer(billing()), addr);
    let quota = MemoryReplayStore::builder().quota_per_caller(1);
    let over_quota = verify_layer().with_replay_store(quota.build().unwrap());
    let slow = BodyLimits::default().with_deadline(Duration::from_millis(20));
    let down = VerifyLayer::new(Down)
        .with_verifier(verifier())
        .with_clock(|| NOW);
    let nobody = Policy::from_toml(
        "[[statements]]\nid = \"a\"\neffect = \"allow\"\ncallers = [\"audit\"]\n\
         methods = [\"POST\"]\npaths = [\"/tests.Tally/One\"]\n",
    );
    let rewritten = tower::util::MapRequestLayer::new(|mut request: axum::extract::Request| {
        let original = OriginalUri(Uri::from_static(
            "http://user-service.internal/tests.Tally/Sum",
        ));
        request.extensions_mut().insert(original);
        request
    });
    vec![
        case(
            usual(),
            unsigned,
            (Code::Unauthenticated, "missing_signature"),
        ),
        case(
            usual(),
            |addr| {
                edited(sign_layer(billing()), addr, |request| {
                    let value = HeaderValue::from_static("HMAC-SHA256 junk");
                    request.headers_mut().insert("authorization", value);
                })
            },
            (Code::InvalidArgument, "malformed"),
        ),
        case(
            usual(),
            |addr| {
                let layer = SignLayer::new(for_authority("elsewhere")).with_clock(|| NOW);
                let elsewhere = Uri::from_static("http://elsewhere");
                let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
                let service = ServiceBuilder::new()
                    .layer(layer.with_origin(&elsewhere).unwrap())
                    .map_request(|request: Request<SignedBody<_>>| request.map(TonicBody::new))
                    .service(endpoint.origin(elsewhere).connect_lazy());
                Grpc::new(BoxCloneSyncService::new(service))
            },
            (Code::Unauthenticated, "misdirected"),
        ),
        case(
            usual(),
            |addr| signing(sign_layer(billing().insecure_three_headers()), addr),
            (Code::Unauthenticated, "insufficient_coverage"),
        ),
        case(
            usual(),
            |addr| {
                let late = || NOW.saturating_add(Duration::from_secs(1000));
                signing(sign_layer(billing()).with_clock(late), addr)
            },
            (Code::Unauthenticated, "expired"),
        ),
        case(
            usual(),
            |addr| {
                let other = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
                signing(sign_layer(other), addr)
            },
            (Code::Unauthenticated, "invalid_signature"),
        ),
        case(
            router(tally)
                .layer(verify_layer().with_body_limits(BodyLimits::default().with_max_bytes(5))),
            good,
            (Code::ResourceExhausted, "too_large"),
        ),
        case(
            router(tally).layer(verify_layer().with_body_limits(slow)),
            |addr| {
                edited(sign_layer(billing()), addr, |request| {
                    let endless = StreamBody::new(stream::pending::<Result<_, Infallible>>());
                    *request.body_mut() = TonicBody::new(endless);
                })
            },
            (Code::Unavailable, "timeout"),
        ),
        case(
            usual(),
            |addr| {
                edited(sign_layer(billing()), addr, |request| {
                    *request.body_mut() = TonicBody::new(Full::new(Bytes::from("\0\0\0\0\x01b")));
                })
            },
            (Code::Unauthenticated, "body_mismatch"),
        ),
        Case {
            calls: 2,
            ..case(
                usual(),
                |addr| {
                    let first = Arc::new(Mutex::new(None));
                    edited(sign_layer(billing()), addr, move |request| {
                        let mut first = first.lock().unwrap();
                        let headers = first.get_or_insert_with(|| request.headers().clone());
                        *request.headers_mut() = headers.clone();
                    })
                },
                (Code::Unauthenticated, "replayed"),
            )
        },
        Case {
            calls: 2,
            ..case(
                router(tally).layer(over_quota),
                good,
                (Code::ResourceExhausted, "over_quota"),
            )
        },
        case(
            router(tally).layer(down),
            good,
            (Code::Unavailable, "unavailable"),
        ),
        case(
            usual().layer(rewritten),
            good,
            (Code::Internal, "misconfigured"),
        ),
        case(
            router(tally)
                .layer(AuthorizeLayer::new(nobody.unwrap()).with_clock(|| NOW))
                .layer(verify_layer()),
            good,
            (Code::PermissionDenied, "forbidden"),
        ),
        case(
            router(tally)
                .layer(AllowCallers::new(["audit"]))
                .layer(verify_layer()),
            good,
            (Code::PermissionDenied, "forbidden"),
        ),
    ]
}

#[tokio::test]
async fn a_tonic_client_reads_refusals_as_status_and_code() {
    let tally = Tally::default();
    let mut told = BTreeSet::new();
    for case in cases(&tally) {
        let (code, message) = case.expected;
        tally.calls.store(0, Ordering::SeqCst);
        let server = Server::axum(case.app).await;
        let mut client = (case.client)(server.addr());
        for _ in 1..case.calls {
            assert_eq!(
                unary(&mut client).await.unwrap(),
                "hello billing",
                "{message}"
            );
        }
        let refused = unary(&mut client).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (code, message),
            "{refused}"
        );
        assert_eq!(
            tally.calls.load(Ordering::SeqCst),
            case.calls - 1,
            "{message}"
        );
        told.insert(message);
    }
    for kind in RejectionKind::ALL {
        assert!(
            told.contains(kind.code()),
            "no case is refused for {kind:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_of_a_grpc_call_is_a_response_of_trailers_only() {
    let server = Server::axum(router(&Tally::default()).layer(verify_layer())).await;
    for (content_type, is_grpc) in [
        (Some("application/grpc"), true),
        (Some("application/grpc+proto"), true),
        (Some("application/grpc-web"), false),
        (Some("application/json"), false),
        (None, false),
    ] {
        for http2 in [false, true] {
            let mut request = signed::post(ONE.as_str(), "").map(Full::new);
            if let Some(content_type) = content_type {
                let value = HeaderValue::from_static(content_type);
                request.headers_mut().insert("content-type", value);
            }
            let client = if http2 {
                client::http2(server.addr())
            } else {
                client::http1(server.addr())
            };
            let response = client.request(request).await.unwrap();
            let name = format!("{content_type:?}, HTTP/2: {http2}");
            let headers = response.headers();
            let status = headers.get("grpc-status");
            assert_eq!(status.is_some(), is_grpc, "{name}");
            assert_eq!(headers.contains_key("www-authenticate"), !is_grpc, "{name}");
            if is_grpc {
                assert_eq!(response.status(), StatusCode::OK, "{name}");
                assert_eq!(headers["content-type"], "application/grpc", "{name}");
                assert_eq!(headers["grpc-status"], "16", "{name}");
                assert_eq!(headers["grpc-message"], "missing_signature", "{name}");
                assert_eq!(headers["cache-control"], "no-store", "{name}");
                // The response has only a head.
                assert!(!http2 || response.body().is_end_stream(), "{name}");
            } else {
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{name}");
            }
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body.is_empty(), is_grpc, "{name}");
        }
    }
}

#[tokio::test]
async fn the_reason_of_a_refused_call_is_in_the_extensions_of_the_response() {
    let call = || {
        let mut request = signed::post(ONE.as_str(), "");
        let value = HeaderValue::from_static("application/grpc");
        request.headers_mut().insert("content-type", value);
        request
    };
    let request = call().map(Body::from);
    let handler = service_fn(async |_: Request<RequestBody>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let response = verify_layer().layer(handler).oneshot(request).await;
    let response = response.unwrap();
    assert_eq!(response.headers()["grpc-status"], "16");
    let refusal: &Refusal = response.extensions().get().unwrap();
    let kind = refusal.rejection().map(Rejection::kind);
    assert_eq!(kind, Some(RejectionKind::MissingSignature));
    assert_eq!(refusal.grpc_status(), 16);

    let request = call().map(Body::from);
    let handler =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let allow = AllowCallers::new(["audit"]).layer(handler);
    let response = allow.oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "7");
    let forbidden: &Forbidden = response.extensions().get().unwrap();
    assert_eq!(forbidden.reason(), &ForbiddenReason::NoVerifiedCaller);
    assert_eq!(forbidden.grpc_status(), 7);
}
