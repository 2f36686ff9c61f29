use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use countersign::{KeyId, KeyVersion, Timestamp};

use super::last_uses::LastUses;

/// Records when each key of each caller was last used, to tell when an old key can be removed.
///
/// ```
/// use std::time::Duration;
///
/// use countersign::{CallerKey, Keyring, Secret, VerifyingKey};
/// use tower_countersign::{VerifyLayer, verify::Unused};
///
/// # let now = countersign::Timestamp::from_unix_seconds(1_767_323_045);
/// let secret = Secret::generate()?;
/// let keys = Keyring::builder()
///     .caller("billing", CallerKey::new("2026-01", VerifyingKey::hmac_sha256(&secret))?)
///     .build()?;
/// let verify = VerifyLayer::new(keys);
/// // A handle for the code that asks, such as a task that runs once an hour.
/// let key_use = verify.key_use().clone();
/// let two_days = Duration::from_secs(48 * 60 * 60);
/// assert_eq!(key_use.unused_for("billing", "2026-01", two_days, now), Unused::Unknown);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// A use is an accepted request. The record holds one time, to the second, for each caller and each
/// version of its keys. Replacing the keyring does not clear the record. If a version label is
/// given to another key, the record of the first key continues.
///
/// The record lives in this process. A service with several replicas must ask all of them. After a
/// restart the answer is [`Unused::Unknown`] until enough time has been recorded.
///
/// Handles are cheap to clone and share the record. By default each layer has a separate record.
#[derive(Clone, Default)]
pub struct KeyUse(Arc<Record>);

#[derive(Default)]
struct Record {
    since: OnceLock<Timestamp>,
    uses: LastUses,
}

/// The last use of one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LastUse {
    /// The caller that the key belongs to.
    pub caller: KeyId,
    /// The version of the caller's key.
    pub version: KeyVersion,
    /// The time of the last accepted request with this key, to the second.
    pub at: Timestamp,
}

/// Whether a key has been unused for a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unused {
    /// The key was not used in the period, and the whole period was recorded.
    Yes,
    /// The key was used in the period.
    No,
    /// No use is recorded, but a part of the period was not recorded.
    Unknown,
}

impl KeyUse {
    /// The maximum number of keys that are recorded, over all callers: 65,536, in about 10 MiB.
    ///
    /// The table has 64 parts of equal size. A hash of caller and version selects the part. In a
    /// full part, a new key replaces the least recently used of eight keys. A key without a record
    /// is then called unused only for the time since the latest use of a replaced key. Below about
    /// 58,000 keys, no part is likely to be full.
    pub const MAX_KEYS: usize = LastUses::MAX_KEYS;

    /// Returns an empty record. Recording begins when a layer with this record is put on a service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins recording, unless it has begun.
    pub(super) fn begin(&self, now: Timestamp) {
        self.0.since.get_or_init(|| now);
    }

    /// Returns the time at which recording began, or `None` if it has not begun.
    pub fn since(&self) -> Option<Timestamp> {
        self.0.since.get().copied()
    }

    /// Returns the time of the last accepted request with this key of this caller. `None` if there
    /// was none since [recording began](Self::since).
    pub fn last_use(&self, caller: &str, version: &str) -> Option<Timestamp> {
        let second = self.0.uses.of(caller, version)?;
        Some(Timestamp::from_unix_seconds(second))
    }

    /// Returns whether this key of this caller has been unused for at least this long.
    ///
    /// [`Unused::Yes`] means that the key can be removed without effect on any caller that called
    /// in that period. The answer does not include callers that call less often, or other replicas.
    ///
    /// All times are those of the layer's clock. If that clock jumps ahead after recording began,
    /// such as on a machine that sets its clock late, keys look unused for longer than they are.
    pub fn unused_for(
        &self,
        caller: &str,
        version: &str,
        at_least: Duration,
        now: Timestamp,
    ) -> Unused {
        let quiet_since = now.saturating_sub(at_least);
        let Some(began) = self.since() else {
            return Unused::Unknown;
        };
        match self.last_use(caller, version) {
            // Uses are recorded to the second, rounded down. So a use within that second counts.
            Some(at) if at.saturating_add(Duration::from_secs(1)) > quiet_since => Unused::No,
            Some(_) => Unused::Yes,
            None if began.max(self.recorded_whole_since()) <= quiet_since => Unused::Yes,
            None => Unused::Unknown,
        }
    }

    /// Returns the last use of every recorded key, sorted by caller and version.
    pub fn all(&self) -> Vec<LastUse> {
        let mut all: Vec<LastUse> = Vec::new();
        self.0.uses.each(|caller, version, second| {
            all.push(LastUse {
                caller: caller.clone(),
                version: version.clone(),
                at: Timestamp::from_unix_seconds(second),
            });
        });
        all.sort();
        all
    }

    /// Returns the time since which every use of an unrecorded key would have been recorded.
    fn recorded_whole_since(&self) -> Timestamp {
        match self.0.uses.latest_dropped() {
            None => Timestamp::from_unix_seconds(i64::MIN),
            Some(second) => Timestamp::from_unix_seconds(second.saturating_add(1)),
        }
    }

    /// Records a use. The work does not depend on the number of callers.
    pub(super) fn record(&self, caller: &KeyId, version: &KeyVersion, now: Timestamp) {
        self.0.uses.record(caller, version, now.as_unix_seconds());
    }
}

impl fmt::Debug for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyUse")
            .field("since", &self.since())
            .field("all", &self.all())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn names(caller: &str, version: &str) -> (KeyId, KeyVersion) {
        (
            KeyId::new(caller).unwrap(),
            KeyVersion::new(version).unwrap(),
        )
    }

    #[test]
    fn tells_unused_keys_from_unknown_ones() {
        let (billing, old) = names("billing", "old");
        for (name, began, used, now, expected) in [
            ("not begun", None, None, 10_000, Unused::Unknown),
            ("begun just now", Some(9_000), None, 10_000, Unused::Unknown),
            (
                "never used in an hour",
                Some(6_400),
                None,
                10_000,
                Unused::Yes,
            ),
            (
                "never used in less",
                Some(6_401),
                None,
                10_000,
                Unused::Unknown,
            ),
            ("used since", Some(0), Some(9_000), 10_000, Unused::No),
            (
                "used an hour ago, to the second",
                Some(0),
                Some(6_400),
                10_000,
                Unused::No,
            ),
            ("used longer ago", Some(0), Some(6_399), 10_000, Unused::Yes),
            (
                "used before the hour, begun within it",
                Some(7_000),
                Some(7_000),
                10_000,
                Unused::No,
            ),
            (
                "a clock that was set back",
                Some(20_000),
                Some(20_000),
                10_000,
                Unused::No,
            ),
        ] {
            let key_use = KeyUse::new();
            if let Some(began) = began {
                key_use.begin(at(began));
            }
            if let Some(used) = used {
                key_use.record(&billing, &old, at(used));
            }
            let found = key_use.unused_for("billing", "old", HOUR, at(now));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_latest_use_of_each_key_is_kept() {
        let key_use = KeyUse::new();
        let (billing, old) = names("billing", "old");
        let (audit, new) = names("audit", "new");
        for (caller, version, second) in [
            (&billing, &old, 5),
            (&billing, &new, 6),
            (&audit, &old, 7),
            (&billing, &old, 9),
            (&billing, &old, 8),
        ] {
            key_use.record(caller, version, at(second));
        }
        assert_eq!(key_use.last_use("billing", "old"), Some(at(9)));
        assert_eq!(key_use.last_use("billing", "new"), Some(at(6)));
        assert_eq!(key_use.last_use("audit", "new"), None);
        let all: Vec<_> = key_use.all().into_iter().collect();
        let all: Vec<_> = all
            .iter()
            .map(|last| (last.caller.as_str(), last.version.as_str(), last.at))
            .collect();
        assert_eq!(
            all,
            [
                ("audit", "old", at(7)),
                ("billing", "new", at(6)),
                ("billing", "old", at(9))
            ]
        );
    }

    #[test]
    fn a_key_that_was_dropped_is_not_called_unused() {
        let key_use = KeyUse::new();
        key_use.begin(at(0));
        let version = KeyVersion::new("1").unwrap();
        let callers = KeyUse::MAX_KEYS * 5 / 4;
        for number in 0..callers {
            let (caller, _) = names(&number.to_string(), "1");
            key_use.record(&caller, &version, at(100_000));
        }
        assert!(key_use.all().len() <= KeyUse::MAX_KEYS);
        let kept = |number: &usize| key_use.last_use(&number.to_string(), "1").is_some();
        let dropped = (0..callers).find(|number| !kept(number)).unwrap();
        let unused = |now| key_use.unused_for(&dropped.to_string(), "1", HOUR, at(now));
        assert_eq!(unused(100_003), Unused::Unknown);
        assert_eq!(unused(103_600), Unused::Unknown);
        assert_eq!(unused(103_601), Unused::Yes);
    }

    #[test]
    fn keys_that_are_used_at_the_same_time_are_all_recorded() {
        let key_use = KeyUse::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let key_use = &key_use;
                scope.spawn(move || {
                    for number in 0..50 {
                        let (caller, version) = names(&format!("{thread}"), &format!("{number}"));
                        key_use.record(&caller, &version, at(number));
                    }
                });
            }
        });
        assert_eq!(key_use.all().len(), 200);
    }
}
