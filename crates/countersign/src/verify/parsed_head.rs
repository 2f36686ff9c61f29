use std::{borrow::Cow, time::Duration};

use super::{body_mac::SignedBody, replay_identity::ReplayIdentity, verified::Coverage};
use crate::{
    error::Rejection,
    payload::DeclaredPayload,
    scheme::{Credentials, Scheme},
    timestamp::Timestamp,
};

/// What a scheme reads from a head.
pub(crate) struct ParsedHead<'r> {
    pub(crate) scheme: Scheme,
    pub(crate) key_id: Cow<'r, str>,
    pub(crate) signed_at: Timestamp,
    pub(crate) freshness: Freshness,
    pub(crate) replay: Option<ReplayIdentity<'r>>,
    pub(crate) content_type_uncovered: bool,
    pub(crate) audience_checked: bool,
    /// What is covered by this very signature, and not what its scheme could cover.
    pub(crate) coverage: Coverage,
    /// Whether the signature stands in the URL, so that whoever was given the URL can send the request.
    pub(crate) presigned: bool,
    pub(crate) proof: Proof<'r>,
}

/// What the signature is over, and so when it can be checked.
pub(crate) enum Proof<'r> {
    /// The head, which declares what body follows: it is checked before one byte of the body is read.
    Head {
        credentials: Credentials<'r>,
        payload: DeclaredPayload,
    },
    /// The head and the digest of the body, which the head does not declare: it is checked once the body is there.
    HeadAndDigest { credentials: Credentials<'r> },
    /// The body itself behind a few bytes of the head, and nothing else.
    Body(SignedBody<'r>),
}

/// From when until when a signature is accepted, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Freshness {
    /// As far from the signed date as this, on either side.
    pub(crate) fn around(signed_at: Timestamp, window: Duration) -> Self {
        Self {
            from: signed_at.saturating_sub(window),
            until: signed_at.saturating_add(window),
        }
    }

    /// The same, but no longer than until then.
    pub(crate) fn not_after(mut self, until: Timestamp) -> Self {
        self.until = self.until.min(until);
        self
    }
}

impl ParsedHead<'_> {
    /// Judges the signed date, the very one that is part of the signed text.
    pub(super) fn ensure_fresh(&self, now: Timestamp) -> Result<(), Rejection> {
        let Freshness { from, until } = self.freshness;
        if (from..=until).contains(&now) {
            return Ok(());
        }
        let bound = if now < from { from } else { until };
        let window = self.signed_at.abs_diff(bound);
        Err(Rejection::stale(self.signed_at, now, window))
    }
}
