use std::cell::OnceCell;
use std::fmt;

use http::{HeaderName, request::Parts};

use super::{Signature, authorities::Authorities};
use crate::{
    error::{ConfigError, ConfigErrorKind, SignError},
    families::{FamilySigner, Nonce, SigningInput, SigningText, native, sigv4::CredentialsRefresh},
    head::RequestHead,
    key::{Fingerprint, SigningKey},
    key_id::KeyId,
    payload::Payload,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Signs requests in one scheme, with one key, for the authorities that it is bound to.
///
/// ```
/// use countersign::{PayloadDigest, Secret, Signer, SigningKey, Timestamp};
///
/// let key = SigningKey::hmac_sha256(&Secret::generate()?);
/// let signer = Signer::new("billing", key, ["user-service.internal:8081"])?;
///
/// let (parts, body) = http::Request::get("http://user-service.internal:8081/api/account/7")
///     .body("")
///     .unwrap()
///     .into_parts();
/// let now = Timestamp::from_unix_seconds(1_767_323_045);
/// let signature = signer.sign(&parts, PayloadDigest::of(body.as_bytes()), now)?;
/// assert!(signature.headers().any(|(name, _)| name == "authorization"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The binding prevents signatures for a foreign host after a redirect or for a URL from a user.
#[derive(Clone)]
pub struct Signer {
    signer: FamilySigner,
    pub(super) authorities: Authorities,
}

impl Signer {
    /// Makes an `HMAC-SHA256` or `ED25519` signer, depending on the key, for requests to these
    /// authorities.
    ///
    /// Each authority is a host, or a host and a port, as in the URL. The comparison ignores ASCII
    /// case and the default port of the URL's scheme.
    ///
    /// The signature covers host, date, body and a nonce. It also covers `content-type` and
    /// `content-encoding` if present.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`] if `caller` is no [`KeyId`].
    /// - [`ConfigErrorKind::Key`] if the key is for another scheme.
    /// - [`ConfigErrorKind::WeakKey`] if the key is short, repetitive or published.
    /// - [`ConfigErrorKind::Authority`] if there is no authority or one cannot be parsed.
    pub fn new<I>(caller: &str, key: SigningKey, authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let signer = native::FamilySigner::new(caller, key)?;
        Self::in_family(FamilySigner::Native(signer), authorities)
    }

    /// Makes a signer in another scheme, bound to these authorities.
    pub(crate) fn in_family<I>(signer: FamilySigner, authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Ok(Self {
            signer,
            authorities: Authorities::parse(authorities)?,
        })
    }

    /// Also covers this header. Every request must then have it, exactly once.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if the header carries the signature or is hop-by-hop, or if
    /// the signer was not made by [`new`](Self::new). Other schemes set their coverage in their own
    /// settings.
    pub fn with_covered_header(mut self, name: HeaderName) -> Result<Self, ConfigError> {
        let FamilySigner::Native(signer) = &mut self.signer else {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!(
                    "covered header {name}: the settings of {} say what it covers",
                    self.scheme()
                ),
            ));
        };
        signer.cover(name)?;
        Ok(self)
    }

    /// Covers host, date and body only, and sends no nonce, for receivers that know nothing else.
    /// Signing fails if [`with_covered_header`](Self::with_covered_header) was also called.
    ///
    /// A signer of [`drf`](Self::drf) then sends no nonce, even for two equal requests. A receiver
    /// that remembers signatures refuses the second one. Other schemes are not affected.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can replay it within the window, with another content type.
    #[must_use]
    pub fn insecure_three_headers(mut self) -> Self {
        match &mut self.signer {
            FamilySigner::Native(signer) => signer.cover_three_headers(),
            FamilySigner::Drf(signer) => signer.send_no_nonces(),
            FamilySigner::StandardWebhooks(_)
            | FamilySigner::MessageSignatures(_)
            | FamilySigner::Cavage(_)
            | FamilySigner::SigV4(_) => {}
        }
        self
    }

    /// Sends a nonce with every request of a signer of [`drf`](Self::drf), not only with repeated
    /// signatures.
    ///
    /// Use this if several processes sign with one secret, because each knows only its own
    /// requests. Other schemes are not affected.
    #[must_use]
    pub fn with_nonce_always(mut self) -> Self {
        if let FamilySigner::Drf(signer) = &mut self.signer {
            signer.send_nonces_always();
        }
        self
    }

    /// Returns the caller that requests are signed as, in the schemes that send its name.
    pub fn caller(&self) -> Option<&KeyId> {
        self.signer.of_family().caller()
    }

    /// Returns the scheme of the signatures.
    pub fn scheme(&self) -> Scheme {
        self.signer.of_family().scheme()
    }

    /// Returns whether signing needs the body itself and not only its digest.
    pub fn needs_body(&self) -> bool {
        self.signer.of_family().needs_body()
    }

    /// Fetches new credentials from the provider if the current ones are about to expire, or are
    /// old and have no known expiry. Await this before each [`sign`](Self::sign). Returns at once
    /// for a fixed key.
    ///
    /// The result reports whether the credentials changed, for a log. There is no timeout here: the
    /// layers of `tower-countersign` have one.
    ///
    /// # Errors
    ///
    /// [`SignErrorKind::Credentials`](crate::SignErrorKind::Credentials) if fetching fails and
    /// there are no unexpired credentials.
    pub async fn refresh(&self, now: Timestamp) -> Result<CredentialsRefresh, SignError> {
        match self.signer.of_family().refresh(now) {
            Some(refresh) => refresh.await,
            None => Ok(CredentialsRefresh::Unchanged),
        }
    }

    /// Signs a request head and its body or digest, with a fresh nonce.
    ///
    /// The authority is that of the URI, or of `Host` if the URI has none. It must already be in
    /// the form in which it is sent (see [`prepare_authority`](Self::prepare_authority)).
    ///
    /// # Errors
    ///
    /// A [`SignError`] that names the part that cannot be signed. Nothing has been changed then.
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` takes no anonymous lifetime"
    )]
    pub fn sign<'b>(
        &self,
        parts: &Parts,
        payload: impl Into<Payload<'b>>,
        now: Timestamp,
    ) -> Result<Signature, SignError> {
        self.sign_head(parts.into(), payload.into(), None, now, None)
    }

    /// Signs with a given nonce, in the schemes that have one. For test vectors only: a nonce must
    /// never be used twice.
    ///
    /// A signer of [`drf`](Self::drf) sends the nonce only after
    /// [`with_nonce_always`](Self::with_nonce_always), and does not remember the signature.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` takes no anonymous lifetime"
    )]
    pub fn sign_with_nonce<'b>(
        &self,
        parts: &Parts,
        payload: impl Into<Payload<'b>>,
        nonce: Nonce,
        now: Timestamp,
    ) -> Result<Signature, SignError> {
        self.sign_head(parts.into(), payload.into(), Some(nonce), now, None)
    }

    pub(super) fn sign_head(
        &self,
        head: RequestHead<'_>,
        payload: Payload<'_>,
        nonce: Option<Nonce>,
        now: Timestamp,
        text: Option<&OnceCell<SigningText>>,
    ) -> Result<Signature, SignError> {
        let authority = self.bound_authority(&head)?;
        let input = SigningInput {
            head,
            authority: authority.as_str(),
            payload,
            nonce,
            now,
            text,
        };
        self.signer.of_family().sign(input).map(Signature)
    }

    /// Returns the signer of the scheme family.
    pub(crate) fn family(&self) -> &FamilySigner {
        &self.signer
    }

    pub(crate) fn fingerprints(&self) -> Vec<Fingerprint> {
        let mut fingerprints = Vec::new();
        self.signer
            .of_family()
            .fingerprints(&mut |fingerprint| fingerprints.push(fingerprint.clone()));
        fingerprints
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("signer", &self.signer)
            .field("authorities", &self.authorities)
            .finish()
    }
}
