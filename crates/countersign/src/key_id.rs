use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use crate::error::{ConfigError, ConfigErrorKind};

/// The name of a caller: the text after `credential=`, and the name that handlers get.
///
/// 1 to 128 visible ASCII characters (0x21 to 0x7E), except `=`, `,`, `;`, `"` and `\`, which are
/// syntax in the headers that carry a name. Comparison is by bytes and case-sensitive. Cloning is
/// cheap.
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
    /// The greatest length of a name in bytes.
    pub const MAX_LEN: usize = 128;

    /// Parses a name.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if the text is empty, too long, or holds another character.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        Self::named("caller name", name)
    }

    /// Parses a name. Errors call it `what`.
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

    /// Parses the key id of RFC 9421, which is any string: 1 to 2048 visible ASCII characters and
    /// spaces. It selects a key and names no caller.
    pub(crate) fn of_string(what: impl fmt::Display, text: &str) -> Result<Self, ConfigError> {
        const MAX_LEN: usize = 2048;
        let is_of_string = |byte: u8| matches!(byte, b' '..=b'~');
        if (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(is_of_string) {
            return Ok(Self(Arc::from(text)));
        }
        Err(ConfigError::new(
            ConfigErrorKind::Name,
            format!(
                "{what} {:?}: expected 1 to {MAX_LEN} visible ASCII characters and spaces",
                shown(text)
            ),
        ))
    }

    /// Returns whether [`new`](Self::new) accepts `name`.
    pub(crate) fn is_valid(name: &str) -> bool {
        (1..=Self::MAX_LEN).contains(&name.len()) && name.bytes().all(is_name_byte)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of a key in a form that may be shown. See [`ShownKeyId`].
    pub(crate) fn shown(&self) -> ShownKeyId<'_> {
        ShownKeyId(self)
    }
}

/// Shows at most the first four characters of a key's name.
///
/// A name and its secret are often configured side by side, as in an AWS access key, and are easily
/// swapped. A secret cannot be told from a name, because users choose names freely. So neither is
/// refused, and neither is printed in full.
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

/// Shows a short name in full, and a long one only by its length: it may be a misplaced key.
pub(crate) fn shown(name: &str) -> String {
    match name.len() {
        0..=24 => name.to_owned(),
        len => format!("({len} bytes)"),
    }
}

const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'=' | b',' | b';' | b'"' | b'\\')
}

/// Refuses a name that looks like a key: a misplaced key would appear in errors.
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
