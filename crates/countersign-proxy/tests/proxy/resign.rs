//! `resign`: clients with a placeholder key.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS, Proxy, config},
    raw::{exchange, status},
    signed::{self, SECRET, Signed, by, of_secret},
    upstream::Upstream,
};

/// The host that clients of the proxy sign for.
const LOCAL: &str = "local:7002";
/// The secret of the placeholder.
const PLACEHOLDER: &str = "5f1c8db14bd8a5e63e6ff4fa6e2b87d2f5d3a9be2e2a7c04a7d3b61d30f4ce19";

fn keys_toml() -> String {
    format!(
        "[[callers]]\nname = \"agent-7\"\n[[callers.keys]]\nversion = \"1\"\n\
         secret_hex = \"{PLACEHOLDER}\"\n\
         [[callers]]\nname = \"other\"\n[[callers.keys]]\nversion = \"1\"\n\
         secret_hex = \"c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3\"\n\
         [[targets]]\nname = \"orders\"\ncaller = \"billing\"\nauthorities = [\"{HOST}\"]\n\
         secret_hex = \"{SECRET}\"\n"
    )
}

const POLICY: &str = "[[statements]]\nid = \"agents\"\neffect = \"allow\"\ncallers = [\"*\"]\n\
                      methods = [\"*\"]\npaths = [\"/allowed/**\"]\n";

fn text(upstream: &str) -> String {
    format!(
        "{KEYS}[[resign]]\nlisten = \"127.0.0.1:0\"\nexpected_hosts = [\"{LOCAL}\"]\n\
         callers = [\"agent-7\"]\npolicy = \"policy.toml\"\ntarget = \"orders\"\n\
         upstream = \"{upstream}\"\nauthority = \"{HOST}\"\n"
    )
}

fn files() -> Directory {
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    directory.write("policy.toml", POLICY);
    directory
}

async fn resigning(upstream: &str) -> Proxy {
    Proxy::within(files(), &text(upstream)).await
}

/// Signs with the placeholder.
fn placeholder(method: &str, target: &str, body: &[u8], age: u64) -> Signed {
    let signer = of_secret("agent-7", PLACEHOLDER, LOCAL);
    by(&signer, method, target, LOCAL, body, age)
}

#[tokio::test]
async fn a_placeholder_becomes_the_real_key() {
    let upstream = Upstream::careless().await;
    let verify = Proxy::verify_all(&upstream.url()).await;
    let resign = resigning(&format!("http://{}", verify.addr())).await;
    for (method, body) in [
        ("GET", &b""[..]),
        ("POST", b"body"),
        ("PUT", b"a longer body"),
    ] {
        let request = placeholder(method, "/allowed/a?b=%2F", body, 0);
        let answer = exchange(resign.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 200, "{answer}");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(
            seen.request_line(),
            format!("{method} /allowed/a?b=%2F HTTP/1.1")
        );
        assert_eq!(seen.body, body);
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
    }
}

#[tokio::test]
async fn the_real_key_is_not_used_for_a_request_that_is_refused() {
    let upstream = Upstream::careless().await;
    let resign = resigning(&upstream.url()).await;
    let wrong = by(
        &of_secret("agent-7", SECRET, LOCAL),
        "GET",
        "/allowed/a",
        LOCAL,
        b"",
        0,
    );
    let other = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";
    let other = by(
        &of_secret("other", other, LOCAL),
        "GET",
        "/allowed/a",
        LOCAL,
        b"",
        0,
    );
    let allowed = placeholder("GET", "/allowed/a", b"", 0);
    for (name, request, expected) in [
        ("a wrong placeholder", wrong, 401),
        ("stale", placeholder("GET", "/allowed/a", b"", 600), 401),
        ("another caller of the file", other, 403),
        (
            "not allowed by the policy",
            placeholder("GET", "/admin", b"", 0),
            403,
        ),
        (
            "an odd path",
            placeholder("GET", "/allowed/../admin", b"", 0),
            403,
        ),
        (
            "another body",
            placeholder("PUT", "/allowed/a", b"a", 0).with_body(b"b"),
            401,
        ),
        ("unsigned", allowed.clone().without("authorization"), 401),
        ("for another host", signed::get("/allowed/a"), 421),
        (
            "a web page",
            allowed.clone().with("origin", "http://evil.example"),
            403,
        ),
        (
            "a presigned query",
            allowed.with_target("/allowed/a?X-Amz-Signature=1"),
            400,
        ),
    ] {
        let answer = exchange(resign.addr(), &request.closing()).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_placeholder_is_worth_nothing_at_the_target() {
    let upstream = Upstream::careless().await;
    let verify = Proxy::verify_all(&upstream.url()).await;
    let signer = of_secret("agent-7", PLACEHOLDER, HOST);
    let direct = by(&signer, "GET", "/allowed/a", HOST, b"", 0);
    let answer = exchange(verify.addr(), &direct.closing()).await;
    assert_eq!(status(&answer), 401, "{answer}");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_body_that_is_signed_in_chunks_is_refused_with_the_setting_that_avoids_it() {
    let upstream = Upstream::careless().await;
    let resign = resigning(&upstream.url()).await;
    let request = placeholder("PUT", "/allowed/a", b"body", 0)
        .with("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let answer = exchange(resign.addr(), &request.closing()).await;
    assert_eq!(status(&answer), 401, "{answer}");
    assert!(answer.contains("request_checksum_calculation"), "{answer}");
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn placeholders_that_could_open_something_else_do_not_start() {
    let directory = files();
    let check = |from: &str, to: &str| {
        let config = config(
            &text("http://127.0.0.1:1").replace(from, to),
            directory.path(),
        );
        let checked = config.and_then(|config| config.check());
        checked
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let verify = format!(
        "[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:1\"\n\
         expected_hosts = [\"{HOST}\"]\nallow_every_caller = true\n[[resign]]"
    );
    for (name, from, to, expected) in [
        ("it starts at all", "", "", ""),
        ("any address", "127.0.0.1:0", "0.0.0.0:0", "public = true"),
        ("no hosts", "[\"local:7002\"]", "[]", "expected_hosts"),
        ("no callers", "[\"agent-7\"]", "[]", "callers"),
        (
            "no policy",
            "policy = \"policy.toml\"\n",
            "",
            "missing field `policy`",
        ),
        (
            "a proxy for everyone beside it",
            "[[resign]]",
            &verify,
            "allow_every_caller",
        ),
    ] {
        let found = check(from, to);
        assert!(found.contains(expected), "{name}: {found}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{name}: {found}");
    }
}

/// The secret of the placeholder and the real secret, as texts of AWS.
const WORTHLESS: &str = "placeholder+placeholder/placeholder+1234";
const REAL: &str = "real/secret+real/secret+real/secret+1234";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python"]
async fn an_unmodified_boto3_reaches_a_verifier_of_the_real_key() {
    // boto3 reads any other body of an answer to PUT as an error.
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let directory = Directory::new();
    directory.write(
        "keys.toml",
        &format!(
            "[[callers]]\nname = \"agent-7\"\n[[callers.keys]]\nversion = \"1\"\n\
             scheme = \"AWS4-HMAC-SHA256\"\nkey_id = \"AKIDPLACEHOLDER\"\n\
             secret_text = \"{WORTHLESS}\"\nnonce = \"optional\"\n"
        ),
    );
    directory.write("policy.toml", &POLICY.replace("/allowed/**", "/bucket/**"));
    directory.write(
        "credentials",
        &format!("[default]\naws_access_key_id = AKIDREAL\naws_secret_access_key = {REAL}\n"),
    );
    // The address of the listener is known only once it is bound, so a free port is chosen before.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    drop(free);
    let proxy = Proxy::within(
        directory,
        &format!(
            "{KEYS}[[resign]]\nlisten = \"{listen}\"\nexpected_hosts = [\"{listen}\"]\n\
             accept = [{{ scheme = \"sigv4\", region = \"eu-central-1\", service = \"s3\", \
             path = \"s3\" }}]\ncallers = [\"agent-7\"]\npolicy = \"policy.toml\"\n\
             aws = {{ region = \"eu-central-1\", service = \"s3\", path = \"s3\", \
             credentials_file = \"credentials\" }}\nupstream = \"{}\"\n\
             authority = \"s3.eu-central-1.amazonaws.com\"\n",
            upstream.url()
        ),
    )
    .await;
    let keys = ["plain", "with space", "\u{e4}", "a/b"];
    let config = json!({
        "endpoint": format!("http://{}", proxy.addr()),
        "key_id": "AKIDPLACEHOLDER", "secret": WORTHLESS, "keys": keys,
    });
    let statuses = python("send", config).await;
    assert_eq!(
        statuses,
        json!(vec![200; keys.len() * 2]),
        "{:#?}",
        upstream.seen()
    );
    let seen = upstream.seen();
    assert_eq!(seen.len(), keys.len() * 2);
    let requests: Vec<Value> = seen
        .iter()
        .map(|seen| {
            let mut line = seen.request_line().split(' ');
            let (method, target) = (line.next().unwrap(), line.next().unwrap());
            let headers = seen
                .head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "));
            assert!(!seen.head.contains("PLACEHOLDER"), "{}", seen.head);
            json!({
                "method": method, "target": target, "headers": headers.collect::<Vec<_>>(),
                "body": if seen.body.is_empty() { "" } else { "dGhlIGJvZHk=" },
            })
        })
        .collect();
    let checked = json!({
        "secret": REAL, "region": "eu-central-1", "service": "s3", "requests": requests,
    });
    assert_eq!(
        python("check", checked).await,
        json!(vec![true; keys.len() * 2])
    );
}

async fn python(mode: &'static str, input: Value) -> Value {
    let run = move || {
        let python = std::env::var_os("COUNTERSIGN_PYTHON").unwrap_or_else(|| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/boto3_client.py");
        let mut child = Command::new(python)
            .args([script, mode])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python is installed");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.to_string().as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}
