//! Runs the service with the settings of its environment. See the documentation of the library.

use std::{
    env,
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
};

use countersign::{ErrorChain, Keyring};
use tokio::net::TcpListener;
use tower_countersign::BoxError;
use uploads::Files;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("uploads: {}", ErrorChain::new(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), BoxError> {
    let keys = Keyring::from_env()?;
    let directory = env::var_os("UPLOAD_DIR").ok_or("UPLOAD_DIR: not set")?;
    let files = Files::in_directory(Path::new(&directory))
        .map_err(|error| format!("UPLOAD_DIR: {}: {error}", Path::new(&directory).display()))?;
    let app = uploads::app(keys, files)?.into_make_service_with_connect_info::<SocketAddr>();
    let addr = env::var("LISTEN_ADDR").unwrap_or_else(|_| "127.0.0.1:8085".to_owned());
    let listener = TcpListener::bind(&addr).await;
    let listener = listener.map_err(|error| format!("{addr}: {error}"))?;
    let addr = listener.local_addr()?;
    writeln!(io::stdout(), "listening on http://{addr}")?;
    Ok(axum::serve(listener, app).await?)
}
