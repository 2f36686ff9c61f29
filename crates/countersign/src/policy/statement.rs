use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{
    condition::Condition, execute_api::Target, overlap::Token, plain_path::PlainPath,
    principal::Principal, request::PolicyRequest, resource::Resource,
};
use crate::error::{ConfigError, ConfigErrorKind};

/// The name of a statement, which says in the log what decided. 1 to 128 characters of visible ASCII and space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementId(Arc<str>);

impl StatementId {
    pub(super) fn new(id: &str) -> Result<Self, ConfigError> {
        let shown = |byte| matches!(byte, b' '..=b'~');
        if (1..=128).contains(&id.len()) && id.bytes().all(shown) {
            return Ok(Self(id.into()));
        }
        Err(ConfigError::new(
            ConfigErrorKind::Policy,
            "statement id: expected 1 to 128 characters of visible ASCII and space",
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// One rule of a policy: who, what, when.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) id: StatementId,
    pub(super) effect: Effect,
    pub(super) principals: Vec<Principal>,
    pub(super) resource: Resource,
    pub(super) conditions: Vec<Condition>,
}

impl Statement {
    /// Whether this `Deny` is for the request. Its path may have any form, and a condition on what is not known holds.
    pub(super) fn denies(&self, request: &PolicyRequest<'_>, target: &Target<'_>) -> bool {
        self.effect == Effect::Deny
            && self.resource.matches(request.method, request.path, target)
            && !self
                .conditions
                .iter()
                .any(|condition| condition.holds(request) == Some(false))
    }

    /// Whether this `Allow` is for the request. It takes a path in its plain form, and a condition on what is not known does
    /// not hold.
    pub(super) fn allows(
        &self,
        request: &PolicyRequest<'_>,
        path: PlainPath<'_>,
        target: &Target<'_>,
    ) -> bool {
        self.effect == Effect::Allow
            && self.resource.matches(request.method, path.as_str(), target)
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(request) == Some(true))
    }

    /// Whether some request with this method on this route could match.
    pub(super) fn reaches(&self, method: &str, route: &str, tokens: &[Token], api: &str) -> bool {
        self.resource.reaches(method, tokens, api)
            && self
                .conditions
                .iter()
                .all(|condition| condition.can_hold_on(route))
    }
}

/// Refuses two statements of one name: the log would not say which of them decided.
pub(super) fn ensure_distinct(statements: &[Statement]) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for Statement { id, .. } in statements {
        if !seen.insert(id) {
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                format!("statement {id}: listed twice"),
            ));
        }
    }
    Ok(())
}
