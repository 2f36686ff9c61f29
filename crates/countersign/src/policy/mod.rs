//! Authorization policies and their evaluation. See [`Policy`].

mod condition;
mod contradiction;
mod decision;
mod evaluate;
mod execute_api;
mod file;
mod json;
mod json_condition;
mod json_values;
mod methods;
mod nearest;
mod overlap;
mod path_pattern;
mod position;
mod principal;
mod request;
mod resource;
mod resource_name;
mod shared;
mod statement;
mod toml;
mod uncovered;
mod unreachable;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use smallvec::SmallVec;

pub use self::{
    decision::Decision,
    execute_api::ExecuteApi,
    principal::Membership,
    request::PolicyRequest,
    shared::SharedPolicy,
    statement::StatementId,
    uncovered::{UncoveredRoute, WhyUncovered},
    unreachable::{UnreachableStatement, WhyUnreachable},
};
use self::{
    principal::Principal,
    statement::{Effect, Statement},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key_id::KeyId,
};

/// Authorizes callers: statements that allow, statements that deny, and a refusal by default.
///
/// ```
/// use countersign::{KeyId, Policy, PolicyRequest};
///
/// let policy = Policy::from_toml(r#"
/// [[statements]]
/// id = "billing reads accounts"
/// effect = "allow"
/// callers = ["billing"]
/// methods = ["GET"]
/// paths = ["/api/account/*"]
/// "#)?;
/// let billing = KeyId::new("billing")?;
/// let decision = policy.evaluate(&PolicyRequest::new(&billing, "GET", "/api/account/7"));
/// assert!(decision.is_allowed());
/// assert_eq!(decision.statement().unwrap().as_str(), "billing reads accounts");
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// Policies are read from TOML ([`from_toml`](Self::from_toml)), or from JSON in the form of API
/// Gateway's resource policies ([`from_json`](Self::from_json)). Nothing in either is ignored:
/// unknown content is an error. So is a statement that no request to this service can match: as a
/// `Deny` it would protect nothing. Documents that several APIs share are accepted by a setting;
/// [`unreachable`](Self::unreachable) then lists the parts that were kept out.
///
/// # Evaluation
///
/// 1. A statement matches if it names the caller, the method and the path, and all its conditions
///    hold.
/// 2. If a `Deny` matches, the request is refused. Otherwise, if an `Allow` matches, it is allowed.
///    Otherwise it is refused.
/// 3. The path is the verified one, byte for byte: case-sensitive and not decoded. An `Allow`
///    matches only paths in plain form.
/// 4. Unknown condition values, such as the address after a proxy that sends none, never grant
///    access: they make an `Allow` fail and a `Deny` match.
///
/// A path in plain form has no dot segments, no empty segments, no `;`, no `\`, and no unescaped
/// byte that needs an escape. Nor has it escapes of characters that need none (`%61`, `%2E`,
/// `%40`), escapes of characters that no path should hold (`%2F`, `%5C`, `%3B`, `%25`, controls,
/// invalid UTF-8), or escapes in lower case (`%c3`).
///
/// With [body-only](crate::Coverage::BodyOnly) coverage, the signature covers neither method nor
/// path. With [partial](crate::Coverage::Partial) coverage, it need not cover both. The policy then
/// applies to the routed method and path. To refuse such callers, use `when = { coverage =
/// ["request"] }`.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Arc<Statement>>,
    by_caller: HashMap<KeyId, SmallVec<[Arc<Statements>; 2]>>,
    about_everyone: Statements,
    /// The prefix of request names in the JSON form.
    api: String,
    unreachable: Vec<UnreachableStatement>,
}

/// The statements about one principal.
#[derive(Clone, Debug, Default)]
struct Statements {
    denies: Vec<Arc<Statement>>,
    allows: Vec<Arc<Statement>>,
}

impl Policy {
    fn build(
        statements: Vec<Statement>,
        membership: &Membership,
        api: String,
    ) -> Result<Self, ConfigError> {
        if statements.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                "policy: expected at least one statement about this service, found none",
            ));
        }
        let statements: Vec<_> = statements.into_iter().map(Arc::new).collect();
        let mut by_principal: HashMap<Principal, Statements> = HashMap::new();
        for statement in &statements {
            let principals: HashSet<_> = statement.principals.iter().collect();
            for principal in principals {
                let about = by_principal.entry(principal.clone()).or_default();
                match statement.effect {
                    Effect::Allow => about.allows.push(Arc::clone(statement)),
                    Effect::Deny => about.denies.push(Arc::clone(statement)),
                }
            }
        }
        let about_everyone = by_principal
            .remove(&Principal::Everyone)
            .unwrap_or_default();
        let mut by_caller: HashMap<KeyId, SmallVec<_>> = HashMap::new();
        for (principal, about) in by_principal {
            let about = Arc::new(about);
            for caller in membership.named_by(&principal) {
                let about = Arc::clone(&about);
                by_caller.entry(caller.clone()).or_default().push(about);
            }
        }
        Ok(Self {
            statements,
            by_caller,
            about_everyone,
            api,
            unreachable: Vec::new(),
        })
    }

    /// Returns the names of the statements in order, without those that were [kept
    /// out](Self::unreachable).
    pub fn statement_ids(&self) -> impl Iterator<Item = &StatementId> {
        self.statements.iter().map(|statement| &statement.id)
    }
}
