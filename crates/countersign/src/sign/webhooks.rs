use super::Signer;
use crate::{
    error::ConfigError,
    families::{FamilySigner, webhooks},
    key::SigningKey,
};

impl Signer {
    /// Makes a Standard Webhooks signer for requests to these authorities, with one to four keys.
    ///
    /// Sends one signature per key, in order. A receiver may then know the old key, the new key, or
    /// only `v1` or `v1a`. The signatures cover id, timestamp and body: [`sign`](Self::sign) takes
    /// the bytes of the body, not its digest.
    ///
    /// **A message that is sent again keeps its id.** A `webhook-id` that is already on the request
    /// is kept and signed. Otherwise each signature makes a new one: `msg_` and 32 random
    /// hexadecimal digits. To resend a message that may have arrived, set the header yourself, once
    /// per message.
    ///
    /// ```
    /// use countersign::{Secret, Signer, SigningKey, Timestamp};
    ///
    /// let secret = "whsec_can7yaa6Ykv/6RJezUuLmvVbmV32vKcvh8idTKbuFk4=";
    /// let key = SigningKey::standard_webhooks(&Secret::from_webhook_secret(secret)?);
    /// let signer = Signer::standard_webhooks([key], ["customer.example"])?;
    ///
    /// let body = br#"{"type":"contact.created"}"#;
    /// let request = http::Request::post("http://customer.example/hook")
    ///     .header("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
    /// let (mut parts, ()) = request.body(()).unwrap().into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// signer.sign(&parts, &body[..], now)?.apply(&mut parts);
    /// assert_eq!(parts.headers["webhook-timestamp"], "1767323045");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if a key is for another scheme or is
    ///   given twice.
    /// - [`ConfigErrorKind::Keyring`](crate::ConfigErrorKind::Keyring) if there are no keys or too
    ///   many.
    /// - [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if a key is short, long,
    ///   repetitive or published.
    /// - [`ConfigErrorKind::Authority`](crate::ConfigErrorKind::Authority) if there is no authority
    ///   or one cannot be parsed.
    pub fn standard_webhooks<I>(
        keys: impl IntoIterator<Item = SigningKey>,
        authorities: I,
    ) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let signer = webhooks::FamilySigner::new(keys)?;
        Self::in_family(FamilySigner::StandardWebhooks(signer), authorities)
    }
}
