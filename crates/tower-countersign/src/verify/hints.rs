//! Mismatch hints: for a refused request of a known caller, which known mistake would explain it.

use std::sync::{Mutex, PoisonError};

use countersign::{
    CallerKeys, KeyId, RequestHead, Timestamp, Verifier,
    diagnose::{Cause, Certainty, Diagnosis, Finding},
};
use http::HeaderName;
use smallvec::SmallVec;

/// How many diagnoses are made in a second for callers that are known, and as many again for names
/// that are not.
const A_SECOND: usize = 8;

/// How many signatures one diagnosis checks at most. See [`Diagnosis::with_limit`].
const CHECKS: usize = 768;

/// The largest body that is tried in other forms, in bytes.
pub(super) const MAX_BODY: u64 = 64 * 1024;

/// The longest name of a header that an event holds, in bytes.
const MAX_NAME: usize = 64;

/// Makes hints, not too often.
#[derive(Debug, Default)]
pub(super) struct Hints {
    path_prefixes: Vec<String>,
    admitted: Mutex<Admitted>,
}

/// The names that a diagnosis was made for in this second.
#[derive(Debug, Default)]
struct Admitted {
    second: i64,
    known: Names,
    unknown: Names,
}

type Names = SmallVec<[Box<str>; A_SECOND]>;

/// What would explain a refusal.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    /// The caller whose keys were tried.
    pub(super) caller: KeyId,
    /// `None` if nothing known explains it.
    pub(super) cause: Option<Cause>,
    /// A second cause, where only both together explain it.
    pub(super) also: Option<Cause>,
    /// The covered header that is concerned, if it is one.
    pub(super) header: Option<HeaderName>,
    /// Whether a signature check shows it.
    pub(super) is_matched: bool,
}

impl Hint {
    /// The code of the cause, or `none`.
    pub(super) fn code(&self) -> &'static str {
        self.cause.map_or("none", Cause::as_str)
    }
}

impl Hints {
    pub(super) fn new(path_prefixes: Vec<String>) -> Self {
        Self {
            path_prefixes,
            admitted: Mutex::default(),
        }
    }

    /// Explains a refusal, if one may be explained in this second.
    ///
    /// An unknown name costs the same work, with keys that stand in, and is never explained.
    pub(super) fn explain(
        &self,
        verifier: &Verifier,
        head: RequestHead<'_>,
        keys: CallerKeys,
        key_id: &str,
        body: Option<&[u8]>,
        now: Timestamp,
    ) -> Option<Hint> {
        let caller = keys.caller_id().cloned();
        if !self.admits(key_id, caller.is_some(), now) {
            return None;
        }
        let mut diagnosis = Diagnosis::new(verifier, head, now)
            .with_keys(keys)
            .with_limit(CHECKS)
            .single_changes_only();
        for prefix in &self.path_prefixes {
            diagnosis = diagnosis.with_path_prefix(prefix);
        }
        if let Some(body) = body {
            diagnosis = diagnosis.with_body(body);
        }
        let report = diagnosis.run();
        let first = report.first_cause().filter(|first| tells_more(first));
        Some(Hint {
            caller: caller?,
            cause: first.map(Finding::cause),
            also: first.and_then(Finding::also),
            header: first
                .and_then(Finding::header)
                .filter(|name| name.as_str().len() <= MAX_NAME)
                .cloned(),
            is_matched: first.is_some_and(|first| first.certainty() == Certainty::Matched),
        })
    }

    /// Each name once a second, and not too many names.
    fn admits(&self, name: &str, is_known: bool, now: Timestamp) -> bool {
        // Whole after a panic too: each change is one call.
        let admitted = self.admitted.lock();
        let mut admitted = admitted.unwrap_or_else(PoisonError::into_inner);
        let second = now.as_unix_seconds();
        if admitted.second != second {
            *admitted = Admitted {
                second,
                ..Admitted::default()
            };
        }
        let names = if is_known {
            &mut admitted.known
        } else {
            &mut admitted.unknown
        };
        if names.len() >= A_SECOND || names.iter().any(|known| **known == *name) {
            return false;
        }
        names.push(name.into());
        true
    }
}

/// Whether a finding says more than the refusal does.
fn tells_more(finding: &Finding) -> bool {
    match finding.certainty() {
        Certainty::Matched => true,
        _ => matches!(
            finding.cause(),
            Cause::BodyEmpty
                | Cause::BodyDecompressed
                | Cause::HeaderRemoved
                | Cause::NoKeyOfScheme
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_admitted_once_a_second_and_eight_names_of_each_kind() {
        let hints = Hints::default();
        let at = Timestamp::from_unix_seconds;
        assert!(hints.admits("billing", true, at(1)));
        assert!(!hints.admits("billing", true, at(1)));
        let admitted = (0..100)
            .filter(|number| hints.admits(&format!("caller-{number}"), true, at(1)))
            .count();
        assert_eq!(admitted, A_SECOND - 1);
        let strangers = (0..100)
            .filter(|number| hints.admits(&format!("stranger-{number}"), false, at(1)))
            .count();
        assert_eq!(strangers, A_SECOND, "strangers take nothing from callers");
        assert!(hints.admits("billing", true, at(2)));
        let admitted = hints.admitted.lock().unwrap();
        assert_eq!(
            admitted.known.len(),
            1,
            "nothing is kept of a second that is over"
        );
    }
}
