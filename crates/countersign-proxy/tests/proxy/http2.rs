//! HTTP/2 in, HTTP/1.1 out.

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};

use crate::support::{
    proxy::{HOST, Proxy},
    signed::{Signed, get, post},
    upstream::Upstream,
};

/// Sends a request over HTTP/2 with prior knowledge, whatever its authority is.
async fn send(proxy: &Proxy, request: Request<Full<Bytes>>) -> (StatusCode, String) {
    let addr = proxy.addr();
    let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let executor = TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

fn h2(request: &Signed) -> Request<Full<Bytes>> {
    let mut built = Request::builder()
        .method(&*request.method)
        .uri(format!("http://{HOST}{}", request.target))
        .version(Version::HTTP_2);
    for (name, value) in &request.headers {
        if name != "host" {
            built = built.header(name, value);
        }
    }
    built.body(Full::from(request.body.clone())).unwrap()
}

#[tokio::test]
async fn host_is_the_signed_authority_and_cookies_are_joined() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = post("/a//b", b"body")
        .with("cookie", "a=1")
        .with("cookie", "b=2");
    let (status, body) = send(&proxy, h2(&request)).await;
    assert_eq!((status, &*body), (StatusCode::OK, "ok"));
    let seen = upstream.one();
    assert_eq!(seen.request_line(), "POST /a//b HTTP/1.1");
    assert_eq!(seen.values("host"), [HOST]);
    assert_eq!(seen.values("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.values("countersign-caller"), ["billing"]);
    assert_eq!(seen.body, b"body");
}

#[tokio::test]
async fn a_host_beside_another_authority_is_refused() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let mut request = h2(&get("/"));
    request
        .headers_mut()
        .insert("host", "elsewhere".parse().unwrap());
    let (status, _) = send(&proxy, request).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn look_alikes_are_removed_from_http2_as_well() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = get("/")
        .with("countersign_caller", "evil")
        .with("x.countersign.caller", "evil");
    let (status, _) = send(&proxy, h2(&request)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!upstream.one().head.contains("evil"));
}

#[tokio::test]
async fn many_streams_of_one_connection_are_answered() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let url = format!("http://{}/", proxy.addr());
    let mut answers = Vec::new();
    for _ in 0..100 {
        let unsigned = Request::get(&url).body(Full::default()).unwrap();
        let client = client.clone();
        answers.push(tokio::spawn(async move {
            client.request(unsigned).await.unwrap().status()
        }));
    }
    for answer in answers {
        // The authority is that of the listener, which no caller signs for.
        assert!(answer.await.unwrap().is_client_error());
    }
    assert_eq!(upstream.connections(), 0);
}
