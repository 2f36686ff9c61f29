//! SigV4 by the clients that people use, which were written for AWS and know nothing of us.

use std::time::{Duration, SystemTime};

use countersign::{
    CallerKey, Keyring, Scheme, Secret, SigV4Presigned, SigV4VerifySettings, Timestamp, Verifier,
    VerifyingKey,
};
use http::HeaderMap;
use serde_json::{Value, json};
use tower_countersign::VerifyLayer;

use super::{
    changes::{self, Bound},
    peers::{Peer, binary, request},
    service::{Sent, Service},
};

const ACCESS_KEY_ID: &str = "AKIDBILLING7";
const SECRET: &str = "Qm9/k2Lw+Zr7Xt0uVbN4cYdE1sHjPgAiToR8WfKx";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDNotAReal+Token/ForTests==";
const REGION: &str = "eu-central-1";
const SERVICE: &str = "execute-api";
const JSON: &str = r#"{ "userId": 123, "note": "żółw" }"#;

fn now() -> Timestamp {
    SystemTime::now().into()
}

async fn service(token: Option<&'static str>) -> Service {
    Service::start(move |authority| {
        let mut key = VerifyingKey::sigv4(&Secret::from_text(SECRET).unwrap());
        if let Some(token) = token {
            key = key
                .with_session_token(&Secret::from_text(token).unwrap())
                .unwrap();
        }
        let key = CallerKey::new("1", key).unwrap();
        let keys = Keyring::builder()
            .caller("billing", key.with_key_id(ACCESS_KEY_ID).unwrap())
            .build()
            .unwrap();
        let verify_settings = SigV4VerifySettings::new(REGION, SERVICE).unwrap();
        let verifier = Verifier::builder()
            .expected_hosts([authority])
            .accept_only(verify_settings.with_presigned(SigV4Presigned::new()))
            .build()
            .unwrap();
        VerifyLayer::new(keys).with_verifier(verifier)
    })
    .await
}

fn config(service: &Service, token: Option<&str>) -> Value {
    json!({
        "url": service.url(),
        "key_id": ACCESS_KEY_ID,
        "secret": SECRET,
        "region": REGION,
        "service": SERVICE,
        "session_token": token,
    })
}

/// The parts that a signature in a header covers, by its own list.
fn bound(headers: &HeaderMap) -> Bound {
    let authorization = headers["authorization"].to_str().unwrap();
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    let list = rest.split([',', ' ']).next().unwrap();
    let mut headers: Vec<String> = list.split(';').map(str::to_owned).collect();
    headers.push("authorization".to_owned());
    Bound {
        request_line: true,
        headers,
        body: true,
    }
}

async fn assert_bound(peer: Peer, service: &Service, sent: &Sent) {
    let again = service.judge(sent).await;
    assert_eq!(again.status, 200, "{peer:?}: as it is: {again:?} {sent:?}");
    for (name, changed) in changes::all(sent, &bound(&sent.parts.headers)) {
        let answer = service.judge(&changed).await;
        assert!(
            matches!(answer.status, 401 | 421),
            "{peer:?}: {name}: {answer:?} for {changed:?}"
        );
    }
    let late = now().saturating_add(Duration::from_secs(400));
    let late = service.judge_at(sent, late).await;
    assert_eq!(late.body["error"], "expired", "{peer:?}");
}

/// A GET whose query needs encoding, a POST of JSON and one of bytes: accepted; with anything
/// changed: refused.
async fn calls_us(peer: Peer, get: &str) {
    let service = service(None).await;
    let requests = [
        request("get", "GET", get, None),
        request(
            "json",
            "POST",
            "/api/echo",
            Some(("application/json", JSON.as_bytes())),
        ),
        request(
            "binary",
            "POST",
            "/api/echo",
            Some(("application/octet-stream", &binary())),
        ),
    ];
    let answers = peer.send(config(&service, None), &requests).await;
    assert_eq!(answers.len(), requests.len(), "{peer:?}");
    for answer in &answers {
        assert_eq!(answer["status"], 200, "{peer:?}: {answer}");
        let echo: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(echo["caller"], "billing", "{answer}");
        assert_eq!(echo["scheme"], Scheme::SigV4.name());
        assert_eq!(
            echo["replay_protected"], false,
            "its clients know no nonce: {answer}"
        );
    }
    let sent = service.take_sent();
    assert_eq!(sent.len(), requests.len());
    assert_eq!(&*sent[1].body, JSON.as_bytes(), "{peer:?}");
    assert_eq!(&*sent[2].body, &*binary(), "{peer:?}");
    for sent in &sent {
        assert_bound(peer, &service, sent).await;
    }
}

/// Temporary credentials: the token is signed, and only the token of the key is accepted.
async fn calls_us_with_a_session_token(peer: Peer) {
    let bound_to_it = service(Some(TOKEN)).await;
    let requests = [request("get", "GET", "/api/echo?a=1", None)];
    let answers = peer
        .send(config(&bound_to_it, Some(TOKEN)), &requests)
        .await;
    assert_eq!(answers[0]["status"], 200, "{peer:?}: {}", answers[0]);
    for (name, key, token) in [
        ("no token", Some(TOKEN), None),
        ("another token", Some(TOKEN), Some("FwoGZXIvYXdzEAnother")),
        ("a token of no key", None, Some(TOKEN)),
    ] {
        let service = service(key).await;
        let answers = peer.send(config(&service, token), &requests).await;
        assert_eq!(
            answers[0]["status"], 401,
            "{peer:?}, {name}: {}",
            answers[0]
        );
    }
}

/// A URL that anyone who has it may GET until it ends.
async fn presigns_for_us(peer: Peer) {
    let service = service(None).await;
    let mut get = request("presigned", "GET", "/api/echo", None);
    get["presign"] = true.into();
    get["expires"] = 60.into();
    let answers = peer.send(config(&service, None), &[get]).await;
    assert_eq!(answers[0]["status"], 200, "{peer:?}: {}", answers[0]);
    let sent = service.take_sent().remove(0);
    assert_eq!(service.judge(&sent).await.status, 200, "{peer:?}");
    let bound = Bound {
        request_line: true,
        headers: vec!["host".to_owned()],
        body: true,
    };
    for (name, changed) in changes::all(&sent, &bound) {
        // The query itself carries the signature.
        let answer = service.judge(&changed).await;
        assert!(
            matches!(answer.status, 401 | 421),
            "{peer:?}: {name}: {answer:?} for {changed:?}"
        );
    }
    for (seconds, expected) in [(30, 200), (90, 401)] {
        let later = now().saturating_add(Duration::from_secs(seconds));
        let answer = service.judge_at(&sent, later).await;
        assert_eq!(
            answer.status, expected,
            "{peer:?}: after {seconds} s: {answer:?}"
        );
    }
}

const ENCODED: &str = "/api/echo?b=2&a=%C3%BC%20x&c=x%2Fy";

macro_rules! peers {
    ($( $name:ident: $need:literal, $peer:expr, $get:expr; )+) => {
        $(
            #[tokio::test]
            #[ignore = $need]
            async fn $name() {
                calls_us($peer, $get).await;
            }
        )+
    };
}

peers! {
    aws4_calls_us: "needs node", Peer::Node("sigv4_aws4"), ENCODED;
    aws4_axios_calls_us: "needs node", Peer::Node("sigv4_aws4_axios"), ENCODED;
    aws4fetch_calls_us: "needs node", Peer::Node("sigv4_aws4fetch"), ENCODED;
    smithy_signature_v4_calls_us: "needs node", Peer::Node("sigv4_smithy"), ENCODED;
    newman_calls_us: "needs node", Peer::Node("sigv4_newman"), ENCODED;
    botocore_calls_us: "needs python", Peer::Python("sigv4_botocore"), ENCODED;
    // It encodes its input once more, so it gets the query decoded.
    awscurl_calls_us: "needs python", Peer::Python("sigv4_awscurl"), "/api/echo?b=2&a=ü x";
    libcurl_through_pycurl_calls_us: "needs python", Peer::Python("sigv4_pycurl"), ENCODED;
    // The curl of the distribution, 7.88, signs the query as sent: it must be canonical already.
    the_distributions_curl_calls_us: "needs curl", Peer::Python("sigv4_curl"), "/api/echo?a=%C3%BC%20x&b=2";
}

#[tokio::test]
#[ignore = "needs node"]
async fn session_tokens_of_node_peers_belong_to_their_key() {
    for peer in [
        "sigv4_aws4",
        "sigv4_aws4_axios",
        "sigv4_aws4fetch",
        "sigv4_smithy",
        "sigv4_newman",
    ] {
        calls_us_with_a_session_token(Peer::Node(peer)).await;
    }
}

#[tokio::test]
#[ignore = "needs python"]
async fn session_tokens_of_python_peers_belong_to_their_key() {
    for peer in [
        "sigv4_botocore",
        "sigv4_awscurl",
        "sigv4_pycurl",
        "sigv4_curl",
    ] {
        calls_us_with_a_session_token(Peer::Python(peer)).await;
    }
}

#[tokio::test]
#[ignore = "needs node"]
async fn urls_presigned_by_node_peers_are_taken() {
    for peer in [
        "sigv4_aws4",
        "sigv4_aws4fetch",
        "sigv4_smithy",
        "sigv4_newman",
    ] {
        presigns_for_us(Peer::Node(peer)).await;
    }
}

#[tokio::test]
#[ignore = "needs python"]
async fn urls_presigned_by_botocore_are_taken() {
    presigns_for_us(Peer::Python("sigv4_botocore")).await;
}
