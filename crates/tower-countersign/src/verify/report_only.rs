//! The routes on which a layer only reports.

use std::sync::Arc;

use countersign::ConfigError;
use http::{Method, request::Parts};

use super::routes::{self, Route};
use crate::mode::Mode;

/// The requests for which a layer only reports.
#[derive(Clone, Debug, Default)]
pub(super) enum ReportOnly {
    #[default]
    Nowhere,
    Everywhere,
    For(Arc<[Route]>),
}

impl ReportOnly {
    /// Returns the mode for this request. A request is enforced if it could be handled as another
    /// route than that of its request line.
    pub(super) fn mode_of(&self, parts: &Parts) -> Mode {
        let routes = match self {
            Self::Nowhere => return Mode::Enforced,
            Self::Everywhere => return Mode::ReportOnly,
            Self::For(routes) => routes,
        };
        let listed = routes::path_of(parts)
            .is_some_and(|path| routes.iter().any(|route| route.is(&parts.method, path)));
        if listed {
            Mode::ReportOnly
        } else {
            Mode::Enforced
        }
    }

    /// Adds these routes to those that were added before.
    pub(super) fn and_for(
        &self,
        routes: impl IntoIterator<Item = (Method, impl AsRef<str>)>,
    ) -> Result<Self, ConfigError> {
        let mut all = match self {
            Self::Nowhere | Self::Everywhere => Vec::new(),
            Self::For(routes) => routes.to_vec(),
        };
        for (method, pattern) in routes {
            all.push(Route::new(method, pattern.as_ref(), "report-only route")?);
        }
        Ok(Self::For(all.into()))
    }
}
