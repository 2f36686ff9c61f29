use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    time::Duration,
};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_LENGTH, DATE},
    response::Parts,
};

use super::{
    super::{
        CONTENT_DIGEST, SIGNATURE_INPUT,
        component_id::ComponentId,
        content_digest,
        covered_components::CoveredComponents,
        covered_values::CoveredValues,
        fields::Fields,
        labeled_signature::{LabeledSignature, Place, Problem},
        message::Message,
        parse::of_label,
        rules::{Bytes, KeyIdForm, NonceForm, ParamSet},
        signature_base::SignatureBase,
        signature_input::SignatureInput,
    },
    AnswerError, AnswerErrorKind, AuthenticatedAnswer, COVERED_IF_PRESENT, ResponseBinding, TAG,
    never_has_content,
    signer::of_response,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Reason, Rejection, Set, reason},
    head::{Authority, HeadLimits},
    key::CallerKey,
    keyring::CallerKeys,
    payload::{DeclaredPayload, PayloadCheck, PayloadDigest},
    scheme::Scheme,
    timestamp::Timestamp,
    wire::DateForm,
};

/// The parameters that every signature must have.
const REQUIRED: ParamSet = ParamSet::CREATED.with(ParamSet::KEYID);

/// How far `date` and `created` of a refusal may be apart.
const DATE_DISTANCE: Duration = Duration::from_secs(5);

/// Verifies signatures of responses (RFC 9421 section 2.4), with the keys of the services that a
/// client calls.
///
/// ```
/// use countersign::{CallerKey, CallerKeys, ResponseVerifier, Secret, SigningKey};
///
/// let key = SigningKey::hmac_sha256(&Secret::generate()?);
/// let answers = key.response_verifying_key().expect("a shared secret has one");
/// let service = CallerKeys::new("user-service", [CallerKey::new("2026-01", answers)?])?;
/// let verifier = ResponseVerifier::new().with_service(["user-service.internal"], service)?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ResponseVerifier {
    services: HashMap<Box<str>, CallerKeys>,
    further: Vec<HeaderName>,
    window: Duration,
    limits: HeadLimits,
}

impl Default for ResponseVerifier {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponseVerifier {
    /// Creates a verifier that knows no service, with a window of 300 seconds.
    pub fn new() -> Self {
        Self {
            services: HashMap::new(),
            further: Vec::new(),
            window: Duration::from_secs(300),
            limits: HeadLimits::default(),
        }
    }

    /// Adds a service and its keys, under the authorities by which it is called. A key is found
    /// under the authority first, then by its `keyid`: the key id of the key, else the service's
    /// name. So the key of one service never verifies a response of another.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Authority`] if an authority is none, or is there already.
    /// - [`ConfigErrorKind::Key`] if the service is unknown, or a key is for another scheme than
    ///   RFC 9421.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the caller keeps no keys: a handle is passed on"
    )]
    pub fn with_service<I>(mut self, authorities: I, keys: CallerKeys) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let only = keys
            .schemes()
            .all(|scheme| scheme == Scheme::MessageSignatures);
        if keys.is_unknown() || !only {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                format!(
                    "service keys: expected keys for {}",
                    Scheme::MessageSignatures
                ),
            ));
        }
        for authority in authorities {
            let authority = authority.as_ref();
            let refused = |problem| {
                let message = format!("authority {}: {problem}", Escaped::text(authority));
                ConfigError::new(ConfigErrorKind::Authority, message)
            };
            let parsed = Authority::parse(authority).map_err(refused)?;
            let normal = parsed.as_str().to_ascii_lowercase().into_boxed_str();
            match self.services.entry(normal) {
                Entry::Vacant(free) => free.insert(keys.clone()),
                Entry::Occupied(_) => return Err(refused("expected it once, found it twice")),
            };
        }
        Ok(self)
    }

    /// Requires that signatures cover this field if the response has it.
    pub fn with_required_header(mut self, name: HeaderName) -> Self {
        self.further.push(name);
        self
    }

    /// Sets how far `created` may be from the clock, in both directions. Default: 300 seconds.
    pub fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Returns whether a key of the service at this authority is known.
    pub fn knows(&self, authority: &str) -> bool {
        self.services.contains_key(authority)
    }

    /// Checks the head of a response to a request.
    ///
    /// 1. Exactly one signature has the tag `countersign-response`. Others are ignored: they are
    ///    of proxies.
    /// 2. It has the parameters `created` and `keyid`, and no unknown one.
    /// 3. It covers everything that the [profile](crate::ResponseSigner) covers.
    /// 4. A key of the called service made it.
    /// 5. `created` is within the window, and `expires`, if it is there, is not over. A 401 that
    ///    covers its `date` may be outside the window, if both dates agree within 5 seconds: it is
    ///    bound to the request anyway, and tells that the clocks differ.
    ///
    /// # Errors
    ///
    /// The kind of the first of these steps that fails.
    pub fn authenticate(
        &self,
        binding: &ResponseBinding,
        response: &Parts,
        now: Timestamp,
    ) -> Result<AuthenticatedAnswer, AnswerError> {
        self.judge(binding, response, now)
            .map_err(|error| error.with_status(response.status))
    }

    fn judge(
        &self,
        binding: &ResponseBinding,
        response: &Parts,
        now: Timestamp,
    ) -> Result<AuthenticatedAnswer, AnswerError> {
        let Some(keys) = self.services.get(binding.authority()) else {
            return Err(AnswerError::because(
                AnswerErrorKind::Unbound,
                reason!(
                    "authority: expected a service whose keys are known, found \"{}\"",
                    Escaped::text(binding.authority())
                ),
            ));
        };
        let malformed = |rejection| AnswerError::of(AnswerErrorKind::Malformed, rejection);

        // Step 1.
        if !response.headers.contains_key(&SIGNATURE_INPUT) {
            return Err(AnswerError::new(
                AnswerErrorKind::Unsigned,
                "expected a signature, found none",
            ));
        }
        let fields = Fields::of(&response.headers);
        let input = SignatureInput::of_response(&fields, &self.limits).map_err(malformed)?;
        let signature = the_tagged(&input)?;

        // Steps 2 and 3.
        let no_content = never_has_content(&binding.method, response.status);
        let has_content = !no_content && declares_content(&response.headers);
        self.ensure_complete(signature, binding, &response.headers, has_content)?;
        let LabeledSignature {
            label,
            covered,
            params,
            ..
        } = signature;
        let of_label =
            |problem| AnswerError::because(AnswerErrorKind::Malformed, of_label(label, &problem));
        if let Some(problem) = params.problem(KeyIdForm::Text, NonceForm::Text) {
            return Err(of_label(problem));
        }
        let (Some(created), Some(key_id)) = (params.created(), params.keyid()) else {
            // Invariant: `ensure_complete` demands both.
            return Err(of_label(reason!(
                "expected created and keyid, found too few"
            )));
        };

        // Step 4.
        let base = binding
            .with_message(|request| {
                let message = of_response(request, response.status.as_str(), &response.headers);
                let message = Message {
                    content_digest: &fields.content_digest,
                    max_field_bytes: self.limits.covered_value_bytes,
                    ..message
                };
                let mut values = CoveredValues::of(&message);
                values.find(covered)?;
                SignatureBase::new(covered, &mut values, params, None)
            })
            .map_err(of_label)?;
        let key = matching_key(keys, signature, key_id, &base, now)?;

        // Step 5.
        let clock_offset = self.judge_dates(created, signature, response, now)?;

        let covers_digest = covered.covers_field(CONTENT_DIGEST.as_str());
        let payload = if covers_digest && !no_content {
            content_digest::parse(&fields.content_digest, &self.limits, Bytes::Base64)
                .map_err(malformed)?
        } else {
            DeclaredPayload::Sha256(PayloadDigest::OF_NOTHING)
        };
        let (Some(service), key_version) = (keys.caller(), key.version()) else {
            // Invariant: `with_service` refuses unknown services.
            return Err(of_label(reason!(
                "expected a service with a name, found none"
            )));
        };
        Ok(AuthenticatedAnswer {
            service: service.clone(),
            key_version: key_version.clone(),
            signed_at: Timestamp::from_unix_seconds(created),
            clock_offset,
            payload: PayloadCheck::new(payload),
        })
    }

    /// Checks that a signature has all parameters and covers all components.
    fn ensure_complete(
        &self,
        signature: &LabeledSignature<'_>,
        binding: &ResponseBinding,
        headers: &HeaderMap,
        has_content: bool,
    ) -> Result<(), AnswerError> {
        let label = signature.label;
        let malformed =
            |problem| AnswerError::because(AnswerErrorKind::Malformed, of_label(label, &problem));
        if let Some(Problem { text, place }) = signature.problem {
            return Err(malformed(match place {
                Place::Component(number) => reason!("{}, found in component {}", text, number),
                Place::Parameter(name) => {
                    reason!("{}, found in parameter {}", text, Escaped::text(name))
                }
            }));
        }
        let covered = &signature.covered;
        if let Some(name) = REQUIRED.first_not_in(signature.params.present()) {
            return Err(malformed(reason!(
                "expected the parameter {}, found none",
                name
            )));
        }
        let present = COVERED_IF_PRESENT.iter().chain(&self.further);
        let present = present.filter(|name| headers.contains_key(*name));
        let digest = has_content.then_some(&CONTENT_DIGEST);
        let fields = present.chain(digest).cloned().map(ComponentId::from);
        let missing = [ComponentId::STATUS].into_iter().chain(fields);
        let missing = missing.map(|id| id.shown_unless(covered.lists(&id)));
        let of_request = binding.components().into_iter();
        let of_request = of_request.map(|id| id.shown_unless(covered.lists(&id)));
        match missing.chain(of_request).flatten().next() {
            None => Ok(()),
            Some(missing) => Err(AnswerError::because(
                AnswerErrorKind::InsufficientCoverage,
                of_label(label, &not_covered(&missing, covered)),
            )),
        }
    }

    /// Checks the dates of a signature that matched. Returns the offset of the service's clock, if
    /// that is why the service refused the request.
    fn judge_dates(
        &self,
        created: i64,
        signature: &LabeledSignature<'_>,
        response: &Parts,
        now: Timestamp,
    ) -> Result<Option<i64>, AnswerError> {
        let signed_at = Timestamp::from_unix_seconds(created);
        let offset = created.saturating_sub(now.as_unix_seconds());
        let expired = |rejection| {
            AnswerError::of(AnswerErrorKind::Expired, rejection).with_clock_offset(offset)
        };
        if signed_at.abs_diff(now) > self.window {
            let date = response
                .headers
                .get(DATE)
                .and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| DateForm::ImfFixdate.parse(date));
            let agrees = response.status == StatusCode::UNAUTHORIZED
                && signature.covered.covers_field(DATE.as_str())
                && date.is_some_and(|date| date.abs_diff(signed_at) <= DATE_DISTANCE);
            if agrees {
                return Ok(Some(offset));
            }
            return Err(expired(Rejection::stale(
                "created",
                signed_at,
                now,
                self.window,
            )));
        }
        let until = signature.params.expires().map(Timestamp::from_unix_seconds);
        if let Some(until) = until
            && now > until
        {
            let lifetime = signed_at.abs_diff(until);
            return Err(expired(Rejection::stale(
                "expires", signed_at, now, lifetime,
            )));
        }
        Ok(None)
    }
}

/// Returns the only signature with the tag.
fn the_tagged<'i, 'r>(
    input: &'i SignatureInput<'r>,
) -> Result<&'i LabeledSignature<'r>, AnswerError> {
    let mut tagged = input
        .labels()
        .filter(|label| label.params.tag() == Some(TAG));
    match (tagged.next(), tagged.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => Err(AnswerError::because(
            AnswerErrorKind::Malformed,
            reason!(
                "expected one signature with the tag \"{}\", found \"{}\" and \"{}\"",
                TAG,
                Escaped::text(one.label),
                Escaped::text(other.label)
            ),
        )),
        (None, _) => Err(AnswerError::because(
            AnswerErrorKind::Unsigned,
            reason!("expected a signature with the tag \"{}\", found none", TAG),
        )),
    }
}

/// Returns whether the fields announce content.
fn declares_content(headers: &HeaderMap) -> bool {
    headers.contains_key(&CONTENT_DIGEST)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length.as_bytes() != b"0")
}

#[cold]
fn not_covered(missing: &str, covered: &CoveredComponents<'_>) -> Reason {
    let covered: Vec<String> = covered.iter().map(ComponentId::shown).collect();
    let covered: Vec<&str> = covered.iter().map(String::as_str).collect();
    reason!(
        "expected {} to be covered, found covered {}",
        Set(&missing),
        &covered
    )
}

/// Returns the key that made the signature.
fn matching_key<'k>(
    keys: &'k CallerKeys,
    signature: &LabeledSignature<'_>,
    key_id: &str,
    base: &SignatureBase,
    now: Timestamp,
) -> Result<&'k CallerKey, AnswerError> {
    let invalid = |reason| AnswerError::because(AnswerErrorKind::InvalidSignature, reason);
    let is_named = |key: &&CallerKey| {
        let name = key.key_id().or(keys.caller());
        name.is_some_and(|name| name.as_str() == key_id)
    };
    let known = keys.keys_for(Scheme::MessageSignatures, key_id);
    let mut tried: usize = 0;
    let mut ended = None;
    for key in known.filter(is_named) {
        tried = tried.saturating_add(1);
        let candidate = key.verifying_key();
        let agrees = |alg: &str| alg == candidate.algorithm().name();
        if signature.params.alg().is_some_and(|alg| !agrees(alg))
            || !candidate.verifies_message(base.as_str().as_bytes(), &signature.signature)
        {
            continue;
        }
        match key.rules().validity.refusal_at(now) {
            None => return Ok(key),
            Some(problem) => ended = Some((key.version(), problem)),
        }
    }
    Err(invalid(match ended {
        Some((version, problem)) => {
            reason!("key version {}: {}", Set(version), problem)
        }
        None => reason!(
            "expected a signature by a key of the service with the key id \"{}\", found none \
             among {} keys",
            Escaped::text(key_id),
            tried
        ),
    }))
}

impl fmt::Debug for ResponseVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseVerifier")
            .field("authorities", &self.services.keys())
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
