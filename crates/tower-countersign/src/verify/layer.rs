use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use countersign::{ConfigError, KeyStore, MemoryReplayStore, ReplayStore, Verifier};
use http::{Extensions, Method};
use tower_layer::Layer;

use super::{
    body_limits::BodyLimits, budget::BodyBudget, drain::Drain, key_use::KeyUse,
    public_uri::PublicUri, report_only::ReportOnly, service::Verify, settings::Settings,
    uncovered::UncoveredHeaders,
};
use crate::clock::Clock;

/// Verifies every request before it reaches the inner service. See the [module documentation](crate::verify) for what
/// is decided in which order.
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign::{CallerKey, Keyring, Secret, VerifyingKey};
/// use tower_countersign::{VerifiedCaller, VerifyLayer};
///
/// let secret = Secret::generate()?;
/// let keys = Keyring::builder()
///     .caller("billing", CallerKey::new("2026-01", VerifyingKey::hmac_sha256(&secret))?)
///     .build()?;
///
/// let app: Router = Router::new()
///     .route("/whoami", get(async |caller: VerifiedCaller| caller.id().to_string()))
///     .layer(VerifyLayer::new(keys));
/// # Ok::<(), countersign::ConfigError>(())
/// ```
pub struct VerifyLayer<K, R = MemoryReplayStore> {
    settings: Settings,
    keys: K,
    replay: R,
}

impl<K: KeyStore> VerifyLayer<K> {
    /// A layer that accepts `HMAC-SHA256` from the callers of `keys`, within 300 seconds of the signed date, each nonce
    /// once, with a body of up to 2 MiB.
    ///
    /// Nonces are remembered in the memory of this process. A service with several replicas needs a store that they
    /// share: see [`with_replay_store`](Self::with_replay_store).
    pub fn new(keys: K) -> Self {
        let replay = MemoryReplayStore::for_callers(keys.callers());
        Self {
            settings: Settings::default(),
            keys,
            replay,
        }
    }
}

impl<K, R> VerifyLayer<K, R> {
    /// Sets what is asked of every request: schemes, window, expected hosts, coverage.
    #[must_use]
    pub fn with_verifier(mut self, verifier: Verifier) -> Self {
        self.settings.verifier = Arc::new(verifier);
        self
    }

    /// Adds authorities of this service to those expected: a request for any other is refused with 421.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`](countersign::ConfigErrorKind::Authority) if one of them is no authority.
    pub fn with_expected_hosts<I>(self, hosts: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let builder = self.settings.verifier.to_builder();
        let verifier = builder.expected_hosts(hosts).build()?;
        Ok(self.with_verifier(verifier))
    }

    /// Verifies the URI that callers signed, where a gateway rewrites host or path. Also adds the public host to the
    /// expected hosts.
    ///
    /// `VerifiedCaller::path`, policies and report-only routes go by the path as it arrives, without the prefix. The routes
    /// in the settings of a scheme (DRF, webhooks) go by the path that callers write. Call this after
    /// [`with_verifier`](Self::with_verifier), which replaces the expected hosts.
    ///
    /// # Errors
    ///
    /// As [`with_expected_hosts`](Self::with_expected_hosts).
    pub fn with_public_uri(self, public: PublicUri) -> Result<Self, ConfigError> {
        let mut layer = self.with_expected_hosts([public.host()])?;
        layer.settings.public_uri = Some(Arc::new(public));
        Ok(layer)
    }

    /// Remembers nonces in this store, which the replicas of a service share.
    pub fn with_replay_store<R2: ReplayStore>(self, replay: R2) -> VerifyLayer<K, R2> {
        VerifyLayer {
            settings: self.settings,
            keys: self.keys,
            replay,
        }
    }

    /// Names this service to the replay store. Verifiers that share a store and stand behind one another need different
    /// names; replicas of one service need the same, so set it where a store is shared. By default it is the set of the
    /// expected hosts, which a deployment that adds one changes.
    ///
    /// A nonce is forgotten when its date can no longer be accepted *by the window and deadline of that moment*. Change
    /// the audience when you widen either, or what was handled under the old ones can be handled again.
    #[must_use]
    pub fn with_audience(mut self, audience: &str) -> Self {
        self.settings.audience = Some(Arc::from(audience));
        self
    }

    /// Sets the realm of the `WWW-Authenticate` challenges, by default `service`. Characters other than visible ASCII
    /// and space, and `"` and `\`, are left out.
    #[must_use]
    pub fn with_realm(mut self, realm: &str) -> Self {
        let plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        self.settings.realm = Arc::from(realm.chars().filter(plain).collect::<String>());
        self
    }

    /// Sets how large a body may be, how long it may take, and how much memory all of them may use.
    #[must_use]
    pub fn with_body_limits(mut self, limits: BodyLimits) -> Self {
        self.settings.budget = BodyBudget::new(&limits);
        self.settings.unauthenticated = BodyBudget::unauthenticated(&limits);
        self.settings.limits = limits;
        self
    }

    /// Sets what becomes of headers that the signature does not cover.
    #[must_use]
    pub fn with_uncovered_headers(mut self, uncovered: UncoveredHeaders) -> Self {
        self.settings.uncovered = uncovered;
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Sets the greatest difference between the clocks of two verifiers that share a replay store, by default 5
    /// seconds: a nonce is remembered for so much longer.
    #[must_use]
    pub fn with_clock_difference(mut self, difference: Duration) -> Self {
        self.settings.clock_difference = difference;
        self
    }

    /// Sets how long a key store or a replay store may take to answer, by default 5 seconds: after it 503.
    #[must_use]
    pub fn with_store_deadline(mut self, deadline: Duration) -> Self {
        self.settings.store_deadline = deadline;
        self
    }

    /// Records the use of keys here: to have one record for several layers.
    #[must_use]
    pub fn with_key_use(mut self, key_use: KeyUse) -> Self {
        self.settings.key_use = key_use;
        self
    }

    /// When each key was last used. Clone it before the layer is put on a service.
    pub fn key_use(&self) -> &KeyUse {
        &self.settings.key_use
    }

    /// Says in the event of a refusal which known mistake explains it, as `hint`: a host without its
    /// port, a path prefix that was stripped, a header that was rewritten, and so on. The codes are
    /// those of [`Cause`](countersign::diagnose::Cause).
    ///
    /// Hints are for known callers only, and never on the wire: the peer gets the same answer as
    /// without them. They are counted in [`MISMATCH_HINTS`](crate::metrics::MISMATCH_HINTS). The
    /// secret itself is not at hand here, so that no hint says that it was read in the wrong
    /// encoding; [`Diagnosis`](countersign::diagnose::Diagnosis) can be given the secret. No hint is
    /// made where the key store does not answer at once.
    ///
    /// # Cost
    ///
    /// Nothing for requests that are accepted. A hint checks up to 768 signatures with an HMAC key,
    /// or 45 with an Ed25519 key, and fewer of long requests, once the request is refused and before the answer is sent. At most
    /// one hint a second is made for each caller, and 8 for all together. An unknown name costs about the
    /// same work out of an equal allowance, so that the time of an answer does not tell which
    /// callers exist. Whoever watches the times of many answers can still tell that hints are on.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn with_mismatch_hints(self) -> Self {
        self.with_mismatch_hints_for([""; 0])
    }

    /// [Adds hints](Self::with_mismatch_hints) that also try these path prefixes, such as `/api`,
    /// which a proxy may have taken away or put before the path.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn with_mismatch_hints_for<I>(mut self, path_prefixes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let prefixes = path_prefixes.into_iter().map(Into::into).collect();
        self.settings.hints = Some(Arc::new(super::hints::Hints::new(prefixes)));
        self
    }

    /// While the replay store cannot answer, lets requests through that pass everything else, instead of answering 503.
    ///
    /// Each is counted in [`unclaimed_requests`](Self::unclaimed_requests) and told in an event,
    /// `VerifiedCaller::replay_protected()` is false for it, and its nonce is not used up: the handler can refuse what must not be
    /// handled twice.
    ///
    /// # Attack
    ///
    /// Whoever has captured a request and can bring the store down, or wait until it is, has the request handled as often as
    /// they like within the window of its date.
    #[must_use]
    pub fn insecure_continue_without_replay_store(mut self) -> Self {
        self.settings.outages.insecure_continue();
        self
    }

    /// How many requests this layer, its clones and its services have let through because the replay store could not answer: 0
    /// unless [`insecure_continue_without_replay_store`](Self::insecure_continue_without_replay_store) was set.
    pub fn unclaimed_requests(&self) -> u64 {
        self.settings.outages.unclaimed()
    }

    /// Sets how many bytes of a refused body are read and dropped before the refusal is sent, and
    /// for how long. The default is 2 MiB and 3 seconds. 0 bytes reads nothing.
    ///
    /// On HTTP/1.1 a server that answers before it has read the body closes the connection, and a
    /// client that sends first and reads later sees a reset instead of the answer (RFC 9112 section
    /// 9.6). What is read takes no memory beyond the connection's own buffer. Nothing is read on
    /// HTTP/2, of a body that is declared longer than these bytes, of a request with `Expect`,
    /// after a refusal for lateness, or while 32 other bodies are being read. A peer that sends
    /// nothing for a second gets its answer then.
    #[must_use]
    pub fn with_refused_body_drain(mut self, bytes: u64, time: Duration) -> Self {
        self.settings.drain = Drain::new(bytes, time);
        self
    }

    /// Takes the peer's address from `X-Forwarded-For`, which so many proxies of yours append to,
    /// in place of the socket's peer. It decides whose memory a body is before its sender is
    /// authenticated: see [`BodyLimits`](BodyLimits#who-shares-what).
    ///
    /// Nothing may reach the service but through those proxies, or a peer writes its address
    /// itself. With one hop it is the last entry, with two the one before. Too few entries, or one
    /// that is no address, leave it unknown.
    #[must_use]
    pub fn with_trusted_hops(mut self, hops: usize) -> Self {
        self.settings.source.trusted_hops = hops;
        self
    }

    /// Finds the address of the socket's peer in the request's extensions by this function. The
    /// default looks for axum's `ConnectInfo<SocketAddr>` and then for a plain [`SocketAddr`].
    #[must_use]
    pub fn with_peer_address(
        mut self,
        find: impl Fn(&Extensions) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        self.settings.source.peer = Arc::new(find);
        self
    }

    /// Refuses no request. Verifies, counts and logs as usual, and passes each request on unchanged.
    /// Use this mode to find out who would be refused, before you enforce.
    ///
    /// The handler gets an [`UnverifiedCaller`](crate::UnverifiedCaller), never a
    /// [`VerifiedCaller`](crate::VerifiedCaller). A handler that takes the latter answers 500. See the
    /// [module documentation](crate::verify#report-only) for what is done to a request.
    ///
    /// # Attack
    ///
    /// Anyone who can reach the service can call it, as if it had no layer.
    #[must_use]
    pub fn insecure_report_only(mut self) -> Self {
        self.settings.report_only = ReportOnly::Everywhere;
        self
    }

    /// [Reports only](Self::insecure_report_only) on these routes and enforces every other one. Routes of several calls add up.
    ///
    /// A route is a method and a path, of which a whole segment may be `{name}`, for any one segment that is not empty. The
    /// path is that of the request line, with whatever prefix a router takes away.
    ///
    /// What is not on the list is enforced, and so is every request that something behind this layer could take for one that
    /// is not on it: whose path is not plain (it must be the list's own, byte for byte; any encoded, empty or dotted segment
    /// is not), and which has a header that overrides method or URL, such as `x-http-method-override`.
    ///
    /// A pattern does not know of other routes: `/account/{id}` is `/account/admin`, too, even if a router has a route of its
    /// own for that. Under axum `Router::route_layer` with a layer that reports, on the routes that it is for, leaves the
    /// decision to the router itself.
    ///
    /// ```
    /// use countersign::{ConfigError, KeyStore};
    /// use http::{Extensions, Method};
    /// use tower_countersign::VerifyLayer;
    ///
    /// fn verify<K: KeyStore>(keys: K) -> Result<VerifyLayer<K>, ConfigError> {
    ///     VerifyLayer::new(keys).insecure_report_only_for([(Method::GET, "/api/account/{id}"), (Method::POST, "/api/echo")])
    /// }
    /// ```
    ///
    /// # Attack
    ///
    /// Anyone who can reach the service can call these routes, as if it had no layer.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if a path is not in plain form.
    pub fn insecure_report_only_for(
        mut self,
        routes: impl IntoIterator<Item = (Method, impl AsRef<str>)>,
    ) -> Result<Self, ConfigError> {
        self.settings.report_only = self.settings.report_only.and_for(routes)?;
        Ok(self)
    }
}

impl<S, K, R> Layer<S> for VerifyLayer<K, R>
where
    K: Clone,
    R: ReplayStore + Clone,
{
    type Service = Verify<S, K, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let hosts = self.settings.verifier.expected_hosts();
        self.settings
            .events
            .started(!hosts.is_empty(), self.replay.forgets_on_restart());
        self.settings.key_use.begin(self.settings.clock.now());
        if !matches!(self.settings.report_only, ReportOnly::Nowhere) {
            self.settings.events.reporting_only();
        }
        Verify::new(
            inner,
            self.settings.clone(),
            self.keys.clone(),
            self.replay.clone(),
        )
    }
}

impl<K: Clone, R: Clone> Clone for VerifyLayer<K, R> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            keys: self.keys.clone(),
            replay: self.replay.clone(),
        }
    }
}

impl<K, R> fmt::Debug for VerifyLayer<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer")
            .field("verifier", &self.settings.verifier)
            .field("limits", &self.settings.limits)
            .finish_non_exhaustive()
    }
}
