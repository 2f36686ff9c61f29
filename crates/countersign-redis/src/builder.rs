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

    /// The user of the servers' ACL, instead of the URL's.
    pub fn username(mut self, username: &str) -> Self {
        self.access.username = Some(username.into());
        self
    }

    /// The password of the servers, instead of the URL's.
    pub fn password(mut self, password: &str) -> Self {
        self.access.password = Some(password.into());
        self
    }

    /// The user of the sentinels' ACL. The URL's user and password are for the servers only.
    pub fn sentinel_username(mut self, username: &str) -> Self {
        self.sentinel_username = Some(username.into());
        self
    }

    /// The password of the sentinels.
    pub fn sentinel_password(mut self, password: &str) -> Self {
        self.sentinel_password = Some(password.into());
        self
    }

    /// What the names of all entries begin with, before a colon: `countersign:replay` unless set. Replicas of one service need the same.
    /// Services may share one, because the audience of a verifier is in every key.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// How long one claim may take, connecting and sending again included: 2 seconds unless set, 5 at most. After it the claim
    /// is unavailable. Sending again begins at half of it.
    ///
    /// The deadline of the layer that claims ends it sooner, if it is shorter.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts the certificates that these PEM-encoded authorities signed, and not those that the system trusts.
    #[cfg(feature = "tls")]
    pub fn root_certificates_pem(mut self, pem: &[u8]) -> Self {
        self.certificates.root_cert = Some(pem.to_vec());
        self
    }

    /// Shows this certificate and proves to have its key, both PEM-encoded.
    #[cfg(feature = "tls")]
    pub fn client_certificate_pem(mut self, certificate: &[u8], key: &[u8]) -> Self {
        self.certificates.client_tls = Some(redis::ClientTlsConfig {
            client_cert: certificate.to_vec(),
            client_key: key.to_vec(),
        });
        self
    }

    /// Takes a server's word for `maxmemory-policy noeviction` where its user may not run `INFO`, which would tell: the
    /// operator has set it. A server that tells of another policy is refused all the same. Each connection to a server that
    /// does not tell is a warning in the log.
    ///
    /// # Attack
    ///
    /// That of [`insecure_allow_eviction`](Self::insecure_allow_eviction), where the operator is mistaken.
    pub fn insecure_assume_noeviction(mut self) -> Self {
        if self.eviction == Eviction::Refused {
            self.eviction = Eviction::AssumedOff;
        }
        self
    }

    /// Also works with servers that evict entries when their memory is full, by any `maxmemory-policy` but `noeviction`,
    /// and with those that do not tell, because their user may not run `INFO`.
    ///
    /// # Attack
    ///
    /// Whoever can fill the memory, a caller with many requests or a neighbour with many keys, has nonces evicted. A captured
    /// request is then handled again, within the window of its date.
    pub fn insecure_allow_eviction(mut self) -> Self {
        self.eviction = Eviction::Allowed;
        self
    }

    /// The store. Nothing is connected before the first claim, so that a service starts while its store is down.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the namespace is not 1 to 64 visible ASCII characters without braces, the timeout not 1
    /// millisecond to 5 seconds, TLS asked for and not compiled in or without a provider, or a certificate that is none.
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
        // Certificates are read here, and not at the first claim.
        let probe = NodeAddress {
            host: "localhost".to_owned(),
            port: 1,
        };
        access
            .client(&probe)
            .map_err(|_| setting("certificates: expected PEM, found none that can be read"))?;

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
                "certificates: expected a URL with rediss, found one without TLS",
            )),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn transport(&self) -> Result<Transport, ConfigError> {
        if self.tls {
            return Err(setting("rediss: the feature tls is not compiled in"));
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
                "time past what entries outlive",
                builder().timeout(Duration::from_millis(5001)),
            ),
            #[cfg(feature = "tls")]
            (
                "certificates and no TLS",
                builder().root_certificates_pem(b""),
            ),
        ] {
            match builder.build() {
                Ok(_) => panic!("{name} was taken"),
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
    fn certificates_that_are_none_are_refused_at_once() {
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
