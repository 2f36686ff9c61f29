use std::{borrow::Cow, time::Duration};

use http::{HeaderName, HeaderValue, Method, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::{header_names::HeaderNames, parse};
use crate::{
    error::{ConfigError, Rejection},
    families::{
        AcceptedScheme, Carrier, ParsedHead, Requirements, VerifierOfFamily,
        caller_routes::{self, CallerRoutes},
    },
    head::RequestHead,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Accepts the messages of one sender of Standard Webhooks: [`Scheme::StandardWebhooks`], a secret or an Ed25519 key over
/// id, timestamp and body.
///
/// ```
/// use countersign::{Scheme, StandardWebhooksVerifySettings, Verifier};
/// use http::Method;
///
/// let svix = StandardWebhooksVerifySettings::for_caller("svix")?.route(Method::POST, "/webhooks/svix")?;
/// let verifier = Verifier::builder().accept(svix).build()?;
/// assert!(verifier.accepts(Scheme::StandardWebhooks));
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// The signature says neither who sends a message nor where to: whoever sees one can send it to any method, path and host
/// where the key is known. So the settings name the sender and every request it may make, and a request that is not one of
/// them is refused before a key is looked up. Give each endpoint a secret of its own, as senders of Standard Webhooks do.
/// Hosts are not bound either: expected hosts are compared, but a message for another service with the same key can be given
/// this one's.
///
/// A message is let through once for each timestamp. A sender that had no answer sends it again with the same id and a new
/// timestamp; a handler that must not act twice remembers
/// [`idempotency_key`](crate::Verified::idempotency_key).
///
/// Several senders are several profiles, each with routes of its own. Together with
/// [`require_headers`](crate::VerifierBuilder::require_headers) none is accepted: no other header is covered.
#[derive(Clone, Debug)]
pub struct StandardWebhooksVerifySettings {
    pub(super) routes: CallerRoutes,
    pub(super) header_names: HeaderNames,
}

impl StandardWebhooksVerifySettings {
    /// Starts from the sender, as the keyring names it. It needs at least one [route](Self::route).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if it is no [`KeyId`](crate::KeyId).
    pub fn for_caller(caller: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            routes: CallerRoutes::new(caller)?,
            header_names: HeaderNames::Standard,
        })
    }

    /// Adds a request that the sender may make: a method and a path, with its query if it has one. It is compared as sent
    /// with the target of the original request: nothing is decoded, and a request with another query, or one where none is
    /// set, is another request.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](crate::ConfigErrorKind::Setting) if the method is not one that can be signed, or
    /// `target` is no path.
    pub fn route(mut self, method: Method, target: &str) -> Result<Self, ConfigError> {
        self.routes.add_route(method, target)?;
        Ok(self)
    }

    /// Also reads `svix-id`, `svix-timestamp` and `svix-signature`, which Svix sends in place of `webhook-…`.
    ///
    /// All three values are read in one spelling, `webhook-…` where `webhook-signature` is there. A request that has a header
    /// in both spellings with two values is refused.
    #[must_use]
    pub fn with_svix_headers(mut self) -> Self {
        self.header_names = HeaderNames::StandardOrSvix;
        self
    }

    /// Sets how far the timestamp may be from the verifier's clock, on either side: 1 second to 1 hour, by default the
    /// [window](crate::VerifierBuilder::window) of the verifier.
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
    fn from(profile: StandardWebhooksVerifySettings) -> Self {
        Self::new(FamilyVerifier(vec![profile]))
    }
}

/// The senders of this scheme.
#[derive(Clone, Debug)]
pub(crate) struct FamilyVerifier(Vec<StandardWebhooksVerifySettings>);

impl FamilyVerifier {
    pub(crate) fn plain(scheme: Scheme) -> Result<Self, ConfigError> {
        Err(caller_routes::nobody(
            scheme,
            "StandardWebhooksVerifySettings",
        ))
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The same settings for each sender alone, which then may send this very request. For a
    /// diagnosis only.
    #[cfg(feature = "diagnose")]
    pub(crate) fn with_route_of(&self, head: &RequestHead<'_>) -> Vec<Self> {
        let senders = self.0.iter().cloned();
        senders
            .map(|mut profile| {
                profile.routes.add_route_of(head);
                Self(vec![profile])
            })
            .collect()
    }
}

impl VerifierOfFamily for FamilyVerifier {
    fn schemes(&self) -> &[Scheme] {
        &[Scheme::StandardWebhooks]
    }

    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        _authorization: Option<(&'r str, &'r str)>,
        _policy: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        if self
            .0
            .iter()
            .any(|profile| profile.header_names.are_in(head))
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
        policy: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(&self.0, head, policy, now)
    }

    /// Nobody: it is the settings that name the sender, and not the request.
    fn asserted_key_id<'r>(
        &self,
        _carrier: Carrier<'r>,
        _head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        None
    }

    /// The scheme has no challenge of its own, but every 401 has one (RFC 9110 section 15.5.2).
    fn challenges(&self, realm: &str, stale: bool, add: &mut dyn FnMut(HeaderName, HeaderValue)) {
        let stale = if stale { ", error=\"stale\"" } else { "" };
        let scheme = Scheme::StandardWebhooks;
        let text = format!("{scheme} realm=\"{realm}\", versions=\"v1 v1a\"{stale}");
        if let Ok(value) = HeaderValue::try_from(text) {
            add(WWW_AUTHENTICATE, value);
        }
    }

    fn check(&self, policy: &Requirements) -> Result<(), ConfigError> {
        let senders: Vec<_> = self.0.iter().map(|profile| &profile.routes).collect();
        caller_routes::check(Scheme::StandardWebhooks, &senders, policy)
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
        let profile = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
        profile.route(Method::POST, "/hook").unwrap()
    }

    fn kind(builder: VerifierBuilder) -> Option<ConfigErrorKind> {
        builder.build().err().map(|error| error.kind())
    }

    #[test]
    fn refuses_settings_that_leave_open_who_sends_what() {
        let bare = || StandardWebhooksVerifySettings::for_caller("clerk").unwrap();
        let route = |path| bare().route(Method::POST, path).unwrap();
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
        for (stale, expected) in [
            (
                false,
                "Standard-Webhooks realm=\"service\", versions=\"v1 v1a\"",
            ),
            (
                true,
                "Standard-Webhooks realm=\"service\", versions=\"v1 v1a\", error=\"stale\"",
            ),
        ] {
            let challenges = verifier.challenges("service", stale);
            assert_eq!(
                challenges,
                [(WWW_AUTHENTICATE, HeaderValue::from_static(expected))]
            );
        }
    }
}
