use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{
    condition::Condition, execute_api::Target, overlap::Token, principal::Principal,
    request::PolicyRequest, resource::Resource,
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::PlainPath,
};

/// The name of a statement, which the log shows. 1 to 128 characters of visible ASCII and space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementId(Arc<str>);

impl StatementId {
    /// Makes a name. `element` is its name in the document.
    pub(super) fn new(id: &str, element: &str) -> Result<Self, ConfigError> {
        let shown = |byte| matches!(byte, b' '..=b'~');
        if (1..=128).contains(&id.len()) && id.bytes().all(shown) {
            return Ok(Self(id.into()));
        }
        let expected = "expected 1 to 128 characters of visible ASCII and space";
        let message = match id.len() {
            0..=128 => format!("{element}: {expected}, found {id:?}"),
            len => format!("{element}: {expected}, found {len}"),
        };
        Err(ConfigError::new(ConfigErrorKind::Policy, message))
    }

    /// Names a statement without a name by its position: `statement 1`.
    pub(super) fn of_place(place: usize) -> Self {
        Self(format!("statement {place}").into())
    }

    /// Returns `statement NAME`, for messages.
    pub(super) fn described(&self) -> String {
        let noun = match self.0.strip_prefix("statement ") {
            Some(_) => "",
            None => "statement ",
        };
        format!("{noun}{self}")
    }

    /// Returns the name.
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

/// One rule of a policy: callers, resources, conditions.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) id: StatementId,
    pub(super) effect: Effect,
    pub(super) principals: Vec<Principal>,
    pub(super) resource: Resource,
    pub(super) conditions: Vec<Condition>,
}

impl Statement {
    /// Returns whether this `Deny` matches the request. Its path may have any form. Conditions on
    /// unknown values hold.
    pub(super) fn denies(&self, request: &PolicyRequest<'_>, target: &Target<'_>) -> bool {
        self.effect == Effect::Deny
            && self.resource.matches(request.method, request.path, target)
            && !self
                .conditions
                .iter()
                .any(|condition| condition.holds(request) == Some(false))
    }

    /// Returns whether this `Allow` matches the request. Requires a path in plain form. Conditions
    /// on unknown values do not hold.
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

    /// Returns whether any request with this method on this route could match.
    pub(super) fn reaches(&self, method: &str, route: &str, tokens: &[Token], api: &str) -> bool {
        self.resource.reaches(method, tokens, api)
            && self
                .conditions
                .iter()
                .all(|condition| condition.can_hold_on(route))
    }
}

/// Returns the first statement with the name of an earlier one: the log could not tell which of
/// them decided.
pub(super) fn duplicate(ids: &[StatementId]) -> Option<(usize, ConfigError)> {
    let mut seen = BTreeSet::new();
    let mut ids = ids.iter().enumerate();
    let (place, id) = ids.find(|(_, id)| !seen.insert(*id))?;
    let message = format!("{}: listed twice", id.described());
    Some((place, ConfigError::new(ConfigErrorKind::Policy, message)))
}
