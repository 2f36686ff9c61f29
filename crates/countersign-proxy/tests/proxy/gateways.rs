//! `authz` behind real gateways. `$COUNTERSIGN_ENVOY`, `$COUNTERSIGN_NGINX` and
//! `$COUNTERSIGN_CADDY` name the programs. By default they are looked for in the path.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS, Proxy},
    raw::{exchange, status, values},
    signed::{Signed, for_host, get, keys_toml, post, with_another_key},
    upstream::Upstream,
};

pub(crate) const SECRET: &str = "0123456789abcdef-gateway";

/// A gateway, an upstream and the decision server between them.
struct Setting {
    addr: SocketAddr,
    upstream: Upstream,
    authz: Option<Proxy>,
    _gateway: Stopped,
    _directory: Directory,
}

/// A process that ends with its value.
pub(crate) struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _: Result<(), _> = self.0.kill();
        let _: Result<_, _> = self.0.wait();
    }
}

pub(crate) fn free_port() -> SocketAddr {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap()
}

pub(crate) fn program(variable: &str, name: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| name.into()))
}

pub(crate) async fn authz(gateway: &str, bodies: &str) -> Proxy {
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    directory.write("secret", SECRET);
    let text = format!(
        "{KEYS}[[authz]]\nname = \"edge\"\nlisten = \"127.0.0.1:0\"\ngateway = \"{gateway}\"\n\
         bodies = \"{bodies}\"\nsecret_file = \"secret\"\nexpected_hosts = [\"{HOST}\"]\n\
         any_path = true\nallow_every_caller = true\n"
    );
    Proxy::within(directory, &text).await
}

pub(crate) async fn listening(addr: SocketAddr) {
    for _ in 0..400 {
        if tokio::net::TcpStream::connect(addr).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the gateway does not listen");
}

pub(crate) fn start(mut command: Command, directory: &Directory) -> Stopped {
    let log = std::fs::File::create(directory.path().join("log")).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    Stopped(command.spawn().expect("the gateway is installed"))
}

impl Setting {
    /// `ext_authz` is the configuration of the filter, without its indentation.
    async fn envoy(gateway: &str, ext_authz: &str) -> Self {
        let authz = authz(gateway, "forwarded").await;
        let upstream = Upstream::careless().await;
        let (addr, directory) = (free_port(), Directory::new());
        let filter = ext_authz.replace('\n', "\n            ");
        let cluster = |name: &str, port: u16, http2: &str| {
            format!(
                "  - name: {name}\n    type: STATIC\n{http2}    load_assignment:\n      \
                 cluster_name: {name}\n      endpoints: [{{ lb_endpoints: [{{ endpoint: {{ \
                 address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }} }}] }}]\n"
            )
        };
        let http2 = "    typed_extension_protocol_options:\n      \
                     envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n        \
                     \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n        \
                     explicit_http_config: { http2_protocol_options: {} }\n";
        let http2 = if gateway == "envoy-grpc" { http2 } else { "" };
        let text = format!(
            "static_resources:\n  listeners:\n  - address: {{ socket_address: {{ address: 127.0.0.1, \
             port_value: {port} }} }}\n    filter_chains:\n    - filters:\n      - name: hcm\n        \
             typed_config:\n          \"@type\": type.googleapis.com/envoy.extensions.filters.network.\
             http_connection_manager.v3.HttpConnectionManager\n          stat_prefix: edge\n          \
             route_config: {{ virtual_hosts: [{{ name: all, domains: [\"*\"], routes: [{{ match: {{ \
             prefix: / }}, route: {{ cluster: up }} }}] }}] }}\n          http_filters:\n          \
             - name: envoy.filters.http.ext_authz\n            typed_config:\n              \
             \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz\n              \
             {filter}\n          - name: envoy.filters.http.router\n            typed_config: {{ \
             \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}\n  \
             clusters:\n{up}{decide}",
            port = addr.port(),
            filter = filter.replace("\n            ", "\n              "),
            up = cluster("up", upstream.addr.unwrap().port(), ""),
            decide = cluster("countersign", authz.addr().port(), http2),
        );
        directory.write("envoy.yaml", &text);
        let mut command = program("COUNTERSIGN_ENVOY", "envoy");
        command.args([
            "--log-level",
            "warn",
            "--concurrency",
            "1",
            "--use-dynamic-base-id",
            "-c",
        ]);
        command.arg(directory.path().join("envoy.yaml"));
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

    /// The configuration of the guide, with another address.
    async fn nginx(line: &str) -> Self {
        let authz = authz("line", "none").await;
        let upstream = Upstream::careless().await;
        let (addr, directory) = (free_port(), Directory::new());
        directory.write(
            "nginx.conf",
            &format!(
                "daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log log;\n\
                 events {{}}\nhttp {{ access_log off; client_body_temp_path body; \
                 proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n\
                 server {{ listen {addr};\n\
                 location = /_countersign {{ internal; proxy_pass http://{authz}/; \
                 proxy_pass_request_body off; proxy_cache off; proxy_read_timeout 2s; \
                 proxy_set_header Content-Length \"\"; proxy_set_header Host $http_host; {line} }}\n\
                 location / {{ auth_request /_countersign; \
                 auth_request_set $caller $upstream_http_countersign_caller; \
                 proxy_set_header Countersign-Request \"\"; \
                 proxy_set_header Countersign-Caller $caller; proxy_set_header Authorization \"\"; \
                 proxy_set_header Host $http_host; proxy_pass_request_body off; \
                 proxy_set_header Content-Length \"\"; proxy_next_upstream off; \
                 proxy_pass {upstream}; }} }} }}\n",
                authz = authz.addr(),
                upstream = upstream.url(),
            ),
        );
        let mut command = program("COUNTERSIGN_NGINX", "nginx");
        command
            .arg("-p")
            .arg(directory.path())
            .args(["-e", "log", "-c", "nginx.conf"]);
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

    async fn caddy(uri: &str) -> Self {
        let authz = authz("line", "none").await;
        let upstream = Upstream::careless().await;
        let (addr, directory) = (free_port(), Directory::new());
        directory.write(
            "Caddyfile",
            &format!(
                "{{\n  admin off\n  auto_https off\n  persist_config off\n}}\n\
                 http://:{port} {{\n  bind 127.0.0.1\n  forward_auth {authz} {{\n    uri /\n    \
                 header_up Countersign-Request \"{SECRET} {{http.request.method}} \
                 {{http.request.hostport}} {uri}\"\n    header_up Host {{http.request.hostport}}\n    \
                 copy_headers Countersign-Caller\n  }}\n  request_header -Countersign-Request\n  \
                 request_header -Authorization\n  {NO_BODY}\n  reverse_proxy {upstream} {{\n    \
                 header_up Host {{http.request.hostport}}\n  }}\n}}\n",
                port = addr.port(),
                authz = authz.addr(),
                upstream = upstream.addr.unwrap(),
            ),
        );
        let mut command = program("COUNTERSIGN_CADDY", "caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]);
        command.arg(directory.path().join("Caddyfile"));
        command.env("HOME", directory.path());
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

/// As in `deploy/Caddyfile`, which a test below holds to it.
const NO_BODY: &str = "request_body {\n\t\tmax_size 1\n\t}\n\t\
                       @body expression `{http.request.body} != \"\"`\n\trespond @body 403\n";

fn grpc(settings: &str) -> String {
    format!(
        "failure_mode_allow: false\nvalidate_mutations: true\n\
         status_on_error: {{ code: ServiceUnavailable }}\n{settings}\n\
         grpc_service: {{ envoy_grpc: {{ cluster_name: countersign }}, timeout: 2s, \
         initial_metadata: [{{ key: countersign-gateway, value: {SECRET} }}] }}"
    )
}

const WHOLE: &str = "encode_raw_headers: true\nwith_request_body: { max_request_bytes: 2097152, \
                     allow_partial_message: false, pack_as_bytes: true }";

pub(crate) fn chunked(request: Signed, body: &str) -> Signed {
    let request = request
        .without("content-length")
        .with("transfer-encoding", "chunked");
    request.with_body(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envoy"]
async fn envoy_lets_in_what_the_layers_accept_and_nothing_else() {
    let setting = Setting::envoy("envoy-grpc", &grpc(WHOLE)).await;
    let replayed = get("/replayed");
    assert_eq!(status(&setting.ask(&replayed).await), 200);
    let large = post("/large", &[0xfe; 4096]);
    let mut expected = 1;
    for (name, request, code) in [
        ("get", get("/a?b=c"), 200),
        ("an escaped slash", get("/a%2Fb"), 200),
        ("an empty segment", get("//a"), 200),
        ("post", post("/a", b"body"), 200),
        ("bytes", post("/a", &[0x80, 0xff]), 200),
        ("chunked", chunked(post("/a", b"body"), "body"), 200),
        ("4 KiB", large, 200),
        ("unsigned", get("/a").without("authorization"), 401),
        ("another key", with_another_key("/a", b"x"), 401),
        ("another path", get("/a").with_target("/b"), 401),
        ("dots", get("/a").with_target("/x/../a"), 401),
        ("replayed", replayed, 401),
        ("a second date", get("/a").with("x-date", "now"), 401),
        ("another host", for_host("/a", "elsewhere", 0), 421),
        ("another body", post("/a", b"body").with_body(b"bodz"), 401),
        (
            "a body behind none",
            get("/a").with("content-length", "1").with_body(b"x"),
            401,
        ),
        ("a chunked body behind none", chunked(get("/a"), "x"), 401),
        (
            "connection names a signed header",
            get("/a").with("connection", "x-date"),
            401,
        ),
        (
            "cut off by the client",
            get("/a").with("x-envoy-auth-partial-body", "true"),
            200,
        ),
        (
            "a look-alike",
            get("/a").with("countersign-caller", "evil"),
            200,
        ),
        (
            "look-alikes",
            get("/a")
                .with("countersign_caller", "evil")
                .with("x.countersign.caller", "evil"),
            200,
        ),
        (
            "an override",
            get("/a").with("x-http-method-override", "DELETE"),
            200,
        ),
        (
            "identity named in connection",
            get("/a")
                .with("connection", "countersign-caller")
                .with("countersign-caller", "evil"),
            200,
        ),
    ] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), code, "{name}: {answer}");
        if code == 200 {
            expected += 1;
            let seen = setting.upstream.seen().pop().unwrap();
            assert_eq!(seen.values("countersign-caller"), ["billing"], "{name}");
            assert!(!seen.head.contains("evil"), "{name}: {}", seen.head);
            assert!(seen.values("authorization").is_empty(), "{name}");
            assert!(seen.values("x-http-method-override").is_empty(), "{name}");
        }
    }
    assert_eq!(setting.upstream.seen().len(), expected);
    let refused = setting.ask(&get("/a").without("authorization")).await;
    assert_eq!(values(&refused, "www-authenticate").len(), 1, "{refused}");
    assert!(
        refused.ends_with("{\"error\":\"missing_signature\"}"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envoy"]
async fn envoy_that_shows_less_than_it_forwards_is_refused() {
    let text = "encode_raw_headers: true\nwith_request_body: { max_request_bytes: 2097152, \
                allow_partial_message: false }";
    let partial = "encode_raw_headers: true\nwith_request_body: { max_request_bytes: 1024, \
                   allow_partial_message: true, pack_as_bytes: true }";
    for (name, settings, request, expected) in [
        (
            "no body",
            "encode_raw_headers: true",
            post("/a", b"body"),
            403,
        ),
        (
            "no body, none signed",
            "encode_raw_headers: true",
            get("/a"),
            200,
        ),
        ("a body as text", text, post("/a", &[0x80, 0xff]), 403),
        ("a body cut off", partial, post("/a", &[b'a'; 4096]), 403),
        (
            "no raw headers",
            "encode_raw_headers: false",
            get("/a"),
            403,
        ),
    ] {
        let setting = Setting::envoy("envoy-grpc", &grpc(settings)).await;
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
        assert_eq!(
            setting.upstream.seen().len(),
            usize::from(expected == 200),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envoy"]
async fn envoy_without_a_decision_server_lets_nobody_in() {
    let mut setting = Setting::envoy("envoy-grpc", &grpc(WHOLE)).await;
    setting.authz = None;
    let answer = setting
        .ask(&get("/a").with("countersign-caller", "evil"))
        .await;
    assert_eq!(status(&answer), 503, "{answer}");
    assert_eq!(setting.upstream.connections(), 0);
    // Without the secret, nothing is decided.
    let settings = grpc(WHOLE).replace(SECRET, "0123456789abcdef-another");
    let setting = Setting::envoy("envoy-grpc", &settings).await;
    assert_eq!(status(&setting.ask(&get("/a")).await), 403);
    assert_eq!(setting.upstream.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs envoy"]
async fn envoy_can_ask_over_http() {
    let settings = format!(
        "failure_mode_allow: false\nencode_raw_headers: true\n\
         with_request_body: {{ max_request_bytes: 2097152, allow_partial_message: false }}\n\
         allowed_headers: {{ patterns: [{{ safe_regex: {{ regex: \".*\" }} }}] }}\n\
         http_service:\n  server_uri: {{ uri: http://countersign, cluster: countersign, timeout: 2s }}\n  \
         authorization_request: {{ headers_to_add: [{{ key: countersign-gateway, value: {SECRET} }}] }}\n  \
         authorization_response: {{ allowed_upstream_headers: {{ patterns: [{{ prefix: countersign- }}] }}, \
         allowed_client_headers: {{ patterns: [{{ exact: www-authenticate }}] }} }}"
    );
    let setting = Setting::envoy("envoy-http", &settings).await;
    for (name, request, expected) in [
        ("get", get("/a?b"), 200),
        ("post", post("/a", b"body"), 200),
        ("unsigned", get("/a").without("authorization"), 401),
        ("another body", post("/a", b"body").with_body(b"bodz"), 401),
        ("another host", for_host("/a", "elsewhere", 0), 421),
    ] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    for seen in setting.upstream.seen() {
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
    }
    assert_eq!(setting.upstream.seen().len(), 2);
}

fn nginx_line() -> String {
    format!(
        "proxy_set_header Countersign-Request \"{SECRET} $request_method $http_host $request_uri\";"
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx"]
async fn nginx_describes_what_it_forwards() {
    let setting = Setting::nginx(&nginx_line()).await;
    let forged = format!("{SECRET} GET {HOST} /a");
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
            "loose headers",
            get("/a")
                .with("x-original-method", "DELETE")
                .with("x-forwarded-uri", "/b"),
            200,
        ),
        ("unsigned", get("/a").without("authorization"), 401),
        ("another method", get("/a").with_method("DELETE"), 401),
        ("another host", for_host("/a", "elsewhere", 0), 403),
        ("a fragment", get("/a").with_target("/a#b"), 403),
        ("a backslash", get("/a").with_target("/a\\b"), 403),
        (
            "a look-alike",
            get("/a").with("x-countersign-caller", "evil"),
            403,
        ),
        (
            "an override",
            get("/a").with("x-http-method-override", "DELETE"),
            403,
        ),
        ("a body", post("/a", b"body"), 401),
    ] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    // A body behind a signature over none is decided without it, and never reaches the upstream.
    for request in [
        get("/a").with("content-length", "4").with_body(b"body"),
        chunked(get("/a"), "body"),
    ] {
        setting.ask(&request).await;
    }
    for seen in setting.upstream.seen() {
        assert_eq!(seen.body, b"", "{seen:?}");
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
        assert!(seen.values("countersign-request").is_empty());
        assert!(seen.values("authorization").is_empty());
        assert!(!seen.head.contains("evil"), "{}", seen.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx"]
async fn nginx_without_its_line_lets_nobody_in() {
    let setting = Setting::nginx("").await;
    let forged = format!("0123456789abcdef GET {HOST} /a");
    for request in [get("/a"), get("/a").with("countersign-request", &forged)] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), 403, "{answer}");
    }
    let mut setting = Setting::nginx(&nginx_line()).await;
    setting.authz = None;
    let answer = setting
        .ask(&get("/a").with("countersign-caller", "evil"))
        .await;
    assert_eq!(status(&answer), 500, "{answer}");
    assert_eq!(setting.upstream.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs caddy"]
async fn caddy_describes_what_it_forwards() {
    let setting = Setting::caddy("{http.request.uri}").await;
    for (name, request, expected) in [
        ("get", get("/a?b=c"), 200),
        ("unsigned", get("/a").without("authorization"), 401),
        ("another path", get("/a").with_target("/b"), 401),
        ("another host", for_host("/a", "elsewhere", 0), 403),
        (
            "a forged line",
            get("/a")
                .with_target("/b")
                .with("countersign-request", &format!("{SECRET} GET {HOST} /a")),
            401,
        ),
    ] {
        let answer = setting.ask(&request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    let seen = setting.upstream.one();
    assert_eq!(seen.request_line(), "GET /a?b=c HTTP/1.1");
    assert_eq!(seen.values("countersign-caller"), ["billing"]);
}

/// The decision server sees no body here. A body that is added to a request signed without one must
/// not reach the upstream.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs caddy"]
async fn caddy_hands_no_body_to_the_upstream() {
    let shipped = include_str!("../../deploy/Caddyfile");
    assert!(shipped.contains(NO_BODY), "{shipped}");
    let setting = Setting::caddy("{http.request.uri}").await;
    for (name, request) in [
        ("a chunk of one byte", chunked(get("/a"), "x")),
        ("a longer chunk", chunked(get("/b"), "xyz")),
        (
            "a byte with its length",
            get("/c").with("content-length", "1").with_body(b"x"),
        ),
        (
            "more with its length",
            get("/d").with("content-length", "5").with_body(b"hello"),
        ),
    ] {
        let answer = setting.ask(&request).await;
        // Caddy answers with 403, or with its own error where the body is over the limit.
        assert!(status(&answer) >= 400, "{name}: {answer}");
    }
    assert_eq!(setting.upstream.connections(), 0);
}
