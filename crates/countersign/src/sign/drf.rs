use super::Signer;
use crate::{
    error::ConfigError,
    families::drf::{self, DrfHeaders},
    key::SigningKey,
};

impl Signer {
    /// A signer in the [DRF profile](crate::DrfVerifySettings), for requests to these authorities.
    ///
    /// It signs timestamp and body: [`sign`](Self::sign) takes the bytes of the body and not its digest. It sends no
    /// caller's name; the receiver's settings know it.
    ///
    /// A signature is made once. Where a body is signed twice within one second, the second request has a
    /// [nonce](Self::with_nonce_always) beside its signature, so that a receiver does not take it for a replay.
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
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the key is for another scheme;
    /// [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if it is short, repetitive or published;
    /// [`ConfigErrorKind::Authority`](crate::ConfigErrorKind::Authority) if an authority is none, or there is none at all.
    pub fn drf<I>(key: SigningKey, authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::drf_with_headers(key, DrfHeaders::default(), authorities)
    }

    /// The same with other names of the headers.
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
        Self::in_family(drf::FamilySigner::new(key, headers)?, authorities)
    }
}
