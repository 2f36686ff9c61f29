//! Decides who may call what, once [`VerifyLayer`](crate::VerifyLayer) has proven who calls.
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
//!     // The layer that verifies is added last: it is the outer one.
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
//! # Three ways to say it
//!
//! - [`AuthorizeLayer`](crate::AuthorizeLayer) asks a [`Policy`](countersign::Policy), which the operator writes and which can be replaced while the
//!   service runs ([`SharedPolicy`](countersign::SharedPolicy)). It refuses whatever no statement allows, so it can cover a
//!   whole router.
//! - [`AllowCallers`](crate::AllowCallers) is a list of callers for a route, in the code that adds the route.
//! - `CallerIn` is a list of callers in the type of the handler's argument. It goes wherever the handler goes.
//!
//! # What is decided, in this order
//!
//! 1. A request without a [`VerifiedCaller`](crate::VerifiedCaller) is refused, with 403 and not with 500: behind a
//!    `VerifyLayer` that only reports, such requests are to be expected, and they are the peer's doing. The extractors answer
//!    500: a handler that asks for the caller is never behind such a layer on purpose.
//! 2. [`AllowCallers`](crate::AllowCallers): the caller is one of the list.
//! 3. [`AuthorizeLayer`](crate::AuthorizeLayer): the method and the path that would be handled are the ones that were verified. Nested routers may
//!    have taken their prefix away; anything else, such as a `NormalizePath` between the layers that changed the path, is
//!    refused.
//! 4. [`AuthorizeLayer`](crate::AuthorizeLayer): the policy allows it. It is asked about the path that was verified, the route that the router
//!    matched if the layer is inside one, the source address, the scheme and coverage of the signature, the key, and the time.
//!
//! A refusal is 403 with the body `{"error":"forbidden"}`, whatever the reason. A gRPC call gets a trailers-only response
//! with `grpc-status: 7` and the message `forbidden`. Why, and which statement decided, is in the
//! extensions of the response ([`Forbidden`](crate::Forbidden)) and in one event ([`events`]).
//!
//! # Where to put the layers
//!
//! - **Inside `VerifyLayer`**: with axum, add it before. Outside of it there is no caller, and every request is refused.
//! - **After the routes that it is to protect**, as any layer: `.layer(…)` and `.route_layer(…)` cover the routes that the
//!   router has by then, and not those that are added or merged later. `.layer(…)` covers the fallback as well,
//!   `.route_layer(…)` does not. A handler that takes [`VerifiedCaller`](crate::VerifiedCaller) or `CallerIn` is not open
//!   where the layers are missing: it answers 500.
//! - **Outside of what rewrites paths**, as for `VerifyLayer`. A policy knows `/a` and `/a/`
//!   apart; where a `NormalizePath` further in makes them one, write `/a/**`.

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
