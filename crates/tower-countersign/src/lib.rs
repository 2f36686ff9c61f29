//! Countersign as tower layers. [`SignLayer`] signs every outgoing HTTP request, [`VerifyLayer`]
//! verifies every incoming request, and the handler knows the caller by name.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use axum::{Router, body::Body, routing::get};
//! use countersign::{CallerKey, Keyring, Secret, Signer, SigningKey};
//! use tower::{Layer, ServiceExt};
//! use tower_countersign::{SignLayer, VerifiedCaller, VerifyLayer};
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//!
//! // The callee.
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("2026-01", key.verifying_key())?)
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/whoami", get(async |caller: VerifiedCaller| caller.id().to_string()))
//!     .layer(VerifyLayer::new(keys));
//!
//! // The caller. Here the client is the app itself; in production, hyper's or reqwest's.
//! let signer = Signer::new("billing", key, ["user-service"])?;
//! let client = SignLayer::new(signer).layer(app);
//!
//! let request = http::Request::get("http://user-service/whoami").body(Body::empty())?;
//! let response = client.oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).unwrap();
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`verify`] | the steps of a decision, the refusals, the place of the layer |
//! | [`sign`] | the client's side |
//! | [`verify_answers`] | the client's check of signed answers |
//! | [`authorize`] | rules for which caller may call which route |
//! | [`cached_keys`] | a cache over a slow key store |
//! | [`metrics`] | counters and gauges |
//!
//! The `countersign` crate documents keys, schemes, and what a signature does and does not prove.
//! To find out why requests are refused, see [`VerifyLayer::with_mismatch_hints`].
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `axum` | yes | extractors for callers, and the original URI under `Router::nest` |
//! | `config` | yes | keys and signers from TOML files, directories and variables |
//! | `connect-info` | yes | the peer's address from axum's `ConnectInfo` |
//! | `diagnose` | yes | [`VerifyLayer::with_mismatch_hints`]: the known mistake that explains a refusal |
//! | `policy` | yes | [`AuthorizeLayer`] and [`AllowCallers`] |
//! | `reqwest` | no | `ReqwestService`: a reqwest client without redirects |
//! | `reqwest-middleware` | no | `SignMiddleware`: signs in `reqwest-middleware` |
//! | `reload` | no | `reload`: reads files again when they change |
//!
//! The layers need a tokio runtime with a timer, for the deadlines of bodies.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "policy")]
pub mod authorize;
mod body_timer;
pub mod cached_keys;
#[cfg(feature = "axum")]
mod caller;
mod caller_facts;
mod chunks;
mod clock;
mod cooperative_hash;
#[cfg(feature = "axum")]
mod extract;
mod grpc;
mod head_verified_caller;
pub mod metrics;
mod mode;
mod refusal;
#[cfg(feature = "reload")]
pub mod reload;
pub mod sign;
mod source_address;
#[cfg(feature = "axum")]
mod streamed_body;
mod unverified_caller;
mod verified_caller;
pub mod verify;
pub mod verify_answers;

#[cfg(all(feature = "axum", feature = "policy"))]
pub use self::authorize::extract::{CallerIn, CallerNames};
#[cfg(feature = "policy")]
pub use self::authorize::{
    allow_callers::AllowCallers,
    forbidden::{Forbidden, ForbiddenReason},
    layer::AuthorizeLayer,
};
#[cfg(feature = "reqwest-middleware")]
pub use self::sign::middleware::SignMiddleware;
#[cfg(feature = "reqwest")]
pub use self::sign::reqwest_service::ReqwestService;
pub use self::{
    cached_keys::store::CachedKeys,
    clock::{Clock, SystemClock},
    head_verified_caller::HeadVerifiedCaller,
    refusal::Refusal,
    sign::{layer::SignLayer, signed_body::SignedBody},
    unverified_caller::{UnverifiedCaller, Verdict},
    verified_caller::VerifiedCaller,
    verify::{
        body_limits::BodyLimits,
        body_mode::BodyMode,
        key_use::KeyUse,
        layer::VerifyLayer,
        peer::ConnectionId,
        public_uri::PublicUri,
        request_body::RequestBody,
        signed_answers::AnswerSigning,
        spill::SpillLimits,
        stream::{BodyError, BodyErrorKind, StreamLimits},
        uncovered::UncoveredHeaders,
    },
    verify_answers::{AnswerState, layer::VerifyAnswerLayer},
};
#[cfg(feature = "axum")]
pub use self::{caller::Caller, extract::CallerRejection, streamed_body::StreamedBody};

/// Tests the example of the crate's README. Its extractor needs the feature `axum`.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Any error, as in tower.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
