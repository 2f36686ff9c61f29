//! scratchstack-aws-signature, with the key of the day at hand. Presigned requests it takes none
//! of: it splits their credential at `/`, which is `%2F` in a query.

use std::future::{Ready, ready};

use benches::{
    case::Case,
    request::{self, SIGV4_ACCESS_KEY, SIGV4_REGION, SIGV4_SECRET, SIGV4_SERVICE},
    schemes::{self, Scheme},
};
use bytes::Bytes;
use chrono::{NaiveDate, Utc};
use futures::FutureExt;
use http::{Request, request::Parts};
use scratchstack_aws_signature::{
    GetSigningKeyRequest, GetSigningKeyResponse, KSecretKey, NO_ADDITIONAL_SIGNED_HEADERS,
    SignatureOptions, sigv4_validate_request,
};
use tower::BoxError;

/// Verifies head and body.
pub fn verify(body_len: usize) -> Case {
    let body = Bytes::from(request::body(body_len));
    let mut make = crate::request_of(schemes::signed(Scheme::SigV4, &body), body);
    let key = Key::new();
    Case::consuming(
        "scratchstack-aws-signature",
        move || Some(make()),
        move |request| assert!(key.takes(request.take().unwrap())),
    )
}

/// Whether a request is taken.
pub fn takes(parts: Parts, body: &[u8]) -> bool {
    let body = Bytes::copy_from_slice(body);
    Key::new().takes(Request::from_parts(parts, body))
}

pub(crate) struct Key {
    secret: KSecretKey,
    day: NaiveDate,
    response: GetSigningKeyResponse,
}

impl Key {
    pub(crate) fn new() -> Self {
        let secret: KSecretKey = SIGV4_SECRET.parse().unwrap();
        let day = Utc::now().date_naive();
        let response = response(&secret, day);
        Self {
            secret,
            day,
            response,
        }
    }

    fn takes(&self, request: Request<Bytes>) -> bool {
        self.verified(request).now_or_never().unwrap().is_some()
    }

    /// Verifies head and body. Never waits: the keys are in memory.
    pub(crate) async fn verified(&self, request: Request<Bytes>) -> Option<(Parts, Bytes)> {
        let mut keys = tower::service_fn(|asked: GetSigningKeyRequest| {
            let known = asked.access_key() == SIGV4_ACCESS_KEY;
            let answer: Result<_, BoxError> = match known {
                true if asked.request_date() == self.day => Ok(self.response.clone()),
                true => Ok(response(&self.secret, asked.request_date())),
                false => Err("unknown".into()),
            };
            let answer: Ready<Result<GetSigningKeyResponse, BoxError>> = ready(answer);
            answer
        });
        let verified = sigv4_validate_request(
            request,
            SIGV4_REGION,
            SIGV4_SERVICE,
            &mut keys,
            Utc::now(),
            &NO_ADDITIONAL_SIGNED_HEADERS,
            SignatureOptions::default(),
        );
        let (parts, body, _) = verified.await.ok()?;
        Some((parts, body))
    }
}

fn response(secret: &KSecretKey, day: NaiveDate) -> GetSigningKeyResponse {
    GetSigningKeyResponse::builder()
        .signing_key(secret.to_ksigning(day, SIGV4_REGION, SIGV4_SERVICE))
        .build()
        .unwrap()
}
