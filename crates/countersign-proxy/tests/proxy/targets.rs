//! The target that arrives is the target that was signed.

use crate::support::{
    proxy::{HOST, Proxy},
    raw::{exchange, status},
    signed::{by, for_host, get, signer},
    upstream::Upstream,
};

#[tokio::test]
async fn a_signed_target_arrives_byte_by_byte() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let targets = [
        "/",
        "//",
        "//a//b",
        "/a/",
        "/%2F",
        "/%2f",
        "/%2e%2e/a",
        "/a/../b",
        "/;a=1;b",
        "/a%00",
        "/?",
        "/a?&&",
        "/a?+",
        "/a?b=%20&c",
        "/a?b?c=/d",
        "/%C3%A4",
        "/a+b",
        "/~!$&'()*+,=:@",
    ];
    for target in targets {
        let answer = exchange(proxy.addr(), &get(target).closing()).await;
        assert_eq!(status(&answer), 200, "{target}: {answer}");
    }
    let seen: Vec<_> = upstream.seen();
    assert_eq!(seen.len(), targets.len());
    for (seen, target) in seen.iter().zip(targets) {
        assert_eq!(seen.request_line(), format!("GET {target} HTTP/1.1"));
    }
}

/// Source: CVE-2021-32779.
#[tokio::test]
async fn a_target_with_characters_that_must_be_escaped_is_refused() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    for target in [
        "/a\\b",
        "/a b",
        "/b\u{fc}cher",
        "/a\"b",
        "/a<b",
        "/a>b",
        "/a^b",
        "/a`b",
        "/a{b}",
        "/a|b",
        "/%",
        "/%g0",
        "/a?b=\\",
        "/a?b=\u{fc}",
        "a",
        "?a",
    ] {
        let answer = exchange(proxy.addr(), &get("/").with_target(target).closing()).await;
        assert_eq!(status(&answer), 400, "{target}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
}

/// hyper drops a fragment, and nobody after it can know. So the request is the one without it.
#[tokio::test]
async fn a_fragment_never_reaches_the_upstream() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let answer = exchange(proxy.addr(), &get("/a").with_target("/a#b").closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(upstream.one().request_line(), "GET /a HTTP/1.1");
    let answer = exchange(proxy.addr(), &get("/b").with_target("/a#/b").closing()).await;
    assert_eq!(status(&answer), 401, "{answer}");
}

#[tokio::test]
async fn an_absolute_target_must_agree_with_host() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let absolute = |host: &str| get("/a").with_target(&format!("http://{host}/a"));
    for (name, request, expected) in [
        ("the same host", absolute(HOST), 200),
        ("another host", absolute("other"), 401),
        (
            "another host in both",
            for_host("/a", "other", 0).with_target("http://other/a"),
            421,
        ),
        ("a user", absolute(&format!("user@{HOST}")), 401),
    ] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    let seen = upstream.one();
    assert_eq!(seen.request_line(), "GET /a HTTP/1.1");
    assert_eq!(seen.values("host"), [HOST]);
}

#[tokio::test]
async fn connect_is_not_forwarded_and_options_of_the_server_is_verified() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let connect = get("/").with_method("CONNECT").with_target("other:443");
    assert_eq!(
        status(&exchange(proxy.addr(), &connect.closing()).await),
        405
    );
    let asterisk = get("/").with_target("*");
    assert_eq!(
        status(&exchange(proxy.addr(), &asterisk.closing()).await),
        400
    );
    assert_eq!(upstream.connections(), 0);
    let options = by(&signer(HOST), "OPTIONS", "*", HOST, b"", 0);
    let answer = exchange(proxy.addr(), &options.closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(upstream.one().request_line(), "OPTIONS * HTTP/1.1");
}

#[tokio::test]
async fn a_host_is_forwarded_as_signed_and_never_invented() {
    let upstream = Upstream::careless().await;
    let hosts = ["Orders.Example", "orders.example:8443", "[::1]:8443"];
    let proxy = Proxy::of(&format!(
        "{}[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\nallow_every_caller = true\n\
         expected_hosts = {hosts:?}\n",
        crate::support::proxy::KEYS,
        upstream.url(),
    ))
    .await;
    for host in hosts {
        let answer = exchange(proxy.addr(), &for_host("/", host, 0).closing()).await;
        assert_eq!(status(&answer), 200, "{host}: {answer}");
    }
    let seen: Vec<_> = upstream.seen();
    let arrived: Vec<_> = seen.iter().map(|seen| seen.values("host")[0]).collect();
    assert_eq!(arrived, hosts);

    let without = for_host("/", hosts[0], 0).without("host");
    assert!([400, 401].contains(&status(&exchange(proxy.addr(), &without.closing()).await)));
    let old = String::from_utf8(without.closing())
        .unwrap()
        .replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(status(&exchange(proxy.addr(), old.as_bytes()).await), 401);
    assert_eq!(upstream.seen().len(), 3);
}
