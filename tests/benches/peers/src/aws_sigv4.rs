//! aws-sigv4, the signer of the AWS SDK. It derives the key each time.

use std::time::{Duration, SystemTime};

use ::aws_sigv4::{
    http_request::{
        PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        sign as aws_sign,
    },
    sign::v4,
};
use aws_credential_types::Credentials;
use benches::{
    case::Case,
    request::{self, SIGV4_ACCESS_KEY, SIGV4_REGION, SIGV4_SECRET, SIGV4_SERVICE},
};
use http::{Request, request::Parts};

/// Signs and sets the headers.
pub fn sign(body_len: usize) -> Case {
    let body = request::body(body_len);
    let identity = identity();
    Case::consuming(
        "aws-sigv4",
        move || {
            let parts = crate::absolute(request::unsigned(body_len));
            let uri = parts.uri.to_string();
            (Request::from_parts(parts, ()), uri)
        },
        move |(request, uri)| {
            let now = SystemTime::now();
            sign_with(&identity, settings(), now, uri, request, &body);
        },
    )
}

/// The same at a given time.
pub fn sign_at(now: SystemTime, parts: Parts, body: &[u8]) -> Parts {
    let uri = parts.uri.to_string();
    let mut request = Request::from_parts(parts, ());
    sign_with(&identity(), settings(), now, &uri, &mut request, body);
    request.into_parts().0
}

/// Signs in the query. Only `host` is covered.
pub fn presign_at(now: SystemTime, expires_in: u64, mut parts: Parts) -> Parts {
    let uri = parts.uri.to_string();
    let mut settings = settings();
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(expires_in));
    let headers = std::mem::take(&mut parts.headers);
    let mut request = Request::from_parts(parts, ());
    sign_with(&identity(), settings, now, &uri, &mut request, b"");
    let (mut parts, ()) = request.into_parts();
    parts.headers = headers;
    parts
}

fn identity() -> aws_smithy_runtime_api::client::identity::Identity {
    Credentials::new(SIGV4_ACCESS_KEY, SIGV4_SECRET, None, None, "benches").into()
}

/// Every header, as the request's others do.
fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.excluded_headers = None;
    settings
}

fn sign_with(
    identity: &aws_smithy_runtime_api::client::identity::Identity,
    settings: SigningSettings,
    now: SystemTime,
    uri: &str,
    request: &mut Request<()>,
    body: &[u8],
) {
    let params = v4::SigningParams::builder()
        .identity(identity)
        .region(SIGV4_REGION)
        .name(SIGV4_SERVICE)
        .time(now)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let body = SignableBody::Bytes(body);
    let signable = SignableRequest::new(request.method().as_str(), uri, headers, body).unwrap();
    let (instructions, _) = aws_sign(signable, &params).unwrap().into_parts();
    instructions.apply_to_request_http1x(request);
}
