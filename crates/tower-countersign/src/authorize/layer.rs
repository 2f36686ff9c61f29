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

/// Asks a policy whether the verified caller may do what it asks for, and refuses with 403 what is not allowed. See the
/// [module documentation](crate::authorize).
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
/// // .layer(VerifyLayer::new(keys)) comes after it: later layers are further out.
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizeLayer {
    rule: PolicyRule,
    mode: Mode,
    events: Events,
}

impl AuthorizeLayer {
    /// A layer that asks this policy. With a [`SharedPolicy`] it can be replaced later.
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

    /// Takes the source address from `X-Forwarded-For`, which so many proxies of yours append to, in place of the socket's
    /// peer.
    ///
    /// With one hop it is the last entry, with two the one before, counted over all lines of the header. What stands before
    /// it is the client's word and is not looked at. Too few entries, or one that is no address, leave the address unknown:
    /// then no `Allow` with a condition on it matches, and every `Deny`.
    ///
    /// Nothing may reach the service but through those proxies, or whoever does writes its address itself. 0, the default,
    /// reads no header.
    #[must_use]
    pub fn with_trusted_hops(mut self, hops: usize) -> Self {
        self.rule.source.trusted_hops = hops;
        self
    }

    /// Finds the address of the socket's peer in the request's extensions by this function.
    ///
    /// By default it is in axum's `ConnectInfo<SocketAddr>`, which is there if the app is served with
    /// `into_make_service_with_connect_info`, or else a plain [`SocketAddr`] among the extensions.
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

    /// Refuses no request, and logs those that would be refused. A request without a verified caller
    /// is passed on without one. Inside a `VerifyLayer` that only reports, the decision is about the
    /// caller that the layer would have accepted.
    ///
    /// # Attack
    ///
    /// Any verified caller can call any route, and anyone can if the `VerifyLayer` only reports too.
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
