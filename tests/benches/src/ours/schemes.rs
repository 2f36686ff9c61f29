//! This project in each of the schemes beside `HMAC-SHA256`.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use countersign::{
    Algorithm, CallerKey, ComponentId, ContentTypeRule, DrfVerifySettings, KeyStore, Keyring,
    MessageSignaturesSignSettings, MessageSignaturesVerifySettings, Nonce, NonceRule, Secret,
    SigV4Credentials, SigV4Presigned, SigV4SignSettings, SigV4VerifySettings, Signer, SigningKey,
    StandardWebhooksVerifySettings, Timestamp, Verified, Verifier,
};
use http::{HeaderName, HeaderValue, Method, request::Parts};

use crate::{
    case::Case,
    groups::OURS,
    lower_bound::message_signatures::COVERED,
    request::{self, CALLER, HOST, TARGET},
    schemes::{self, Operation, Scheme, Subject},
};

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");

/// How long the bound accepts its signatures. The default of the DRF scheme, 60 seconds, is shorter
/// than a run.
const WINDOW: Duration = Duration::from_secs(300);

/// The case of this subject, once there is one.
pub fn case(subject: Subject) -> Option<Case> {
    let Subject {
        scheme,
        operation,
        body_len,
    } = subject;
    match operation {
        Operation::Sign => sign(scheme, body_len),
        Operation::Verify => Some(verify(scheme, body_len)),
    }
}

/// Signs the head for a body of so many bytes and sets the headers.
fn sign(scheme: Scheme, body_len: usize) -> Option<Case> {
    let signer = signer(scheme)?;
    let body = request::body(body_len);
    let nonce = Nonce::new(request::MESSAGE_NONCE).unwrap();
    let has_nonce = matches!(scheme, Scheme::HmacMessages | Scheme::Ed25519Messages);
    let case = Case::consuming(
        OURS,
        move || unsigned(scheme, body_len),
        move |parts| {
            let nonce = has_nonce.then(|| nonce.clone());
            sign_with(&signer, nonce, parts, &body).unwrap();
        },
    );
    Some(case)
}

/// Verifies head and body of what the lower bound has signed.
fn verify(scheme: Scheme, body_len: usize) -> Case {
    let body: Rc<[u8]> = request::body(body_len).into();
    let parts = schemes::signed(scheme, &body);
    let (verifier, keys) = (verifier(scheme), keyring(scheme));
    schemes::verifying(OURS, move || {
        verified(&verifier, &keys, &parts, &body).is_some()
    })
}

/// Signs the head for this body and sets the headers.
pub fn sign_with(
    signer: &Signer,
    nonce: Option<Nonce>,
    parts: &mut Parts,
    body: &[u8],
) -> Option<()> {
    let now = Timestamp::from(SystemTime::now());
    let signature = match nonce {
        Some(nonce) => signer.sign_with_nonce(parts, body, nonce, now),
        None => signer.sign(parts, body, now),
    };
    signature.ok()?.apply(parts);
    Some(())
}

/// Verifies the head, then the body; or both at once, where the signature is over the body.
pub fn verified(
    verifier: &Verifier,
    keys: &Keyring,
    parts: &Parts,
    body: &[u8],
) -> Option<Verified> {
    let now = Timestamp::from(SystemTime::now());
    let unverified = verifier.parse(parts, now).ok()?;
    let keys = keys.try_lookup(unverified.key_id())?.ok()?;
    let authentication = unverified.authenticate(&keys, now).ok()?;
    authentication.finish_with(body, now).ok()
}

/// The head before it is signed. A webhook has the id of its message.
pub fn unsigned(scheme: Scheme, body_len: usize) -> Parts {
    let mut parts = request::unsigned(body_len);
    if scheme == Scheme::StandardWebhooks {
        let id = HeaderValue::from_static(request::WEBHOOK_ID);
        parts.headers.insert(WEBHOOK_ID, id);
    }
    parts
}

/// What signs. RFC 9421 covers what the bound covers, which is less than by default.
pub fn signer(scheme: Scheme) -> Option<Signer> {
    let key = key(scheme);
    let signer = match scheme {
        Scheme::SigV4 => {
            let credentials = SigV4Credentials::new(request::SIGV4_ACCESS_KEY, key).unwrap();
            let (region, service) = (request::SIGV4_REGION, request::SIGV4_SERVICE);
            let settings = SigV4SignSettings::new(region, service, credentials).unwrap();
            Signer::sigv4(settings, [HOST])
        }
        Scheme::SigV4Presigned => return None,
        // As the article signs, which sends no nonce where one request is like another.
        Scheme::Drf => Signer::drf(key, [HOST]).map(Signer::insecure_three_headers),
        Scheme::StandardWebhooks => Signer::standard_webhooks([key], [HOST]),
        Scheme::HmacMessages | Scheme::Ed25519Messages => {
            let covered = COVERED.map(|id| match id {
                "@method" => ComponentId::METHOD,
                "@authority" => ComponentId::AUTHORITY,
                "@path" => ComponentId::PATH,
                "@query" => ComponentId::QUERY,
                _ => ComponentId::CONTENT_DIGEST,
            });
            let settings = MessageSignaturesSignSettings::new(CALLER, key).unwrap();
            let settings = settings.insecure_cover_only(covered).with_alg();
            Signer::message_signatures(settings, [HOST])
        }
    };
    Some(signer.unwrap())
}

/// What verifies.
pub fn verifier(scheme: Scheme) -> Verifier {
    let builder = Verifier::builder();
    let sigv4 = || SigV4VerifySettings::new(request::SIGV4_REGION, request::SIGV4_SERVICE).unwrap();
    let builder = match scheme {
        Scheme::SigV4 => builder.accept_only(sigv4()),
        Scheme::SigV4Presigned => {
            let verify_settings = sigv4().with_presigned(SigV4Presigned::new());
            builder.accept_only(verify_settings).expected_hosts([HOST])
        }
        Scheme::Drf => {
            let verify_settings = DrfVerifySettings::for_caller(CALLER).unwrap();
            let verify_settings = verify_settings.with_route(Method::POST, TARGET).unwrap();
            builder.accept_only(verify_settings.with_window(WINDOW).unwrap())
        }
        Scheme::StandardWebhooks => {
            let verify_settings = StandardWebhooksVerifySettings::for_caller(CALLER).unwrap();
            builder.accept_only(verify_settings.with_route(Method::POST, TARGET).unwrap())
        }
        Scheme::HmacMessages => builder.accept_only(
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256),
        ),
        Scheme::Ed25519Messages => builder
            .accept_only(MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::Ed25519))
            .expected_hosts([HOST]),
    };
    builder.build().unwrap()
}

/// The keys that verify.
pub fn keyring(scheme: Scheme) -> Keyring {
    let key = CallerKey::new("2026-01", key(scheme).verifying_key()).unwrap();
    let key = match scheme {
        Scheme::SigV4 | Scheme::SigV4Presigned => {
            key.with_key_id(request::SIGV4_ACCESS_KEY).unwrap()
        }
        // The bound covers no content type.
        Scheme::HmacMessages | Scheme::Ed25519Messages => {
            key.with_content_type(ContentTypeRule::Exempt)
        }
        Scheme::Drf | Scheme::StandardWebhooks => key.with_nonce(NonceRule::Optional),
    };
    Keyring::builder().caller(CALLER, key).build().unwrap()
}

fn key(scheme: Scheme) -> SigningKey {
    match scheme {
        Scheme::SigV4 | Scheme::SigV4Presigned => {
            SigningKey::sigv4(&Secret::from_text(request::SIGV4_SECRET).unwrap())
        }
        Scheme::Drf => SigningKey::drf(&Secret::from_text(request::DRF_SECRET).unwrap()),
        Scheme::StandardWebhooks => {
            let secret = Secret::from_webhook_secret(request::WEBHOOK_SECRET).unwrap();
            SigningKey::standard_webhooks(&secret)
        }
        Scheme::HmacMessages => SigningKey::message_hmac_sha256(&request::secret()),
        Scheme::Ed25519Messages => SigningKey::message_ed25519(&request::secret()).unwrap(),
    }
}
