use std::time::Duration;

use countersign::{ReplayClaim, Timestamp};

/// The longest that one claim can take, whatever is set: an entry lives for so much longer than its claim says.
///
/// Two verifiers may read the same moment on clocks that differ by as much as `expires_at` allows for. Then the last
/// claim that one of them may make and the end of the entry that the other made fall together, and the claim still has its way to
/// go. It must find the entry, so the entry waits for as long as a claim may be on its way.
pub(crate) const LONGEST_CLAIM: Duration = Duration::from_secs(5);

/// The part of a claim's time after which it is sent again.
pub(crate) fn half(timeout: Duration) -> Duration {
    timeout.checked_div(2).unwrap_or(timeout)
}

/// For how long the server keeps an entry, in milliseconds. Relative, so that its clock does not matter; rounded up; never
/// nothing. `None` if the claim has expired by its own clock: then there is nothing to keep.
pub(crate) fn time_to_live(claim: &ReplayClaim) -> Option<u64> {
    let left = micros_between(claim.now, claim.expires_at)?;
    let longest = u64::try_from(LONGEST_CLAIM.as_micros()).ok()?;
    Some(left.saturating_add(longest).div_ceil(1000))
}

/// `None` unless `later` is later.
fn micros_between(earlier: Timestamp, later: Timestamp) -> Option<u64> {
    let micros = i128::from(later.as_unix_micros()).checked_sub(earlier.as_unix_micros().into())?;
    // The whole range of timestamps is twice what a u64 holds of one sign.
    u64::try_from(micros).ok().filter(|micros| *micros > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign::{KeyId, ReplayKey};

    fn claim(now: i64, expires_at: i64) -> ReplayClaim {
        ReplayClaim::new(
            ReplayKey::new("", "billing", "n"),
            KeyId::new("billing").unwrap(),
            Timestamp::from_unix_micros(0),
            Timestamp::from_unix_micros(expires_at),
            Timestamp::from_unix_micros(now),
        )
    }

    #[test]
    fn an_entry_outlives_its_claim_by_the_longest_claim() {
        for (name, now, expires_at, millis) in [
            ("an ordinary life", 0, 335_000_000, Some(340_000)),
            ("rounded up", 0, 335_000_001, Some(340_001)),
            ("the shortest", 7, 8, Some(5001)),
            ("at its end", 8, 8, None),
            ("past its end", 9, 8, None),
            ("before 1970", -5_000, -3_000, Some(5002)),
            (
                "all of time",
                i64::MIN,
                i64::MAX,
                Some(18_446_744_073_709_552),
            ),
            ("all of time, past", i64::MAX, i64::MIN, None),
        ] {
            assert_eq!(time_to_live(&claim(now, expires_at)), millis, "{name}");
        }
    }
}
