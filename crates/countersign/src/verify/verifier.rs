use std::time::Duration;

use http::{HeaderName, header::AUTHORIZATION};

use super::{
    claim::Claim,
    policy::{HeadLimits, VerifyPolicy},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind},
    head::{Authority, HostForm, RequestHead},
    scheme::{
        Scheme,
        native::{self, DateForm},
    },
    timestamp::Timestamp,
};

const MAX_WINDOW: Duration = Duration::from_secs(3600);

/// Reads request heads into [`Claim`]s: everything a request must satisfy before a key is looked up.
///
/// A default verifier accepts `HMAC-SHA256` within 300 seconds of the signed date, for any host.
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
    policy: VerifyPolicy,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            policy: VerifyPolicy {
                accepted: vec![Scheme::HmacSha256],
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

    /// The schemes that are accepted, each once.
    pub fn accepted_schemes(&self) -> &[Scheme] {
        &self.policy.accepted
    }

    /// Whether requests in this scheme are accepted.
    pub fn accepts(&self, scheme: Scheme) -> bool {
        self.policy.accepted.contains(&scheme)
    }

    /// How far the signed date may be from the verifier's clock, on either side.
    pub fn window(&self) -> Duration {
        self.policy.window
    }

    /// The authorities that requests must be for; empty if any will do.
    pub fn expected_hosts(&self) -> &[String] {
        &self.policy.expected_hosts
    }

    /// Reads the head of a request. The body plays no part.
    ///
    /// In this order: exactly one signature in one accepted scheme; the grammar, with caps; the authority; the
    /// coverage; the date against `now`.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] of the first step that fails: missing signature, malformed, misdirected, insufficient coverage,
    /// expired.
    pub fn parse<'r>(
        &self,
        head: impl Into<RequestHead<'r>>,
        now: Timestamp,
    ) -> Result<Claim<'r>, Rejection> {
        let head = head.into();
        let (scheme, credentials) = self.only_signature(&head)?;
        let parsed = match scheme {
            Scheme::HmacSha256 | Scheme::Ed25519 => {
                native::parse(scheme, credentials, head, &self.policy)?
            }
        };
        let claim = Claim::new(parsed, self.policy.window, self.policy.keep_evidence);
        claim.ensure_fresh(now)?;
        Ok(claim)
    }

    /// Who a refused request says it is from, for a log: unproven, and not even well-formed.
    ///
    /// `None` if no credentials in an accepted scheme name a caller.
    pub fn claimed_key_id<'r>(&self, head: impl Into<RequestHead<'r>>) -> Option<&'r str> {
        let (_, credentials) = self.only_signature(&head.into()).ok()?;
        credentials
            .split(',')
            .find_map(|parameter| parameter.trim_start().strip_prefix("credential="))
    }

    /// The scheme of the only signature, and what follows its name.
    fn only_signature<'r>(&self, head: &RequestHead<'r>) -> Result<(Scheme, &'r str), Rejection> {
        const MISSING: Rejection = Rejection::new(
            RejectionKind::MissingSignature,
            "expected a signature in an accepted scheme, found none",
        );
        let value = head.single(&AUTHORIZATION)?.ok_or(MISSING)?;
        if value.len() > self.policy.limits.authorization_bytes {
            return Err(Rejection::malformed("authorization: longer than the limit"));
        }
        let scheme = self.policy.accepted.iter().find_map(|scheme| {
            let rest = value.strip_prefix(scheme.name())?;
            let parameters = if rest.is_empty() {
                ""
            } else {
                rest.strip_prefix(' ')?
            };
            Some((*scheme, parameters))
        });
        scheme.ok_or(MISSING)
    }
}

/// Builds a [`Verifier`]; a setting that is wrong is an error of [`build`](Self::build).
#[derive(Debug)]
#[must_use]
pub struct VerifierBuilder {
    verifier: Verifier,
    problem: Option<ConfigError>,
}

impl VerifierBuilder {
    /// Accepts requests in one more scheme.
    ///
    /// `ED25519` asks for [expected hosts](Self::expected_hosts): the same public key is known to every callee, so that
    /// a signature for one would otherwise serve all.
    pub fn accept(mut self, scheme: Scheme) -> Self {
        if !self.verifier.accepts(scheme) {
            self.verifier.policy.accepted.push(scheme);
        }
        self
    }

    /// Accepts requests in this scheme and no other.
    pub fn accept_only(mut self, scheme: Scheme) -> Self {
        self.verifier.policy.accepted = vec![scheme];
        self
    }

    /// The authorities of this service: a request for another one is refused with 421.
    ///
    /// Each is a host, or a host and a port, and is compared whole and without regard to ASCII case with the authority
    /// that the request was sent to, in the [form](Self::host_form) that is signed.
    pub fn expected_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for host in hosts {
            let host = host.as_ref();
            match Authority::parse(host) {
                Ok(_) => self.verifier.policy.expected_hosts.push(host.to_owned()),
                Err(problem) => {
                    let message = format!("expected host {host:?}: {problem}");
                    self.refuse(ConfigErrorKind::Authority, message);
                }
            }
        }
        self
    }

    /// In which form the authority is signed, and compared with the expected hosts.
    pub fn host_form(mut self, form: HostForm) -> Self {
        self.verifier.policy.host_form = form;
        self
    }

    /// How far the signed date may be from the verifier's clock, on either side: 1 second to 1 hour.
    pub fn window(mut self, window: Duration) -> Self {
        if (Duration::from_secs(1)..=MAX_WINDOW).contains(&window) {
            self.verifier.policy.window = window;
        } else {
            self.refuse(
                ConfigErrorKind::Setting,
                format!("window: expected 1 to 3600 seconds, found {window:?}"),
            );
        }
        self
    }

    /// Also accepts dates as RFC 3339 in UTC (`2026-01-02T03:04:05Z`) beside the IMF-fixdate.
    pub fn accept_rfc3339_dates(mut self) -> Self {
        self.verifier.policy.date_form = DateForm::ImfFixdateOrRfc3339;
        self
    }

    /// Headers that every signature must cover, besides those that it always must.
    pub fn require_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item = HeaderName>,
    {
        self.verifier.policy.required_headers.extend(names);
        self
    }

    /// How much of a head is read.
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.verifier.policy.limits = limits;
        self
    }

    /// Keeps the [`Evidence`](crate::Evidence) of every verified request: the signed text and the signature.
    pub fn keep_evidence(mut self) -> Self {
        self.verifier.policy.keep_evidence = true;
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] of the first setting that was wrong, or [`ConfigErrorKind::Authority`] if an accepted scheme
    /// needs expected hosts and there are none.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let policy = &self.verifier.policy;
        if let Some(host) = policy.expected_hosts.iter().find(|host| {
            let in_form =
                Authority::parse(host).map(|authority| authority.in_form(policy.host_form));
            in_form != Ok(host)
        }) {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                format!(
                    "expected host {host:?}: ports are stripped here, so that it would match no request"
                ),
            ));
        }
        if policy.expected_hosts.is_empty()
            && let Some(scheme) = policy
                .accepted
                .iter()
                .find(|scheme| scheme.needs_expected_hosts())
        {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                format!(
                    "{scheme} is accepted: expected hosts must be configured, or a signature for one service would serve every other"
                ),
            ));
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

    #[test]
    fn accepts_hmac_sha256_and_nothing_else_by_default() {
        let verifier = Verifier::default();
        assert_eq!(verifier.accepted_schemes(), [Scheme::HmacSha256]);
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
