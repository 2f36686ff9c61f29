//! Limits the time that a peer takes to send a body. It counts only while the peer is waited for.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

/// The duration that tokio uses for a sleep without an end.
const NEVER: Duration = Duration::from_secs(86_400 * 365 * 30);

/// The limits on a sender's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeLimits {
    /// The time from the first wait to the end of the body, in wall-clock time.
    pub(crate) deadline: Duration,
    /// The longest wait for a byte.
    pub(crate) idle: Duration,
    /// The least rate, in bytes for each second of waiting. It applies after `idle` has been spent
    /// waiting. 0 is no least rate.
    pub(crate) least_rate: u64,
}

impl TimeLimits {
    /// Returns limits with only a deadline.
    pub(crate) const fn deadline(deadline: Duration) -> Self {
        Self {
            deadline,
            idle: Duration::MAX,
            least_rate: 0,
        }
    }

    /// Returns the time that may have been spent waiting for this number of bytes.
    fn allowed(&self, received: u64) -> Duration {
        let Some(micros) = received
            .saturating_mul(1_000_000)
            .checked_div(self.least_rate)
        else {
            return Duration::MAX;
        };
        self.idle.saturating_add(Duration::from_micros(micros))
    }
}

/// The limit that a sender exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    Deadline,
    Idle,
    Rate,
}

pin_project! {
    /// The timer of one body. Most bodies arrive at once and need no timer.
    #[derive(Debug)]
    pub(crate) struct BodyTimer {
        limits: TimeLimits,
        deadline: Instant,
        // The sum of the completed waits.
        waited: Duration,
        waiting_since: Option<Instant>,
        #[pin]
        sleep: Sleep,
    }
}

impl BodyTimer {
    /// Starts a timer. Call this at the first wait for the sender.
    pub(crate) fn start(limits: TimeLimits) -> Pin<Box<Self>> {
        let now = Instant::now();
        let deadline = after(now, limits.deadline);
        Box::pin(Self {
            limits,
            deadline,
            waited: Duration::ZERO,
            waiting_since: None,
            sleep: sleep_until(deadline),
        })
    }

    /// Ends the current wait, because a frame has arrived.
    pub(crate) fn arrived(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(since) = this.waiting_since.take() {
            *this.waited = this.waited.saturating_add(since.elapsed());
        }
    }

    /// Returns `Ready` when the sender exceeded a limit. `received` is the number of bytes that
    /// have arrived.
    pub(crate) fn poll_late(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        received: u64,
    ) -> Poll<Late> {
        let mut this = self.project();
        if this.waiting_since.is_none() {
            let since = *this.waiting_since.insert(Instant::now());
            let left = this.limits.allowed(received).saturating_sub(*this.waited);
            let wake = after(since, left.min(this.limits.idle)).min(*this.deadline);
            this.sleep.as_mut().reset(wake);
        }
        // A body that is always ready uses up the task's budget. The timer must fire even then.
        ready!(Pin::new(&mut unconstrained(this.sleep.as_mut())).poll(cx));
        let wake = this.sleep.deadline();
        let idle = this
            .waiting_since
            .map(|since| after(since, this.limits.idle));
        Poll::Ready(if wake >= *this.deadline {
            Late::Deadline
        } else if idle.is_some_and(|idle| wake >= idle) {
            Late::Idle
        } else {
            Late::Rate
        })
    }
}

fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time.min(NEVER)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{advance, sleep};

    use super::*;

    const SECOND: Duration = seconds(1);
    const TENTH: Duration = Duration::from_millis(100);

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn time_limits() -> TimeLimits {
        TimeLimits {
            deadline: seconds(20),
            idle: seconds(2),
            least_rate: 100,
        }
    }

    /// Waits until the sender is late, for `time` at most.
    async fn wait(timer: &mut Pin<Box<BodyTimer>>, received: u64, time: Duration) -> Option<Late> {
        let late = poll_fn(|cx| timer.as_mut().poll_late(cx, received));
        tokio::select! {
            biased;
            late = late => Some(late),
            () = sleep(time) => {
                timer.as_mut().arrived();
                None
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_sends_nothing_is_late_after_the_idle_time() {
        let mut timer = BodyTimer::start(time_limits());
        assert_eq!(wait(&mut timer, 0, seconds(2)).await, Some(Late::Idle));
        let mut timer = BodyTimer::start(time_limits());
        let short = Duration::from_millis(1_998);
        assert_eq!(wait(&mut timer, 0, short).await, None);
        assert_eq!(wait(&mut timer, 1_000, short).await, None);
        assert_eq!(wait(&mut timer, 1_000, seconds(3)).await, Some(Late::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_below_the_least_rate_is_late_after_the_idle_time() {
        let mut timer = BodyTimer::start(time_limits());
        let begun = Instant::now();
        let mut late = None;
        for received in (0..).step_by(50) {
            late = wait(&mut timer, received, SECOND).await;
            if late.is_some() {
                break;
            }
        }
        assert_eq!(late, Some(Late::Rate));
        let took = begun.elapsed();
        assert!((seconds(2)..=seconds(4)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_keeps_the_least_rate_has_until_the_deadline() {
        let mut timer = BodyTimer::start(time_limits());
        let begun = Instant::now();
        let mut late = None;
        for received in (0..).step_by(110) {
            late = wait(&mut timer, received, SECOND).await;
            if late.is_some() {
                break;
            }
        }
        assert_eq!(late, Some(Late::Deadline));
        assert!(begun.elapsed() >= seconds(20));
    }

    /// Back-pressure and hashing are not the sender's fault.
    #[tokio::test(start_paused = true)]
    async fn time_without_a_wait_counts_only_towards_the_deadline() {
        let mut timer = BodyTimer::start(time_limits());
        for _ in 0..4 {
            assert_eq!(wait(&mut timer, 1, TENTH).await, None);
            advance(seconds(4)).await;
        }
        assert_eq!(wait(&mut timer, 1, TENTH).await, None);
        advance(seconds(4)).await;
        let late = wait(&mut timer, 1, TENTH).await;
        assert_eq!(late, Some(Late::Deadline));
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_deadline_only_a_sender_may_send_nothing_until_then() {
        let mut timer = BodyTimer::start(TimeLimits::deadline(seconds(5)));
        assert_eq!(wait(&mut timer, 0, seconds(4)).await, None);
        assert_eq!(wait(&mut timer, 0, seconds(4)).await, Some(Late::Deadline));
        let mut timer = BodyTimer::start(TimeLimits::deadline(Duration::MAX));
        assert_eq!(wait(&mut timer, 0, seconds(3600)).await, None);
    }
}
