use std::{fmt, sync::Arc, time::Duration};

use countersign::{ConfigError, ConfigErrorKind};

#[cfg(feature = "tls")]
use crate::tls_provider;
use crate::{
    access::{Access, Transport},
    handshake::Eviction,
    node_address::NodeAddress,
    store::RedisReplayStore,
    time_to_live::{LONGEST_CLAIM, half},
    topology::Topology,
    url::{Deployment, RedisUrl},
};

/// Builds a [`RedisReplayStore`].
#[derive(Clone)]
#[must_use]
pub struct RedisReplayStoreBuilder {
    deployment: Deployment,
    tls: bool,
    access: Access,
    sentinel_username: Option<Arc<str>>,
    sentinel_password: Option<Arc<str>>,
    namespace: String,
    timeout: Duration,
    eviction: Eviction,
    #[cfg(feature = "tls")]
    certificates: redis::TlsCertificates,
}

impl RedisReplayStoreBuilder {
    pub(crate) fn new(url: &str) -> Result<Self, ConfigError> {
        let url = RedisUrl::parse(url)?;
        Ok(Self {
            deployment: url.deployment,
            tls: url.tls,
            access: Access {
                username: url.username.map(Arc::from),
                password: url.password.map(Arc::from),
                database: url.database,
                transport: Transport::Plain,
            },
            sentinel_username: None,
            sentinel_password: None,
            namespace: "countersign:replay".to_owned(),
            timeout: Duration::from_secs(2),
            eviction: Eviction::default(),
            #[cfg(feature = "tls")]
            certificates: redis::TlsCertificates {
                client_tls: None,
                root_cert: None,
            },
        })
    }

    /// Sets the ACL user of the servers, in place of the URL's.
    pub fn username(mut self, username: &str) -> Self {
        self.access.username = Some(username.into());
        self
    }

    /// Sets the password of the servers, in place of the URL's.
    pub fn password(mut self, password: &str) -> Self {
        self.access.password = Some(password.into());
        self
    }

    /// Sets the ACL user of the sentinels. The URL's user and password are only for the servers.
    pub fn sentinel_username(mut self, username: &str) -> Self {
        self.sentinel_username = Some(username.into());
        self
    }

    /// Sets the password of the sentinels.
    pub fn sentinel_password(mut self, password: &str) -> Self {
        self.sentinel_password = Some(password.into());
        self
    }

    /// Sets the prefix of all entry names, which a colon follows. Default: `countersign:replay`.
    /// All replicas of a service need the same namespace. Several services may share one, because
    /// each key contains the verifier's audience.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Sets the time limit of one claim, including connecting and one retry. Default: 2 seconds.
    /// Maximum: 5 seconds. After this time the claim is [`Unavailable`](countersign::Unavailable).
    /// The retry starts after half of the time.
    ///
    /// A shorter deadline of the calling layer ends the claim earlier.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts only the certificates that these PEM-encoded authorities signed, in place of the
    /// system's.
    #[cfg(feature = "tls")]
    pub fn root_certificates_pem(mut self, pem: &[u8]) -> Self {
        self.certificates.root_cert = Some(pem.to_vec());
        self
    }

    /// Sets the PEM-encoded client certificate and its private key.
    #[cfg(feature = "tls")]
    pub fn client_certificate_pem(mut self, certificate: &[u8], key: &[u8]) -> Self {
        self.certificates.client_tls = Some(redis::ClientTlsConfig {
            client_cert: certificate.to_vec(),
            client_key: key.to_vec(),
        });
        self
    }

    /// Assumes `maxmemory-policy noeviction` on servers whose user may not run `INFO`. The operator
    /// must have set that policy. A server that reports another policy is still refused. Each
    /// connection to a server that does not report its policy logs a warning.
    ///
    /// # Attack
    ///
    /// If the assumption is wrong, the attack of
    /// [`insecure_allow_eviction`](Self::insecure_allow_eviction).
    pub fn insecure_assume_noeviction(mut self) -> Self {
        if self.eviction == Eviction::Refused {
            self.eviction = Eviction::AssumedOff;
        }
        self
    }

    /// Accepts servers with any `maxmemory-policy`, even those that evict entries when memory is
    /// full. Also accepts servers whose policy is unknown because the user may not run `INFO`.
    ///
    /// # Attack
    ///
    /// An attacker who can fill the memory, with many requests or with other keys, can evict
    /// nonces. Then a captured request is accepted again within the window of its date.
    pub fn insecure_allow_eviction(mut self) -> Self {
        self.eviction = Eviction::Allowed;
        self
    }

    /// Builds the store. Connects only at the first claim, so a service can start while the servers
    /// are unavailable.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] in these cases:
    ///
    /// - The namespace is not 1 to 64 visible ASCII characters without braces.
    /// - The timeout is not 1 millisecond to 5 seconds.
    /// - The URL asks for TLS, but the feature `tls` is off or no provider is installed.
    /// - A certificate or a key cannot be parsed.
    pub fn build(self) -> Result<RedisReplayStore, ConfigError> {
        let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
        if !(1..=64).contains(&self.namespace.len()) || !self.namespace.bytes().all(visible) {
            return Err(setting(
                "namespace: expected 1 to 64 visible ASCII characters without braces",
            ));
        }
        if !(Duration::from_millis(1)..=LONGEST_CLAIM).contains(&self.timeout) {
            return Err(setting(format!(
                "timeout: expected 1 millisecond to {LONGEST_CLAIM:?}, found {:?}",
                self.timeout
            )));
        }
        let transport = self.transport()?;
        let access = Access {
            transport: transport.clone(),
            ..self.access.clone()
        };
        // Read certificates now rather than at the first claim.
        let probe = NodeAddress {
            host: "localhost".to_owned(),
            port: 1,
        };
        access
            .client(&probe)
            .map_err(|_| setting("certificates: expected PEM that parses, found other data"))?;

        let topology = Topology {
            deployment: self.deployment,
            access,
            sentinel_access: Access {
                username: self.sentinel_username,
                password: self.sentinel_password,
                database: 0,
                transport,
            },
            within: half(self.timeout),
        };
        Ok(RedisReplayStore::new(
            topology,
            self.eviction,
            &self.namespace,
            self.timeout,
        ))
    }

    #[cfg(feature = "tls")]
    fn transport(&self) -> Result<Transport, ConfigError> {
        let given = self.certificates.root_cert.is_some() || self.certificates.client_tls.is_some();
        match (self.tls, given) {
            (true, _) => {
                tls_provider::ensure_installed()?;
                Ok(Transport::Tls(Arc::new(self.certificates.clone())))
            }
            (false, false) => Ok(Transport::Plain),
            (false, true) => Err(setting(
                "certificates: expected a rediss URL, found one without TLS",
            )),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn transport(&self) -> Result<Transport, ConfigError> {
        if self.tls {
            return Err(setting(
                "rediss: expected the feature tls, found a build without",
            ));
        }
        Ok(Transport::Plain)
    }
}

fn setting(message: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Setting, message)
}

impl fmt::Debug for RedisReplayStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayStoreBuilder")
            .field("deployment", &self.deployment)
            .field("tls", &self.tls)
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> RedisReplayStoreBuilder {
        RedisReplayStoreBuilder::new("redis://verifier:hunter2@redis.internal").unwrap()
    }

    #[test]
    fn settings_out_of_their_range_are_refused() {
        let [longest, long] = [64, 65].map(|length| "n".repeat(length));
        for (name, builder) in [
            ("no namespace", builder().namespace("")),
            ("a long namespace", builder().namespace(&long)),
            ("braces", builder().namespace("{replay}")),
            ("a space", builder().namespace("re play")),
            ("a line", builder().namespace("re\nplay")),
            ("no time", builder().timeout(Duration::ZERO)),
            (
                "a timeout over the longest claim",
                builder().timeout(Duration::from_millis(5001)),
            ),
            #[cfg(feature = "tls")]
            (
                "certificates without TLS",
                builder().root_certificates_pem(b""),
            ),
        ] {
            match builder.build() {
                Ok(_) => panic!("{name} was accepted"),
                Err(error) => assert_eq!(error.kind(), ConfigErrorKind::Setting, "{name}"),
            }
        }
        for builder in [
            builder().namespace(&longest).timeout(LONGEST_CLAIM),
            builder().namespace("n").timeout(Duration::from_millis(1)),
        ] {
            builder.build().unwrap();
        }
    }

    #[cfg(all(feature = "tls", not(feature = "tls-ring")))]
    #[test]
    fn tls_without_a_provider_is_refused_when_the_store_is_built() {
        let builder = RedisReplayStoreBuilder::new("rediss://redis.internal").unwrap();
        let error = builder.build().map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting);
        assert!(
            error.to_string().contains("tls-ring"),
            "{error} names the feature"
        );
    }

    #[cfg(feature = "tls-ring")]
    #[test]
    fn certificates_that_cannot_be_parsed_are_refused_at_once() {
        let builder = || RedisReplayStoreBuilder::new("rediss://redis.internal").unwrap();
        builder().build().unwrap();
        let broken = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert!(builder().root_certificates_pem(broken).build().is_err());
        assert!(
            builder()
                .client_certificate_pem(broken, b"")
                .build()
                .is_err()
        );
    }

    #[test]
    fn no_password_is_shown() {
        let builder = builder().sentinel_password("hunter2");
        let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(shown.contains("redis.internal"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
