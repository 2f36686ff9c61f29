use std::time::Duration;

use http::{HeaderName, Method, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::{header_names::HeaderNames, parse};
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

/// Accepts the messages of one Standard Webhooks sender ([`Scheme::StandardWebhooks`]): a secret or
/// an Ed25519 key signs id, timestamp and body.
///
/// ```
/// use countersign::{Scheme, StandardWebhooksVerifySettings, Verifier};
/// use http::Method;
///
/// let svix = StandardWebhooksVerifySettings::for_caller("svix")?
///     .with_route(Method::POST, "/webhooks/svix")?;
/// let verifier = Verifier::builder().accept(svix).build()?;
/// assert!(verifier.accepts(Scheme::StandardWebhooks));
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// The signature names neither sender nor target. Anyone who sees a message can resend it to any
/// method, path and host that accepts the key. The settings therefore name the sender and each of
/// its requests, and refuse any other request before the key look-up.
/// Give each endpoint a separate secret, as senders of Standard Webhooks do. Hosts are not bound
/// either: expected hosts are compared, but a message for another service with the same key can be
/// sent with this host.
///
/// Accepts a message once for each timestamp. A sender without an answer resends it with the same
/// id and a new timestamp. A handler that must not act twice stores the
/// [`idempotency_key`](crate::Verified::idempotency_key).
///
/// For several senders, accept several settings with separate routes. Cannot be combined with
/// [`require_headers`](crate::VerifierBuilder::require_headers): no other header is covered.
#[derive(Clone, Debug)]
pub struct StandardWebhooksVerifySettings {
    pub(super) routes: CallerRoutes,
    pub(super) header_names: HeaderNames,
}

impl StandardWebhooksVerifySettings {
    /// Creates settings for a sender, by its name in the keyring. Needs at least one
    /// [route](Self::with_route).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if it is no valid
    /// [`KeyId`](crate::KeyId).
    pub fn for_caller(caller: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            routes: CallerRoutes::new(caller)?,
            header_names: HeaderNames::Standard,
        })
    }

    /// Adds a request of the sender: a method and a path, with its query if any. Compares the
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

    /// Also reads `svix-id`, `svix-timestamp` and `svix-signature`, which Svix sends in place of
    /// `webhook-…`.
    ///
    /// Reads all three values in one spelling: `webhook-…` if `webhook-signature` is present.
    /// Refuses a request in which both spellings of a header have different values.
    #[must_use]
    pub fn with_svix_headers(mut self) -> Self {
        self.header_names = HeaderNames::StandardOrSvix;
        self
    }

    /// Sets the maximum distance between timestamp and clock, in both directions: 1 second to 1
    /// hour. Default: the [window](crate::VerifierBuilder::window) of the verifier.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](crate::ConfigErrorKind::Setting) if it is outside this range.
    pub fn with_window(mut self, window: Duration) -> Result<Self, ConfigError> {
        self.routes.set_window(window)?;
        Ok(self)
    }
}

impl From<StandardWebhooksVerifySettings> for AcceptedScheme {
    fn from(settings: StandardWebhooksVerifySettings) -> Self {
        Self::new(FamilyVerifier::StandardWebhooks(Callers::of(settings)))
    }
}

impl CallerSettings for StandardWebhooksVerifySettings {
    const SCHEME: Scheme = Scheme::StandardWebhooks;
    const NAME: &'static str = "StandardWebhooksVerifySettings";

    fn routes(&self) -> &CallerRoutes {
        &self.routes
    }

    #[cfg(feature = "diagnose")]
    fn routes_mut(&mut self) -> &mut CallerRoutes {
        &mut self.routes
    }
}

impl VerifierOfFamily for Callers<StandardWebhooksVerifySettings> {
    fn schemes(&self) -> &[Scheme] {
        &[Scheme::StandardWebhooks]
    }

    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        _authorization: Option<(&'r str, &'r str)>,
        _requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        if self
            .iter()
            .any(|settings| settings.header_names.are_in(head))
        {
            found.push(Carrier {
                scheme: Scheme::StandardWebhooks,
                parameters: "",
            });
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

    /// The scheme defines no challenge, but every 401 needs one (RFC 9110 section 15.5.2).
    fn challenges(
        &self,
        realm: &str,
        kind: RejectionKind,
        add: &mut dyn FnMut(HeaderName, String),
    ) {
        let stale = stale_parameter(kind);
        let scheme = Scheme::StandardWebhooks;
        add(
            WWW_AUTHENTICATE,
            format!("{scheme} realm=\"{realm}\", versions=\"v1 v1a\"{stale}"),
        );
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
    use crate::{
        error::ConfigErrorKind,
        verify::{Verifier, VerifierBuilder},
    };

    fn svix() -> StandardWebhooksVerifySettings {
        let settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
        settings.with_route(Method::POST, "/hook").unwrap()
    }

    fn kind(builder: VerifierBuilder) -> Option<ConfigErrorKind> {
        builder.build().err().map(|error| error.kind())
    }

    #[test]
    fn refuses_settings_that_leave_open_who_sends_what() {
        let bare = || StandardWebhooksVerifySettings::for_caller("clerk").unwrap();
        let route = |path| bare().with_route(Method::POST, path).unwrap();
        let setting = Some(ConfigErrorKind::Setting);
        for (name, builder, expected) in [
            ("one", Verifier::builder().accept(svix()), None),
            (
                "two of other routes",
                Verifier::builder().accept(svix()).accept(route("/clerk")),
                None,
            ),
            (
                "nobody",
                Verifier::builder().accept(Scheme::StandardWebhooks),
                setting,
            ),
            ("no route", Verifier::builder().accept(bare()), setting),
            (
                "two for one route",
                Verifier::builder().accept(svix()).accept(route("/hook")),
                setting,
            ),
            (
                "a header that must be covered",
                Verifier::builder()
                    .accept(svix())
                    .require_headers([HeaderName::from_static("x-tenant")]),
                Some(ConfigErrorKind::Coverage),
            ),
        ] {
            assert_eq!(kind(builder), expected, "{name}");
        }
        for seconds in [0, 3601] {
            assert!(svix().with_window(Duration::from_secs(seconds)).is_err());
        }
    }

    #[test]
    fn a_401_says_which_versions_are_known() {
        let verifier = Verifier::builder().accept_only(svix()).build().unwrap();
        for (kind, expected) in [
            (
                RejectionKind::Malformed,
                "Standard-Webhooks realm=\"service\", versions=\"v1 v1a\"",
            ),
            (
                RejectionKind::Expired,
                "Standard-Webhooks realm=\"service\", versions=\"v1 v1a\", error=\"stale\"",
            ),
        ] {
            let challenges = verifier.challenges("service", kind);
            assert_eq!(
                challenges,
                [(WWW_AUTHENTICATE, http::HeaderValue::from_static(expected))]
            );
        }
    }
}
