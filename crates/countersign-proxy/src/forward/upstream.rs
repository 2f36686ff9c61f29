//! The one upstream of a proxy, and its connections.

use std::{
    fmt,
    future::Future,
    io,
    path::PathBuf,
    pin::Pin,
    str::FromStr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use countersign::{ConfigError, ConfigErrorKind};
use http::{Request, Response, Uri, uri::Authority};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{
        Client, Error,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tower_countersign::BoxError;
use tower_service::Service;

use super::{Io, UpstreamLimits};

/// The body of every request to an upstream.
pub(crate) type SentBody = UnsyncBoxBody<Bytes, BoxError>;

/// Where an upstream is: `http://host:port`, `https://host:port` or `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    scheme: Scheme,
    place: Place,
}

/// Whether requests to the upstream are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Tcp {
        authority: Authority,
        host: Box<str>,
        port: u16,
    },
    Unix(PathBuf),
}

impl FromStr for Upstream {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let wrong = || {
            ConfigError::new(
                ConfigErrorKind::Setting,
                "upstream: expected http://host:port, https://host:port or unix:/path, without a \
                 user, a path and a query",
            )
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self {
                    scheme: Scheme::Http,
                    place: Place::Unix(PathBuf::from(path)),
                })
            } else {
                Err(wrong())
            };
        }
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            Some("https") => (Scheme::Https, 443),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let has_path = uri.path() != "/" || uri.query().is_some() || text.ends_with('/');
        if has_path || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(wrong());
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Ok(Self {
            scheme,
            place: Place::Tcp {
                authority: authority.clone(),
                host: host.into(),
                port: authority.port_u16().unwrap_or(default_port),
            },
        })
    }
}

impl Upstream {
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns whether only processes of this host can be the upstream: a Unix socket or a loopback
    /// address.
    pub(crate) fn is_local(&self) -> bool {
        match &self.place {
            Place::Unix(_) => true,
            Place::Tcp { host, .. } => match host.parse::<std::net::IpAddr>() {
                Ok(address) => address.to_canonical().is_loopback(),
                Err(_) => host.eq_ignore_ascii_case("localhost"),
            },
        }
    }

    /// Returns whether a name service decides where the upstream is.
    pub(crate) fn is_named(&self) -> bool {
        match &self.place {
            Place::Unix(_) => false,
            Place::Tcp { host, .. } => host.parse::<std::net::IpAddr>().is_err(),
        }
    }

    /// Returns the authority of requests to it, as written. `None` for a Unix socket.
    pub(crate) fn authority(&self) -> Option<Authority> {
        match &self.place {
            Place::Unix(_) => None,
            Place::Tcp { authority, .. } => Some(authority.clone()),
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        match &self.place {
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
            Place::Tcp { host, port, .. } if host.contains(':') => {
                write!(f, "{scheme}://[{host}]:{port}")
            }
            Place::Tcp { host, port, .. } => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// The version of HTTP that the upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// With prior knowledge (RFC 9113 section 3.3).
    Http2,
}

/// An upstream, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) upstream: Upstream,
    pub(crate) protocol: Protocol,
    /// The roots that an `https` upstream must be certified by.
    pub(crate) tls: Option<TlsConnector>,
}

impl Target {
    /// Opens one connection.
    async fn connect(&self) -> io::Result<Box<dyn Io>> {
        let (host, stream) = match &self.upstream.place {
            Place::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await?)),
            Place::Tcp { host, port, .. } => {
                let stream = TcpStream::connect((&**host, *port)).await?;
                stream.set_nodelay(true)?;
                (host, stream)
            }
        };
        if self.upstream.scheme == Scheme::Http {
            return Ok(Box::new(stream));
        }
        let Some(tls) = &self.tls else {
            return Err(io::Error::other("expected the settings of TLS, found none"));
        };
        let name = ServerName::try_from(host.to_string()).map_err(io::Error::other)?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}

/// A client of one upstream.
#[derive(Clone)]
pub(super) struct UpstreamClient {
    client: Client<Connector, SentBody>,
    pub(super) protocol: Protocol,
    pub(super) scheme: Scheme,
}

impl UpstreamClient {
    pub(super) fn new(target: Target, limits: &UpstreamLimits) -> Self {
        let (protocol, scheme) = (target.protocol, target.upstream.scheme);
        let connector = Connector {
            target: Arc::new(target),
            deadline: limits.connect,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle)
            .http2_only(protocol == Protocol::Http2)
            .timer(TokioTimer::new())
            // The proxy sets `Host` to the signed authority, and never to the upstream's.
            .set_host(false)
            .build(connector);
        Self {
            client,
            protocol,
            scheme,
        }
    }

    /// Sends a request. The URI gives the authority and the target, never the place.
    pub(super) async fn send(
        &self,
        request: Request<SentBody>,
    ) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }
}

/// Connects to one upstream, whatever the URI says.
#[derive(Clone)]
struct Connector {
    target: Arc<Target>,
    deadline: Duration,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<UpstreamStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<UpstreamStream>>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let Self { target, deadline } = self.clone();
        Box::pin(async move {
            let connected = timeout(deadline, target.connect()).await;
            let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(TokioIo::new(UpstreamStream(stream)))
        })
    }
}

/// A connection to the upstream.
struct UpstreamStream(Box<dyn Io>);

impl Connection for UpstreamStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for UpstreamStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for UpstreamStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

impl Scheme {
    pub(crate) fn of_uri(self) -> http::uri::Scheme {
        match self {
            Self::Http => http::uri::Scheme::HTTP,
            Self::Https => http::uri::Scheme::HTTPS,
        }
    }
}

/// Builds the URI of a request from an authority and the target's bytes.
pub(crate) fn uri(scheme: Scheme, authority: Authority, target: &Uri) -> Option<Uri> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme.of_uri());
    parts.authority = Some(authority);
    parts.path_and_query = Some(target.path_and_query()?.clone());
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_place_and_nothing_more() {
        for (text, shown, is_local, is_named) in [
            (
                "http://127.0.0.1:8000",
                "http://127.0.0.1:8000",
                true,
                false,
            ),
            ("http://localhost:8000", "http://localhost:8000", true, true),
            ("http://[::1]:8000", "http://[::1]:8000", true, false),
            ("http://orders", "http://orders:80", false, true),
            ("https://orders", "https://orders:443", false, true),
            ("http://192.0.2.1:80", "http://192.0.2.1:80", false, false),
            (
                "unix:/run/orders.sock",
                "unix:/run/orders.sock",
                true,
                false,
            ),
        ] {
            let upstream: Upstream = text.parse().unwrap();
            assert_eq!(upstream.to_string(), shown);
            assert_eq!(upstream.is_local(), is_local, "{text}");
            assert_eq!(upstream.is_named(), is_named, "{text}");
        }
        for text in [
            "",
            "orders:80",
            "ftp://orders",
            "http://orders/",
            "http://orders/path",
            "http://orders?x",
            "http://user:word@orders",
            "unix:orders.sock",
            "unix:",
        ] {
            let refused = text.parse::<Upstream>().unwrap_err().to_string();
            assert!(!refused.contains("word"), "{refused}");
        }
    }

    #[test]
    fn the_bytes_of_a_target_are_kept() {
        for target in ["/", "//a//b", "/%2F%2e", "/a;b?c&&d+", "*"] {
            let authority = Authority::from_static("A:1");
            let sent = uri(Scheme::Http, authority, &target.parse().unwrap()).unwrap();
            assert_eq!(sent.path_and_query().unwrap().as_str(), target);
            assert_eq!(sent.authority().unwrap().as_str(), "A:1");
        }
    }
}
