//! `authz` over HTTP, as gateways ask.

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS, Proxy, config},
    raw::{exchange, status, values},
    signed::{Signed, get, keys_toml, post},
};

const SECRET: &str = "0123456789abcdef-gateway";

fn text(gateway: &str, bodies: &str, settings: &str) -> String {
    format!(
        "{KEYS}[[authz]]\nname = \"edge\"\nlisten = \"127.0.0.1:0\"\ngateway = \"{gateway}\"\n\
         bodies = \"{bodies}\"\nsecret_file = \"secret\"\nexpected_hosts = [\"{HOST}\"]\n\
         allow_every_caller = true\n{settings}\n"
    )
}

fn files() -> Directory {
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    directory.write("secret", SECRET);
    directory
}

async fn deciding(gateway: &str, bodies: &str, settings: &str) -> Proxy {
    Proxy::within(files(), &text(gateway, bodies, settings)).await
}

/// As nginx asks: GET, all headers of the client, no body, and the line.
fn by_line(request: &Signed, line: &str) -> Vec<u8> {
    let mut asked = request
        .clone()
        .with_method("GET")
        .with_target("/")
        .with_body(b"");
    asked = asked.without("content-length").without("transfer-encoding");
    asked.with("countersign-request", line).closing()
}

fn line(request: &Signed) -> String {
    format!("{SECRET} {} {HOST} {}", request.method, request.target)
}

#[tokio::test]
async fn a_line_describes_the_request_and_the_answer_names_the_caller() {
    let authz = deciding("line", "none", "").await;
    for request in [get("/a?b=c"), get("/"), get("/%C3%A4")] {
        let answer = exchange(authz.addr(), &by_line(&request, &line(&request))).await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert_eq!(values(&answer, "countersign-caller"), ["billing"]);
        assert_eq!(values(&answer, "countersign-proof").len(), 1);
    }
}

#[tokio::test]
async fn a_line_that_is_not_the_gateways_allows_nobody() {
    let authz = deciding("line", "none", "").await;
    let request = get("/a");
    let good = line(&request);
    for (name, bytes) in [
        ("no line", request.closing()),
        (
            "a wrong secret",
            by_line(&request, &good.replace("0123", "9999")),
        ),
        ("two lines", {
            let twice = request.clone().with("countersign-request", &good);
            by_line(&twice, &good)
        }),
        (
            "another method",
            by_line(&request, &good.replace("GET", "DELETE")),
        ),
        (
            "another target",
            by_line(&request, &good.replace("/a", "/b")),
        ),
        (
            "another host",
            by_line(&request, &good.replace(HOST, "elsewhere")),
        ),
        ("a fragment", by_line(&request, &format!("{good}#b"))),
        ("a backslash", by_line(&request, &format!("{good}\\b"))),
        ("raw UTF-8", by_line(&request, &format!("{good}\u{fc}"))),
        ("a space", by_line(&request, &format!("{good} b"))),
        (
            "a dot segment",
            by_line(&get("/x/../a"), &good.replace("/a", "/x/../a")),
        ),
        (
            "an empty segment",
            by_line(&get("//a"), &good.replace("/a", "//a")),
        ),
        (
            "an escaped slash",
            by_line(&get("/%2Fa"), &good.replace("/a", "/%2Fa")),
        ),
        (
            "a look-alike",
            by_line(&request.clone().with("x_countersign.caller", "evil"), &good),
        ),
        (
            "an override",
            by_line(
                &request.clone().with("x-http-method-override", "PUT"),
                &good,
            ),
        ),
        (
            "an upgrade",
            by_line(&request.clone().with("upgrade", "websocket"), &good),
        ),
        (
            "connect",
            by_line(&request, &good.replace("GET", "CONNECT")),
        ),
    ] {
        let answer = exchange(authz.addr(), &bytes).await;
        assert!([401, 403].contains(&status(&answer)), "{name}: {answer}");
        assert!(values(&answer, "countersign-caller").is_empty(), "{name}");
    }
    // Loose headers are ordinary ones.
    let loose = get("/a")
        .with("x-original-method", "DELETE")
        .with("x-forwarded-uri", "/b")
        .with("x-forwarded-method", "DELETE")
        .with("x-envoy-original-path", "/b");
    let answer = exchange(authz.addr(), &by_line(&loose, &good)).await;
    assert_eq!(status(&answer), 200, "{answer}");
}

#[tokio::test]
async fn without_a_body_only_a_signature_over_none_is_allowed() {
    let authz = deciding("line", "none", "").await;
    let request = post("/a", b"body");
    let answer = exchange(authz.addr(), &by_line(&request, &line(&request))).await;
    assert_eq!(status(&answer), 401, "{answer}");
    let empty = post("/a", b"");
    let answer = exchange(authz.addr(), &by_line(&empty, &line(&empty))).await;
    assert_eq!(status(&answer), 200, "{answer}");
}

#[tokio::test]
async fn a_description_is_allowed_once() {
    let authz = deciding("line", "none", "").await;
    let request = get("/a");
    let asked = by_line(&request, &line(&request));
    assert_eq!(status(&exchange(authz.addr(), &asked).await), 200);
    let again = exchange(authz.addr(), &asked).await;
    assert_eq!(status(&again), 401);
    assert!(again.contains("replayed"), "{again}");
}

/// A refused gRPC call has the status 200. A gateway would take that for an allowance.
#[tokio::test]
async fn a_refused_grpc_call_is_no_success() {
    for gateway in ["line", "forwarded", "envoy-http"] {
        let bodies = if gateway == "line" {
            "none"
        } else {
            "forwarded"
        };
        let authz = deciding(gateway, bodies, "").await;
        let call = post("/ledger.Ledger/Post", b"").with("content-type", "application/grpc");
        let call = call.without("authorization");
        let asked = match gateway {
            "line" => by_line(&call, &line(&call)),
            "forwarded" => by_forwarded(&call),
            _ => call.with("countersign-gateway", SECRET).closing(),
        };
        // The line is asked with GET, and describes a POST.
        let answer = exchange(authz.addr(), &asked).await;
        assert!([401, 403].contains(&status(&answer)), "{gateway}: {answer}");
        assert!(
            values(&answer, "countersign-caller").is_empty(),
            "{gateway}"
        );
    }
}

#[tokio::test]
async fn a_gateway_that_knows_two_statuses_gets_no_other() {
    for (gateway, bodies, expected) in [
        ("line", "none", 403),
        ("forwarded", "forwarded", 421),
        ("envoy-http", "forwarded", 421),
    ] {
        let authz = deciding(gateway, bodies, "").await;
        let request = crate::support::signed::for_host("/a", "elsewhere", 0);
        let asked = match gateway {
            "line" => by_line(&request, &line(&request).replace(HOST, "elsewhere")),
            "forwarded" => {
                let bytes = String::from_utf8(by_forwarded(&request)).unwrap();
                let host = format!("x-forwarded-host: {HOST}");
                bytes
                    .replace(&host, "x-forwarded-host: elsewhere")
                    .into_bytes()
            }
            _ => request.with("countersign-gateway", SECRET).closing(),
        };
        let answer = exchange(authz.addr(), &asked).await;
        assert_eq!(status(&answer), expected, "{gateway}: {answer}");
        assert!(
            answer.contains("{\"error\":\"misdirected\"}"),
            "{gateway}: {answer}"
        );
    }
}

/// As Traefik asks.
fn by_forwarded(request: &Signed) -> Vec<u8> {
    let (method, target) = (request.method.clone(), request.target.clone());
    request
        .clone()
        .with_method("GET")
        .with_target("/")
        .with("countersign-gateway", SECRET)
        .with("x-forwarded-method", &method)
        .with("x-forwarded-host", HOST)
        .with("x-forwarded-uri", &target)
        .closing()
}

#[tokio::test]
async fn forwarded_headers_describe_the_request_only_beside_the_secret() {
    let authz = deciding("forwarded", "forwarded", "").await;
    for request in [get("/a?b"), post("/a", b"body")] {
        let answer = exchange(authz.addr(), &by_forwarded(&request)).await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert_eq!(values(&answer, "countersign-caller"), ["billing"]);
    }
    let text = |request: &Signed| String::from_utf8(by_forwarded(request)).unwrap();
    let honest = get("/a");
    for (name, asked) in [
        (
            "no secret",
            text(&honest).replace("countersign-gateway", "x-other"),
        ),
        (
            "a wrong secret",
            text(&honest).replace(SECRET, "0123456789abcdef-gatewaz"),
        ),
        (
            "no method",
            text(&honest).replace("x-forwarded-method", "x-other"),
        ),
        (
            "two targets",
            text(&honest.clone().with("x-forwarded-uri", "/a")),
        ),
        (
            "another target",
            text(&honest).replace("uri: /a", "uri: /b"),
        ),
        (
            "another body",
            text(&post("/a", b"body").with_body(b"bodz")),
        ),
        (
            "a body behind a signature over none",
            text(&honest.clone().with("content-length", "1").with_body(b"x")),
        ),
    ] {
        let answer = exchange(authz.addr(), asked.as_bytes()).await;
        assert!([401, 403].contains(&status(&answer)), "{name}: {answer}");
        assert!(values(&answer, "countersign-caller").is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_body_that_envoy_cut_off_is_refused() {
    let authz = deciding("envoy-http", "forwarded", "path_prefix = \"/check\"").await;
    let ask = async |request: Signed| {
        let target = format!("/check{}", request.target);
        exchange(authz.addr(), &request.with_target(&target).closing()).await
    };
    let of_gateway = |request: Signed| request.with("countersign-gateway", SECRET);
    let answer = ask(of_gateway(post("/a", b"body"))).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(values(&answer, "countersign-caller"), ["billing"]);
    for (name, request) in [
        (
            "cut off",
            of_gateway(post("/a", b"body")).with("x-envoy-auth-partial-body", "true"),
        ),
        ("no secret", post("/a", b"body")),
    ] {
        assert_eq!(status(&ask(request).await), 403, "{name}");
    }
    let without_prefix = of_gateway(get("/a")).closing();
    assert_eq!(status(&exchange(authz.addr(), &without_prefix).await), 403);
}

#[test]
fn a_gateway_that_could_be_impersonated_does_not_start() {
    let directory = files();
    directory.write("short", "0123456789abcde");
    let check = |gateway: &str, bodies: &str, from: &str, to: &str| {
        let text = text(gateway, bodies, "").replace(from, to);
        let checked = config(&text, directory.path()).and_then(|config| config.check());
        checked
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let secret = "secret_file = \"secret\"\n";
    let webhooks = "accept = [{ scheme = \"standard-webhooks\", caller = \"billing\", routes = \
                    [\"POST /hook\"] }]\nallow_every_caller = true";
    for (name, found, expected) in [
        ("it starts at all", check("line", "none", "", ""), ""),
        (
            "envoy without a secret",
            check("envoy-grpc", "forwarded", secret, ""),
            "",
        ),
        (
            "a line without a secret",
            check("line", "none", secret, ""),
            "secret_file",
        ),
        (
            "forwarded without a secret",
            check("forwarded", "none", secret, ""),
            "secret_file",
        ),
        (
            "envoy over HTTP without one",
            check("envoy-http", "none", secret, ""),
            "secret_file",
        ),
        (
            "a short secret",
            check("line", "none", "\"secret\"", "\"short\""),
            "at least 16",
        ),
        (
            "a line with bodies",
            check("line", "forwarded", "", ""),
            "bodies",
        ),
        (
            "no hosts",
            check("line", "none", "[\"orders:8443\"]", "[]"),
            "expected_hosts",
        ),
        (
            "no policy",
            check("line", "none", "allow_every_caller = true", ""),
            "policy",
        ),
        (
            "a signature over a body that is not there",
            check("line", "none", "allow_every_caller = true", webhooks),
            "accept",
        ),
    ] {
        assert!(found.contains(expected), "{name}: {found}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{name}: {found}");
    }
}
