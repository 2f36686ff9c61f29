//! Refusals are signed exactly if the signature over the head has matched.

use tests::keys::OTHER_SECRET;

use super::*;

#[tokio::test]
async fn a_refusal_of_a_stranger_is_not_signed() {
    let server = Server::axum(service()).await;
    let stranger = signer("billing", hmac_key(OTHER_SECRET), &server.authority());
    let request = request(&server, "GET", "/item", "");
    let found = send(
        &server,
        SignLayer::new(stranger),
        verify_answers(&server),
        request,
    )
    .await;
    let error = answer_error(found);
    assert_eq!(error.kind(), AnswerErrorKind::Unsigned);
    assert_eq!(error.status().unwrap(), StatusCode::UNAUTHORIZED);
}

/// Sends each request twice over the wire, and returns the answer to the second.
#[derive(Clone)]
struct Twice<S>(S);

impl<S, B> Service<Request<Sent>> for Twice<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Send,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = futures::future::BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Sent>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = Full::from(body.collect().await?.to_bytes());
            let first = Request::from_parts(parts.clone(), body.clone());
            client.clone().oneshot(first).await.map_err(Into::into)?;
            let second = client.oneshot(Request::from_parts(parts, body)).await;
            second.map_err(Into::into)
        })
    }
}

#[tokio::test]
async fn a_refusal_of_a_replay_is_signed() {
    let server = Server::axum(service()).await;
    let twice = Twice(http1::<Full<Bytes>>(server.addr()));
    let request = request(&server, "GET", "/item", "");
    let answer = answer_of(sign(&server), verify_answers(&server), twice, request).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.body, r#"{"error":"replayed"}"#);
    assert!(is_verified(&answer));
}
