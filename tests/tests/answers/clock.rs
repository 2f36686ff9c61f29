//! The refusal of a stale date tells a holder of the key by how much the clocks differ.

use countersign::{PayloadDigest, ResponseBinding, ResponseSigner, Timestamp};
use tests::keys::{NOW, OTHER_SECRET};

use super::*;

const SERVER: Timestamp = Timestamp::from_unix_seconds(1_767_323_045 + 600);

async fn call_at_now(key: &str) -> Result<Answer, BoxError> {
    let layer = verify()
        .with_clock(|| SERVER)
        .with_signed_answers(signing())
        .unwrap();
    let server = Server::axum(routes().layer(layer)).await;
    let signer = signer("billing", hmac_key(key), &server.authority());
    let sign = SignLayer::new(signer).with_clock(|| NOW);
    let verify = verify_answers(&server).with_clock(|| NOW);
    let request = request(&server, "GET", "/item", "");
    send(&server, sign, verify, request).await
}

#[tokio::test]
async fn a_signed_expired_tells_the_offset() {
    let answer = call_at_now(SECRET).await.unwrap();
    assert_eq!(answer.body, r#"{"error":"expired"}"#);
    let AnswerState::Verified {
        clock_offset_seconds,
        ..
    } = answer.state
    else {
        panic!("expected a verified answer");
    };
    assert_eq!(clock_offset_seconds, Some(600));
}

/// Otherwise anyone could learn which dates of whose requests were right.
#[tokio::test]
async fn a_stranger_with_a_stale_date_gets_an_unsigned_expired() {
    let error = answer_error(call_at_now(OTHER_SECRET).await);
    assert_eq!(error.kind(), AnswerErrorKind::Unsigned);
    assert_eq!(error.clock_offset_seconds(), None);
}

/// A response whose date was signed at another time does not tell the clock's offset.
#[test]
fn only_a_401_whose_date_agrees_with_its_signature_may_be_stale() {
    let request = Request::get("/item")
        .header("host", "user-service")
        .header("x-nonce", "0123456789abcdef")
        .header("authorization", "HMAC-SHA256 credential=billing");
    let (request, ()) = request.body(()).unwrap().into_parts();
    let binding = ResponseBinding::of(&request).unwrap();
    let key = hmac_key(SECRET);
    let signing = key.verifying_key().response_signing_key().unwrap();
    let signer = ResponseSigner::new("user-service").unwrap();
    let verifier = verifier_of(&key, "user-service");
    for (status, date, expected) in [
        (401, "Fri, 02 Jan 2026 03:14:05 GMT", None),
        (401, "Fri, 02 Jan 2026 03:14:10 GMT", None),
        (
            401,
            "Fri, 02 Jan 2026 03:14:11 GMT",
            Some(AnswerErrorKind::Expired),
        ),
        (
            200,
            "Fri, 02 Jan 2026 03:14:05 GMT",
            Some(AnswerErrorKind::Expired),
        ),
    ] {
        let response = Response::builder().status(status).header("date", date);
        let (mut response, ()) = response.body(()).unwrap().into_parts();
        let digest = PayloadDigest::of(b"");
        let signature = signer.sign(&signing, &binding, &response, digest, SERVER);
        signature.unwrap().apply(&mut response);
        let found = verifier.authenticate(&binding, &response, NOW);
        let found = found.err().map(|error| error.kind());
        assert_eq!(found, expected, "{status}, {date}");
    }
}
