use std::{fmt, sync::Arc};

use countersign::{Coverage, PolicyRequest, SharedPolicy, StatementId, Timestamp};
use http::Request;

use super::forbidden::{Forbidden, ForbiddenReason};
use crate::{
    caller_facts::CallerFacts,
    clock::{Clock, SystemClock},
    source_address::SourceAddress,
    verify::request_uri,
};

/// The rule that a layer applies.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Callers(Callers),
    Policy(PolicyRule),
}

#[derive(Clone, Debug)]
pub(super) struct Callers {
    pub(super) names: Arc<[Box<str>]>,
    pub(super) coverage: Option<Coverage>,
}

#[derive(Clone)]
pub(super) struct PolicyRule {
    pub(super) policy: SharedPolicy,
    pub(super) source: SourceAddress,
    pub(super) clock: Arc<dyn Clock>,
}

impl Rule {
    /// Returns the statement that allows the request, or `None` for a list of callers.
    pub(super) fn judge<B>(
        &self,
        caller: Option<CallerFacts<'_>>,
        request: &Request<B>,
    ) -> Result<Option<StatementId>, Forbidden> {
        let Some(caller) = caller else {
            return Err(Forbidden::new(None, ForbiddenReason::NoVerifiedCaller));
        };
        let judged = match self {
            Self::Callers(callers) => callers.judge(caller).map(|()| None),
            Self::Policy(policy) => policy.judge(caller, request).map(Some),
        };
        judged.map_err(|reason| Forbidden::new(Some(caller.id()), reason))
    }

    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Callers(_) => SystemClock.now(),
            Self::Policy(policy) => policy.clock.now(),
        }
    }
}

impl Callers {
    fn judge(&self, caller: CallerFacts<'_>) -> Result<(), ForbiddenReason> {
        if !self
            .names
            .iter()
            .any(|name| **name == *caller.id().as_str())
        {
            return Err(ForbiddenReason::NotListed);
        }
        match self.coverage {
            Some(coverage) if coverage != caller.head.coverage() => Err(ForbiddenReason::BodyOnly),
            _ => Ok(()),
        }
    }
}

impl PolicyRule {
    fn judge<B>(
        &self,
        caller: CallerFacts<'_>,
        request: &Request<B>,
    ) -> Result<StatementId, ForbiddenReason> {
        let (uri, extensions) = (request.uri(), request.extensions());
        // The policy judges the verified request, so the handler must get the same request.
        let target = caller.target;
        if request.method() != target.method()
            || !request_uri::is_handled_as(target.path(), uri, extensions)
        {
            return Err(ForbiddenReason::Rewritten);
        }
        let mut asked = PolicyRequest::new(caller.id(), target.method().as_str(), target.path())
            .with_scheme(caller.head.scheme())
            .with_coverage(caller.head.coverage())
            .with_key_version(caller.head.key_version())
            .at(self.clock.now());
        if let Some(route) = matched_route(extensions) {
            asked = asked.with_route(route);
        }
        if let Some(source) = self.source.of(request.headers(), extensions) {
            asked = asked.with_source(source);
        }
        let policy = self.policy.current();
        let decision = policy.evaluate(&asked);
        match (ForbiddenReason::of(decision), decision.statement()) {
            (None, Some(statement)) => Ok(statement.clone()),
            (reason, _) => Err(reason.unwrap_or(ForbiddenReason::NoMatch)),
        }
    }
}

#[cfg(feature = "axum")]
fn matched_route(extensions: &http::Extensions) -> Option<&str> {
    let matched = extensions.get::<axum::extract::MatchedPath>()?;
    Some(matched.as_str())
}

#[cfg(not(feature = "axum"))]
fn matched_route(_extensions: &http::Extensions) -> Option<&str> {
    None
}

impl fmt::Debug for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyRule")
            .field("policy", &self.policy)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
