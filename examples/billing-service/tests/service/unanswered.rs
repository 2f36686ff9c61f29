//! User services that return no status.

use std::time::Duration;

use axum::{Router, body::Body, http::StatusCode, routing::get};
use billing_service::{BaseUrl, UserService, UserServiceError};
use countersign::{Secret, Signer, SigningKey};
use tokio::net::TcpListener;

/// Returns a client of a server that gives this answer on every path.
async fn client_of(app: Router) -> UserService {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    client(&base)
}

fn client(base: &str) -> UserService {
    let base: BaseUrl = base.parse().unwrap();
    let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
    let signer = Signer::new("billing", key, [base.authority()]).unwrap();
    UserService::new(base, signer)
}

#[tokio::test]
async fn an_answer_that_is_no_account_is_unreadable() {
    for (name, answer) in [
        ("nothing", String::new()),
        ("no JSON", "active".to_owned()),
        ("no status", r#"{"id":7}"#.to_owned()),
        ("another status", r#"{"status":"rich"}"#.to_owned()),
        (
            "too much",
            format!("{}{{\"status\":\"active\"}}", " ".repeat(20_000)),
        ),
    ] {
        let users = client_of(Router::new().fallback(get(async || answer))).await;
        let error = users.status(7).await.unwrap_err();
        assert!(
            matches!(error, UserServiceError::Unreadable(_)),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_refusal_says_what_the_user_service_said() {
    let answer = (StatusCode::UNAUTHORIZED, "no \u{1b}[31m");
    let users = client_of(Router::new().fallback(get(async move || answer))).await;
    let error = users.status(7).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"user service: refused with 401 Unauthorized: "no \u{1b}[31m""#
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]);
    let users = client_of(Router::new().fallback(get(async move || answer))).await;
    let error = users.status(7).await.unwrap_err();
    assert!(
        matches!(
            error,
            UserServiceError::Refused {
                status: StatusCode::FOUND,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_base = format!("http://{}", silent.local_addr().unwrap());
    let endless = || async {
        Body::from_stream(futures::stream::pending::<
            Result<&'static str, std::io::Error>,
        >())
    };
    for (name, users) in [
        ("no head", client(&silent_base)),
        (
            "no body",
            client_of(Router::new().fallback(get(endless))).await,
        ),
    ] {
        let users = users.with_call_timeout(Duration::from_millis(100));
        let error = users.status(7).await.unwrap_err();
        assert!(
            matches!(error, UserServiceError::TimedOut),
            "{name}: {error}"
        );
    }
}
