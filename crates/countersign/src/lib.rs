//! Countersign proves which service is calling: it signs HTTP requests and verifies them.
//!
//! ```
//! use countersign::{CallerKey, Keyring, KeyStore, PayloadDigest, Secret, Signer, SigningKey, Timestamp, Verifier};
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//! let now = Timestamp::from_unix_seconds(1_767_323_045);
//!
//! // The service that calls.
//! let signer = Signer::new("billing", key.clone(), ["user-service.internal"])?;
//! let request = http::Request::get("http://user-service.internal/api/account/7").body(()).unwrap();
//! let (mut parts, ()) = request.into_parts();
//! signer.sign(&parts, PayloadDigest::of(b""), now)?.apply(&mut parts);
//!
//! // The service that is called.
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("2026-01", key.verifying_key())?)
//!     .build()?;
//! let claim = Verifier::default().parse(&parts, now)?;
//! let caller_keys = keys.try_lookup(claim.key_id()).expect("a keyring answers at once")?;
//! let verified = claim.authenticate(&caller_keys, now)?.finish_with(b"", now)?;
//! assert_eq!(verified.caller(), &"billing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This is the core: it works on the types of the `http` crate, takes the time as an argument, and never waits. For
//! tower, axum and hyper use `tower-countersign`, which is built on it.
//!
//! # How a request is verified
//!
//! ```text
//! request head ──parse──▶ UnverifiedHead ──authenticate(keys)──▶ AuthenticatedHead ──body──▶ Verified
//!               grammar,                   MAC over the head,                        digest compared
//!               freshness,                 incl. the declared                        in constant time
//!               coverage          content hash
//! ```
//!
//! A signature that is over the body itself cannot be checked before the body is there: then the chain goes over a
//! [`PendingBody`]. The peer has proven nothing meanwhile: read its body within limits of their own.
//!
//! Each step is made only by the one before, and borrows from it: a [`UnverifiedHead`] is all that an unauthenticated peer gets to,
//! an [`AuthenticatedHead`] exists only if the signature matched, and [`Verified`] has no other way to be made than
//! through both. What was claimed is never trusted and what is trusted comes from the key's own record.
//!
//! # Why a request is refused
//!
//! A refusal tells the peer nothing. [`diagnose`] tells the operator: it tries what is known to go
//! wrong, and says what would have matched.
//!
//! # Schemes
//!
//! | scheme | accepted by | signed by |
//! |---|---|---|
//! | `HMAC-SHA256`, `ED25519` | default, [`Scheme::Ed25519`] | [`Signer::new`] |
//! | AWS Signature Version 4 | [`SigV4VerifySettings`] | [`Signer::sigv4`], [`Signer::presign`] |
//! | RFC 9421 HTTP Message Signatures | [`MessageSignaturesVerifySettings`] | [`Signer::message_signatures`] |
//! | the DRF profile: timestamp and body | [`DrfVerifySettings`] | [`Signer::drf`] |
//! | Standard Webhooks | [`StandardWebhooksVerifySettings`] | [`Signer::standard_webhooks`] |
//!
//! A verifier accepts any set of them, each by name ([`VerifierBuilder::accept`]). A request that carries signatures in two
//! accepted schemes is refused.
//!
//! # What it guarantees
//!
//! - The caller holds the key: HMAC-SHA256 or Ed25519 over method, target, authority, date, body and every covered
//!   header. MACs are compared in constant time. AWS Signature Version 4 signs a canonical form of the target and, where it
//!   is told to, no body: [`SigV4VerifySettings`] says what that leaves open. The last two schemes of the table sign a body and no
//!   request: [`Coverage::BodyOnly`] says so, and [`Coverage::Partial`] of a signature that was allowed to leave something out.
//! - Every key is bound to one scheme. A request in another is refused; nothing falls back.
//! - Nothing is read leniently: exact lengths and alphabets of signatures, dates and hashes, no duplicates, no header that
//!   is covered but absent.
//! - A covered nonce is let through once, for as long as its date is accepted ([`ReplayStore`]).
//!
//! # What it does not
//!
//! - The chain does not claim the nonce: whoever drives it by hand asks a [`ReplayStore`] before the request is handled, as
//!   `tower-countersign` does. Without that a [`Verified`] request may be a copy.
//! - It hides nothing: use TLS where the network can be read. Equal bodies show equal hashes.
//! - It proves the calling *service*, not a user behind it. Carry a user's token in a header of its own and cover it
//!   ([`Signer::covering`], [`VerifierBuilder::require_headers`]).
//! - A shared secret verifies *and* signs. Give each pair of services its own; for proof to third parties use Ed25519 and
//!   keep the [`Evidence`].
//! - Clocks must agree to within the window, 300 seconds unless set otherwise.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `config` | yes | keys and signers from TOML files, directories and variables; credentials from the places where AWS keeps them |
//! | `diagnose` | yes | [`diagnose`]: which known mistake explains a refusal |
//! | `policy` | yes | [`Policy`]: who may call what |
//! | `replay-conformance` | no | `replay_conformance`: the tests that every replay store must pass, for authors of stores |
//!
//! Without features the crate reads no file and needs no parser of TOML or JSON.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        clippy::too_many_lines,
        reason = "tests are tables of constants, and panic where one is wrong"
    )
)]

#[cfg(feature = "config")]
mod config;
mod crypto;
mod derived_keyring;
#[cfg(feature = "diagnose")]
pub mod diagnose;
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
#[cfg(any(feature = "config", feature = "policy"))]
mod read_text;
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
        AcceptedScheme, Coverage, Nonce,
        drf::{DrfHeaders, DrfVerifySettings},
        message_signatures::{
            ComponentId, MessageSignaturesSignSettings, MessageSignaturesVerifySettings,
            StructuredType, UriScheme,
        },
        sigv4::{
            CredentialsProvider, CredentialsRefresh, SigV4Credentials, SigV4PathEncoding,
            SigV4PathNormalization, SigV4Presigned, SigV4PresignedPayload, SigV4SignSettings,
            SigV4VerifySettings,
        },
        webhooks::StandardWebhooksVerifySettings,
    },
    head::{HeadLimits, HostForm, PlainPath, RequestHead},
    key::{CallerKey, KeyState, RootKey, Secret, SigningKey, VerifyingKey},
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
        Asserted, AuthenticatedHead, Authentication, DetachedHead, Evidence, PendingBody,
        UnverifiedHead, Verified, Verifier, VerifierBuilder,
    },
};

/// The example of the crate's README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
