//! Runs the service with the settings of its environment. See the documentation of the library.

use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use countersign::ErrorChain;
use countersign_redis::{RedisReplayStore, WarningKind};
use tokio::net::TcpListener;
use tower_countersign::BoxError;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use user_service::{Config, metrics};

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
    let listener = listen("LISTEN_ADDR", &config.listen_addr).await?;
    let addr = listener.local_addr()?;
    let interruption = interruption()?;
    let metrics = match &config.metrics_addr {
        Some(addr) => {
            let listener = listen("METRICS_ADDR", addr).await?;
            let addr = listener.local_addr()?;
            let app = metrics::app(metrics::install()?);
            let task = tokio::spawn(async { axum::serve(listener, app).await });
            Some((addr, task))
        }
        None => None,
    };
    if let Some(nonces) = config.redis {
        tokio::spawn(check(nonces));
    }
    let app = user_service::app(config.verify, config.authorize);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    writeln!(io::stdout(), "listening on http://{addr}")?;
    if let Some((addr, _)) = &metrics {
        writeln!(io::stdout(), "metrics on http://{addr}/metrics")?;
    }
    axum::serve(listener, app)
        .with_graceful_shutdown(interruption)
        .await?;
    if let Some((_, task)) = metrics {
        task.abort();
    }
    drop(config.reloading);
    Ok(())
}

async fn listen(variable: &str, addr: &str) -> Result<TcpListener, BoxError> {
    let listener = TcpListener::bind(addr).await;
    Ok(listener.map_err(|error| format!("{variable}: {addr}: {error}"))?)
}

/// Logs the settings of the servers that can lose a nonce. If the servers cannot be reached,
/// requests get 503 until they can.
async fn check(nonces: RedisReplayStore) {
    match nonces.check().await {
        Ok(warnings) => {
            for warning in warnings {
                if warning.kind == WarningKind::ClaimsRefused {
                    tracing::error!(
                        %warning,
                        "REDIS_URL: permit INFO, or set REDIS_INSECURE_ASSUME_NOEVICTION"
                    );
                } else {
                    tracing::warn!(%warning, "REDIS_URL");
                }
            }
        }
        Err(error) => tracing::error!(
            %error,
            reason = error.source().map(ToString::to_string),
            "REDIS_URL"
        ),
    }
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
    eprintln!("user-service: {}", ErrorChain::new(error));
    ExitCode::from(code)
}
