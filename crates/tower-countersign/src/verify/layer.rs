use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use countersign::{ConfigError, KeyStore, MemoryReplayStore, ReplayStore, Verifier};
use http::{Extensions, Method};
use tower_layer::Layer;

use super::{
    body_limits::BodyLimits,
    body_mode::BodyMode,
    budget::BodyBudget,
    drain::Drain,
    key_use::KeyUse,
    public_uri::PublicUri,
    report_only::ReportOnly,
    service::Verify,
    settings::Settings,
    signed_answers::AnswerSigning,
    spill::{Spill, SpillLimits},
    stream::StreamLimits,
    uncovered::UncoveredHeaders,
};
use crate::clock::Clock;

/// Verifies every request before it reaches the inner service. The
/// [module documentation](crate::verify) lists the steps of a decision.
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
    /// Creates a layer that accepts `HMAC-SHA256` signatures of the callers in `keys`. The signed
    /// date must be within 300 seconds, each nonce is accepted once, and a body is at most 2 MiB
    /// long.
    ///
    /// The nonces are kept in this process. Several replicas of a service need a shared store: see
    /// [`with_replay_store`](Self::with_replay_store).
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
    /// Sets the requirements on every request: schemes, window, expected hosts, coverage.
    #[must_use]
    pub fn with_verifier(mut self, verifier: Verifier) -> Self {
        self.settings.verifier = Arc::new(verifier);
        self
    }

    /// Adds authorities of this service to the expected hosts. A request for any other authority is
    /// refused with 421.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`](countersign::ConfigErrorKind::Authority) if a host is not an
    /// authority.
    pub fn with_expected_hosts<I>(self, hosts: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let builder = self.settings.verifier.to_builder();
        let verifier = builder.expected_hosts(hosts).build()?;
        Ok(self.with_verifier(verifier))
    }

    /// Verifies the URI that callers signed, if a gateway rewrites the host or the path. Adds the
    /// public host to the expected hosts.
    ///
    /// Call this after [`with_verifier`](Self::with_verifier), which replaces the expected hosts.
    ///
    /// Two kinds of paths are used. `VerifiedCaller::path`, policies and report-only routes use the
    /// path as it arrives. The routes of a scheme (DRF, webhooks) use the path that callers sign.
    ///
    /// # Errors
    ///
    /// As [`with_expected_hosts`](Self::with_expected_hosts).
    pub fn with_public_uri(self, public: PublicUri) -> Result<Self, ConfigError> {
        let mut layer = self.with_expected_hosts([public.host()])?;
        layer.settings.public_uri = Some(Arc::new(public));
        Ok(layer)
    }

    /// Sets the store for nonces, such as one that the replicas of a service share.
    pub fn with_replay_store<R2: ReplayStore>(self, replay: R2) -> VerifyLayer<K, R2> {
        VerifyLayer {
            settings: self.settings,
            keys: self.keys,
            replay,
        }
    }

    /// Sets the name of this service in the replay store. By default it is the set of the expected
    /// hosts, so a deployment that adds a host changes it.
    ///
    /// If a replay store is shared, set this name. Replicas of one service need the same name.
    /// Layers that verify the same request one after the other need different names.
    ///
    /// A nonce expires when its date leaves the window and the deadline *that applied when it was
    /// claimed*. If you lengthen either, change the audience. Otherwise old requests can be
    /// replayed.
    #[must_use]
    pub fn with_audience(mut self, audience: &str) -> Self {
        self.settings.audience = Some(Arc::from(audience));
        self
    }

    /// Sets the realm of the `WWW-Authenticate` challenges. Default: `service`. Characters other
    /// than visible ASCII and space are removed, and so are `"` and `\`.
    #[must_use]
    pub fn with_realm(mut self, realm: &str) -> Self {
        let plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        self.settings.realm = Arc::from(realm.chars().filter(plain).collect::<String>());
        self
    }

    /// Sets the limits on the length, the time and the memory of request bodies.
    #[must_use]
    pub fn with_body_limits(mut self, limits: BodyLimits) -> Self {
        self.settings.budget = BodyBudget::new(&limits);
        self.settings.unauthenticated = BodyBudget::unauthenticated(&limits);
        self.settings.limits = limits;
        self
    }

    /// Sets when the handler is called on routes without a [mode of their
    /// own](Self::with_body_mode_for): after the body, or after the head. Default:
    /// [`BodyMode::Buffer`].
    ///
    /// Call this after [`with_verifier`](Self::with_verifier).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if callers of such a
    /// route sign the body itself (DRF, webhooks). Nothing of such a request is proven before the
    /// body's end. Also for [`BodyMode::Spill`] without [`with_spill`](Self::with_spill).
    pub fn with_body_mode(mut self, mode: BodyMode) -> Result<Self, ConfigError> {
        let modes = self.settings.body_modes.with_elsewhere(mode);
        modes.check(&self.settings.verifier, self.settings.spill.is_some())?;
        self.settings.body_modes = modes;
        Ok(self)
    }

    /// Sets when the handler is called on these routes. Several calls add their routes; if two
    /// routes match a request, the first of them counts.
    ///
    /// A route is a method and a path, as in
    /// [`insecure_report_only_for`](Self::insecure_report_only_for). A path that is not plain, and
    /// a request with a header that overrides the method or the URL, match no route.
    ///
    /// Call this after [`with_verifier`](Self::with_verifier).
    ///
    /// ```
    /// use countersign::{ConfigError, KeyStore};
    /// use http::Method;
    /// use tower_countersign::{BodyMode, VerifyLayer};
    ///
    /// fn verify<K: KeyStore>(keys: K) -> Result<VerifyLayer<K>, ConfigError> {
    ///     VerifyLayer::new(keys)
    ///         .with_body_mode_for(BodyMode::Stream, [(Method::PUT, "/files/{name}")])
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if a path is not in
    /// plain form, and as [`with_body_mode`](Self::with_body_mode).
    pub fn with_body_mode_for<P: AsRef<str>>(
        mut self,
        mode: BodyMode,
        routes: impl IntoIterator<Item = (Method, P)>,
    ) -> Result<Self, ConfigError> {
        let modes = self.settings.body_modes.and_for(mode, routes)?;
        modes.check(&self.settings.verifier, self.settings.spill.is_some())?;
        self.settings.body_modes = modes;
        Ok(self)
    }

    /// Sets the directory and the limits of [`BodyMode::Spill`]. Call this before that mode is set.
    #[must_use]
    pub fn with_spill(mut self, limits: SpillLimits) -> Self {
        self.settings.spill = Some(Arc::new(Spill::new(limits)));
        self
    }

    /// Sets the limits on bodies that the handler reads while they are verified.
    #[must_use]
    pub fn with_stream_limits(mut self, limits: StreamLimits) -> Self {
        self.settings.stream_limits = limits;
        self
    }

    /// Signs the response to every request whose signature matched, so that a client knows who
    /// answered it, and to what. See [`VerifyAnswerLayer`](crate::VerifyAnswerLayer) for the
    /// client.
    ///
    /// | response | is |
    /// |---|---|
    /// | of the handler, or of a layer inside this one | signed, with any status |
    /// | a refusal after the signature over the head matched, and that of a stale date | signed |
    /// | a refusal of a stranger | not signed |
    /// | to a request whose signature covers the body alone (DRF, webhooks) | not signed |
    /// | of a [report-only](Self::insecure_report_only) layer | not signed |
    /// | a stream, an upgrade, gRPC, a body over the limit | 500 `unsignable`, itself signed |
    ///
    /// The body is read to its end first. Put a compression layer *inside* this layer: the
    /// signature covers the compressed body.
    ///
    /// The date of a refused request is checked after its signature then, so that only a holder of
    /// the key gets a signed `expired`, which tells the time.
    ///
    /// Call this after [`with_verifier`](Self::with_verifier).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if the verifier accepts
    /// `ED25519` and there is no service key.
    pub fn with_signed_answers(mut self, signing: AnswerSigning) -> Result<Self, ConfigError> {
        signing.check(&self.settings.verifier)?;
        self.settings.answers = Some(Arc::new(signing));
        Ok(self)
    }

    /// Sets how to treat headers that the signature does not cover.
    #[must_use]
    pub fn with_uncovered_headers(mut self, uncovered: UncoveredHeaders) -> Self {
        self.settings.uncovered = uncovered;
        self
    }

    /// Sets the clock. Default: [`SystemClock`](crate::SystemClock).
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Sets the maximum difference between the clocks of verifiers that share a replay store.
    /// Nonces are kept longer by this time. Default: 5 seconds.
    #[must_use]
    pub fn with_clock_difference(mut self, difference: Duration) -> Self {
        self.settings.clock_difference = difference;
        self
    }

    /// Sets the time within which the key store and the replay store must answer. Later answers
    /// give 503. Default: 5 seconds.
    #[must_use]
    pub fn with_store_deadline(mut self, deadline: Duration) -> Self {
        self.settings.store_deadline = deadline;
        self
    }

    /// Sets the record of key use, to share one record between layers.
    #[must_use]
    pub fn with_key_use(mut self, key_use: KeyUse) -> Self {
        self.settings.key_use = key_use;
        self
    }

    /// Returns the record of key use. Clone it before the layer is put on a service.
    pub fn key_use(&self) -> &KeyUse {
        &self.settings.key_use
    }

    /// Adds `hint` to the event of a refusal: the known mistake that explains the refusal. Examples
    /// are a host without its port, a stripped path prefix, or a rewritten header.
    /// [`Cause`](countersign::diagnose::Cause) lists the codes.
    ///
    /// Hints are made for known callers only. They never change the response.
    /// [`MISMATCH_HINTS`](crate::metrics::MISMATCH_HINTS) counts them. No hint is made if the key
    /// store does not answer at once.
    ///
    /// # Cost
    ///
    /// Accepted requests cost nothing more. A hint checks up to 768 signatures with an HMAC key, or
    /// 45 with an Ed25519 key, and fewer for long requests. It is made before the refusal is sent.
    /// At most one hint a second is made for each caller, and 8 for all callers together.
    ///
    /// An unknown key id costs about the same work, from a separate allowance of the same size. So
    /// the response time does not tell which callers exist. A peer that measures many responses can
    /// tell that hints are on.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn with_mismatch_hints(self) -> Self {
        self.with_mismatch_hints_for([""; 0])
    }

    /// [Adds hints](Self::with_mismatch_hints) that also try these path prefixes, such as `/api`.
    /// Use it for prefixes that a proxy may have added or removed.
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

    /// Accepts requests without a claim of their nonce while the replay store cannot answer,
    /// instead of answering 503. All other checks apply.
    ///
    /// [`unclaimed_requests`](Self::unclaimed_requests) counts these requests, and an event reports
    /// them. `VerifiedCaller::replay_protected()` is `false`, so a handler can refuse a request
    /// that must not be handled twice.
    ///
    /// # Attack
    ///
    /// An attacker has captured a request, and waits for an outage of the store or causes one. The
    /// attacker can then replay the request any number of times while its date is within the
    /// window.
    #[must_use]
    pub fn insecure_continue_without_replay_store(mut self) -> Self {
        self.settings.outages.insecure_continue();
        self
    }

    /// Returns the number of requests that this layer, its clones and its services have accepted
    /// without a claim. 0 unless
    /// [`insecure_continue_without_replay_store`](Self::insecure_continue_without_replay_store) was
    /// set.
    pub fn unclaimed_requests(&self) -> u64 {
        self.settings.outages.unclaimed()
    }

    /// Sets how much of a refused body is read and dropped before the refusal is sent: a length in
    /// bytes, and a time. Default: 2 MiB and 3 seconds. 0 bytes disables draining.
    ///
    /// On HTTP/1.1, a server that answers before it has read the body closes the connection. A
    /// client that sends first and reads later then gets a reset instead of the answer (RFC 9112
    /// section 9.6). Draining needs no memory beyond the connection's buffer.
    ///
    /// The layer does not drain:
    ///
    /// - on HTTP/2,
    /// - a body with a declared length above this length,
    /// - a request with `Expect`,
    /// - after a refusal with `timeout`,
    /// - while it drains 32 other bodies.
    ///
    /// Draining ends when the peer has sent nothing for one second.
    #[must_use]
    pub fn with_refused_body_drain(mut self, bytes: u64, time: Duration) -> Self {
        self.settings.drain = Drain::new(bytes, time);
        self
    }

    /// Sets the number of your proxies that append to `X-Forwarded-For`, and takes the peer's
    /// address from that header instead of the socket. With one hop, the address is the last entry;
    /// with two hops, the entry before it. If there are too few entries, or an entry is not an
    /// address, the address is unknown.
    ///
    /// The address selects whose memory an unauthenticated body counts towards: see
    /// [`BodyLimits`](BodyLimits#how-memory-is-counted).
    ///
    /// All traffic must come through these proxies. Otherwise a peer can choose its address.
    #[must_use]
    pub fn with_trusted_hops(mut self, hops: usize) -> Self {
        self.settings.source.trusted_hops = hops;
        self
    }

    /// Sets the function that finds the address of the socket's peer in the request's extensions.
    /// By default, axum's `ConnectInfo<SocketAddr>` is read, then a plain [`SocketAddr`].
    #[must_use]
    pub fn with_peer_address(
        mut self,
        find: impl Fn(&Extensions) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        self.settings.source.peer = Arc::new(find);
        self
    }

    /// Refuses no request. Verifies, counts and logs every request, and passes it on unchanged. Use
    /// this mode to find the requests that enforcement would refuse.
    ///
    /// The handler gets an [`UnverifiedCaller`](crate::UnverifiedCaller), never a
    /// [`VerifiedCaller`](crate::VerifiedCaller). A handler that takes the latter answers 500. See
    /// [the details of this mode](crate::verify#report-only).
    ///
    /// # Attack
    ///
    /// Anyone who can reach the service can call it, as if it had no layer.
    #[must_use]
    pub fn insecure_report_only(mut self) -> Self {
        self.settings.report_only = ReportOnly::Everywhere;
        self
    }

    /// [Reports only](Self::insecure_report_only) on these routes, and enforces on every other
    /// route. Several calls add their routes.
    ///
    /// A route is a method and a path. A segment `{name}` matches any one segment that is not
    /// empty. The path is the path of the request line, including the prefix of nested routers.
    ///
    /// The layer also enforces on requests that an inner service could take for another route:
    ///
    /// - A path that is not plain. Encoded, empty and dot segments never match a route.
    /// - A header that overrides the method or the URL, such as `x-http-method-override`.
    ///
    /// A pattern does not know the routes of the router: `/account/{id}` matches `/account/admin`,
    /// even if the router has a separate route for it. With axum, put a report-only layer on single
    /// routes with `Router::route_layer`. Then the router decides.
    ///
    /// ```
    /// use countersign::{ConfigError, KeyStore};
    /// use http::{Extensions, Method};
    /// use tower_countersign::VerifyLayer;
    ///
    /// fn verify<K: KeyStore>(keys: K) -> Result<VerifyLayer<K>, ConfigError> {
    ///     VerifyLayer::new(keys).insecure_report_only_for([
    ///         (Method::GET, "/api/account/{id}"),
    ///         (Method::POST, "/api/echo"),
    ///     ])
    /// }
    /// ```
    ///
    /// # Attack
    ///
    /// Anyone who can reach the service can call these routes, as if it had no layer.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if a path is not in
    /// plain form.
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
