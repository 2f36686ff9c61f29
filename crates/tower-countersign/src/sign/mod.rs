//! Signs requests on their way out.
//!
//! The layer reads the body to its end, because its hash is part of what is signed; brings the authority to the one form
//! that every client sends; and adds the signature's headers. A request that cannot be signed is not sent.
//!
//! - **Innermost**: whatever changes the request after it (compression, other headers to be covered, path rewriting) makes
//!   the signature wrong. Put [`SignLayer`] last, next to the client.
//! - **Inside retries**: every attempt then has a date and a nonce of its own. A retry of an already signed request is
//!   refused by the receiver as a replay.
//! - **Bound to its authorities**: a request to another one is an error, so that a redirect or a URL from outside cannot
//!   make a service sign for a stranger. Clients must not follow redirects by themselves, since they would carry the
//!   signature's headers along.
//! - **Bounded waiting**: for temporary credentials a request waits 5 seconds
//!   ([`with_credentials_deadline`](SignLayer::with_credentials_deadline)), and only where they are about to expire.
//! - **By its own clock**: it never takes the time from a response's `Date`, which nobody has signed.

mod layer;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
#[cfg(feature = "reqwest")]
mod reqwest_service;
mod service;
mod settings;
mod signed_body;

#[cfg(feature = "reqwest-middleware")]
pub use self::middleware::SignMiddleware;
#[cfg(feature = "reqwest")]
pub use self::reqwest_service::ReqwestService;
pub use self::{
    layer::SignLayer,
    service::{Sign, SignFuture},
    signed_body::SignedBody,
};
