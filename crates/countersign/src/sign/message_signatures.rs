use super::Signer;
use crate::{
    error::ConfigError,
    families::{FamilySigner, message_signatures::MessageSignaturesSignSettings},
};

impl Signer {
    /// Makes an RFC 9421 signer for requests to these authorities. See [`new`](Self::new) for
    /// `authorities`.
    ///
    /// ```
    /// use countersign::{
    ///     MessageSignaturesSignSettings, PayloadDigest, Secret, Signer, SigningKey, Timestamp,
    /// };
    ///
    /// let key = SigningKey::message_hmac_sha256(&Secret::generate()?);
    /// let settings = MessageSignaturesSignSettings::new("billing", key)?.with_tag("svc-v1")?;
    /// let signer = Signer::message_signatures(settings, ["user-service.internal"])?;
    ///
    /// let (parts, body) = http::Request::post("https://user-service.internal/api/account")
    ///     .body("{}")
    ///     .unwrap()
    ///     .into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// let signature = signer.sign(&parts, PayloadDigest::of(body.as_bytes()), now)?;
    /// let names: Vec<_> = signature.headers().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["content-digest", "signature-input", "signature"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`](crate::ConfigErrorKind::Authority) if there is no authority
    /// or one cannot be parsed.
    pub fn message_signatures<I>(
        settings: MessageSignaturesSignSettings,
        authorities: I,
    ) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::in_family(FamilySigner::MessageSignatures(settings), authorities)
    }
}
