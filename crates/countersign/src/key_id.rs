use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use crate::error::{ConfigError, ConfigErrorKind};

/// The name of a caller: what stands behind `credential=` and what a handler learns.
///
/// 1 to 128 visible ASCII characters (0x21 to 0x7E) without `=`, `,`, `;`, `"` and `\`, which have a meaning in the
/// headers that carry a name. Names differ when any byte differs, case included. Cloning is cheap.
///
/// ```
/// use countersign::KeyId;
///
/// let id: KeyId = "billing".parse()?;
/// assert_eq!(id.as_str(), "billing");
/// assert!("a=b".parse::<KeyId>().is_err());
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The greatest length of a name, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Parses a name.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if the text is empty, too long, or holds a character that names may not hold.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        Self::named("caller name", name)
    }

    /// Parses a name that errors call `what`.
    pub(crate) fn named(what: impl fmt::Display, name: &str) -> Result<Self, ConfigError> {
        if Self::is_valid(name) {
            Ok(Self(Arc::from(name)))
        } else {
            Err(ConfigError::new(
                ConfigErrorKind::Name,
                format!(
                    "{what} {:?}: expected 1 to {} visible ASCII characters without = , ; \" \\",
                    shown(name),
                    Self::MAX_LEN
                ),
            ))
        }
    }

    /// Whether `name` is one that [`new`](Self::new) takes.
    pub(crate) fn is_valid(name: &str) -> bool {
        (1..=Self::MAX_LEN).contains(&name.len()) && name.bytes().all(is_name_byte)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a key, as it may be shown. See [`ShownKeyId`].
    pub(crate) fn shown(&self) -> ShownKeyId<'_> {
        ShownKeyId(self)
    }
}

/// No more of a key's name than its first four characters.
///
/// Where a name and its secret stand side by side, as those of an AWS access key do, the one is given for the other sooner
/// or later. What looks like a secret cannot be told from a name, which may be any text that a user chooses. So none is
/// refused, and none is printed.
pub(crate) struct ShownKeyId<'k>(&'k KeyId);

impl fmt::Display for ShownKeyId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.as_str();
        match name.get(..4) {
            Some(start) if start.len() < name.len() => {
                write!(f, "{start}… ({} characters)", name.len())
            }
            _ => f.write_str(name),
        }
    }
}

impl fmt::Debug for ShownKeyId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A short name as it is, a long one by its length alone: it may be a key in the wrong place.
pub(crate) fn shown(name: &str) -> String {
    match name.len() {
        0..=24 => name.to_owned(),
        len => format!("({len} bytes)"),
    }
}

const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'=' | b',' | b';' | b'"' | b'\\')
}

/// Refuses a name that looks like a key: the two stand side by side, and errors show names.
#[cfg(any(feature = "config", feature = "policy"))]
pub(crate) fn ensure_no_key(name: &str) -> Result<(), ConfigError> {
    if name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ConfigError::new(
            ConfigErrorKind::Name,
            format!("a name of {} hexadecimal digits: is it a key?", name.len()),
        ));
    }
    Ok(())
}

impl FromStr for KeyId {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for KeyId {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for KeyId {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({:?})", &*self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_names_services_have() {
        for name in [
            "a",
            "service-a",
            "billing.service-v2_prod",
            "arn:svc/billing@eu",
            &"x".repeat(128),
        ] {
            assert_eq!(KeyId::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn no_more_than_four_characters_of_a_key_id_are_shown() {
        for (id, expected) in [
            ("A", "A"),
            ("AKID", "AKID"),
            ("AKIDA", "AKID… (5 characters)"),
            ("AKIDBILLING", "AKID… (11 characters)"),
            (
                "correct/Horse+battery/Staple+0123456789a",
                "corr… (40 characters)",
            ),
        ] {
            let id = KeyId::new(id).unwrap();
            assert_eq!(id.shown().to_string(), expected);
            assert_eq!(format!("{:?}", id.shown()), format!("KeyId({expected})"));
        }
    }

    #[test]
    fn refuses_what_the_headers_could_not_carry() {
        for (name, id) in [
            ("empty", ""),
            ("too long", &*"x".repeat(129)),
            ("equals", "a=b"),
            ("comma", "a,b"),
            ("comma and space", "a, b"),
            ("semicolon", "a;b"),
            ("quote", "a\"b"),
            ("backslash", "a\\b"),
            ("space", "a b"),
            ("newline", "a\nb"),
            ("nul", "a\0b"),
            ("delete", "a\x7f"),
            ("non-ASCII", "bücher"),
        ] {
            let error = KeyId::new(id).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Name, "{name}");
        }
    }
}
