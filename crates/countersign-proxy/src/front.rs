//! The first step of a proxy that verifies: the changes to a head before the layers see it.

use http::request::Parts;
use hyper::{body::Body, body::Incoming, upgrade::OnUpgrade};

use crate::{
    forward::Front,
    listen::Peer,
    message::{
        Malformed, cookies, hop_by_hop,
        look_alike::LookAlikes,
        target,
        upgrade::{self, Asked},
    },
    routes::Route,
};

/// Prepares a head, in this order: the target is checked, an upgrade is remembered or dropped,
/// cookies are joined, hop-by-hop headers are removed, and names that look like the identity are
/// removed.
///
/// # Errors
///
/// If the head breaks a rule. The request is then refused unverified.
pub(crate) fn prepare(
    parts: &mut Parts,
    body: &Incoming,
    peer: Peer,
    alike: &LookAlikes,
    upgrades: &[Route],
) -> Result<(), Malformed> {
    target::check(&parts.method, &parts.uri, parts.version)?;
    let is_listed = |route: &Route| route.is(&parts.method, &parts.uri);
    let is_listed = upgrades.iter().any(is_listed);
    let upgrade = upgrade::asked(&parts.method, parts.version, &parts.headers, is_listed)?;
    if upgrade == Asked::WebSocket && !body.is_end_stream() {
        return Err(Malformed("upgrade: expected no body, found one"));
    }
    if upgrade != Asked::WebSocket {
        parts.extensions.remove::<OnUpgrade>();
    }
    cookies::join(&mut parts.headers);
    let trailers = hop_by_hop::remove_from_request(&mut parts.headers)?;
    alike.remove_from(&mut parts.headers);
    parts.extensions.insert(peer.connection);
    if let Some(address) = peer.address {
        parts.extensions.insert(address);
    }
    parts.extensions.insert(Front {
        trailers,
        upgrade,
        client: peer.address.map(|address| address.ip()),
        proto: peer.proto,
        guard: peer.guard,
    });
    Ok(())
}
