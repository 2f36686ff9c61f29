//! Calls through the proxies and past them.

use std::{net::SocketAddr, time::SystemTime};

use bytes::Bytes;
use countersign::Signer;
use demo::{
    client::Client,
    key::SharedKey,
    signed::sign,
    table::{Row, Section},
};
use http::{
    HeaderName, HeaderValue, Method, Request, Uri,
    header::{CONTENT_TYPE, HOST, ORIGIN},
};
use serde_json::Value;
use tower_countersign::BoxError;

use crate::proxies::Fleet;

/// The host that callers of orders sign.
const ORDERS: &str = "orders:8443";
/// The host that callers of ledger sign.
const LEDGER: &str = "ledger:8444";

const CALLER: HeaderName = HeaderName::from_static("countersign-caller");
/// PHP and others read this name as the one above.
const ALIKE: HeaderName = HeaderName::from_static("x_countersign.caller");

pub(crate) async fn sections(fleet: &Fleet) -> Result<Vec<Section>, BoxError> {
    let client = Client::new();
    Ok(vec![
        verified(&client, fleet).await?,
        refused(&client, fleet).await?,
        forged(&client, fleet).await?,
        signed(&client, fleet).await?,
    ])
}

async fn verified(client: &Client, fleet: &Fleet) -> Result<Section, BoxError> {
    let billing = Caller::of_orders(fleet, "billing", &fleet.keys.billing)?;
    let reporting = Caller::of_orders(fleet, "reporting", &fleet.keys.reporting)?;
    let mut section = Section::new("orders learns who calls");
    for (sent, expected, request) in [
        (
            "GET /orders/7, signed by billing",
            "200 billing",
            billing.get("/orders/7?full=1")?,
        ),
        (
            "POST /orders with JSON, signed by billing",
            "201 billing",
            billing.post("/orders", r#"{"item":"ż"}"#)?,
        ),
        (
            "GET /orders/7, signed by reporting",
            "200 reporting",
            reporting.get("/orders/7")?,
        ),
        (
            "GET /healthz, which is open, not signed",
            "200",
            plain(Method::GET, fleet.orders, "/healthz", ORDERS)?,
        ),
    ] {
        section
            .rows
            .push(row(client, sent, expected, request).await?);
    }
    Ok(section)
}

async fn refused(client: &Client, fleet: &Fleet) -> Result<Section, BoxError> {
    let billing = Caller::of_orders(fleet, "billing", &fleet.keys.billing)?;
    let reporting = Caller::of_orders(fleet, "reporting", &fleet.keys.reporting)?;
    let wrong_key = SharedKey::generate("wrong")?;
    let impostor = Caller::of_orders(fleet, "billing", &wrong_key)?;
    let mut other_body = billing.post("/orders", r#"{"item":"ż"}"#)?;
    *other_body.body_mut() = Bytes::from(r#"{"item":"ź"}"#);
    let replayed = billing.get("/orders/7")?;
    client.response(replayed.clone()).await?;

    let mut section = Section::new("refused by its proxy, and orders does not see them");
    for (sent, expected, request) in [
        (
            "GET /orders/7, not signed",
            "401 missing_signature",
            plain(Method::GET, fleet.orders, "/orders/7", ORDERS)?,
        ),
        (
            "signed as billing, with another key",
            "401 invalid_signature",
            impostor.get("/orders/7")?,
        ),
        (
            "signed, then its body changed",
            "401 body_mismatch",
            other_body,
        ),
        ("signed, and sent a second time", "401 replayed", replayed),
        (
            "POST /orders, signed by reporting, which may only read",
            "403 forbidden",
            reporting.post("/orders", "{}")?,
        ),
    ] {
        section
            .rows
            .push(row(client, sent, expected, request).await?);
    }
    Ok(section)
}

/// Identity headers that a client writes itself.
async fn forged(client: &Client, fleet: &Fleet) -> Result<Section, BoxError> {
    let billing = Caller::of_orders(fleet, "billing", &fleet.keys.billing)?;
    let root = HeaderValue::from_static("root");
    let mut as_root = billing.get("/orders/7")?;
    as_root.headers_mut().insert(CALLER, root.clone());
    let mut alike = billing.get("/orders/7")?;
    alike.headers_mut().insert(ALIKE, root.clone());
    let mut unsigned = plain(Method::GET, fleet.orders, "/orders/7", ORDERS)?;
    unsigned.headers_mut().insert(CALLER, root.clone());
    let mut past = plain(Method::GET, fleet.orders_itself, "/orders/7", ORDERS)?;
    past.headers_mut().insert(CALLER, root);

    let mut section = Section::new("countersign-caller: root, written by the client");
    for (sent, expected, request) in [
        ("signed by billing", "200 billing", as_root),
        (
            "the same, spelled x_countersign.caller",
            "200 billing",
            alike,
        ),
        ("not signed", "401 missing_signature", unsigned),
        (
            "past the proxy, to the port of orders: no secret",
            "401 no_caller",
            past,
        ),
    ] {
        section
            .rows
            .push(row(client, sent, expected, request).await?);
    }
    Ok(section)
}

/// The calls of orders to ledger.
async fn signed(client: &Client, fleet: &Fleet) -> Result<Section, BoxError> {
    let billing = Caller::of_orders(fleet, "billing", &fleet.keys.billing)?;
    let at_ledger = Caller::new("billing", &fleet.keys.billing, fleet.ledger, LEDGER)?;
    let own = fleet.signing.to_string();
    let mut page = plain(Method::GET, fleet.signing, "/entries", &own)?;
    let origin = HeaderValue::from_static("https://evil.example");
    page.headers_mut().insert(ORIGIN, origin);

    let mut section = Section::new("orders calls ledger through its proxy sign");
    for (sent, expected, request) in [
        (
            "POST /orders/7/pay by billing: ledger sees orders",
            "201 orders",
            billing.post("/orders/7/pay", "{}")?,
        ),
        (
            "GET /entries, plain, to proxy sign",
            "200 orders",
            plain(Method::GET, fleet.signing, "/entries", &own)?,
        ),
        (
            "the same for evil.example",
            "421 misdirected",
            plain(Method::GET, fleet.signing, "/entries", "evil.example")?,
        ),
        ("the same from a page of a browser", "403 browser", page),
        (
            "GET /entries, plain, to the proxy of ledger",
            "401 missing_signature",
            plain(Method::GET, fleet.ledger, "/entries", LEDGER)?,
        ),
        (
            "signed by billing, which ledger does not know",
            "401 invalid_signature",
            at_ledger.get("/entries")?,
        ),
    ] {
        section
            .rows
            .push(row(client, sent, expected, request).await?);
    }
    Ok(section)
}

/// Sends a request. Its result is the status, and the code of the refusal or the caller that the
/// service saw. It also tells of a forged header that reached orders.
async fn row(
    client: &Client,
    sent: &str,
    expected: &str,
    request: Request<Bytes>,
) -> Result<Row, BoxError> {
    let response = client.response(request).await?;
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let seen = body.get("error").or_else(|| body.get("caller"));
    let mut got = match seen.and_then(Value::as_str) {
        Some(seen) => format!("{status} {seen}"),
        None => status.to_string(),
    };
    let received = body.get("received").and_then(Value::as_array);
    let is_alike = |name: &Value| name.as_str() == Some(ALIKE.as_str());
    if received.is_some_and(|received| received.iter().any(is_alike)) {
        got.push_str(", and the forged header");
    }
    Ok(Row::new(sent, expected, got))
}

/// Returns a request that nobody signs. It is sent to an address, and names a host.
fn plain(
    method: Method,
    to: SocketAddr,
    target: &str,
    host: &str,
) -> Result<Request<Bytes>, BoxError> {
    Ok(Request::builder()
        .method(method)
        .uri(url(to, target)?)
        .header(HOST, host)
        .body(Bytes::new())?)
}

fn url(to: SocketAddr, target: &str) -> Result<Uri, http::uri::InvalidUri> {
    format!("http://{to}{target}").parse()
}

/// A caller that signs its requests, as a Rust service does.
struct Caller {
    signer: Signer,
    to: SocketAddr,
    host: &'static str,
}

impl Caller {
    fn of_orders(fleet: &Fleet, name: &str, key: &SharedKey) -> Result<Self, BoxError> {
        Self::new(name, key, fleet.orders, ORDERS)
    }

    fn new(
        name: &str,
        key: &SharedKey,
        to: SocketAddr,
        host: &'static str,
    ) -> Result<Self, BoxError> {
        let signer = Signer::new(name, key.signing_key()?, [host])?;
        Ok(Self { signer, to, host })
    }

    fn get(&self, target: &str) -> Result<Request<Bytes>, BoxError> {
        self.signed(Request::get(format!("http://{}{target}", self.host)).body(Bytes::new())?)
    }

    fn post(&self, target: &str, json: &'static str) -> Result<Request<Bytes>, BoxError> {
        let request = Request::post(format!("http://{}{target}", self.host))
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from_static(json.as_bytes()))?;
        self.signed(request)
    }

    /// Signs for the host, and sends to the address.
    fn signed(&self, request: Request<Bytes>) -> Result<Request<Bytes>, BoxError> {
        let mut request = sign(&self.signer, request, SystemTime::now())?;
        let target = request.uri().path_and_query();
        let target = target.map_or("/", |it| it.as_str()).to_owned();
        *request.uri_mut() = url(self.to, &target)?;
        let host = HeaderValue::from_static(self.host);
        request.headers_mut().insert(HOST, host);
        Ok(request)
    }
}
