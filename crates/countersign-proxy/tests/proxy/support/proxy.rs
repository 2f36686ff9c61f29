//! Proxies that run in the process of the test.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use countersign_proxy::{Config, ListenAddress, Running, Sections, start};

use super::{directory::Directory, signed};

/// A running proxy, and the directory of its files.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) running: Running,
    pub(crate) directory: Directory,
}

/// The file that every test begins with. `{dir}` is not replaced: paths are relative to the file.
pub(crate) const KEYS: &str = "version = 1\nkeys = { file = \"keys.toml\" }\n";

/// The host that requests are signed for.
pub(crate) const HOST: &str = "orders:8443";

impl Proxy {
    /// Starts a verifying proxy with additional settings of its section.
    pub(crate) async fn verify(upstream: &str, settings: &str) -> Self {
        Self::of(&format!(
            "{KEYS}[[verify]]\nname = \"orders\"\nlisten = \"127.0.0.1:0\"\nupstream = \"{upstream}\"\n\
             expected_hosts = [\"{HOST}\"]\n{settings}\n"
        ))
        .await
    }

    /// As [`verify`](Self::verify), without a policy.
    pub(crate) async fn verify_all(upstream: &str) -> Self {
        Self::verify(upstream, "allow_every_caller = true").await
    }

    /// Starts what a text describes.
    pub(crate) async fn of(text: &str) -> Self {
        let directory = Directory::new();
        directory.write("keys.toml", &signed::keys_toml());
        Self::within(directory, text).await
    }

    /// As [`of`](Self::of), in a directory that the test has filled.
    pub(crate) async fn within(directory: Directory, text: &str) -> Self {
        let config = config(text, directory.path()).unwrap();
        let running = start(&config, Sections::All).await.unwrap();
        Self { running, directory }
    }

    /// The address of the first listener.
    pub(crate) fn addr(&self) -> SocketAddr {
        tcp(self.running.listeners().next().unwrap().1)
    }

    /// The address of the admin listener.
    pub(crate) fn admin(&self) -> SocketAddr {
        let mut listeners = self.running.listeners();
        tcp(listeners.find(|(name, _)| *name == "admin").unwrap().1)
    }
}

fn tcp(address: &ListenAddress) -> SocketAddr {
    match address {
        ListenAddress::Tcp(address) => *address,
        other => panic!("{other}"),
    }
}

pub(crate) fn config(text: &str, directory: &Path) -> Result<Config, countersign::ConfigError> {
    Config::from_toml(text, directory, &BTreeMap::new())
}
