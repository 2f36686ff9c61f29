use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_proxy::{Config, Sections};

use crate::{Exit, Terminal, commands::serve::serve, failure::Failure};

/// Starts proxies that verify, sign or re-sign requests.
#[derive(Debug, Subcommand)]
pub(crate) enum Proxy {
    Verify(Verify),
    Sign(Sign),
    Resign(Resign),
}

/// Verifies requests in front of a service without signing code.
///
/// The service gets the caller's name in the header countersign-caller. Without a file, the keys of
/// the callers come from SERVICE_SECRETS, and each caller may call everything.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The configuration. Its [[verify]] sections are started.
    #[arg(long, value_name = "FILE", required_unless_present = "listen")]
    config: Option<PathBuf>,
    /// The address to listen on, without a file.
    #[arg(
        long,
        value_name = "ADDRESS",
        conflicts_with = "config",
        requires = "upstream",
        requires = "expected_host"
    )]
    listen: Option<String>,
    /// The service, as in http://127.0.0.1:8000 or unix:/run/orders.sock.
    #[arg(long, value_name = "URL", requires = "listen")]
    upstream: Option<String>,
    /// The host that callers write in their URLs. May be given several times.
    #[arg(long, value_name = "HOST", requires = "listen")]
    expected_host: Vec<String>,
}

/// Signs the requests of clients without signing code.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The configuration. Its [[sign]] sections are started.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Verifies a placeholder key and signs with the real one.
#[derive(Args, Debug)]
pub(crate) struct Resign {
    /// The configuration. Its [[resign]] sections are started.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Proxy {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let (config, sections) = match self {
            Self::Verify(command) => (command.config()?, Sections::Verify),
            Self::Sign(command) => (Config::from_file(command.config)?, Sections::Sign),
            Self::Resign(command) => (Config::from_file(command.config)?, Sections::Resign),
        };
        serve(&config, sections, terminal)
    }
}

impl Verify {
    fn config(self) -> Result<Config, Failure> {
        let config = match (self.config, self.listen, self.upstream) {
            (Some(path), _, _) => Config::from_file(path)?,
            (None, Some(listen), Some(upstream)) => {
                Config::quick_verify(&listen, &upstream, &self.expected_host)?
            }
            (None, _, _) => return Err(Failure::usage("expected --config, or --listen")),
        };
        Ok(config)
    }
}
