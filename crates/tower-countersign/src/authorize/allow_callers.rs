use countersign::Coverage;
use tower_layer::Layer;

use super::{
    rule::{Callers, Rule},
    service::{Authorize, Settings},
};
use crate::mode::Mode;

/// Allows only the listed callers and refuses all others with 403. See the [module
/// documentation](crate::authorize).
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_countersign::{AllowCallers, VerifiedCaller};
///
/// let router: Router = Router::new()
///     .route("/api/account/{id}", get(async |caller: VerifiedCaller| caller.id().to_string()))
///     .route_layer(AllowCallers::new(["billing", "audit"]));
/// ```
#[derive(Clone, Debug)]
pub struct AllowCallers {
    callers: Callers,
    settings: Settings,
}

impl AllowCallers {
    /// Allows the callers with these names, compared byte for byte. An empty list refuses everyone.
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let names = names.into_iter().map(|name| name.as_ref().into());
        let callers = Callers {
            names: names.collect(),
            coverage: None,
        };
        Self {
            settings: Settings::new(Rule::Callers(callers.clone())),
            callers,
        }
    }

    /// Also refuses signatures that do not cover the whole request, such as those of schemes that
    /// sign only the body. Such a signature proves nothing about this route.
    #[must_use]
    pub fn with_request_coverage(mut self) -> Self {
        self.callers.coverage = Some(Coverage::Request);
        self.settings.rule = Rule::Callers(self.callers.clone());
        self
    }

    /// Refuses no request, and logs each request that enforcement would refuse. A request without a
    /// verified caller is passed on without one. Inside a `VerifyLayer` in report-only mode, the
    /// decision is about the caller that the layer would have accepted.
    ///
    /// # Attack
    ///
    /// Any verified caller can call any route. If the `VerifyLayer` is in report-only mode too,
    /// anyone can.
    #[must_use]
    pub fn insecure_report_only(mut self) -> Self {
        self.settings.mode = Mode::ReportOnly;
        self
    }
}

impl<S> Layer<S> for AllowCallers {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorize::new(inner, self.settings.clone())
    }
}
