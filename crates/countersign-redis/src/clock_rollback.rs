use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use countersign::{ReplayClaim, Timestamp, Unavailable};

use crate::time_to_live::LONGEST_CLAIM;

/// The largest clock difference that is not a change of the clock: a claim is recorded some time
/// after its clock was read.
const STEP_MICROS: i64 = 2_000_000;
/// The largest number of clock settings that are recorded. Beyond it, the oldest two are merged.
const SETTINGS: usize = 8;

/// Refuses claims whose entries may have expired in the server before the verifier's clock was set
/// back.
///
/// The server expires entries in real time. While the verifier's clock runs forward, an entry that
/// the server has expired has also expired by that clock. After the clock is set back, a claim for
/// such an entry would be answered with `Fresh`. So the guard records each setting of the clock,
/// and the ends of the entries that were made under that setting.
#[derive(Debug)]
pub(crate) struct RollbackGuard {
    start: Instant,
    settings: Mutex<Vec<Setting>>,
}

/// One setting of the verifier's clock.
#[derive(Clone, Copy, Debug)]
struct Setting {
    /// The Unix time of the guard's start by that clock, in microseconds.
    zero: i64,
    /// The earliest end of an entry made under this setting.
    earliest: Timestamp,
    /// The latest end of an entry made under this setting.
    latest: Timestamp,
}

impl RollbackGuard {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            settings: Mutex::default(),
        }
    }

    /// Returns whether the claim must be refused, because the server may have expired its entry.
    /// Otherwise the claim is recorded, because it is about to be made.
    pub(crate) fn refuses(&self, claim: &ReplayClaim) -> Result<bool, Unavailable> {
        self.refuses_at(claim, self.start.elapsed())
    }

    fn refuses_at(&self, claim: &ReplayClaim, since_start: Duration) -> Result<bool, Unavailable> {
        let since_start = micros(since_start);
        let end = claim.expires_at;
        let zero = claim.now.as_unix_micros().saturating_sub(since_start);
        let mut settings = self
            .settings
            .lock()
            .map_err(|_| Unavailable::new("replay store"))?;

        // Entries that end before this moment may have expired, by the clock that was furthest
        // ahead. An entry outlives its end by the longest claim.
        let furthest = settings.iter().map(|setting| setting.zero).max();
        let over = furthest.unwrap_or(zero).max(zero);
        let over = Timestamp::from_unix_micros(over.saturating_add(since_start));
        let over = over.saturating_sub(LONGEST_CLAIM);
        let may_have_expired = |setting: &Setting| {
            let apart = setting.zero.abs_diff(zero) > STEP_MICROS.unsigned_abs();
            apart && setting.earliest <= end && end <= setting.latest.min(over)
        };
        if settings.iter().any(may_have_expired) {
            return Ok(true);
        }
        let present = settings
            .iter_mut()
            .find(|setting| setting.zero.abs_diff(zero) <= STEP_MICROS.unsigned_abs());
        if let Some(present) = present {
            *present = present.and(Setting::of(zero, end));
            return Ok(false);
        }
        if settings.len() >= SETTINGS {
            let oldest = settings.remove(0);
            if let Some(next) = settings.first_mut() {
                *next = next.and(oldest);
            }
        }
        settings.push(Setting::of(zero, end));
        Ok(false)
    }
}

impl Setting {
    fn of(zero: i64, end: Timestamp) -> Self {
        Self {
            zero,
            earliest: end,
            latest: end,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            zero: self.zero.max(other.zero),
            earliest: self.earliest.min(other.earliest),
            latest: self.latest.max(other.latest),
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use countersign::{KeyId, ReplayKey};

    use super::*;

    const DAY: i64 = 86_400;

    /// Makes claims given as (real second, clock second, end), and returns which were refused.
    fn refused(claims: &[(u64, i64, i64)]) -> Vec<bool> {
        let guard = RollbackGuard::new();
        claims
            .iter()
            .map(|(real, now, end)| {
                let claim = ReplayClaim::new(
                    ReplayKey::new("", "billing", "n"),
                    KeyId::new("billing").unwrap(),
                    Timestamp::from_unix_seconds(0),
                    Timestamp::from_unix_seconds(*end),
                    Timestamp::from_unix_seconds(*now),
                );
                guard
                    .refuses_at(&claim, Duration::from_secs(*real))
                    .unwrap()
            })
            .collect()
    }

    #[test]
    fn a_clock_that_runs_on_refuses_nothing() {
        let claims: Vec<_> = (0..1000_u32)
            .map(|second| {
                let now = 10_000 + i64::from(second);
                (second.into(), now, now + 1)
            })
            .collect();
        assert!(refused(&claims).iter().all(|refused| !refused));
    }

    #[test]
    fn claims_that_overtake_each_other_set_no_clock_back() {
        let claims = [
            (0, 1000, 1335),
            (2, 1002, 1337),
            (3, 1002, 1037),
            (9, 1002, 1037),
            (900, 1900, 2235),
        ];
        assert_eq!(refused(&claims), [false; 5]);
    }

    #[test]
    fn entries_that_expired_before_the_clock_was_set_back_are_refused() {
        for (name, claims, expected) in [
            (
                "the same claim, long after",
                vec![(0, 1000, 1335), (2000, 1000, 1335)],
                vec![false, true],
            ),
            (
                "an entry that was live when the clock was set back, after its end in real time",
                vec![(0, 1000, 1335), (1, 400, 735), (341, 740, 1335)],
                vec![false, false, true],
            ),
            (
                "an entry that is still live: the server knows it",
                vec![(0, 1000, 1335), (1, 400, 1335)],
                vec![false, false],
            ),
            (
                "a claim that nobody could make before",
                vec![(0, 1000, 1335), (2000, 1000, 1336)],
                vec![false, false],
            ),
            (
                "set back twice",
                vec![
                    (0, 5000, 5335),
                    (10, 3000, 3335),
                    (400, 1000, 3335),
                    (401, 1001, 5335),
                ],
                vec![false, false, true, true],
            ),
        ] {
            assert_eq!(refused(&claims), expected, "{name}");
        }
    }

    #[test]
    fn a_clock_that_was_a_day_ahead_refuses_nobody_for_a_day() {
        let claims = [
            (0, 1000, 1335),
            (10, 1010 + DAY, 1345 + DAY),
            // The entry still exists, so the server knows it.
            (20, 1020, 1335),
            (20, 1020, 1355),
            (400, 1400, 1735),
            (86_800, 1400 + DAY, 1735 + DAY),
        ];
        assert_eq!(refused(&claims), [false; 6]);
    }

    #[test]
    fn a_clock_that_is_set_often_uses_bounded_memory_and_reopens_nothing() {
        let guard = RollbackGuard::new();
        let claim = |real: u64, now: i64, end: i64| {
            let claim = ReplayClaim::new(
                ReplayKey::new("", "billing", "n"),
                KeyId::new("billing").unwrap(),
                Timestamp::from_unix_seconds(0),
                Timestamp::from_unix_seconds(end),
                Timestamp::from_unix_seconds(now),
            );
            guard.refuses_at(&claim, Duration::from_secs(real)).unwrap()
        };
        for step in 0..100_u32 {
            let now = 1_000_000 - 1000 * i64::from(step);
            assert!(!claim(step.into(), now, now + 335), "{step}");
        }
        assert_eq!(guard.settings.lock().unwrap().len(), SETTINGS);
        for step in 0..100_u32 {
            let end = 1_000_000 - 1000 * i64::from(step) + 335;
            assert!(claim(10_000, 100_000, end), "{step}");
        }
    }
}
