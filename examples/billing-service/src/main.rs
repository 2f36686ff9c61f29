//! Runs the service with the settings of its environment. See the documentation of the library.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use billing_service::Config;
use countersign::ErrorChain;
use tokio::net::TcpListener;
use tower_countersign::BoxError;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

const FAILED: u8 = 1;
const MISCONFIGURED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();

    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return fail(&*error, MISCONFIGURED),
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error, FAILED),
    }
}

async fn serve(config: Config) -> Result<(), BoxError> {
    let listener = TcpListener::bind(&config.listen_addr)
        .await
        .map_err(|error| format!("LISTEN_ADDR: {}: {error}", config.listen_addr))?;
    let addr = listener.local_addr()?;
    let app = billing_service::app(config.users);
    let interruption = interruption()?;
    writeln!(io::stdout(), "listening on http://{addr}")?;
    axum::serve(listener, app)
        .with_graceful_shutdown(interruption)
        .await?;
    Ok(())
}

/// Watches for Ctrl-C and SIGTERM from now on. After either, running requests are finished and no
/// new ones accepted.
#[cfg(unix)]
fn interruption() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Watches for Ctrl-C. Then running requests are finished and no new ones accepted.
#[cfg(not(unix))]
fn interruption() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Prints an error with its sources.
fn fail(error: &(dyn Error + 'static), code: u8) -> ExitCode {
    eprintln!("billing-service: {}", ErrorChain::new(error));
    ExitCode::from(code)
}
