//! Drains the body of a refused request.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Buf;
use countersign::RejectionKind;
use http::{
    Version,
    header::{CONTENT_LENGTH, EXPECT},
    request::Parts,
};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::{sync::Semaphore, time::timeout};

use crate::refusal::Refusal;

/// The number of refused bodies that are read at a time. Each may keep a connection buffer, which
/// hyper grows to 400 KiB.
const AT_ONCE: usize = 32;

/// The longest wait for a byte.
const IDLE: Duration = Duration::from_secs(1);

/// Reads the rest of a refused body and drops it, so that a peer that sends first and reads later
/// sees the refusal.
///
/// On HTTP/1.1, a server that answers and closes before it has read everything resets the
/// connection, and the answer is lost (RFC 9112 section 9.6).
#[derive(Clone, Debug)]
pub(super) struct Drain {
    bytes: u64,
    time: Duration,
    at_once: Arc<Semaphore>,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new(2 * 1024 * 1024, Duration::from_secs(3))
    }
}

impl Drain {
    pub(super) fn new(bytes: u64, time: Duration) -> Self {
        Self {
            bytes,
            time,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Returns whether draining can make the refusal arrive.
    pub(super) fn is_worth_it<B: Body>(&self, parts: &Parts, refusal: &Refusal, body: &B) -> bool {
        sends_first(parts) && self.can_end(declared(parts), refusal, body)
    }

    /// Returns whether the body can be read to its end.
    pub(super) fn can_end<B: Body>(
        &self,
        declared: Option<u64>,
        refusal: &Refusal,
        body: &B,
    ) -> bool {
        // A peer that was too slow is still too slow.
        let was_late =
            refusal.rejection().map(countersign::Rejection::kind) == Some(RejectionKind::Timeout);
        !was_late
            && !body.is_end_stream()
            // A longer body cannot be read to its end.
            && declared.unwrap_or_else(|| body.size_hint().lower()) <= self.bytes
            && self.bytes > 0
    }

    /// Reads to the end of the body or of these limits. Reads nothing if too many bodies are being
    /// read.
    pub(super) async fn read<B: Body>(&self, mut body: Pin<&mut B>) {
        let Ok(_permit) = self.at_once.try_acquire() else {
            return;
        };
        let reading = async {
            let mut left = self.bytes;
            while let Ok(Some(Ok(frame))) = timeout(IDLE, body.frame()).await {
                let len = frame.data_ref().map_or(0, Buf::remaining);
                left = left.saturating_sub(u64::try_from(len).unwrap_or(u64::MAX));
                if left == 0 {
                    return;
                }
            }
        };
        let _: Result<(), _> = timeout(self.time, reading).await;
    }
}

/// Returns whether the peer may send its whole body before it reads the answer, and then loses the
/// answer if the server closes the connection.
pub(super) fn sends_first(parts: &Parts) -> bool {
    // HTTP/2 and later end one stream and keep the connection open.
    let closes = matches!(
        parts.version,
        Version::HTTP_09 | Version::HTTP_10 | Version::HTTP_11
    );
    // A peer that sent `Expect: 100-continue` reads before it sends. Polling the body would ask for
    // it.
    closes && !parts.headers.contains_key(EXPECT)
}

/// Returns the declared length. The body itself may not know it if an outer layer has wrapped it.
fn declared(parts: &Parts) -> Option<u64> {
    let length = parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    length.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::pin,
        task::{Context, Poll},
    };

    use bytes::Bytes;
    use countersign::{BodyBound, Rejection};
    use http::{HeaderValue, Request};
    use http_body_util::{Empty, Full};

    use super::*;

    /// A body whose peer sends nothing and keeps the connection open.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    fn refusal() -> Refusal {
        Rejection::new(RejectionKind::MissingSignature, "none").into()
    }

    fn parts(version: Version) -> Parts {
        let request = Request::post("/").version(version).body(()).unwrap();
        request.into_parts().0
    }

    #[test]
    fn a_body_is_read_only_where_that_can_make_the_refusal_arrive() {
        let drain = Drain::new(4, Duration::from_secs(1));
        let [four, five] = ["four", "fives"].map(Full::<Bytes>::from);
        let worth = |version| drain.is_worth_it(&parts(version), &refusal(), &four);
        assert!(worth(Version::HTTP_11) && worth(Version::HTTP_10));
        assert!(!worth(Version::HTTP_2) && !worth(Version::HTTP_3));

        let http1 = parts(Version::HTTP_11);
        assert!(!drain.is_worth_it(&http1, &refusal(), &five), "too long");
        let nothing = Empty::<&[u8]>::new();
        assert!(!drain.is_worth_it(&http1, &refusal(), &nothing), "no body");
        let late = BodyBound::Idle(IDLE);
        let late = Rejection::body(late, 0, "a setting").into();
        assert!(!drain.is_worth_it(&http1, &late, &four), "too slow");
        let mut asks = http1.clone();
        let expect = HeaderValue::from_static("100-continue");
        asks.headers.insert(EXPECT, expect);
        assert!(!drain.is_worth_it(&asks, &refusal(), &four), "listens");
        let mut declares = http1.clone();
        let five = HeaderValue::from_static("5");
        declares.headers.insert(CONTENT_LENGTH, five);
        let worth = drain.is_worth_it(&declares, &refusal(), &four);
        assert!(!worth, "declared longer");
        let off = Drain::new(0, Duration::from_secs(1));
        assert!(!off.is_worth_it(&http1, &refusal(), &four), "off");
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_32_bodies_are_read_at_a_time() {
        let drain = Drain::default();
        let mut reading = Vec::new();
        for _ in 0..AT_ONCE {
            let drain = drain.clone();
            reading.push(tokio::spawn(async move { drain.read(pin!(Silent)).await }));
        }
        tokio::task::yield_now().await;
        assert_eq!(drain.at_once.available_permits(), 0);
        let begun = tokio::time::Instant::now();
        drain.read(pin!(Silent)).await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "one too many");
        for task in reading {
            task.await.unwrap();
        }
        assert!(begun.elapsed() <= IDLE + Duration::from_millis(10));
        assert_eq!(drain.at_once.available_permits(), AT_ONCE);
    }
}
