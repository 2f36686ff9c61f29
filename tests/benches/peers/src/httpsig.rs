//! httpsig-hyper, signature and content digest.

use benches::{
    case::Case,
    lower_bound::message_signatures::COVERED,
    request::{self, CALLER, MESSAGE_NONCE},
    schemes::{self, Scheme},
};
use bytes::Bytes;
use futures::FutureExt;
use http::{Request, request::Parts};
use http_body_util::Full;
use httpsig_hyper::{
    ContentDigestType, MessageSignatureReq, RequestContentDigest,
    prelude::{
        AlgorithmName, HttpSignatureParams, PublicKey, SecretKey, SharedKey, SigningKey,
        VerifyingKey, message_component::HttpMessageComponentId,
    },
};

const NAME: &str = "httpsig-hyper";

/// Signs and sets the headers.
pub fn sign(scheme: Scheme, body_len: usize) -> Case {
    let body = Bytes::from(request::body(body_len));
    let mut make = crate::request_of(
        crate::absolute(request::unsigned(body_len)),
        Full::new(body),
    );
    let covered = covered();
    let key = key(scheme);
    Case::consuming(
        NAME,
        move || (Some(make()), None),
        move |(request, signed)| {
            let params = HttpSignatureParams::try_new(&covered).unwrap();
            *signed = Some(key.sign(params, request.take().unwrap()));
        },
    )
}

/// The same once, at a given time.
pub fn sign_at(scheme: Scheme, now: u64, parts: Parts, body: &[u8]) -> Parts {
    let mut params = HttpSignatureParams::try_new(&covered()).unwrap();
    params.set_created(now);
    let body = Full::new(Bytes::copy_from_slice(body));
    key(scheme)
        .sign(params, Request::from_parts(parts, body))
        .into_parts()
        .0
}

/// Verifies head and body.
pub fn verify(scheme: Scheme, body_len: usize) -> Case {
    let body = Bytes::from(request::body(body_len));
    let parts = crate::absolute(schemes::signed(scheme, &body));
    let mut make = crate::request_of(parts, Full::new(body));
    let key = public_key(scheme);
    Case::consuming(
        NAME,
        move || (Some(make()), None),
        move |(request, verified)| {
            let request = request.take().unwrap();
            *verified = Some(key.verified(request).unwrap());
        },
    )
}

/// Whether a request is taken.
pub fn takes(scheme: Scheme, parts: Parts, body: &[u8]) -> bool {
    let body = Full::new(Bytes::copy_from_slice(body));
    let request = Request::from_parts(parts, body);
    public_key(scheme).verified(request).is_some()
}

pub(crate) type Digested = <Request<Full<Bytes>> as RequestContentDigest>::PassthroughRequest;

enum Key {
    Hmac(SharedKey),
    Ed25519(SecretKey),
}

enum Public {
    Hmac(SharedKey),
    Ed25519(PublicKey),
}

impl Key {
    fn sign(&self, params: HttpSignatureParams, request: Request<Full<Bytes>>) -> Digested {
        match self {
            Self::Hmac(key) => sign_with(key, params, request),
            Self::Ed25519(key) => sign_with(key, params, request),
        }
    }
}

impl Public {
    fn verified(&self, request: Request<Full<Bytes>>) -> Option<Digested> {
        match self {
            Self::Hmac(key) => verified_with(key, request).now_or_never()?,
            Self::Ed25519(key) => verified_with(key, request).now_or_never()?,
        }
    }
}

fn sign_with<K: SigningKey + Sync>(
    key: &K,
    mut params: HttpSignatureParams,
    request: Request<Full<Bytes>>,
) -> Digested {
    params.set_nonce(MESSAGE_NONCE);
    params.set_alg(&key.alg());
    params.set_keyid(CALLER);
    let digested = request.set_content_digest(&ContentDigestType::Sha256);
    let mut request = digested.now_or_never().unwrap().unwrap();
    let signed = request.set_message_signature(&params, key, Some("sig1"));
    signed.now_or_never().unwrap().unwrap();
    request
}

/// Verifies the head, then the body. Never waits: the body is in memory.
pub(crate) async fn verified_with<K: VerifyingKey + Sync>(
    key: &K,
    request: Request<Full<Bytes>>,
) -> Option<Digested> {
    let verified = request.verify_message_signature(key, Some(CALLER));
    verified.await.ok()?;
    request.verify_content_digest().await.ok()
}

fn key(scheme: Scheme) -> Key {
    let secret = hex::decode(request::KEY).unwrap();
    if scheme == Scheme::Ed25519Messages {
        return Key::Ed25519(SecretKey::from_bytes(&AlgorithmName::Ed25519, &secret).unwrap());
    }
    Key::Hmac(SharedKey::HmacSha256(secret))
}

fn public_key(scheme: Scheme) -> Public {
    match key(scheme) {
        Key::Hmac(key) => Public::Hmac(key),
        Key::Ed25519(key) => Public::Ed25519(key.public_key()),
    }
}

fn covered() -> Vec<HttpMessageComponentId> {
    let ids = COVERED
        .iter()
        .map(|id| HttpMessageComponentId::try_from(*id));
    ids.collect::<Result<_, _>>().unwrap()
}
