//! Where nothing is refused.

use std::sync::Arc;

use countersign::{ConfigError, ConfigErrorKind, PlainPath};
use http::{HeaderName, Method, request::Parts};

use super::{request_uri, uncovered::is_override};
use crate::mode::Mode;

/// For which requests a layer only reports.
#[derive(Clone, Debug, Default)]
pub(super) enum ReportOnly {
    #[default]
    Nowhere,
    Everywhere,
    For(Arc<[Route]>),
}

impl ReportOnly {
    /// The mode for this request. Whatever could be handled as another route than the one that its request line names is
    /// enforced.
    pub(super) fn mode_of(&self, parts: &Parts) -> Mode {
        let routes = match self {
            Self::Nowhere => return Mode::Enforced,
            Self::Everywhere => return Mode::ReportOnly,
            Self::For(routes) => routes,
        };
        let Ok(uri) = request_uri::of(parts) else {
            return Mode::Enforced;
        };
        let path = uri.path();
        if is_plain(path)
            && !parts
                .headers
                .keys()
                .map(HeaderName::as_str)
                .any(is_override)
            && routes.iter().any(|route| route.is(&parts.method, path))
        {
            Mode::ReportOnly
        } else {
            Mode::Enforced
        }
    }

    /// These routes, and those that were named before.
    pub(super) fn and_for(
        &self,
        routes: impl IntoIterator<Item = (Method, impl AsRef<str>)>,
    ) -> Result<Self, ConfigError> {
        let mut all = match self {
            Self::Nowhere | Self::Everywhere => Vec::new(),
            Self::For(routes) => routes.to_vec(),
        };
        for (method, pattern) in routes {
            all.push(Route::new(method, pattern.as_ref())?);
        }
        Ok(Self::For(all.into()))
    }
}

/// A method, and a path of which some segments may be anything.
#[derive(Clone, Debug)]
pub(super) struct Route {
    method: Method,
    segments: Box<[Segment]>,
}

#[derive(Clone, Debug)]
enum Segment {
    This(Box<str>),
    Any,
}

impl Route {
    fn new(method: Method, pattern: &str) -> Result<Self, ConfigError> {
        let refused = || {
            let message = format!(
                "report-only route {pattern:?}: expected a path in plain form, of which a whole segment may be {{name}}"
            );
            ConfigError::new(ConfigErrorKind::Setting, message)
        };
        let path = pattern.strip_prefix('/').ok_or_else(refused)?;
        let segments = path.split('/').map(|segment| {
            let capture = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            match capture {
                Some(name) if is_name(name) => Ok(Segment::Any),
                Some(_) => Err(refused()),
                None => Ok(Segment::This(segment.into())),
            }
        });
        let segments: Box<[Segment]> = segments.collect::<Result<_, _>>()?;
        // What stands between the captures must be a path that a request can have.
        let example = segments.iter().fold(String::new(), |path, segment| {
            path + "/"
                + match segment {
                    Segment::This(text) => text,
                    Segment::Any => "x",
                }
        });
        if !is_plain(&example) {
            return Err(refused());
        }
        Ok(Self { method, segments })
    }

    /// Whether a request with this method and this path, which must be plain, is for the route.
    fn is(&self, method: &Method, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut found = path.split('/');
        let fits = self.segments.iter().all(|segment| match found.next() {
            Some(found) => match segment {
                Segment::This(text) => **text == *found,
                Segment::Any => !found.is_empty(),
            },
            None => false,
        });
        self.method == *method && fits && found.next().is_none()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a path is plain, and has none of the characters that some servers read as parameters or
/// separators.
fn is_plain(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@/".contains(&byte);
    PlainPath::parse(path).is_ok() && path.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_if_every_reader_takes_it_for_the_same() {
        for path in ["/", "/a", "/a/", "/a/b-1._~", "/a/user:7@b"] {
            assert!(is_plain(path), "{path}");
        }
        for path in [
            "", "*", "a", "//", "//a", "/a//b", "/a//", "/.", "/..", "/a/../b", "/a/.", "/%61",
            "/a%2fb", "/a;b", "/a\\b", "/a b", "/ä", "/a,b", "/a\u{0}",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn a_pattern_stands_for_paths_of_its_own_form_only() {
        for (pattern, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/A", false),
            ("/a", "/ab", false),
            ("/a", "/", false),
            ("/a", "/a/b", false),
            ("/a/", "/a/", true),
            ("/a/", "/a", false),
            ("/a/{id}", "/a/7", true),
            ("/a/{id}", "/a/", false),
            ("/a/{id}", "/a", false),
            ("/a/{id}", "/a/7/8", false),
            ("/a/{id}/b", "/a/7/b", true),
            ("/a/{id}/b", "/a/7/c", false),
            ("/", "/", true),
            ("/", "/a", false),
        ] {
            let route = Route::new(Method::GET, pattern).unwrap();
            assert_eq!(
                route.is(&Method::GET, path),
                expected,
                "{pattern} and {path}"
            );
            assert!(!route.is(&Method::POST, path), "another method: {path}");
        }
    }

    #[test]
    fn refuses_patterns_that_could_stand_for_more_than_they_say() {
        for pattern in [
            "",
            "a",
            "*",
            "/*",
            "/{*rest}",
            "/{}",
            "/a{id}",
            "/{a}{b}",
            "/a//b",
            "/../a",
            "/%61",
            "/a?b",
            "http://a/b",
            "/{a",
            "/a}",
        ] {
            assert!(Route::new(Method::GET, pattern).is_err(), "{pattern}");
        }
    }
}
