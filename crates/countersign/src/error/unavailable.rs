use std::{error, fmt};

/// A key store, a replay store or a provider of credentials that could not answer.
///
/// A verifier answers 503 to this and never 401: the peer may well be who it says it is. A signer signs nothing.
#[derive(Debug)]
pub struct Unavailable {
    what: &'static str,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Unavailable {
    /// Something named `what` (such as `"replay store"`) that could not answer.
    pub const fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// The same, with the reason. The reason is written to logs: it **must not** hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The name of what could not answer.
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
