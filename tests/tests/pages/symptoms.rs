//! What a newcomer sees when something is wrong: each text by the name that the page of symptoms links to.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io::{self, Write},
    sync::{Arc, Mutex, Once},
};

use axum::{Router, body::Body, extract::OriginalUri, routing::post};
use bytes::Bytes;
use countersign::{Keyring, Policy, Scheme, Signer, TargetSigners, Verifier};
use http::{HeaderName, HeaderValue, Request, Response, header::AUTHORIZATION};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tests::{
    keys::{NOW, OTHER_SECRET, SECRET, django, hmac_key, keyring, signer},
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{
    AllowCallers, AuthorizeLayer, BodyLimits, BoxError, Forbidden, Refusal, SignLayer,
    VerifiedCaller, VerifyLayer,
};
use tracing_subscriber::fmt::MakeWriter;

/// The texts by their names.
pub(crate) type Texts = BTreeMap<&'static str, String>;

pub(crate) fn all() -> Texts {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let mut found = Texts::new();
    runtime.unwrap().block_on(async {
        refusals(&mut found).await;
        proxies(&mut found).await;
        errors_of_the_client(&mut found).await;
        answers_without_a_code(&mut found).await;
        events_at_the_start(&mut found).await;
    });
    errors_at_the_start(&mut found);
    found
}

fn verify() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

fn good(path: &str) -> Request<Body> {
    signed::at(NOW, &billing(), signed::post(path, "body")).map(Body::from)
}

/// Answers each request of a router.
async fn answer(app: Router, request: Request<Body>) -> Response<Body> {
    app.oneshot(request).await.unwrap()
}

async fn refusals(found: &mut Texts) {
    let handler = || Router::new().fallback(post(async || "handled"));

    let mut rewritten = good("/account/7");
    let original = OriginalUri(format!("http://{AUTHORITY}/account/8").parse().unwrap());
    rewritten.extensions_mut().insert(original);
    let response = answer(handler().layer(verify()), rewritten).await;
    assert_eq!(response.status(), 500);
    let refusal: &Refusal = response.extensions().get().unwrap();
    found.insert("a rewritten URI", refusal.to_string());

    let policy = "[[statements]]\nid = \"all\"\neffect = \"allow\"\ncallers = [\"*\"]\nmethods = [\"POST\"]\npaths = [\"/**\"]\n";
    let policy = AuthorizeLayer::new(Policy::from_toml(policy).unwrap());
    for (name, app, path) in [
        (
            "a caller that is not listed",
            handler().layer(AllowCallers::new(["audit"])),
            "/",
        ),
        ("a path in another form", handler().layer(policy), "//a"),
    ] {
        let response = answer(app.layer(verify()), good(path)).await;
        assert_eq!(response.status(), 403, "{name}");
        let forbidden: &Forbidden = response.extensions().get().unwrap();
        found.insert(name, forbidden.reason().to_string());
    }
}

/// The codes of requests that a proxy has changed, or sent again.
async fn proxies(found: &mut Texts) {
    let covering = billing().covering(HeaderName::from_static("accept-encoding"));
    let covering = covering.unwrap();
    let handler = Router::new().fallback(post(async || "handled"));
    let app = handler.layer(verify().with_expected_hosts([AUTHORITY]).unwrap());
    let signed = || {
        let mut request = signed::post("/api/./account/7?b=1&a=2", "{ }");
        let headers = request.headers_mut();
        headers.insert("content-encoding", HeaderValue::from_static("gzip"));
        headers.insert("accept-encoding", HeaderValue::from_static("br"));
        signed::at(NOW, &covering, request).map(Body::from)
    };
    let code = async |request: Request<Body>| {
        let response = answer(app.clone(), request).await;
        let refusal = response.extensions().get().map(Refusal::code);
        refusal.unwrap_or("accepted").to_owned()
    };
    assert_eq!(code(signed()).await, "accepted");

    let target = |target: &str| format!("http://{AUTHORITY}{target}").parse().unwrap();
    let change = |change: &dyn Fn(&mut Request<Body>)| {
        let mut request = signed();
        change(&mut request);
        request
    };
    for (name, request) in [
        (
            "a proxy that sends its own host",
            change(&|request| *request.uri_mut() = "http://10.0.0.7:9000/".parse().unwrap()),
        ),
        (
            "a proxy that strips a prefix",
            change(&|request| *request.uri_mut() = target("/./account/7?b=1&a=2")),
        ),
        (
            "a proxy that normalises the path",
            change(&|request| *request.uri_mut() = target("/api/account/7?b=1&a=2")),
        ),
        (
            "a proxy that sorts the query",
            change(&|request| *request.uri_mut() = target("/api/./account/7?a=2&b=1")),
        ),
        (
            "a proxy that removes authorization",
            change(&|request| {
                request.headers_mut().remove(AUTHORIZATION);
            }),
        ),
        (
            "a proxy that adds authorization",
            change(&|request| {
                let basic = HeaderValue::from_static("Basic YTpi");
                request.headers_mut().append(AUTHORIZATION, basic);
            }),
        ),
        (
            "a proxy that rewrites a signed header",
            change(&|request| {
                let gzip = HeaderValue::from_static("gzip");
                request.headers_mut().insert("accept-encoding", gzip);
            }),
        ),
        (
            "a proxy that decompresses the body",
            change(&|request| {
                request.headers_mut().remove("content-encoding");
            }),
        ),
        (
            "a proxy that changes the body",
            change(&|request| *request.body_mut() = Body::from("{}")),
        ),
    ] {
        found.insert(name, code(request).await);
    }

    let (parts, _) = signed().into_parts();
    let copy = || Request::from_parts(parts.clone(), Body::from("{ }"));
    assert_eq!(code(copy()).await, "accepted");
    found.insert("a proxy that retries", code(copy()).await);
}

/// Returns the error of a client that sends nothing.
async fn not_sent(sign: SignLayer, request: Request<Body>) -> String {
    let client = service_fn(async |_: Request<_>| -> Result<Response<()>, Infallible> {
        panic!("the request is sent")
    });
    let error: BoxError = sign.layer(client).oneshot(request).await.unwrap_err();
    error.to_string()
}

async fn errors_of_the_client(found: &mut Texts) {
    let sign = || SignLayer::new(billing()).with_clock(|| NOW);
    let usual = || signed::post("/", "body").map(Body::from);
    let to = |url: &str| Request::post(url).body(Body::empty()).unwrap();
    let elsewhere = to("http://elsewhere/");
    let error = not_sent(sign(), elsewhere).await;
    found.insert("a URL of another host", error);

    let targets = TargetSigners::builder().target("users", billing());
    let targets = SignLayer::new(targets.build().unwrap());
    let error = not_sent(targets, to("http://elsewhere/")).await;
    found.insert("a URL of no target", error);

    let mut authorized = usual();
    let token = HeaderValue::from_static("Bearer token");
    authorized.headers_mut().insert(AUTHORIZATION, token);
    let error = not_sent(sign(), authorized).await;
    found.insert("a request with authorization", error);

    let covering = billing().covering(HeaderName::from_static("x-tenant"));
    let covering = SignLayer::new(covering.unwrap());
    let error = not_sent(covering, usual()).await;
    found.insert("a covered header that the request lacks", error);

    let error = not_sent(sign().with_buffer_bytes(3), usual()).await;
    found.insert("a body over the limit", error);

    let endless = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let endless = usual().map(|_| Body::new(StreamBody::new(endless)));
    let error = not_sent(sign(), endless).await;
    found.insert("a body that stalls", error);
}

async fn answers_without_a_code(found: &mut Texts) {
    let capture = Capture::start();
    let handler = post(async |caller: VerifiedCaller| caller.id().to_string());
    let response = answer(Router::new().route("/", handler), good("/")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(body_of(response).await, "");
    found.insert("a handler without a layer", capture.take());

    let limits = BodyLimits::default().with_max_bytes(8 << 20);
    let app = Router::new()
        .route("/", post(async |body: Bytes| body.len().to_string()))
        .layer(verify().with_body_limits(limits));
    let large = signed::post("/", vec![b'x'; 3 << 20]);
    let large = signed::at(NOW, &billing(), large).map(Body::from);
    let response = answer(app, large).await;
    assert_eq!(response.status(), 413);
    found.insert("a body over axum's own limit", body_of(response).await);
}

async fn body_of(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

async fn events_at_the_start(found: &mut Texts) {
    let capture = Capture::start();
    let routes = || Router::new().route("/drf", post(async || "handled"));
    let of = |text: &str, start: &str| {
        let line = text
            .lines()
            .find_map(|line| Some(&line[line.find(start)?..]));
        line.unwrap_or_else(|| panic!("no {start:?} in {text}"))
            .to_owned()
    };

    let _: Router = routes().layer(verify());
    let text = capture.take();
    found.insert("no expected hosts", of(&text, "no expected hosts"));
    found.insert("an empty store", of(&text, "the replay store"));

    let _: Router = routes().layer(verify().insecure_report_only());
    found.insert("a layer that reports", of(&capture.take(), "report only"));

    let (key, settings) = django();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
    let layer = VerifyLayer::new(keyring("django", &key)).with_verifier(verifier);
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let (mut parts, body) = signed::post("/drf", "body").into_parts();
    let signature = signer.sign(&parts, &body[..], NOW).unwrap();
    signature.apply(&mut parts);
    let request = Request::from_parts(parts, Body::from(body));
    let response = answer(routes().layer(layer.with_clock(|| NOW)), request).await;
    assert_eq!(response.status(), 200);
    found.insert("no address of the peer", of(&capture.take(), "no address"));
}

fn errors_at_the_start(found: &mut Texts) {
    let callers = |json: &str| {
        let error = Keyring::from_service_secrets(json, None).unwrap_err();
        error.to_string()
    };
    let of_billing = |key: &str| callers(&format!("{{\"billing\":\"{key}\"}}"));
    let good = format!("{{\"billing\":\"{SECRET}\"}}");
    found.insert("quotes around the value", callers(&format!("'{good}'")));
    found.insert("a placeholder", of_billing("<64 hexadecimal digits>"));
    found.insert("an unexpanded variable", of_billing("$KEY"));
    found.insert("a line end", of_billing(&format!("{SECRET}\\n")));
    found.insert("a short key", of_billing(&SECRET[..62]));
    let shared = format!("{{\"billing\":\"{SECRET}\",\"audit\":\"{SECRET}\"}}");
    found.insert("one key of two callers", callers(&shared));

    let calling = Signer::from_service_secrets("billing", &good, "user-service", AUTHORITY);
    found.insert("no such target", calling.unwrap_err().to_string());

    let verifier = Verifier::builder().accept(Scheme::Ed25519).build();
    let error = verifier.unwrap_err().to_string();
    found.insert("a scheme that needs expected hosts", error);

    let keys = keyring("billing", &hmac_key(SECRET));
    let same = signer("user-service", hmac_key(SECRET), "audit");
    let error = keys.ensure_distinct_from(&[&same]).unwrap_err();
    found.insert("one secret in both directions", error.to_string());
    let other = signer("user-service", hmac_key(OTHER_SECRET), "audit");
    assert!(keys.ensure_distinct_from(&[&other]).is_ok());
}

/// Everything of this thread that is written to a log, as lines of text.
pub(crate) struct Capture {
    lines: Lines,
    _guard: tracing::subscriber::DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Capture {
    pub(crate) fn start() -> Self {
        // A thread without a subscriber would have callsites switched off for every thread that meets them first.
        static EVERY_THREAD: Once = Once::new();
        EVERY_THREAD.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt().with_writer(lines.clone());
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber.finish()),
        }
    }

    pub(crate) fn take(&self) -> String {
        let lines = std::mem::take(&mut *self.lines.0.lock().unwrap());
        String::from_utf8(lines).unwrap()
    }
}
