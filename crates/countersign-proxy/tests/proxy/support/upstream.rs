//! A careless upstream: it believes every header and logs what it saw.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    task::JoinHandle,
};

use super::raw::values;

/// One request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The request line and the headers, as they arrived.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A running upstream.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) addr: Option<SocketAddr>,
    log: Log,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug, Default)]
struct Log {
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

impl Upstream {
    /// Answers every request with `ok`.
    pub(crate) async fn careless() -> Self {
        Self::answering(OK).await
    }

    /// Answers every request with these bytes.
    pub(crate) async fn answering(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (log, answer): (Log, Arc<str>) = (Log::default(), answer.into());
        let to = log.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(connection(stream, to.clone(), Arc::clone(&answer)));
            }
        });
        let addr = Some(addr);
        Self { addr, log, task }
    }

    /// Answers every request on a Unix domain socket with `ok`.
    pub(crate) fn on_unix(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let log = Log::default();
        let to = log.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(connection(stream, to.clone(), OK.into()));
            }
        });
        let addr = None;
        Self { addr, log, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr.unwrap())
    }

    /// Returns every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    /// Returns the one request that arrived.
    pub(crate) fn one(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen[0].clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.log.connections.lock().unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    /// The lines of a header by its exact name.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        values(&self.head, name)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|it| it.split_once(':'));
        lines.map(|(name, _)| name.to_ascii_lowercase()).collect()
    }
}

async fn connection<S>(mut stream: S, log: Log, answer: Arc<str>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    *log.connections.lock().unwrap() += 1;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let Some(body) = body(&mut stream, &head).await else {
            return;
        };
        log.seen.lock().unwrap().push(Seen { head, body });
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if answer.contains("connection: close") || answer.is_empty() {
            let _: Result<(), _> = stream.shutdown().await;
            return;
        }
    }
}

/// Reads a body as its first header of framing says.
async fn body<S: AsyncRead + Unpin>(stream: &mut S, head: &str) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if values(head, "transfer-encoding").is_empty() {
        let length = values(head, "content-length");
        let length = length.first().map_or(0, |length| length.parse().unwrap());
        body.resize(length, 0);
        stream.read_exact(&mut body).await.ok()?;
        return Some(body);
    }
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(stream.read_u8().await.ok()?);
        }
        let line = String::from_utf8(line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).await.ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
