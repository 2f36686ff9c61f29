//! The client of the user service.

use std::{error, fmt, str::FromStr, time::Duration};

use bytes::Bytes;
use countersign::{ErrorChain, Signer};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::Deserialize;
use tokio::time::timeout;
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, SignLayer, SignedBody, sign::Sign};

/// The timeout of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The timeout of a whole call, including the connection.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum length of a response in bytes. A usual response has about 50 bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// A client of the user service that signs every call. Clones share their connections.
#[derive(Clone, Debug)]
pub struct UserService {
    client: Sign<Client<HttpConnector, SignedBody<Empty<Bytes>>>>,
    base: BaseUrl,
    call_timeout: Duration,
}

/// The URL of the user service: `http://`, a host, and a port unless it is 80.
#[derive(Clone, Debug)]
pub struct BaseUrl {
    authority: String,
}

/// Whether an account may be billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// The account may be billed.
    Active,
    /// The account may not be billed.
    Suspended,
}

/// The reasons why the user service returned no status.
#[derive(Debug)]
#[non_exhaustive]
pub enum UserServiceError {
    /// The user service could not be reached, or the call could not be signed.
    Unreachable(BoxError),
    /// The user service did not answer in time.
    TimedOut,
    /// The user service refused the call.
    Refused {
        /// The status of the refusal.
        status: StatusCode,
        /// The body of the refusal, cut to 256 bytes.
        reason: String,
    },
    /// The user service answered with a body that is no account.
    Unreadable(BoxError),
}

#[derive(Debug, Deserialize)]
struct Account {
    status: Status,
}

impl UserService {
    /// Creates a client for this URL. The signer must be bound to the URL's authority.
    pub fn new(base: BaseUrl, signer: Signer) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self {
            client: SignLayer::new(signer).layer(client),
            base,
            call_timeout: CALL_TIMEOUT,
        }
    }

    /// Sets the timeout of a call. Default: 3 seconds.
    #[must_use]
    pub fn with_call_timeout(mut self, call_timeout: Duration) -> Self {
        self.call_timeout = call_timeout;
        self
    }

    /// Requests the status of an account.
    ///
    /// # Errors
    ///
    /// See [`UserServiceError`].
    pub async fn status(&self, account: u64) -> Result<Status, UserServiceError> {
        timeout(self.call_timeout, self.ask(account))
            .await
            .unwrap_or(Err(UserServiceError::TimedOut))
    }

    async fn ask(&self, account: u64) -> Result<Status, UserServiceError> {
        let request = Request::get(self.base.url(&format!("/api/account/{account}")))
            .body(Empty::<Bytes>::new())
            .map_err(|error| UserServiceError::Unreachable(error.into()))?;
        let response = self
            .client
            .clone()
            .oneshot(request)
            .await
            .map_err(UserServiceError::Unreachable)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(UserServiceError::Unreadable)?
            .to_bytes();
        if status != StatusCode::OK {
            let reason = body.get(..256).unwrap_or(&body);
            return Err(UserServiceError::Refused {
                status,
                reason: String::from_utf8_lossy(reason).into_owned(),
            });
        }
        serde_json::from_slice(&body)
            .map(|account: Account| account.status)
            .map_err(|error| UserServiceError::Unreadable(error.into()))
    }
}

impl BaseUrl {
    /// Returns the authority as signed and sent, without the default port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority)
    }
}

impl FromStr for BaseUrl {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self, BoxError> {
        // The URL is not shown, because it may contain a password.
        let expected = || "expected http://HOST or http://HOST:PORT, found something else";
        let uri: Uri = text.parse().map_err(|_| expected())?;
        if uri.scheme_str() != Some("http") || uri.path() != "/" || uri.query().is_some() {
            return Err(expected().into());
        }
        let (mut parts, ()) = Request::get(uri).body(())?.into_parts();
        Signer::normalize_authority(&mut parts)?;
        let authority = parts.uri.authority().ok_or_else(expected)?.to_string();
        Ok(Self { authority })
    }
}

impl fmt::Display for UserServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => {
                write!(
                    f,
                    "user service: not reached: {}",
                    ErrorChain::new(&**error)
                )
            }
            Self::TimedOut => f.write_str("user service: no answer in time"),
            Self::Refused { status, reason } => {
                write!(f, "user service: refused with {status}: {reason:?}")
            }
            Self::Unreadable(error) => write!(f, "user service: unreadable answer: {error}"),
        }
    }
}

impl error::Error for UserServiceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_a_host_and_nothing_behind_it() {
        for (text, authority) in [
            ("http://user-service", Some("user-service")),
            ("http://user-service/", Some("user-service")),
            ("http://user-service:80", Some("user-service")),
            ("http://127.0.0.1:8081", Some("127.0.0.1:8081")),
            ("http://[::1]:8081", Some("[::1]:8081")),
            ("", None),
            ("user-service:8081", None),
            ("https://user-service", None),
            ("http://user-service/api", None),
            ("http://user-service/?a=b", None),
            ("http://user:password@user-service", None),
            ("http://", None),
        ] {
            let parsed: Option<BaseUrl> = text.parse().ok();
            assert_eq!(
                parsed.as_ref().map(BaseUrl::authority),
                authority,
                "{text:?}"
            );
        }
    }
}
