//! The article's rotation, step by step. The new key goes into the receiver's rotating variable,
//! then the caller changes keys, then the old key is removed from the receiver's first variable.
//!
//! Every step is tried with both keys. So no step can break a caller that has not moved yet, and
//! the last step ends the old key. The receiver is one running service, whose keyring is replaced.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use axum::{Router, body::Body, routing::post};
use countersign::{Keyring, Signer};
use http::{Request, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use tests::keys::{OTHER_SECRET as NEW, SECRET as OLD};
use tower::{Layer, ServiceExt};
use tower_countersign::{SignLayer, VerifiedCaller, VerifyLayer};

/// A caller that keeps its key.
const AUDIT: &str = "5d9a0f8ec2b94c1a7e3388b16f04d2577a61bc0e95f3d8124c7be90a1f6d2e43";

const AUTHORITY: &str = "user-service.internal:8081";

/// A JSON object from name to key.
fn object(members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, key)| format!("\"{name}\":\"{key}\""))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// One step: the receiver's two variables, and the version by which each key of the caller is known
/// then.
struct Step {
    name: &'static str,
    primary: &'static [(&'static str, &'static str)],
    rotating: Option<&'static [(&'static str, &'static str)]>,
    old: Option<&'static str>,
    new: Option<&'static str>,
}

const STEPS: [Step; 7] = [
    Step {
        name: "before",
        primary: &[("billing", OLD), ("audit", AUDIT)],
        rotating: None,
        old: Some("primary"),
        new: None,
    },
    Step {
        name: "before, the second variable there and empty",
        primary: &[("billing", OLD), ("audit", AUDIT)],
        rotating: Some(&[]),
        old: Some("primary"),
        new: None,
    },
    Step {
        name: "1. the receiver has the new key in the rotating variable; 2. callers move over",
        primary: &[("billing", OLD), ("audit", AUDIT)],
        rotating: Some(&[("billing", NEW)]),
        old: Some("primary"),
        new: Some("rotating"),
    },
    Step {
        name: "3. the old key is out of SERVICE_SECRETS",
        primary: &[("audit", AUDIT)],
        rotating: Some(&[("billing", NEW)]),
        old: None,
        new: Some("rotating"),
    },
    Step {
        name: "afterwards, the new key in both",
        primary: &[("billing", NEW), ("audit", AUDIT)],
        rotating: Some(&[("billing", NEW)]),
        old: None,
        new: Some("primary"),
    },
    Step {
        name: "afterwards, the new key in SERVICE_SECRETS alone",
        primary: &[("billing", NEW), ("audit", AUDIT)],
        rotating: None,
        old: None,
        new: Some("primary"),
    },
    Step {
        name: "the other way round: the old key goes into the rotating variable",
        primary: &[("billing", NEW), ("audit", AUDIT)],
        rotating: Some(&[("billing", OLD)]),
        old: Some("rotating"),
        new: Some("primary"),
    },
];

impl Step {
    fn keyring(&self) -> Keyring {
        let rotating = self.rotating.map(object);
        Keyring::from_service_secrets(&object(self.primary), rotating.as_deref()).unwrap()
    }
}

/// The caller's variable, with this key for the receiver.
fn signer(caller: &str, key: &str) -> Signer {
    let secrets = object(&[("user-service", key)]);
    Signer::from_service_secrets(caller, &secrets, "user-service", AUTHORITY).unwrap()
}

/// Calls the receiver, and returns the key version, or the code of the refusal.
async fn call(receiver: &Router, signer: Signer) -> Result<String, String> {
    let client = SignLayer::new(signer).layer(receiver.clone());
    let request = Request::post(format!("http://{AUTHORITY}/api/account/123?notify=%2Fyes"))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{"userId":123}"#))
        .unwrap();
    let response = client.oneshot(request).await.unwrap();
    let accepted = response.status() == 200;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    if accepted { Ok(text) } else { Err(text) }
}

fn receiver(keys: Keyring) -> Router {
    let whoami = async |caller: VerifiedCaller| format!("{} {}", caller.id(), caller.key_version());
    Router::new()
        .route("/api/account/{id}", post(whoami))
        .layer(VerifyLayer::new(keys))
}

#[tokio::test]
async fn each_step_accepts_only_the_expected_keys() {
    let keys = STEPS[0].keyring();
    let receiver = receiver(keys.clone());
    for step in &STEPS {
        keys.replace(&step.keyring());
        for (which, key, expected) in [("old", OLD, step.old), ("new", NEW, step.new)] {
            let expected = expected
                .map(|version| format!("billing {version}"))
                .ok_or_else(|| r#"{"error":"invalid_signature"}"#.to_owned());
            for (signs, signer) in [
                ("with a nonce", signer("billing", key)),
                (
                    "as the article does",
                    signer("billing", key).insecure_three_headers(),
                ),
            ] {
                let found = call(&receiver, signer).await;
                assert_eq!(found, expected, "{}: the {which} key, {signs}", step.name);
            }
        }
        let audit = call(&receiver, signer("audit", AUDIT)).await;
        assert_eq!(audit.as_deref(), Ok("audit primary"), "{}", step.name);
    }
}

#[tokio::test]
async fn a_rotating_key_belongs_to_one_caller_only() {
    let keys = Keyring::from_service_secrets(
        &object(&[("billing", OLD), ("audit", AUDIT)]),
        Some(&object(&[("billing", NEW)])),
    )
    .unwrap();
    let found = call(&receiver(keys), signer("audit", NEW)).await;
    assert_eq!(found, Err(r#"{"error":"invalid_signature"}"#.to_owned()));
}

#[tokio::test]
async fn the_only_caller_can_be_rotated_too() {
    let keys = Keyring::from_service_secrets("{}", Some(&object(&[("billing", NEW)]))).unwrap();
    let receiver = receiver(keys);
    let found = call(&receiver, signer("billing", NEW)).await;
    assert_eq!(found.as_deref(), Ok("billing rotating"));
    let found = call(&receiver, signer("billing", OLD)).await;
    assert_eq!(found, Err(r#"{"error":"invalid_signature"}"#.to_owned()));
}
