//! Runs the service or makes one call. See the documentation of the library.

use std::{
    env,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use countersign::{ErrorChain, Secret};
use http::Uri;
use tokio::net::TcpListener;
use tower_countersign::BoxError;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("message-signatures: {}", ErrorChain::new(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &*arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        ["serve"] => serve().await,
        ["call", url, name] => call(url.parse()?, name).await,
        _ => Err("expected serve, or call URL NAME".into()),
    }
}

async fn serve() -> Result<(), BoxError> {
    let addr = env::var("LISTEN_ADDR").unwrap_or_else(|_| "127.0.0.1:8084".to_owned());
    let listener = TcpListener::bind(&addr).await;
    let listener = listener.map_err(|error| format!("{addr}: {error}"))?;
    let addr = listener.local_addr()?;
    let host = env::var("EXPECTED_HOST").unwrap_or_else(|_| addr.to_string());
    let verify = message_signatures::verify(&variable("PUBLIC_KEY")?, &host)?;
    writeln!(io::stdout(), "listening on http://{addr}")?;
    let app = message_signatures::app(verify).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}

async fn call(url: Uri, name: &str) -> Result<(), BoxError> {
    let seed = Secret::from_base64(&variable("SEED")?).map_err(|error| format!("SEED: {error}"))?;
    let authority = url.authority().ok_or("expected a URL with a host")?;
    let signer = message_signatures::signer(&seed, authority.as_str())?;
    let (status, answer) = message_signatures::call(signer, url, name).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(writeln!(io::stdout(), "{status}\n{answer}")?)
}

fn variable(name: &str) -> Result<String, BoxError> {
    // The error itself would show the value, so it is dropped.
    env::var(name).map_err(|_| format!("{name}: not set, or not UTF-8").into())
}
