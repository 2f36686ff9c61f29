use std::time::Duration;

use crate::{error::Rejection, timestamp::Timestamp};

/// A signed date, the very one that is part of the signed text, and when it is accepted: both
/// bounds are included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    /// What carries the date, for a log.
    carrier: &'static str,
    signed_at: Timestamp,
    from: Timestamp,
    until: Timestamp,
}

impl Freshness {
    /// As far from the signed date as this, on either side.
    pub(crate) fn around(carrier: &'static str, signed_at: Timestamp, window: Duration) -> Self {
        Self {
            carrier,
            signed_at,
            from: signed_at.saturating_sub(window),
            until: signed_at.saturating_add(window),
        }
    }

    /// The same, but no longer than until then, as `carrier` says.
    pub(crate) fn not_after(mut self, carrier: &'static str, until: Timestamp) -> Self {
        if until < self.until {
            self.until = until;
            self.carrier = carrier;
        }
        self
    }

    /// The same, but for as long after the signed date as this, as `carrier` says.
    pub(crate) fn lasting(mut self, carrier: &'static str, lifetime: Duration) -> Self {
        self.carrier = carrier;
        self.until = self.signed_at.saturating_add(lifetime);
        self
    }

    /// Judges the date: step 5.
    pub(crate) fn judge(self, now: Timestamp) -> Result<FreshDate, Rejection> {
        let date = FreshDate(self);
        date.ensure_still_fresh(now)?;
        Ok(date)
    }
}

/// A signed date that was judged. There is no head that was read without one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreshDate(Freshness);

impl FreshDate {
    pub(crate) fn signed_at(self) -> Timestamp {
        self.0.signed_at
    }

    /// The last moment at which the date is accepted.
    pub(crate) fn until(self) -> Timestamp {
        self.0.until
    }

    /// Judges the date again, because time may have passed.
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
