//! `authz` behind a real HAProxy, with the files in `deploy/`. `$COUNTERSIGN_HAPROXY` names the
//! program. By default it is looked for in the path.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures::stream;
use http::{Request, Version};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::{
    gateways::{SECRET, Stopped, authz, chunked, free_port, listening, program, start},
    support::{
        directory::Directory,
        proxy::{HOST, Proxy},
        raw::{exchange, status, values},
        signed::{Signed, for_host, get, post, with_another_key},
        upstream::Upstream,
    },
};

const CONFIG: &str = include_str!("../../deploy/haproxy.cfg");
const ACTION: &str = include_str!("../../deploy/haproxy.lua");

/// HAProxy, an upstream and the decision server.
struct Setting {
    addr: SocketAddr,
    upstream: Upstream,
    authz: Option<Proxy>,
    _gateway: Stopped,
    _directory: Directory,
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

impl Setting {
    /// The shipped files with other addresses and another secret.
    async fn start(secret: &str) -> Self {
        let authz = authz("line", "none").await;
        let upstream = Upstream::careless().await;
        let (addr, directory) = (free_port(), Directory::new());
        let config = replaced(CONFIG, "0.0.0.0:8080", &addr.to_string());
        let up = upstream.addr.unwrap().to_string();
        let config = replaced(&config, "127.0.0.1:8000", &up);
        let line = format!("Request \"{secret} ");
        let config = replaced(&config, "Request \"SECRET ", &line);
        let action = replaced(ACTION, "127.0.0.1:9191", &authz.addr().to_string());
        directory.write("haproxy.cfg", &config);
        directory.write("haproxy.lua", &action);
        let mut command = program("COUNTERSIGN_HAPROXY", "haproxy");
        command.args(["-db", "-f", "haproxy.cfg"]);
        command.current_dir(directory.path());
        let gateway = start(command, &directory);
        listening(addr).await;
        Self {
            addr,
            upstream,
            authz: Some(authz),
            _gateway: gateway,
            _directory: directory,
        }
    }

    async fn ask(&self, request: &Signed) -> String {
        exchange(self.addr, &request.closing()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs haproxy"]
async fn haproxy_describes_what_it_forwards() {
    let setting = Setting::start(SECRET).await;
    let forged = format!("{SECRET} GET {HOST} /a");
    let absolute = get("/a").with_target(&format!("http://{HOST}/a"));
    let mut allowed = 0;
    for (name, request, expected) in [
        ("get", get("/a?b=c"), 200),
        ("an escaped slash", get("/a%2Fb"), 200),
        (
            "a forged line",
            get("/a").with("countersign-request", &forged),
            200,
        ),
        (
            "a forged line for another path",
            get("/a")
                .with_target("/b")
                .with("countersign-request", &forged),
            401,
        ),
        (
            "a forged identity",
            get("/a").with("countersign-caller", "evil"),
            403,
        ),
        ("unsigned", get("/a").without("authorization"), 401),
        ("another key", with_another_key("/a", b""), 401),
        ("another method", get("/a").with_method("DELETE"), 401),
        ("another path", get("/a").with_target("/b"), 401),
        ("another host", for_host("/a", "elsewhere", 0), 403),
        ("an absolute target", absolute, 400),
        ("a fragment", get("/a").with_target("/a#b"), 400),
        ("a second date", get("/a").with("x-date", "now"), 401),
        (
            "a look-alike",
            get("/a").with("x-countersign_caller", "evil"),
            403,
        ),
        (
            "an override",
            get("/a").with("x-http-method-override", "DELETE"),
            403,
        ),
        ("an upgrade", get("/a").with("upgrade", "websocket"), 403),
    ] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
        allowed += usize::from(expected == 200);
    }
    assert_eq!(setting.upstream.seen().len(), allowed);
    for seen in setting.upstream.seen() {
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
        assert_eq!(seen.values("countersign-proof").len(), 1);
        assert!(seen.values("countersign-request").is_empty());
        assert!(seen.values("authorization").is_empty());
        assert!(!seen.head.contains("evil"), "{}", seen.head);
    }
    let refused = setting.ask(&get("/a").without("authorization")).await;
    assert_eq!(values(&refused, "www-authenticate").len(), 1, "{refused}");
    assert!(
        refused.ends_with("{\"error\":\"missing_signature\"}"),
        "{refused}"
    );
}

/// The decision server sees no body here.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs haproxy"]
async fn haproxy_hands_no_body_to_the_upstream() {
    let setting = Setting::start(SECRET).await;
    for (name, request) in [
        ("signed", post("/a", b"body")),
        (
            "behind a signature over none",
            get("/a").with("content-length", "4").with_body(b"body"),
        ),
        ("in a chunk", chunked(get("/a"), "body")),
    ] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), 403, "{name}: {answer}");
    }
    // HTTP/2 frames a body without a header.
    for pause in [
        Duration::ZERO,
        Duration::from_secs(1),
        Duration::from_secs(4),
    ] {
        let answer = over_http2(setting.addr, &get("/a"), pause).await;
        assert_ne!(answer, Some(200), "{pause:?}");
    }
    assert_eq!(setting.upstream.connections(), 0);
}

/// Sends a signed head, and after a pause a body. Returns the status, or `None` if the stream is
/// reset.
async fn over_http2(addr: SocketAddr, request: &Signed, pause: Duration) -> Option<u16> {
    let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let executor = TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let body = stream::once(Box::pin(async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"body")))
    }));
    let mut built = Request::builder()
        .method(&*request.method)
        .uri(format!("http://{HOST}{}", request.target))
        .version(Version::HTTP_2);
    for (name, value) in &request.headers {
        if name != "host" {
            built = built.header(name, value);
        }
    }
    let request = built.body(StreamBody::new(body)).unwrap();
    let answer = sender.send_request(request).await.ok()?;
    Some(answer.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs haproxy"]
async fn haproxy_without_a_yes_lets_nobody_in() {
    let mut setting = Setting::start(SECRET).await;
    setting.authz = None;
    let forged = get("/a").with("countersign-caller", "evil");
    let answer = setting.ask(&forged).await;
    assert_eq!(status(&answer), 503, "{answer}");
    assert_eq!(setting.upstream.connections(), 0);
    // Without the secret, nothing is decided.
    let setting = Setting::start("0123456789abcdef-another").await;
    assert_eq!(status(&setting.ask(&get("/a")).await), 403);
    assert_eq!(setting.upstream.connections(), 0);
}
