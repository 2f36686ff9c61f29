use std::{error, fmt};

/// A key store, a replay store or a credentials provider that could not answer.
///
/// A verifier answers 503, never 401: the request may be valid. A signer signs nothing.
#[derive(Debug)]
pub struct Unavailable {
    what: &'static str,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Unavailable {
    /// Makes an error of the service named `what`, such as `"replay store"`.
    pub const fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// Adds the cause. The cause is written to logs: it **must not** hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the name of the service that could not answer.
    pub fn what(&self) -> &'static str {
        self.what
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} unavailable", self.what)
    }
}

impl error::Error for Unavailable {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
