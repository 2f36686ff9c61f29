//! Three replicas in three processes, with every request sent to all of them at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::Request;
use tests::{redis::RedisServer, signed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 48;

struct Replica {
    child: Child,
    port: u16,
}

impl Replica {
    fn start(url: &str, ahead: i64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_replica"))
            .args([url, &ahead.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A keep-alive connection.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Returns the status and the body of the response.
    async fn send(&mut self, request: &[u8]) -> (u16, String) {
        self.stream.write_all(request).await.unwrap();
        self.read.clear();
        loop {
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk).await.unwrap();
            assert!(read > 0, "the replica closed the connection");
            self.read.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&self.read);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.unwrap().parse::<usize>().unwrap() {
                return (head[9..12].parse().unwrap(), body.to_owned());
            }
        }
    }
}

fn request() -> Vec<u8> {
    let request: Request<Bytes> = signed::now(&signed::billing(), signed::get("/"));
    let (parts, _) = request.into_parts();
    format!("{}\r\n", signed::head(&parts)).into_bytes()
}

/// The replicas' clocks differ by 5 seconds, the greatest allowed difference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn of_each_of_100_000_requests_to_three_replicas_exactly_one_copy_is_handled() {
    let server = RedisServer::start(&[]);
    let url = server.url();
    let replicas = Arc::new([0, -2, 3].map(|ahead| Replica::start(&url, ahead)));
    let next = Arc::new(AtomicUsize::new(0));
    let handled = Arc::new([(); 3].map(|()| AtomicUsize::new(0)));
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (next, handled) = (Arc::clone(&next), Arc::clone(&handled));
            let replicas = Arc::clone(&replicas);
            tokio::spawn(async move {
                let mut one = Connection::to(replicas[0].port).await;
                let mut two = Connection::to(replicas[1].port).await;
                let mut three = Connection::to(replicas[2].port).await;
                while next.fetch_add(1, Ordering::SeqCst) < REQUESTS {
                    let request = request();
                    let answers =
                        tokio::join!(one.send(&request), two.send(&request), three.send(&request));
                    let answers = [answers.0, answers.1, answers.2];
                    let mut accepted = 0;
                    for (replica, (status, body)) in answers.iter().enumerate() {
                        match (status, &**body) {
                            (200, "handled") => {
                                accepted += 1;
                                handled[replica].fetch_add(1, Ordering::SeqCst);
                            }
                            (401, r#"{"error":"replayed"}"#) => {}
                            other => panic!("{other:?}"),
                        }
                    }
                    assert_eq!(accepted, 1, "{answers:?}");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let handled = handled
        .each_ref()
        .map(|handled| handled.load(Ordering::SeqCst));
    assert_eq!(handled.iter().sum::<usize>(), REQUESTS);
    assert!(
        handled.iter().all(|handled| *handled > 0),
        "each replica wins sometimes: {handled:?}"
    );
    assert_eq!(server.cli(&["dbsize"]), REQUESTS.to_string());
}
