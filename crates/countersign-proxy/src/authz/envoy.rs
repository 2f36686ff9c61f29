//! What Envoy says about a request, and what it is answered.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_LENGTH,
};
use http_body_util::Full;

use super::{
    decision::{Allow, Bodies, Decision},
    description::{Description, Refused},
    messages::{
        APPEND, Allowed, Attributes, CheckRequest, CheckResponse, Denied, HeaderLine, HttpStatus,
        OVERWRITE, RpcStatus, SetHeader,
    },
};
use crate::forward::boxed;

/// Codes of gRPC, which decide if there is no HTTP answer.
const PERMISSION_DENIED: i32 = 7;
const UNAUTHENTICATED: i32 = 16;

/// Set by Envoy if it cut the body off.
const PARTIAL: &str = "x-envoy-auth-partial-body";

/// Refuses a body that Envoy cut off.
pub(super) fn ensure_whole(headers: &HeaderMap) -> Result<(), Refused> {
    let partial = headers.get_all(PARTIAL).iter();
    if partial.into_iter().all(|partial| partial == "false") {
        Ok(())
    } else {
        Err(Refused(
            "body: cut off (see allow_partial_message of Envoy)",
        ))
    }
}

/// Reads a description. A description that shows less than the upstream will get is refused.
pub(super) fn describe(request: CheckRequest, bodies: Bodies) -> Result<Description, Refused> {
    let Attributes { source, request } = request
        .attributes
        .ok_or(Refused("attributes: expected some"))?;
    let http = request.and_then(|request| request.http);
    let http = http.ok_or(Refused("request: expected one of HTTP"))?;
    let lines = http.header_map.ok_or(Refused(
        "header_map: expected one (see encode_raw_headers of Envoy)",
    ))?;
    let mut headers = HeaderMap::new();
    for line in lines.headers {
        // Envoy keeps the pseudo-headers of HTTP/2 among the headers.
        if line.key.starts_with(':') {
            continue;
        }
        let name = HeaderName::from_bytes(line.key.as_bytes());
        let name = name.map_err(|_| Refused("headers: expected names, found another text"))?;
        let value = if line.raw_value.is_empty() {
            HeaderValue::from_bytes(line.value.as_bytes())
        } else {
            HeaderValue::from_bytes(&line.raw_value)
        };
        let value = value.map_err(|_| Refused("headers: expected values, found another text"))?;
        headers.append(name, value);
    }
    ensure_whole(&headers)?;
    let lengths = headers.get_all(CONTENT_LENGTH).iter();
    let has_body = lengths.into_iter().any(|length| length != "0");
    if !http.body.is_empty() && http.raw_body.is_empty() {
        return Err(Refused("body: expected bytes (see pack_as_bytes of Envoy)"));
    }
    if has_body && http.raw_body.is_empty() {
        return Err(Refused(
            "body: declared and not handed on (see with_request_body of Envoy)",
        ));
    }
    if bodies == Bodies::None && !http.raw_body.is_empty() {
        return Err(Refused("body: expected none (see bodies = \"none\")"));
    }
    Ok(Description {
        method: Method::from_bytes(http.method.as_bytes())
            .map_err(|_| Refused("method: expected one"))?,
        host: HeaderValue::from_str(&http.host).map_err(|_| Refused("host: expected one"))?,
        target: http.path,
        headers,
        body: boxed(Full::new(http.raw_body)),
        source: source.and_then(|peer| {
            let socket = peer.address?.socket?;
            let port = u16::try_from(socket.port).ok()?;
            Some(SocketAddr::new(socket.address.parse().ok()?, port))
        }),
    })
}

/// Writes a decision. A refusal is always an HTTP answer, never an error of gRPC: Envoy lets
/// requests in on errors if it is told to.
pub(super) fn answer(decision: Decision) -> CheckResponse {
    match decision {
        Decision::Allow(allow) => allowed(allow),
        Decision::Refuse(refusal) => denied(&refusal),
    }
}

fn allowed(allow: Allow) -> CheckResponse {
    let Allow {
        set,
        remove,
        signature,
    } = allow;
    let is_set = |name: &HeaderName| set.iter().any(|(of_ours, _)| of_ours == name);
    let remove = remove.into_iter().chain(signature);
    // Envoy removes after it sets.
    let remove = remove.filter(|name| !is_set(name));
    let headers_to_remove = remove.map(|name| name.to_string()).collect();
    let headers = set
        .iter()
        .map(|(name, value)| header(name, value, OVERWRITE));
    CheckResponse {
        status: Some(RpcStatus { code: 0 }),
        denied: None,
        allowed: Some(Allowed {
            headers: headers.collect(),
            headers_to_remove,
        }),
    }
}

fn denied(refusal: &Response<Bytes>) -> CheckResponse {
    let status = refusal.status();
    let headers = refusal.headers().iter();
    let headers = headers
        .filter(|(name, _)| *name != CONTENT_LENGTH)
        .map(|(name, value)| header(name, value, APPEND));
    let code = if status == StatusCode::UNAUTHORIZED {
        UNAUTHENTICATED
    } else {
        PERMISSION_DENIED
    };
    CheckResponse {
        status: Some(RpcStatus { code }),
        denied: Some(Denied {
            status: Some(HttpStatus {
                code: i32::from(status.as_u16()),
            }),
            headers: headers.collect(),
            body: String::from_utf8_lossy(refusal.body()).into_owned(),
        }),
        allowed: None,
    }
}

fn header(name: &HeaderName, value: &HeaderValue, append_action: i32) -> SetHeader {
    SetHeader {
        header: Some(HeaderLine {
            key: name.to_string(),
            value: value.to_str().unwrap_or_default().to_owned(),
            raw_value: Vec::new(),
        }),
        append_action,
    }
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};

    use super::*;
    use crate::authz::messages::{DescribedRequest, HeaderLines, HttpRequest};

    fn line(key: &str, value: &str) -> HeaderLine {
        HeaderLine {
            key: key.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        }
    }

    fn request(change: impl Fn(&mut HttpRequest)) -> CheckRequest {
        let mut http = HttpRequest {
            method: "POST".to_owned(),
            path: "/a?b".to_owned(),
            host: "orders".to_owned(),
            body: String::new(),
            raw_body: Bytes::from_static(b"body"),
            header_map: Some(HeaderLines {
                headers: vec![line(":path", "/a?b"), line("content-length", "4")],
            }),
        };
        change(&mut http);
        CheckRequest {
            attributes: Some(Attributes {
                source: None,
                request: Some(DescribedRequest { http: Some(http) }),
            }),
        }
    }

    fn headers(http: &mut HttpRequest) -> &mut Vec<HeaderLine> {
        &mut http.header_map.as_mut().unwrap().headers
    }

    type Case = (&'static str, fn(&mut HttpRequest), Bodies, &'static str);

    #[test]
    fn a_description_that_shows_less_than_the_upstream_gets_is_refused() {
        let describe = |change: fn(&mut HttpRequest), bodies| {
            describe(request(change), bodies)
                .err()
                .map(|refused| refused.0)
        };
        let whole = Bodies::Forwarded;
        assert_eq!(describe(|_| {}, whole), None);
        let cases: [Case; 9] = [
            (
                "encode_raw_headers is off",
                |it| it.header_map = None,
                whole,
                "encode_raw_headers",
            ),
            (
                "with_request_body is off",
                |it| it.raw_body.clear(),
                whole,
                "with_request_body",
            ),
            (
                "pack_as_bytes is off",
                |it| {
                    it.raw_body.clear();
                    it.body = "body".to_owned();
                },
                whole,
                "pack_as_bytes",
            ),
            (
                "cut off",
                |it| headers(it).push(line("x-envoy-auth-partial-body", "true")),
                whole,
                "cut off",
            ),
            (
                "cut off, said twice",
                |it| {
                    headers(it).push(line("x-envoy-auth-partial-body", "false"));
                    headers(it).push(line("x-envoy-auth-partial-body", "true"));
                },
                whole,
                "cut off",
            ),
            (
                "a body where none is expected",
                |_| {},
                Bodies::None,
                "expected none",
            ),
            (
                "no name",
                |it| headers(it).push(line("a b", "1")),
                whole,
                "names",
            ),
            (
                "no value",
                |it| headers(it).push(line("a", "1\n2")),
                whole,
                "values",
            ),
            ("no method", |it| it.method.clear(), whole, "method"),
        ];
        for (name, change, bodies, expected) in cases {
            let refused = describe(change, bodies);
            assert!(
                refused.is_some_and(|it| it.contains(expected)),
                "{name}: {refused:?}"
            );
        }
        assert!(super::describe(CheckRequest { attributes: None }, whole).is_err());
    }

    #[test]
    fn raw_values_and_repeated_headers_are_kept() {
        let described = describe(
            request(|it| {
                headers(it).push(HeaderLine {
                    key: "x-a".to_owned(),
                    value: String::new(),
                    raw_value: b"\xff".to_vec(),
                });
                headers(it).push(line("x-a", "2"));
            }),
            Bodies::Forwarded,
        );
        let Ok(described) = described else {
            panic!("refused")
        };
        let values = described.headers.get_all("x-a").iter();
        let values: Vec<_> = values.map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [&b"\xff"[..], b"2"]);
        assert!(!described.headers.contains_key("path"));
    }

    #[test]
    fn the_identity_overwrites_and_nothing_that_is_set_is_removed() {
        let caller = HeaderName::from_static("countersign-caller");
        let answer = answer(Decision::Allow(Allow {
            set: vec![(caller.clone(), HeaderValue::from_static("billing"))],
            remove: vec![caller, HeaderName::from_static("countersign_caller")],
            signature: vec![AUTHORIZATION],
        }));
        assert_eq!(answer.status, Some(RpcStatus { code: 0 }));
        let allowed = answer.allowed.unwrap();
        let actions: Vec<_> = allowed.headers.iter().map(|it| it.append_action).collect();
        assert_eq!(actions, [OVERWRITE]);
        assert_eq!(
            allowed.headers_to_remove,
            ["countersign_caller", "authorization"]
        );
    }

    #[test]
    fn every_refusal_is_an_http_answer() {
        for (status, code) in [(401, UNAUTHENTICATED), (403, 7), (421, 7), (503, 7)] {
            let mut refusal = Response::new(Bytes::from_static(b"{}"));
            *refusal.status_mut() = StatusCode::from_u16(status).unwrap();
            for scheme in ["HMAC-SHA256", "ED25519"] {
                let scheme = HeaderValue::from_static(scheme);
                refusal.headers_mut().append(WWW_AUTHENTICATE, scheme);
            }
            let answer = answer(Decision::Refuse(refusal));
            assert_eq!(answer.status, Some(RpcStatus { code }));
            assert!(answer.allowed.is_none());
            let denied = answer.denied.unwrap();
            assert_eq!(denied.status.unwrap().code, i32::from(status));
            assert_eq!(denied.headers.len(), 2, "both challenges");
        }
    }
}
