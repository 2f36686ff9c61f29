use super::Signer;
use crate::{
    error::ConfigError,
    families::{FamilySigner, cavage::CavageSignSettings},
};

impl Signer {
    /// Makes a signer of [draft-cavage-12](crate::Scheme::Cavage) for requests to these
    /// authorities. See [`new`](Self::new) for `authorities`.
    ///
    /// ```
    /// use countersign::{
    ///     CavageSignSettings, PayloadDigest, Secret, Signer, SigningKey, Timestamp,
    /// };
    ///
    /// let key = SigningKey::cavage_hmac_sha256(&Secret::generate()?);
    /// let settings = CavageSignSettings::kong("alice", key)?;
    /// let signer = Signer::cavage(settings, ["gateway.example"])?;
    ///
    /// let (parts, body) = http::Request::post("https://gateway.example/api/account")
    ///     .body("{}")
    ///     .unwrap()
    ///     .into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// let signature = signer.sign(&parts, PayloadDigest::of(body.as_bytes()), now)?;
    /// let names: Vec<_> = signature.headers().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["date", "digest", "x-nonce", "authorization"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`](crate::ConfigErrorKind::Authority) if there is no authority
    /// or one cannot be parsed.
    pub fn cavage<I>(settings: CavageSignSettings, authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::in_family(FamilySigner::Cavage(settings), authorities)
    }
}
