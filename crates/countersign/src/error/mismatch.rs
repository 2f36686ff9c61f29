use std::fmt;

use smallvec::SmallVec;

use super::Escaped;
use crate::{key_version::KeyVersion, scheme::Scheme};

/// The reason for which no key matched, for the operator. The peer learns only that no key matched.
///
/// Formatted only when an event needs the text: the cost of a refusal must not reveal which callers
/// exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) key_id: Box<str>,
    pub(crate) scheme: Scheme,
    pub(crate) body_is_signed: bool,
    pub(crate) found: Found,
}

/// The result of the lookup of the key id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nobody,
    /// A caller with keys in these schemes only.
    OtherSchemes(SmallVec<[Scheme; 4]>),
    Tried(SmallVec<[Tried; 4]>),
}

/// A key that did not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) version: KeyVersion,
    /// The reason for which the key is not accepted now, if any.
    pub(crate) ended: Option<&'static str>,
    /// The reason for which the key cannot match any signature, if any.
    pub(crate) objection: Option<&'static str>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key_id,
            scheme,
            body_is_signed,
            found,
        } = self;
        write!(f, "key id \"{}\": ", Escaped::text(key_id))?;
        match found {
            Found::Nobody => f.write_str("no caller has it"),
            Found::OtherSchemes(schemes) => {
                write!(f, "its caller has no key in {scheme}, but in ")?;
                list(f, schemes, |f, scheme| scheme.fmt(f))
            }
            Found::Tried(tried) => {
                f.write_str("the signature is of none of its keys, found ")?;
                list(f, tried, |f, key| key.fmt(f))?;
                if *body_is_signed {
                    f.write_str("; the key or the body is another one")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}", self.version)?;
        for problem in self.ended.iter().chain(&self.objection) {
            write!(f, " ({problem})")?;
        }
        Ok(())
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}
