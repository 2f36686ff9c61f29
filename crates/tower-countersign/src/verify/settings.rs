use std::{sync::Arc, time::Duration};

use countersign::{Rejection, RequestHead, Verifier};
use http::{Uri, request::Parts};

use super::{
    body_limits::BodyLimits,
    body_mode::BodyModes,
    budget::BodyBudget,
    drain::Drain,
    events::Events,
    key_use::KeyUse,
    outages::Outages,
    public_uri::{PublicHead, PublicUri},
    report_only::ReportOnly,
    signed_answers::AnswerSigning,
    spill::Spill,
    stream::StreamLimits,
    uncovered::UncoveredHeaders,
};
use crate::{
    clock::{Clock, SystemClock},
    metrics::Handles,
    source_address::SourceAddress,
};

/// The settings of a layer. The stores are separate.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) verifier: Arc<Verifier>,
    pub(super) public_uri: Option<Arc<PublicUri>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: BodyLimits,
    pub(super) budget: BodyBudget,
    /// The budget for bodies of unauthenticated peers.
    pub(super) unauthenticated: BodyBudget,
    pub(super) body_modes: BodyModes,
    pub(super) stream_limits: StreamLimits,
    /// `None` if no directory is set.
    pub(super) spill: Option<Arc<Spill>>,
    pub(super) uncovered: UncoveredHeaders,
    /// `None` if it was not set. Then the expected hosts are the audience.
    pub(super) audience: Option<Arc<str>>,
    pub(super) realm: Arc<str>,
    pub(super) clock_difference: Duration,
    pub(super) store_deadline: Duration,
    pub(super) outages: Outages,
    pub(super) drain: Drain,
    /// `None` if answers are not signed.
    pub(super) answers: Option<Arc<AnswerSigning>>,
    /// Finds the address that the body of an unauthenticated peer counts towards.
    pub(super) source: SourceAddress,
    pub(super) report_only: ReportOnly,
    pub(super) events: Events,
    pub(super) key_use: KeyUse,
    pub(super) metrics: Arc<Handles>,
    /// `None` if hints are off.
    #[cfg(feature = "diagnose")]
    pub(super) hints: Option<Arc<super::hints::Hints>>,
}

impl Settings {
    /// Returns the head that the caller signed, if a gateway has rewritten it.
    pub(super) fn public_head(
        &self,
        parts: &Parts,
        uri: &Uri,
    ) -> Result<Option<Box<PublicHead>>, Rejection> {
        let Some(public) = &self.public_uri else {
            return Ok(None);
        };
        let inbound = RequestHead::new(&parts.method, uri, &parts.headers);
        Ok(Some(Box::new(public.restore(&inbound)?)))
    }
}

impl Default for Settings {
    fn default() -> Self {
        let limits = BodyLimits::default();
        Self {
            verifier: Arc::new(Verifier::default()),
            public_uri: None,
            clock: Arc::new(SystemClock),
            budget: BodyBudget::new(&limits),
            unauthenticated: BodyBudget::unauthenticated(&limits),
            limits,
            body_modes: BodyModes::default(),
            stream_limits: StreamLimits::default(),
            spill: None,
            uncovered: UncoveredHeaders::default(),
            audience: None,
            realm: Arc::from("service"),
            clock_difference: Duration::from_secs(5),
            store_deadline: Duration::from_secs(5),
            outages: Outages::default(),
            drain: Drain::default(),
            answers: None,
            source: SourceAddress::default(),
            report_only: ReportOnly::default(),
            events: Events::default(),
            key_use: KeyUse::new(),
            metrics: Arc::default(),
            #[cfg(feature = "diagnose")]
            hints: None,
        }
    }
}
