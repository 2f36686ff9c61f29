//! The program: which uploads it commits.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use countersign::{PayloadDigest, Secret, Signer, SigningKey};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tempfile::TempDir;

const KEY: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

/// The running service, stopped when dropped.
struct Service {
    child: Child,
    authority: String,
    directory: TempDir,
}

impl Service {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_uploads"))
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("SERVICE_SECRETS", format!("{{\"billing\":\"{KEY}\"}}"))
            .env("UPLOAD_DIR", directory.path())
            .env_remove("ROTATING_SERVICE_SECRETS")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let authority = line
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .trim_end()
            .to_owned();
        Self {
            child,
            authority,
            directory,
        }
    }

    /// Signs a request with the body `declared`, and sends it with the body `sent`.
    async fn send(
        &self,
        method: Method,
        path: &str,
        declared: &[u8],
        sent: impl Into<Bytes>,
    ) -> (StatusCode, Bytes) {
        let key = SigningKey::hmac_sha256(&Secret::from_hex(KEY).unwrap());
        let signer = Signer::new("billing", key, [self.authority.as_str()]).unwrap();
        let uri = format!("http://{}{path}", self.authority);
        let request = Request::builder().method(method).uri(uri);
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let now = std::time::SystemTime::now().into();
        let signature = signer.sign(&parts, PayloadDigest::of(declared), now);
        signature.unwrap().apply(&mut parts);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::from_parts(parts, Full::<Bytes>::new(sent.into()));
        let answer = client.request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap();
        (status, body.to_bytes())
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory.path()).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The program may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

const MODES: [&str; 2] = ["streamed", "spilled"];

#[tokio::test]
async fn a_verified_upload_is_committed_and_can_be_downloaded() {
    let service = Service::start();
    for mode in MODES {
        for body in [vec![], b"hello world".to_vec(), vec![7; 3_000_000]] {
            let path = format!("/{mode}/{mode}.txt");
            let put = service.send(Method::PUT, &path, &body, body.clone());
            assert_eq!(put.await.0, 201, "{mode}");
            let path = format!("/files/{mode}.txt");
            let (status, found) = service.send(Method::GET, &path, b"", "").await;
            assert_eq!((status.as_u16(), found.len()), (200, body.len()), "{mode}");
            assert!(found == body, "{mode}");
        }
    }
    assert_eq!(service.files().len(), MODES.len());
    let (status, _) = service.send(Method::GET, "/files/other", b"", "").await;
    assert_eq!(status, 404);
}

/// The transcript in the documentation.
#[tokio::test]
async fn a_tampered_upload_commits_nothing() {
    let service = Service::start();
    for mode in MODES {
        let path = format!("/{mode}/report.txt");
        let (status, answer) = service
            .send(Method::PUT, &path, b"hello world", "hello worle")
            .await;
        assert_eq!(status, 401, "{mode}");
        assert_eq!(answer, "{\"error\":\"body_mismatch\"}", "{mode}");
        let (mut large, signed) = (vec![1; 1_000_000], vec![1; 1_000_000]);
        *large.last_mut().unwrap() = 2;
        let (status, _) = service.send(Method::PUT, &path, &signed, large).await;
        assert_eq!(status, 401, "{mode}");
        let (status, _) = service
            .send(Method::GET, "/files/report.txt", b"", "")
            .await;
        assert_eq!(status, 404, "{mode}");
        assert!(service.files().is_empty(), "{mode}: {:?}", service.files());
    }
}

#[tokio::test]
async fn a_name_that_is_no_file_name_is_refused() {
    let service = Service::start();
    let outside = service.directory.path().parent().unwrap().join("outside");
    for mode in MODES {
        for name in [".hidden", "..", "%2e%2e%2foutside", "a%2fb", "a%20b", "%00"] {
            let path = format!("/{mode}/{name}");
            let (status, _) = service.send(Method::PUT, &path, b"body", "body").await;
            assert!(status.is_client_error(), "{path}: {status}");
        }
    }
    assert!(service.files().is_empty());
    assert!(!Path::exists(&outside));
}

/// Files that hold unverified bytes have no name, so a crash leaves nothing of them.
#[tokio::test]
async fn a_process_that_is_killed_leaves_no_part_of_a_spilled_body() {
    use tokio::io::AsyncWriteExt;

    let mut service = Service::start();
    let head = {
        let key = SigningKey::hmac_sha256(&Secret::from_hex(KEY).unwrap());
        let signer = Signer::new("billing", key, [service.authority.as_str()]).unwrap();
        let uri = format!("http://{}/spilled/large", service.authority);
        let (mut parts, ()) = Request::put(uri).body(()).unwrap().into_parts();
        let now = std::time::SystemTime::now().into();
        let signature = signer.sign(&parts, PayloadDigest::of(&[1; 9]), now);
        signature.unwrap().apply(&mut parts);
        let lines = parts
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
        format!(
            "PUT /spilled/large HTTP/1.1\r\nhost: {}\r\ncontent-length: 9000000\r\n{}\r\n",
            service.authority,
            lines.collect::<String>()
        )
    };
    let mut connection = tokio::net::TcpStream::connect(&service.authority)
        .await
        .unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    // Larger than the part in memory and the buffers of the sockets together.
    connection.write_all(&vec![1; 8_000_000]).await.unwrap();
    assert!(service.files().is_empty(), "while it is written");
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    assert!(service.files().is_empty(), "after the end");
}
