//! What the layer refuses never reaches the upstream.

use crate::support::{
    proxy::{HOST, Proxy},
    raw::{exchange, status},
    signed::{for_host, get, post, with_another_key},
    upstream::Upstream,
};

#[tokio::test]
async fn a_refused_request_does_not_reach_the_upstream() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let unsigned = get("/").without("authorization");
    for (name, request, expected, code) in [
        ("unsigned", unsigned, 401, "missing_signature"),
        (
            "another key",
            with_another_key("/", b"x"),
            401,
            "invalid_signature",
        ),
        (
            "another path",
            get("/a").with_target("/b"),
            401,
            "invalid_signature",
        ),
        (
            "another query",
            get("/a").with_target("/a?b"),
            401,
            "invalid_signature",
        ),
        (
            "dots",
            get("/a").with_target("/b/../a"),
            401,
            "invalid_signature",
        ),
        (
            "another method",
            get("/a").with_method("DELETE"),
            401,
            "invalid_signature",
        ),
        (
            "another body",
            post("/", b"abc").with_body(b"abd"),
            401,
            "body_mismatch",
        ),
        ("old", for_host("/", HOST, 600), 401, "expired"),
        (
            "another host",
            for_host("/", "elsewhere", 0),
            421,
            "misdirected",
        ),
        (
            "a second date",
            get("/").with("x-date", "now"),
            401,
            "malformed",
        ),
        (
            "a second host",
            get("/").with("host", "elsewhere"),
            401,
            "malformed",
        ),
    ] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
        assert!(
            answer.contains(&format!("{{\"error\":\"{code}\"}}")),
            "{name}: {answer}"
        );
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_replayed_request_reaches_the_upstream_once() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = post("/pay", b"100").closing();
    assert_eq!(status(&exchange(proxy.addr(), &request).await), 200);
    let answer = exchange(proxy.addr(), &request).await;
    assert!(answer.contains("replayed"), "{answer}");
    assert_eq!(upstream.one().body, b"100");
}

#[tokio::test]
async fn a_caller_that_the_policy_does_not_allow_is_refused() {
    let upstream = Upstream::careless().await;
    let directory = crate::support::directory::Directory::new();
    directory.write("keys.toml", &crate::support::signed::keys_toml());
    directory.write(
        "policy.toml",
        "[[statements]]\nid = \"reads\"\neffect = \"allow\"\ncallers = [\"billing\"]\n\
         methods = [\"GET\"]\npaths = [\"/a\"]\n",
    );
    let text = format!(
        "{}[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\nexpected_hosts = [\"{HOST}\"]\n\
         policy = \"policy.toml\"\n",
        crate::support::proxy::KEYS,
        upstream.url(),
    );
    let proxy = Proxy::within(directory, &text).await;
    for (request, expected) in [(get("/a"), 200), (get("/b"), 403), (post("/a", b"x"), 403)] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(
            status(&answer),
            expected,
            "{} {}",
            request.method,
            request.target
        );
    }
    assert_eq!(upstream.one().request_line(), "GET /a HTTP/1.1");
}
