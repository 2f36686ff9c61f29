//! Keys from outside: the two environment variables, TOML, and directories of files. Read when asked to, never on the path of
//! a request.

mod derived;
mod directory;
mod env;
mod file;
mod targets;
mod toml_text;

use crate::error::{ConfigError, ConfigErrorKind};

/// Refuses a name that looks like a key: the two stand side by side, and errors show names.
pub(crate) fn ensure_no_key(name: &str) -> Result<(), ConfigError> {
    if name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ConfigError::new(
            ConfigErrorKind::Name,
            format!("a name of {} hexadecimal digits: is it a key?", name.len()),
        ));
    }
    Ok(())
}
