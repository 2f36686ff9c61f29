//! Routes that a setting applies to.

use countersign::{ConfigError, ConfigErrorKind, PlainPath};
use http::{HeaderName, Method, request::Parts};

use super::{request_uri, uncovered::is_override};

/// Returns the path of a request by which settings are selected. `None` if the request could be
/// handled as another route than that of its request line.
pub(super) fn path_of(parts: &Parts) -> Option<&str> {
    let path = request_uri::of(parts).ok()?.path();
    let mut names = parts.headers.keys().map(HeaderName::as_str);
    (is_plain(path) && !names.any(is_override)).then_some(path)
}

/// A method and a path pattern.
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
    /// Parses a pattern. `setting` names the setting that lists it, for the error.
    pub(super) fn new(method: Method, pattern: &str, setting: &str) -> Result<Self, ConfigError> {
        let refused = || {
            let message = format!(
                "{setting} {pattern:?}: expected a path in plain form, in which a whole \
                 segment may be {{name}}"
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
        // The segments besides the captures must be a path that a request can have.
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

    /// Returns whether the route matches this method and this path. The path must be plain.
    pub(super) fn is(&self, method: &Method, path: &str) -> bool {
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

/// Returns whether a path is plain, and has no character that some servers read as a parameter or a
/// separator.
fn is_plain(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@/".contains(&byte);
    PlainPath::parse(path).is_ok() && path.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_if_every_server_reads_it_the_same_way() {
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
    fn a_pattern_matches_paths_of_the_same_form_only() {
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
            let route = Route::new(Method::GET, pattern, "route").unwrap();
            assert_eq!(
                route.is(&Method::GET, path),
                expected,
                "{pattern} and {path}"
            );
            assert!(!route.is(&Method::POST, path), "another method: {path}");
        }
    }

    #[test]
    fn refuses_patterns_with_more_than_one_meaning() {
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
            assert!(
                Route::new(Method::GET, pattern, "route").is_err(),
                "{pattern}"
            );
        }
    }
}
