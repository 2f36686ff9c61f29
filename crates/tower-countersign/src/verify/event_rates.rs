//! Limits the rate of events.

use std::collections::HashMap;

use countersign::KeyId;

/// The number of events of one code that are written in a second: for each verified caller, and for
/// all unauthenticated peers together.
const EVENTS_PER_SECOND: u32 = 10;

/// The number of rates that are kept. Further callers share one rate for each code.
const RATES_KEPT: usize = 1024;

/// The rates of all events of one layer.
#[derive(Debug, Default)]
pub(super) struct Rates {
    known: HashMap<(&'static str, RateKey), Rate>,
    /// The second in which rates were last dropped.
    dropped_at: Option<i64>,
}

/// The senders that share one rate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum RateKey {
    /// All unauthenticated peers, because they can assert any key id.
    Unauthenticated,
    Caller(KeyId),
    /// Callers beyond the number of rates that are kept.
    Overflow,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    second: i64,
    written: u32,
    suppressed: u64,
}

impl Rates {
    /// Returns the number of events that were suppressed before this one, or `None` if this one
    /// must be suppressed too.
    pub(super) fn admit(
        &mut self,
        code: &'static str,
        caller: Option<&KeyId>,
        second: i64,
    ) -> Option<u64> {
        let mut key = (code, caller.map_or(RateKey::Unauthenticated, RateKey::of));
        if caller.is_some() && !self.known.contains_key(&key) && !self.has_room(second) {
            key = (code, RateKey::Overflow);
        }
        self.known.entry(key).or_default().admit(second)
    }

    /// Returns whether another rate can be kept. If not, first drops the rates of callers that were
    /// not refused in this second.
    fn has_room(&mut self, second: i64) -> bool {
        if self.known.len() < RATES_KEPT {
            return true;
        }
        if self.dropped_at == Some(second) {
            return false;
        }
        self.dropped_at = Some(second);
        let mut left_out: HashMap<&'static str, u64> = HashMap::new();
        self.known.retain(|(code, key), rate| {
            let kept = rate.second == second || !matches!(key, RateKey::Caller(_));
            if !kept && rate.suppressed > 0 {
                let sum = left_out.entry(code).or_default();
                *sum = sum.saturating_add(rate.suppressed);
            }
            kept
        });
        // Suppressed events stay counted.
        for (code, suppressed) in left_out {
            let others = self.known.entry((code, RateKey::Overflow)).or_default();
            others.suppressed = others.suppressed.saturating_add(suppressed);
        }
        self.known.len() < RATES_KEPT
    }
}

impl RateKey {
    fn of(caller: &KeyId) -> Self {
        Self::Caller(caller.clone())
    }
}

impl Rate {
    fn admit(&mut self, second: i64) -> Option<u64> {
        if self.second != second {
            self.second = second;
            self.written = 0;
        }
        if self.written >= EVENTS_PER_SECOND {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.written = self.written.saturating_add(1);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(number: usize) -> KeyId {
        KeyId::new(&number.to_string()).unwrap()
    }

    #[test]
    fn ten_events_a_second_of_each_code_and_a_count_of_the_rest() {
        let mut rates = Rates::default();
        let written = (0..25).filter_map(|_| rates.admit("malformed", None, 1));
        assert_eq!(written.count(), 10);
        assert_eq!(rates.admit("expired", None, 1), Some(0), "another code");
        assert_eq!(rates.admit("malformed", None, 2), Some(15), "the rest");
        assert_eq!(rates.admit("malformed", None, 2), Some(0));
    }

    #[test]
    fn a_flood_of_one_caller_hides_no_event_of_another_or_of_a_stranger() {
        let mut rates = Rates::default();
        let [flooding, other] = [caller(1), caller(2)];
        let mut admit = |caller| rates.admit("replayed", caller, 1);
        let written = (0..2000).filter_map(|_| admit(Some(&flooding)));
        assert_eq!(written.count(), 10);
        assert_eq!(admit(Some(&other)), Some(0));
        assert_eq!(admit(None), Some(0));
        assert_eq!(rates.admit("replayed", Some(&flooding), 2), Some(1990));
    }

    #[test]
    fn more_callers_than_there_is_room_for_share_one_rate_and_none_is_left_uncounted() {
        let mut rates = Rates::default();
        let callers = RATES_KEPT * 2;
        let (mut written, mut counted) = (0, 0);
        for second in 1..4 {
            for number in 0..callers {
                for _ in 0..20 {
                    if let Some(left_out) = rates.admit("replayed", Some(&caller(number)), second) {
                        written += 1;
                        counted += left_out;
                    }
                }
            }
            assert!(rates.known.len() <= RATES_KEPT + 1, "{second}");
        }
        // The next event of each caller holds the number that was suppressed.
        let waiting: u64 = rates.known.values().map(|rate| rate.suppressed).sum();
        let all = u64::try_from(callers).unwrap() * 20 * 3;
        assert_eq!(written + counted + waiting, all);
        assert!(written <= 3 * 10 * u64::try_from(RATES_KEPT + 1).unwrap());
    }
}
