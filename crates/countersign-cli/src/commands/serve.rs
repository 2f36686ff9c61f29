use std::path::PathBuf;

use clap::Args;
use countersign::ErrorChain;
use countersign_proxy::{Config, LogFormat, Sections, StartError, start};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{Exit, Terminal, failure::Failure};

/// Answers gateways that ask whether a request is verified.
#[derive(Args, Debug)]
pub(crate) struct Authz {
    /// The configuration. Its [[authz]] sections are started.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Starts every section of a configuration.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Authz {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        serve(&Config::from_file(self.config)?, Sections::Authz, terminal)
    }
}

impl Run {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        serve(&Config::from_file(self.config)?, Sections::All, terminal)
    }
}

/// Serves until SIGTERM or SIGINT. Ends with 1 if a request was not answered in time.
pub(super) fn serve(
    config: &Config,
    sections: Sections,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Failure> {
    log(config.log_format(), terminal);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unavailable(format_args!("no threads: {error}")))?;
    let all_answered = runtime.block_on(async {
        let running = start(config, sections).await?;
        running.until_signal().await
    });
    match all_answered {
        Ok(all_answered) => Ok(Exit::yes_if(all_answered)),
        Err(StartError::Config(error)) => Err(error.into()),
        Err(error) => Err(Failure::unavailable(ErrorChain::new(&error))),
    }
}

/// Prints events on standard error: what `RUST_LOG` says, by default from the level `info`.
fn log(format: Option<LogFormat>, terminal: &Terminal<'_>) {
    let is_text = match format {
        Some(format) => format == LogFormat::Text,
        None => terminal.is_stderr_shown(),
    };
    let filter = terminal.variable("RUST_LOG");
    let filter = filter.and_then(|filter| filter.into_string().ok());
    let filter = filter.map_or_else(|| EnvFilter::new("info"), EnvFilter::new);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // A program that runs commands in process may have set a subscriber.
    let _ = if is_text {
        registry.with(lines).try_init()
    } else {
        registry.with(lines.json().flatten_event(true)).try_init()
    };
}
