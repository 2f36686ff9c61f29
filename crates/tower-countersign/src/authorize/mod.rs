//! Decides which caller may make which request, after [`VerifyLayer`](crate::VerifyLayer) has
//! verified the caller.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use axum::{Router, body::Body, routing::get};
//! use countersign::{CallerKey, Keyring, Policy, Secret, Signer, SigningKey};
//! use http::{Request, StatusCode};
//! use tower::{Layer, ServiceExt};
//! use tower_countersign::{AuthorizeLayer, SignLayer, VerifiedCaller, VerifyLayer};
//!
//! let policy = Policy::from_toml(r#"
//! [[statements]]
//! id = "billing reads accounts"
//! effect = "allow"
//! callers = ["billing"]
//! methods = ["GET"]
//! paths = ["/api/account/*"]
//! "#)?;
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("1", key.verifying_key())?)
//!     .build()?;
//! let handler = get(async |caller: VerifiedCaller| caller.id().to_string());
//! let app: Router = Router::new()
//!     .route("/api/account/{id}", handler.clone())
//!     .route("/api/report", handler)
//!     .layer(AuthorizeLayer::new(policy))
//!     // Add VerifyLayer last: the last layer is the outermost.
//!     .layer(VerifyLayer::new(keys));
//!
//! let client = SignLayer::new(Signer::new("billing", key, ["user-service"])?).layer(app);
//! let account = Request::get("http://user-service/api/account/7").body(Body::empty())?;
//! assert_eq!(client.clone().oneshot(account).await?.status(), StatusCode::OK);
//! let report = Request::get("http://user-service/api/report").body(Body::empty())?;
//! assert_eq!(client.oneshot(report).await?.status(), StatusCode::FORBIDDEN);
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).unwrap();
//! ```
//!
//! # Three ways to authorize
//!
//! - [`AuthorizeLayer`](crate::AuthorizeLayer) asks a [`Policy`](countersign::Policy). The operator
//!   writes the policy and can replace it at run time
//!   ([`SharedPolicy`](countersign::SharedPolicy)). The layer refuses requests that no statement
//!   allows, so it can cover a whole router.
//! - [`AllowCallers`](crate::AllowCallers) lists the callers of a route, in the code that adds the
//!   route.
//! - `CallerIn` lists the callers in the type of a handler's argument, in every router.
//!
//! # The order of decisions
//!
//! 1. A request without a [`VerifiedCaller`](crate::VerifiedCaller) is refused with 403. A
//!    `VerifyLayer` in report-only mode passes such requests on, and the peer causes them. The
//!    extractors answer 500 instead: a handler that requires a caller inside such a layer is a
//!    configuration error.
//! 2. [`AllowCallers`](crate::AllowCallers): the caller must be on the list.
//! 3. [`AuthorizeLayer`](crate::AuthorizeLayer): the method and the path must be the verified ones.
//!    Nested routers may have removed their prefix. Any other change, such as by a `NormalizePath`
//!    between the layers, is refused.
//! 4. [`AuthorizeLayer`](crate::AuthorizeLayer): the policy must allow the request. The policy sees
//!    the verified path, the source address, the scheme and coverage of the signature, the key
//!    version and the time. Inside a router, the policy also sees the matched route.
//!
//! Every refusal is 403 with the body `{"error":"forbidden"}`. A gRPC call gets a trailers-only
//! response with `grpc-status: 7` and the message `forbidden`. The reason and the deciding
//! statement are in the response's extensions ([`Forbidden`](crate::Forbidden)) and in one event
//! ([`events`]).
//!
//! # Where to put the layers
//!
//! - **Inside `VerifyLayer`**: with axum, add the authorization layer first. Outside of
//!   `VerifyLayer` there is no caller, and every request is refused.
//! - **After the routes to protect**: `.layer(…)` and `.route_layer(…)` cover only the routes that
//!   the router already has. `.layer(…)` also covers the fallback, `.route_layer(…)` does not. A
//!   handler that takes [`VerifiedCaller`](crate::VerifiedCaller) or `CallerIn` answers 500 without
//!   the layers.
//! - **Outside of layers that rewrite paths**, like `VerifyLayer`. A policy distinguishes `/a` from
//!   `/a/`. If an inner `NormalizePath` merges them, write `/a/**`.

pub(crate) mod allow_callers;
pub mod events;
#[cfg(feature = "axum")]
pub(crate) mod extract;
pub(crate) mod forbidden;
mod future;
pub(crate) mod layer;
mod rule;
mod service;

#[cfg(feature = "axum")]
pub use self::extract::CallerInRejection;
pub use self::{future::AuthorizeFuture, service::Authorize};
