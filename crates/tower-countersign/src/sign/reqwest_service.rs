use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use countersign::{SignError, SignErrorKind};
use http::Request;
use http_body::Body;
use tower_service::Service;

use super::signed_body::SignedBody;
use crate::BoxError;

/// A reqwest client as the service under [`SignLayer`](crate::SignLayer).
///
/// This client follows no redirects. reqwest follows redirects below every layer and would send the
/// signature's headers to the new host. A 3xx response is returned like any other.
///
/// Works with reqwest 0.13. To send a request from a [`reqwest::RequestBuilder`], including `json`
/// and `query`, convert it with `http::Request::try_from(builder.build()?)`. Keep the default of
/// [`reqwest::ClientBuilder::retry`]: a retry below the signer sends the same signature twice, and
/// the service refuses the second request as a replay.
///
/// ```no_run
/// # async fn example(
/// #     signer: countersign::Signer,
/// # ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_countersign::{ReqwestService, SignLayer};
///
/// let client = ServiceBuilder::new()
///     .layer(SignLayer::new(signer))
///     .service(ReqwestService::new()?);
/// let request = http::Request::get("http://user-service:8081/api/account/7")
///     .body(Full::<bytes::Bytes>::default())?;
/// let response: reqwest::Response = client.oneshot(request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestService {
    client: reqwest::Client,
}

impl ReqwestService {
    /// Builds a client with reqwest's defaults, but without redirects.
    ///
    /// # Errors
    ///
    /// As [`reqwest::ClientBuilder::build`].
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::from_builder(reqwest::Client::builder())
    }

    /// Builds a client with these settings, but without redirects.
    ///
    /// # Errors
    ///
    /// As [`reqwest::ClientBuilder::build`].
    pub fn from_builder(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client })
    }
}

impl<B> Service<Request<SignedBody<B>>> for ReqwestService
where
    B: Body + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    type Response = reqwest::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<SignedBody<B>>) -> Self::Future {
        let client = self.client.clone();
        Box::pin(async move {
            let signed = request.uri().clone();
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
            ensure_sent_as_signed(&signed, request.url())?;
            Ok(client.execute(request).await?)
        })
    }
}

/// Refuses a URL that `Url` would change: `Url` resolves `/a/../b` and escapes characters that
/// `Uri` accepts. The request sent would then differ from the signed request.
fn ensure_sent_as_signed(signed: &http::Uri, sent: &reqwest::Url) -> Result<(), SignError> {
    let authority = signed.authority().map_or("", http::uri::Authority::as_str);
    let sent_authority = match (sent.host_str(), sent.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    let same = signed.path() == sent.path()
        && signed.query() == sent.query()
        && authority.eq_ignore_ascii_case(&sent_authority);
    if same && authority == sent_authority {
        Ok(())
    } else {
        Err(SignError::new(
            SignErrorKind::Target,
            "target: expected a URL in normal form, found one that would be sent in another form",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_urls_that_would_be_sent_in_another_spelling() {
        for (name, uri, same) in [
            ("plain", "http://user-service:8081/a?b=c", true),
            ("no path", "http://user-service", true),
            ("escapes", "http://user-service/a%2Fb?c=%20", true),
            ("empty query", "http://user-service/a?", true),
            ("IPv6", "http://[::1]:8081/a", true),
            ("dots", "http://user-service/a/../b", false),
            ("escaped dots", "http://user-service/a/%2e%2e/b", false),
            ("upper case", "http://User-Service/a", false),
            ("a quote in the query", "http://user-service/a?b='", false),
        ] {
            let uri: http::Uri = uri.parse().unwrap();
            let url = reqwest::Url::parse(&uri.to_string()).unwrap();
            assert_eq!(ensure_sent_as_signed(&uri, &url).is_ok(), same, "{name}");
        }
    }
}
