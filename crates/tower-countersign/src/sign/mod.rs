//! Signs outgoing requests.
//!
//! The layer reads the body to its end, because the signature covers the body's hash. The layer
//! also normalizes the authority and adds the headers of the signature. A request that cannot be
//! signed is not sent.
//!
//! - **Innermost**: a later change to the request (compression, covered headers, path rewriting)
//!   invalidates the signature. Put [`SignLayer`](crate::SignLayer) last, next to the client.
//! - **Inside retries**: each attempt then has a new date and nonce. The service refuses a repeated
//!   signature as a replay.
//! - **Bound to authorities**: a request to any other authority is an error. So a redirect or a URL
//!   from outside cannot obtain a signature. Clients must not follow redirects themselves, because
//!   they would send the signature's headers along.
//! - **Bounded bodies**: a body of up to 2 MiB is read into memory
//!   ([`with_buffer_bytes`](crate::SignLayer::with_buffer_bytes)), the default limit of a verifying
//!   layer ([`BodyLimits::with_max_bytes`](crate::BodyLimits::with_max_bytes)). The body must end
//!   within 30 seconds, without a pause longer than 10 seconds. A body whose
//!   [`PayloadDigest`](countersign::PayloadDigest) is in the request's extensions is streamed, at
//!   any length.
//! - **Bounded memory**: by default, only each body is limited. Set a limit for all bodies together
//!   with [`with_total_buffer_bytes`](crate::SignLayer::with_total_buffer_bytes).
//! - **No open streams**: a body that stays open until the response arrives cannot be signed, so a
//!   bidirectional gRPC call is an error. Unary and server-streaming calls work, and
//!   client-streaming calls whose messages are ready
//!   ([`with_grpc_idle`](crate::SignLayer::with_grpc_idle)).
//! - **Bounded waits for credentials**: a request waits up to 5 seconds for temporary credentials
//!   ([`with_credentials_deadline`](crate::SignLayer::with_credentials_deadline)). A request waits
//!   only if its credentials are about to expire, or are old and have no known expiry. One request
//!   asks the provider; requests that can still be signed do not wait.
//! - **Local clock only**: the layer never takes the time from a response's `Date`, which is not
//!   signed.
//!
//! # Several targets
//!
//! [`SignLayer`](crate::SignLayer) takes one signer, or
//! [`TargetSigners`](countersign::TargetSigners), which select the signer by the request's
//! authority. A request for an unknown authority is an error before its body is read. A request for
//! an unsigned target is sent unchanged, and its body is streamed.
//!
//! # gRPC
//!
//! tonic's `Channel` adds scheme and authority to a request below every layer. So pass them to the
//! signer with [`with_origin`](crate::SignLayer::with_origin):
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
//! Endpoints of a balanced channel must all have the same origin (`Endpoint::origin`).
//!
//! | call | signed |
//! |---|---|
//! | unary, server-streaming | yes |
//! | client-streaming | yes, when the stream has ended, within the limits of the layer |
//! | bidirectional | no: the stream waits for responses before it ends |
//!
//! A request does not tell whether a call is client-streaming or bidirectional. A stream without a
//! byte for [`with_grpc_idle`](crate::SignLayer::with_grpc_idle) is refused. A method listed in
//! [`with_grpc_bidirectional`](crate::SignLayer::with_grpc_bidirectional) is refused at once. A
//! tonic client gets the error as a `Status` with code `Unknown` and the
//! [`SignError`](countersign::SignError) as its source.
//!
//! # Events
//!
//! | level | `outcome` | when | other fields |
//! |---|---|---|---|
//! | `info` | `credentials_changed` | the provider returned new credentials | `credentials` |
//! | `warn` | `credentials_failed` | the provider failed or was late | `reason` |
//!
//! Both have the target `countersign`. After `credentials_failed`, the current credentials stay in
//! use. `credentials` shows four characters of an access key id. Neither event holds a secret.

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
mod total_bytes;

pub use self::{future::SignFuture, service::Sign};
