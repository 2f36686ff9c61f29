//! When the handler starts: after the body, or after the head.

use std::sync::Arc;

use countersign::{ConfigError, ConfigErrorKind, Verifier};
use http::{Method, request::Parts};

use super::routes::{self, Route};

/// When the handler is called, and where the body of a request is until then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyMode {
    /// The body is verified first, in memory. For JSON and other small bodies.
    #[default]
    Buffer,
    /// The body is verified first, in memory up to 256 KiB and then in a file without a name. For
    /// uploads that are parsed, unpacked or stored. Needs
    /// [`VerifyLayer::with_spill`](crate::VerifyLayer::with_spill).
    Spill,
    /// The handler reads the body while it is verified. For relays, and for storage that can
    /// discard what it wrote.
    ///
    /// The handler is called after the head is verified and the nonce is claimed, and gets a
    /// [`HeadVerifiedCaller`](crate::HeadVerifiedCaller). Its body ends with an error if the body
    /// is not the signed one. The last bytes are held back until the digest has matched, so a
    /// handler never holds a complete body that is wrong. See
    /// [the module documentation](crate::verify#streamed-bodies).
    ///
    /// An upload that failed has used its nonce: the client signs it again.
    Stream,
}

/// The mode of each route.
#[derive(Clone, Debug, Default)]
pub(super) struct BodyModes {
    elsewhere: BodyMode,
    routes: Arc<[(BodyMode, Route)]>,
}

impl BodyModes {
    /// Returns the mode for this request.
    pub(super) fn of(&self, parts: &Parts) -> BodyMode {
        if self.routes.is_empty() {
            return self.elsewhere;
        }
        match routes::path_of(parts) {
            Some(path) => self.of_route(&parts.method, path),
            None => self.elsewhere,
        }
    }

    pub(super) fn with_elsewhere(&self, mode: BodyMode) -> Self {
        Self {
            elsewhere: mode,
            routes: Arc::clone(&self.routes),
        }
    }

    /// Adds these routes to those that were added before. Of two that match, the first counts.
    pub(super) fn and_for(
        &self,
        mode: BodyMode,
        routes: impl IntoIterator<Item = (Method, impl AsRef<str>)>,
    ) -> Result<Self, ConfigError> {
        let mut all = self.routes.to_vec();
        for (method, pattern) in routes {
            let route = Route::new(method, pattern.as_ref(), "route of a body mode")?;
            all.push((mode, route));
        }
        Ok(Self {
            elsewhere: self.elsewhere,
            routes: all.into(),
        })
    }

    /// Refuses `Spill` without a directory, and a mode in which the body of an unauthenticated peer
    /// would be handled or stored.
    pub(super) fn check(&self, verifier: &Verifier, can_spill: bool) -> Result<(), ConfigError> {
        let mut modes = self.routes.iter().map(|(mode, _)| *mode);
        if !can_spill && (self.elsewhere == BodyMode::Spill || modes.any(|m| m == BodyMode::Spill))
        {
            let message = "body mode Spill: expected VerifyLayer::with_spill before, found no \
                           directory for the files";
            return Err(ConfigError::new(ConfigErrorKind::Setting, message));
        }
        for (method, path) in verifier.body_signed_routes() {
            if self.of_route(method, path) != BodyMode::Buffer {
                let message = format!(
                    "body mode of {method} {path}: expected BodyMode::Buffer, because callers of \
                     this route sign the body, so that nothing is proven before its end"
                );
                return Err(ConfigError::new(ConfigErrorKind::Setting, message));
            }
        }
        Ok(())
    }

    fn of_route(&self, method: &Method, path: &str) -> BodyMode {
        let found = self.routes.iter().find(|(_, route)| route.is(method, path));
        found.map_or(self.elsewhere, |(mode, _)| *mode)
    }
}
