use super::Signer;
use crate::{error::ConfigError, families::webhooks, key::SigningKey};

impl Signer {
    /// A signer of Standard Webhooks, for requests to these authorities, with one to four keys: a signature by each of them
    /// is sent, in their order, so that a receiver may know the old one, the new one, or only `v1` or `v1a`.
    ///
    /// It signs id, timestamp and body: [`sign`](Self::sign) takes the bytes of the body and not its digest.
    ///
    /// **A message that is sent again keeps its id.** A `webhook-id` that is already on the request is kept and signed; where
    /// there is none, each signature makes one, `msg_` and 32 random hexadecimal digits. Whoever sends again what may have
    /// arrived sets the header itself, once for the message.
    ///
    /// ```
    /// use countersign::{Secret, Signer, SigningKey, Timestamp};
    ///
    /// let secret = Secret::from_webhook_secret("whsec_can7yaa6Ykv/6RJezUuLmvVbmV32vKcvh8idTKbuFk4=")?;
    /// let signer = Signer::standard_webhooks([SigningKey::standard_webhooks(&secret)], ["customer.example"])?;
    ///
    /// let body = br#"{"type":"contact.created"}"#;
    /// let request = http::Request::post("http://customer.example/hook").header("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
    /// let (mut parts, ()) = request.body(()).unwrap().into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// signer.sign(&parts, &body[..], now)?.apply(&mut parts);
    /// assert_eq!(parts.headers["webhook-timestamp"], "1767323045");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if a key is for another scheme, or one is given twice; [`ConfigErrorKind::Keyring`] if there
    /// are none or too many; [`ConfigErrorKind::WeakKey`] if one is short, long, repetitive or published;
    /// [`ConfigErrorKind::Authority`] if an authority is none, or there is none at all.
    pub fn standard_webhooks<I>(
        keys: impl IntoIterator<Item = SigningKey>,
        authorities: I,
    ) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::in_family(webhooks::FamilySigner::new(keys)?, authorities)
    }
}
