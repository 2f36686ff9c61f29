use countersign::{ConfigError, ConfigErrorKind};
use rustls::crypto::CryptoProvider;

/// Checks that rustls has a crypto provider. Without one, the first connection would panic.
///
/// With the feature `tls-ring`, installs ring if no provider is installed. Never replaces a
/// provider.
pub(crate) fn ensure_installed() -> Result<(), ConfigError> {
    #[cfg(feature = "tls-ring")]
    if CryptoProvider::get_default().is_none() {
        // This fails only if another thread installed a provider meanwhile. That provider is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    if CryptoProvider::get_default().is_none() {
        return Err(ConfigError::new(
            ConfigErrorKind::Setting,
            "rediss: expected an installed rustls CryptoProvider, found none: install one before \
             the store is built, or enable the feature tls-ring",
        ));
    }
    Ok(())
}
