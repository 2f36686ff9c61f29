//! The settings of TLS.

use std::{io, path::Path, sync::Arc};

use countersign::{ConfigError, ConfigErrorKind};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::forward::Protocol;

/// Trusts the certificates of `ca`, or else those of the operating system.
pub(crate) fn connector(
    ca: Option<&Path>,
    protocol: Protocol,
) -> Result<TlsConnector, ConfigError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        for certificate in certificates(path)? {
            let added = roots.add(certificate);
            added.map_err(|error| wrong(path, "a certificate", error))?;
        }
    } else {
        // A root that cannot be read is one that is not trusted.
        let loaded = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(loaded.certs);
    }
    if roots.is_empty() {
        return Err(ConfigError::new(
            ConfigErrorKind::Setting,
            "ca: expected at least one root certificate, found none",
        ));
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(setting)?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![match protocol {
        Protocol::Http1 => b"http/1.1".to_vec(),
        Protocol::Http2 => b"h2".to_vec(),
    }];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Serves with this certificate chain and this key.
pub(crate) fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor, ConfigError> {
    let certificates = certificates(chain)?;
    // The error of the parser holds no part of the key.
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| wrong(key, "a private key in PEM", error))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(setting)?;
    let mut config = config
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .map_err(|error| wrong(key, "the key of the certificate", error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(path, "certificates in PEM", error))?;
    if read.is_empty() {
        let nothing = io::Error::from(io::ErrorKind::UnexpectedEof);
        return Err(wrong(path, "certificates in PEM", nothing));
    }
    Ok(read)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn wrong(
    path: &Path,
    expected: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> ConfigError {
    let message = format!("{}: expected {expected}", path.display());
    ConfigError::new(ConfigErrorKind::File, message).with_source(error)
}

fn setting(error: rustls::Error) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Setting, "tls: expected usable versions").with_source(error)
}
