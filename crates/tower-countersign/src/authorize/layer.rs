use std::{net::SocketAddr, sync::Arc};

use countersign::SharedPolicy;
use http::Extensions;
use tower_layer::Layer;

use super::{
    rule::{PolicyRule, Rule},
    service::{Authorize, Settings},
};
use crate::{
    clock::{Clock, SystemClock},
    mode::Mode,
    source_address::SourceAddress,
    verify::events::Events,
};

/// Asks a policy whether the verified caller may make the request, and refuses with 403 if not. See
/// the [module documentation](crate::authorize).
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign::Policy;
/// use tower_countersign::{AuthorizeLayer, VerifiedCaller};
///
/// let policy = Policy::from_toml(r#"
/// [[statements]]
/// id = "billing reads accounts"
/// effect = "allow"
/// callers = ["billing"]
/// methods = ["GET"]
/// paths = ["/api/account/*"]
/// "#)?;
/// let router: Router = Router::new()
///     .route("/api/account/{id}", get(async |caller: VerifiedCaller| caller.id().to_string()))
///     .layer(AuthorizeLayer::new(policy));
/// // Add VerifyLayer last: in axum, later layers are further out.
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizeLayer {
    rule: PolicyRule,
    mode: Mode,
    events: Events,
}

impl AuthorizeLayer {
    /// Asks this policy. A [`SharedPolicy`] can be replaced at run time.
    pub fn new(policy: impl Into<SharedPolicy>) -> Self {
        Self {
            rule: PolicyRule {
                policy: policy.into(),
                source: SourceAddress::default(),
                clock: Arc::new(SystemClock),
            },
            mode: Mode::Enforced,
            events: Events::default(),
        }
    }

    /// Takes the source address from `X-Forwarded-For` instead of the socket's peer. `hops` is the
    /// number of trusted proxies that append to that header.
    ///
    /// One hop selects the last entry, two hops the last but one, counted over all lines of the
    /// header. Earlier entries come from the client and are ignored. If there are too few entries,
    /// or one is not an address, the address is unknown. Then no `Allow` with a condition on the
    /// address matches, and every such `Deny` does.
    ///
    /// The service must be reachable only through these proxies: any other client could write its
    /// own address. The default, 0, reads no header.
    #[must_use]
    pub fn with_trusted_hops(mut self, hops: usize) -> Self {
        self.rule.source.trusted_hops = hops;
        self
    }

    /// Finds the address of the socket's peer in the request's extensions with this function.
    ///
    /// The default reads axum's `ConnectInfo<SocketAddr>`, which
    /// `into_make_service_with_connect_info` adds, or else a plain [`SocketAddr`].
    #[must_use]
    pub fn with_peer_address(
        mut self,
        find: impl Fn(&Extensions) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        self.rule.source.peer = Arc::new(find);
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.rule.clock = Arc::new(clock);
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
        self.mode = Mode::ReportOnly;
        self
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let settings = Settings {
            rule: Rule::Policy(self.rule.clone()),
            mode: self.mode,
            events: self.events.clone(),
            metrics: Arc::default(),
        };
        Authorize::new(inner, settings)
    }
}
