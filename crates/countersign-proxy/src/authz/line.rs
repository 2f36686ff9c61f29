//! `line`: one header that nginx, HAProxy or Caddy writes.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{
    description::{Description, Refused},
    secret::GatewaySecret,
};
use crate::forward::empty;

/// `Countersign-Request: SECRET METHOD HOST TARGET`.
const LINE: HeaderName = HeaderName::from_static("countersign-request");

/// Reads the line, and removes it. Without the secret, a client could describe another request than
/// the one it sends.
pub(super) fn describe(
    mut headers: HeaderMap,
    secret: &GatewaySecret,
) -> Result<Description, Refused> {
    let mut lines = headers.get_all(&LINE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(Refused("countersign-request: expected once"));
    };
    let line = line.clone();
    headers.remove(&LINE);
    let mut words = line.as_bytes().split(|byte| *byte == b' ');
    let [Some(shown), Some(method), Some(host), Some(target), None] = [
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ] else {
        return Err(Refused(
            "countersign-request: expected a secret, a method, a host and a target",
        ));
    };
    if !secret.is(shown) {
        return Err(Refused(
            "countersign-request: expected the gateway's secret",
        ));
    }
    let target = String::from_utf8(target.to_vec());
    Ok(Description {
        method: Method::from_bytes(method).map_err(|_| Refused("method: expected one"))?,
        host: HeaderValue::from_bytes(host).map_err(|_| Refused("host: expected one"))?,
        target: target.map_err(|_| Refused("target: expected a path"))?,
        headers,
        body: empty(),
        source: None,
    })
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn described(lines: &[&str]) -> Result<(String, String, String), Refused> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(LINE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let secret = GatewaySecret::new(Zeroizing::new(SECRET.to_owned()));
        let described = describe(headers, &secret)?;
        assert!(!described.headers.contains_key(LINE));
        let host = described.host.to_str().unwrap().to_owned();
        Ok((described.method.to_string(), host, described.target))
    }

    #[test]
    fn a_line_is_read_only_with_the_secret_and_only_once() {
        let good = "0123456789abcdef POST orders:1 /a?b";
        let (method, host, target) = described(&[good]).unwrap();
        assert_eq!((&*method, &*host, &*target), ("POST", "orders:1", "/a?b"));
        for lines in [
            &[][..],
            &[good, good],
            &["0123456789abcdeF POST orders:1 /a"],
            &["0123456789abcde POST orders:1 /a"],
            &[" POST orders:1 /a"],
            &["POST orders:1 /a"],
            &["0123456789abcdef POST orders:1"],
            &["0123456789abcdef POST orders:1 /a b"],
            &["0123456789abcdef  POST orders:1 /a"],
            &["0123456789abcdef P@ST orders:1 /a"],
            &[""],
        ] {
            assert!(described(lines).is_err(), "{lines:?}");
        }
    }
}
