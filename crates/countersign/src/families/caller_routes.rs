//! Callers and their routes, for schemes whose signatures name no caller and bind no method, path
//! or host.

use std::time::Duration;

use http::{Method, Uri, uri::PathAndQuery};

use super::{Requirements, ensure_window};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Reason, Rejection, reason},
    head::{RequestHead, Target, parse_method},
    key_id::KeyId,
    scheme::Scheme,
};

/// A caller that its requests do not name, and the requests that it may send.
#[derive(Clone, Debug)]
pub(crate) struct CallerRoutes {
    caller: KeyId,
    routes: Vec<Route>,
    window: Option<Duration>,
}

/// A method and a target, compared as sent: without decoding or normalising.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    method: Method,
    path: Box<str>,
    query: Option<Box<str>>,
}

impl CallerRoutes {
    pub(super) fn new(caller: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            caller: KeyId::new(caller)?,
            routes: Vec::new(),
            window: None,
        })
    }

    pub(super) fn add_route(&mut self, method: Method, target: &str) -> Result<(), ConfigError> {
        let route = Route::parse(method, target).map_err(|problem| {
            let message = format!("caller {}: route {target:?}: {problem}", self.caller);
            ConfigError::new(ConfigErrorKind::Setting, message)
        })?;
        self.routes.push(route);
        Ok(())
    }

    pub(super) fn set_window(&mut self, window: Duration) -> Result<(), ConfigError> {
        ensure_window(window)
            .map_err(|error| error.within(format_args!("caller {}", self.caller)))?;
        self.window = Some(window);
        Ok(())
    }

    pub(super) fn caller(&self) -> &KeyId {
        &self.caller
    }

    pub(super) fn window(&self) -> Option<Duration> {
        self.window
    }

    /// Adds this very request as a route. For a diagnosis only.
    #[cfg(feature = "diagnose")]
    pub(super) fn add_route_of(&mut self, head: &RequestHead<'_>) {
        if let Ok(Target { path, query }) = Target::parse(head.method(), head.uri()) {
            self.routes.push(Route {
                method: head.method().clone(),
                path: path.into(),
                query: query.map(Box::from),
            });
        }
    }

    fn sends(&self, method: &Method, target: Target<'_>) -> bool {
        self.routes.iter().any(|route| route.is(method, target))
    }
}

impl Route {
    fn parse(method: Method, target: &str) -> Result<Self, Reason> {
        const WRONG: Reason =
            Reason::Fixed("expected a path that starts with a slash, with its query if it has one");
        parse_method(&method)?;
        let uri: Uri = target.parse().map_err(|_| WRONG)?;
        let kept = uri.path_and_query().map(PathAndQuery::as_str);
        if !target.starts_with('/') || kept != Some(target) {
            return Err(WRONG);
        }
        let Target { path, query } = Target::parse(&method, &uri)?;
        Ok(Self {
            path: path.into(),
            query: query.map(Box::from),
            method,
        })
    }

    fn is(&self, method: &Method, target: Target<'_>) -> bool {
        self.method == method && self.target() == target
    }

    fn target(&self) -> Target<'_> {
        Target {
            path: &self.path,
            query: self.query.as_deref(),
        }
    }
}

/// The settings of one caller in such a scheme.
pub(crate) trait CallerSettings: Clone {
    const SCHEME: Scheme;

    /// The name of this type, for an error.
    const NAME: &'static str;

    fn routes(&self) -> &CallerRoutes;

    #[cfg(feature = "diagnose")]
    fn routes_mut(&mut self) -> &mut CallerRoutes;
}

/// The callers of one scheme.
#[derive(Clone, Debug)]
pub(crate) struct Callers<S>(Vec<S>);

impl<S: CallerSettings> Callers<S> {
    /// Refuses the scheme without settings.
    pub(super) fn plain() -> Result<Self, ConfigError> {
        Err(ConfigError::new(
            ConfigErrorKind::Setting,
            format!(
                "{} names no caller and no route: accept a {}, which says who sends what",
                S::SCHEME,
                S::NAME
            ),
        ))
    }

    pub(super) fn of(settings: S) -> Self {
        Self(vec![settings])
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, S> {
        self.0.iter()
    }

    /// Returns the method and the path of each route of each caller.
    pub(super) fn methods_and_paths(&self) -> Vec<(&Method, &str)> {
        let routes = self.routes();
        routes.map(|route| (&route.method, &*route.path)).collect()
    }

    /// Yields the same settings for each caller alone, with this very request as a route. For a
    /// diagnosis only.
    #[cfg(feature = "diagnose")]
    pub(crate) fn with_route_of(&self, head: &RequestHead<'_>) -> impl Iterator<Item = Self> {
        self.0.iter().cloned().map(|mut settings| {
            settings.routes_mut().add_route_of(head);
            Self::of(settings)
        })
    }

    /// Returns the settings of the one caller that may send this request.
    ///
    /// The signature does not bind its target. A request outside all routes therefore counts as
    /// insufficiently covered.
    pub(super) fn only_caller(
        &self,
        head: &RequestHead<'_>,
        requirements: &Requirements,
    ) -> Result<&S, Rejection> {
        parse_method(head.method()).map_err(Rejection::malformed)?;
        let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
        requirements.limits.ensure_target(target.len())?;
        self.0
            .iter()
            .find(|settings| settings.routes().sends(head.method(), target))
            .ok_or_else(|| {
                let routes: Vec<&Route> = self.routes().collect();
                unknown_route(&routes, head.method(), target)
            })
    }

    /// Refuses callers without a route, two callers with one route, a route longer than the limit
    /// of targets, and coverage that the scheme cannot give.
    pub(super) fn ensure_distinct_routes(
        &self,
        requirements: &Requirements,
    ) -> Result<(), ConfigError> {
        let scheme = S::SCHEME;
        let refused = |problem| {
            let message = format!("{scheme}: {problem}");
            Err(ConfigError::new(ConfigErrorKind::Setting, message))
        };
        if let Some(name) = requirements.required_headers.first() {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!(
                    "{scheme} is accepted: it covers the body alone, so that header {name} cannot \
                     be required"
                ),
            ));
        }
        let mut callers = self.0.iter().map(CallerSettings::routes);
        if let Some(CallerRoutes { caller, .. }) = callers.find(|caller| caller.routes.is_empty()) {
            return refused(format!(
                "caller {caller}: expected at least one route, found none"
            ));
        }
        let mut seen: Vec<&Route> = Vec::new();
        for route in self.routes() {
            let Route { method, path, .. } = route;
            let limit = requirements.limits.target_bytes;
            if route.target().len() > limit {
                return refused(format!(
                    "route {method} {path}: expected at most {limit} bytes, the limit of targets, \
                     found more"
                ));
            }
            if seen.contains(&route) {
                return refused(format!(
                    "route {method} {path}: listed twice, and the request does not say who sends it"
                ));
            }
            seen.push(route);
        }
        Ok(())
    }

    fn routes(&self) -> impl Iterator<Item = &Route> {
        self.0.iter().flat_map(|settings| &settings.routes().routes)
    }
}

/// Returns the rejection for a request outside all routes. Never shows its path.
#[cold]
fn unknown_route(routes: &[&Route], method: &Method, target: Target<'_>) -> Rejection {
    let of_path = |route: &&&Route| *route.path == *target.path;
    let of_method = |route: &&&Route| route.method == *method;
    let found = if !routes.iter().any(|route| of_path(&route)) {
        "another path"
    } else if !routes.iter().filter(of_path).any(|route| of_method(&route)) {
        "another method for the path of one"
    } else {
        "another query for the path of one"
    };
    Rejection::insufficient_coverage(reason!(
        "route: expected one of the {} that are set, because the signature is over the body alone, \
         found {}: {}",
        routes.len(),
        found,
        Escaped::text(method.as_str())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(route: &str, method: &Method, target: &str) -> bool {
        let mut sender = CallerRoutes::new("django").unwrap();
        sender.add_route(Method::POST, route).unwrap();
        let uri: Uri = target.parse().unwrap();
        sender.sends(method, Target::parse(method, &uri).unwrap())
    }

    #[test]
    fn compares_a_target_as_it_is_sent() {
        for (name, route, target, expected) in [
            ("the same", "/api/echo", "/api/echo", true),
            ("absolute form", "/api/echo", "http://a/api/echo", true),
            ("the root", "/", "http://a", true),
            ("its own query", "/a?x=1", "/a?x=1", true),
            ("escapes as sent", "/a%2Fb", "/a%2Fb", true),
            ("another path", "/api/echo", "/api/echoes", false),
            ("a path below", "/api", "/api/echo", false),
            ("a slash more", "/api/echo", "/api/echo/", false),
            ("two slashes", "/api/echo", "//api/echo", false),
            ("dots", "/api/echo", "/api/./echo", false),
            ("another case", "/api/echo", "/api/Echo", false),
            ("an escape", "/api/echo", "/api/%65cho", false),
            ("an escape of another case", "/a%2Fb", "/a%2fb", false),
            ("a query", "/api/echo", "/api/echo?x=1", false),
            ("an empty query", "/api/echo", "/api/echo?", false),
            ("another query", "/a?x=1", "/a?x=2", false),
            ("no query", "/a?x=1", "/a", false),
        ] {
            assert_eq!(takes(route, &Method::POST, target), expected, "{name}");
            assert!(!takes(route, &Method::PUT, target), "{name}");
        }
    }

    #[test]
    fn refuses_routes_that_no_request_can_be() {
        for (method, target) in [
            ("POST", ""),
            ("POST", "api"),
            ("POST", "*"),
            ("OPTIONS", "*"),
            ("POST", "http://a/api"),
            ("POST", "/api#part"),
            ("POST", "/a b"),
            ("post", "/api"),
            ("CONNECT", "/api"),
        ] {
            let mut sender = CallerRoutes::new("django").unwrap();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let error = sender.add_route(method.clone(), target).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Setting, "{method} {target}");
        }
    }

    #[test]
    fn a_window_is_at_most_an_hour() {
        let mut sender = CallerRoutes::new("django").unwrap();
        for seconds in [0, 3601] {
            let error = sender.set_window(Duration::from_secs(seconds)).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Setting, "{seconds}");
        }
        assert_eq!(sender.window(), None);
        sender.set_window(Duration::from_secs(3600)).unwrap();
        assert_eq!(sender.window(), Some(Duration::from_secs(3600)));
    }
}
