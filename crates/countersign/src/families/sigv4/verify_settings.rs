use std::time::Duration;

use http::{HeaderName, Method};
use smallvec::SmallVec;

#[cfg(feature = "sigv4-chunked")]
use super::chunked::ChunkMode;
use super::{
    X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN,
    canonical_uri::{self, SigV4PathEncoding, SigV4PathNormalization},
    query_parameters::MAX_EXPIRES,
    scope::Scope,
    verifier,
};
#[cfg(feature = "sigv4-chunked")]
use crate::error::{Rejection, reason};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    families::{AcceptedScheme, FamilyVerifier},
};

/// Settings of a [`Verifier`](crate::Verifier) for AWS Signature Version 4, for one region and one
/// service.
///
/// Region and service identify this service: callers must sign for them, and no request can choose
/// them. To serve several, accept several settings.
///
/// ```
/// use countersign::{SigV4Presigned, SigV4VerifySettings, Verifier};
///
/// let verifier = Verifier::builder()
///     .accept_only(
///         SigV4VerifySettings::new("eu-central-1", "user-service")?
///             .with_payload_hash_required()
///             .with_presigned(SigV4Presigned::new().with_single_use()),
///     )
///     .expected_hosts(["user-service.internal"])
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// # Targets
///
/// Refuses a path that is not canonical: with dot segments, empty segments, or an escaped dot or
/// slash. Signers normalise such paths, while routers use the path as sent.
/// [Single](SigV4PathEncoding::Single) encoding signs `/%61dmin` and `/admin` alike. A path must
/// then have the signed spelling: `A-Z a-z 0-9 - . _ ~` and slashes unescaped, every other byte as
/// `%` and two upper-case digits.
///
/// A query has one spelling too. A semicolon must be `%3B`; bytes beyond ASCII must be escaped;
/// escapes have upper-case digits; unreserved characters have no escape. So `;`, `%2f` and `%41`
/// are refused. A `+` and a repeated name are also refused, because readers disagree about them.
///
/// Three details stay unprotected: the order of the parameters, the `=` of an empty value, and the
/// escape of a reserved character such as `:` or `,`. Clients differ in all three.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigV4VerifySettings {
    pub(super) scope: Scope,
    pub(super) paths: Strictness,
    pub(super) queries: Strictness,
    pub(super) query_escapes: Strictness,
    pub(super) query_names: Strictness,
    pub(super) payload_hash: PayloadHashRule,
    pub(super) presigned: Option<SigV4Presigned>,
    uncovered: Vec<HeaderName>,
    unsigned_payload: UnsignedPayload,
    #[cfg(feature = "sigv4-chunked")]
    pub(super) chunks: ChunkRule,
}

/// The chunked bodies that are accepted.
#[cfg(feature = "sigv4-chunked")]
#[derive(Clone, Debug)]
pub(super) struct ChunkRule {
    signed: bool,
    unsigned: bool,
    pub(super) max_chunk_bytes: u64,
}

#[cfg(feature = "sigv4-chunked")]
impl ChunkRule {
    /// Refuses chunks that the settings do not accept.
    pub(super) fn ensure_accepted(
        &self,
        mode: ChunkMode,
        is_presigned: bool,
    ) -> Result<(), Rejection> {
        let (is_accepted, switch) = match mode {
            ChunkMode::Signed | ChunkMode::SignedWithTrailer => (self.signed, "with_chunked"),
            ChunkMode::UnsignedWithTrailer => (self.unsigned, "insecure_accept_unsigned_chunks"),
        };
        if is_presigned {
            return Err(Rejection::malformed(reason!(
                "x-amz-content-sha256: expected no chunks in a presigned request, found {}",
                mode.as_str()
            )));
        }
        if is_accepted {
            return Ok(());
        }
        Err(Rejection::malformed(reason!(
            "x-amz-content-sha256: expected the hash of the whole body, found {}; \
             SigV4VerifySettings::{} accepts it",
            mode.as_str(),
            switch
        )))
    }
}

/// Whether targets with several readings are refused.
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

/// The paths for which `UNSIGNED-PAYLOAD` is accepted.
#[derive(Clone, Debug)]
enum UnsignedPayload {
    Nowhere,
    Paths(Vec<Box<str>>),
    Everywhere,
}

impl SigV4VerifySettings {
    /// Accepts signatures scoped to this region and service. A service named `s3` encodes paths
    /// once and leaves presigned payloads unsigned, as S3 does.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if either is not 1 to 64 letters, digits, `-`, `_` and `.`.
    pub fn new(region: &str, service: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            scope: Scope::new(region, service)?,
            paths: Strictness::Strict,
            queries: Strictness::Strict,
            query_escapes: Strictness::Strict,
            query_names: Strictness::Strict,
            payload_hash: PayloadHashRule::Optional,
            presigned: None,
            uncovered: Vec::new(),
            unsigned_payload: UnsignedPayload::Nowhere,
            #[cfg(feature = "sigv4-chunked")]
            chunks: ChunkRule {
                signed: false,
                unsigned: false,
                max_chunk_bytes: 1024 * 1024,
            },
        })
    }

    /// Accepts bodies in chunks that are signed one by one, as S3 clients send them over plain
    /// HTTP: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, and the same with signed trailers.
    #[cfg(feature = "sigv4-chunked")]
    pub fn with_chunked(mut self) -> Self {
        self.chunks.signed = true;
        self
    }

    /// Sets the largest signed chunk, in bytes. Default: 1 MiB. At most 16 MiB. A chunk is in
    /// memory until its signature is checked.
    #[cfg(feature = "sigv4-chunked")]
    pub fn with_max_chunk_bytes(mut self, bytes: u64) -> Self {
        self.chunks.max_chunk_bytes = bytes;
        self
    }

    /// Accepts bodies in chunks that are not signed, as S3 clients send them over TLS:
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`, with a checksum in a trailer.
    ///
    /// # Attack
    ///
    /// Anyone between the client and this service can exchange the body together with its checksum.
    /// Only TLS up to this service prevents it.
    #[cfg(feature = "sigv4-chunked")]
    pub fn insecure_accept_unsigned_chunks(mut self) -> Self {
        self.chunks.unsigned = true;
        self
    }

    /// Sets how callers encode the path. The wrong choice refuses every path with an escape.
    pub fn with_path_encoding(mut self, encoding: SigV4PathEncoding) -> Self {
        self.scope.path.encoding = encoding;
        self
    }

    /// Sets whether callers normalise the path. Matters only if [paths that are not
    /// canonical](Self::insecure_accept_noncanonical_paths) are accepted.
    pub fn with_path_normalization(mut self, normalization: SigV4PathNormalization) -> Self {
        self.scope.path.normalization = normalization;
        self
    }

    /// Refuses requests whose head does not declare the hash of their body in
    /// `x-amz-content-sha256`.
    ///
    /// Without the hash, a request is authenticated only after its body was read, within the limits
    /// for unauthenticated peers.
    pub fn with_payload_hash_required(mut self) -> Self {
        self.payload_hash = PayloadHashRule::Required;
        self
    }

    /// Accepts requests with the signature in the URL. Requires [expected
    /// hosts](crate::VerifierBuilder::expected_hosts).
    ///
    /// Such a URL is a bearer capability: anyone who sees it, in a log or a `Referer`, can use it
    /// until it expires.
    pub fn with_presigned(mut self, presigned: SigV4Presigned) -> Self {
        self.presigned = Some(presigned);
        self
    }

    /// Accepts `UNSIGNED-PAYLOAD` for every path.
    ///
    /// # Attack
    ///
    /// Any intermediary can replace the body of such a request.
    pub fn insecure_accept_unsigned_payload(mut self) -> Self {
        self.unsigned_payload = UnsignedPayload::Everywhere;
        self
    }

    /// Accepts `UNSIGNED-PAYLOAD` for these paths, compared as sent. A path that ends in `/`
    /// includes all paths below it.
    ///
    /// # Attack
    ///
    /// Any intermediary can replace the body of such a request.
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

    /// Accepts requests with these `x-amz-…` headers uncovered. Use this for headers that a trusted
    /// hop adds to every request, as CloudFront adds `x-amz-cf-id`.
    ///
    /// Any other uncovered `x-amz-…` header is refused, as S3 does.
    ///
    /// # Attack
    ///
    /// Any intermediary can choose the value of an uncovered header, so no handler may act on it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if a name does not begin with `x-amz-`, or if the scheme reads
    /// the header: `x-amz-date`, `x-amz-content-sha256` and `x-amz-security-token`.
    pub fn insecure_accept_uncovered_headers<I>(mut self, names: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator<Item = HeaderName>,
    {
        for name in names {
            if !may_be_uncovered(&name) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Coverage,
                    format!(
                        "uncovered header {name}: expected an x-amz-… header that the scheme does \
                         not read"
                    ),
                ));
            }
            self.uncovered.push(name);
        }
        Ok(self)
    }

    /// Accepts paths with dot segments, empty segments, and escaped dots and slashes. With single
    /// encoding, accepts any spelling of a path.
    ///
    /// # Attack
    ///
    /// If callers normalise, `/admin/../public`, `//public` and `/public` have one signature. A
    /// captured request can be resent with another of these paths, and a router may dispatch it
    /// differently. If callers do not normalise, only the escapes can differ. `/%61dmin` is then
    /// accepted with the signature of `/admin`, and a router that compares before decoding
    /// dispatches it differently.
    pub fn insecure_accept_noncanonical_paths(mut self) -> Self {
        self.paths = Strictness::Lenient;
        self
    }

    /// Accepts a `+` in a query, signed as a plus and not as a space. Accepts parameters without a
    /// name. An empty parameter between two `&` is not signed. Also accepts every escape, like
    /// [`insecure_accept_noncanonical_queries`](Self::insecure_accept_noncanonical_queries).
    ///
    /// # Attack
    ///
    /// A handler that reads the plus as a space reads a different query from the signed one. Anyone
    /// who sees a request can add empty parameters to it.
    pub fn insecure_accept_ambiguous_queries(mut self) -> Self {
        self.queries = Strictness::Lenient;
        self.insecure_accept_noncanonical_queries()
    }

    /// Accepts any escaping of names and values in a query. For callers that write lower-case
    /// digits, escape unreserved characters, or leave semicolons and letters beyond ASCII
    /// unescaped.
    ///
    /// # Attack
    ///
    /// `admin=1` and `%61dmin=1` then have one signature, and so have `a=1%3Bb=2` and `a=1;b=2`. A
    /// captured request can be resent in the other form. A reader that compares before decoding, or
    /// that splits at `;`, reads it differently.
    pub fn insecure_accept_noncanonical_queries(mut self) -> Self {
        self.query_escapes = Strictness::Lenient;
        self
    }

    /// Accepts queries with repeated names.
    ///
    /// # Attack
    ///
    /// Repeated names are signed in the order of their values: `role=user&role=admin` and
    /// `role=admin&role=user` have one signature. An intermediary can thus choose the value for a
    /// handler that takes the first or the last one.
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
            // A path with dot segments is below none of them: it may lead elsewhere.
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
    fn from(settings: SigV4VerifySettings) -> Self {
        let family = verifier::FamilyVerifier::of(settings);
        Self::new(FamilyVerifier::SigV4(family))
    }
}

/// Settings of a [`SigV4VerifySettings`] for requests with the signature in the URL.
///
/// By default only GET and HEAD, without a body, for at most 15 minutes after signing, even if the
/// URL allows longer.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigV4Presigned {
    pub(super) max_age: Duration,
    pub(super) single_use: bool,
    pub(super) payload: Option<SigV4PresignedPayload>,
    methods: SmallVec<[Method; 2]>,
}

/// The coverage of the body by a signature in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigV4PresignedPayload {
    /// Signs the SHA-256 of the body, as for every service but S3.
    Sha256,
    /// Signs `UNSIGNED-PAYLOAD`, as for S3. For a method with a body, accepted only if the settings
    /// accepts [unsigned payloads](SigV4VerifySettings::insecure_accept_unsigned_payload).
    Unsigned,
}

impl SigV4Presigned {
    /// Returns the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum age of a signed URL: 1 second to 7 days. Default: 15 minutes.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if it is outside this range.
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

    /// Uses the signature itself to detect replays, so that a URL works once.
    pub fn with_single_use(mut self) -> Self {
        self.single_use = true;
        self
    }

    /// Sets how callers sign the body. Default: by the name of the service.
    pub fn with_payload(mut self, payload: SigV4PresignedPayload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Accepts this method too. The body of such a request is hashed before the signature is
    /// checked.
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

/// Returns whether presigned requests of this method have no body.
pub(super) fn is_without_body(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Returns whether the settings can accept a header of this name uncovered.
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
        let settings = SigV4VerifySettings::new("r", "s").unwrap();
        assert!(!settings.accepts_unsigned_payload("/up/a"));
        let some = settings
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
            let settings = SigV4VerifySettings::new("r", "s").unwrap();
            settings.insecure_accept_uncovered_headers([HeaderName::from_static(name)])
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
