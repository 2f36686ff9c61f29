use std::time::Duration;

use http::{HeaderName, Method};
use smallvec::SmallVec;

use super::{
    X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN,
    canonical_uri::{self, PathRule, SigV4PathEncoding, SigV4PathNormalization},
    credential_scope,
    query_parameters::MAX_EXPIRES,
    verifier,
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    families::AcceptedScheme,
};

/// How a [`Verifier`](crate::Verifier) accepts AWS Signature Version 4, for one region and one service.
///
/// Both are what callers must have signed for: they are this service's own, and never taken from a request. Accept several
/// to serve several.
///
/// ```
/// use countersign::{SigV4Presigned, SigV4VerifySettings, Verifier};
///
/// let verifier = Verifier::builder()
///     .accept_only(
///         SigV4VerifySettings::new("eu-central-1", "user-service")?
///             .with_payload_hash_required()
///             .with_presigned(SigV4Presigned::new().single_use()),
///     )
///     .expected_hosts(["user-service.internal"])
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// A path that is not canonical is refused: dot segments, empty segments, an escaped dot or slash. Signers normalise such
/// paths while routers go by what was sent. With [single](SigV4PathEncoding::Single) encoding, where `/%61dmin` and `/admin`
/// are signed alike, a path must be spelled as it is signed: `A-Z a-z 0-9 - . _ ~` and slashes as they are, and every other
/// byte as `%` and two upper-case digits.
///
/// A query has one spelling too: a semicolon stands as `%3B`, a byte beyond ASCII and every escape in upper-case digits, and
/// what needs no escape has none, so that `;`, `%2f` and `%41` are refused. Refused as well are a `+` and a name twice, which
/// two readers read in two ways. What is left of a target that can be changed without the signature is the order of the
/// query's parameters, whether an empty value has its `=`, and whether a reserved character such as `:` or `,` is escaped,
/// which some clients do and others do not.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigV4VerifySettings {
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
    pub(super) path: PathRule,
    pub(super) paths: Strictness,
    pub(super) queries: Strictness,
    pub(super) query_escapes: Strictness,
    pub(super) query_names: Strictness,
    pub(super) payload_hash: PayloadHashRule,
    pub(super) presigned: Option<SigV4Presigned>,
    uncovered: Vec<HeaderName>,
    unsigned_payload: UnsignedPayload,
}

/// Whether what could be read in two ways is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    Strict,
    Lenient,
}

/// Whether a head must declare the hash of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadHashRule {
    Optional,
    Required,
}

/// Where `UNSIGNED-PAYLOAD` is accepted.
#[derive(Clone, Debug)]
enum UnsignedPayload {
    Nowhere,
    Paths(Vec<Box<str>>),
    Everywhere,
}

impl SigV4VerifySettings {
    /// For signatures that are scoped to this region and service. A service called `s3` has its paths encoded once and its
    /// presigned payloads unsigned, as S3 has.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if either is not 1 to 64 letters, digits, `-`, `_` and `.`.
    pub fn new(region: &str, service: &str) -> Result<Self, ConfigError> {
        ensure_scope(region, service)?;
        Ok(Self {
            region: region.into(),
            service: service.into(),
            path: PathRule::of_service(service),
            paths: Strictness::Strict,
            queries: Strictness::Strict,
            query_escapes: Strictness::Strict,
            query_names: Strictness::Strict,
            payload_hash: PayloadHashRule::Optional,
            presigned: None,
            uncovered: Vec::new(),
            unsigned_payload: UnsignedPayload::Nowhere,
        })
    }

    /// How callers encode the path. The wrong choice refuses every path with an escape in it.
    pub fn with_path_encoding(mut self, encoding: SigV4PathEncoding) -> Self {
        self.path.encoding = encoding;
        self
    }

    /// Whether callers normalise the path. It makes a difference only where paths are accepted that are
    /// [not canonical](Self::insecure_accept_noncanonical_paths).
    pub fn with_path_normalization(mut self, normalization: SigV4PathNormalization) -> Self {
        self.path.normalization = normalization;
        self
    }

    /// Refuses requests whose head does not declare the hash of their body in `x-amz-content-sha256`.
    ///
    /// Without one a request cannot be authenticated before its body has been read, within the limits for unauthenticated
    /// peers.
    pub fn with_payload_hash_required(mut self) -> Self {
        self.payload_hash = PayloadHashRule::Required;
        self
    }

    /// Accepts requests whose signature stands in the URL. This asks for
    /// [expected hosts](crate::VerifierBuilder::expected_hosts).
    ///
    /// Such a URL is a bearer capability: whoever sees it, in a log or a `Referer`, can use it until it expires.
    pub fn with_presigned(mut self, presigned: SigV4Presigned) -> Self {
        self.presigned = Some(presigned);
        self
    }

    /// Accepts `UNSIGNED-PAYLOAD` for every path.
    ///
    /// Whoever stands between caller and callee can then exchange the body of such a request.
    pub fn insecure_accept_unsigned_payload(mut self) -> Self {
        self.unsigned_payload = UnsignedPayload::Everywhere;
        self
    }

    /// Accepts `UNSIGNED-PAYLOAD` for these paths, each as it is sent. One that ends in `/` stands for all below it.
    ///
    /// Whoever stands between caller and callee can then exchange the body of such a request.
    pub fn insecure_accept_unsigned_payload_at<I>(mut self, paths: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let paths = paths.into_iter().map(|path| Box::from(path.as_ref()));
        match &mut self.unsigned_payload {
            UnsignedPayload::Nowhere => {
                self.unsigned_payload = UnsignedPayload::Paths(paths.collect());
            }
            UnsignedPayload::Paths(known) => known.extend(paths),
            UnsignedPayload::Everywhere => {}
        }
        self
    }

    /// Accepts requests that have these `x-amz-…` headers uncovered. A trusted hop in front adds each of them to every
    /// request, as CloudFront does with `x-amz-cf-id`.
    ///
    /// Any other uncovered `x-amz-…` header is refused, as S3 does it. Whoever stands between caller and callee chooses the
    /// value of these, so that no handler may act on it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if a name does not begin with `x-amz-`, or is one that the scheme reads:
    /// `x-amz-date`, `x-amz-content-sha256` and `x-amz-security-token`.
    pub fn insecure_accept_uncovered_headers<I>(mut self, names: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator<Item = HeaderName>,
    {
        for name in names {
            if !may_be_uncovered(&name) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Coverage,
                    format!(
                        "uncovered header {name}: expected an x-amz-… header that the scheme does not read"
                    ),
                ));
            }
            self.uncovered.push(name);
        }
        Ok(self)
    }

    /// Accepts paths with dot segments, empty segments, and escaped dots and slashes, and with single encoding paths in
    /// any spelling.
    ///
    /// Where callers normalise, `/admin/../public`, `//public` and `/public` have one signature: whoever captures a request
    /// for the one can send another, which a router may take elsewhere. Where they do not, only the escapes differ so:
    /// `/%61dmin` is then accepted with the signature of `/admin`, and a router that compares before it decodes takes it
    /// elsewhere.
    pub fn insecure_accept_noncanonical_paths(mut self) -> Self {
        self.paths = Strictness::Lenient;
        self
    }

    /// Accepts a `+` in a query, signed as a plus and not as a space, and parameters without a name; signed is nothing
    /// where nothing stands between two `&`.
    ///
    /// A handler that reads the plus as a space reads another query than the one that was signed. Every escape is accepted
    /// then as well, as [`insecure_accept_noncanonical_queries`](Self::insecure_accept_noncanonical_queries) says.
    pub fn insecure_accept_ambiguous_queries(mut self) -> Self {
        self.queries = Strictness::Lenient;
        self.insecure_accept_noncanonical_queries()
    }

    /// Accepts names and values of a query however they are escaped, for callers that write lower-case digits, escape what
    /// needs no escape, or leave semicolons and letters beyond ASCII as they are.
    ///
    /// `admin=1` and `%61dmin=1` have one signature, and so have `a=1%3Bb=2` and `a=1;b=2`. Whoever captures a request can
    /// send the other one, which a reader that compares before it decodes, or that takes `;` for `&`, reads otherwise.
    pub fn insecure_accept_noncanonical_queries(mut self) -> Self {
        self.query_escapes = Strictness::Lenient;
        self
    }

    /// Accepts queries in which a name occurs more than once.
    ///
    /// They are signed in the order of their values: `role=user&role=admin` and `role=admin&role=user` have one signature,
    /// and a handler that takes the first of them, or the last, takes what whoever stands between wants.
    pub fn insecure_accept_repeated_query_names(mut self) -> Self {
        self.query_names = Strictness::Lenient;
        self
    }

    pub(super) fn accepts_uncovered(&self, name: &HeaderName) -> bool {
        self.uncovered.contains(name)
    }

    pub(super) fn accepts_unsigned_payload(&self, path: &str) -> bool {
        match &self.unsigned_payload {
            UnsignedPayload::Nowhere => false,
            UnsignedPayload::Everywhere => true,
            // A path that leads elsewhere by its dots is below none of them.
            UnsignedPayload::Paths(paths) => {
                canonical_uri::is_canonical(path)
                    && paths.iter().any(|known| {
                        path == &**known || (known.ends_with('/') && path.starts_with(&**known))
                    })
            }
        }
    }
}

impl From<SigV4VerifySettings> for AcceptedScheme {
    fn from(profile: SigV4VerifySettings) -> Self {
        Self::new(verifier::FamilyVerifier::of(profile))
    }
}

/// How a [`SigV4VerifySettings`] accepts requests whose signature stands in the URL.
///
/// Only GET and HEAD unless told otherwise, without a body, and no longer than 15 minutes after they were signed, even if
/// the URL says more.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigV4Presigned {
    pub(super) max_age: Duration,
    pub(super) single_use: bool,
    pub(super) payload: Option<SigV4PresignedPayload>,
    methods: SmallVec<[Method; 2]>,
}

/// What a signature in a URL says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigV4PresignedPayload {
    /// The SHA-256 of the body, as for every service but S3.
    Sha256,
    /// `UNSIGNED-PAYLOAD`, as for S3. With a method that has a body this is accepted only where the profile accepts
    /// [unsigned payloads](SigV4VerifySettings::insecure_accept_unsigned_payload).
    Unsigned,
}

impl SigV4Presigned {
    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// For how long after its signing a URL is accepted at most: 1 second to 7 days, 15 minutes unless set.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if it is less or more.
    pub fn with_max_age(mut self, max_age: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_secs(1)..=MAX_EXPIRES).contains(&max_age) {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                format!("presigned age: expected 1 to 604800 seconds, found {max_age:?}"),
            ));
        }
        self.max_age = max_age;
        Ok(self)
    }

    /// Makes the signature itself the identity by which a replay is known, so that a URL serves once.
    pub fn single_use(mut self) -> Self {
        self.single_use = true;
        self
    }

    /// What callers sign of the body, if it is not what the service's name says.
    pub fn with_payload(mut self, payload: SigV4PresignedPayload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Also accepts this method. One with a body has it hashed before the signature is checked.
    pub fn with_method(mut self, method: Method) -> Self {
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
        self
    }

    pub(super) fn accepts(&self, method: &Method) -> bool {
        is_without_body(method) || self.methods.contains(method)
    }
}

impl Default for SigV4Presigned {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(900),
            single_use: false,
            payload: None,
            methods: SmallVec::new(),
        }
    }
}

/// Whether requests of this method are signed in a URL without a body.
pub(super) fn is_without_body(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// What a service has signed of the body in a URL, by its name.
pub(super) fn presigned_payload_of(service: &str) -> SigV4PresignedPayload {
    match PathRule::of_service(service).encoding {
        SigV4PathEncoding::Single => SigV4PresignedPayload::Unsigned,
        SigV4PathEncoding::Double => SigV4PresignedPayload::Sha256,
    }
}

/// Refuses a region or a service that no scope can hold.
pub(super) fn ensure_scope(region: &str, service: &str) -> Result<(), ConfigError> {
    for (what, name) in [("region", region), ("service", service)] {
        if !credential_scope::is_name(name) {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                format!("{what}: expected 1 to 64 letters, digits and - _ . characters"),
            ));
        }
    }
    Ok(())
}

/// Whether the settings can accept a header of this name uncovered.
pub(super) fn may_be_uncovered(name: &HeaderName) -> bool {
    let is_read = [&X_AMZ_CONTENT_SHA256, &X_AMZ_DATE, &X_AMZ_SECURITY_TOKEN].contains(&name);
    name.as_str().starts_with("x-amz-") && !is_read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_names_without_slashes() {
        assert!(SigV4VerifySettings::new("eu-central-1", "user_service.v2").is_ok());
        for (region, service) in [("", "s"), ("r", ""), ("r/s", "s"), ("r", "s t"), ("é", "s")] {
            let error = SigV4VerifySettings::new(region, service).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Setting, "{region} {service}");
        }
        assert!(SigV4VerifySettings::new(&"r".repeat(65), "s").is_err());
    }

    #[test]
    fn unsigned_payloads_are_accepted_where_they_are_allowed() {
        let profile = SigV4VerifySettings::new("r", "s").unwrap();
        assert!(!profile.accepts_unsigned_payload("/up/a"));
        let some = profile
            .clone()
            .insecure_accept_unsigned_payload_at(["/up/", "/one"]);
        for (path, expected) in [
            ("/up/", true),
            ("/up/a/b", true),
            ("/one", true),
            ("/up", false),
            ("/one/two", false),
            ("/ones", false),
            ("/", false),
            ("/up/../admin", false),
            ("/up//a", false),
            ("/up/%2e%2e/admin", false),
        ] {
            assert_eq!(some.accepts_unsigned_payload(path), expected, "{path}");
        }
        let all = some.insecure_accept_unsigned_payload();
        assert!(all.accepts_unsigned_payload("/"));
    }

    #[test]
    fn headers_that_the_scheme_reads_are_never_accepted_uncovered() {
        let accepts = |name: &'static str| {
            let profile = SigV4VerifySettings::new("r", "s").unwrap();
            profile.insecure_accept_uncovered_headers([HeaderName::from_static(name)])
        };
        for (name, valid) in [
            ("x-amz-cf-id", true),
            ("x-amz-date", false),
            ("x-amz-content-sha256", false),
            ("x-amz-security-token", false),
            ("x-nonce", false),
            ("content-encoding", false),
            ("x-amz", false),
        ] {
            let kind = accepts(name).map(drop).map_err(|error| error.kind());
            let expected = if valid {
                Ok(())
            } else {
                Err(ConfigErrorKind::Coverage)
            };
            assert_eq!(kind, expected, "{name}");
        }
    }

    #[test]
    fn a_presigned_url_has_a_bounded_age() {
        for (seconds, valid) in [(0, false), (1, true), (604_800, true), (604_801, false)] {
            let presigned = SigV4Presigned::new().with_max_age(Duration::from_secs(seconds));
            assert_eq!(presigned.is_ok(), valid, "{seconds}");
        }
    }
}
