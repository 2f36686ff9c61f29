//! Verifies requests before the inner service sees them.
//!
//! # Steps of a decision
//!
//! The layer takes these steps in this order. The first failed check refuses the request.
//!
//! 1. **One signature.** The request has exactly one signature in an accepted scheme. Signatures in
//!    other schemes are ignored.
//! 2. **Grammar.** The signature is parsed strictly, with limits on sizes and counts. This step
//!    also refuses a second copy of a header that is read or covered, `CONNECT`, and every method
//!    that does not match `[A-Z][A-Z-]{0,31}`.
//! 3. **Authority.** The URI and `Host` name the same authority. If expected hosts are set, the
//!    authority is one of them.
//! 4. **Coverage.** The signature covers the host, the date, the body, and each component that the
//!    verifier requires. If the request has `x-nonce` or `content-encoding`, the signature covers
//!    that header, too.
//! 5. **Date.** The signed date is within the window. Up to this check, only the number and the
//!    length of the covered values are checked. Then the values are read. Each must be ASCII. In
//!    RFC 9421, each must also have the right type, and each covered member and each covered query
//!    parameter must be present. The work for a head is linear in the length of the head.
//! 6. **Keys.** The key store returns the keys of the caller. An unknown caller takes as much time
//!    as a known caller.
//! 7. **Signature.** The signature over the head matches one of these keys. This is checked before
//!    any byte of the body is read. Then the rules of that key are checked: its state, a required
//!    nonce, and a covered `content-type`.
//! 8. **Known replay.** The replay store does not hold the nonce yet. This check is a hint: it
//!    rejects a replay before its body is read. Only step 11 is authoritative.
//! 9. **Body.** The body arrives within its [limits](crate::BodyLimits). It is hashed as it
//!    arrives, and the hash equals the signed hash. The body stays in memory until then, so the
//!    inner service never sees a wrong body.
//! 10. **Uncovered headers.** Headers that override the method or the URL are removed if the
//!     signature does not cover them. See [`UncoveredHeaders`](crate::UncoveredHeaders).
//! 11. **Claim of the nonce.** The replay store records the nonce, once. No later step refuses the
//!     request.
//! 12. **Call.** [`VerifiedCaller`](crate::VerifiedCaller) is added to the extensions of the
//!     request, and the inner service is called.
//!
//! Two kinds of signatures cannot be checked without the body:
//!
//! - signatures over the body itself ([`DrfVerifySettings`](countersign::DrfVerifySettings),
//!   [`StandardWebhooksVerifySettings`](countersign::StandardWebhooksVerifySettings)),
//! - SigV4 signatures without `x-amz-content-sha256`.
//!
//! For both kinds, step 9 comes before step 7, and step 8 is omitted. The peer is unauthenticated
//! while its body is read, so separate [limits](crate::BodyLimits) apply. The responses 413 and 408
//! can come before the signature is checked. For signatures over the body itself, step 4 checks the
//! route. A request on a route that the settings do not list is refused unread.
//!
//! # Example: an accepted and a refused request
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use axum::{Router, body::Body, routing::post};
//! use countersign::{CallerKey, Keyring, Secret, Signer, SigningKey};
//! use http::{Request, StatusCode};
//! use tower::{Layer, Service, ServiceExt};
//! use tower_countersign::{SignLayer, VerifiedCaller, VerifyLayer};
//!
//! async fn echo(caller: VerifiedCaller, body: String) -> String {
//!     format!("{}: {body}", caller.id())
//! }
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("1", key.verifying_key())?)
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/echo", post(echo))
//!     .layer(VerifyLayer::new(keys));
//!
//! // A signed request is accepted. Here the client is the app itself.
//! let signer = Signer::new("billing", key, ["user-service"])?;
//! let client = SignLayer::new(signer).layer(app.clone());
//! let request = Request::post("http://user-service/echo").body(Body::from("hello"))?;
//! assert_eq!(client.oneshot(request).await?.status(), StatusCode::OK);
//!
//! // A request without a signature is refused.
//! let request = Request::post("http://user-service/echo").body(Body::from("hello"))?;
//! assert_eq!(app.oneshot(request).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).unwrap();
//! ```
//!
//! # Refusals
//!
//! A refusal is a response, never an error of the service. Its body is `{"error":"<code>"}`. All
//! reasons with the same code give the same body. The reason is for the operator: the extensions of
//! the response hold it ([`Refusal`](crate::Refusal)), and one event logs it (see [`events`]).
//!
//! | refused because of | status | gRPC | code |
//! |---|---|---|---|
//! | no signature | 401 | 16 | `missing_signature` |
//! | grammar, limits of a head, duplicates, method, target | 401 | 3 | `malformed` |
//! | an authority that is not an expected host | 421 | 16 | `misdirected` |
//! | a component that is not covered, a missing nonce | 401 | 16 | `insufficient_coverage` |
//! | a date outside the window | 401 with `Date` | 16 | `expired` |
//! | unknown caller, wrong signature, wrong scheme, revoked key | 401 | 16 | `invalid_signature` |
//! | a body over its limit | 413 | 8 | `too_large` |
//! | a body that exceeds its deadline or falls below its least rate | 408 | 14 | `timeout` |
//! | a body that differs from the signed body | 401 | 16 | `body_mismatch` |
//! | a used nonce | 401 | 16 | `replayed` |
//! | a caller over its quota of nonces | 429 | 8 | `over_quota` |
//! | a store that does not answer, no room for bodies in memory or on disk | 503 | 14 | `unavailable` |
//! | a URI that was rewritten between two routers, a handler that keeps a streamed body | 500 | 13 | `misconfigured` |
//!
//! A POST request with the content type `application/grpc`, alone or with a suffix such as
//! `+proto`, is a gRPC call. Its refusal is a trailers-only response: status 200, `grpc-status`
//! from the table, and the code as `grpc-message`. The response has no challenge, no `Date` and no
//! `Retry-After`. `application/grpc-web` is another protocol: such a request gets the HTTP
//! response, which gRPC-Web clients translate.
//!
//! The request stream of a gRPC call is a body. It is read to its end, within the
//! [limits](crate::BodyLimits), before the service is called. So a bidirectional call in which the
//! client waits for an answer before it ends its stream is refused with `timeout`.
//!
//! # Bodies in files
//!
//! On a route with [`BodyMode::Spill`](crate::BodyMode::Spill), step 9 writes a body over 256 KiB
//! to a file without a name, within its [limits](crate::SpillLimits). All steps keep their order.
//! The handler reads the file. A full or broken disk is answered with 503 `unavailable`.
//!
//! # Streamed bodies
//!
//! On a route with [`BodyMode::Stream`](crate::BodyMode::Stream), the handler is called after the
//! head, and reads the body while it is verified:
//!
//! - Step 9 refuses a declared length over the
//!   [limit](crate::StreamLimits). The steps 10 and 11 follow at once, then the handler gets a
//!   [`HeadVerifiedCaller`](crate::HeadVerifiedCaller) and reads.
//! - The last bytes are held back until the digest has matched. If the length is declared, this is
//!   the frame that completes the body; otherwise each frame waits for the next one.
//! - A body that is wrong, too long, too slow or cut off ends with a
//!   [`BodyError`](crate::BodyError), never like a whole one.
//! - [`RequestBody::verified`](crate::RequestBody::verified) returns the
//!   [`VerifiedCaller`](crate::VerifiedCaller) at the end. A handler must not commit, publish,
//!   acknowledge, rename into place or charge before. It may write where nobody looks, hash, parse
//!   and reject.
//! - The layer holds the answer back. If the body fails, the peer gets the refusal, whatever the
//!   handler says. If the handler drops the body, the layer reads the rest. An answer with a status
//!   of 400 or more is sent at once.
//! - A handler that answers first and keeps the body, as an echo does, gets 500 `misconfigured`
//!   after the idle time. See
//!   [`StreamLimits::with_answers_before_end`](crate::StreamLimits::with_answers_before_end).
//!
//! Empty bodies are judged before the handler in every mode. Bodies that must be read before their
//! peer is authenticated are read into memory first.
//!
//! # Report only
//!
//! To introduce verification in a running fleet, set the layer to refuse [no
//! request](crate::VerifyLayer::insecure_report_only), or [no request on some
//! routes](crate::VerifyLayer::insecure_report_only_for). The layer still takes the steps above,
//! and counts and logs each decision, with these differences:
//!
//! - The request reaches the handler unchanged: all headers, and the same body with its trailers
//!   and its errors.
//! - The handler gets an [`UnverifiedCaller`](crate::UnverifiedCaller), which holds the verdict. It
//!   never gets a [`VerifiedCaller`](crate::VerifiedCaller), even if every check passed.
//! - If the head is not authenticated, no nonce is claimed, and the body passes through unbuffered.
//! - If the head is authenticated, the body is read within the limits. A body over a limit still
//!   reaches the handler: first the bytes that were read, then the rest. A slow body reaches the
//!   handler when its deadline has passed.
//! - A signature over the body is checked while the handler reads the body. The handler is called
//!   first and gets the verdict [`Undecided`](crate::Verdict::Undecided). No nonce is claimed, so
//!   no replay is detected. The outcome is `undecided` if the handler does not read to the end, or
//!   if the check needs a copy of the body (Ed25519 keys of webhooks).
//! - Every other request that passes all checks claims its nonce, so that replays are counted. An
//!   inner layer with the same store accepts this claim. If the inner layer accepts dates for
//!   longer than the claim is valid, it answers 503. Then give the two layers different stores or
//!   audiences.
//!
//! # Where to put the layer
//!
//! - **Outside of layers that change the body.** The body is hashed as it arrives on the wire, so a
//!   layer that decompresses requests belongs inside this layer.
//! - **Outside of layers that rewrite the URI.** The caller signs the request line, so layers such
//!   as `NormalizePath` belong inside this layer. Handlers then see a different path from the
//!   verified path. Under `Router::nest`, this layer verifies the original URI. If anything else
//!   has rewritten the path, the layer answers 500.
//! - **Inside or outside of concurrency limits.** A slow body can hold a permit until its deadline.
//!   This is the case for a limit outside this layer. It is also the case for a limit directly
//!   inside, because `poll_ready` takes the permit before the body arrives. To avoid both, put the
//!   limit on the handler's own service, with `tower::buffer` between the two.
//! - **After the routes.** `.layer(…)` covers the routes that the router already has. Routes that
//!   are added or merged later are not covered. A handler there that takes a
//!   [`VerifiedCaller`](crate::VerifiedCaller) answers 500.
//! - **Not for upgraded connections.** Bytes that follow a verified `Upgrade` request are not
//!   signed.
//! - **HTTP/1.1.** A server that answers early and closes resets the connection. A client that
//!   sends its whole request before it reads never sees the refusal. So the layer reads up to 2 MiB
//!   of a refused body and drops the bytes, for up to 3 seconds. A longer body is refused unread.
//!   The inner service and its permits are released first. A limit outside this layer keeps its
//!   permit during that time. See
//!   [`VerifyLayer::with_refused_body_drain`](crate::VerifyLayer::with_refused_body_drain).
//! - **The peer's address.** Bodies of unauthenticated peers count towards the address of the peer.
//!   Serve the app with `into_make_service_with_connect_info::<SocketAddr>()`. Without an address,
//!   all these peers share the memory of one peer. See
//!   [`BodyLimits`](crate::BodyLimits#how-memory-is-counted).

mod body;
pub(crate) mod body_limits;
pub(crate) mod body_mode;
mod budget;
mod buffered;
mod chunked;
mod claim;
mod decide;
mod drain;
mod enforce;
mod erased;
mod event_rates;
pub mod events;
mod future;
mod handle_stream;
mod hint;
#[cfg(feature = "diagnose")]
mod hints;
pub(crate) mod key_use;
mod last_uses;
pub(crate) mod layer;
mod outages;
mod outcome;
pub(crate) mod peer;
mod progress;
pub(crate) mod public_uri;
mod report;
mod report_only;
pub(crate) mod request_body;
pub(crate) mod request_uri;
mod response_body;
mod routes;
mod service;
mod settings;
pub(crate) mod signed_answers;
pub(crate) mod spill;
mod store_answer;
pub(crate) mod stream;
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
