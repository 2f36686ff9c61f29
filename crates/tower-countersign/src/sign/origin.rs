use countersign::{ConfigError, ConfigErrorKind, SignError, SignErrorKind};
use http::{
    Uri,
    request::Parts,
    uri::{Authority, Scheme},
};

/// The origin to which a client below the layer sends every request.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    pub(super) fn new(origin: &Uri) -> Result<Self, ConfigError> {
        if origin
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            // User information may be a password, so the URI is not shown.
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                "origin: expected no user information, found some",
            ));
        }
        let refused = |problem: &str| {
            ConfigError::new(
                ConfigErrorKind::Authority,
                format!("origin {origin}: {problem}"),
            )
        };
        let parts = origin.clone().into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(refused("expected http:// or https:// and a host"));
        };
        let default_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => {
                return Err(refused(
                    "expected http:// or https://, found another scheme",
                ));
            }
        };
        if parts.path_and_query.is_some_and(|path| path != "/") {
            return Err(refused("expected no path, found one"));
        }
        if authority.as_str().ends_with(default_port) || authority.as_str().ends_with(':') {
            return Err(refused("expected no default port, found it"));
        }
        Ok(Self { scheme, authority })
    }

    /// Sets the origin of a request.
    pub(super) fn apply(&self, parts: &mut Parts) -> Result<(), SignError> {
        if let Some(found) = parts.uri.authority()
            && *found != self.authority
        {
            return Err(SignError::new(
                SignErrorKind::Authority,
                format!(
                    "authority: expected {}, the origin set with with_origin, found another",
                    self.authority
                ),
            ));
        }
        let mut uri = parts.uri.clone().into_parts();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(self.authority.clone());
        parts.uri = Uri::from_parts(uri)
            .map_err(|error| SignError::new(SignErrorKind::Target, format!("target: {error}")))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn origin(uri: &str) -> Result<Origin, ConfigError> {
        Origin::new(&uri.parse().unwrap())
    }

    fn applied(uri: &str) -> Result<String, SignErrorKind> {
        let (mut parts, ()) = Request::post(uri).body(()).unwrap().into_parts();
        let origin = origin("http://Users.internal:8081").unwrap();
        let applied = origin.apply(&mut parts).map_err(|error| error.kind());
        applied.map(|()| parts.uri.to_string())
    }

    #[test]
    fn a_request_is_given_the_origin_that_is_sent() {
        for (uri, expected) in [
            ("/a?b", Ok("http://Users.internal:8081/a?b")),
            (
                "http://Users.internal:8081/a",
                Ok("http://Users.internal:8081/a"),
            ),
            // tonic replaces scheme and authority, so the signature must cover the replaced values.
            (
                "https://users.internal:8081/a",
                Ok("http://Users.internal:8081/a"),
            ),
            ("http://elsewhere/a", Err(SignErrorKind::Authority)),
            ("http://users.internal/a", Err(SignErrorKind::Authority)),
        ] {
            assert_eq!(applied(uri), expected.map(str::to_owned), "{uri}");
        }
    }

    #[test]
    fn refuses_origins_that_would_be_sent_in_another_form_than_signed() {
        for (uri, accepted) in [
            ("http://users:8081", true),
            ("http://users:8081/", true),
            ("https://users", true),
            ("https://users:80", true),
            ("http://[::1]:8081", true),
            ("http://users:80", false),
            ("https://users:443", false),
            ("http://users:", false),
            ("http://users/a", false),
            ("http://users/?a", false),
            ("http://name:word@users", false),
            ("ftp://users", false),
            ("/a", false),
            ("users", false),
        ] {
            match origin(uri) {
                Ok(_) => assert!(accepted, "{uri}"),
                Err(error) => {
                    assert!(!accepted, "{uri}: {error}");
                    assert_eq!(error.kind(), ConfigErrorKind::Authority);
                    assert!(!error.to_string().contains("word"), "{error}");
                }
            }
        }
    }
}
