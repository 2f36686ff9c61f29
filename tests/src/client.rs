//! hyper-util clients that send every authority to one address, so that a request can name any
//! host.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use http::Uri;
use http_body::Body;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpStream;
use tower::Service;

/// Connects to one address, whatever the URI says.
#[derive(Clone, Copy, Debug)]
pub struct Connect(SocketAddr);

impl Service<Uri> for Connect {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let addr = self.0;
        Box::pin(async move { Ok(TokioIo::new(TcpStream::connect(addr).await?)) })
    }
}

/// A client that speaks HTTP/1.1 to this address.
pub fn http1<B>(addr: SocketAddr) -> Client<Connect, B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new()).build(Connect(addr))
}

/// A client that speaks HTTP/2 to this address, over one connection without TLS.
pub fn http2<B>(addr: SocketAddr) -> Client<Connect, B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build(Connect(addr))
}
