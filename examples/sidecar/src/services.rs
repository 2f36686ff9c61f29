//! Starts the services: in Python and Node, or in Rust where the language is missing.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, UnixListener},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};
use tower_countersign::BoxError;

use crate::in_rust;

const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/services/orders.py");
const LEDGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/services/ledger.mjs");

/// The longest time for an interpreter to start.
const START: Duration = Duration::from_secs(10);

/// The service behind `proxy verify` that calls another service.
pub(crate) struct Orders {
    addr: SocketAddr,
    service: Service,
}

/// The service that is called.
pub(crate) struct Ledger(Service);

/// A running service, which ends with this value.
struct Service {
    language: String,
    _running: Box<dyn Send>,
}

impl Orders {
    pub(crate) async fn start(ledger: SocketAddr, secret: &str) -> Result<Self, BoxError> {
        let mut python = Command::new("python3");
        python.args([ORDERS, "0"]);
        python.env("LEDGER", ledger.to_string());
        python.env("PROXY_SECRET", secret);
        match run("python3", python).await {
            Ok((service, line)) => {
                let addr = line.parse()?;
                Ok(Self { addr, service })
            }
            Err(missing) => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let addr = listener.local_addr()?;
                let app = in_rust::orders(ledger, secret);
                let task = tokio::spawn(async { axum::serve(listener, app).await });
                let service = Service::in_rust(&missing, task);
                Ok(Self { addr, service })
            }
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn language(&self) -> &str {
        &self.service.language
    }
}

impl Ledger {
    pub(crate) async fn start(socket: &Path) -> Result<Self, BoxError> {
        let mut node = Command::new("node");
        node.arg(LEDGER).arg(socket);
        match run("node", node).await {
            Ok((service, _)) => Ok(Self(service)),
            Err(missing) => {
                let listener = UnixListener::bind(socket)?;
                let app = in_rust::ledger();
                let task = tokio::spawn(async { axum::serve(listener, app).await });
                Ok(Self(Service::in_rust(&missing, task)))
            }
        }
    }

    pub(crate) fn language(&self) -> &str {
        &self.0.language
    }
}

impl Service {
    fn in_rust<T: Send + 'static>(missing: &str, task: JoinHandle<T>) -> Self {
        Self {
            language: format!("in Rust, because {missing}"),
            _running: Box::new(Aborted(task)),
        }
    }
}

/// A task that ends with this value.
struct Aborted<T>(JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a program, and waits for the line that it prints when it listens. Otherwise returns what
/// is missing.
async fn run(name: &str, mut program: Command) -> Result<(Service, String), String> {
    let version = version(name).await?;
    program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child: Child = program
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    let stdout = child.stdout.take();
    let stdout = stdout.ok_or_else(|| format!("{name} has no output"))?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(START, lines.next_line()).await;
    match line {
        Ok(Ok(Some(line))) => {
            let service = Service {
                language: version,
                _running: Box::new((child, lines)),
            };
            Ok((service, line))
        }
        _ => Err(format!("{version} does not run it")),
    }
}

/// Asks a program for its version, such as `Python 3.11.7`.
async fn version(name: &str) -> Result<String, String> {
    let mut command = Command::new(name);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(START, command.output()).await;
    match output {
        Ok(Ok(output)) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout);
            let version = version.trim();
            Ok(if version.starts_with('v') {
                format!("{name} {version}")
            } else {
                version.to_owned()
            })
        }
        _ => Err(format!("{name} is not installed")),
    }
}
