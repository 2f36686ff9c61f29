//! Limits on heads, connections and bodies.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{
    proxy::{HOST, KEYS, Proxy},
    raw::{exchange, status, until_closed},
    signed::{get, post},
    upstream::Upstream,
};

async fn limited(upstream: &Upstream, limits: &str) -> Proxy {
    Proxy::of(&format!(
        "{KEYS}limits = {{ {limits} }}\n[[verify]]\nlisten = \"127.0.0.1:0\"\n\
         upstream = \"{}\"\nexpected_hosts = [\"{HOST}\"]\nallow_every_caller = true\n",
        upstream.url()
    ))
    .await
}

#[tokio::test]
async fn a_head_over_its_limits_is_refused() {
    let upstream = Upstream::careless().await;
    let proxy = limited(&upstream, "head = { bytes = \"16 KiB\", count = 20 }").await;
    let long = get("/").with("x-long", &"a".repeat(17 * 1024));
    assert_eq!(status(&exchange(proxy.addr(), &long.closing()).await), 431);
    let mut many = get("/");
    for number in 0..20 {
        many = many.with(&format!("x-{number}"), "1");
    }
    assert_eq!(status(&exchange(proxy.addr(), &many.closing()).await), 431);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_slow_head_and_a_silent_connection_are_closed() {
    let upstream = Upstream::careless().await;
    let proxy = limited(&upstream, "head = { timeout = \"300ms\" }").await;
    for start in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\n"] {
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        until_closed(&mut stream).await;
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let upstream = Upstream::careless().await;
    let limits = "connections = { total = 4, per_address = 2 }";
    let proxy = limited(&upstream, limits).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        stream.write_all(b"GET /").await.unwrap();
        open.push(stream);
    }
    // A third connection is closed unread.
    let mut third = TcpStream::connect(proxy.addr()).await.unwrap();
    let _: Result<(), _> = third.write_all(&get("/").closing()).await;
    assert_eq!(until_closed(&mut third).await, "");
    drop(open);
    // The two are counted until the proxy has seen that they are closed.
    let mut answer = String::new();
    for _ in 0..200 {
        answer = exchange(proxy.addr(), &get("/").closing()).await;
        if status(&answer) == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(status(&answer), 200, "{answer}");
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused() {
    let upstream = Upstream::careless().await;
    let proxy = limited(&upstream, "body = { bytes = \"1 KiB\" }").await;
    let answer = exchange(proxy.addr(), &post("/", &[b'a'; 1025]).closing()).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert_eq!(upstream.connections(), 0);
    let answer = exchange(proxy.addr(), &post("/", &[b'a'; 1024]).closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
}

/// Row 43: the data listener has no other routes.
#[tokio::test]
async fn the_paths_of_the_admin_listener_are_ordinary_here() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    for target in ["/metrics", "/healthz", "/readyz"] {
        let unsigned = get(target).without("authorization");
        assert_eq!(
            status(&exchange(proxy.addr(), &unsigned.closing()).await),
            401
        );
        assert_eq!(
            status(&exchange(proxy.addr(), &get(target).closing()).await),
            200
        );
    }
    assert_eq!(upstream.seen().len(), 3);
}
