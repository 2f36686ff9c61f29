//! A service that receives files of any size, and commits only those that are verified to their
//! last byte.
//!
//! | request | body |
//! |---|---|
//! | `PUT /streamed/{name}` | is verified while the handler writes it to a staged file |
//! | `PUT /spilled/{name}` | is verified first, in a file without a name, and then written |
//! | `GET /files/{name}` | returns a committed file |
//!
//! # Run with
//!
//! ```sh
//! export SERVICE_SECRETS="{\"billing\":\"$(openssl rand -hex 32)\"}"
//! mkdir uploads
//! UPLOAD_DIR=uploads cargo run -p uploads
//! ```
//!
//! `LISTEN_ADDR` is the address to listen on, by default `127.0.0.1:8085`. `SERVICE_SECRETS` holds
//! the callers and their keys, as for `Keyring::from_env`. `UPLOAD_DIR` is a directory that exists.
//!
//! # Transcript
//!
//! The caller `billing` signs 11 bytes, and something on the way changes the last one:
//!
//! ```text
//! > PUT /streamed/report.txt HTTP/1.1
//! > authorization: HMAC-SHA256 Credential=billing,SignedHeaders=host;x-content-sha256;…
//! > x-content-sha256: b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9
//! > content-length: 11
//! >
//! > hello worle
//!
//! < HTTP/1.1 401 Unauthorized
//! < {"error":"body_mismatch"}
//! ```
//!
//! The handler had written a staged file by then. It never got the last bytes, and nothing was
//! committed:
//!
//! ```text
//! $ ls -A uploads
//! $
//! ```
//!
//! The log:
//!
//! ```text
//! WARN countersign: outcome="refused" code="body_mismatch" … caller=billing
//!   body_mode="stream" body="body_mismatch" reason=body: expected the one whose SHA-256 was …
//! ```
//!
//! The same upload, signed again and not changed:
//!
//! ```text
//! < HTTP/1.1 201 Created
//!
//! $ ls -A uploads
//! report.txt
//! ```

mod file_name;
mod files;

use std::io;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use countersign::{ConfigError, Keyring};
use futures::StreamExt as _;
use http::Method;
use tokio_util::io::ReaderStream;
use tower_countersign::{
    BodyError, BodyMode, SpillLimits, StreamedBody, VerifiedCaller, VerifyLayer,
};

pub use self::{
    file_name::{FileName, NotAFileName},
    files::{Files, Staged},
};

/// Builds the service.
///
/// # Errors
///
/// If no file can be created in the directory.
pub fn app(keys: Keyring, files: Files) -> Result<Router, ConfigError> {
    let verify = VerifyLayer::new(keys)
        .with_spill(SpillLimits::in_directory(files.directory())?)
        .with_body_mode_for(BodyMode::Stream, [(Method::PUT, "/streamed/{name}")])?
        .with_body_mode_for(BodyMode::Spill, [(Method::PUT, "/spilled/{name}")])?;
    Ok(Router::new()
        .route("/streamed/{name}", put(streamed))
        .route("/spilled/{name}", put(spilled))
        .route("/files/{name}", get(download))
        .layer(verify)
        .with_state(files))
}

async fn streamed(
    Path(name): Path<FileName>,
    State(files): State<Files>,
    mut body: StreamedBody,
) -> Result<StatusCode, UploadError> {
    let mut staged = files.stage(&name).await?;
    while let Some(chunk) = body.chunk().await? {
        staged.write(&chunk).await?;
    }
    staged.commit(&body.verified().await?).await?;
    Ok(StatusCode::CREATED)
}

/// Runs only if the whole body is verified.
async fn spilled(
    caller: VerifiedCaller,
    Path(name): Path<FileName>,
    State(files): State<Files>,
    body: Body,
) -> Result<StatusCode, UploadError> {
    let mut staged = files.stage(&name).await?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        staged.write(&chunk.map_err(io::Error::other)?).await?;
    }
    staged.commit(&caller).await?;
    Ok(StatusCode::CREATED)
}

async fn download(
    _caller: VerifiedCaller,
    Path(name): Path<FileName>,
    State(files): State<Files>,
) -> Result<Body, StatusCode> {
    match files.open(&name).await {
        Ok(file) => Ok(Body::from_stream(ReaderStream::new(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "cannot open a file");
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Why an upload was not committed.
#[derive(Debug)]
enum UploadError {
    /// The body is not the signed one. The layer answers the peer.
    Body(BodyError),
    Io(io::Error),
}

impl From<BodyError> for UploadError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl IntoResponse for UploadError {
    fn into_response(self) -> Response {
        match self {
            Self::Body(error) => error.into_response(),
            Self::Io(error) => {
                tracing::error!(%error, "cannot store an upload");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
