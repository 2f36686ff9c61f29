//! What a gateway says about a request.

use std::net::SocketAddr;

use countersign::PlainPath;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri, Version,
    header::{CONTENT_LENGTH, HOST, UPGRADE},
};

use crate::{
    forward::SentBody,
    message::{cookies, hop_by_hop, look_alike::LookAlikes, target},
    routes::Route,
};

/// Why a description is refused without asking the layers. The text is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) &'static str);

/// A request as a gateway describes it.
pub(super) struct Description {
    pub(super) method: Method,
    pub(super) host: HeaderValue,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: SentBody,
    /// The address of the gateway's client.
    pub(super) source: Option<SocketAddr>,
}

/// The names of the headers that the gateway described, to find those that the layers removed.
#[derive(Clone)]
pub(super) struct Described(pub(super) Vec<http::HeaderName>);

/// Which descriptions are accepted.
#[derive(Debug)]
pub(crate) struct DescriptionRules {
    pub(crate) alike: LookAlikes,
    /// Accepts paths that a gateway or an upstream could rewrite.
    pub(crate) any_path: bool,
    pub(crate) upgrades: Vec<Route>,
}

impl Description {
    /// Builds the request that the layers judge. Names that look like the identity are removed, and
    /// returned as they came.
    pub(super) fn into_request(
        self,
        rules: &DescriptionRules,
    ) -> Result<(Request<SentBody>, Vec<http::HeaderName>), Refused> {
        let Self {
            method,
            host,
            target,
            mut headers,
            body,
            source,
        } = self;
        target::check_text(&method, &target).map_err(|problem| Refused(problem.0))?;
        let uri: Uri = target
            .parse()
            .map_err(|_| Refused("target: expected a path"))?;
        if method == Method::CONNECT {
            return Err(Refused("method: connect is not decided"));
        }
        if !rules.any_path && PlainPath::parse(uri.path()).is_err() {
            return Err(Refused("target: expected a plain path (see any_path)"));
        }
        let is_listed = |route: &Route| route.is(&method, &uri);
        if headers.contains_key(UPGRADE) && !rules.upgrades.iter().any(is_listed) {
            return Err(Refused("upgrade: expected a listed route"));
        }
        cookies::join(&mut headers);
        headers.remove(CONTENT_LENGTH);
        headers.insert(HOST, host);
        hop_by_hop::remove_from_request(&mut headers).map_err(|problem| Refused(problem.0))?;
        let removed = rules.alike.among(&headers);
        rules.alike.remove_from(&mut headers);
        let described = Described(headers.keys().cloned().collect());
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        request.extensions_mut().insert(described);
        if let Some(source) = source {
            request.extensions_mut().insert(source);
        }
        Ok((request, removed))
    }
}
