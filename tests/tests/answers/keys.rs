//! The keys of answers: of the service, of the pair, and during a rotation.

use countersign::{Algorithm, Scheme, Secret, Verifier, VerifyingKey};
use tests::keys::{OTHER_SECRET, ed25519_key};

use super::*;

fn service_key() -> SigningKey {
    SigningKey::message_ed25519(&Secret::from_hex(OTHER_SECRET).unwrap()).unwrap()
}

fn knowing(server: &Server, key: VerifyingKey) -> VerifyAnswerLayer {
    let key = CallerKey::new("1", key).unwrap();
    let keys = CallerKeys::new("user-service", [key.with_key_id("users/ed").unwrap()]).unwrap();
    let verifier = ResponseVerifier::new().with_service([server.authority()], keys);
    VerifyAnswerLayer::new(verifier.unwrap())
}

#[tokio::test]
async fn a_caller_with_a_public_key_is_answered_with_the_key_of_the_service() {
    let key = ed25519_key(SECRET);
    let signing = signing()
        .with_service_key("users/ed", service_key())
        .unwrap();
    let server = |signing: AnswerSigning| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let verifier = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([authority])
            .build()
            .unwrap();
        let layer = VerifyLayer::new(keyring("billing", &ed25519_key(SECRET)))
            .with_verifier(verifier)
            .with_signed_answers(signing)
            .map(|layer| routes().layer(layer));
        layer.map(|app| Server::on(listener, app))
    };
    let Err(error) = server(super::signing()) else {
        panic!("expected an error without a service key");
    };
    assert!(error.to_string().contains("with_service_key"), "{error}");
    let server = server(signing).unwrap();
    let sign = SignLayer::new(signer("billing", key, &server.authority()));
    let request = request(&server, "GET", "/item", "");
    let verify = knowing(&server, service_key().verifying_key());
    let answer = send(&server, sign, verify, request).await.unwrap();
    assert!(is_verified(&answer));
}

/// This key signs for every caller, so only the match of a signature keeps strangers out.
#[tokio::test]
async fn the_key_of_the_service_signs_no_refusal_of_a_stranger() {
    let signing = AnswerSigning::by_service_key("users/ed", service_key()).unwrap();
    let server = Server::axum(routes().layer(verify().with_signed_answers(signing).unwrap())).await;
    for (secret, is_known) in [(SECRET, true), (OTHER_SECRET, false)] {
        let sign = SignLayer::new(signer("billing", hmac_key(secret), &server.authority()));
        let verify = knowing(&server, service_key().verifying_key());
        let request = request(&server, "GET", "/item", "");
        let found = send(&server, sign, verify, request).await;
        if is_known {
            assert!(is_verified(&found.unwrap()));
        } else {
            assert_eq!(kind(found), AnswerErrorKind::Unsigned);
        }
    }
}

#[test]
fn a_service_key_is_no_shared_secret() {
    let key = SigningKey::message_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    assert_eq!(key.algorithm(), Algorithm::HmacSha256);
    assert!(AnswerSigning::by_service_key("users", key).is_err());
    assert!(AnswerSigning::by_service_key("users", ed25519_key(SECRET)).is_err());
}

/// The answer to a request on the old secret is signed with the key of the old secret.
#[tokio::test]
async fn no_answer_is_refused_while_the_secret_of_the_pair_is_rotated() {
    let secrets = [SECRET, OTHER_SECRET].map(hmac_key);
    let mut callers = Keyring::builder();
    let mut known = Vec::new();
    for (version, key) in ["old", "new"].iter().zip(&secrets) {
        let caller = CallerKey::new(version, key.verifying_key()).unwrap();
        callers = callers.caller("billing", caller);
        known.push(CallerKey::new(version, key.response_verifying_key().unwrap()).unwrap());
    }
    let layer = VerifyLayer::new(callers.build().unwrap());
    let server = Server::axum(routes().layer(layer.with_signed_answers(signing()).unwrap())).await;
    let known = CallerKeys::new("user-service", known).unwrap();
    let verifier = ResponseVerifier::new().with_service([server.authority()], known);
    let verifier = verifier.unwrap();
    for key in secrets {
        let sign = SignLayer::new(signer("billing", key, &server.authority()));
        let verify = VerifyAnswerLayer::new(verifier.clone());
        let request = request(&server, "GET", "/item", "");
        let answer = send(&server, sign, verify, request).await.unwrap();
        assert!(is_verified(&answer));
    }
}

/// The caller's own MAC must not be taken for one of the service.
#[tokio::test]
async fn an_answer_signed_with_the_secret_itself_is_refused() {
    let server = Server::axum(service()).await;
    let secret = Secret::from_hex(SECRET).unwrap();
    let verify = VerifyAnswerLayer::new({
        let key = CallerKey::new("1", VerifyingKey::message_hmac_sha256(&secret)).unwrap();
        let keys = CallerKeys::new("user-service", [key]).unwrap();
        let verifier = ResponseVerifier::new().with_service([server.authority()], keys);
        verifier.unwrap()
    });
    let request = request(&server, "GET", "/item", "");
    let found = send(&server, sign(&server), verify, request).await;
    assert_eq!(kind(found), AnswerErrorKind::InvalidSignature);
}
