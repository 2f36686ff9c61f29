//! Mismatch hints: known mistakes that explain the refusal of a known caller's request.

use std::{
    borrow::Cow,
    sync::{LazyLock, Mutex, PoisonError},
};

use countersign::{
    CallerKeys, ConfigError, KeyStore, Rejection, RejectionKind, ReplayStore, RequestHead, Secret,
    Timestamp, Verifier,
    diagnose::{Cause, Certainty, Diagnosis, Finding},
};
use http::request::Parts;
use smallvec::SmallVec;

use super::{
    buffered::Buffered,
    hint::Hint,
    request_uri,
    verification::{Refused, Verification},
};

/// The number of diagnoses in a second for known callers. Unknown key ids get the same number.
const A_SECOND: usize = 8;

/// The number of signatures that one diagnosis checks at most. See [`Diagnosis::with_limit`].
const CHECKS: usize = 768;

/// The longest body of which a diagnosis tries other forms, in bytes.
const MAX_BODY: u64 = 64 * 1024;

/// A secret that no caller has.
static DUMMY: LazyLock<Result<Secret, ConfigError>> = LazyLock::new(Secret::generate);

/// The longest header name that an event holds, in bytes.
const MAX_NAME: usize = 64;

/// Makes hints, and limits their rate.
#[derive(Debug, Default)]
pub(super) struct Hints {
    path_prefixes: Vec<String>,
    admitted: Mutex<Admitted>,
}

/// The key ids that were diagnosed in this second.
#[derive(Debug, Default)]
struct Admitted {
    second: i64,
    known: Names,
    unknown: Names,
}

type Names = SmallVec<[Box<str>; A_SECOND]>;

impl Hints {
    pub(super) fn new(path_prefixes: Vec<String>) -> Self {
        Self {
            path_prefixes,
            admitted: Mutex::default(),
        }
    }

    /// Explains a refusal, if the rate limit allows it.
    ///
    /// For an unknown key id, the same work is done with dummy keys, and the result is dropped.
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
            .with_single_changes_only();
        for prefix in &self.path_prefixes {
            diagnosis = diagnosis.with_path_prefix(prefix);
        }
        if let Some(body) = body {
            diagnosis = diagnosis.with_body(body);
        }
        // A known caller's secret is read in other ways. An unknown key id costs as much.
        if caller.is_none()
            && let Ok(secret) = &*DUMMY
        {
            diagnosis = diagnosis.with_secret(secret);
        }
        let report = diagnosis.run();
        let first = report.first_cause().filter(|first| tells_more(first));
        Some(Hint {
            caller: caller?,
            code: first.map_or("none", |first| first.cause().as_str()),
            also: first.and_then(Finding::also).map(Cause::as_str),
            header: first
                .and_then(Finding::header)
                .filter(|name| name.as_str().len() <= MAX_NAME)
                .cloned(),
            is_matched: first.is_some_and(|first| first.certainty() == Certainty::Matched),
        })
    }

    /// Admits each key id once a second, and a limited number of key ids.
    fn admits(&self, name: &str, is_known: bool, now: Timestamp) -> bool {
        // Consistent even after a panic: each change is one call.
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

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Returns a hint that explains the refusal. If hints are off, this reads one setting and
    /// returns.
    pub(super) fn hint(
        &self,
        parts: &Parts,
        refused: &Refused,
        key_id: Option<&str>,
        buffered: &mut Buffered,
        now: Timestamp,
    ) -> Option<Hint> {
        let hints = self.settings.hints.as_ref()?;
        let rejection = refused.refusal.rejection()?;
        if !may_explain(rejection) {
            return None;
        }
        let uri = request_uri::of(parts).ok()?;
        let public = self.settings.public_head(parts, uri).ok()?;
        let head = match &public {
            Some(public) => public.head(&parts.method),
            None => RequestHead::new(&parts.method, uri, &parts.headers),
        };
        let verifier = &self.settings.verifier;
        let key_id = if let Some(key_id) = key_id {
            Cow::Borrowed(key_id)
        } else {
            // In some schemes the settings name the caller, not the request.
            let at = rejection.stale_date().unwrap_or(now);
            let unverified = verifier.parse(head, at).ok()?;
            Cow::Owned(unverified.key_id().to_owned())
        };
        let keys = self.keys.try_lookup(&key_id)?.ok()?;
        let body = buffered.small_body(MAX_BODY);
        hints.explain(verifier, head, keys, &key_id, body.as_deref(), now)
    }
}

/// Returns whether a diagnosis can add anything to this refusal.
fn may_explain(rejection: &Rejection) -> bool {
    matches!(
        rejection.kind(),
        RejectionKind::Malformed
            | RejectionKind::Misdirected
            | RejectionKind::InsufficientCoverage
            | RejectionKind::Expired
            | RejectionKind::InvalidSignature
            | RejectionKind::BodyMismatch
    )
}

/// Returns whether a finding adds anything to the refusal.
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
        assert_eq!(
            strangers, A_SECOND,
            "unknown key ids take no share of callers"
        );
        assert!(hints.admits("billing", true, at(2)));
        let admitted = hints.admitted.lock().unwrap();
        assert_eq!(
            admitted.known.len(),
            1,
            "a second that is over is forgotten"
        );
    }
}
