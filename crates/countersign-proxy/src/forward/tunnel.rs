//! Carries the bytes of an upgraded connection.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional},
    time::{Instant, sleep},
};

/// Carries bytes both ways until one side ends or no byte moves for `idle`. `kept` is dropped at
/// the end: it holds the shutdown of the proxy back.
pub(super) async fn carry<G>(client: OnUpgrade, upstream: OnUpgrade, idle: Duration, kept: G) {
    let carried = async {
        let (client, upstream) = tokio::try_join!(client, upstream).ok()?;
        let (mut client, activity) = Watched::new(TokioIo::new(client));
        let mut upstream = TokioIo::new(upstream);
        tokio::select! {
            copied = copy_bidirectional(&mut client, &mut upstream) => copied.ok(),
            () = activity.stops_for(idle) => None,
        }
    };
    // The bytes are not HTTP and not verified, so nothing is said about them.
    carried.await;
    drop(kept);
}

/// A stream whose reads and writes are noted.
pub(crate) struct Watched<T> {
    inner: T,
    activity: Activity,
}

/// When a stream moved bytes last.
#[derive(Clone)]
pub(crate) struct Activity {
    since: Instant,
    /// In milliseconds after `since`.
    last: Arc<AtomicU64>,
}

impl<T> Watched<T> {
    pub(crate) fn new(inner: T) -> (Self, Activity) {
        let activity = Activity {
            since: Instant::now(),
            last: Arc::default(),
        };
        let watched = Self {
            inner,
            activity: activity.clone(),
        };
        (watched, activity)
    }
}

impl Activity {
    fn note(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Waits until no byte has moved for `idle`.
    pub(crate) async fn stops_for(&self, idle: Duration) {
        loop {
            let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let quiet = self.since.elapsed().saturating_sub(last);
            match idle.checked_sub(quiet) {
                None | Some(Duration::ZERO) => return,
                Some(rest) => sleep(rest).await,
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if read.is_ready() {
            self.activity.note();
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        if written.is_ready() {
            self.activity.note();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
