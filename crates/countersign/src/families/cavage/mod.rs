//! `draft-cavage-http-signatures-12`: the HTTP signatures before RFC 9421, which gateways and the
//! Fediverse still speak.
//!
//! ```text
//! Date: Fri, 02 Jan 2026 03:04:05 GMT
//! Digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=
//! Authorization: Signature keyId="billing",algorithm="hmac-sha256",
//!     headers="(request-target) host date digest x-nonce",signature="…"       (on one line)
//! ```
//!
//! The same parameters may be in the header `Signature`. The signature covers the [signing
//! string](signing_string): one line for each name in `headers`. The draft leaves the required
//! names to the application; [`CavageVerifySettings`] sets them. The head is authenticated before
//! the body is read. The body is then compared with the covered [digest](digest).
//!
//! The key decides the algorithm. `algorithm` can only agree with it: `hs2019` agrees with every
//! key, an older name with the keys of one algorithm.
//!
//! The draft has no nonce. Its signatures are deterministic, so the signature itself is the replay
//! identity, unless a header `x-nonce` is covered. Signers of this crate cover one.
//!
//! A gateway that signs other lines, or names its parameters otherwise, is a value of [`Dialect`].
//!
//! Choices that the draft leaves open, and stricter rules:
//!
//! - Each parameter occurs once. Unknown ones are refused, and values with escapes.
//! - `headers` holds names in lower case, each once, separated by one space.
//! - `created` and `expires` are whole seconds, with or without quotes. Uncovered, they can refuse
//!   a request and nothing else.
//! - `created` may be before or after the clock by the same distance: all schemes share one window.
//! - The signature is padded standard Base64, so that it has one spelling.
//! - An absent header cannot be covered: no value may represent absence.
//! - `Digest` must be covered if it is present.

mod algorithm;
mod covered_names;
mod credentials;
mod dialect;
mod digest;
mod keys;
mod parameters;
mod parse;
mod sign;
mod signing_string;
#[cfg(test)]
mod tests;
mod verify_settings;

use http::HeaderName;

pub(crate) use self::{
    credentials::Credentials, sign::CavageSignSettings as FamilySigner,
    verify_settings::CavageVerifySettings as FamilyVerifier,
};
pub use self::{sign::CavageSignSettings, verify_settings::CavageVerifySettings};

static SIGNATURE: HeaderName = HeaderName::from_static("signature");
static SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
static DIGEST: HeaderName = HeaderName::from_static("digest");
