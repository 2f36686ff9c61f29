//! Signs requests on their way out.
//!
//! The layer reads the body to its end, because its hash is part of what is signed; brings the authority to the one form
//! that every client sends; and adds the signature's headers. A request that cannot be signed is not sent.
//!
//! - **Innermost**: whatever changes the request after it (compression, other headers to be covered, path rewriting) makes
//!   the signature wrong. Put [`SignLayer`](crate::SignLayer) last, next to the client.
//! - **Inside retries**: every attempt then has a date and a nonce of its own. A retry of an already signed request is
//!   refused by the receiver as a replay.
//! - **Bound to its authorities**: a request to another one is an error, so that a redirect or a URL from outside cannot
//!   make a service sign for a stranger. Clients must not follow redirects by themselves, since they would carry the
//!   signature's headers along.
//! - **Bounded bodies**: a body of up to 2 MiB is read into memory, as much as a verifying layer
//!   takes by default ([`with_buffer_bytes`](crate::SignLayer::with_buffer_bytes),
//!   [`BodyLimits::with_max_bytes`](crate::BodyLimits::with_max_bytes)). It must end within 30
//!   seconds, and no wait for a byte may be longer than 10. A body whose
//!   [`PayloadDigest`](countersign::PayloadDigest) is among the request's extensions is not read
//!   but streamed, whatever its length.
//! - **No open streams**: a body that stays open until the answer arrives cannot be signed, so a
//!   bidirectional gRPC call is an error. Unary and server-streaming calls work, and
//!   client-streaming calls whose messages are at hand
//!   ([`with_grpc_idle`](crate::SignLayer::with_grpc_idle)).
//! - **Bounded waiting**: for temporary credentials a request waits 5 seconds
//!   ([`with_credentials_deadline`](crate::SignLayer::with_credentials_deadline)), and only where they are about to expire or are
//!   old and have no known end. One request asks; those that can be signed meanwhile do not wait.
//! - **By its own clock**: it never takes the time from a response's `Date`, which nobody has signed.
//!
//! # Several targets
//!
//! [`SignLayer`](crate::SignLayer) takes one signer, or [`TargetSigners`](countersign::TargetSigners), which selects the signer by the
//! authority of each request. A request for an authority without a target is an error before its body is read. A request
//! for an unsigned target is sent as it came, and its body is streamed.
//!
//! # gRPC
//!
//! tonic's `Channel` adds scheme and authority to a request below every layer, so the signer must be told them with
//! [`with_origin`](crate::SignLayer::with_origin):
//!
//! ```text
//! let endpoint = Endpoint::from_static("http://user-service:8081");
//! let channel = ServiceBuilder::new()
//!     .layer(SignLayer::new(signer).with_origin(endpoint.uri())?)
//!     .map_request(|request: Request<SignedBody<_>>| request.map(tonic::body::Body::new))
//!     .service(endpoint.connect_lazy());
//! let client = AccountsClient::new(channel);
//! ```
//!
//! A channel over several endpoints needs one origin on each of them (`Endpoint::origin`).
//!
//! | call | signed |
//! |---|---|
//! | unary, server-streaming | yes |
//! | client-streaming | yes, once the stream has ended, within the limits of the layer |
//! | bidirectional | no: the stream ends only after answers that it waits for |
//!
//! Nothing in a request tells a client-streaming call from a bidirectional one. A stream that sends nothing for as long as
//! [`with_grpc_idle`](crate::SignLayer::with_grpc_idle) says is refused, and a method that is named in
//! [`with_grpc_bidirectional`](crate::SignLayer::with_grpc_bidirectional) at once. A tonic client reads the error as a `Status`
//! of code `Unknown`, with the [`SignError`](countersign::SignError) as its source.
//!
//! # Events
//!
//! | level | when | fields |
//! |---|---|---|
//! | `info` | the provider gave other credentials than before | `outcome = "credentials_changed"`, `credentials` |
//! | `warn` | the provider failed or was late, and the credentials at hand go on signing | `outcome = "credentials_failed"`, `reason` |
//!
//! Both have the target `countersign`. The first shows four characters of an access key id; neither holds a secret.

mod bidirectional;
mod buffered_body;
mod events;
mod future;
pub(crate) mod layer;
#[cfg(feature = "reqwest-middleware")]
pub(crate) mod middleware;
mod origin;
#[cfg(feature = "reqwest")]
pub(crate) mod reqwest_service;
mod service;
mod settings;
pub(crate) mod signed_body;

pub use self::{future::SignFuture, service::Sign};
