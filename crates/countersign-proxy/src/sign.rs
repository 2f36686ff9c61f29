//! The proxy that signs. Only the order of its steps is here.

use std::sync::Arc;

use countersign::{SignError, SignErrorKind};
use http::{
    HeaderMap, Method, Request, Response, StatusCode, Uri, header::HOST, header::ORIGIN,
    uri::Authority,
};
use hyper::body::{Body, Incoming};
use tower::{Layer, ServiceExt, util::BoxCloneSyncService};
use tower_countersign::{BoxError, SignLayer};

use crate::{
    events,
    forward::{AnswerBody, ForwardSigned, Front, Scheme, error, uri},
    listen::{Handler, ListenAddress, Peer},
    message::{
        Malformed, cookies, hop_by_hop, look_alike::LookAlikes, signature_headers, target,
        upgrade::Asked,
    },
};

type Stack = BoxCloneSyncService<Request<Incoming>, Response<AnswerBody>, BoxError>;

/// A forward proxy to one target, for clients without signing code.
pub(crate) struct SignProxy {
    pub(crate) section: Arc<str>,
    /// The authority that requests are signed for.
    pub(crate) authority: Authority,
    pub(crate) scheme: Scheme,
    /// The authorities by which clients may call the proxy itself, in lower case.
    pub(crate) own: Vec<String>,
    pub(crate) allow_browsers: bool,
    pub(crate) max_bytes: u64,
    pub(crate) stack: Stack,
}

/// Why a request is not signed.
pub(crate) struct NotSigned {
    status: StatusCode,
    code: &'static str,
    reason: String,
}

impl NotSigned {
    /// Logs the reason and returns the answer, which holds the code only.
    pub(crate) fn answer(&self, section: &str, method: &Method) -> Response<AnswerBody> {
        events::refused(section, method, self.code, &self.reason);
        error(self.status, self.code)
    }
}

/// Puts the signer in front of the target.
pub(crate) fn stack(sign: &SignLayer, forward: ForwardSigned) -> Stack {
    BoxCloneSyncService::new(sign.layer(forward))
}

impl Handler for SignProxy {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<AnswerBody> {
        let method = request.method().clone();
        match self.signed(request, peer).await {
            Ok(response) => response,
            Err(not_signed) => not_signed.answer(&self.section, &method),
        }
    }
}

impl SignProxy {
    /// Adds the authorities by which a client reaches the bound address.
    pub(crate) fn listens_on(&mut self, address: &ListenAddress) {
        match address {
            ListenAddress::Tcp(address) => {
                self.own.push(address.to_string());
                if address.ip().is_loopback() {
                    self.own.push(format!("localhost:{}", address.port()));
                }
            }
            ListenAddress::Unix(_) => self.own.push("localhost".to_owned()),
        }
    }

    async fn signed(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Result<Response<AnswerBody>, NotSigned> {
        let (mut parts, body) = request.into_parts();
        target::check(&parts.method, &parts.uri, parts.version)
            .map_err(|problem| malformed(&parts.method, problem))?;
        refuse_browsers(&parts.headers, self.allow_browsers)?;
        self.ensure_addressed(&parts.uri, &parts.headers)?;
        cookies::join(&mut parts.headers);
        let trailers = hop_by_hop::remove_from_request(&mut parts.headers)
            .map_err(|problem| malformed(&parts.method, problem))?;
        LookAlikes::default().remove_from(&mut parts.headers);
        refuse_presigned(&parts.uri)?;
        signature_headers::remove_all(&mut parts.headers);
        parts.headers.remove(HOST);
        parts.uri = uri(self.scheme, self.authority.clone(), &parts.uri)
            .ok_or_else(|| malformed(&parts.method, Malformed("target: expected a path")))?;
        if body.size_hint().lower() > self.max_bytes {
            return Err(too_large());
        }
        parts.extensions.clear();
        parts.extensions.insert(Front {
            trailers,
            upgrade: Asked::Nothing,
            client: None,
            proto: peer.proto,
            guard: peer.guard,
        });
        let stack = self.stack.clone();
        let answered = stack.oneshot(Request::from_parts(parts, body)).await;
        answered.map_err(|error| not_signed(&error))
    }

    /// Refuses a request for another host. A web page can have its own name resolve to a loopback
    /// address (DNS rebinding), and its requests then carry that name.
    fn ensure_addressed(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), NotSigned> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let is_one = hosts.next().is_none();
        let of_uri = uri.authority().map(Authority::as_str);
        let is_known = |host: &str| {
            let host = host.to_ascii_lowercase();
            self.own.contains(&host) || self.authority.as_str().eq_ignore_ascii_case(&host)
        };
        let asked = [of_uri, host];
        let mut asked = asked.into_iter().flatten().peekable();
        if is_one && asked.peek().is_some() && asked.all(is_known) {
            return Ok(());
        }
        Err(NotSigned {
            status: StatusCode::MISDIRECTED_REQUEST,
            code: "misdirected",
            reason: "host: expected this proxy or its target, found another".to_owned(),
        })
    }
}

/// Refuses requests of web pages. A page of any origin can send requests to a loopback address.
pub(crate) fn refuse_browsers(headers: &HeaderMap, allowed: bool) -> Result<(), NotSigned> {
    let of_browser = headers.contains_key(ORIGIN)
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("sec-fetch-"));
    if of_browser && !allowed {
        return Err(NotSigned {
            status: StatusCode::FORBIDDEN,
            code: "browser",
            reason: "origin: expected no request of a browser (see allow_browsers)".to_owned(),
        });
    }
    Ok(())
}

/// Refuses the credentials of a presigned URL: they would reach the target beside the signature.
pub(crate) fn refuse_presigned(uri: &Uri) -> Result<(), NotSigned> {
    if signature_headers::is_presigned(uri) {
        return Err(NotSigned {
            status: StatusCode::BAD_REQUEST,
            code: "already_signed",
            reason: "query: expected no parameters of a signature, found some".to_owned(),
        });
    }
    Ok(())
}

fn malformed(method: &Method, problem: Malformed) -> NotSigned {
    let status = if *method == Method::CONNECT {
        StatusCode::METHOD_NOT_ALLOWED
    } else {
        StatusCode::BAD_REQUEST
    };
    NotSigned {
        status,
        code: "malformed",
        reason: problem.0.to_owned(),
    }
}

fn too_large() -> NotSigned {
    NotSigned {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "too_large",
        reason: "body: expected no more than limits.body.bytes, found more".to_owned(),
    }
}

/// Answers an error of the signer. The error holds no secret.
pub(crate) fn not_signed(error: &BoxError) -> NotSigned {
    let Some(sign) = error.downcast_ref::<SignError>() else {
        return NotSigned {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "misconfigured",
            reason: error.to_string(),
        };
    };
    let (status, code) = match sign.kind() {
        SignErrorKind::Body => (StatusCode::BAD_REQUEST, "body"),
        SignErrorKind::BufferFull | SignErrorKind::Credentials | SignErrorKind::Random => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
        SignErrorKind::AlreadySigned => (StatusCode::BAD_REQUEST, "already_signed"),
        _ => (StatusCode::BAD_REQUEST, "cannot_be_signed"),
    };
    NotSigned {
        status,
        code,
        reason: sign.to_string(),
    }
}
