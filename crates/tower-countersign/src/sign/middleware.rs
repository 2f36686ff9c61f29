use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use countersign::{SharedSigner, SignError, SignErrorKind};
use http::{Extensions, Request, request::Parts};
use http_body_util::{BodyExt, Limited};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use super::settings::Settings;
use crate::clock::Clock;

/// The signer as a middleware of `reqwest-middleware`.
///
/// Add it last, so that every retry of the middlewares before it is signed anew. The client under it must follow no
/// redirects: [`client`](Self::client) builds one that does not.
#[derive(Clone)]
pub struct SignMiddleware {
    settings: Settings,
}

impl SignMiddleware {
    /// A middleware that signs with this signer, and reads bodies of up to 8 MiB into memory to do so. Of a [`SharedSigner`]
    /// each request is signed with what it holds by then.
    pub fn new(signer: impl Into<SharedSigner>) -> Self {
        Self {
            settings: Settings::new(signer.into()),
        }
    }

    /// Sets the greatest length of a body that is read into memory, in bytes.
    #[must_use]
    pub fn with_buffer_bytes(mut self, bytes: u64) -> Self {
        self.settings.buffer_bytes = bytes;
        self
    }

    /// Sets how long a request waits for [credentials](countersign::CredentialsProvider) that are about to expire to be read
    /// anew, by default 5 seconds: after it, it is signed with those at hand, or is an error of kind
    /// [`Credentials`](countersign::SignErrorKind::Credentials) if they have expired.
    #[must_use]
    pub fn with_credentials_deadline(mut self, deadline: Duration) -> Self {
        self.settings.credentials_deadline = deadline;
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// A client that signs, made of these settings but for redirects, of which it follows none.
    ///
    /// # Errors
    ///
    /// As [`reqwest::ClientBuilder::build`].
    pub fn client(
        self,
        builder: reqwest::ClientBuilder,
    ) -> Result<ClientWithMiddleware, reqwest::Error> {
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(ClientBuilder::new(client).with(self).build())
    }

    async fn sign(&self, request: &mut reqwest::Request) -> Result<(), SignError> {
        let mut parts = head_of(request)?;
        self.settings.signer()?.prepare_authority(&mut parts)?;
        let body = self.read_body(request).await?;
        let signer = self.settings.signer()?;
        let signature = self.settings.sign(&signer, &parts, &*body).await?;
        signature.apply(&mut parts);
        // All of them, because Host may have been brought to its one form as well.
        *request.headers_mut() = parts.headers;
        Ok(())
    }

    /// The body, which is read into memory if it is a stream.
    async fn read_body(&self, request: &mut reqwest::Request) -> Result<Bytes, SignError> {
        let Some(body) = request.body_mut() else {
            return Ok(Bytes::new());
        };
        if body.as_bytes().is_none() {
            let limit = usize::try_from(self.settings.buffer_bytes).unwrap_or(usize::MAX);
            let stream = std::mem::replace(body, reqwest::Body::from(""));
            let collected = Limited::new(stream, limit)
                .collect()
                .await
                .map_err(|error| {
                    SignError::new(
                        SignErrorKind::Body,
                        format!("body: cannot be read: {error}"),
                    )
                })?;
            if collected.trailers().is_some() {
                return Err(SignError::new(
                    SignErrorKind::Body,
                    "body: trailers cannot be signed",
                ));
            }
            let bytes = collected.to_bytes();
            *body = reqwest::Body::from(bytes.clone());
            return Ok(bytes);
        }
        Ok(Bytes::copy_from_slice(body.as_bytes().unwrap_or_default()))
    }
}

/// The head that reqwest will send: its URL is already in its normal form.
fn head_of(request: &reqwest::Request) -> Result<Parts, SignError> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.headers_mut() = request.headers().clone();
    let mut url = request.url().clone();
    url.set_fragment(None);
    *head.uri_mut() = url.as_str().parse().map_err(|_| {
        SignError::new(
            SignErrorKind::Target,
            "the URL is no URI that can be signed",
        )
    })?;
    Ok(head.into_parts().0)
}

#[async_trait::async_trait]
impl Middleware for SignMiddleware {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        self.sign(&mut request)
            .await
            .map_err(reqwest_middleware::Error::middleware)?;
        next.run(request, extensions).await
    }
}

impl fmt::Debug for SignMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignMiddleware")
            .field("signer", &self.settings.signer)
            .finish_non_exhaustive()
    }
}
