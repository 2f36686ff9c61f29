//! Every kind of accepted call, and every kind of refused call.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use countersign::Signer;
use demo::{
    client::Client,
    key::SharedKey,
    signed::sign,
    table::{Row, Section},
};
use http::{
    HeaderValue, Request, Uri,
    header::{CONTENT_TYPE, EXPECT, HOST},
};
use tower_countersign::BoxError;

use crate::services::{CALLER, READER, Services};

const ACTIVE: &str = "/api/account/7";
const SUSPENDED: &str = "/api/account/13";

/// One byte more than the default limit of the layer.
const OVERSIZED: usize = 2 * 1024 * 1024 + 1;

pub(crate) async fn sections(
    client: &Client,
    services: &Services,
) -> Result<Vec<Section>, BoxError> {
    Ok(vec![
        accepted(client, services).await?,
        refused(client, services).await?,
        denied(client, services).await?,
    ])
}

async fn accepted(client: &Client, services: &Services) -> Result<Section, BoxError> {
    let billing = services.billing.authority();
    let calls = Calls::new(services, services.signer(&services.key)?);
    let mut section = Section::new("accepted");
    for (sent, expected, request) in [
        (
            "POST /invoices for account 7: billing signs its call",
            "201",
            order(&billing, 7)?,
        ),
        (
            "POST /invoices for account 13, which is suspended",
            "409 account_suspended",
            order(&billing, 13)?,
        ),
        (
            "GET /healthz, which is open, not signed",
            "200",
            calls.get("/healthz")?,
        ),
        (
            "GET /api/account/7, signed",
            "200",
            calls.signed(calls.get(ACTIVE)?)?,
        ),
        (
            "POST /api/account/7 with JSON, signed",
            "200",
            calls.signed(calls.update()?)?,
        ),
    ] {
        let got = client.send(request).await?;
        section.rows.push(Row::new(sent, expected, got));
    }
    Ok(section)
}

async fn refused(client: &Client, services: &Services) -> Result<Section, BoxError> {
    let wrong_key = SharedKey::generate("wrong")?;
    let authority = services.users.authority();
    let stranger = Signer::new("scraper", wrong_key.signing_key()?, [&authority])?;
    let stranger = Calls::new(services, stranger);
    let impostor = Calls::new(services, services.signer(&wrong_key)?);
    let calls = Calls::new(services, services.signer(&services.key)?);

    let mut other_body = calls.signed(calls.update()?)?;
    *other_body.body_mut() = Bytes::from(r#"{"status":"suspended"}"#);
    let mut other_path = calls.signed(calls.get(ACTIVE)?)?;
    *other_path.uri_mut() = calls.url(SUSPENDED)?;
    let ten_minutes_ago = SystemTime::now()
        .checked_sub(Duration::from_secs(600))
        .ok_or("the clock is at its very beginning")?;
    let replayed = calls.signed(calls.get(ACTIVE)?)?;
    client.send(replayed.clone()).await?;

    let mut section = Section::new("refused by user-service");
    for (sent, expected, request) in [
        (
            "GET /api/account/7, not signed",
            "401 missing_signature",
            calls.get(ACTIVE)?,
        ),
        (
            "signed by a caller it does not know",
            "401 invalid_signature",
            stranger.signed(stranger.get(ACTIVE)?)?,
        ),
        (
            "signed as billing, with another key",
            "401 invalid_signature",
            impostor.signed(impostor.get(ACTIVE)?)?,
        ),
        (
            "signed, then its body changed",
            "401 body_mismatch",
            other_body,
        ),
        (
            "signed, then its path changed",
            "401 invalid_signature",
            other_path,
        ),
        (
            "signed ten minutes ago",
            "401 expired",
            calls.signed_at(calls.get(ACTIVE)?, ten_minutes_ago)?,
        ),
        ("signed, and sent a second time", "401 replayed", replayed),
        (
            "signed for another service, and relayed here",
            "421 misdirected",
            calls.relayed(&services.key)?,
        ),
    ] {
        let got = client.send(request).await?;
        section.rows.push(Row::new(sent, expected, got));
    }

    let got = client.send_head(calls.signed(calls.oversized()?)?).await?;
    section.rows.push(Row::new(
        "POST /api/echo with 2 MiB and one byte, signed",
        "413 too_large",
        got,
    ));
    Ok(section)
}

/// Calls of a verified caller with limited permissions.
async fn denied(client: &Client, services: &Services) -> Result<Section, BoxError> {
    let key = services.reader_key.signing_key()?;
    let signer = Signer::new(READER, key, [services.users.authority()])?;
    let calls = Calls::new(services, signer);
    let mut section = Section::new("reporting, which may read accounts and nothing else");
    for (sent, expected, request) in [
        (
            "GET /api/account/7, signed by reporting",
            "200",
            calls.signed(calls.get(ACTIVE)?)?,
        ),
        (
            "POST /api/account/7, signed by reporting",
            "403 forbidden",
            calls.signed(calls.update()?)?,
        ),
    ] {
        let got = client.send(request).await?;
        section.rows.push(Row::new(sent, expected, got));
    }
    Ok(section)
}

/// Builds requests to the user service and signers for them.
struct Calls {
    authority: String,
    signer: Signer,
}

impl Calls {
    fn new(services: &Services, signer: Signer) -> Self {
        Self {
            authority: services.users.authority(),
            signer,
        }
    }

    fn url(&self, path: &str) -> Result<Uri, BoxError> {
        Ok(format!("http://{}{path}", self.authority).parse()?)
    }

    fn get(&self, path: &str) -> Result<Request<Bytes>, BoxError> {
        Ok(Request::get(self.url(path)?).body(Bytes::new())?)
    }

    fn update(&self) -> Result<Request<Bytes>, BoxError> {
        Ok(Request::post(self.url(ACTIVE)?)
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(r#"{"status":"active"}"#))?)
    }

    fn oversized(&self) -> Result<Request<Bytes>, BoxError> {
        Ok(Request::post(self.url("/api/echo")?)
            .header(EXPECT, "100-continue")
            .body(Bytes::from(vec![0; OVERSIZED]))?)
    }

    /// Returns a request that billing signed for another service, and that is sent to this one.
    fn relayed(&self, key: &SharedKey) -> Result<Request<Bytes>, BoxError> {
        let other = "audit.internal";
        let signer = Signer::new(CALLER, key.signing_key()?, [other])?;
        let request = Request::get(format!("http://{other}{ACTIVE}")).body(Bytes::new())?;
        let mut request = sign(&signer, request, SystemTime::now())?;
        *request.uri_mut() = self.url(ACTIVE)?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static(other));
        Ok(request)
    }

    fn signed(&self, request: Request<Bytes>) -> Result<Request<Bytes>, BoxError> {
        self.signed_at(request, SystemTime::now())
    }

    fn signed_at(
        &self,
        request: Request<Bytes>,
        now: SystemTime,
    ) -> Result<Request<Bytes>, BoxError> {
        sign(&self.signer, request, now)
    }
}

/// Returns a `POST /invoices` for an account.
pub(crate) fn order(billing: &str, account: u64) -> Result<Request<Bytes>, http::Error> {
    let body = format!("{{\"account\":{account},\"amount_cents\":1200}}");
    Request::post(format!("http://{billing}/invoices"))
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(body))
}
