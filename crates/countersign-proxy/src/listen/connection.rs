//! Serves connections within limits.

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header::CONNECTION};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    sync::{Notify, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower_countersign::{BoxError, ConnectionId};

use super::{
    Draining, Guard,
    address::{Accepted, Bound},
    per_address::PerAddress,
};
use crate::{
    events,
    forward::{AnswerBody, Io},
};

/// How long a connection without a request is kept when draining has begun. A client may have sent
/// a request that has not arrived yet.
const DRAIN_GRACE: Duration = Duration::from_millis(500);

/// The pause after an error of `accept`, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Limits on connections and on the heads of requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// All connections of a listener. More wait in the queue of the operating system.
    pub(crate) total: usize,
    /// The connections of one address. More are closed at once.
    pub(crate) per_address: usize,
    /// How long a connection may be without a request.
    pub(crate) idle: Duration,
    pub(crate) head_bytes: usize,
    pub(crate) head_count: usize,
    pub(crate) head_timeout: Duration,
}

/// Answers the requests of a listener.
pub(crate) trait Handler: Send + Sync + 'static {
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<AnswerBody>> + Send;
}

/// The peer of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) section: Arc<str>,
    /// `None` for a Unix domain socket.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) connection: ConnectionId,
    pub(crate) proto: &'static str,
    pub(crate) guard: Guard,
}

/// A bound address, ready to be served.
pub(crate) struct Listener {
    pub(crate) section: Arc<str>,
    pub(crate) bound: Bound,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) limits: ConnectionLimits,
    pub(crate) draining: Draining,
    pub(crate) guard: Guard,
}

impl Listener {
    /// Accepts connections until draining begins, and then those that wait in the queue.
    pub(crate) async fn serve<H: Handler>(self, handler: Arc<H>) {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let Self {
            section,
            bound,
            tls,
            limits,
            mut draining,
            guard,
        } = self;
        let places = Arc::new(Semaphore::new(limits.total));
        let per_address = PerAddress::new(limits.per_address);
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let Some(accepted) = next(&bound, &mut draining).await else {
                return;
            };
            let Accepted { stream, peer } = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    events::accept_failed(&error);
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let of_address = match peer {
                None => None,
                Some(address) => match per_address.take(address.ip()) {
                    Some(place) => Some(place),
                    None => continue,
                },
            };
            let peer = Peer {
                section: Arc::clone(&section),
                address: peer,
                connection: ConnectionId::new(CONNECTIONS.fetch_add(1, Ordering::Relaxed)),
                proto: if tls.is_some() { "https" } else { "http" },
                guard: guard.clone(),
            };
            let (handler, draining, tls) = (Arc::clone(&handler), draining.clone(), tls.clone());
            let open = events::ConnectionCount::begin(&section);
            tokio::spawn(async move {
                if let Some(stream) = secured(stream, tls, limits.head_timeout).await {
                    connection(stream, peer, handler, limits, draining).await;
                }
                drop((place, of_address, open));
            });
        }
    }
}

/// Returns the stream inside TLS. `None` if the peer does not complete the handshake in time.
async fn secured(
    stream: Box<dyn Io>,
    tls: Option<TlsAcceptor>,
    within: Duration,
) -> Option<Box<dyn Io>> {
    let Some(tls) = tls else { return Some(stream) };
    let stream = timeout(within, tls.accept(stream)).await.ok()?.ok()?;
    Some(Box::new(stream))
}

/// Returns the next connection. When draining has begun, returns those that wait, then `None`.
async fn next(bound: &Bound, draining: &mut Draining) -> Option<io::Result<Accepted>> {
    if !draining.has_begun() {
        tokio::select! {
            accepted = poll_fn(|cx| bound.poll_accept(cx)) => return Some(accepted),
            () = draining.begins() => {}
        }
    }
    poll_fn(|cx| match bound.poll_accept(cx) {
        Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn connection<H: Handler>(
    stream: Box<dyn Io>,
    peer: Peer,
    handler: Arc<H>,
    limits: ConnectionLimits,
    draining: Draining,
) {
    let requests = Arc::new(Requests::default());
    let service = service_fn(|request: Request<Incoming>| {
        let (handler, peer) = (Arc::clone(&handler), peer.clone());
        let (open, draining) = (Requests::begin(&requests), draining.clone());
        async move {
            let version = request.version();
            let section = Arc::clone(&peer.section);
            let mut response = handler.answer(request, peer).await;
            events::answered(&section, response.status());
            if draining.has_begun() && version < Version::HTTP_2 {
                let is_upgrade = response.status() == http::StatusCode::SWITCHING_PROTOCOLS;
                if !is_upgrade {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
            }
            let response = response.map(|inner| Answered { inner, _open: open });
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let builder = builder(&limits);
    let mut serving = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let idle = pin!(requests.are_over(&limits, draining.clone()));
    tokio::select! {
        // A peer that breaks the protocol or goes away is no event.
        _ = serving.as_mut() => return,
        () = idle => serving.as_mut().graceful_shutdown(),
    }
    // Ends the requests that came meanwhile. A peer that does not take the end is cut off.
    let over = async {
        loop {
            sleep(limits.head_timeout).await;
            if requests.count.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    };
    tokio::select! {
        _ = serving.as_mut() => {}
        () = over => {}
    }
}

fn builder(limits: &ConnectionLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.head_count);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(200)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(128)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.head_timeout);
    builder
}

/// The open requests of a connection.
#[derive(Debug, Default)]
struct Requests {
    count: AtomicUsize,
    /// Whether there was one.
    any: AtomicBool,
    changed: Notify,
}

/// One open request, from its head to the end of its answer.
struct Open(Arc<Requests>);

impl Requests {
    fn begin(this: &Arc<Self>) -> Open {
        this.count.fetch_add(1, Ordering::Relaxed);
        this.any.store(true, Ordering::Relaxed);
        this.changed.notify_one();
        Open(Arc::clone(this))
    }

    /// Waits until the connection has had no request for as long as it may.
    async fn are_over(&self, limits: &ConnectionLimits, mut draining: Draining) {
        loop {
            let changed = self.changed.notified();
            let is_draining = draining.has_begun();
            let wait = match (self.count.load(Ordering::Relaxed), is_draining) {
                (0, true) => DRAIN_GRACE,
                (0, false) if self.any.load(Ordering::Relaxed) => limits.idle,
                (0, false) => limits.head_timeout,
                // The answer is the last on this connection.
                (_, true) => return,
                (_, false) => Duration::MAX,
            };
            tokio::select! {
                () = changed => {}
                () = draining.begins(), if !is_draining => {}
                () = sleep(wait) => return,
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// The body of an answer, which ends the request when it is dropped.
struct Answered {
    inner: AnswerBody,
    _open: Open,
}

impl Body for Answered {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.get_mut().inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
