//! The refusal of a stale date tells a holder of the key by how much the clocks differ.

use countersign::Timestamp;
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
