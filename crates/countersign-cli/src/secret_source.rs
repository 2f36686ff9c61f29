//! Where a secret comes from: a file, a variable or standard input. Never an argument.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::{Terminal, failure::Failure, input};

/// The most bytes of a key's text, as for a file in a directory of keys.
const MAX_LEN: u64 = 4096;

/// The arguments that name the place of one secret.
#[derive(Args, Clone, Debug)]
#[group(required = false, multiple = false)]
pub(crate) struct SecretSource {
    /// Read the key from this file; `-` is standard input. One line end after it is dropped.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Read the key from this environment variable.
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
}

/// How the bytes of a secret are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyEncoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64, or `whsec_` and Base64 for Standard Webhooks.
    Base64,
    /// The text itself.
    Text,
}

impl SecretSource {
    /// Returns whether a place is named.
    pub(crate) fn is_given(&self) -> bool {
        self.key_file.is_some() || self.key_env.is_some()
    }

    /// Returns whether the secret is on standard input, which then holds nothing else.
    pub(crate) fn is_stdin(&self) -> bool {
        self.key_file.as_deref() == Some(Path::new("-"))
    }

    /// Reads the text of the key, without one line end after it.
    ///
    /// # Errors
    ///
    /// [`Exit::Unavailable`](crate::Exit::Unavailable) if the file or variable is not there,
    /// [`Exit::Usage`](crate::Exit::Usage) if no place is named or the text is no UTF-8.
    pub(crate) fn read(&self, terminal: &mut Terminal<'_>) -> Result<Zeroizing<String>, Failure> {
        if let Some(path) = &self.key_file {
            let text = input::read_text(terminal, path, MAX_LEN)?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            return Ok(Zeroizing::new(line.to_owned()));
        }
        match &self.key_env {
            Some(name) => read_variable(terminal, name),
            None => Err(Failure::usage(
                "expected a key from --key-file or --key-env, found neither",
            )),
        }
    }
}

/// Reads a secret from a variable.
///
/// # Errors
///
/// [`Exit::Unavailable`](crate::Exit::Unavailable) if it is not set,
/// [`Exit::Usage`](crate::Exit::Usage) if it is no UTF-8.
pub(crate) fn read_variable(
    terminal: &Terminal<'_>,
    name: &str,
) -> Result<Zeroizing<String>, Failure> {
    let shown = Redacted(name);
    let value = terminal
        .variable(name)
        .ok_or_else(|| Failure::unavailable(format_args!("variable {shown}: not set")))?;
    // The value is not part of the message.
    let value = value
        .into_string()
        .map_err(|_| Failure::usage(format_args!("variable {shown}: expected UTF-8")))?;
    Ok(Zeroizing::new(value))
}

/// An argument for a message. An argument that may be a misplaced key is not shown.
pub(crate) struct Redacted<'t>(pub(crate) &'t str);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if may_hold_a_key(self.0) {
            f.write_str("[redacted]")
        } else {
            f.write_str(self.0)
        }
    }
}

/// Returns whether a text has the form of a key: `whsec_`, PEM, or 32 letters and digits in a row
/// among which at least six are digits. Paths and names seldom have them.
pub(crate) fn may_hold_a_key(text: &str) -> bool {
    let is_of_a_key = |it: char| it.is_ascii_alphanumeric() || it == '+' || it == '=';
    let is_long =
        |run: &str| run.len() >= 32 && run.bytes().filter(u8::is_ascii_digit).count() >= 6;
    text.contains("whsec_")
        || text.contains("-----BEGIN")
        || text.split(|it| !is_of_a_key(it)).any(is_long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_with_the_form_of_a_key_is_not_shown() {
        let hex = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
        for (name, text, expected) in [
            ("hexadecimal digits", hex, true),
            ("in an option", &format!("--key={hex}"), true),
            (
                "Base64",
                "nZ4Q3v0zkqj1S5bYxw2mTt8uVd7cRf6hGe9iKa0pLs4=",
                true,
            ),
            ("a webhook's key", "whsec_MfKQ9r8GKYqr", true),
            ("PEM", "-----BEGIN PRIVATE KEY-----", true),
            (
                "a variable",
                "USER_SERVICE_SECRET_OF_BILLING_IN_PRODUCTION",
                false,
            ),
            (
                "a path",
                "/etc/secrets/user-service/2026-01/callers.toml",
                false,
            ),
            ("a date", "2026-01-02T03:04:05Z", false),
        ] {
            assert_eq!(may_hold_a_key(text), expected, "{name}");
        }
    }
}
