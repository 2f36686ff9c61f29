//! Invoices, with a user service to ask.

use bytes::Bytes;
use countersign::Keyring;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_countersign::VerifyLayer;

use crate::process::Process;

const KEY: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const OTHER: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

/// Starts a user service that knows one caller. Returns the URL of its root.
async fn user_service(caller: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let secrets = format!("{{\"{caller}\":\"{KEY}\"}}");
    let keys = Keyring::from_service_secrets(&secrets, None).unwrap();
    let verify = VerifyLayer::new(keys)
        .with_expected_hosts([&authority])
        .unwrap();
    tokio::spawn(async { axum::serve(listener, user_service::app(verify, None)).await });
    format!("http://{authority}")
}

fn billing(user_service: &str, key: &str) -> Process {
    Process::start(&[
        ("USER_SERVICE_URL", user_service),
        ("SERVICE_NAME", "billing"),
        (
            "SERVICE_SECRETS",
            &format!("{{\"user-service\":\"{key}\"}}"),
        ),
    ])
}

/// Orders an invoice, and returns the status and the body, as JSON or else as text.
async fn order(billing: &Process, order: &str) -> (u16, Value) {
    let request = Request::post(format!("http://{}/invoices", billing.authority()))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::copy_from_slice(order.as_bytes())))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = || Value::from(String::from_utf8_lossy(&body));
    (
        status,
        serde_json::from_slice(&body).unwrap_or_else(|_| text()),
    )
}

#[tokio::test]
async fn an_active_account_gets_an_invoice_and_a_suspended_one_does_not() {
    let billing = billing(&user_service("billing").await, KEY);
    for (account, expected) in [
        (
            7,
            (201, json!({ "id": 1, "account": 7, "amount_cents": 1200 })),
        ),
        (13, (409, json!({ "error": "account_suspended" }))),
        (
            8,
            (201, json!({ "id": 2, "account": 8, "amount_cents": 1200 })),
        ),
    ] {
        let text = json!({ "account": account, "amount_cents": 1200 }).to_string();
        assert_eq!(order(&billing, &text).await, expected, "{account}");
    }
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_the_clients_mistake() {
    let billing = billing(&user_service("billing").await, KEY);
    for text in [
        "",
        "{",
        "[]",
        r#"{"account":7}"#,
        r#"{"account":7,"amount_cents":0}"#,
        r#"{"account":7,"amount_cents":-1}"#,
        r#"{"account":"7","amount_cents":1}"#,
        r#"{"account":7,"amount_cents":1,"paid":true}"#,
    ] {
        let (status, _) = order(&billing, text).await;
        assert!((400..500).contains(&status), "{text}: {status}");
    }
}

#[tokio::test]
async fn a_call_that_is_refused_is_502_and_no_invoice() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody_listens = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    for (name, user_service, key) in [
        ("another key", user_service("billing").await, OTHER),
        ("an unknown caller", user_service("audit").await, KEY),
        ("nobody listens", nobody_listens, KEY),
    ] {
        let billing = billing(&user_service, key);
        assert_eq!(
            order(&billing, r#"{"account":7,"amount_cents":1}"#).await,
            (502, json!({ "error": "user_service_unavailable" })),
            "{name}"
        );
    }
}
