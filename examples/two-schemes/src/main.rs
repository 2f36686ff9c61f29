//! Runs the service with the settings of its environment. See the documentation of the library.

use std::{
    env,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use countersign::{ErrorChain, Secret};
use tokio::net::TcpListener;
use tower_countersign::BoxError;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("two-schemes: {}", ErrorChain::new(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), BoxError> {
    let hmac =
        Secret::from_hex(&variable("HMAC_KEY")?).map_err(|error| format!("HMAC_KEY: {error}"))?;
    let sigv4 = Secret::from_text(&variable("SIGV4_SECRET")?)
        .map_err(|error| format!("SIGV4_SECRET: {error}"))?;
    let app = two_schemes::app(two_schemes::verify(&hmac, &sigv4)?)
        .into_make_service_with_connect_info::<SocketAddr>();
    let addr = env::var("LISTEN_ADDR").unwrap_or_else(|_| "127.0.0.1:8083".to_owned());
    let listener = TcpListener::bind(&addr).await;
    let listener = listener.map_err(|error| format!("{addr}: {error}"))?;
    let addr = listener.local_addr()?;
    writeln!(io::stdout(), "listening on http://{addr}")?;
    Ok(axum::serve(listener, app).await?)
}

fn variable(name: &str) -> Result<String, BoxError> {
    // The error itself would show the value, so it is dropped.
    env::var(name).map_err(|_| format!("{name}: not set, or not UTF-8").into())
}
