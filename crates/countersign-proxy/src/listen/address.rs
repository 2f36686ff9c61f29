//! Where a proxy listens.

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    task::{Context, Poll},
};

use countersign::{ConfigError, ConfigErrorKind};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::forward::Io;

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListenAddress {
    /// A TCP address. Port 0 takes a free port.
    Tcp(SocketAddr),
    /// The path of a Unix domain socket.
    Unix(PathBuf),
}

impl FromStr for ListenAddress {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.starts_with('/') {
                return Ok(Self::Unix(PathBuf::from(path)));
            }
        } else if let Ok(address) = text.parse() {
            return Ok(Self::Tcp(address));
        }
        Err(ConfigError::new(
            ConfigErrorKind::Setting,
            format!("listen {text:?}: expected an address and a port, or unix:/path"),
        ))
    }
}

impl ListenAddress {
    /// Returns whether only processes of this host can connect.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => is_loopback(address.ip()),
            Self::Unix(_) => true,
        }
    }

    /// Binds the address. A Unix socket gets `mode` before it appears at its path, and replaces a
    /// socket that nobody listens on.
    pub(crate) async fn bind(&self, mode: u32) -> io::Result<Bound> {
        match self {
            Self::Tcp(address) => Ok(Bound::Tcp(TcpListener::bind(address).await?)),
            Self::Unix(path) => bind_unix(path, mode).await,
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

async fn bind_unix(path: &Path, mode: u32) -> io::Result<Bound> {
    if UnixStream::connect(path).await.is_ok() {
        return Err(io::Error::from(io::ErrorKind::AddrInUse));
    }
    // A rename shows the socket only with its final mode. The name is as long as the path allows.
    let mut beside = path.as_os_str().to_owned();
    beside.push("~");
    let beside = PathBuf::from(beside);
    let _: io::Result<()> = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(mode))?;
    fs::rename(&beside, path)?;
    Ok(Bound::Unix(listener, path.to_owned()))
}

/// A bound address.
#[derive(Debug)]
pub(crate) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// An accepted connection.
pub(super) struct Accepted {
    pub(super) stream: Box<dyn Io>,
    /// `None` for a Unix domain socket.
    pub(super) peer: Option<SocketAddr>,
}

impl Bound {
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        Ok(match self {
            Self::Tcp(listener) => ListenAddress::Tcp(listener.local_addr()?),
            Self::Unix(_, path) => ListenAddress::Unix(path.clone()),
        })
    }

    /// Returns the next connection, and the address of its peer.
    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(cx).map(|accepted| {
                let (stream, peer) = accepted?;
                stream.set_nodelay(true)?;
                Ok(Accepted {
                    stream: Box::new(stream),
                    peer: Some(peer),
                })
            }),
            Self::Unix(listener, _) => listener.poll_accept(cx).map(|accepted| {
                let (stream, _) = accepted?;
                Ok(Accepted {
                    stream: Box::new(stream),
                    peer: None,
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, is_local) in [
            ("127.0.0.1:0", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("0.0.0.0:80", false),
            ("unix:/run/a.sock", true),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.is_local(), is_local, "{text}");
        }
        for text in ["", "80", "localhost:80", "127.0.0.1", "unix:a", "unix:"] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_unix_socket_has_its_mode_and_is_not_taken_over() {
        let path = std::env::temp_dir().join(format!("countersign-{}.sock", std::process::id()));
        let address = ListenAddress::Unix(path.clone());
        let bound = address.bind(0o600).await.unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let taken = address.bind(0o600).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        drop(bound);
        assert!(address.bind(0o600).await.is_ok(), "nobody listens any more");
        fs::remove_file(path).unwrap();
    }
}
