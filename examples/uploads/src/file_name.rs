use std::fmt;

use serde::Deserialize;

/// The name of an uploaded file: 1 to 128 letters, digits, `-`, `_` and `.`, not first a `.`.
///
/// So a name is no path, and no name of a staged file, which begins with a `.`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FileName(String);

/// The text is not a [`FileName`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NotAFileName;

impl FileName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileName {
    type Error = NotAFileName;

    fn try_from(name: String) -> Result<Self, NotAFileName> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=128).contains(&name.len()) && !name.starts_with('.');
        if fits && name.bytes().all(plain) {
            Ok(Self(name))
        } else {
            Err(NotAFileName)
        }
    }
}

impl fmt::Display for NotAFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a file name of 1 to 128 letters, digits, '-', '_' and '.', not first a '.'",
        )
    }
}

impl std::error::Error for NotAFileName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path_nor_hidden() {
        for name in ["a", "report-2026_01.pdf", "a.b.c", "-"] {
            assert!(FileName::try_from(name.to_owned()).is_ok(), "{name}");
        }
        let long = "a".repeat(129);
        for name in [
            "", ".", "..", ".a", "a/b", "../a", "a\\b", "a b", "ä", "a\0", "C:", &long,
        ] {
            assert!(FileName::try_from(name.to_owned()).is_err(), "{name:?}");
        }
    }
}
