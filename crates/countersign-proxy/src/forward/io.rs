//! A byte stream of any kind.

use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream: TCP, Unix or TLS.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}
