use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header::AUTHORIZATION};
use smallvec::SmallVec;

use super::{asserted::Asserted, missing_signature, unverified_head::UnverifiedHead};
use crate::{
    error::{ConfigError, ConfigErrorKind, Reason, Rejection, RejectionKind, reason},
    families::{AcceptedScheme, Carrier, FamilyVerifier, Requirements, ensure_window},
    head::{Authority, HeadLimits, HostForm, RequestHead},
    scheme::Scheme,
    timestamp::Timestamp,
    wire::DateForm,
};

/// Reads request heads into [`UnverifiedHead`]s. Checks everything that can be checked before the
/// key lookup.
///
/// The default verifier accepts `HMAC-SHA256` within 300 seconds of the signed date, for any host.
///
/// ```
/// use countersign::{Scheme, Verifier};
///
/// let verifier = Verifier::builder()
///     .expected_hosts(["user-service.internal"])
///     .accept(Scheme::Ed25519)
///     .build()?;
/// assert!(verifier.accepts(Scheme::Ed25519));
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    requirements: Requirements,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            requirements: Requirements {
                // Invariant: this scheme needs no settings.
                accepted: FamilyVerifier::plain(Scheme::HmacSha256)
                    .into_iter()
                    .collect(),
                window: Duration::from_secs(300),
                expected_hosts: Vec::new(),
                host_form: HostForm::default(),
                date_form: DateForm::default(),
                required_headers: Vec::new(),
                limits: HeadLimits::default(),
                keep_evidence: false,
            },
        }
    }
}

impl Verifier {
    /// Starts from the default settings.
    pub fn builder() -> VerifierBuilder {
        Self::default().to_builder()
    }

    /// Starts from the settings of this verifier.
    pub fn to_builder(&self) -> VerifierBuilder {
        VerifierBuilder {
            verifier: self.clone(),
            problem: None,
        }
    }

    /// Returns the accepted schemes, each once.
    pub fn accepted_schemes(&self) -> impl Iterator<Item = Scheme> {
        let accepted = self.requirements.accepted.iter();
        accepted.flat_map(|family| family.of_family().schemes().iter().copied())
    }

    /// Returns whether requests in this scheme are accepted.
    pub fn accepts(&self, scheme: Scheme) -> bool {
        self.accepted_schemes().any(|accepted| accepted == scheme)
    }

    /// Returns the greatest accepted difference between the signed date and the verifier's clock,
    /// in either direction.
    pub fn window(&self) -> Duration {
        self.requirements.window
    }

    /// Returns the expected hosts. Empty if any authority is accepted.
    pub fn expected_hosts(&self) -> &[String] {
        &self.requirements.expected_hosts
    }

    /// Returns the routes whose callers sign the body alone (DRF, webhooks): a method and a path.
    /// Nothing of such a request is authenticated before the body's end.
    pub fn body_signed_routes(&self) -> impl Iterator<Item = (&Method, &str)> {
        let accepted = self.requirements.accepted.iter();
        accepted.flat_map(|family| family.of_family().body_signed_routes())
    }

    #[cfg(feature = "diagnose")]
    pub(crate) fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// Makes a verifier from settings that [`VerifierBuilder::build`] has not checked. For
    /// diagnosis only: its results never admit a request.
    #[cfg(feature = "diagnose")]
    pub(crate) fn unchecked(requirements: Requirements) -> Self {
        Self { requirements }
    }

    /// Reads the head of a request, without the body.
    ///
    /// Checks in this order: exactly one signature in one accepted scheme; the grammar and its
    /// limits; the authority; the coverage; the date against `now`; the covered values. The work is
    /// linear in the length of the head.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] of the first check that fails: missing signature, malformed, misdirected,
    /// insufficient coverage, or expired. Covered values that cannot be read are malformed too.
    pub fn parse<'r>(
        &self,
        head: impl Into<RequestHead<'r>>,
        now: Timestamp,
    ) -> Result<UnverifiedHead<'r>, Rejection> {
        let head = head.into();
        let (family, carrier) = self.only_signature(&head)?;
        let keep_evidence = self.requirements.keep_evidence;
        family.parse_into(carrier, head, &self.requirements, now, |parsed| {
            UnverifiedHead::new(parsed, keep_evidence)
        })
    }

    /// Returns what a head asserts about its signature. `None` unless the head has exactly one
    /// signature in an accepted scheme.
    ///
    /// For logs and metrics only: unauthenticated, possibly malformed.
    pub fn asserted<'r>(&self, head: impl Into<RequestHead<'r>>) -> Option<Asserted<'r>> {
        let head = head.into();
        let (family, carrier) = self.only_signature(&head).ok()?;
        Some(Asserted {
            scheme: carrier.scheme,
            key_id: family.of_family().asserted_key_id(carrier, &head),
        })
    }

    /// Returns the challenge headers of a 401 for each accepted scheme. `realm` must be visible
    /// ASCII without `"` and `\`. For [`RejectionKind::Expired`] they mark a wrong date.
    pub fn challenges(&self, realm: &str, kind: RejectionKind) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        for family in &self.requirements.accepted {
            family
                .of_family()
                .challenges(realm, kind, &mut |name, text| {
                    // Invariant: the realm is visible ASCII, and so is the text.
                    if let Ok(value) = HeaderValue::try_from(text) {
                        headers.push((name, value));
                    }
                });
        }
        headers
    }

    /// Returns the head's only signature and the verifier of its scheme.
    ///
    /// Two signatures are refused, whatever their schemes: the sender must not choose which of them
    /// is checked.
    fn only_signature<'r>(
        &self,
        head: &RequestHead<'r>,
    ) -> Result<(&FamilyVerifier, Carrier<'r>), Rejection> {
        let authorization = head.single(&AUTHORIZATION)?;
        let limit = self.requirements.limits.authorization_bytes;
        if let Some(value) = authorization
            && value.len() > limit
        {
            let setting = "HeadLimits::with_authorization_bytes";
            let name = (&AUTHORIZATION).into();
            let reason = Reason::over(name, limit, "bytes", value.len(), setting);
            return Err(Rejection::malformed(reason));
        }
        let authorization = authorization.map(split_at_space);
        let mut found: SmallVec<[Carrier<'r>; 2]> = SmallVec::new();
        let mut judge = None;
        for family in &self.requirements.accepted {
            let before = found.len();
            family.carriers(head, authorization, &self.requirements, &mut found);
            if found.len() > before {
                judge = Some(family);
            }
        }
        match (judge, found.as_slice()) {
            (Some(family), [carrier]) => Ok((family, *carrier)),
            (_, []) => Err(missing_signature::refusal(
                &self.requirements,
                head,
                authorization,
            )),
            (_, several) => Err(too_many(several)),
        }
    }
}

/// Returns the rejection of a request with more than one signature.
#[cold]
fn too_many(found: &[Carrier<'_>]) -> Rejection {
    let schemes: Vec<_> = found.iter().map(|carrier| carrier.scheme.name()).collect();
    Rejection::malformed(reason!(
        "expected one signature, found {}: {}",
        found.len(),
        &schemes
    ))
}

/// Splits the scheme name from the text after the space.
fn split_at_space(value: &str) -> (&str, &str) {
    // For a few bytes, a plain loop is faster than the search of `str::split_once`.
    let end = value.bytes().position(|byte| byte == b' ');
    end.and_then(|end| Some((value.get(..end)?, value.get(end.checked_add(1)?..)?)))
        .unwrap_or((value, ""))
}

/// Builds a [`Verifier`]. Wrong settings are errors of [`build`](Self::build).
#[derive(Debug)]
#[must_use]
pub struct VerifierBuilder {
    verifier: Verifier,
    problem: Option<ConfigError>,
}

impl VerifierBuilder {
    /// Accepts requests in one more scheme: a plain [`Scheme`], or the settings of its family.
    ///
    /// A plain scheme that is already accepted keeps its settings. In schemes with settings per
    /// caller or scope, further settings add another caller or scope. In RFC 9421 they replace the
    /// first ones.
    ///
    /// A request with signatures in two accepted schemes is refused. `ED25519` requires [expected
    /// hosts](Self::expected_hosts): every callee knows the same public key, so a signature for one
    /// callee would otherwise be valid at all.
    pub fn accept(mut self, scheme: impl Into<AcceptedScheme>) -> Self {
        let scheme = scheme.into();
        if scheme
            .plain()
            .is_some_and(|plain| self.verifier.accepts(plain))
        {
            return self;
        }
        match scheme.into_verifier() {
            Ok(mut family) => {
                for known in &mut self.verifier.requirements.accepted {
                    match known.merge(family) {
                        Ok(()) => return self,
                        Err(other) => family = other,
                    }
                }
                self.verifier.requirements.accepted.push(family);
            }
            Err(error) => {
                self.problem.get_or_insert(error);
            }
        }
        self
    }

    /// Accepts requests in this scheme only.
    pub fn accept_only(mut self, scheme: impl Into<AcceptedScheme>) -> Self {
        self.verifier.requirements.accepted.clear();
        self.accept(scheme)
    }

    /// Sets the authorities of this service. A request for any other is refused with 421.
    ///
    /// Each is a host, or a host and a port. The comparison is of the whole text, ignores ASCII
    /// case, and uses the request's authority in the signed
    /// [form](Self::host_form).
    pub fn expected_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for host in hosts {
            let host = host.as_ref();
            match Authority::parse(host) {
                Ok(_) => self
                    .verifier
                    .requirements
                    .expected_hosts
                    .push(host.to_owned()),
                Err(problem) => {
                    let message = format!("expected host {host:?}: {problem}");
                    self.refuse(ConfigErrorKind::Authority, message);
                }
            }
        }
        self
    }

    /// Sets the form in which the authority is signed and compared with the expected hosts.
    pub fn host_form(mut self, form: HostForm) -> Self {
        self.verifier.requirements.host_form = form;
        self
    }

    /// Sets the greatest accepted difference between the signed date and the verifier's clock, in
    /// either direction: 1 second to 1 hour.
    pub fn window(mut self, window: Duration) -> Self {
        match ensure_window(window) {
            Ok(()) => self.verifier.requirements.window = window,
            Err(error) => {
                self.problem.get_or_insert(error);
            }
        }
        self
    }

    /// Accepts RFC 3339 dates in UTC (`2026-01-02T03:04:05Z`) in addition to IMF-fixdate.
    pub fn accept_rfc3339_dates(mut self) -> Self {
        self.verifier.requirements.date_form = DateForm::ImfFixdateOrRfc3339;
        self
    }

    /// Requires every signature to cover these headers, in addition to the mandatory ones.
    pub fn require_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item = HeaderName>,
    {
        self.verifier.requirements.required_headers.extend(names);
        self
    }

    /// Sets the limits on request heads.
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.verifier.requirements.limits = limits;
        self
    }

    /// Keeps the [`Evidence`](crate::Evidence) of every verified request: the signed text and the
    /// signature.
    pub fn keep_evidence(mut self) -> Self {
        self.verifier.requirements.keep_evidence = true;
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    ///
    /// The [`ConfigError`] of the first wrong setting. [`ConfigErrorKind::Authority`] if an
    /// accepted scheme requires expected hosts and there are none.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let requirements = &self.verifier.requirements;
        if let Some(host) = requirements.expected_hosts.iter().find(|host| {
            let in_form =
                Authority::parse(host).map(|authority| authority.in_form(requirements.host_form));
            in_form != Ok(host)
        }) {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                format!(
                    "expected host {host:?}: ports are stripped here, so that it would match no \
                     request"
                ),
            ));
        }
        for family in &requirements.accepted {
            family.of_family().check(requirements)?;
        }
        Ok(self.verifier)
    }

    fn refuse(&mut self, kind: ConfigErrorKind, message: String) {
        self.problem.get_or_insert(ConfigError::new(kind, message));
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::families::{
        drf::DrfVerifySettings, message_signatures::MessageSignaturesVerifySettings,
    };

    #[test]
    fn accepts_hmac_sha256_and_nothing_else_by_default() {
        let verifier = Verifier::default();
        assert!(verifier.accepted_schemes().eq([Scheme::HmacSha256]));
        assert_eq!(verifier.window(), Duration::from_secs(300));
        assert!(verifier.expected_hosts().is_empty());
    }

    #[test]
    fn a_scheme_that_serves_every_callee_asks_for_expected_hosts() {
        let error = Verifier::builder()
            .accept(Scheme::Ed25519)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Authority);
        assert!(
            Verifier::builder()
                .accept(Scheme::Ed25519)
                .expected_hosts(["a"])
                .build()
                .is_ok()
        );
    }

    #[test]
    fn a_scheme_as_it_is_takes_no_settings_away() {
        let set = || {
            let settings =
                MessageSignaturesVerifySettings::new().with_algorithm(crate::Algorithm::HmacSha256);
            settings.with_tag("svc-v1").unwrap()
        };
        let plain = Scheme::MessageSignatures;
        let route = |name| DrfVerifySettings::for_caller(name)?.with_route(Method::POST, "/a");
        for (name, builder) in [
            ("settings", Verifier::builder().accept_only(set())),
            (
                "after the settings",
                Verifier::builder().accept_only(set()).accept(plain),
            ),
            (
                "after the settings, in a verifier made before",
                Verifier::builder()
                    .accept_only(set())
                    .build()
                    .unwrap()
                    .to_builder()
                    .accept(plain),
            ),
            (
                "before",
                Verifier::builder().accept_only(plain).accept(set()),
            ),
        ] {
            // Without its settings the scheme is refused: no hosts are expected and no tag is
            // required.
            let verifier = builder
                .build()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(verifier.accepted_schemes().eq([plain]), "{name}");
            let challenges = verifier.challenges("service", RejectionKind::Malformed);
            let text = challenges.last().unwrap().1.to_str().unwrap();
            assert!(text.ends_with(";tag=\"svc-v1\""), "{name}: {text}");
        }
        let named = Verifier::builder().accept(route("django").unwrap());
        let verifier = named.accept(Scheme::Drf).build().unwrap();
        assert!(verifier.accepts(Scheme::Drf));
        let only = Verifier::builder().accept(set()).accept_only(plain);
        assert_eq!(
            only.build().unwrap_err().kind(),
            ConfigErrorKind::Authority,
            "accept_only starts over"
        );
    }

    #[test]
    fn refuses_settings_out_of_range() {
        for (name, builder) in [
            ("no window", Verifier::builder().window(Duration::ZERO)),
            (
                "a day",
                Verifier::builder().window(Duration::from_secs(86_400)),
            ),
            ("no host", Verifier::builder().expected_hosts([""])),
            (
                "a port where ports are stripped",
                Verifier::builder()
                    .expected_hosts(["a:1"])
                    .host_form(HostForm::StripPort),
            ),
            ("a URL", Verifier::builder().expected_hosts(["http://a"])),
            (
                "a good one after a bad one",
                Verifier::builder().expected_hosts(["a/b", "a"]),
            ),
        ] {
            assert!(builder.build().is_err(), "{name}");
        }
    }
}
