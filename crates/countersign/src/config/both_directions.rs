//! Refuses a key that a file uses in both directions: to sign and to verify.

use std::collections::HashSet;

use toml::Spanned;

use super::{
    callers::add,
    schema::{Caller, Derived, Target},
    toml_text::line,
};
use crate::{
    derived_keyring::DerivedKeyring,
    error::{ConfigError, ConfigErrorKind},
    key_id::ensure_no_key,
    keyring::Keyring,
    sign::Signer,
};

/// Compares every key of the targets with the keys that the same text verifies with.
pub(super) fn ensure_distinct(
    text: &str,
    targets: &[Spanned<Target>],
    check: impl Fn(&Signer) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    for target in targets {
        let place = line(text, &target.span());
        let target = target.get_ref();
        let name = target.name.clone();
        ensure_no_key(&name).map_err(|error| error.within(&place))?;
        if !seen.insert(name.clone()) {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                format!("{place}: target {name}: expected once in the file, found twice"),
            ));
        }
        let signer = target.to_optional_signer(text);
        if let Some(signer) = signer.map_err(|error| error.within(&place))? {
            signer
                .try_for_each(&check)
                .map_err(|error| error.within(format_args!("{place}: target {name}")))?;
        }
    }
    Ok(())
}

/// The keys that a file's text verifies with.
pub(super) enum Verifying {
    Nothing,
    Callers(Keyring),
    Derived(DerivedKeyring),
}

impl Verifying {
    pub(super) fn of(
        text: &str,
        callers: &[Spanned<Caller>],
        derived: Option<Derived>,
    ) -> Result<Self, ConfigError> {
        match derived {
            // Expected hosts are checked where these keys are read to verify.
            Some(derived) => derived.into_keyring(text, callers, true).map(Self::Derived),
            None if callers.is_empty() => Ok(Self::Nothing),
            None => {
                let keys = add(Keyring::builder(), text, callers)?.build()?;
                Ok(Self::Callers(keys))
            }
        }
    }

    pub(super) fn ensure_distinct_from(&self, signer: &Signer) -> Result<(), ConfigError> {
        match self {
            Self::Nothing => Ok(()),
            Self::Callers(keys) => keys.ensure_distinct_from(&[signer]),
            Self::Derived(keys) => keys.ensure_distinct_from(&[signer]),
        }
    }
}
