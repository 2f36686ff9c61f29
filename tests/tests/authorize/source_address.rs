//! The source address over sockets: the peer's address, and the addresses added by trusted proxies.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use tests::{
    keys::NOW,
    raw,
    signed::{self, billing},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tower_countersign::AuthorizeLayer;

use crate::{
    ALLOW_ALL,
    layers::{verify, whoami},
    policy,
};

const FROM: &str = "when = { source_cidr = [\"127.0.0.0/8\", \"203.0.113.0/24\"] }";

struct Served(SocketAddr, JoinHandle<()>);

impl Drop for Served {
    fn drop(&mut self) {
        self.1.abort();
    }
}

fn app(authorize: AuthorizeLayer) -> Router {
    Router::new()
        .route("/x", get(whoami))
        .layer(authorize)
        .layer(verify())
}

fn allow(condition: &str) -> AuthorizeLayer {
    AuthorizeLayer::new(policy(&format!("{ALLOW_ALL}{condition}")))
}

async fn with_connect_info(app: Router) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Served(
        addr,
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }),
    )
}

async fn without_connect_info(app: Router) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    Served(
        addr,
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }),
    )
}

async fn status(served: &Served, forwarded: &[&str]) -> u16 {
    let mut request = signed::at(NOW, &billing(), signed::get("/x"));
    for line in forwarded {
        // Added after signing, as proxies do.
        let line = http::HeaderValue::from_str(line).unwrap();
        request.headers_mut().append("x-forwarded-for", line);
    }
    raw::status(&raw::exchange(served.0, &signed::bytes(&request)).await)
}

#[tokio::test]
async fn the_peers_address_is_a_condition() {
    let inside = with_connect_info(app(allow(FROM))).await;
    assert_eq!(status(&inside, &[]).await, 200);
    assert_eq!(
        status(&inside, &["198.51.100.1"]).await,
        200,
        "the header is not read"
    );
    let outside =
        with_connect_info(app(allow("when = { source_cidr = [\"203.0.113.0/24\"] }"))).await;
    assert_eq!(status(&outside, &[]).await, 403);
    assert_eq!(
        status(&outside, &["203.0.113.7"]).await,
        403,
        "the header is not read"
    );
}

#[tokio::test]
async fn a_peer_that_is_not_known_is_let_in_by_no_condition() {
    let unknown = without_connect_info(app(allow(FROM))).await;
    assert_eq!(status(&unknown, &[]).await, 403);
    let deny = format!(
        "{ALLOW_ALL}\n[[statements]]\nid = \"deny\"\neffect = \"deny\"\ncallers = [\"*\"]\nmethods = [\"*\"]\npaths = [\"/**\"]\nwhen = {{ source_cidr = [\"198.51.100.0/24\"] }}"
    );
    let denied = without_connect_info(app(AuthorizeLayer::new(policy(&deny)))).await;
    assert_eq!(status(&denied, &[]).await, 403);
    let known = with_connect_info(app(AuthorizeLayer::new(policy(&deny)))).await;
    assert_eq!(status(&known, &[]).await, 200);
    let told = allow(FROM).with_peer_address(|_| Some(([127, 0, 0, 1], 7).into()));
    let told = without_connect_info(app(told)).await;
    assert_eq!(status(&told, &[]).await, 200);
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_as_many_hops_as_are_trusted() {
    let condition = "when = { source_cidr = [\"203.0.113.0/24\"] }";
    for (name, hops, lines, expected) in [
        ("the last entry", 1, &["203.0.113.7"][..], 200),
        ("another address", 1, &["198.51.100.7"], 403),
        (
            "a client's lie before it",
            1,
            &["203.0.113.7, 198.51.100.7"],
            403,
        ),
        (
            "a client's lie in a separate line",
            1,
            &["203.0.113.7", "198.51.100.7"],
            403,
        ),
        ("no header", 1, &[], 403),
        ("two hops", 2, &["198.51.100.7, 203.0.113.7, 10.0.0.1"], 200),
        (
            "two hops over two lines",
            2,
            &["203.0.113.7", "10.0.0.1"],
            200,
        ),
        ("two hops, one entry", 2, &["203.0.113.7"], 403),
        ("unreadable", 1, &["203.0.113.7, unknown"], 403),
        (
            "an IPv4 address in an IPv6 one",
            1,
            &["::ffff:203.0.113.7"],
            200,
        ),
    ] {
        let served = with_connect_info(app(allow(condition).with_trusted_hops(hops))).await;
        assert_eq!(status(&served, lines).await, expected, "{name}");
    }
}
