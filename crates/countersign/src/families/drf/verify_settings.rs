use std::time::Duration;

use http::{HeaderName, Method, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::{DrfHeaders, parse};
use crate::{
    error::{ConfigError, Rejection, RejectionKind},
    families::{
        AcceptedScheme, CallerRoutes, CallerSettings, Callers, Carrier, FamilyVerifier, ParsedHead,
        Requirements, VerifierOfFamily, stale_parameter,
    },
    head::RequestHead,
    scheme::Scheme,
    timestamp::Timestamp,
};

const WINDOW: Duration = Duration::from_secs(60);

/// Accepts the requests of one caller in the DRF scheme ([`Scheme::Drf`]): a shared secret signs
/// timestamp and body.
///
/// ```
/// use countersign::{DrfVerifySettings, Scheme, Verifier};
/// use http::Method;
///
/// let django = DrfVerifySettings::for_caller("django")?
///     .with_route(Method::POST, "/api/echo")?
///     .with_route(Method::GET, "/api/status")?;
/// let verifier = Verifier::builder().accept(django).build()?;
/// assert!(verifier.accepts(Scheme::Drf));
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// The signature names neither caller nor target. While the timestamp is accepted, anyone who sees
/// a request can resend its body to any method, path and host that accepts the secret. The settings
/// therefore name the caller and each of its requests, and refuse any other request before the key
/// look-up.
/// Use this only for routes on which an old body does no harm, with a separate secret for each pair
/// of services. Hosts are not bound either: expected hosts are compared, but a request for another
/// service with the same secret can be sent with this host.
///
/// For several callers, accept several settings with separate routes. Cannot be combined with
/// [`require_headers`](crate::VerifierBuilder::require_headers): no header is covered.
#[derive(Clone, Debug)]
pub struct DrfVerifySettings {
    pub(super) routes: CallerRoutes,
    pub(super) headers: DrfHeaders,
    pub(super) once_per_route: bool,
}

impl DrfVerifySettings {
    /// Creates settings for a caller, by its name in the keyring. Needs at least one
    /// [route](Self::with_route).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if it is no valid
    /// [`KeyId`](crate::KeyId).
    pub fn for_caller(caller: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            routes: CallerRoutes::new(caller)?,
            headers: DrfHeaders::default(),
            once_per_route: false,
        })
    }

    /// Adds a request of the caller: a method and a path, with its query if any. Compares the
    /// target of the original request as sent, without decoding. Another query, or a missing one,
    /// is another request.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](crate::ConfigErrorKind::Setting) if the method cannot be
    /// signed, or `target` is no path.
    pub fn with_route(mut self, method: Method, target: &str) -> Result<Self, ConfigError> {
        self.routes.add_route(method, target)?;
        Ok(self)
    }

    /// Sets the names of the headers.
    #[must_use]
    pub fn with_headers(mut self, headers: DrfHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the maximum distance between timestamp and clock, in both directions: 1 second to 1
    /// hour. Default: 60 seconds. The window of the verifier does not apply.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](crate::ConfigErrorKind::Setting) if it is outside this range.
    pub fn with_window(mut self, window: Duration) -> Result<Self, ConfigError> {
        self.routes.set_window(window)?;
        Ok(self)
    }

    /// Accepts a signature once on each route, in place of once in total.
    ///
    /// Clients without nonces give two GETs within one second the same signature, even with
    /// different targets. By default the second one is refused as a replay. With this setting, only
    /// a second request to the same route within that second is refused.
    /// [Signers](crate::Signer::drf) of this crate send a nonce and do not need this setting.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can send its body once to every other route of the caller, while
    /// its timestamp is accepted.
    #[must_use]
    pub fn insecure_replay_once_per_route(mut self) -> Self {
        self.once_per_route = true;
        self
    }

    pub(super) fn window(&self) -> Duration {
        self.routes.window().unwrap_or(WINDOW)
    }
}

impl From<DrfVerifySettings> for AcceptedScheme {
    fn from(settings: DrfVerifySettings) -> Self {
        Self::new(FamilyVerifier::Drf(Callers::of(settings)))
    }
}

impl CallerSettings for DrfVerifySettings {
    const SCHEME: Scheme = Scheme::Drf;
    const NAME: &'static str = "DrfVerifySettings";

    fn routes(&self) -> &CallerRoutes {
        &self.routes
    }

    #[cfg(feature = "diagnose")]
    fn routes_mut(&mut self) -> &mut CallerRoutes {
        &mut self.routes
    }
}

impl Callers<DrfVerifySettings> {
    /// Yields the names of the headers for timestamp and signature.
    #[cfg(feature = "diagnose")]
    pub(crate) fn header_names(&self) -> impl Iterator<Item = (&HeaderName, &HeaderName)> {
        self.headers()
            .map(|headers| (&headers.timestamp, &headers.signature))
    }

    /// Yields the headers in which callers sign, each pair of names once.
    fn headers(&self) -> impl Iterator<Item = &DrfHeaders> {
        let all = self.iter().map(|settings| &settings.headers);
        let known = all.clone();
        all.enumerate()
            .filter(move |(at, headers)| !known.clone().take(*at).any(|known| known == *headers))
            .map(|(_, headers)| headers)
    }
}

impl VerifierOfFamily for Callers<DrfVerifySettings> {
    fn schemes(&self) -> &[Scheme] {
        &[Scheme::Drf]
    }

    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        _authorization: Option<(&'r str, &'r str)>,
        _requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        // Two settings with the same header name mean one header, and so one signature.
        let mut counted: SmallVec<[&HeaderName; 2]> = SmallVec::new();
        for DrfHeaders { signature, .. } in self.headers() {
            if head.headers().contains_key(signature) && !counted.contains(&signature) {
                counted.push(signature);
                found.push(Carrier {
                    scheme: Scheme::Drf,
                    parameters: "",
                });
            }
        }
    }

    fn parse<'r>(
        &self,
        _carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(self, head, requirements, now)
    }

    /// The scheme defines no challenge, but every 401 needs one (RFC 9110 section 15.5.2). This one
    /// names the two headers.
    fn challenges(
        &self,
        realm: &str,
        kind: RejectionKind,
        add: &mut dyn FnMut(HeaderName, String),
    ) {
        let stale = stale_parameter(kind);
        for DrfHeaders {
            timestamp,
            signature,
            ..
        } in self.headers()
        {
            add(
                WWW_AUTHENTICATE,
                format!(
                    "{} realm=\"{realm}\", timestamp=\"{timestamp}\", signature=\"{signature}\"{stale}",
                    Scheme::Drf
                ),
            );
        }
    }

    fn body_signed_routes(&self) -> Vec<(&Method, &str)> {
        self.methods_and_paths()
    }

    fn check(&self, requirements: &Requirements) -> Result<(), ConfigError> {
        self.ensure_distinct_routes(requirements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ConfigErrorKind, verify::Verifier};

    fn django() -> DrfVerifySettings {
        let settings = DrfVerifySettings::for_caller("django").unwrap();
        settings.with_route(Method::POST, "/api/echo").unwrap()
    }

    fn kind(builder: crate::verify::VerifierBuilder) -> Option<ConfigErrorKind> {
        builder.build().err().map(|error| error.kind())
    }

    #[test]
    fn refuses_settings_that_leave_open_who_sends_what() {
        let bare = || DrfVerifySettings::for_caller("batch").unwrap();
        let same = || bare().with_route(Method::POST, "/api/echo").unwrap();
        let setting = Some(ConfigErrorKind::Setting);
        for (name, builder, expected) in [
            ("one", Verifier::builder().accept(django()), None),
            (
                "two of other routes",
                Verifier::builder()
                    .accept(django())
                    .accept(bare().with_route(Method::PUT, "/api/echo").unwrap()),
                None,
            ),
            ("nobody", Verifier::builder().accept(Scheme::Drf), setting),
            ("no route", Verifier::builder().accept(bare()), setting),
            (
                "no route for the second",
                Verifier::builder().accept(django()).accept(bare()),
                setting,
            ),
            (
                "two for one route",
                Verifier::builder().accept(django()).accept(same()),
                setting,
            ),
            (
                "two for one route in other headers",
                Verifier::builder()
                    .accept(django())
                    .accept(same().with_headers(headers("x-time", "x-mac"))),
                setting,
            ),
            (
                "a route twice",
                Verifier::builder().accept(django().with_route(Method::POST, "/api/echo").unwrap()),
                setting,
            ),
            (
                "a header that must be covered",
                Verifier::builder()
                    .accept(django())
                    .require_headers([HeaderName::from_static("x-tenant")]),
                Some(ConfigErrorKind::Coverage),
            ),
        ] {
            assert_eq!(kind(builder), expected, "{name}");
        }
        let error = Verifier::builder().accept(Scheme::Drf).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "X-HMAC-SHA256 names no caller and no route: accept a DrfVerifySettings, which says \
             who sends what"
        );
    }

    fn headers(timestamp: &'static str, signature: &'static str) -> DrfHeaders {
        let name = HeaderName::from_static;
        DrfHeaders::new(name(timestamp), name(signature)).unwrap()
    }

    #[test]
    fn a_401_names_each_pair_of_headers_once() {
        let batch = DrfVerifySettings::for_caller("batch").unwrap();
        let cron = DrfVerifySettings::for_caller("cron").unwrap();
        let verifier = Verifier::builder()
            .accept_only(django())
            .accept(batch.with_route(Method::PUT, "/a").unwrap())
            .accept(
                cron.with_route(Method::PUT, "/b")
                    .unwrap()
                    .with_headers(headers("x-time", "x-mac")),
            )
            .build()
            .unwrap();
        let challenges = verifier.challenges("service", RejectionKind::Expired);
        let text: Vec<_> = challenges
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            text,
            [
                (
                    "www-authenticate",
                    "X-HMAC-SHA256 realm=\"service\", timestamp=\"x-hmac-timestamp\", \
                     signature=\"x-hmac-signature\", error=\"stale\"",
                ),
                (
                    "www-authenticate",
                    "X-HMAC-SHA256 realm=\"service\", timestamp=\"x-time\", signature=\"x-mac\", \
                     error=\"stale\"",
                ),
            ]
        );
    }

    #[test]
    fn dates_are_within_a_minute_unless_set_otherwise() {
        assert_eq!(django().window(), Duration::from_secs(60));
        let hour = django().with_window(Duration::from_secs(3600)).unwrap();
        assert_eq!(hour.window(), Duration::from_secs(3600));
        assert!(django().with_window(Duration::from_secs(3601)).is_err());
    }

    #[test]
    fn one_signature_in_a_header_that_two_settings_name_is_one() {
        let other = DrfVerifySettings::for_caller("batch").unwrap();
        let other = other
            .with_route(Method::PUT, "/api/batch")
            .unwrap()
            .with_headers(headers("x-time", "x-hmac-signature"));
        let verifier = Verifier::builder()
            .accept_only(django())
            .accept(other)
            .build()
            .unwrap();
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        for (method, target, time, caller) in [
            ("POST", "/api/echo", "x-hmac-timestamp", "django"),
            ("PUT", "/api/batch", "x-time", "batch"),
        ] {
            let request = http::Request::builder()
                .method(method)
                .uri(target)
                .header("host", "a")
                .header(time, "1767323045")
                .header("x-hmac-signature", "0".repeat(64));
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let asserted = verifier
                .parse(&parts, now)
                .map(|unverified| unverified.key_id().to_owned());
            assert_eq!(asserted.as_deref(), Ok(caller));
        }
    }
}
