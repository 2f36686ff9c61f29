//! The same work through the public interface of the core crate, as a service does it.

use std::time::SystemTime;

use countersign::{
    Authentication, KeyStore, Keyring, Nonce, PayloadDigest, Signer, Timestamp, Verified, Verifier,
};
use http::request::Parts;

pub mod schemes;

/// Verifies the head.
pub fn verify_head(verifier: &Verifier, keys: &Keyring, parts: &Parts) -> bool {
    let now = Timestamp::from(SystemTime::now());
    let Ok(unverified) = verifier.parse(parts, now) else {
        return false;
    };
    let Some(Ok(keys)) = keys.try_lookup(unverified.key_id()) else {
        return false;
    };
    unverified.authenticate(&keys, now).is_ok()
}

/// Verifies the head, then the body.
pub fn verify(verifier: &Verifier, keys: &Keyring, parts: &Parts, body: &[u8]) -> Option<Verified> {
    let now = Timestamp::from(SystemTime::now());
    let unverified = verifier.parse(parts, now).ok()?;
    let keys = keys.try_lookup(unverified.key_id())?.ok()?;
    let Authentication::Head(mut head) = unverified.authenticate(&keys, now).ok()? else {
        return None;
    };
    head.update(body);
    head.finish().ok()
}

/// Signs the head for this body and sets the headers.
pub fn sign(signer: &Signer, parts: &mut Parts, body: &[u8]) -> Option<()> {
    let now = Timestamp::from(SystemTime::now());
    let signature = signer.sign(parts, PayloadDigest::of(body), now).ok()?;
    signature.apply(parts);
    Some(())
}

/// The same at a given time with a given nonce, which three headers leave out.
pub fn sign_with_nonce(
    signer: &Signer,
    nonce: Nonce,
    now: Timestamp,
    parts: &mut Parts,
    body: &[u8],
) -> Option<()> {
    let digest = PayloadDigest::of(body);
    let signature = signer.sign_with_nonce(parts, digest, nonce, now).ok()?;
    signature.apply(parts);
    Some(())
}
