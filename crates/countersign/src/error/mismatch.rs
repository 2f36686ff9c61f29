use std::fmt;

use smallvec::SmallVec;

use super::Escaped;
use crate::{key_version::KeyVersion, scheme::Scheme};

/// Why no key matched, for the operator. A peer learns only that none did.
///
/// It is written as text when an event needs it: what a refusal costs must not tell which callers there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) key_id: Box<str>,
    pub(crate) scheme: Scheme,
    pub(crate) body_is_signed: bool,
    pub(crate) found: Found,
}

/// What is known of the key id.
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
    /// Why the key would not be accepted now.
    pub(crate) ended: Option<&'static str>,
    /// What keeps it from matching whatever the signature is.
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
