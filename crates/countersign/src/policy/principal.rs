use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::nearest::{Expected, distance};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key_id::{KeyId, ensure_no_key},
};

/// Who a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Principal {
    Everyone,
    Caller(KeyId),
    Group(Box<str>),
    Account(Box<str>),
}

/// Which callers are in which group and belong to which account.
///
/// A group is a name for several callers. An account is who callers belong to: each to one at most, and a statement about
/// the account is about all of them, which is what the `root` of an account means in a resource policy.
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
    /// No groups and no accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a group of these callers.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if one of the names is none that [`KeyId`] takes, or is `*` or begins with `group:` or
    /// `account:`, or a slip of these, which mean something else; [`ConfigErrorKind::Policy`] for a
    /// group that is there already, and for one without callers: a `Deny` about it would deny nobody.
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
    /// As [`with_group`](Self::with_group), and [`ConfigErrorKind::Policy`] for a caller that belongs to another account.
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

    /// The callers that a statement about `principal` names: nobody in particular, if it is about everyone.
    pub(super) fn named_by<'m>(&'m self, principal: &'m Principal) -> Vec<&'m KeyId> {
        let members = match principal {
            Principal::Everyone => None,
            Principal::Caller(name) => return vec![name],
            Principal::Group(name) => self.groups.get(name),
            Principal::Account(name) => self.accounts.get(name),
        };
        members.into_iter().flatten().collect()
    }

    /// `*`, a caller's name, `group:…` or `account:…`, as statements have it.
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

    /// Refuses the name of a group or an account after another character than a colon: as a caller's
    /// name it would be nobody's.
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

    /// The whole of an account.
    pub(super) fn account(&self, name: &str) -> Result<Principal, ConfigError> {
        match self.accounts.get_key_value(name) {
            Some((name, _)) => Ok(Principal::Account(name.clone())),
            // A statement about nobody would be one that never matches, also where it is to deny.
            None => Err(unknown("account", name, &self.accounts)),
        }
    }
}

/// A caller's name. One with a wildcard would be read as a pattern, and one that begins with almost
/// `group:` or `account:` is a slip: a `Deny` about it would deny nobody.
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

/// Whether a text is a word, but for its case and one slip.
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
