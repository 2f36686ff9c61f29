//! The called service, as shown in the README.

use std::{env, net::SocketAddr};

use axum::{Router, extract::Path, routing::get};
use countersign::Keyring;
use tower_countersign::{BoxError, VerifiedCaller, VerifyLayer};

async fn account(caller: VerifiedCaller, Path(id): Path<u64>) -> String {
    format!("account {id}, shown to {}\n", caller.id())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // A refused peer gets a code only. The log says why.
    tracing_subscriber::fmt().init();
    let host = env::args().nth(1).ok_or("expected host:port")?;
    let verify = VerifyLayer::new(Keyring::from_env()?).with_expected_hosts([&host])?;
    let app = Router::new()
        .route("/api/account/{id}", get(account))
        .layer(verify);
    // With the peer's address, so that the layer can limit what each stranger makes it hold.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind(&host).await;
    let listener = listener.map_err(|error| format!("{host}: {error}"))?;
    Ok(axum::serve(listener, app).await?)
}
