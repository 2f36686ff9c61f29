//! A client of an AWS Lambda function URL. It posts a JSON event, signed with AWS Signature Version
//! 4 for the service `lambda`.
//!
//! This client speaks only `http://`, to a local function or to a proxy that adds TLS and keeps
//! `Host` unchanged. The function URLs of AWS are `https://`. For these, replace [`HttpConnector`]
//! by a connector with TLS, and remove the check of the scheme.
//!
//! # Run with
//!
//! Here `user-service` plays the function and echoes the event:
//!
//! ```sh
//! export AWS_ACCESS_KEY_ID=AKIDBILLING AWS_SECRET_ACCESS_KEY=$(openssl rand -base64 30)
//! SERVICE_SECRETS='{}' SIGV4_SERVICE=lambda SIGV4_REGION=eu-central-1 \
//!     SIGV4_KEYS="{\"$AWS_ACCESS_KEY_ID\":\"$AWS_SECRET_ACCESS_KEY\"}" cargo run -p user-service &
//! export AWS_REGION=eu-central-1 FUNCTION_URL=http://127.0.0.1:8081/api/echo
//! cargo run -p function-url-client -- '{"account":7}'
//! ```
//!
//! | variable | value |
//! |---|---|
//! | `FUNCTION_URL` | the URL of the function |
//! | `AWS_REGION` | the region of the function |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the credentials |
//! | `AWS_PROFILE`, `AWS_SHARED_CREDENTIALS_FILE` | the profile, without `AWS_ACCESS_KEY_ID` |
//!
//! Credentials are read like in AWS's tools, from the variables ([`SigV4Credentials::from_env`]) or
//! from a profile of a credentials file ([`SharedCredentialsFile::from_env`]).
//!
//! # Transcript
//!
//! ```text
//! > POST /api/echo HTTP/1.1
//! > content-type: application/json
//! > x-amz-date: 20260102T030405Z
//! > x-amz-content-sha256: 8e3935ef3e14ddd409273b6d4b88742b800d058a3ff4625c1529728b35cc7d64
//! > authorization: AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/eu-central-1/lambda/…
//! > host: 127.0.0.1:8081
//! >
//! > {"account":7}
//!
//! $ cargo run -p function-url-client -- '{"account":7}'
//! 200 OK
//! {"caller":"AKIDBILLING","len":13,"sha256":"8e3935ef3e14ddd409273b6d4b88742b…"}
//! ```
//!
//! A signature for another region is refused, and the program ends with exit code 1:
//!
//! ```text
//! $ AWS_REGION=us-east-1 cargo run -p function-url-client -- '{"account":7}'
//! 401 Unauthorized
//! {"error":"invalid_signature"}
//! ```

use std::env;

use bytes::Bytes;
use countersign::{
    CredentialsProvider, SharedCredentialsFile, SigV4Credentials, SigV4SignSettings, Signer,
};
use http::{Request, StatusCode, Uri, header::CONTENT_TYPE, uri::Scheme};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, SignLayer, SignedBody, sign::Sign};

/// The maximum length of a function's response, in bytes.
const MAX_ANSWER: usize = 6 * 1024 * 1024;

/// A function at its URL. All calls are signed. Clones share their connections.
#[derive(Clone, Debug)]
pub struct FunctionUrl {
    client: Sign<Client<HttpConnector, SignedBody<Full<Bytes>>>>,
    url: Uri,
}

impl FunctionUrl {
    /// Creates a client from `FUNCTION_URL` and `AWS_REGION`.
    ///
    /// # Errors
    ///
    /// Names the wrong variable. No error holds a secret.
    pub fn from_env() -> Result<Self, BoxError> {
        let region = variable("AWS_REGION")?;
        let url = variable("FUNCTION_URL")?;
        if env::var_os("AWS_ACCESS_KEY_ID").is_some() {
            Self::new(&url, &region, SigV4Credentials::from_env()?)
        } else {
            Self::new(&url, &region, SharedCredentialsFile::from_env()?)
        }
    }

    /// Creates a client of the function at this URL.
    ///
    /// # Errors
    ///
    /// If the URL is not an `http://` URL, or the region is invalid.
    pub fn new(
        url: &str,
        region: &str,
        credentials: impl CredentialsProvider,
    ) -> Result<Self, BoxError> {
        let (mut parts, ()) = Request::post(url).body(())?.into_parts();
        if parts.uri.scheme() != Some(&Scheme::HTTP) {
            return Err("function URL: expected http://, found something else".into());
        }
        Signer::normalize_authority(&mut parts)?;
        let url = parts.uri;
        let settings = SigV4SignSettings::new(region, "lambda", credentials)?;
        let signer = Signer::sigv4(settings, url.authority().map(ToString::to_string))?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let client = SignLayer::new(signer).layer(client);
        Ok(Self { client, url })
    }

    /// Sends a JSON event, and returns the response, whatever its status.
    ///
    /// # Errors
    ///
    /// If there are no credentials or no response.
    pub async fn call(&self, event: String) -> Result<(StatusCode, Bytes), BoxError> {
        let request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(event))?;
        let response = self.client.clone().oneshot(request).await?;
        let status = response.status();
        let answer = Limited::new(response.into_body(), MAX_ANSWER);
        Ok((status, answer.collect().await?.to_bytes()))
    }
}

fn variable(name: &str) -> Result<String, BoxError> {
    // The error itself would show the value, so it is dropped.
    env::var(name).map_err(|_| format!("{name}: not set, or not UTF-8").into())
}
