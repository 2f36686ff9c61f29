//! Which step of a rotation is next.

use clap::ValueEnum;
use countersign::Timestamp;
use serde::Serialize;

use crate::{failure::Failure, key_file::ListedKey};

/// A step of a rotation at the callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// Add a new key beside the old one.
    Add,
    /// Accept the old key and report its use.
    AcceptOnly,
    /// Remove the old key.
    Remove,
}

impl Step {
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Add => 1,
            Self::AcceptOnly => 2,
            Self::Remove => 3,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::AcceptOnly => "accept-only",
            Self::Remove => "remove",
        }
    }
}

/// The next step, and the keys that it is about.
#[derive(Debug)]
pub(super) struct Next<'k> {
    pub(super) step: Step,
    pub(super) old: &'k ListedKey,
    /// The key that replaces the old one. `None` before it is made.
    pub(super) new: Option<&'k ListedKey>,
}

/// Finds the next step for these keys of one caller and one scheme, in the order of the file.
///
/// # Errors
///
/// [`Exit::No`](crate::Exit::No) if no step can follow: there are too many keys, or none that
/// stays.
pub(super) fn next<'k>(
    keys: &[&'k ListedKey],
    old: Option<&str>,
    now: Timestamp,
) -> Result<Next<'k>, Failure> {
    let [first, second] = match keys {
        [] => {
            return Err(Failure::refused(
                "expected a key that is not revoked, found none",
            ));
        }
        [only] => {
            if only.ends_at().is_some_and(|end| end <= now) || only.state != "active" {
                let problem = "expected an active key to rotate, found one that is not";
                return Err(Failure::refused(problem));
            }
            return Ok(Next {
                step: Step::Add,
                old: only,
                new: None,
            });
        }
        [first, second] => [*first, *second],
        more => {
            return Err(Failure::refused(format_args!(
                "expected one key or two, found {}: finish the rotation before, or revoke a key",
                more.len()
            )));
        }
    };
    let is_old =
        |key: &ListedKey| key.state == "accept-only" || key.ends_at().is_some_and(|end| end <= now);
    // `add` writes the new key after the old one.
    let (old_key, new_key) = match (is_old(first), is_old(second)) {
        (true, true) => {
            return Err(Failure::refused(
                "expected one of the two keys to be active and valid, found none",
            ));
        }
        (false, true) => (second, first),
        (false, false) if old.is_some() && old == second.version.as_deref() => (second, first),
        (true | false, false) => (first, second),
    };
    if let Some(old) = old.filter(|old| old_key.version.as_deref() != Some(*old)) {
        return Err(Failure::refused(format_args!(
            "expected --old to name the key that goes next, {}, found {old}",
            version(old_key)
        )));
    }
    let step = if is_old(old_key) {
        Step::Remove
    } else {
        Step::AcceptOnly
    };
    if step == Step::Remove && new_key.begins_at().is_some_and(|begin| now < begin) {
        return Err(Failure::refused(format_args!(
            "key {} is not valid yet: without key {} each request would be refused",
            version(new_key),
            version(old_key)
        )));
    }
    Ok(Next {
        step,
        old: old_key,
        new: Some(new_key),
    })
}

/// Returns the version of a caller's key, which always has one.
pub(super) fn version(key: &ListedKey) -> &str {
    key.version.as_deref().unwrap_or_default()
}
