//! Countersign as tower layers: [`SignLayer`] signs every outgoing HTTP request, [`VerifyLayer`] verifies every incoming
//! one, and the handler knows its caller.
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
//! // The service that is called.
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("2026-01", key.verifying_key())?)
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/whoami", get(async |caller: VerifiedCaller| caller.id().to_string()))
//!     .layer(VerifyLayer::new(keys));
//!
//! // The service that calls. Here the client is the app itself; usually it is hyper's or reqwest's.
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
//! [`VerifyLayer::with_mismatch_hints`] says in the log which known mistake explains a refusal.
//!
//! See [`verify`] for what is decided in which order, where to put the layer, and what refused peers are told; [`sign`]
//! for the client's side; [`authorize`] for who may call what; [`metrics`] for what can be watched; and the `countersign`
//! crate for keys, schemes and what a signature does and does not prove.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `axum` | yes | [`VerifiedCaller`] as an extractor, `Caller` for both modes, and the original URI behind `Router::nest` |
//! | `config` | yes | keys and signers from TOML files, directories and variables: the feature of `countersign` |
//! | `connect-info` | yes | the peer's address of axum's `ConnectInfo`, for policies and for [`BodyLimits`] |
//! | `diagnose` | yes | [`VerifyLayer::with_mismatch_hints`]: which known mistake explains a refusal |
//! | `policy` | yes | [`AuthorizeLayer`] and [`AllowCallers`]: who may call what |
//! | `reqwest` | no | `ReqwestService`: a reqwest client, without redirects, as the service under [`SignLayer`] |
//! | `reqwest-middleware` | no | `SignMiddleware`: the signer as a middleware of `reqwest-middleware`, with its `json`, `query` and `form` |
//! | `reload` | no | `reload`: keys, and whatever else is in files, read again when the files change |
//!
//! The layers need a tokio runtime with its timer, for the deadline of bodies.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "policy")]
pub mod authorize;
mod body_timer;
pub mod cached_keys;
#[cfg(feature = "axum")]
mod caller;
mod chunks;
mod clock;
mod cooperative_hash;
#[cfg(feature = "axum")]
mod extract;
mod grpc;
pub mod metrics;
mod mode;
mod refusal;
#[cfg(feature = "reload")]
pub mod reload;
pub mod sign;
mod source_address;
mod unverified_caller;
mod verified_caller;
pub mod verify;

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
    refusal::Refusal,
    sign::{layer::SignLayer, signed_body::SignedBody},
    unverified_caller::{UnverifiedCaller, Verdict},
    verified_caller::VerifiedCaller,
    verify::{
        body_limits::BodyLimits, key_use::KeyUse, layer::VerifyLayer, peer::ConnectionId,
        public_uri::PublicUri, request_body::RequestBody, uncovered::UncoveredHeaders,
    },
};
#[cfg(feature = "axum")]
pub use self::{caller::Caller, extract::CallerRejection};

/// The example of the crate's README, run as a test. The extractor in it needs the feature.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Any error, as tower has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
