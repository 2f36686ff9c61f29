use std::{fmt, mem};

use bytes::Bytes;
use countersign::{PayloadDigest, SignError, SignErrorKind, TargetSigners};
use http::{Extensions, Request, request::Parts};
use http_body_util::{Empty, Full};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use super::{
    buffered_body::{BufferLimits, BufferedBody},
    settings::{Settings, setters},
};

/// Signs requests as a middleware of `reqwest-middleware`.
///
/// Works with reqwest 0.13 and reqwest-middleware 0.5. Add this middleware last, so that each retry
/// gets a new date and nonce. The client must not follow redirects: [`client`](Self::client) builds
/// one that does not.
///
/// ```no_run
/// # async fn example(
/// #     signers: countersign::TargetSigners,
/// # ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use tower_countersign::SignMiddleware;
///
/// let client = SignMiddleware::new(signers).client(reqwest::Client::builder())?;
/// let response = client
///     .post("http://user-service:8081/api/account")
///     .query(&[("notify", "true")])
///     .json(&["Ada"])
///     .send()
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// This crate's feature `reqwest-middleware` also enables `json`, `query` and `form` of the crate
/// `reqwest-middleware`. To send a plain [`reqwest::RequestBuilder`], call
/// `client.execute(builder.build()?)`.
///
/// # Bodies and retries
///
/// A streamed body, such as a multipart form with a file, is read into memory, up to
/// [`with_buffer_bytes`](Self::with_buffer_bytes). A body that reqwest already holds in memory is
/// signed at any length. A retry middleware outside the signer cannot clone a request with a
/// streamed body, and sends the request once. Build the request again for each attempt, as the
/// example `reqwest-client` does.
///
/// If the request's extensions hold the body's [`PayloadDigest`]
/// (`RequestBuilder::with_extension`), that digest is signed and the body is streamed.
///
/// Keep the default of [`reqwest::ClientBuilder::retry`], which repeats only requests that no
/// service has received. A retry below the signer sends the same signature twice, and the service
/// refuses the second request as a replay.
#[derive(Clone)]
pub struct SignMiddleware {
    settings: Settings,
}

impl SignMiddleware {
    /// Signs with a [`Signer`](countersign::Signer), a [`SharedSigner`](countersign::SharedSigner)
    /// or [`TargetSigners`], and reads bodies of up to 2 MiB into memory. The last two can be
    /// replaced at run time: each request is signed with their current content.
    pub fn new(signers: impl Into<TargetSigners>) -> Self {
        Self {
            settings: Settings::new(signers.into()),
        }
    }

    setters!();

    /// Builds a signing client from these settings, without redirects.
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

    async fn sign(
        &self,
        request: &mut reqwest::Request,
        digest: Option<PayloadDigest>,
    ) -> Result<(), SignError> {
        let mut parts = head_of(request)?;
        // Select the signer before the body is read: without a signer, the body stays unread.
        let Some(mut signer) = self.settings.signer(&parts)? else {
            return Ok(());
        };
        signer.prepare_authority(&mut parts)?;
        let signature = if let Some(digest) = digest {
            self.settings.sign(&signer, &parts, digest).await?
        } else {
            let mut body = self.read_body(&parts, request).await?;
            // The keys may have changed while the body was read.
            signer = match self.settings.signer(&parts)? {
                Some(signer) => signer,
                None => return Ok(()),
            };
            if signer.needs_body() {
                self.settings.sign(&signer, &parts, &*body.bytes()).await?
            } else {
                self.settings.sign(&signer, &parts, body.digest()).await?
            }
        };
        signature.apply(&mut parts);
        // Signing may also have normalized Host, so replace all headers.
        *request.headers_mut() = parts.headers;
        Ok(())
    }

    /// Returns the body, and reads it into memory if it is a stream.
    async fn read_body(
        &self,
        parts: &Parts,
        request: &mut reqwest::Request,
    ) -> Result<BufferedBody, SignError> {
        let Some(body) = request.body_mut() else {
            return BufferedBody::read(
                Empty::<Bytes>::new(),
                &parts.headers,
                &self.settings.buffer,
            )
            .await;
        };
        if let Some(bytes) = body.as_bytes() {
            let limits = BufferLimits {
                bytes: u64::MAX,
                ..self.settings.buffer.clone()
            };
            let bytes = Full::new(Bytes::copy_from_slice(bytes));
            return BufferedBody::read(bytes, &parts.headers, &limits).await;
        }
        let stream = mem::replace(body, reqwest::Body::from(""));
        let mut read = BufferedBody::read(stream, &parts.headers, &self.settings.buffer).await?;
        *body = reqwest::Body::from(read.bytes());
        Ok(read)
    }
}

/// Returns the head that reqwest will send. The URL is already in normal form.
fn head_of(request: &reqwest::Request) -> Result<Parts, SignError> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.headers_mut() = request.headers().clone();
    let mut url = request.url().clone();
    url.set_fragment(None);
    *head.uri_mut() = url.as_str().parse().map_err(|_| {
        SignError::new(
            SignErrorKind::Target,
            "target: expected a URL that parses as a URI, found another",
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
        // The digest stays in the extensions for the next attempt of a retry.
        let digest = extensions.get::<PayloadDigest>().copied();
        self.sign(&mut request, digest)
            .await
            .map_err(reqwest_middleware::Error::middleware)?;
        next.run(request, extensions).await
    }
}

impl fmt::Debug for SignMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignMiddleware")
            .field("signers", &self.settings.signers)
            .finish_non_exhaustive()
    }
}
