//! Ending, reloading, and what an operator sees.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS, Proxy},
    raw::{exchange, head, status, until_closed, values},
    signed::{SECRET, by, get, of_secret, post},
    upstream::{OK, Upstream},
};

const OTHER: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

fn text(upstream: &str, settings: &str) -> String {
    format!(
        "{KEYS}{settings}\n[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"{upstream}\"\n\
         expected_hosts = [\"{HOST}\"]\nallow_every_caller = true\n"
    )
}

/// An upstream that takes its time.
async fn slow() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while !head(&mut stream).await.is_empty() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    stream.write_all(OK.as_bytes()).await.unwrap();
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn what_was_accepted_or_waits_in_the_queue_is_answered_before_the_end() {
    let limits = "limits = { connections = { total = 4 } }";
    let proxy = Proxy::of(&text(&slow().await, limits)).await;
    let addr = proxy.addr();
    // A kept connection, used once and then again while the end has begun.
    let mut kept = TcpStream::connect(addr).await.unwrap();
    kept.write_all(&get("/").bytes()).await.unwrap();
    assert_eq!(status(&head(&mut kept).await), 200);
    let mut body = [0; 2];
    kept.read_exact(&mut body).await.unwrap();

    // More than may be open: most wait in the queue of the operating system.
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut client = TcpStream::connect(addr).await.unwrap();
        client.write_all(&get("/").bytes()).await.unwrap();
        clients.push(client);
    }
    kept.write_all(&get("/").bytes()).await.unwrap();
    let ending = tokio::spawn(proxy.running.shutdown());
    for client in clients.iter_mut().chain([&mut kept]) {
        let answer = until_closed(client).await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(answer.ends_with("ok"), "{answer}");
    }
    assert!(ending.await.unwrap(), "within the time for draining");
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn an_end_that_takes_too_long_is_cut_off() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = Proxy::of(&text(&url, "drain = \"200ms\"")).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    client.write_all(&get("/").bytes()).await.unwrap();
    let (_waits, _) = upstream.accept().await.unwrap();
    assert!(!proxy.running.shutdown().await);
}

fn keys(secrets: &[(&str, &str)]) -> String {
    let mut text = "[[callers]]\nname = \"billing\"\n".to_owned();
    for (version, secret) in secrets {
        let key = format!("[[callers.keys]]\nversion = \"{version}\"\nsecret_hex = \"{secret}\"\n");
        text += &key;
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_wrong_while_keys_and_policies_are_replaced() {
    let upstream = Upstream::careless().await;
    let directory = Directory::new();
    directory.write("keys.toml", &keys(&[("1", SECRET)]));
    let policy = |id: &str| {
        format!(
            "[[statements]]\nid = \"{id}\"\neffect = \"allow\"\ncallers = [\"*\"]\n\
             methods = [\"GET\"]\npaths = [\"/**\"]\n"
        )
    };
    directory.write("policy.toml", &policy("first"));
    let text = text(&upstream.url(), "admin = { listen = \"127.0.0.1:0\" }");
    let text = text.replace("allow_every_caller = true", "policy = \"policy.toml\"");
    let proxy = Proxy::within(directory, &text).await;
    let (addr, admin) = (proxy.addr(), proxy.admin());
    let ask = async |secret: &str| {
        let request = by(
            &of_secret("billing", secret, HOST),
            "GET",
            "/",
            HOST,
            b"",
            0,
        );
        status(&exchange(addr, &request.closing()).await)
    };
    let bad_sources = async || {
        let ready = b"GET /readyz HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n";
        let answer = exchange(admin, ready).await;
        assert_eq!(status(&answer), 200, "{answer}");
        answer.split("\"bad_sources\":").nth(1).unwrap()[..1].to_owned()
    };
    let until = async |bad: &str| {
        for _ in 0..1000 {
            assert_eq!(ask(SECRET).await, 200);
            if bad_sources().await == bad {
                return;
            }
        }
        panic!("the files were not read again");
    };

    // A second key. Both are good, and the first one never stops.
    proxy
        .directory
        .write("keys.toml", &keys(&[("1", SECRET), ("2", OTHER)]));
    let mut loaded = false;
    for _ in 0..1000 {
        assert_eq!(ask(SECRET).await, 200);
        if ask(OTHER).await == 200 {
            loaded = true;
            break;
        }
    }
    assert!(loaded, "the second key was not read");

    proxy.directory.write("policy.toml", &policy("second"));
    proxy.directory.write("keys.toml", "not toml");
    until("1").await;
    assert_eq!(ask(OTHER).await, 200, "the last good keys are in use");
    std::fs::remove_file(proxy.directory.path().join("policy.toml")).unwrap();
    until("2").await;
    proxy.directory.write("policy.toml", &policy("third"));
    proxy
        .directory
        .write("keys.toml", &keys(&[("1", SECRET), ("2", OTHER)]));
    until("0").await;

    // The first key ends. Nothing but its own requests is refused.
    proxy.directory.write("keys.toml", &keys(&[("2", OTHER)]));
    let mut ended = false;
    for _ in 0..1000 {
        assert_eq!(ask(OTHER).await, 200);
        if ask(SECRET).await == 401 {
            ended = true;
            break;
        }
    }
    assert!(ended, "the first key was not removed");
}

#[tokio::test]
async fn the_admin_listener_tells_health_and_metrics() {
    let upstream = Upstream::careless().await;
    let text = text(&upstream.url(), "admin = { listen = \"127.0.0.1:0\" }");
    let proxy = Proxy::of(&text).await;
    exchange(proxy.addr(), &get("/").closing()).await;
    exchange(proxy.addr(), &get("/").without("authorization").closing()).await;
    let ask = async |line: &str| {
        let request = format!("{line} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        exchange(proxy.admin(), request.as_bytes()).await
    };
    for (line, expected) in [
        ("GET /healthz", 200),
        ("GET /readyz", 200),
        ("HEAD /healthz", 200),
        ("POST /healthz", 405),
        ("GET /", 404),
    ] {
        assert_eq!(status(&ask(line).await), expected, "{line}");
    }
    let metrics = ask("GET /metrics").await;
    assert_eq!(values(&metrics, "cache-control"), ["no-store"]);
    for name in [
        "countersign_decisions_total",
        "countersign_proxy_answers_total",
        "countersign_proxy_connections",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
}

#[tokio::test]
async fn requests_of_one_connection_are_counted_one_by_one() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    for number in 0..5_u8 {
        stream
            .write_all(&post("/", &[number]).bytes())
            .await
            .unwrap();
        assert_eq!(status(&head(&mut stream).await), 200);
        let mut body = [0; 2];
        stream.read_exact(&mut body).await.unwrap();
    }
    assert_eq!(upstream.seen().len(), 5);
    assert_eq!(
        upstream.connections(),
        1,
        "the connection to the upstream is kept"
    );
}

/// A server on a free port, which ends with its value.
struct Redis(std::process::Child);

impl Drop for Redis {
    fn drop(&mut self) {
        let _: Result<(), _> = self.0.kill();
        let _: Result<_, _> = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn two_replicas_on_one_redis_accept_a_request_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let port = address.port().to_string();
    let redis = std::process::Command::new("redis-server")
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--maxmemory-policy",
        ])
        .args(["noeviction", "--dir", "/tmp"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let _redis = Redis(redis);
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let upstream = Upstream::careless().await;
    let replica = async || {
        let directory = Directory::new();
        directory.write("keys.toml", &keys(&[("1", SECRET)]));
        directory.write("redis-url", &format!("redis://{address}\n"));
        let replay = "replay = { redis_url_file = \"redis-url\", audience = \"orders\" }";
        Proxy::within(directory, &text(&upstream.url(), replay)).await
    };
    let (one, other) = (replica().await, replica().await);
    for _ in 0..10 {
        let request = get("/").closing();
        let (first, second) = tokio::join!(
            exchange(one.addr(), &request),
            exchange(other.addr(), &request)
        );
        let mut statuses = [status(&first), status(&second)];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{first} {second}");
    }
    assert_eq!(upstream.seen().len(), 10);
}
