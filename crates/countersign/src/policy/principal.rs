use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::nearest::Expected;
use crate::{
    error::{ConfigError, ConfigErrorKind, distance},
    key_id::{KeyId, ensure_no_key},
};

/// The callers that a statement names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Principal {
    Everyone,
    Caller(KeyId),
    Group(Box<str>),
    Account(Box<str>),
}

/// The groups and accounts of callers.
///
/// A group is a name for several callers. An account owns callers, and a caller belongs to at most
/// one account. A statement about an account is about all of its callers, like the `root` of an
/// account in a resource policy.
///
/// ```
/// use countersign::Membership;
///
/// let membership = Membership::new()
///     .with_group("finance", ["billing", "audit"])?
///     .with_account("111111111111", ["billing"])?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Membership {
    groups: BTreeMap<Box<str>, BTreeSet<KeyId>>,
    accounts: BTreeMap<Box<str>, BTreeSet<KeyId>>,
    account_of: HashMap<KeyId, Box<str>>,
}

impl Membership {
    /// Makes an empty membership.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a group of these callers.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`] if a name is no [`KeyId`], is `*`, or begins with `group:` or
    ///   `account:` or a misspelling of these, which have another meaning.
    /// - [`ConfigErrorKind::Policy`] for a group that exists already, and for a group without
    ///   callers: a `Deny` about it would deny nothing.
    pub fn with_group<I>(mut self, name: &str, callers: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let callers = members("group", name, callers)?;
        if self.groups.insert(name.into(), callers).is_some() {
            return Err(twice("group", name));
        }
        Ok(self)
    }

    /// Adds an account that these callers belong to.
    ///
    /// # Errors
    ///
    /// As [`with_group`](Self::with_group). [`ConfigErrorKind::Policy`] also for a caller that
    /// belongs to another account.
    pub fn with_account<I>(mut self, name: &str, callers: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let callers = members("account", name, callers)?;
        for caller in &callers {
            if let Some(other) = self.account_of.insert(caller.clone(), name.into()) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Policy,
                    format!(
                        "caller {caller}: expected in one account, found in {other} and {name}"
                    ),
                ));
            }
        }
        if self.accounts.insert(name.into(), callers).is_some() {
            return Err(twice("account", name));
        }
        Ok(self)
    }

    /// Returns the callers that `principal` names. Empty if it names everyone.
    pub(super) fn named_by<'m>(&'m self, principal: &'m Principal) -> Vec<&'m KeyId> {
        let members = match principal {
            Principal::Everyone => None,
            Principal::Caller(name) => return vec![name],
            Principal::Group(name) => self.groups.get(name),
            Principal::Account(name) => self.accounts.get(name),
        };
        members.into_iter().flatten().collect()
    }

    /// Reads `*`, a caller's name, `group:…` or `account:…` of a statement.
    pub(super) fn principal(&self, text: &str) -> Result<Principal, ConfigError> {
        if text == "*" {
            return Ok(Principal::Everyone);
        }
        if let Some(group) = text.strip_prefix("group:") {
            return match self.groups.get_key_value(group) {
                Some((name, _)) => Ok(Principal::Group(name.clone())),
                None => Err(unknown("group", group, &self.groups)),
            };
        }
        if let Some(account) = text.strip_prefix("account:") {
            return self.account(account);
        }
        self.ensure_no_slip(text)?;
        caller(text).map(Principal::Caller)
    }

    /// Refuses `group` or `account` before a known name, but with another character than a colon
    /// between them. A `Deny` about a caller of that name would deny nothing.
    fn ensure_no_slip(&self, text: &str) -> Result<(), ConfigError> {
        let Some((prefix, name)) = text.split_once(|char: char| !char.is_alphanumeric()) else {
            return Ok(());
        };
        let meant = |kind: &str, known: bool| known && is_almost(prefix, kind);
        let kind = if meant("group", self.groups.contains_key(name)) {
            "group"
        } else if meant("account", self.accounts.contains_key(name)) {
            "account"
        } else {
            return Ok(());
        };
        Err(ConfigError::new(
            ConfigErrorKind::Name,
            format!("caller {text:?}: expected {kind}:{name}, or another name"),
        ))
    }

    /// Returns the principal for a whole account.
    pub(super) fn account(&self, name: &str) -> Result<Principal, ConfigError> {
        match self.accounts.get_key_value(name) {
            Some((name, _)) => Ok(Principal::Account(name.clone())),
            // A statement about no callers would never match, even a `Deny`.
            None => Err(unknown("account", name, &self.accounts)),
        }
    }
}

/// Reads a caller's name. Refuses wildcards, which would read as a pattern, and misspellings of
/// `group:` or `account:`: a `Deny` about such a name would deny nothing.
pub(super) fn caller(name: &str) -> Result<KeyId, ConfigError> {
    ensure_no_key(name)?;
    let prefix = name.split_once(':').map(|(prefix, _)| prefix);
    for kind in ["group", "account"] {
        if prefix.is_some_and(|prefix| prefix != kind && is_almost(prefix, kind)) {
            return Err(ConfigError::new(
                ConfigErrorKind::Name,
                format!("caller {name:?}: expected {kind}: at its start, or another name"),
            ));
        }
    }
    if name.contains(['*', '?']) || name.starts_with("group:") || name.starts_with("account:") {
        return Err(ConfigError::new(
            ConfigErrorKind::Name,
            format!("caller {name:?}: expected the whole name of one caller"),
        ));
    }
    KeyId::new(name)
}

/// Returns whether a text equals a word, ignoring case and one typing error.
fn is_almost(text: &str, word: &str) -> bool {
    text.len() <= 16 && distance(&text.to_ascii_lowercase(), word) <= 1
}

fn members<I>(kind: &str, name: &str, callers: I) -> Result<BTreeSet<KeyId>, ConfigError>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let within = |error: ConfigError| error.within(format_args!("{kind} {name:?}"));
    KeyId::new(name).map_err(within)?;
    let callers: BTreeSet<_> = callers
        .into_iter()
        .map(|name| caller(name.as_ref()).map_err(within))
        .collect::<Result<_, _>>()?;
    if callers.is_empty() {
        let error = ConfigError::new(
            ConfigErrorKind::Policy,
            "expected at least one caller, found none",
        );
        return Err(within(error));
    }
    Ok(callers)
}

fn twice(kind: &str, name: &str) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Policy,
        format!("{kind} {name}: listed twice"),
    )
}

fn unknown(kind: &str, name: &str, known: &BTreeMap<Box<str>, BTreeSet<KeyId>>) -> ConfigError {
    let expected = Expected::one_of(known.keys().map(|known| &**known), name);
    ConfigError::new(
        ConfigErrorKind::Policy,
        format!("{kind} {name:?}: its callers are not listed: {expected}"),
    )
}
