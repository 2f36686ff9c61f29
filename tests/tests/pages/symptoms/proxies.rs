//! Proxies that change a request, or send it again.

use axum::{Router, body::Body, routing::post};
use http::{HeaderName, HeaderValue, Request, header::AUTHORIZATION};
use tests::{
    keys::NOW,
    signed::{self, AUTHORITY, billing},
};
use tower_countersign::Refusal;

use super::{Symptoms, answer, verify};

/// The codes of requests that a proxy has changed, or sent again.
pub(super) async fn add(found: &mut Symptoms) {
    let covering = billing().with_covered_header(HeaderName::from_static("accept-encoding"));
    let covering = covering.unwrap();
    let handler = Router::new().fallback(post(async || "handled"));
    let app = handler.layer(verify().with_expected_hosts([AUTHORITY]).unwrap());
    let signed = || {
        let mut request = signed::post("/api/./account/7?b=1&a=2", "{ }");
        let headers = request.headers_mut();
        headers.insert("content-encoding", HeaderValue::from_static("gzip"));
        headers.insert("accept-encoding", HeaderValue::from_static("br"));
        signed::at(NOW, &covering, request).map(Body::from)
    };
    let code = async |request: Request<Body>| {
        let response = answer(app.clone(), request).await;
        let refusal = response.extensions().get().map(Refusal::code);
        refusal.unwrap_or("accepted")
    };
    assert_eq!(code(signed()).await, "accepted");

    let target = |target: &str| format!("http://{AUTHORITY}{target}").parse().unwrap();
    let change = |change: &dyn Fn(&mut Request<Body>)| {
        let mut request = signed();
        change(&mut request);
        request
    };
    for (name, request) in [
        (
            "a proxy that sends its own host",
            change(&|request| *request.uri_mut() = "http://10.0.0.7:9000/".parse().unwrap()),
        ),
        (
            "a proxy that strips a prefix",
            change(&|request| *request.uri_mut() = target("/./account/7?b=1&a=2")),
        ),
        (
            "a proxy that normalises the path",
            change(&|request| *request.uri_mut() = target("/api/account/7?b=1&a=2")),
        ),
        (
            "a proxy that sorts the query",
            change(&|request| *request.uri_mut() = target("/api/./account/7?a=2&b=1")),
        ),
        (
            "a proxy that removes authorization",
            change(&|request| {
                request.headers_mut().remove(AUTHORIZATION);
            }),
        ),
        (
            "a proxy that adds authorization",
            change(&|request| {
                let basic = HeaderValue::from_static("Basic YTpi");
                request.headers_mut().append(AUTHORIZATION, basic);
            }),
        ),
        (
            "a proxy that rewrites a signed header",
            change(&|request| {
                let gzip = HeaderValue::from_static("gzip");
                request.headers_mut().insert("accept-encoding", gzip);
            }),
        ),
        (
            "a proxy that decompresses the body",
            change(&|request| {
                request.headers_mut().remove("content-encoding");
            }),
        ),
        (
            "a proxy that changes the body",
            change(&|request| *request.body_mut() = Body::from("{}")),
        ),
    ] {
        found.text(name, code(request).await);
    }

    let (parts, _) = signed().into_parts();
    let copy = || Request::from_parts(parts.clone(), Body::from("{ }"));
    assert_eq!(code(copy()).await, "accepted");
    found.text("a proxy that retries", code(copy()).await);
}
