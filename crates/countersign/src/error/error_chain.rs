use std::{error::Error, fmt};

/// Prints an error and its sources on one line, separated by colons. Omits a source whose text its
/// error already repeats.
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'e>(&'e (dyn Error + 'static));

impl<'e> ErrorChain<'e> {
    /// Prints this error.
    pub const fn new(error: &'e (dyn Error + 'static)) -> Self {
        Self(error)
    }
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.to_string();
        f.write_str(&shown)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !shown.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            shown = text;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use crate::error::{ConfigError, ConfigErrorKind, SignError, SignErrorKind};

    #[test]
    fn debug_reads_as_a_program_should_end() {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file");
        let error = ConfigError::new(ConfigErrorKind::File, "keys.toml: cannot be read");
        let error = error.with_source(missing());
        assert_eq!(
            format!("{error:?}"),
            "keys.toml: cannot be read: no such file"
        );
        let error = SignError::new(SignErrorKind::Credentials, "credentials: no such file");
        let error = error.with_source(Arc::new(missing()));
        assert_eq!(format!("{error:?}"), "credentials: no such file");
    }
}
