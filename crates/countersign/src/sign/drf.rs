use super::Signer;
use crate::{
    error::ConfigError,
    families::{
        FamilySigner,
        drf::{self, DrfHeaders},
    },
    key::SigningKey,
};

impl Signer {
    /// Makes a signer in the [DRF scheme](crate::DrfVerifySettings) for requests to these
    /// authorities.
    ///
    /// The signature covers timestamp and body: [`sign`](Self::sign) takes the bytes of the body,
    /// not its digest. No caller name is sent; the receiver's settings name the caller.
    ///
    /// No signature is sent twice. If one body is signed twice within one second, the second
    /// request gets a [nonce](Self::with_nonce_always), so that the receiver does not take it for a
    /// replay.
    ///
    /// ```
    /// use countersign::{Secret, Signer, SigningKey, Timestamp};
    ///
    /// let key = SigningKey::drf(&Secret::from_text("ahX9queiSh4ieyeeZohf1Aik")?);
    /// let signer = Signer::drf(key, ["django.internal"])?;
    ///
    /// let body = br#"{"text":"hi"}"#;
    /// let request = http::Request::post("http://django.internal/api/echo").body(()).unwrap();
    /// let (mut parts, ()) = request.into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// signer.sign(&parts, &body[..], now)?.apply(&mut parts);
    /// assert_eq!(parts.headers["x-hmac-timestamp"], "1767323045");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the key is for another scheme.
    /// - [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if the key is short,
    ///   repetitive or published.
    /// - [`ConfigErrorKind::Authority`](crate::ConfigErrorKind::Authority) if there is no authority
    ///   or one cannot be parsed.
    pub fn drf<I>(key: SigningKey, authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::drf_with_headers(key, DrfHeaders::default(), authorities)
    }

    /// Like [`drf`](Self::drf), with other header names.
    ///
    /// # Errors
    ///
    /// As [`drf`](Self::drf).
    pub fn drf_with_headers<I>(
        key: SigningKey,
        headers: DrfHeaders,
        authorities: I,
    ) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let signer = drf::FamilySigner::new(key, headers)?;
        Self::in_family(FamilySigner::Drf(signer), authorities)
    }
}
