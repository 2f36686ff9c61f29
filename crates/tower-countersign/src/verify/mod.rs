//! Verifies requests before the inner service sees them.
//!
//! # What is decided, in this order
//!
//! 1. The signature: exactly one, in an accepted scheme.
//! 2. Its grammar, strictly, with caps on sizes and counts. A second copy of a header that is read or
//!    covered is refused. So are CONNECT and methods other than `[A-Z][A-Z-]{0,31}`.
//! 3. The authority: the URI and `Host` agree, and the authority is an expected host, if any are set.
//! 4. The coverage: host, date and body always, the components that the verifier requires, and
//!    `x-nonce` and `content-encoding` where they are present.
//! 5. The signed date, against the window. The values of covered headers are read after it. A value
//!    is refused as malformed if it is not ASCII, or, in RFC 9421, if it has the wrong type or lacks a
//!    covered member. So is a query without a covered parameter. Up to the date, only the number and
//!    the length of the covered values are checked. The work for a head is linear in its length.
//! 6. The caller's keys. An unknown caller costs as much time as a known one.
//! 7. The signature over the head, before a byte of the body is read. Then the state of the matching
//!    key, and its own rules: whether it requires a nonce, and a covered `content-type`.
//! 8. The nonce, if the replay store knows it already: a replayed request is refused before its body
//!    is read. This is a hint. Only step 11 is authoritative.
//! 9. The body, within its limits. It is hashed as it arrives and compared with the signed hash. It is
//!    held in memory, so the inner service never sees a wrong body.
//! 10. Headers that are not covered. Those that override the method or the URL are removed; see
//!     [`UncoveredHeaders`](crate::UncoveredHeaders).
//! 11. The claim of the nonce. Nothing can refuse the request after it.
//! 12. [`VerifiedCaller`](crate::VerifiedCaller) is put into the extensions, and the inner service is
//!     called.
//!
//! Some signatures need the body: those over the body itself
//! ([`DrfVerifySettings`](countersign::DrfVerifySettings),
//! [`StandardWebhooksVerifySettings`](countersign::StandardWebhooksVerifySettings)), and SigV4 without
//! `x-amz-content-sha256`. For these, step 9 comes before step 7, and step 8 is left out. The body is
//! read from an unauthenticated peer, within the [limits](crate::BodyLimits) for such peers, so 413 and 408
//! can come before the signature is checked. In the first two schemes, step 4 is the route: a request
//! on a route without a sender in the settings is refused unread.
//!
//! # A request that is accepted, and one that is refused
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use axum::{Router, body::Body, routing::post};
//! use countersign::{CallerKey, Keyring, Secret, Signer, SigningKey};
//! use http::{Request, StatusCode};
//! use tower::{Layer, Service, ServiceExt};
//! use tower_countersign::{SignLayer, VerifiedCaller, VerifyLayer};
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("1", key.verifying_key())?)
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/echo", post(async |caller: VerifiedCaller, body: String| format!("{}: {body}", caller.id())))
//!     .layer(VerifyLayer::new(keys));
//!
//! // Signed, by a client that is the service itself.
//! let signer = Signer::new("billing", key, ["user-service"])?;
//! let client = SignLayer::new(signer).layer(app.clone());
//! let request = Request::post("http://user-service/echo").body(Body::from("hello"))?;
//! assert_eq!(client.oneshot(request).await?.status(), StatusCode::OK);
//!
//! // Not signed.
//! let request = Request::post("http://user-service/echo").body(Body::from("hello"))?;
//! assert_eq!(app.oneshot(request).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).unwrap();
//! ```
//!
//! # Refusals
//!
//! A refusal is a response, never an error of the service. Its body is `{"error":"<code>"}` and the same for every reason
//! behind a code; the reason for the operator is in the response's extensions ([`Refusal`](crate::Refusal)) and in one event (see
//! [`events`]).
//!
//! | refusal | status | gRPC | code |
//! |---|---|---|---|
//! | no signature | 401 | 16 | `missing_signature` |
//! | grammar, caps, duplicates, method, target | 401 | 3 | `malformed` |
//! | not one of the expected hosts | 421 | 16 | `misdirected` |
//! | coverage too small, nonce missing | 401 | 16 | `insufficient_coverage` |
//! | outside the window | 401 with `Date` | 16 | `expired` |
//! | unknown caller, wrong scheme for the key, revoked key, wrong signature | 401 | 16 | `invalid_signature` |
//! | body over its limit | 413 | 8 | `too_large` |
//! | body slower than its deadline, or than its least rate | 408 | 14 | `timeout` |
//! | body not the one that was signed | 401 | 16 | `body_mismatch` |
//! | nonce used | 401 | 16 | `replayed` |
//! | caller over its quota of nonces | 429 | 8 | `over_quota` |
//! | key store, replay store or body buffer unavailable | 503 | 14 | `unavailable` |
//! | URI rewritten between two routers | 500 | 13 | `misconfigured` |
//!
//! A request whose content type is `application/grpc`, alone or followed by `+` and a format, is refused as gRPC clients
//! expect it: a trailers-only response of status 200 with `grpc-status` as in the table and the code as `grpc-message`.
//! It has no challenge, no `Date` for a stale request and no `Retry-After`. `application/grpc-web` is another protocol:
//! such a request gets the HTTP response, which its clients translate.
//!
//! The request stream of a gRPC call is a body: it is read to its end within the [limits](crate::BodyLimits) before the service is
//! called. A bidirectional call that waits for an answer is therefore refused by the time limits of bodies.
//!
//! # Report only
//!
//! For switching verification on in a fleet that is live, a layer can be set to [refuse nothing](crate::VerifyLayer::insecure_report_only),
//! or [nothing on some routes](crate::VerifyLayer::insecure_report_only_for). Everything above is decided, counted and logged all the same,
//! and then:
//!
//! - The request is handed on as it came: no header is taken away, and the body is the same to the byte, with its trailers
//!   and its errors.
//! - The handler gets an [`UnverifiedCaller`](crate::UnverifiedCaller), which says what would have been decided, and never a
//!   [`VerifiedCaller`](crate::VerifiedCaller), not even where all was right.
//! - A request whose head is not authenticated claims no nonce, and not a byte of its body is read: it streams through. Of
//!   one that is authenticated the body is read as ever, within the limits; if it is over them, what was read goes on to the
//!   handler and the rest streams after it. A slow body then reaches the handler when its deadline is over.
//! - A signature over the body is checked on what the handler reads, as it reads it; the handler is called before and is
//!   told [`Undecided`](crate::Verdict::Undecided). No nonce is claimed, and so no replay found. If the handler does not
//!   read to the end, or if a check would have to keep the body (Ed25519 keys of webhooks), the outcome is `undecided`.
//! - One whose head is authenticated claims its nonce, so that replays are counted. A layer further in with the same store
//!   goes by that claim. If it accepts dates for longer than this one remembers them, it cannot, and answers 503: give
//!   this one a store or an audience of its own.
//!
//! # Where to put the layer
//!
//! - **Outside what changes the body**: a layer that decompresses requests goes inside this one, because the body is hashed
//!   as it arrives on the wire.
//! - **Outside what rewrites the URI**: the request line itself is what was signed, so put `NormalizePath` and its like
//!   inside this layer, and know that handlers then see another path than the one that was proven. Behind `Router::nest`
//!   the original URI is used; a path that anything else has rewritten by then is answered with 500.
//! - **With concurrency limits in mind**: a slow body holds for as long as its deadline whatever permit was taken before
//!   it, by a limit outside this layer, and by one directly inside as well, whose permit `poll_ready` reserves before the
//!   body arrives. Put a limit that slow uploads must not hold on the handler's own service (`tower::buffer` between).
//! - **After the routes it is to protect**: `.layer(…)` covers the routes that the router has by then. Those that are added
//!   or merged later are not covered; a handler there that asks for [`VerifiedCaller`](crate::VerifiedCaller) answers 500.
//! - **Not before an upgrade**: what a connection carries after a verified `Upgrade` request is not signed by anyone.
//! - **On HTTP/1.1** a server that answers early and closes resets the connection, and a client
//!   that sends first and reads later never sees the refusal. So the layer reads up to 2 MiB of a
//!   refused body and drops it, for up to 3 seconds. The inner service is given back before; a
//!   limit outside this layer is held meanwhile. A longer body is refused unread. See
//!   [`VerifyLayer::with_refused_body_drain`](crate::VerifyLayer::with_refused_body_drain).
//! - **With the peer's address**: bodies that are read before their sender is known count towards
//!   their peer's address. Serve the app with
//!   `into_make_service_with_connect_info::<SocketAddr>()`, or all such peers together get the
//!   memory of one. See [`BodyLimits`](crate::BodyLimits#who-shares-what).

mod body;
pub(crate) mod body_limits;
mod budget;
mod buffered;
mod claim;
mod decide;
mod drain;
mod enforce;
mod event_rates;
pub mod events;
mod future;
mod hint;
#[cfg(feature = "diagnose")]
mod hints;
pub(crate) mod key_use;
mod last_uses;
pub(crate) mod layer;
mod outages;
mod outcome;
pub(crate) mod peer;
pub(crate) mod public_uri;
mod report;
mod report_only;
pub(crate) mod request_body;
pub(crate) mod request_uri;
mod response_body;
mod service;
mod settings;
mod store_answer;
mod tee_body;
pub(crate) mod uncovered;
mod verification;

pub use self::{
    future::VerifyFuture,
    key_use::{LastUse, Unused},
    response_body::ResponseBody,
    service::Verify,
};
pub use crate::mode::Mode;
