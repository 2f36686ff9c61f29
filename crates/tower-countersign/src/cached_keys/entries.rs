//! The entries in memory, and how each is used at each age.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use countersign::CallerKeys;
use tokio::time::Instant;

use super::settings::Settings;

#[derive(Default)]
pub(super) struct Entries {
    known: HashMap<Box<str>, Known>,
    /// The names of `known` in the order of their lookups, to find the oldest without a scan.
    by_age: BTreeMap<Turn, Box<str>>,
    /// Names that the store does not know, each with the time when its entry ends.
    unknown: Passing,
    /// Never-seen names for which the store failed, each with the time when the store may be asked
    /// again.
    failed: Passing,
    /// The number of answers learned.
    learned: u64,
}

/// The start of a lookup and a number that makes it unique.
type Turn = (Instant, u64);

struct Known {
    keys: CallerKeys,
    /// When the lookup began. The answer may be as old as that.
    read_at: Instant,
    turn: Turn,
    failed_at: Option<Instant>,
}

/// What the entries hold for a name.
pub(super) enum Found {
    /// A fresh answer, or an unknown name.
    Answer(CallerKeys),
    /// The store failed recently. The old answer is still usable.
    Stale(CallerKeys),
    /// The answer is usable, and the store must be asked in the background.
    Revalidate(CallerKeys),
    /// The store must be asked for a name that it knew.
    Ask,
    /// The store failed recently, and no answer is usable.
    Failed,
    /// The store must be asked for a name that was never seen.
    Miss,
}

impl Entries {
    pub(super) fn find(&self, name: &str, now: Instant, settings: &Settings) -> Found {
        if let Some(known) = self.known.get(name) {
            return known.at(now, settings);
        }
        if self.unknown.holds(name, now) {
            Found::Answer(CallerKeys::unknown())
        } else if self.failed.holds(name, now) {
            Found::Failed
        } else {
            Found::Miss
        }
    }

    /// Returns the answer that is still usable after the store failed for this name.
    pub(super) fn stale(
        &self,
        name: &str,
        now: Instant,
        settings: &Settings,
    ) -> Option<CallerKeys> {
        let known = self.known.get(name)?;
        known.is_usable(now, settings).then(|| known.keys.clone())
    }

    pub(super) fn learn(
        &mut self,
        name: &str,
        keys: CallerKeys,
        asked_at: Instant,
        settings: &Settings,
    ) {
        self.failed.remove(name);
        if let Some(known) = self.known.remove(name) {
            self.by_age.remove(&known.turn);
        }
        if keys.is_unknown() {
            let until = asked_at.checked_add(settings.unknown_for);
            self.unknown.add(name, until, asked_at, settings);
            return;
        }
        self.unknown.remove(name);
        if self.known.len() >= settings.capacity
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.known.remove(&oldest);
        }
        self.learned = self.learned.wrapping_add(1);
        let turn = (asked_at, self.learned);
        let known = Known {
            keys,
            read_at: asked_at,
            turn,
            failed_at: None,
        };
        self.known.insert(Box::from(name), known);
        self.by_age.insert(turn, Box::from(name));
    }

    pub(super) fn failed(&mut self, name: &str, now: Instant, settings: &Settings) {
        if let Some(known) = self.known.get_mut(name) {
            known.failed_at = Some(now);
        } else {
            let until = now.checked_add(settings.retry_after);
            self.failed.add(name, until, now, settings);
        }
    }

    pub(super) fn len(&self) -> (usize, usize) {
        (self.known.len(), self.unknown.until.len())
    }
}

/// Names that are remembered until a given time. Peers can invent names, so their number is
/// limited.
#[derive(Default)]
struct Passing {
    until: HashMap<Box<str>, Instant>,
    /// The same names in the order of their ends, to find ended entries without a scan.
    by_end: BTreeSet<(Instant, Box<str>)>,
}

impl Passing {
    fn holds(&self, name: &str, now: Instant) -> bool {
        self.until.get(name).is_some_and(|until| now < *until)
    }

    fn add(&mut self, name: &str, until: Option<Instant>, now: Instant, settings: &Settings) {
        self.remove(name);
        // Removes up to two ended entries for each new one, so that ended entries do not pile up.
        for _ in 0..2 {
            if let Some((end, _)) = self.by_end.first()
                && *end <= now
                && let Some((_, name)) = self.by_end.pop_first()
            {
                self.until.remove(&name);
            }
        }
        // When all room is taken, the name is not remembered. The cost is one more lookup within
        // the limit of misses.
        if self.until.len() < settings.unknown_capacity
            && let Some(until) = until
        {
            self.until.insert(Box::from(name), until);
            self.by_end.insert((until, Box::from(name)));
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some((name, until)) = self.until.remove_entry(name) {
            self.by_end.remove(&(until, name));
        }
    }
}

impl Known {
    fn at(&self, now: Instant, settings: &Settings) -> Found {
        let age = now.saturating_duration_since(self.read_at);
        if age < settings.fresh_for {
            return Found::Answer(self.keys.clone());
        }
        let failed_lately = self
            .failed_at
            .is_some_and(|at| now.saturating_duration_since(at) < settings.retry_after);
        if failed_lately {
            return if self.is_usable(now, settings) {
                Found::Stale(self.keys.clone())
            } else {
                Found::Failed
            };
        }
        if age
            < settings
                .fresh_for
                .saturating_add(settings.stale_while_revalidate)
        {
            return Found::Revalidate(self.keys.clone());
        }
        Found::Ask
    }

    fn is_usable(&self, now: Instant, settings: &Settings) -> bool {
        let age = now.saturating_duration_since(self.read_at);
        age < settings.fresh_for.saturating_add(settings.stale_if_error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign::{CallerKey, Secret, VerifyingKey};

    use super::*;

    fn settings() -> Settings {
        Settings {
            capacity: 3,
            unknown_capacity: 3,
            ..Settings::default()
        }
    }

    fn keys(caller: &str) -> CallerKeys {
        let key = VerifyingKey::hmac_sha256(&Secret::generate().unwrap());
        CallerKeys::new(caller, [CallerKey::new("1", key).unwrap()]).unwrap()
    }

    #[test]
    fn of_more_names_than_there_is_room_for_the_one_read_first_is_forgotten() {
        let (mut entries, settings, start) = (Entries::default(), settings(), Instant::now());
        let second = |number| start + Duration::from_secs(number);
        for (number, name) in (0..).zip(["a", "b", "c", "a", "d", "e"]) {
            entries.learn(name, keys(name), second(number), &settings);
        }
        let mut known: Vec<_> = entries.known.keys().map(|name| &**name).collect();
        known.sort_unstable();
        assert_eq!(known, ["a", "d", "e"]);
        entries.learn("d", CallerKeys::unknown(), second(9), &settings);
        assert_eq!(entries.len(), (2, 1));
        assert_eq!(entries.by_age.len(), 2, "`by_age` holds the same names");
    }

    #[test]
    fn names_that_are_made_up_are_kept_up_to_a_number_and_make_room_when_they_are_over() {
        let (mut entries, settings, start) = (Entries::default(), settings(), Instant::now());
        let mut learn = |name: &str, second| {
            let at = start + Duration::from_secs(second);
            entries.learn(name, CallerKeys::unknown(), at, &settings);
            let Passing { until, by_end } = &entries.unknown;
            assert_eq!(until.len(), by_end.len(), "{name}");
            until.len()
        };
        for (name, second, expected) in [
            ("a", 0, 1),
            ("b", 0, 2),
            ("a", 1, 2),
            ("c", 1, 3),
            ("d", 2, 3),
            // The entries of the first seconds end after ten seconds.
            ("e", 12, 2),
            ("f", 12, 2),
            ("g", 12, 3),
        ] {
            assert_eq!(learn(name, second), expected, "{name} at {second}");
        }
    }
}
