//! Section 8: codes, statuses and the response.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use countersign::{RejectionKind, Signer, Timestamp};
use http::{Request, Response, StatusCode, header::DATE};
use http_body_util::{BodyExt, Full};
use tests::{
    keys::{self, NOW, OTHER_SECRET, SECRET, hmac_key},
    signed,
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{Clock, VerifyLayer};

use crate::page;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// What the layer answers to a request that this signer signed at this time.
async fn answer(signer: &Signer, at: Timestamp) -> Response<Bytes> {
    let layer = VerifyLayer::new(keys::keyring("billing", &hmac_key(SECRET))).with_clock(Stopped);
    let service = layer.layer(service_fn(async |_| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let request = Request::get("http://user-service/").body("").unwrap();
    let request = signed::at(at, signer, request).map(|body| Full::new(Bytes::from(body)));
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, body)
}

fn signer(caller: &str, secret: &str) -> Signer {
    keys::signer(caller, hmac_key(secret), "user-service")
}

/// The response as the page writes it.
fn text(response: &Response<Bytes>) -> String {
    let mut text = format!("HTTP/1.1 {}\n", response.status());
    for (name, value) in response.headers() {
        text.extend([name.as_str(), ": ", value.to_str().unwrap(), "\n"]);
    }
    format!("{text}\n{}\n", str::from_utf8(response.body()).unwrap())
}

#[test]
fn each_code_has_the_status_and_the_grpc_status_of_the_library() {
    let rows = page::rows(&page::section(8));
    let mut rows = rows.iter();
    for kind in RejectionKind::ALL {
        let row = rows.find(|row| row[0] == format!("`{}`", kind.code()));
        let row = row.unwrap_or_else(|| panic!("{kind:?}: expected in order, found none"));
        assert_eq!(row[1], kind.status().as_str(), "{kind:?}");
        assert_eq!(row[2], kind.grpc_status().to_string(), "{kind:?}");
    }
    let others: Vec<_> = rows.map(|row| row[..3].join(" ")).collect();
    assert_eq!(others, ["`unavailable` 503 14", "`misconfigured` 500 13"]);
}

#[tokio::test]
async fn an_unknown_caller_and_a_wrong_key_get_the_response_of_the_page() {
    let [expected] = page::blocks(&page::section(8), "http").try_into().unwrap();
    for (name, signer) in [
        ("unknown caller", signer("reporting", SECRET)),
        ("wrong key", signer("billing", OTHER_SECRET)),
    ] {
        let response = answer(&signer, NOW).await;
        assert_eq!(text(&response), expected, "{name}");
    }
    let response = answer(&signer("billing", SECRET), NOW).await;
    assert_eq!(response.status(), StatusCode::OK, "the key itself");
}

#[tokio::test]
async fn a_stale_date_adds_what_the_page_says() {
    let section = page::section(8);
    let late = NOW.saturating_sub(Duration::from_secs(301));
    let response = answer(&signer("billing", SECRET), late).await;
    assert_eq!(&response.body()[..], br#"{"error":"expired"}"#);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    let (_, end) = challenge.split_once("x-nonce\"").unwrap();
    let said = format!("that line ends in\n`{end}`");
    assert!(section.contains(&said), "{said}");
    let clock = NOW.to_http_date().unwrap();
    assert_eq!(response.headers()[DATE], clock);
}
