use std::{error, fmt};

/// Writes an error and what it came from, in one line. A source that its error repeats is left out.
pub(super) fn with_sources(
    error: &(dyn error::Error + 'static),
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut shown = error.to_string();
    f.write_str(&shown)?;
    let mut source = error.source();
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
