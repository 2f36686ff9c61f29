//! `AWS4-HMAC-SHA256`: AWS Signature Version 4, in the `Authorization` header or in the URL.
//!
//! ```text
//! x-amz-date: 20260102T030405Z
//! x-amz-content-sha256: 64 lower-case hexadecimal digits of SHA-256(body)
//! authorization: AWS4-HMAC-SHA256 Credential=AKID/20260102/eu-central-1/user-service/aws4_request,
//!     SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=…          (on one line)
//! ```
//!
//! Signs the [string to sign](string_to_sign), which holds the hash of the [canonical
//! request](canonical_request). The [key](signing_key) is derived from the secret for one day,
//! region and service. The signature covers method, path, query and the listed headers, and the
//! body by its hash.
//!
//! If `x-amz-content-sha256` declares the body's hash, the signature is checked before the body is
//! read. Otherwise the body is read first; most clients for services other than S3 omit the header.
//!
//! A replay is detected by a covered `x-nonce`, which AWS clients do not send. For a signature in a
//! URL, the settings can select the signature itself as identity. Without either, only the date
//! limits replays.

mod authorization;
mod canonical_headers;
mod canonical_query;
mod canonical_request;
mod canonical_uri;
#[cfg(feature = "sigv4-chunked")]
mod chunked;
mod content_coding;
mod credential_scope;
mod credentials;
mod current_credentials;
mod date;
#[cfg(feature = "config")]
mod endpoint_credentials;
#[cfg(feature = "config")]
mod environment;
mod header_lines;
mod parse;
mod payload_hash;
mod presign;
#[cfg(feature = "config")]
mod profile_file;
mod provider;
mod query_parameters;
#[cfg(feature = "config")]
mod reading;
mod refresh;
#[cfg(feature = "diagnose")]
mod relaxed;
mod scope;
#[cfg(feature = "config")]
mod shared_credentials;
mod sign;
mod sign_settings;
mod signed_headers;
mod signing_key;
#[cfg(feature = "config")]
mod static_credentials;
mod string_to_sign;
mod target_form;
mod uri_encode;
mod verifier;
mod verify_settings;

use http::HeaderName;

#[cfg(feature = "sigv4-chunked")]
pub use self::chunked::{ChunkedDecoder, Decoded};
#[cfg(feature = "config")]
pub use self::shared_credentials::SharedCredentialsFile;
#[cfg(feature = "diagnose")]
pub(crate) use self::{
    canonical_uri::normalized_segments,
    relaxed::{AssertedScope, Relaxation},
};
pub use self::{
    canonical_uri::{SigV4PathEncoding, SigV4PathNormalization},
    provider::{CredentialsProvider, SigV4Credentials},
    refresh::CredentialsRefresh,
    sign_settings::SigV4SignSettings,
    verify_settings::{SigV4Presigned, SigV4PresignedPayload, SigV4VerifySettings},
};
pub(crate) use self::{
    credentials::Credentials, sign::FamilySigner, string_to_sign::StringToSign,
    verifier::FamilyVerifier,
};

static X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
static X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
static X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
