use std::time::Duration;

use countersign::{ReplayClaim, Timestamp};

/// The maximum duration of one claim. An entry outlives its claim's end by this duration.
///
/// `expires_at` allows for the greatest difference between two verifiers' clocks. With that
/// difference, the last possible claim of one verifier starts when the other verifier's entry ends.
/// That claim must still find the entry when it reaches the server.
pub(crate) const LONGEST_CLAIM: Duration = Duration::from_secs(5);

/// Returns the time after which a claim is retried.
pub(crate) fn half(timeout: Duration) -> Duration {
    timeout.checked_div(2).unwrap_or(timeout)
}

/// Returns the lifetime of an entry in milliseconds, rounded up, never zero. The lifetime is
/// relative, so the server's clock does not matter. `None` if the claim has expired by its own
/// clock: then no entry is needed.
pub(crate) fn time_to_live(claim: &ReplayClaim) -> Option<u64> {
    let left = micros_between(claim.now, claim.expires_at)?;
    let longest = u64::try_from(LONGEST_CLAIM.as_micros()).ok()?;
    Some(left.saturating_add(longest).div_ceil(1000))
}

/// Returns the time in between in microseconds, or `None` unless `later` is later.
fn micros_between(earlier: Timestamp, later: Timestamp) -> Option<u64> {
    let micros = i128::from(later.as_unix_micros()).checked_sub(earlier.as_unix_micros().into())?;
    // Two timestamps can be further apart than an `i64` holds.
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
