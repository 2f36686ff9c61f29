//! Countersign proves which service is calling: it signs HTTP requests and verifies them.
//!
//! ```
//! use countersign::{
//!     CallerKey, KeyStore, Keyring, PayloadDigest, Secret, Signer, SigningKey, Timestamp,
//!     Verifier,
//! };
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//! let now = Timestamp::from_unix_seconds(1_767_323_045);
//!
//! // The caller.
//! let signer = Signer::new("billing", key.clone(), ["user-service.internal"])?;
//! let url = "http://user-service.internal/api/account/7";
//! let request = http::Request::get(url).body(()).unwrap();
//! let (mut parts, ()) = request.into_parts();
//! signer.sign(&parts, PayloadDigest::of(b""), now)?.apply(&mut parts);
//!
//! // The callee.
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("2026-01", key.verifying_key())?)
//!     .build()?;
//! let head = Verifier::default().parse(&parts, now)?;
//! let caller_keys = keys.try_lookup(head.key_id()).expect("a keyring answers at once")?;
//! let verified = head.authenticate(&caller_keys, now)?.finish_with(b"", now)?;
//! assert_eq!(verified.caller(), &"billing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This is the core. It works on the types of the `http` crate, takes the time as an argument,
//! and never waits. For tower, axum and hyper, use `tower-countersign`, which is built on it.
//!
//! # How a request is verified
//!
//! ```text
//! head ──parse──▶ UnverifiedHead ──authenticate(keys)──▶ AuthenticatedHead ──body──▶ Verified
//!       grammar,                   MAC over the head,                        digest
//!       freshness,                 including the declared                    compared in
//!       coverage                   content hash                              constant time
//! ```
//!
//! A signature over the body itself can be checked only once the body is there. The chain then
//! passes through a [`PendingBody`]. The peer is unauthenticated until its body is checked: read
//! the body within stricter limits.
//!
//! Each type can be made only from the one before, and borrows from it. An unauthenticated peer
//! reaches no further than an [`UnverifiedHead`]. An [`AuthenticatedHead`] exists only if the
//! signature matched. The caller's name comes from the key record, never from the request.
//!
//! # Why a request is refused
//!
//! A refusal tells the peer nothing. [`diagnose`] tells the operator: it tries the known mistakes
//! and reports which of them explains the refusal.
//!
//! # Schemes
//!
//! | scheme | accepted by | signed by |
//! |---|---|---|
//! | `HMAC-SHA256`, `ED25519` | default, [`Scheme::Ed25519`] | [`Signer::new`] |
//! | AWS Signature Version 4 | [`SigV4VerifySettings`] | [`Signer::sigv4`], [`Signer::presign`] |
//! | RFC 9421 HTTP Message Signatures | [settings][ms] | [`Signer::message_signatures`] |
//! | draft-cavage-12 HTTP Signatures | [`CavageVerifySettings`] | [`Signer::cavage`] |
//! | the DRF scheme: timestamp and body | [`DrfVerifySettings`] | [`Signer::drf`] |
//! | Standard Webhooks | [`StandardWebhooksVerifySettings`] | [`Signer::standard_webhooks`] |
//!
//! [ms]: MessageSignaturesVerifySettings
//!
//! A verifier accepts any set of them, each by name ([`VerifierBuilder::accept`]). A request with
//! signatures in two accepted schemes is refused.
//!
//! # Guarantees
//!
//! - The caller holds the key. HMAC-SHA256 or Ed25519 signs the method, target, authority, date,
//!   body and every covered header. MACs are compared in constant time.
//! - AWS Signature Version 4 signs a canonical form of the target and, if configured so, no body.
//!   [`SigV4VerifySettings`] lists what that leaves open.
//! - The last two schemes of the table sign a body and no request ([`Coverage::BodyOnly`]).
//!   [`Coverage::Partial`] marks a signature that was allowed to leave something out.
//! - Every key is bound to one scheme. A request in another scheme is refused, without fallback.
//! - Parsing is strict. Signatures, dates and hashes have exact lengths and alphabets. Duplicates
//!   and headers that are covered but absent are refused.
//! - A covered nonce is accepted once, for as long as its date is accepted ([`ReplayStore`]).
//!
//! # Limits
//!
//! - The chain does not claim the nonce. Code that drives the chain itself must ask a
//!   [`ReplayStore`] before it handles the request, as `tower-countersign` does. Otherwise a
//!   [`Verified`] request may be a replay.
//! - Nothing is encrypted: use TLS where others can read the network. Equal bodies have equal
//!   hashes.
//! - The signature proves the calling *service*, not its user. Carry a user's token in a separate
//!   header and cover that header ([`Signer::with_covered_header`],
//!   [`VerifierBuilder::require_headers`]).
//! - A shared secret verifies *and* signs. Use one secret per pair of services. For proof to third
//!   parties, use Ed25519 and keep the [`Evidence`].
//! - Clocks must agree to within the window. Default: 300 seconds.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `config` | yes | keys and signers from TOML files, directories, variables; AWS credentials |
//! | `diagnose` | yes | [`diagnose`]: which known mistake explains a refusal |
//! | `jwk` | yes | keys in JSON: [`Jwk`], [`JwkSet`] |
//! | `pem` | yes | keys in PEM: [`VerifyingKey::message_from_pem`] |
//! | `policy` | yes | [`Policy`]: who may call which route |
//! | `rsa` | no | keys of RSA, which verify signatures of RFC 9421 |
//! | `replay-conformance` | no | `replay_conformance`: tests that every replay store must pass |
//! | `sigv4-chunked` | no | `ChunkedDecoder`: bodies that S3 clients send in chunks |
//!
//! Without features, the crate reads no files and depends on no parser of TOML or JSON.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        clippy::too_many_lines,
        reason = "tests are tables of constants and panic on a wrong one"
    )
)]

#[cfg(feature = "config")]
mod config;
mod crypto;
mod derived_keyring;
#[cfg(feature = "diagnose")]
pub mod diagnose;
#[cfg(any(feature = "config", feature = "policy"))]
mod document;
mod error;
mod families;
mod head;
mod key;
mod key_id;
mod key_version;
mod keyring;
mod payload;
#[cfg(feature = "policy")]
mod policy;
mod replay;
#[cfg(feature = "replay-conformance")]
pub mod replay_conformance;
mod scheme;
mod sign;
mod timestamp;
mod verify;
mod wire;

#[cfg(feature = "config")]
pub use self::families::sigv4::SharedCredentialsFile;
#[cfg(feature = "sigv4-chunked")]
pub use self::families::sigv4::{ChunkedDecoder, Decoded};
#[cfg(feature = "jwk")]
pub use self::key::{Jwk, JwkNotFound, JwkSet};
#[cfg(feature = "policy")]
pub use self::policy::{
    Decision, ExecuteApi, Membership, Policy, PolicyRequest, SharedPolicy, StatementId,
    UncoveredRoute, UnreachableStatement, WhyUncovered, WhyUnreachable,
};
pub use self::{
    derived_keyring::{DerivedCallers, DerivedKeyring, DerivedKeyringBuilder},
    error::{
        BodyBound, ConfigError, ConfigErrorKind, ErrorChain, Escaped, Rejection, RejectionKind,
        SignError, SignErrorKind, Unavailable,
    },
    families::{
        AcceptedScheme, Coverage, Nonce, SigningText,
        cavage::{CavageSignSettings, CavageVerifySettings},
        drf::{DrfHeaders, DrfVerifySettings},
        message_signatures::{
            AnswerError, AnswerErrorKind, AuthenticatedAnswer, ComponentId,
            MessageSignaturesSignSettings, MessageSignaturesVerifySettings, ResponseBinding,
            ResponseSignature, ResponseSigner, ResponseVerifier, StructuredType, UriScheme,
        },
        sigv4::{
            CredentialsProvider, CredentialsRefresh, SigV4Credentials, SigV4PathEncoding,
            SigV4PathNormalization, SigV4Presigned, SigV4PresignedPayload, SigV4SignSettings,
            SigV4VerifySettings,
        },
        webhooks::StandardWebhooksVerifySettings,
    },
    head::{HeadLimits, HostForm, PlainPath, RequestHead},
    key::{CallerKey, KeyState, RootKey, Secret, SigningKey, Validity, VerifyingKey},
    key_id::KeyId,
    key_version::KeyVersion,
    keyring::{ArcKeyStore, CallerKeys, KeyStore, Keyring, KeyringBuilder},
    payload::{BodyState, Payload, PayloadDigest},
    replay::{
        ArcReplayStore, ClaimOutcome, MemoryReplayStore, MemoryReplayStoreBuilder, ReplayClaim,
        ReplayKey, ReplayStore, ReplayStoreId,
    },
    scheme::{Algorithm, ContentTypeRule, NonceRule, Scheme},
    sign::{SharedSigner, Signature, Signer, SignerKey, TargetSigners, TargetSignersBuilder},
    timestamp::Timestamp,
    verify::{
        Asserted, AuthenticatedHead, Authentication, BodyCheck, DetachedHead, Evidence,
        HeadVerified, PendingBody, UnverifiedHead, Verified, Verifier, VerifierBuilder,
    },
};

/// The example of the crate's README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
