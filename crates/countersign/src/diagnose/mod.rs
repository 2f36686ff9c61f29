//! Diagnoses why a request is refused: tries known mistakes and reports which of them explains the
//! refusal.
//!
//! ```
//! use countersign::{CallerKey, Keyring, Secret, Signer, SigningKey, Timestamp, Verifier};
//! use countersign::diagnose::{Cause, Diagnosis};
//!
//! let key = SigningKey::hmac_sha256(&Secret::generate()?);
//! let now = Timestamp::from_unix_seconds(1_767_323_045);
//!
//! // The caller signs `user-service`; its HTTP client sends `user-service:8081`.
//! let signer = Signer::new("billing", key.clone(), ["user-service"])?;
//! let request = http::Request::get("http://user-service/api").body(()).unwrap();
//! let (mut parts, ()) = request.into_parts();
//! signer.sign(&parts, &b""[..], now)?.apply(&mut parts);
//! parts.uri = "http://user-service:8081/api".parse().unwrap();
//!
//! let keys = Keyring::builder()
//!     .caller("billing", CallerKey::new("2026-01", key.verifying_key())?)
//!     .build()?;
//! let report = Diagnosis::new(&Verifier::default(), &parts, now)
//!     .with_keyring(&keys)
//!     .with_body(b"")
//!     .run();
//! assert_eq!(report.first_cause().unwrap().cause(), Cause::HostWithoutPort);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//!
//! First, the diagnosis decides on the request with the same chain of types that layers use. If the
//! request is refused, the diagnosis changes one thing at a time and asks the same verifier again:
//! another host, path, query or header value, another body, another key.
//!
//! The diagnosis also tries verifiers with fewer requirements, for example without expected hosts.
//! They tell whether the signature is right apart from that requirement. HTTP cannot hold every
//! text that a caller may have signed, such as a decoded path. For those, the diagnosis exchanges
//! one line of the verifier's signed text.
//!
//! A cause is [`Certainty::Matched`] only if the real signature check passed under that one change.
//! [`Certainty::Observed`] causes follow from the refusal itself.
//!
//! # Cost
//!
//! A diagnosis checks up to 4096 signatures, or the number set by
//! [`with_limit`](Diagnosis::with_limit). Run it only for refused requests, and limit its rate for
//! requests of unauthenticated peers.
//!
//! # Redaction
//!
//! A [`Report`] holds no secret, no signature and no body. It shows the values of covered headers,
//! except those of `authorization`, `proxy-authorization`, `cookie`, `x-amz-security-token`, and of
//! names that end in `-token` or `-key`. [`Diagnosis::with_redacted_header`] adds names. The names
//! in a report are text from the peer: escape them for display.

mod candidates;
mod cause;
mod comparison;
mod dates;
mod decision;
mod diagnosis;
mod difference;
mod explain;
mod head_copy;
mod keys;
mod observed;
mod percent;
mod redaction;
mod relaxed;
mod repairs;
mod report;
mod report_json;
mod requirement;
mod secret_readings;
mod text_lines;
mod trial;

pub use self::{
    cause::{Cause, Side},
    diagnosis::Diagnosis,
    difference::Difference,
    report::{Candidate, Certainty, Comparison, Finding, Report, Step, StepName, StepOutcome},
};
