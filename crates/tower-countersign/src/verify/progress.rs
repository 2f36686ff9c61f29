use std::sync::Arc;

use countersign::{
    Authentication, CallerKeys, Rejection, RejectionKind, RequestHead, SigningKey, Timestamp,
    UnverifiedHead,
};
use http::request::Parts;

use super::{settings::Settings, signed_answers::Answering};
use crate::{metrics::Decision, mode::Mode};

/// What the steps of a decision have found so far.
pub(super) struct Progress {
    pub(super) decision: Decision,
    /// What signs the answer, once the signature over the head matched.
    prepared: Option<Box<Answering>>,
}

impl Progress {
    pub(super) fn new(decision: Decision) -> Self {
        Self {
            decision,
            prepared: None,
        }
    }

    /// Returns whether answers are signed, if the signature matches.
    pub(super) fn signs_answers(&self, settings: &Settings) -> bool {
        self.decision.mode() == Mode::Enforced && settings.answers.is_some()
    }

    /// Keeps what a signed answer needs of the request.
    pub(super) fn prepare(
        &mut self,
        settings: &Settings,
        parts: &Parts,
        head: &RequestHead<'_>,
        unverified: &UnverifiedHead<'_>,
    ) {
        if let Some(answers) = &settings.answers
            && self.signs_answers(settings)
        {
            let (clock, events) = (&settings.clock, &settings.events);
            self.prepared = Answering::new(answers, parts, head, unverified, clock, events);
        }
    }

    /// Checks the signature over the head, and notes what signs the answer.
    pub(super) fn authenticate<'c, 'r>(
        &mut self,
        unverified: &'c UnverifiedHead<'r>,
        keys: &'c CallerKeys,
        now: Timestamp,
    ) -> Result<Authentication<'c, 'r>, Rejection> {
        match unverified.authenticate(keys, now) {
            Ok(Authentication::Head(head)) => {
                self.decision.head_matched();
                self.matched(|| head.response_signing_key());
                Ok(Authentication::Head(head))
            }
            Err(rejection) if rejection.kind() != RejectionKind::InvalidSignature => {
                self.find_key(unverified, keys, now);
                Err(rejection)
            }
            other => other,
        }
    }

    /// Finds the key of a request that is refused although its signature may match.
    pub(super) fn find_key(
        &mut self,
        unverified: &UnverifiedHead<'_>,
        keys: &CallerKeys,
        now: Timestamp,
    ) {
        let waits = |prepared: &Answering| !prepared.is_matched();
        if self.prepared.as_deref().is_some_and(waits)
            && let Some(key) = unverified.key_of_head(keys, now)
        {
            self.matched(|| key.response_signing_key());
        }
    }

    fn matched(&mut self, derived: impl FnOnce() -> Option<Arc<SigningKey>>) {
        if let Some(prepared) = &mut self.prepared {
            prepared.matched(derived());
        }
    }

    /// Returns the decision, and what signs the answer. The latter is `None` unless the signature
    /// over the head matched.
    pub(super) fn into_parts(self) -> (Decision, Option<Box<Answering>>) {
        let answering = self.prepared.filter(|prepared| prepared.is_matched());
        (self.decision, answering)
    }
}
