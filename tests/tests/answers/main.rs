//! Signed answers: who made a response, and to which request.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests panic on what they do not expect"
)]

mod clients;
mod clock;

mod keys;
mod kinds;
mod refusals;
mod tampering;
mod vectors;

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use countersign::{
    AnswerError, AnswerErrorKind, CallerKey, CallerKeys, Keyring, ResponseVerifier, SigningKey,
};
use http::{Request, StatusCode, header::LOCATION};
use http_body_util::{BodyExt, Full};
use tests::{
    client::http1,
    keys::{SECRET, hmac_key, keyring, signer},
    server::Server,
};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_countersign::{
    AnswerSigning, AnswerState, BoxError, SignLayer, SignedBody, VerifyAnswerLayer, VerifyLayer,
};

/// The routes of the service, without its layers.
fn routes() -> Router {
    let status = |status: StatusCode| async move || status;
    Router::new()
        .route("/item", get(async || r#"{"id":7}"#))
        .route("/other", get(async || r#"{"id":8}"#))
        .route("/echo", post(async |body: Bytes| body))
        .route("/missing", get(status(StatusCode::NOT_FOUND)))
        .route("/none", get(status(StatusCode::NO_CONTENT)))
        .route("/same", get(status(StatusCode::NOT_MODIFIED)))
        .route("/empty", get(async || ""))
        .route(
            "/moved",
            get(async || (StatusCode::FOUND, [(LOCATION, "/item")])),
        )
        .route("/large", get(async || vec![7; 3 * 1024 * 1024]))
}

fn verify() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
}

fn signing() -> AnswerSigning {
    AnswerSigning::derived("user-service").unwrap()
}

/// The service, whose answers are signed.
fn service() -> Router {
    routes().layer(verify().with_signed_answers(signing()).unwrap())
}

/// What the client knows of the service: the key that is derived of this one.
fn verifier_of(key: &SigningKey, authority: &str) -> ResponseVerifier {
    let answers = key.response_verifying_key().unwrap();
    let keys = CallerKeys::new("user-service", [CallerKey::new("1", answers).unwrap()]);
    ResponseVerifier::new()
        .with_service([authority], keys.unwrap())
        .unwrap()
}

fn verify_answers(server: &Server) -> VerifyAnswerLayer {
    VerifyAnswerLayer::new(verifier_of(&hmac_key(SECRET), &server.authority()))
}

/// What the client got.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    state: AnswerState,
    body: Bytes,
}

type Sent = SignedBody<Full<Bytes>>;

/// Sends a request through both layers of the client.
async fn send(
    server: &Server,
    sign: SignLayer,
    verify: VerifyAnswerLayer,
    request: Request<Full<Bytes>>,
) -> Result<Answer, BoxError> {
    let client = http1::<Sent>(server.addr());
    answer_of(sign, verify, client, request).await
}

async fn answer_of<S, B>(
    sign: SignLayer,
    verify: VerifyAnswerLayer,
    client: S,
    request: Request<Full<Bytes>>,
) -> Result<Answer, BoxError>
where
    S: Service<Request<Sent>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    let client = ServiceBuilder::new()
        .layer(sign)
        .layer(verify)
        .service(client);
    let answer = client.oneshot(request).await?;
    let (parts, body) = answer.into_parts();
    Ok(Answer {
        status: parts.status,
        state: parts.extensions.get::<AnswerState>().unwrap().clone(),
        body: body.collect().await?.to_bytes(),
    })
}

fn sign(server: &Server) -> SignLayer {
    SignLayer::new(signer("billing", hmac_key(SECRET), &server.authority()))
}

fn request(server: &Server, method: &str, path: &str, body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(server.url(path));
    request.body(Full::from(body)).unwrap()
}

/// Sends a signed request and verifies the answer.
async fn call(server: &Server, method: &str, path: &str) -> Result<Answer, BoxError> {
    let request = request(server, method, path, "");
    send(server, sign(server), verify_answers(server), request).await
}

#[track_caller]
fn answer_error(found: Result<Answer, BoxError>) -> AnswerError {
    let error = found.expect_err("expected an error");
    match error.downcast::<AnswerError>() {
        Ok(error) => *error,
        Err(other) => panic!("expected an AnswerError, found {other}"),
    }
}

#[track_caller]
fn kind(found: Result<Answer, BoxError>) -> AnswerErrorKind {
    answer_error(found).kind()
}

fn is_verified(answer: &Answer) -> bool {
    matches!(&answer.state, AnswerState::Verified { service, .. } if *service == "user-service")
}

/// A response, changed on its way by a layer outside of the signing one.
fn changed(app: Router, change: fn(Response) -> Response) -> Router {
    app.layer(axum::middleware::map_response(
        move |response: Response<Body>| async move { change(response) },
    ))
}
