//! Reloading the signers of a service.

use axum::{Router, body::Body, routing::get};
use countersign::{
    ConfigErrorKind, Keyring, SharedSigner, SignError, SignErrorKind, Signer, Timestamp,
};
use http::{Request, StatusCode};
use tests::{directory::Directory, keys::NOW};
use tower::{Layer, ServiceExt};
use tower_countersign::{SignLayer, VerifiedCaller, VerifyLayer};

use crate::{A, AUTHORITY, B, C, bad, billing, by_events, callers, generation, takes};

const TARGET: &str = "[[targets]]\nname = \"users\"\ncaller = \"billing\"\nauthorities = [\"user-service.internal:8081\"]\n";

fn target(keys: &[(&str, &str)]) -> String {
    let mut text = TARGET.to_owned();
    for (secret, more) in keys {
        let version = &secret[..4];
        text += &format!(
            "[[targets.keys]]\nversion = \"{version}\"\nsecret_hex = \"{secret}\"\n{more}\n"
        );
    }
    text
}

/// Returns the version of the key that signed a request.
async fn version_sent(signer: &SharedSigner, keys: &Keyring, now: Timestamp) -> String {
    let app: Router = Router::new()
        .route(
            "/",
            get(async |caller: VerifiedCaller| caller.key_version().to_string()),
        )
        .layer(VerifyLayer::new(keys.clone()).with_clock(move || now));
    let client = SignLayer::new(signer.clone())
        .with_clock(move || now)
        .layer(app);
    let request = Request::get(format!("http://{AUTHORITY}/"))
        .body(Body::empty())
        .unwrap();
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 100)
        .await
        .unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn all_three() -> Keyring {
    Keyring::from_toml(&callers(&[(
        "billing",
        &[(&A[..4], A), (&B[..4], B), (&C[..4], C)],
    )]))
    .unwrap()
}

#[tokio::test]
async fn a_layer_signs_with_the_current_content_of_the_file() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &target(&[(A, "")]));
    let (signer, reloading) = by_events().signer(&path, "users").unwrap();
    let mut health = reloading.health();
    let keys = all_three();
    assert_eq!(version_sent(&signer, &keys, NOW).await, A[..4]);
    directory.rename_in("keys.toml", &target(&[(A, ""), (B, "")]));
    generation(&mut health, 2).await;
    assert_eq!(version_sent(&signer, &keys, NOW).await, B[..4]);
    directory.rename_in("keys.toml", "?");
    bad(&mut health).await;
    assert_eq!(version_sent(&signer, &keys, NOW).await, B[..4]);
}

#[tokio::test]
async fn the_newest_active_key_signs_from_its_date_on() {
    let text = target(&[
        (A, ""),
        (
            B,
            "not_before = 2026-01-02T03:04:05Z\nnot_after = 2026-01-02T03:04:07Z",
        ),
        (
            C,
            "state = \"accept-only\"\nnot_before = 2026-01-01T00:00:00Z",
        ),
    ]);
    let signer = SharedSigner::from_toml(&text, "users").unwrap();
    let keys = all_three();
    for (seconds, expected) in [(-1, A), (0, B), (1, B), (2, A)] {
        let now = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + seconds);
        assert_eq!(
            version_sent(&signer, &keys, now).await,
            expected[..4],
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn nothing_is_sent_when_no_key_is_within_its_dates() {
    let text = target(&[(A, "not_after = 2026-01-02T03:04:05Z")]);
    let signer = SharedSigner::from_toml(&text, "users").unwrap();
    let inner = tower::service_fn(async |_| -> Result<http::Response<Body>, SignError> {
        panic!("nothing is sent")
    });
    let client = SignLayer::new(signer).with_clock(|| NOW).layer(inner);
    let request = Request::get(format!("http://{AUTHORITY}/"))
        .body(Body::empty())
        .unwrap();
    let error = client.oneshot(request).await.unwrap_err();
    let error = error.downcast::<SignError>().unwrap();
    assert_eq!(error.kind(), SignErrorKind::Credentials);
}

#[test]
fn a_target_has_one_inline_key_or_a_list_of_keys() {
    let beside = format!("{TARGET}secret_hex = \"{A}\"\n");
    assert!(Signer::from_toml(&beside, "users").is_ok());
    assert!(SharedSigner::from_toml(&beside, "users").is_ok());
    let below = target(&[(A, "")]);
    assert!(SharedSigner::from_toml(&below, "users").is_ok());
    assert_eq!(
        Signer::from_toml(&below, "users").unwrap_err().kind(),
        ConfigErrorKind::File,
        "a signer has no dates"
    );
    let both = target(&[(A, "")]).replace(
        "[[targets.keys]]",
        &format!("secret_hex = \"{B}\"\n[[targets.keys]]"),
    );
    for (name, text, kind) in [
        ("none", TARGET.to_owned(), ConfigErrorKind::Key),
        ("both", both, ConfigErrorKind::Key),
        (
            "two of a version",
            target(&[(A, ""), (A, "")]),
            ConfigErrorKind::Keyring,
        ),
        (
            "none active",
            target(&[(A, "state = \"revoked\"")]),
            ConfigErrorKind::Keyring,
        ),
        (
            "an unknown setting",
            target(&[(A, "nonce = \"optional\"")]),
            ConfigErrorKind::File,
        ),
        (
            "an unknown state",
            target(&[(A, "state = \"new\"")]),
            ConfigErrorKind::File,
        ),
        (
            "a date without an offset",
            target(&[(A, "not_before = 2026-01-02T03:04:05")]),
            ConfigErrorKind::File,
        ),
        (
            "two encodings",
            target(&[(A, "secret_text = \"x\"")]),
            ConfigErrorKind::Key,
        ),
        (
            "a weak key",
            target(&[(&"00".repeat(32), "")]),
            ConfigErrorKind::WeakKey,
        ),
    ] {
        let error = SharedSigner::from_toml(&text, "users").unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(!error.to_string().contains(&A[..8]), "{name}: {error}");
    }
}

/// A signing key in any state must not be a caller's key, at the start and at every change.
#[tokio::test]
async fn one_secret_for_both_directions_is_not_put_into_use() {
    let directory = Directory::new();
    let good = billing(A) + &target(&[(B, "")]);
    let path = directory.write("keys.toml", &good);
    let (keys, reloading_keys) = by_events().keyring(&path).unwrap();
    let (signer, reloading_signer) = by_events().signer(&path, "users").unwrap();
    let old = all_three();
    for (name, text) in [
        ("the caller's key signs", billing(C) + &target(&[(C, "")])),
        (
            "an older key of the target is a caller's",
            billing(C) + &target(&[(C, "state = \"revoked\""), (B, "")]),
        ),
    ] {
        directory.rename_in("keys.toml", &text);
        for health in [reloading_keys.health(), reloading_signer.health()] {
            let status = bad(&mut health.clone()).await;
            let message = status.error().unwrap().message();
            assert!(message.contains("signs with"), "{name}: {message}");
        }
        assert!(
            takes(&keys, "billing", A) && !takes(&keys, "billing", C),
            "{name}"
        );
        assert_eq!(version_sent(&signer, &old, NOW).await, B[..4], "{name}");
        directory.rename_in("keys.toml", &good);
        for health in [reloading_keys.health(), reloading_signer.health()] {
            crate::within(
                health
                    .clone()
                    .wait_for(tower_countersign::reload::ReloadStatus::is_good),
            )
            .await;
        }
    }
}
