//! A client of an AWS Lambda function URL: it posts a JSON event, signed with AWS Signature Version 4 for the service `lambda`.
//!
//! It speaks `http://` only, to a function that runs locally or to a proxy that adds TLS and leaves `Host` as it is. The
//! function URLs of AWS are `https://`: for those put a connector with TLS in the place of [`HttpConnector`], and take out the
//! check of the scheme.
//!
//! # Run with
//!
//! `user-service` plays the function here. It echoes what it is sent:
//!
//! ```sh
//! export AWS_ACCESS_KEY_ID=AKIDBILLING AWS_SECRET_ACCESS_KEY=$(openssl rand -base64 30)
//! SERVICE_SECRETS='{}' SIGV4_SERVICE=lambda SIGV4_REGION=eu-central-1 \
//!     SIGV4_KEYS="{\"$AWS_ACCESS_KEY_ID\":\"$AWS_SECRET_ACCESS_KEY\"}" cargo run -p user-service &
//! export AWS_REGION=eu-central-1 FUNCTION_URL=http://127.0.0.1:8081/api/echo
//! cargo run -p function-url-client -- '{"account":7}'
//! ```
//!
//! | variable | holds |
//! |---|---|
//! | `FUNCTION_URL` | where the function is |
//! | `AWS_REGION` | its region |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | what to sign with, [as AWS's tools read it](SigV4Credentials::from_env) |
//! | `AWS_PROFILE`, `AWS_SHARED_CREDENTIALS_FILE` | where `AWS_ACCESS_KEY_ID` is not set: the profile of a [credentials file](SharedCredentialsFile::from_env) |
//!
//! # Transcript
//!
//! ```text
//! > POST /api/echo HTTP/1.1
//! > content-type: application/json
//! > x-amz-date: 20260102T030405Z
//! > x-amz-content-sha256: 8e3935ef3e14ddd409273b6d4b88742b800d058a3ff4625c1529728b35cc7d64
//! > authorization: AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/eu-central-1/lambda/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=…
//! > host: 127.0.0.1:8081
//! >
//! > {"account":7}
//!
//! $ cargo run -p function-url-client -- '{"account":7}'
//! 200 OK
//! {"caller":"AKIDBILLING","len":13,"sha256":"8e3935ef3e14ddd409273b6d4b88742b800d058a3ff4625c1529728b35cc7d64"}
//! ```
//!
//! Signed for another region than that of the function, which ends the program with exit code 1:
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

/// The longest answer of a function, in bytes.
const MAX_ANSWER: usize = 6 * 1024 * 1024;

/// A function by its URL. All calls are signed, and clones share their connections.
#[derive(Clone, Debug)]
pub struct FunctionUrl {
    client: Sign<Client<HttpConnector, SignedBody<Full<Bytes>>>>,
    url: Uri,
}

impl FunctionUrl {
    /// The function that `FUNCTION_URL` and `AWS_REGION` say.
    ///
    /// # Errors
    ///
    /// Says which variable is wrong. No error holds a secret.
    pub fn from_env() -> Result<Self, BoxError> {
        let region = variable("AWS_REGION")?;
        let url = variable("FUNCTION_URL")?;
        if env::var_os("AWS_ACCESS_KEY_ID").is_some() {
            Self::new(&url, &region, SigV4Credentials::from_env()?)
        } else {
            Self::new(&url, &region, SharedCredentialsFile::from_env()?)
        }
    }

    /// The function at this URL.
    ///
    /// # Errors
    ///
    /// If this is no `http://` URL or no region.
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

    /// Sends an event, which is JSON, and returns the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// If there are no credentials, or no answer.
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
    // The error itself would show a value that is not UTF-8.
    env::var(name).map_err(|_| format!("{name}: not set, or not UTF-8").into())
}
