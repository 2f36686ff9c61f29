use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    error::{ConfigError, Unavailable},
    key::{Secret, SessionToken, SigningKey},
    key_id::KeyId,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Signing credentials for AWS Signature Version 4: an access key id and its secret. Temporary
/// credentials also have a token and an expiry.
#[derive(Clone)]
pub struct SigV4Credentials {
    pub(super) access_key_id: KeyId,
    pub(super) key: SigningKey,
    pub(super) session_token: Option<SessionToken>,
    pub(super) expires_at: Option<Timestamp>,
}

impl SigV4Credentials {
    /// Creates credentials without a known expiry.
    ///
    /// Errors and `Debug` show four characters of the id, because a secret passed as id cannot be
    /// detected.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `access_key_id` is no valid
    /// [`KeyId`]; [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the key is not [for
    /// SigV4](SigningKey::sigv4); [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if
    /// it is short, repetitive or published.
    pub fn new(access_key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        let access_key_id = KeyId::named("access key id", access_key_id)?;
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

    /// Sets the session token issued with the credentials. Every request then carries it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if it is empty or not visible ASCII.
    pub fn with_session_token(mut self, token: &Secret) -> Result<Self, ConfigError> {
        let token = SessionToken::new(token).map_err(|error| error.within("session token"))?;
        self.session_token = Some(token);
        Ok(self)
    }

    /// Sets the expiry. From then on, the credentials sign nothing.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Returns whether both sign alike and expire at the same time.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let token = |credentials: &Self| credentials.session_token.clone();
        let same_token = match (token(self), token(other)) {
            (Some(own), Some(other)) => own.is(other.as_str()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_token
            && self.access_key_id == other.access_key_id
            && self.expires_at == other.expires_at
            && self.key.fingerprints().eq(other.key.fingerprints())
    }

    /// Returns the access key id.
    pub fn access_key_id(&self) -> &KeyId {
        &self.access_key_id
    }

    /// Returns the expiry, if known.
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

/// Provides the credentials that sign requests.
///
/// | provider | source of the credentials |
/// |---|---|
/// | [`SigV4Credentials`] | fixed, or from [the environment](SigV4Credentials::from_env) |
/// | [`SharedCredentialsFile`](crate::SharedCredentialsFile) | AWS's credentials file |
/// | your own implementation | any other source, such as [an endpoint](#endpoints) |
///
/// A [`Signer`](crate::Signer) caches the credentials. It asks again 5 minutes before they expire.
/// Without a known expiry, it asks once they are [15 minutes
/// old](crate::SigV4SignSettings::with_max_credentials_age).
/// One request asks at a time. Other requests sign with the cached credentials, or wait if there
/// are none. While the cached credentials are valid, a provider that failed is not asked again for
/// 30 seconds. [`Signer::refresh`](crate::Signer::refresh) reports the outcome.
///
/// An implementation **must** return credentials that are still valid, and should bound its own
/// waiting. This crate has no clock; the signing layer has a deadline.
///
/// # Endpoints
///
/// AWS serves temporary credentials to containers and instances at plain HTTP endpoints. This crate
/// has no HTTP client, so the two providers below take one as a function.
///
/// ```
/// use std::{error::Error, future::Future, path::PathBuf};
///
/// use countersign::{CredentialsProvider, SigV4Credentials, Unavailable};
/// use http::Request;
///
/// type BoxError = Box<dyn Error + Send + Sync>;
///
/// /// Containers of ECS and EKS. The URL is `AWS_CONTAINER_CREDENTIALS_FULL_URI`, or
/// /// `http://169.254.170.2` followed by `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
/// struct Container<S> {
///     url: String,
///     /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`, if set. AWS replaces the file at run time.
///     token_file: Option<PathBuf>,
///     /// Sends a request within a time limit. Returns the body of an answer with status 200.
///     send: S,
/// }
///
/// impl<S, F> CredentialsProvider for Container<S>
/// where
///     S: Fn(Request<()>) -> F + Send + Sync + 'static,
///     F: Future<Output = Result<String, BoxError>> + Send,
/// {
///     async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
///         let failed = |e: BoxError| Unavailable::new("container endpoint").with_source(e);
///         let mut request = Request::get(&self.url);
///         if let Some(file) = &self.token_file {
///             let token = std::fs::read_to_string(file).map_err(|error| failed(error.into()))?;
///             request = request.header("authorization", token.trim_end());
///         }
///         let request = request.body(()).map_err(|error| failed(error.into()))?;
///         let answer = (self.send)(request).await.map_err(failed)?;
///         SigV4Credentials::from_endpoint_json(&answer).map_err(|error| failed(error.into()))
///     }
/// }
///
/// /// Instances of EC2, with version 2 of the metadata service. The base is
/// /// `http://169.254.169.254`.
/// struct Instance<S> {
///     base: String,
///     send: S,
/// }
///
/// impl<S, F> CredentialsProvider for Instance<S>
/// where
///     S: Fn(Request<()>) -> F + Send + Sync + 'static,
///     F: Future<Output = Result<String, BoxError>> + Send,
/// {
///     async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
///         let ask = async |method: &str, path: &str, header: &str, value: &str| {
///             let request = Request::builder()
///                 .method(method)
///                 .uri(format!("{}/latest/{path}", self.base))
///                 .header(header, value)
///                 .body(())?;
///             (self.send)(request).await
///         };
///         let credentials = async {
///             let lifetime = "x-aws-ec2-metadata-token-ttl-seconds";
///             let token = ask("PUT", "api/token", lifetime, "60").await?;
///             let header = "x-aws-ec2-metadata-token";
///             let roles = "meta-data/iam/security-credentials/";
///             let role = ask("GET", roles, header, &token).await?;
///             let answer = ask("GET", &format!("{roles}{role}"), header, &token).await?;
///             Ok::<_, BoxError>(SigV4Credentials::from_endpoint_json(&answer)?)
///         };
///         let failed = |error: BoxError| Unavailable::new("instance metadata").with_source(error);
///         credentials.await.map_err(failed)
///     }
/// }
/// #
/// # const ANSWER: &str = r#"{"AccessKeyId":"ASIABILLING",
/// #     "SecretAccessKey":"correct/Horse+battery/Staple+0123456789",
/// #     "Token":"token","Expiration":"2026-01-02T03:04:05Z"}"#;
/// # async fn send(request: Request<()>) -> Result<String, BoxError> {
/// #     Ok(match (request.method().as_str(), request.uri().path()) {
/// #         ("PUT", "/latest/api/token") => "imds",
/// #         ("GET", _)
/// #             if request
/// #                 .headers()
/// #                 .get("x-aws-ec2-metadata-token")
/// #                 .is_none_or(|token| token == "imds") =>
/// #         {
/// #             match request.uri().path() {
/// #                 "/latest/meta-data/iam/security-credentials/" => "role",
/// #                 "/latest/meta-data/iam/security-credentials/role" => ANSWER,
/// #                 "/v2/credentials" => ANSWER,
/// #                 _ => return Err("status 404".into()),
/// #             }
/// #         }
/// #         _ => return Err("status 401".into()),
/// #     }.to_owned())
/// # }
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let url = "http://localhost/v2/credentials".to_owned();
/// # let container = Container { url, token_file: None, send };
/// # let found = runtime.block_on(container.credentials())?;
/// # assert_eq!(found.access_key_id(), &"ASIABILLING");
/// # let instance = Instance { base: "http://localhost".to_owned(), send };
/// # assert!(runtime.block_on(instance.credentials())?.expires_at().is_some());
/// # let missing = Container { url: "http://localhost/".to_owned(), token_file: None, send };
/// # assert!(runtime.block_on(missing.credentials()).is_err());
/// # Ok::<(), BoxError>(())
/// ```
///
/// Source: AWS SDKs and Tools Reference Guide, "Container credential provider" and "IMDS credential
/// provider".
pub trait CredentialsProvider: Send + Sync + 'static {
    /// Returns the current credentials.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if there are no credentials. If a request cannot be signed for this reason,
    /// it is the source of the [`SignError`](crate::SignError).
    fn credentials(&self) -> impl Future<Output = Result<SigV4Credentials, Unavailable>> + Send;

    /// Returns the credentials if no waiting is needed. Returns `None` by default: the caller then
    /// calls [`credentials`](Self::credentials).
    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        None
    }
}

/// Always returns the same credentials.
impl CredentialsProvider for SigV4Credentials {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        Ok(self.clone())
    }

    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        Some(Ok(self.clone()))
    }
}

/// A provider with its type erased.
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
    use crate::{error::ConfigErrorKind, families::sigv4::SigV4SignSettings, sign::Signer};

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
            "SigV4Credentials { access_key_id: KeyId(AKID… (11 characters)), expires_at: \
             Some(Timestamp { micros: 0 }), .. }"
        );
    }

    #[test]
    fn a_secret_in_the_place_of_the_id_is_not_shown() {
        let secret = "correct/Horse+battery/Staple+0123456789a";
        let id = SigningKey::sigv4(&Secret::from_text("AKIDBILLING").unwrap());
        let error = SigV4Credentials::new(secret, id).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::WeakKey);
        let settings = SigV4SignSettings::new("r", "s", credentials(secret)).unwrap();
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
