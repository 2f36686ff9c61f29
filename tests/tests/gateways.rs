//! Requests that a gateway rewrites between caller and callee, and handlers that work in both modes
//! of a layer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::net::SocketAddr;

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use countersign::{MemoryReplayStore, Signer};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header::HOST};
use http_body_util::{BodyExt, Full};
use tests::{
    client,
    keys::{SECRET, django, hmac_key, keyring, signer},
    server::Server,
    signed,
};
use tower::{Layer, Service, ServiceExt};
use tower_countersign::{
    BoxError, Caller, PublicUri, Refusal, SignLayer, SignMiddleware, VerifiedCaller, VerifyLayer,
};

const PUBLIC: &str = "api.example.com";
const INBOUND: &str = "accounts.internal:8081";

/// A service that the gateway forwards to. It answers with the values that its handler sees.
async fn behind_gateway() -> Server {
    let public = PublicUri::new(PUBLIC)
        .and_then(|public| public.with_stripped_prefix("/accounts"))
        .and_then(|public| public.with_inbound_hosts([INBOUND]))
        .unwrap();
    let verify = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
        .with_public_uri(public)
        .unwrap();
    let handler = async |caller: VerifiedCaller, uri: Uri| {
        let (host, checked) = (caller.covered("host"), caller.audience_checked());
        format!("{} {uri} {} {host:?} {checked}", caller.id(), caller.path())
    };
    Server::axum(Router::new().route("/{*rest}", any(handler)).layer(verify)).await
}

/// Strips the prefix from the path and sends another `Host`, as gateways are configured to.
async fn gateway(to: SocketAddr, version: Version) -> Server {
    let forward = async move |request: Request<Body>| {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().unwrap().as_str();
        let target = target.strip_prefix("/accounts").unwrap();
        parts.uri = format!("http://{INBOUND}{target}").parse().unwrap();
        parts.headers.remove(HOST);
        parts.version = version;
        // Any client can send these: the callee must not read them.
        parts
            .headers
            .insert("x-forwarded-host", HeaderValue::from_static("evil"));
        parts
            .headers
            .insert("x-forwarded-prefix", HeaderValue::from_static("/evil"));
        let request = Request::from_parts(parts, body);
        let client = if version == Version::HTTP_2 {
            client::http2(to)
        } else {
            client::http1(to)
        };
        let answer: Response<_> = client.request(request).await.unwrap();
        answer.map(Body::new)
    };
    Server::axum(Router::new().fallback(forward)).await
}

async fn ask<B>(to: SocketAddr, request: Request<B>) -> (StatusCode, String)
where
    B: http_body::Body<Data = Bytes, Error = std::convert::Infallible> + Send + Unpin + 'static,
{
    let answer = client::http1(to).request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn signed_for(authority: &str, target: &str) -> Request<Full<Bytes>> {
    let signer = signer("billing", hmac_key(SECRET), authority);
    let request = Request::post(format!("http://{authority}{target}"));
    signed::now(&signer, request.body(Bytes::from_static(b"{}")).unwrap()).map(Full::new)
}

#[tokio::test]
async fn a_request_that_the_gateway_rewrote_is_verified_as_the_caller_wrote_it() {
    let service = behind_gateway().await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let gateway = gateway(service.addr(), version).await;
        let request = signed_for(PUBLIC, "/accounts/7?b=2&a=%20");
        let (status, seen) = ask(gateway.addr(), request).await;
        assert_eq!(status, StatusCode::OK, "{version:?}: {seen}");
        let expected = format!("/7 Some({PUBLIC:?}) true");
        assert!(
            seen.starts_with("billing ") && seen.ends_with(&expected),
            "{version:?}: {seen}"
        );
    }
}

#[tokio::test]
async fn a_request_that_is_not_of_the_gateways_shape_is_refused() {
    let service = behind_gateway().await;
    for (name, authority, target, expected) in [
        (
            "the public host, past the gateway",
            PUBLIC,
            "/accounts/7",
            (StatusCode::MISDIRECTED_REQUEST, "misdirected"),
        ),
        (
            "signed for the inbound host",
            INBOUND,
            "/7",
            (StatusCode::UNAUTHORIZED, "invalid_signature"),
        ),
        (
            "another host",
            "elsewhere",
            "/7",
            (StatusCode::MISDIRECTED_REQUEST, "misdirected"),
        ),
    ] {
        let (status, body) = ask(service.addr(), signed_for(authority, target)).await;
        assert_eq!(status, expected.0, "{name}: {body}");
        assert_eq!(body, format!("{{\"error\":\"{}\"}}", expected.1), "{name}");
    }
}

#[tokio::test]
async fn a_body_signed_caller_is_found_behind_a_gateway_in_both_modes() {
    let (key, verify_settings) = django();
    let public = || {
        PublicUri::new(PUBLIC)
            .and_then(|public| public.with_stripped_prefix("/accounts"))
            .and_then(|public| public.with_inbound_hosts([INBOUND]))
            .unwrap()
    };
    // The settings name the route that callers sign.
    let verify_settings = verify_settings
        .with_route(http::Method::POST, "/accounts/drf")
        .unwrap();
    let signer = Signer::drf(key.clone(), [PUBLIC]).unwrap();
    for report_only in [false, true] {
        let verifier = countersign::Verifier::builder()
            .accept_only(verify_settings.clone())
            .build()
            .unwrap();
        let mut verify = VerifyLayer::new(keyring("django", &key))
            .with_verifier(verifier)
            .with_public_uri(public())
            .unwrap();
        if report_only {
            verify = verify.insecure_report_only();
        }
        let handler = async |caller: Caller, _: Bytes| match caller.verified() {
            Some(caller) => format!("verified {}", caller.id()),
            None => "unverified".to_owned(),
        };
        let app = Router::new().route("/drf", any(handler)).layer(verify);
        let server = Server::axum(app).await;
        let request = Request::post(format!("http://{PUBLIC}/accounts/drf"));
        let request = signed::now_in_full(&signer, request.body(Bytes::from("{}")).unwrap());
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("http://{INBOUND}/drf").parse().unwrap();
        let request = Request::from_parts(parts, Full::new(body));
        let expected = if report_only {
            "unverified"
        } else {
            "verified django"
        };
        let answer = ask(server.addr(), request).await;
        assert_eq!(answer, (StatusCode::OK, expected.to_owned()));
    }
}

/// A service that expects a host name that the URLs of its callers do not have.
async fn named(host: &str) -> Server {
    let verify = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
        .with_expected_hosts([host])
        .unwrap();
    let handler = async |caller: VerifiedCaller| caller.covered("host").unwrap().to_owned();
    Server::axum(Router::new().route("/", any(handler)).layer(verify)).await
}

#[tokio::test]
async fn a_signer_signs_for_another_host_than_the_urls_and_sends_it() {
    let server = named(INBOUND).await;
    let signer = signer("billing", hmac_key(SECRET), &server.authority())
        .with_signed_host(&server.authority(), INBOUND)
        .unwrap();
    let mut client = SignLayer::new(signer.clone()).layer(client::http1(server.addr()));
    for _ in 0..2 {
        let request = Request::get(server.url("/")).body(Full::<Bytes>::default());
        let service: &mut _ = client.ready().await.unwrap();
        let answer = service.call(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let host = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(host, INBOUND);
    }

    let client = SignMiddleware::new(signer).client(reqwest::Client::builder());
    let answer = client.unwrap().get(server.url("/")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.text().await.unwrap(), INBOUND);
}

#[tokio::test]
async fn over_http2_a_request_that_names_two_hosts_is_refused_and_not_handled() {
    let server = named(INBOUND).await;
    let signer = signer("billing", hmac_key(SECRET), &server.authority())
        .with_signed_host(&server.authority(), INBOUND)
        .unwrap();
    let client = SignLayer::new(signer).layer(client::http2(server.addr()));
    let request = Request::get(server.url("/")).body(Full::<Bytes>::default());
    let answer: Result<_, BoxError> = client.oneshot(request.unwrap()).await;
    let status = answer.unwrap().status();
    assert!(
        matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::MISDIRECTED_REQUEST
        ),
        "{status}"
    );
}

/// Returns the answers of one handler under a layer in each mode, and without a layer.
#[tokio::test]
async fn one_handler_serves_both_modes_and_fails_closed_without_a_layer() {
    let handler = async |caller: Caller| match caller {
        Caller::Verified(caller) => format!("verified {}", caller.id()),
        Caller::Unverified(caller) => {
            let refusal = caller.would_refuse().map(Refusal::code);
            format!("{:?} {refusal:?}", caller.asserted_id())
        }
    };
    let layer = || VerifyLayer::new(keyring("billing", &hmac_key(SECRET)));
    let app = || Router::new().route("/", any(handler));
    let signer = signed::billing();
    let proven = || {
        let (parts, body) = signed::now(&signer, signed::get("/")).into_parts();
        Request::from_parts(parts, Full::new(body))
    };
    let stranger = || signed::get("/").map(Full::new);
    for (name, app, request, expected) in [
        (
            "enforced, proven",
            app().layer(layer()),
            proven(),
            (StatusCode::OK, "verified billing"),
        ),
        (
            "enforced, a stranger",
            app().layer(layer()),
            stranger(),
            (
                StatusCode::UNAUTHORIZED,
                "{\"error\":\"missing_signature\"}",
            ),
        ),
        (
            "report-only, proven",
            app().layer(layer().insecure_report_only()),
            proven(),
            (StatusCode::OK, "Some(\"billing\") None"),
        ),
        (
            "report-only, a stranger",
            app().layer(layer().insecure_report_only()),
            stranger(),
            (StatusCode::OK, "None Some(\"missing_signature\")"),
        ),
        (
            "no layer",
            app(),
            proven(),
            (StatusCode::INTERNAL_SERVER_ERROR, ""),
        ),
    ] {
        let server = Server::axum(app).await;
        let (status, body) = ask(server.addr(), request).await;
        assert_eq!((status, &*body), expected, "{name}");
    }
}

/// A report-only layer must not give a proof to an inner handler.
#[tokio::test]
async fn where_one_layer_enforces_and_another_reports_the_caller_is_unverified() {
    let store = MemoryReplayStore::new();
    let layer =
        || VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_replay_store(store.clone());
    let handler = async |caller: Caller| caller.verified().is_some().to_string();
    let app = Router::new()
        .route("/", any(handler))
        .layer(layer().insecure_report_only())
        .layer(layer());
    let server = Server::axum(app).await;
    let request = signed::now(&signed::billing(), signed::get("/")).map(Full::new);
    let answer = ask(server.addr(), request).await;
    assert_eq!(answer, (StatusCode::OK, "false".to_owned()));
}
