//! Routes that the configuration lists.

use countersign::{ConfigError, ConfigErrorKind, PlainPath};
use http::{Method, Uri, uri::Authority};

/// A method and a path, compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    method: Method,
    path: Box<str>,
}

/// An open route and the authority that its requests are forwarded with.
#[derive(Clone, Debug)]
pub(crate) struct OpenRoute {
    route: Route,
    authority: Authority,
}

impl Route {
    /// Parses `GET /healthz`.
    ///
    /// # Errors
    ///
    /// If the text is not a method, a space and a path in plain form.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| {
            let message = format!("route {text:?}: expected a method and a plain path, {problem}");
            ConfigError::new(ConfigErrorKind::Setting, message)
        };
        let (method, path) = text
            .split_once(' ')
            .ok_or_else(|| wrong("found one word"))?;
        let method: Method = method.parse().map_err(|_| wrong("found no method"))?;
        PlainPath::parse(path).map_err(wrong)?;
        Ok(Self {
            method,
            path: path.into(),
        })
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns whether this is the route of a request. A query does not matter.
    pub(crate) fn is(&self, method: &Method, uri: &Uri) -> bool {
        self.method == *method && *self.path == *uri.path()
    }
}

impl OpenRoute {
    /// Parses a route whose requests have no body.
    ///
    /// # Errors
    ///
    /// As [`Route::parse`], and for a method other than `GET` and `HEAD`.
    pub(crate) fn parse(text: &str, authority: &Authority) -> Result<Self, ConfigError> {
        let route = Route::parse(text)?;
        if !matches!(*route.method(), Method::GET | Method::HEAD) {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                format!("open route {text:?}: expected GET or HEAD, found another method"),
            ));
        }
        Ok(Self {
            route,
            authority: authority.clone(),
        })
    }

    pub(crate) fn is(&self, method: &Method, uri: &Uri) -> bool {
        self.route.is(method, uri)
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_one_method_and_one_plain_path() {
        let route = Route::parse("GET /healthz").unwrap();
        for (method, uri, expected) in [
            (Method::GET, "/healthz", true),
            (Method::GET, "http://a/healthz?x=1", true),
            (Method::HEAD, "/healthz", false),
            (Method::GET, "/healthz/", false),
            (Method::GET, "//healthz", false),
            (Method::GET, "/health%7A", false),
            (Method::GET, "/x/../healthz", false),
        ] {
            assert_eq!(route.is(&method, &uri.parse().unwrap()), expected, "{uri}");
        }
        for text in [
            "GET",
            "GET healthz",
            "GET /a/../b",
            "GET  /a",
            "G T /a",
            "GET /a*?",
        ] {
            assert!(Route::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_open_route_takes_no_body() {
        let authority = Authority::from_static("a");
        assert!(OpenRoute::parse("GET /a", &authority).is_ok());
        assert!(OpenRoute::parse("POST /a", &authority).is_err());
    }
}
