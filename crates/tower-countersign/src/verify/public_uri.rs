use countersign::{ConfigError, ConfigErrorKind, Rejection, RejectionKind, RequestHead};
use http::{
    HeaderMap, HeaderValue, Method, Uri,
    header::HOST,
    uri::{Authority, PathAndQuery},
};

/// The URI that callers sign, if a gateway rewrites it before the request arrives.
///
/// A gateway that strips a path prefix, or sends a different `Host`, breaks every signature,
/// because callers sign the URI that they send. Describe the rewriting here, and
/// [`VerifyLayer`](crate::VerifyLayer::with_public_uri) verifies the URI that the caller sent. The
/// mapping is fixed. No forwarded header is read, because any client can send one.
///
/// ```
/// use countersign::{CallerKey, Keyring, Secret, VerifyingKey};
/// use tower_countersign::{PublicUri, VerifyLayer};
///
/// let secret = Secret::generate()?;
/// let keys = Keyring::builder()
///     .caller("billing", CallerKey::new("2026-01", VerifyingKey::hmac_sha256(&secret))?)
///     .build()?;
///
/// // Callers sign https://api.example.com/accounts/7.
/// // The gateway sends /7 to accounts.internal:8081.
/// let public = PublicUri::new("api.example.com")?
///     .with_stripped_prefix("/accounts")?
///     .with_inbound_hosts(["accounts.internal:8081"])?;
/// let layer = VerifyLayer::new(keys).with_public_uri(public)?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUri {
    host: Authority,
    host_value: HeaderValue,
    inbound_hosts: Vec<Authority>,
    prefix: String,
}

impl PublicUri {
    /// Sets the authority that callers sign: a host, or a host and a port, as in their URLs. Unless
    /// [`with_inbound_hosts`](Self::with_inbound_hosts) is called, the gateway must keep this
    /// `Host`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`] if `host` is not an authority, or has user information.
    pub fn new(host: &str) -> Result<Self, ConfigError> {
        let host = authority("public host", host)?;
        let host_value = HeaderValue::from_str(host.as_str()).map_err(|error| {
            ConfigError::new(
                ConfigErrorKind::Authority,
                format!("public host {:?}: {error}", host.as_str()),
            )
        })?;
        Ok(Self {
            inbound_hosts: vec![host.clone()],
            host,
            host_value,
            prefix: String::new(),
        })
    }

    /// Sets the authorities that the gateway sends, in `Host` or `:authority`. A request with any
    /// other authority is refused with 421. The comparison includes the port and ignores ASCII
    /// case.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`] if a host is not an authority, or if there is no host.
    pub fn with_inbound_hosts<I>(mut self, hosts: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let hosts = hosts.into_iter();
        self.inbound_hosts = hosts
            .map(|host| authority("inbound host", host.as_ref()))
            .collect::<Result<_, _>>()?;
        if self.inbound_hosts.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                "inbound hosts: expected at least one, found none",
            ));
        }
        Ok(self)
    }

    /// Sets the prefix that the gateway strips from the path, such as `/accounts`.
    ///
    /// The path that arrives must begin with a slash. Most gateways send `/accounts` as `/`, which
    /// is verified as `/accounts/`. So callers must sign `/accounts/`, with the slash.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the prefix does not begin with a slash, or ends in one. Also
    /// if it has an empty segment, a dot segment, an escape, a query or a fragment.
    pub fn with_stripped_prefix(mut self, prefix: &str) -> Result<Self, ConfigError> {
        let is_plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte))
        };
        let segments = prefix.strip_prefix('/');
        if !segments.is_some_and(|segments| segments.split('/').all(is_plain)) {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                format!(
                    "stripped prefix {prefix:?}: expected /segment or /segment/segment, without \
                     escapes and without a slash at the end"
                ),
            ));
        }
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// Returns the authority that callers sign.
    pub(crate) fn host(&self) -> &str {
        self.host.as_str()
    }

    /// Returns the head that the caller signed.
    ///
    /// Refuses a request that the gateway cannot have sent: one with another authority, or without
    /// a path.
    pub(super) fn restore(&self, inbound: &RequestHead<'_>) -> Result<PublicHead, Rejection> {
        let found = inbound.authority()?;
        let is_inbound = |host: &Authority| host.as_str().eq_ignore_ascii_case(found);
        if !self.inbound_hosts.iter().any(is_inbound) {
            return Err(NOT_INBOUND);
        }
        let target = inbound.uri().path_and_query();
        let Some(target) = target.filter(|target| target.path().starts_with('/')) else {
            return Err(NO_PATH);
        };
        let target = PathAndQuery::try_from(format!("{}{target}", self.prefix));
        let mut uri = inbound.uri().clone().into_parts();
        uri.path_and_query = Some(target.map_err(|_| NO_PATH)?);
        if uri.authority.is_some() {
            uri.authority = Some(self.host.clone());
        }
        let mut headers = inbound.headers().clone();
        if headers.contains_key(HOST) {
            headers.insert(HOST, self.host_value.clone());
        }
        Ok(PublicHead {
            uri: Uri::from_parts(uri).map_err(|_| NO_PATH)?,
            headers,
        })
    }
}

const NOT_INBOUND: Rejection = Rejection::new(
    RejectionKind::Misdirected,
    "authority: expected an inbound host of the public URI, found another",
);
const NO_PATH: Rejection = Rejection::new(
    RejectionKind::Malformed,
    "target: expected a path that the prefix of the public URI can be put before",
);

/// A request head with the authority and the path that the caller signed.
pub(super) struct PublicHead {
    uri: Uri,
    headers: HeaderMap,
}

impl PublicHead {
    pub(super) fn head<'r>(&'r self, method: &'r Method) -> RequestHead<'r> {
        RequestHead::new(method, &self.uri, &self.headers)
    }
}

fn authority(setting: &str, text: &str) -> Result<Authority, ConfigError> {
    let refused = |problem: &str| {
        let message = format!("{setting} {text:?}: {problem}");
        ConfigError::new(ConfigErrorKind::Authority, message)
    };
    if text.contains('@') {
        // The text may hold a password, so it is not shown.
        let message = format!("{setting}: expected no user information, found some");
        return Err(ConfigError::new(ConfigErrorKind::Authority, message));
    }
    text.parse().map_err(|_| refused("expected an authority"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(
        public: &PublicUri,
        uri: &str,
        host: Option<&str>,
    ) -> Result<(String, Option<String>), RejectionKind> {
        let uri: Uri = uri.parse().unwrap();
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(HOST, host.parse().unwrap());
        }
        let inbound = RequestHead::new(&Method::GET, &uri, &headers);
        let public = public
            .restore(&inbound)
            .map_err(|rejection| rejection.kind())?;
        let host = public.headers.get(HOST);
        let host = host.map(|host| host.to_str().unwrap().to_owned());
        Ok((public.uri.to_string(), host))
    }

    #[test]
    fn restores_the_uri_that_the_caller_signed() {
        let public = PublicUri::new("api.example.com")
            .and_then(|public| public.with_stripped_prefix("/v1/accounts"))
            .and_then(|public| public.with_inbound_hosts(["accounts:8081", "10.0.0.7"]))
            .unwrap();
        let text = str::to_owned;
        for (name, uri, host, expected) in [
            (
                "HTTP/1.1",
                "/7?a=%20b&c",
                Some("accounts:8081"),
                Ok((
                    text("/v1/accounts/7?a=%20b&c"),
                    Some(text("api.example.com")),
                )),
            ),
            (
                "HTTP/2",
                "http://10.0.0.7/",
                None,
                Ok((text("http://api.example.com/v1/accounts/"), None)),
            ),
            (
                "another case",
                "/7",
                Some("Accounts:8081"),
                Ok((text("/v1/accounts/7"), Some(text("api.example.com")))),
            ),
            (
                "the public host itself, past the gateway",
                "/7",
                Some("api.example.com"),
                Err(RejectionKind::Misdirected),
            ),
            (
                "another port",
                "/7",
                Some("accounts"),
                Err(RejectionKind::Misdirected),
            ),
            ("no authority", "/7", None, Err(RejectionKind::Malformed)),
            (
                "no path",
                "*",
                Some("10.0.0.7"),
                Err(RejectionKind::Malformed),
            ),
        ] {
            assert_eq!(restored(&public, uri, host), expected, "{name}");
        }
    }

    #[test]
    fn a_gateway_that_keeps_the_host_needs_only_the_prefix() {
        let public = PublicUri::new("api.example.com").unwrap();
        let public = public.with_stripped_prefix("/a").unwrap();
        let found = restored(&public, "/7", Some("api.example.com"));
        assert_eq!(
            found,
            Ok(("/a/7".to_owned(), Some("api.example.com".to_owned())))
        );
        assert_eq!(
            restored(&public, "/7", Some("elsewhere")),
            Err(RejectionKind::Misdirected)
        );
    }

    #[test]
    fn refuses_settings_that_no_gateway_can_have() {
        for host in ["", "user@api", "a b", "api/x"] {
            assert!(PublicUri::new(host).is_err(), "{host}");
        }
        let public = PublicUri::new("api").unwrap();
        let no_hosts: [&str; 0] = [];
        assert!(public.clone().with_inbound_hosts(no_hosts).is_err());
        assert!(public.clone().with_inbound_hosts(["a/b"]).is_err());
        for prefix in [
            "", "/", "a", "/a/", "//a", "/a//b", "/../a", "/.", "/%61", "/a?b", "/a#b", "/a;b",
        ] {
            assert!(
                public.clone().with_stripped_prefix(prefix).is_err(),
                "{prefix}"
            );
        }
    }
}
