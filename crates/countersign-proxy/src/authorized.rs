//! The request that may be forwarded.

use http::{HeaderMap, Request, Uri, header::HOST, request::Parts, uri::Authority};
use tower_countersign::{RequestBody, VerifiedCaller};

use crate::routes::OpenRoute;

/// A request that the layers accepted, or that asks for an open route.
///
/// Only the two constructors make one, and [`Forward`](crate::forward::Forward) takes nothing else.
/// So no mistake in the order of the stack can forward a request that nobody verified.
pub(crate) struct Authorized {
    parts: Parts,
    body: RequestBody,
    authority: Authority,
    caller: Option<VerifiedCaller>,
}

impl Authorized {
    /// Takes a request behind `VerifyLayer`. Returns `None` unless the layer has verified this
    /// method and this path.
    pub(crate) fn verified(request: Request<RequestBody>) -> Option<Self> {
        let (mut parts, body) = request.into_parts();
        // Only the layer makes this value, and it removes any that was there before.
        let caller = parts.extensions.remove::<VerifiedCaller>()?;
        if *caller.method() != parts.method || caller.path() != parts.uri.path() {
            return None;
        }
        let authority = authority(&parts.uri, &parts.headers)?;
        Some(Self {
            parts,
            body,
            authority,
            caller: Some(caller),
        })
    }

    /// Takes the head of a request for an open route. It has no body, and no caller.
    pub(crate) fn open(route: &OpenRoute, mut parts: Parts) -> Self {
        crate::message::open_request::reduce(&mut parts.headers);
        Self {
            parts,
            body: RequestBody::default(),
            authority: route.authority().clone(),
            caller: None,
        }
    }

    /// Returns the verified caller. `None` on an open route.
    pub(crate) fn caller(&self) -> Option<&VerifiedCaller> {
        self.caller.as_ref()
    }

    pub(crate) fn parts(&mut self) -> &mut Parts {
        &mut self.parts
    }

    pub(crate) fn into_inner(self) -> (Parts, RequestBody, Authority) {
        (self.parts, self.body, self.authority)
    }
}

/// Returns the authority of a request. `VerifyLayer` has compared the URI and `Host`.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    let mut lines = headers.get_all(HOST).iter();
    let (Some(host), None) = (lines.next(), lines.next()) else {
        return None;
    };
    Authority::try_from(host.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_no_layer_verified_is_not_authorized() {
        let request = Request::get("http://orders/").body(RequestBody::default());
        assert!(Authorized::verified(request.unwrap()).is_none());
    }
}
