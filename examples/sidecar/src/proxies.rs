//! The two services, each with its proxies.

use std::{collections::BTreeMap, fmt, fs, io, net::SocketAddr, path::Path};

use countersign_proxy::{Config, ListenAddress, Running, Sections, start};
use demo::key::SharedKey;
use tempfile::TempDir;
use tower_countersign::BoxError;

use crate::services::{Ledger, Orders};

const ORDERS: &str = include_str!("../orders.toml");
const POLICY: &str = include_str!("../policy.toml");
const LEDGER: &str = include_str!("../ledger.toml");

/// Everything that runs. Dropping this value ends it.
pub(crate) struct Fleet {
    pub(crate) keys: Keys,
    /// The port of orders itself, past its proxy.
    pub(crate) orders_itself: SocketAddr,
    /// The proxy in front of orders.
    pub(crate) orders: SocketAddr,
    /// The proxy for the calls of orders.
    pub(crate) signing: SocketAddr,
    /// The proxy in front of ledger.
    pub(crate) ledger: SocketAddr,
    running: Vec<Running>,
    services: (Orders, Ledger),
    _files: TempDir,
}

/// The random keys of this run.
pub(crate) struct Keys {
    /// Billing's key for its calls to orders.
    pub(crate) billing: SharedKey,
    /// The key of reporting, which may only read.
    pub(crate) reporting: SharedKey,
    /// The key of orders for its calls to ledger. Orders does not know it: its proxy does.
    orders: SharedKey,
    /// What the proxy of orders shows to orders.
    proxy: SharedKey,
}

impl Fleet {
    pub(crate) async fn start() -> Result<Self, BoxError> {
        let keys = Keys::generate()?;
        // Only this user can enter the directory.
        let files = tempfile::tempdir()?;
        let (orders_files, ledger_files) = keys.write(files.path())?;

        let socket = ledger_files.join("ledger.sock");
        let ledger_service = Ledger::start(&socket).await?;
        let upstream = format!("unix:{}", socket.display());
        let replaced = [
            ("verify.0.listen", ANY_PORT),
            ("verify.0.upstream", &upstream),
        ];
        let ledger = proxy(LEDGER, &ledger_files, Sections::Verify, &replaced).await?;
        let ledger_addr = address(&ledger)?;

        // Orders calls its proxy from its first request on, so that proxy starts before it.
        let upstream = format!("http://{ledger_addr}");
        let replaced = [("sign.0.listen", ANY_PORT), ("sign.0.upstream", &upstream)];
        let signing = proxy(ORDERS, &orders_files, Sections::Sign, &replaced).await?;
        let signing_addr = address(&signing)?;
        let orders_service = Orders::start(signing_addr, keys.proxy.hex()).await?;
        let orders_itself = orders_service.addr();
        let upstream = format!("http://{orders_itself}");
        let replaced = [
            ("verify.0.listen", ANY_PORT),
            ("verify.0.upstream", &upstream),
        ];
        let orders = proxy(ORDERS, &orders_files, Sections::Verify, &replaced).await?;

        Ok(Self {
            keys,
            orders_itself,
            orders: address(&orders)?,
            signing: signing_addr,
            ledger: ledger_addr,
            running: vec![orders, signing, ledger],
            services: (orders_service, ledger_service),
            _files: files,
        })
    }

    /// Ends the proxies, and then the services.
    pub(crate) async fn stop(self) {
        for running in self.running {
            running.shutdown().await;
        }
    }
}

const ANY_PORT: &str = "127.0.0.1:0";

/// Starts sections of a configuration whose addresses are replaced.
async fn proxy(
    text: &str,
    directory: &Path,
    sections: Sections,
    replaced: &[(&str, &str)],
) -> Result<Running, BoxError> {
    let replaced = replaced.iter();
    let replaced: BTreeMap<_, _> = replaced
        .map(|(setting, value)| ((*setting).to_owned(), (*value).to_owned()))
        .collect();
    let config = Config::from_toml(text, directory, &replaced)?;
    Ok(start(&config, sections).await?)
}

fn address(running: &Running) -> Result<SocketAddr, BoxError> {
    match running.listeners().next() {
        Some((_, ListenAddress::Tcp(address))) => Ok(*address),
        _ => Err("expected a proxy on a port, found none".into()),
    }
}

impl Keys {
    fn generate() -> Result<Self, BoxError> {
        Ok(Self {
            billing: SharedKey::generate("1")?,
            reporting: SharedKey::generate("1")?,
            orders: SharedKey::generate("1")?,
            proxy: SharedKey::generate("1")?,
        })
    }

    /// Writes the files that the configurations name. Returns the directory of each service.
    fn write(&self, files: &Path) -> io::Result<(std::path::PathBuf, std::path::PathBuf)> {
        let (orders, ledger) = (files.join("orders"), files.join("ledger"));
        fs::create_dir(&orders)?;
        fs::create_dir(&ledger)?;
        let target = format!(
            "[[targets]]\nname = \"ledger\"\ncaller = \"orders\"\nauthorities = [\"ledger:8444\"]\n\
             secret_hex = \"{}\"\n",
            self.orders.hex()
        );
        let billing = caller("billing", &self.billing);
        let reporting = caller("reporting", &self.reporting);
        fs::write(orders.join("keys.toml"), billing + &reporting + &target)?;
        fs::write(orders.join("policy.toml"), POLICY)?;
        fs::write(orders.join("proxy-secret"), self.proxy.hex())?;
        fs::write(ledger.join("keys.toml"), caller("orders", &self.orders))?;
        Ok((orders, ledger))
    }
}

fn caller(name: &str, key: &SharedKey) -> String {
    let hex = key.hex();
    format!(
        "[[callers]]\nname = \"{name}\"\n\
         [[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{hex}\"\n"
    )
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (orders, ledger) = &self.services;
        writeln!(f, "orders: {}, {}", orders.language(), self.orders_itself)?;
        writeln!(f, "  proxy verify in front of it: {}", self.orders)?;
        writeln!(f, "  proxy sign for its calls:    {}", self.signing)?;
        writeln!(f, "ledger: {}, a Unix socket", ledger.language())?;
        writeln!(f, "  proxy verify in front of it: {}", self.ledger)
    }
}
