//! `forwarded`: the headers that Traefik and Caddy write, beside a secret.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{
    description::{Description, Refused},
    secret::GatewaySecret,
};
use crate::forward::SentBody;

/// The header in which a gateway shows its secret.
pub(super) const GATEWAY: HeaderName = HeaderName::from_static("countersign-gateway");
const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// Reads the headers, and removes them.
pub(super) fn describe(
    mut headers: HeaderMap,
    body: SentBody,
    secret: &GatewaySecret,
) -> Result<Description, Refused> {
    ensure_gateway(&mut headers, secret)?;
    let method = take(&mut headers, &METHOD)?;
    let host = take(&mut headers, &HOST)?;
    let target = take(&mut headers, &URI)?;
    let target = String::from_utf8(target.as_bytes().to_vec());
    Ok(Description {
        method: Method::from_bytes(method.as_bytes())
            .map_err(|_| Refused("x-forwarded-method: expected a method"))?,
        host,
        target: target.map_err(|_| Refused("x-forwarded-uri: expected a path"))?,
        headers,
        body,
        source: None,
    })
}

/// Checks the secret, and removes it.
pub(super) fn ensure_gateway(
    headers: &mut HeaderMap,
    secret: &GatewaySecret,
) -> Result<(), Refused> {
    let shown = take(headers, &GATEWAY)
        .map_err(|_| Refused("countersign-gateway: expected the gateway's secret once"))?;
    if secret.is(shown.as_bytes()) {
        Ok(())
    } else {
        Err(Refused(
            "countersign-gateway: expected the gateway's secret",
        ))
    }
}

/// Takes a header that must be there exactly once.
fn take(headers: &mut HeaderMap, name: &HeaderName) -> Result<HeaderValue, Refused> {
    let mut lines = headers.get_all(name).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(Refused(
            "x-forwarded-…: expected method, host and uri once each",
        ));
    };
    let line = line.clone();
    headers.remove(name);
    Ok(line)
}
