use std::{borrow::Cow, time::Duration};

use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, HOST},
};

use super::{
    DIGEST, SIGNATURE, algorithm,
    covered_names::{Covered, CoveredNames, may_be_covered},
    dialect::{self, Dialect},
    digest, parameters,
    parse::field_value,
    signing_string::SigningString,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, SignError, SignErrorKind},
    families::{Nonce, SignatureHeaders, SignerOfFamily, SigningInput, SigningText, X_NONCE},
    head::{RequestHead, Target, parse_method},
    key::{Fingerprint, SigningKey},
    key_id::KeyId,
    payload::PayloadDigest,
    scheme::{Algorithm, Scheme},
    wire::{imf_fixdate, unix_seconds},
};

/// Signing settings for draft-cavage-http-signatures-12 ([`Scheme::Cavage`]), in the form of the
/// draft or of a gateway.
///
/// Covers the request target, `host` and `date`, `content-type` and `content-encoding` if present,
/// `digest` if there is a body, and `x-nonce` with 128 fresh random bits, which receivers that
/// expect none ignore. Sends `algorithm`: `hmac-sha256` with a secret, `hs2019` with an Ed25519
/// key.
///
/// Sets `date`, `digest`, `x-nonce` and the header of the parameters. Signing fails if the request
/// already has one of them.
#[derive(Clone, Debug)]
#[must_use]
pub struct CavageSignSettings {
    key_id: KeyId,
    key: SigningKey,
    dialect: &'static Dialect,
    further: Vec<HeaderName>,
    place: Place,
    expires_in: Option<Duration>,
    nonce: NonceHeader,
}

/// The header of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Authorization,
    Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NonceHeader {
    Sent,
    LeftOut,
}

impl CavageSignSettings {
    /// Signs as the draft says. `key_id` is the caller's name at the receiver.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`] if `key_id` is no [`KeyId`].
    /// - [`ConfigErrorKind::Key`] if the key is for another scheme.
    /// - [`ConfigErrorKind::WeakKey`] if the key is short, repetitive or published.
    pub fn new(key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        Self::in_dialect(&dialect::DRAFT, key_id, key)
    }

    /// Signs for Kong's plugin hmac-auth.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). [`ConfigErrorKind::Key`] also if the key is no secret.
    pub fn kong(username: &str, key: SigningKey) -> Result<Self, ConfigError> {
        Self::in_dialect(&dialect::KONG, username, key)
    }

    /// Signs for Apache APISIX's plugin hmac-auth, 3.11 or later.
    ///
    /// # Errors
    ///
    /// As [`kong`](Self::kong).
    pub fn apisix(key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        Self::in_dialect(&dialect::APISIX, key_id, key)
    }

    /// Signs for Tyk's request signing. Tyk leaves the query out of the signed text, so a request
    /// with a query cannot be signed, nor one with escapes in the path.
    ///
    /// # Errors
    ///
    /// As [`kong`](Self::kong).
    pub fn tyk(key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        Self::in_dialect(&dialect::TYK, key_id, key)
    }

    fn in_dialect(
        dialect: &'static Dialect,
        key_id: &str,
        key: SigningKey,
    ) -> Result<Self, ConfigError> {
        let key_id = KeyId::new(key_id)?;
        key.ensure_for(&[Scheme::Cavage])
            .and_then(|()| key.ensure_strong())
            .map_err(|error| error.within(format_args!("signer {key_id}")))?;
        if !dialect.has_times && key.algorithm() != Algorithm::HmacSha256 {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                format!(
                    "signer {key_id}: expected a secret for this gateway, found {}",
                    key.algorithm()
                ),
            ));
        }
        Ok(Self {
            key_id,
            key,
            dialect,
            further: Vec::new(),
            place: Place::Authorization,
            expires_in: None,
            nonce: NonceHeader::Sent,
        })
    }

    /// Also covers this header. Every request must then have it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if the header carries the signature or belongs to one
    /// connection.
    pub fn with_covered_header(mut self, name: HeaderName) -> Result<Self, ConfigError> {
        if !may_be_covered(name.as_str()) {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!(
                    "covered header {name}: it carries the signature or belongs to one connection"
                ),
            ));
        }
        self.further.push(name);
        Ok(self)
    }

    /// Sends the parameters in the header `Signature`, as in the Fediverse. `Authorization` is then
    /// free for a token.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] for a gateway, which reads `Authorization` alone.
    pub fn with_signature_header(mut self) -> Result<Self, ConfigError> {
        if !self.dialect.signature_header {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                "signature header: expected the draft itself, found a gateway that reads \
                 authorization alone",
            ));
        }
        self.place = Place::Signature;
        Ok(self)
    }

    /// Also sends and covers `created` and `expires`, this many whole seconds after it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] with a secret: the draft forbids both under the name
    /// `hmac-sha256` (section 2.3).
    pub fn with_expires_in(mut self, lifetime: Duration) -> Result<Self, ConfigError> {
        if self.key.algorithm() == Algorithm::HmacSha256 {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                "expires: expected an Ed25519 key, found a secret, with which the draft forbids it",
            ));
        }
        self.expires_in = Some(lifetime);
        Ok(self)
    }

    /// Sends no `x-nonce`, for receivers that refuse it.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can replay it while its date is accepted, unless the receiver
    /// remembers signatures. Such a receiver refuses the second of two equal requests within one
    /// second.
    pub fn insecure_omit_nonce(mut self) -> Self {
        self.nonce = NonceHeader::LeftOut;
        self
    }

    /// Returns the names to cover for this request.
    fn covered(
        &self,
        head: &RequestHead<'_>,
        digest: PayloadDigest,
        nonce: Option<&Nonce>,
    ) -> CoveredNames<'_> {
        let mut covered = CoveredNames::default();
        let mut add = |name| {
            // A header named by the application may be one of the default ones.
            let _: Result<(), ()> = covered.push(name);
        };
        if let Some((name, line)) = self.dialect.targets.first() {
            add(Covered::Target(name, *line));
        }
        if self.expires_in.is_some() {
            add(Covered::Created);
            add(Covered::Expires);
        }
        add(Covered::Field(HOST.as_str()));
        add(Covered::Field(DATE.as_str()));
        if digest != PayloadDigest::OF_NOTHING {
            add(Covered::Field(DIGEST.as_str()));
        }
        for name in [&CONTENT_TYPE, &CONTENT_ENCODING] {
            if head.headers().contains_key(name) {
                add(Covered::Field(name.as_str()));
            }
        }
        if nonce.is_some() {
            add(Covered::Field(X_NONCE.as_str()));
        }
        for name in &self.further {
            add(Covered::Field(name.as_str()));
        }
        covered
    }

    fn ensure_target(&self, target: Target<'_>) -> Result<(), SignError> {
        if !self.dialect.signed_target.holds(target) {
            return Err(SignError::new(
                SignErrorKind::Target,
                "target: expected a path without escapes and no query, which Tyk does not sign",
            ));
        }
        Ok(())
    }
}

impl SignerOfFamily for CavageSignSettings {
    fn scheme(&self) -> Scheme {
        Scheme::Cavage
    }

    fn caller(&self) -> Option<&KeyId> {
        Some(&self.key_id)
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        let nonce = match (self.nonce, input.nonce.clone()) {
            (NonceHeader::LeftOut, _) => None,
            (NonceHeader::Sent, Some(given)) => Some(given),
            (NonceHeader::Sent, None) => Some(Nonce::generate()?),
        };
        sign(self, &input, nonce)
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        self.key.fingerprints().for_each(each);
    }
}

fn sign(
    signer: &CavageSignSettings,
    input: &SigningInput<'_>,
    nonce: Option<Nonce>,
) -> Result<SignatureHeaders, SignError> {
    let head = input.head;
    refuse_signatures(signer, head)?;
    let method = parse_method(head.method())
        .map_err(|problem| SignError::new(SignErrorKind::Method, problem))?;
    let target = Target::parse(head.method(), head.uri())
        .map_err(|problem| SignError::new(SignErrorKind::Target, problem))?;
    signer.ensure_target(target)?;
    let date = imf_fixdate(input.now).ok_or_else(|| {
        SignError::new(
            SignErrorKind::Date,
            format!("{} is outside what an HTTP date can say", input.now),
        )
    })?;
    let payload = input.payload.digest();
    let digest = digest::format(payload)?;
    let times = match signer.expires_in {
        None => None,
        Some(lifetime) => Some((
            unix_seconds::format(input.now)?,
            unix_seconds::format(input.now.saturating_add(lifetime))?,
        )),
    };
    let covered = signer.covered(&head, payload, nonce.as_ref());
    let nonce = nonce.map(Nonce::into_value);

    let mut string = SigningString::new(signer.dialect.frame, signer.key_id.as_str());
    for name in covered.iter() {
        match name {
            Covered::Target(name, line) => string.push_target(name, line, method, target),
            Covered::Created | Covered::Expires => {
                let time = times.as_ref().map_or("", |(created, expires)| {
                    if name == Covered::Created {
                        created
                    } else {
                        expires
                    }
                });
                string.push_parameter(name.name(), time);
            }
            Covered::Field(name) => {
                let own = match name {
                    "date" => Some(&date),
                    "digest" => Some(&digest),
                    "x-nonce" => nonce.as_ref(),
                    _ => None,
                };
                let value = match own {
                    Some(own) => Cow::Borrowed(own.to_str().unwrap_or_default()),
                    None => header_to_cover(&head, name, input.authority)?,
                };
                string.push_field(name, &value);
            }
        }
    }
    let string = string.finish();
    input.keep_text(|| SigningText::new(string.as_str().as_bytes()));
    let signature = signer.key.sign_message(string.as_str().as_bytes());
    let mut parameters = parameters_of(signer, &covered, times.as_ref(), &signature)?;
    // Keeps the value out of `Debug` and of the compression tables of HTTP/2.
    parameters.set_sensitive(true);

    let mut headers = SignatureHeaders::new();
    headers.push((DATE, date));
    if covered.covers(Covered::Field(DIGEST.as_str())) {
        headers.push((DIGEST.clone(), digest));
    }
    if let Some(nonce) = nonce {
        headers.push((X_NONCE.clone(), nonce));
    }
    headers.push((signer.header().clone(), parameters));
    Ok(headers)
}

impl CavageSignSettings {
    fn header(&self) -> &HeaderName {
        match self.place {
            Place::Authorization => &AUTHORIZATION,
            Place::Signature => &SIGNATURE,
        }
    }
}

/// Refuses a request that is already signed, or that sets its own date, digest or nonce.
fn refuse_signatures(signer: &CavageSignSettings, head: RequestHead<'_>) -> Result<(), SignError> {
    for name in [signer.header(), &SIGNATURE, &DATE, &DIGEST, &X_NONCE] {
        if head.headers().contains_key(name) {
            let message = format!("header {name} is already there");
            return Err(SignError::new(SignErrorKind::AlreadySigned, message));
        }
    }
    Ok(())
}

/// Returns the value of a header, as the receiver will read it.
fn header_to_cover<'r>(
    head: &RequestHead<'r>,
    name: &str,
    authority: &'r str,
) -> Result<Cow<'r, str>, SignError> {
    field_value(head, name, authority).map_err(|_| {
        SignError::new(
            SignErrorKind::Header,
            format!("covered header {name}: expected once and in visible ASCII"),
        )
    })
}

/// Writes the parameters, the signature last.
fn parameters_of(
    signer: &CavageSignSettings,
    covered: &CoveredNames<'_>,
    times: Option<&(String, String)>,
    signature: &[u8],
) -> Result<HeaderValue, SignError> {
    let algorithm = algorithm::sent_name(signer.key.algorithm());
    let mut text = String::with_capacity(256);
    if signer.place == Place::Authorization {
        text.extend([signer.dialect.scheme_name, " "]);
    }
    text.extend([signer.dialect.key_id, "=\"", signer.key_id.as_str(), "\""]);
    text.extend([",algorithm=\"", algorithm, "\""]);
    if let Some((created, expires)) = times {
        text.extend([",created=", created, ",expires=", expires]);
    }
    text.extend([",headers=\"", &covered.names().join(" "), "\""]);
    let signature = parameters::encode(signature, signer.dialect.signature_text);
    text.extend([",signature=\"", &signature, "\""]);
    HeaderValue::try_from(text)
        .map_err(|_| SignError::new(SignErrorKind::Header, "the signature is no header value"))
}
