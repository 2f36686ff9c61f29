//! Logs and counts the outcome of a decision.

use std::borrow::Cow;

use countersign::{Asserted, KeyStore, ReplayStore, Timestamp};
use http::request::Parts;

use super::{
    buffered::Buffered,
    events::{self, RefusedRequest, Sender},
    verification::{Refused, Verification},
};
use crate::{
    caller_facts::CallerFacts,
    metrics::{self, Decision},
};

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Logs and counts an accepted request. In report-only mode: a request that would be accepted.
    /// `body_bytes` is `None` if the body is still to come.
    pub(super) fn accepted(
        &self,
        caller: CallerFacts<'_>,
        decision: Decision,
        body_bytes: Option<u64>,
        now: Timestamp,
    ) {
        events::accepted(caller, decision.mode());
        self.settings
            .key_use
            .record(caller.id(), caller.head.key_version(), now);
        decision.accepted(caller, body_bytes, now);
    }

    /// Logs and counts a refused request, and returns the key id that it asserts. In report-only
    /// mode: a request that would be refused.
    pub(super) fn refused<'p>(
        &self,
        parts: &'p Parts,
        refused: &Refused,
        buffered: &mut Buffered,
        decision: Decision,
        now: Timestamp,
    ) -> Option<Cow<'p, str>> {
        let Refused { refusal, caller } = refused;
        let settings = &self.settings;
        let asserted = settings.verifier.asserted(parts);
        let scheme = asserted.as_ref().map(Asserted::scheme);
        let key_id = asserted.and_then(Asserted::into_key_id);
        let hint = self.hint(parts, refused, key_id.as_deref(), buffered, now);
        let request = RefusedRequest {
            method: &parts.method,
            sender: Sender::new(caller.as_ref(), key_id.as_deref()),
            hint: hint.as_ref(),
            peer: settings.source.of(&parts.headers, &parts.extensions),
            body: None,
        };
        settings
            .events
            .refused(refusal, &request, decision.mode(), now);
        if let Some(hint) = &hint {
            metrics::mismatch_hint(hint.code, scheme, hint.is_matched.then_some(&hint.caller));
        }
        decision.refused(refusal, caller.as_ref(), scheme, now);
        key_id
    }
}
