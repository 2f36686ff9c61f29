//! Requests that are signed by hand.

use std::time::SystemTime;

use bytes::Bytes;
use countersign::{PayloadDigest, Signer, Timestamp};
use http::Request;
use tower_countersign::BoxError;

/// Signs a head by hand, so that the request can be changed afterwards.
///
/// # Errors
///
/// If the signer does not sign this request, as for another host.
pub fn sign(
    signer: &Signer,
    request: Request<Bytes>,
    now: SystemTime,
) -> Result<Request<Bytes>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let digest = PayloadDigest::of(&body);
    let signature = signer.sign(&parts, digest, Timestamp::from(now))?;
    signature.apply(&mut parts);
    Ok(Request::from_parts(parts, body))
}
