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

/// The signer as a middleware of `reqwest-middleware`.
///
/// Works with reqwest 0.13 and reqwest-middleware 0.5. Add it last, so that each attempt of a retry
/// middleware gets a date and a nonce of its own. The client below it must follow no redirects:
/// [`client`](Self::client) builds one that does not.
///
/// ```no_run
/// # async fn example(signers: countersign::TargetSigners) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
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
/// The feature `reqwest-middleware` of this crate enables `json`, `query` and `form` of that crate.
/// A request from a plain [`reqwest::RequestBuilder`] is sent by
/// `client.execute(builder.build()?)`.
///
/// # Bodies and retries
///
/// A streamed body, such as a multipart form with a file, is read into memory, up to
/// [`with_buffer_bytes`](Self::with_buffer_bytes). A body that reqwest holds in memory is signed
/// whatever its length. A retry middleware outside the signer cannot
/// clone a request with such a body, and sends it once: build the request again for each attempt,
/// as the example `reqwest-client` does.
///
/// If the extensions of the request hold the [`PayloadDigest`] of the body
/// (`RequestBuilder::with_extension`), that digest is signed and the body is streamed.
///
/// Leave [`reqwest::ClientBuilder::retry`] at its default, which repeats only requests that no
/// service has seen. A retry below the signer sends one signature twice, and the service refuses
/// the second as a replay.
#[derive(Clone)]
pub struct SignMiddleware {
    settings: Settings,
}

impl SignMiddleware {
    /// Signs with a [`Signer`](countersign::Signer), a [`SharedSigner`](countersign::SharedSigner)
    /// or [`TargetSigners`], and reads bodies of up to 2 MiB into memory to do so. The last two can
    /// be replaced at run time: each request is signed with their content of that moment.
    pub fn new(signers: impl Into<TargetSigners>) -> Self {
        Self {
            settings: Settings::new(signers.into()),
        }
    }

    setters!();

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

    async fn sign(
        &self,
        request: &mut reqwest::Request,
        digest: Option<PayloadDigest>,
    ) -> Result<(), SignError> {
        let mut parts = head_of(request)?;
        // Before the body is read: an authority without a signer needs no body.
        let Some(mut signer) = self.settings.signer(&parts)? else {
            return Ok(());
        };
        signer.prepare_authority(&mut parts)?;
        let signature = if let Some(digest) = digest {
            self.settings.sign(&signer, &parts, digest).await?
        } else {
            let mut body = self.read_body(&parts, request).await?;
            // The body may have taken a while, and the keys may have changed.
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
        // All of them, because Host may have been brought to its one form as well.
        *request.headers_mut() = parts.headers;
        Ok(())
    }

    /// The body, which is read into memory if it is a stream.
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
                ..self.settings.buffer
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
        // It stays there for the next attempt of a retry.
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
