use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    error::{ConfigError, Unavailable},
    key::{KeyId, Secret, SessionToken, SigningKey},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// What requests are signed with in AWS Signature Version 4: an access key id, its secret, and for temporary credentials
/// their token and their end.
#[derive(Clone)]
pub struct SigV4Credentials {
    pub(super) access_key_id: KeyId,
    pub(super) key: SigningKey,
    pub(super) session_token: Option<SessionToken>,
    pub(super) expires_at: Option<Timestamp>,
}

impl SigV4Credentials {
    /// Credentials without an end.
    ///
    /// A secret that is given for the id cannot be told from one. Errors and `Debug` show four characters of it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `access_key_id` is no [`KeyId`];
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the key is not [for SigV4](SigningKey::sigv4);
    /// [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if it is short, repetitive or published.
    pub fn new(access_key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        let access_key_id = KeyId::new(access_key_id)?;
        key.ensure_for(&[Scheme::SigV4])
            .and_then(|()| key.ensure_strong())
            .map_err(|error| error.within(format_args!("access key {}", access_key_id.shown())))?;
        Ok(Self {
            access_key_id,
            key,
            session_token: None,
            expires_at: None,
        })
    }

    /// The token that was issued with them, which every request then carries.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if it is empty or not visible ASCII.
    pub fn with_session_token(mut self, token: &Secret) -> Result<Self, ConfigError> {
        self.session_token = Some(SessionToken::new(token)?);
        Ok(self)
    }

    /// When they end. Nothing is signed with them from then on.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// The access key id.
    pub fn access_key_id(&self) -> &KeyId {
        &self.access_key_id
    }

    /// When they end, if they do.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

impl fmt::Debug for SigV4Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4Credentials")
            .field("access_key_id", &self.access_key_id.shown())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Provides the credentials that requests are signed with. [`SigV4Credentials`] provide themselves.
///
/// A [`Signer`](crate::Signer) keeps what it was given, asks again 5 minutes before it ends, and asks once at a time: the
/// others sign with what there is, or wait where there is nothing. An implementation **must** answer with credentials that
/// are still valid, and should bound its own waiting: nothing here has a clock, though the layer that signs has a deadline.
pub trait CredentialsProvider: Send + Sync + 'static {
    /// The credentials to sign with now.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if there are none to be had. Where nothing can be signed for it, it is the source of the
    /// [`SignError`](crate::SignError).
    fn credentials(&self) -> impl Future<Output = Result<SigV4Credentials, Unavailable>> + Send;

    /// The same, if it needs no waiting. `None`, the provided answer, means that [`credentials`](Self::credentials) is to be
    /// called.
    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        None
    }
}

/// Always the same.
impl CredentialsProvider for SigV4Credentials {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        Ok(self.clone())
    }

    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        Some(Ok(self.clone()))
    }
}

/// A provider without its type.
#[derive(Clone)]
pub(super) struct ArcProvider(Arc<dyn ErasedProvider>);

type BoxFuture<'a> =
    Pin<Box<dyn Future<Output = Result<SigV4Credentials, Unavailable>> + Send + 'a>>;

trait ErasedProvider: Send + Sync {
    fn credentials(&self) -> BoxFuture<'_>;
    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>>;
}

impl<P: CredentialsProvider> ErasedProvider for P {
    fn credentials(&self) -> BoxFuture<'_> {
        Box::pin(CredentialsProvider::credentials(self))
    }

    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        CredentialsProvider::try_credentials(self)
    }
}

impl ArcProvider {
    pub(super) fn new(provider: impl CredentialsProvider) -> Self {
        Self(Arc::new(provider))
    }

    pub(super) async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        self.0.credentials().await
    }

    pub(super) fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        self.0.try_credentials()
    }
}

impl fmt::Debug for ArcProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsProvider")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ConfigErrorKind, scheme::sigv4::SigV4Settings, signer::Signer};

    fn credentials(id: &str) -> SigV4Credentials {
        let key = SigningKey::sigv4(
            &Secret::from_text("correct/Horse+battery/Staple+0123456789").unwrap(),
        );
        SigV4Credentials::new(id, key).unwrap()
    }

    /// Source: CVE-2023-30610 (the aws-sigv4 crate), whose `Debug` printed secrets.
    #[test]
    fn debug_shows_neither_secret_nor_token() {
        let token = Secret::from_text("hunter2").unwrap();
        let credentials = credentials("AKIDBILLING")
            .with_session_token(&token)
            .unwrap()
            .with_expires_at(Timestamp::from_unix_seconds(0));
        assert_eq!(
            format!("{credentials:?}"),
            "SigV4Credentials { access_key_id: KeyId(AKID… (11 characters)), expires_at: Some(Timestamp { micros: 0 }), .. }"
        );
    }

    #[test]
    fn a_secret_in_the_place_of_the_id_is_not_shown() {
        let secret = "correct/Horse+battery/Staple+0123456789a";
        let id = SigningKey::sigv4(&Secret::from_text("AKIDBILLING").unwrap());
        let error = SigV4Credentials::new(secret, id).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::WeakKey);
        let settings = SigV4Settings::new("r", "s", credentials(secret)).unwrap();
        let signer = Signer::sigv4(settings.clone(), ["a"]).unwrap();
        for text in [
            error.to_string(),
            format!("{error:?}"),
            format!("{:?}", credentials(secret)),
            format!("{settings:?}"),
            format!("{signer:?}"),
        ] {
            assert!(!text.contains("corre"), "{text}");
        }
    }

    #[test]
    fn takes_strong_keys_of_its_own_scheme() {
        let kind = |key| SigV4Credentials::new("AKID", key).unwrap_err().kind();
        let short = Secret::from_text("short").unwrap();
        assert_eq!(kind(SigningKey::sigv4(&short)), ConfigErrorKind::WeakKey);
        let example = Secret::from_text("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
        assert_eq!(kind(SigningKey::sigv4(&example)), ConfigErrorKind::WeakKey);
        let other = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        assert_eq!(kind(other), ConfigErrorKind::Key);
        let key = SigningKey::sigv4(&short).insecure_allow_weak_key();
        assert!(SigV4Credentials::new("AKID", key.clone()).is_ok());
        assert_eq!(
            SigV4Credentials::new("A,K", key).unwrap_err().kind(),
            ConfigErrorKind::Name
        );
    }
}
