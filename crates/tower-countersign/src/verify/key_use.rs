use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use countersign::{KeyId, KeyVersion, Timestamp};

/// When each key of each caller was last used: what says that an old key can go.
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
/// // A handle for whoever wants to know, such as a task that runs once an hour.
/// let key_use = verify.key_use().clone();
/// let two_days = Duration::from_secs(48 * 60 * 60);
/// assert_eq!(key_use.unused_for("billing", "2026-01", two_days, now), Unused::Unknown);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// A use is a request that was let through. What is recorded is one moment, to the second, for each caller that has proven
/// itself and each version that it did so with; it outlives the keys, and a keyring that is swapped. It lives in this
/// process: a service with several replicas asks all of them, and after a restart the answer is [`Unused::Unknown`] until
/// it has run for long enough. A version label that is given to another key goes on with the first one's record.
///
/// Handles are cheap to clone and share the record. By default each layer has one of its own.
#[derive(Clone, Default)]
pub struct KeyUse(Arc<Record>);

#[derive(Default)]
struct Record {
    since: OnceLock<Timestamp>,
    uses: ArcSwap<Uses>,
    /// Held by whoever adds a key that is not there yet, and by nobody else.
    adding: Mutex<()>,
    /// The latest use of a key that there was no more room for, in Unix seconds.
    dropped: AtomicI64,
}

/// By caller and by version, in Unix seconds.
type Uses = HashMap<KeyId, Vec<(KeyVersion, Arc<AtomicI64>)>>;

/// The last use of one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LastUse {
    /// Whose key it is.
    pub caller: KeyId,
    /// Which of the caller's keys.
    pub version: KeyVersion,
    /// When a request with it was last let through, to the second.
    pub at: Timestamp,
}

/// Whether a key has been unused for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unused {
    /// It has not been used for so long, and all that time was recorded.
    Yes,
    /// It was used since.
    No,
    /// No use is recorded, but not all that time was either.
    Unknown,
}

impl KeyUse {
    /// The greatest number of keys that are recorded, all callers together. Past it the one that was used the longest ago
    /// is dropped, and no key is then called unused for longer than that was ago.
    pub const MAX_KEYS: usize = 16 * 1024;

    /// An empty record. It begins when a layer that has it is put on a service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to record, if it has not begun yet.
    pub(super) fn begin(&self, now: Timestamp) {
        self.0.since.get_or_init(|| now);
    }

    /// Since when uses are recorded; `None` if they are not yet.
    pub fn since(&self) -> Option<Timestamp> {
        self.0.since.get().copied()
    }

    /// When a request with this key of this caller was last let through. `None` if none was since the record
    /// [began](Self::since): before it there may have been.
    pub fn last_use(&self, caller: &str, version: &str) -> Option<Timestamp> {
        let uses = self.0.uses.load();
        let at = find(&uses, caller, version)?;
        Some(Timestamp::from_unix_seconds(at.load(Ordering::Relaxed)))
    }

    /// Whether this key of this caller has not been used for at least so long.
    ///
    /// [`Unused::Yes`] means that the key can be taken out and nobody who called in that time will notice. It says nothing
    /// of callers that call less often than that, nor of other replicas. Times are those of the layer's clock: one that
    /// jumps ahead after the record began, as a machine's does that learns the time only then, makes a key look unused for
    /// longer than anybody watched.
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
            // To the second below: a use within that second counts as a use.
            Some(at) if at.saturating_add(Duration::from_secs(1)) > quiet_since => Unused::No,
            Some(_) => Unused::Yes,
            None if began.max(self.recorded_whole_since()) <= quiet_since => Unused::Yes,
            None => Unused::Unknown,
        }
    }

    /// The last use of every key that was used, by caller and version.
    pub fn all(&self) -> Vec<LastUse> {
        let uses = self.0.uses.load();
        let mut all: Vec<LastUse> = uses
            .iter()
            .flat_map(|(caller, versions)| {
                versions.iter().map(|(version, at)| LastUse {
                    caller: caller.clone(),
                    version: version.clone(),
                    at: Timestamp::from_unix_seconds(at.load(Ordering::Relaxed)),
                })
            })
            .collect();
        all.sort();
        all
    }

    /// From when on the use of a key that is not recorded would have been.
    fn recorded_whole_since(&self) -> Timestamp {
        match self.0.dropped.load(Ordering::Acquire) {
            0 => Timestamp::from_unix_seconds(i64::MIN),
            second => Timestamp::from_unix_seconds(second.saturating_add(1)),
        }
    }

    /// Records a use. That of a key that is known already takes no lock and no memory, and once a second one write.
    pub(super) fn record(&self, caller: &KeyId, version: &KeyVersion, now: Timestamp) {
        let second = now.as_unix_seconds();
        if let Some(at) = find(&self.0.uses.load(), caller.as_str(), version.as_str()) {
            if at.load(Ordering::Relaxed) < second {
                // Not a plain store: of two requests the later one counts, whichever is recorded last.
                at.fetch_max(second, Ordering::Relaxed);
            }
            return;
        }
        self.add(caller, version, second);
    }

    fn add(&self, caller: &KeyId, version: &KeyVersion, second: i64) {
        // Nothing is left half done by a panic: the map is swapped as a whole.
        let adding = self.0.adding.lock();
        let _adding = adding.unwrap_or_else(PoisonError::into_inner);
        let known = self.0.uses.load();
        if let Some(at) = find(&known, caller.as_str(), version.as_str()) {
            at.fetch_max(second, Ordering::Relaxed);
            return;
        }
        let mut uses = Uses::clone(&known);
        if uses.values().map(Vec::len).sum::<usize>() >= Self::MAX_KEYS {
            self.drop_oldest(&mut uses);
        }
        let at = Arc::new(AtomicI64::new(second));
        uses.entry(caller.clone())
            .or_default()
            .push((version.clone(), at));
        self.0.uses.store(Arc::new(uses));
    }

    fn drop_oldest(&self, uses: &mut Uses) {
        let all = uses.iter().flat_map(|(caller, versions)| {
            versions
                .iter()
                .map(move |(version, at)| (at.load(Ordering::Relaxed), caller, version))
        });
        let Some((second, caller, version)) = all.min() else {
            return;
        };
        let (caller, version) = (caller.clone(), version.clone());
        self.0.dropped.fetch_max(second, Ordering::Release);
        if let Some(versions) = uses.get_mut(&caller) {
            versions.retain(|(known, _)| *known != version);
            if versions.is_empty() {
                uses.remove(&caller);
            }
        }
    }
}

fn find<'u>(uses: &'u Uses, caller: &str, version: &str) -> Option<&'u AtomicI64> {
    let versions = uses.get(caller)?;
    let of_version = versions.iter().find(|(known, _)| *known == *version)?;
    Some(&of_version.1)
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
    fn tells_an_unused_key_from_one_that_is_not_known_to_be() {
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
    fn what_there_is_no_room_for_is_not_called_unused() {
        let key_use = KeyUse::new();
        key_use.begin(at(0));
        let (first, _) = names("first", "1");
        let version = KeyVersion::new("1").unwrap();
        key_use.record(&first, &version, at(100_000));
        // All at once: adding one by one copies the map each time.
        let mut uses = Uses::clone(&key_use.0.uses.load());
        for number in 1..KeyUse::MAX_KEYS {
            let caller = KeyId::new(&number.to_string()).unwrap();
            let at = Arc::new(AtomicI64::new(100_001));
            uses.insert(caller, vec![(version.clone(), at)]);
        }
        key_use.0.uses.store(Arc::new(uses));
        let (last, _) = names("last", "1");
        key_use.record(&last, &version, at(100_002));
        assert_eq!(key_use.all().len(), KeyUse::MAX_KEYS);
        assert_eq!(
            key_use.last_use("first", "1"),
            None,
            "the oldest was dropped"
        );
        let unused = |now| key_use.unused_for("first", "1", HOUR, at(now));
        assert_eq!(unused(100_003), Unused::Unknown);
        assert_eq!(unused(103_600), Unused::Unknown);
        assert_eq!(unused(103_601), Unused::Yes);
    }

    #[test]
    fn keys_that_come_at_once_are_all_recorded() {
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
