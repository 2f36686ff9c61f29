use std::time::Duration;

use crate::{error::Rejection, timestamp::Timestamp};

/// A signed date, exactly as in the signed text, and its accepted range. Both bounds are included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    /// The name of the date's header or parameter, for a log.
    carrier: &'static str,
    signed_at: Timestamp,
    from: Timestamp,
    until: Timestamp,
}

impl Freshness {
    /// Accepts the date within `window` of the clock, in both directions.
    #[inline]
    pub(crate) fn around(carrier: &'static str, signed_at: Timestamp, window: Duration) -> Self {
        Self {
            carrier,
            signed_at,
            from: signed_at.saturating_sub(window),
            until: signed_at.saturating_add(window),
        }
    }

    /// Accepts the date from `ahead` before it until `until`, which is read from `carrier`.
    pub(crate) fn until(
        carrier: &'static str,
        signed_at: Timestamp,
        ahead: Duration,
        until: Timestamp,
    ) -> Self {
        Self {
            carrier,
            signed_at,
            from: signed_at.saturating_sub(ahead),
            until,
        }
    }

    /// Also ends the range at `until`, read from `carrier`.
    pub(crate) fn not_after(mut self, carrier: &'static str, until: Timestamp) -> Self {
        if until < self.until {
            self.until = until;
            self.carrier = carrier;
        }
        self
    }

    /// Ends the range `lifetime` after the signed date, read from `carrier`.
    pub(crate) fn lasting(mut self, carrier: &'static str, lifetime: Duration) -> Self {
        self.carrier = carrier;
        self.until = self.signed_at.saturating_add(lifetime);
        self
    }

    /// Checks the date: step 5.
    #[inline]
    pub(crate) fn judge(self, now: Timestamp) -> Result<FreshDate, Rejection> {
        let date = FreshDate(self);
        date.ensure_still_fresh(now)?;
        Ok(date)
    }
}

/// A signed date that was checked. Every parsed head holds one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreshDate(Freshness);

impl FreshDate {
    pub(crate) fn signed_at(self) -> Timestamp {
        self.0.signed_at
    }

    /// Returns the last moment at which the date is accepted.
    pub(crate) fn until(self) -> Timestamp {
        self.0.until
    }

    /// Checks the date again, because time may have passed.
    #[inline]
    pub(crate) fn ensure_still_fresh(self, now: Timestamp) -> Result<(), Rejection> {
        let Freshness {
            carrier,
            signed_at,
            from,
            until,
        } = self.0;
        if (from..=until).contains(&now) {
            return Ok(());
        }
        let bound = if now < from { from } else { until };
        let window = signed_at.abs_diff(bound);
        Err(Rejection::stale(carrier, signed_at, now, window))
    }
}
