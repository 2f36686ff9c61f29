//! Starts what a configuration describes, and ends it.

use std::{io, sync::Arc, time::Duration};

use countersign::ConfigError;
use tower_countersign::reload::Reloading;

use crate::{
    admin::{AdminService, install},
    config::{Built, Config, Kind, Sections, build},
    listen::{ConnectionLimits, Drain, ListenAddress, Listener},
};

/// The interval after which metrics are aggregated if nobody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why nothing was started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is wrong.
    Config(ConfigError),
    /// An address cannot be bound.
    Bind {
        /// The address.
        address: String,
        /// What the operating system said.
        error: io::Error,
    },
    /// The signals that end the process cannot be received.
    Signals(io::Error),
}

/// Started proxies. Dropping this value ends them at once.
#[derive(Debug)]
#[must_use = "dropping it ends the proxies"]
pub struct Running {
    listeners: Vec<(Arc<str>, ListenAddress)>,
    drain: Drain,
    within: Duration,
    tasks: tokio::task::JoinSet<()>,
    /// Of the admin listener, which ends last.
    ended: Drain,
    reloading: Vec<Reloading>,
}

/// Starts the sections of a configuration. All addresses are bound when this returns.
///
/// # Errors
///
/// If the configuration is wrong, or if an address cannot be bound. Then nothing is left running.
pub async fn start(config: &Config, sections: Sections) -> Result<Running, StartError> {
    let Built {
        services,
        connections,
        reloading,
    } = build(config, sections).map_err(StartError::Config)?;
    let drain = Drain::new();
    let mut running = Running {
        listeners: Vec::new(),
        drain,
        within: config.drain(),
        tasks: tokio::task::JoinSet::new(),
        ended: Drain::new(),
        reloading,
    };
    let mut bound = Vec::new();
    for service in services {
        let refused = |error| StartError::Bind {
            address: service.listen.to_string(),
            error,
        };
        let listener = service.listen.bind(service.mode).await.map_err(refused)?;
        let address = listener.address().map_err(refused)?;
        running
            .listeners
            .push((Arc::clone(&service.name), address.clone()));
        bound.push((listener, address, service));
    }
    if let Some(address) = config.admin().map_err(StartError::Config)? {
        running.start_admin(&address, connections).await?;
    }
    for (bound, address, service) in bound {
        let listener = Listener {
            section: Arc::clone(&service.name),
            bound,
            tls: service.tls,
            limits: connections,
            draining: running.drain.draining(),
            guard: running.drain.guard(),
        };
        match service.kind {
            Kind::Verify(proxy) => running.tasks.spawn(listener.serve(Arc::new(*proxy))),
            Kind::Resign(proxy) => running.tasks.spawn(listener.serve(Arc::new(proxy))),
            Kind::AuthzHttp(service) => running.tasks.spawn(listener.serve(Arc::new(service))),
            Kind::AuthzGrpc(service) => running.tasks.spawn(listener.serve(Arc::new(service))),
            Kind::Sign(mut proxy) => {
                proxy.listens_on(&address);
                running.tasks.spawn(listener.serve(Arc::new(proxy)))
            }
        };
    }
    for (section, address) in &running.listeners {
        let address = address.to_string();
        tracing::info!(target: "countersign", outcome = "listening", section = %section, address);
    }
    Ok(running)
}

impl Running {
    /// Returns the sections by name, and where each listens.
    pub fn listeners(&self) -> impl Iterator<Item = (&str, &ListenAddress)> {
        self.listeners
            .iter()
            .map(|(name, address)| (&**name, address))
    }

    async fn start_admin(
        &mut self,
        address: &ListenAddress,
        limits: ConnectionLimits,
    ) -> Result<(), StartError> {
        let refused = |error| StartError::Bind {
            address: address.to_string(),
            error,
        };
        let bound = address.bind(0o600).await.map_err(refused)?;
        let address = bound.address().map_err(refused)?;
        let section: Arc<str> = Arc::from("admin");
        self.listeners.push((Arc::clone(&section), address));
        let metrics = install();
        if let Some(metrics) = metrics.clone() {
            // Histograms are aggregated even if nobody reads them.
            self.tasks.spawn(async move {
                loop {
                    tokio::time::sleep(UPKEEP).await;
                    metrics.run_upkeep();
                }
            });
        }
        let admin = AdminService {
            metrics,
            sources: self.reloading.iter().map(Reloading::health).collect(),
            draining: self.drain.draining(),
        };
        let listener = Listener {
            section,
            bound,
            tls: None,
            limits,
            // Answers until the process ends, so that the end can be observed.
            draining: self.ended.draining(),
            guard: self.ended.guard(),
        };
        self.tasks.spawn(listener.serve(Arc::new(admin)));
        Ok(())
    }

    /// Accepts no more connections, answers what was accepted, and returns whether all of it was
    /// answered within the time for draining.
    pub async fn shutdown(self) -> bool {
        let Self {
            drain,
            within,
            mut tasks,
            reloading: _watched,
            ended: _observed,
            ..
        } = self;
        let answered = drain.end(within).await;
        tasks.shutdown().await;
        answered
    }

    /// Waits for SIGTERM or SIGINT, then [shuts down](Self::shutdown).
    ///
    /// # Errors
    ///
    /// If the signals cannot be received.
    pub async fn until_signal(self) -> Result<bool, StartError> {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(target: "countersign", outcome = "draining");
        Ok(self.shutdown().await)
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Bind { address, .. } => {
                write!(f, "listen {address}: expected an address that can be bound")
            }
            Self::Signals(_) => f.write_str("expected to receive signals"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => std::error::Error::source(error),
            Self::Bind { error, .. } | Self::Signals(error) => Some(error),
        }
    }
}
