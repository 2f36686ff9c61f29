//! Servers on loopback, on a port the system picks, stopped when dropped.

use std::net::SocketAddr;

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

/// A running server.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves a router over HTTP/1.1 and HTTP/2 without TLS.
    pub async fn axum(app: Router) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), app)
    }

    /// The same on a listener that is there already, for an app that must know its own address.
    pub fn on(listener: std::net::TcpListener, app: Router) -> Self {
        listener.set_nonblocking(true).unwrap();
        Self::serve(TcpListener::from_std(listener).unwrap(), app)
    }

    fn serve(listener: TcpListener, app: Router) -> Self {
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { addr, task }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `127.0.0.1:port`.
    pub fn authority(&self) -> String {
        self.addr.to_string()
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
