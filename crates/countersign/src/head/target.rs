use http::{Method, Uri};

use crate::error::{Escaped, Reason, reason};

/// The request target: path and query as sent, neither decoded nor normalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'r> {
    pub(crate) path: &'r str,
    pub(crate) query: Option<&'r str>,
}

impl<'r> Target<'r> {
    /// Reads the target of an origin-form, absolute-form or asterisk-form request (RFC 9112 section
    /// 3.2).
    ///
    /// `*` is accepted with OPTIONS only. The authority form belongs to CONNECT and is refused,
    /// like every scheme except http and https.
    #[inline]
    pub(crate) fn parse(method: &Method, uri: &'r Uri) -> Result<Self, Reason> {
        if let Some(scheme) = uri.scheme_str()
            && !matches!(scheme, "http" | "https")
        {
            return Err(reason!(
                "target: expected the scheme http or https, found \"{}\"",
                Escaped::text(scheme)
            ));
        }
        if uri.path_and_query().is_none() {
            return Err(reason!("target: expected a path, found an authority alone"));
        }
        let (path, query) = (uri.path(), uri.query());
        if path == "*" {
            if method == Method::OPTIONS && query.is_none() {
                return Ok(Self { path, query });
            }
            return Err(reason!(
                "target: expected * with OPTIONS only, found it with {}",
                Escaped::text(method.as_str())
            ));
        }
        if !path.starts_with('/') {
            return Err(reason!("target: expected a path that starts with a slash"));
        }
        Ok(Self { path, query })
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        let query = self.query.map_or(0, |query| query.len().saturating_add(1));
        self.path.len().saturating_add(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &Method, target: &str) -> Result<(String, Option<String>), Reason> {
        let uri: Uri = target.parse().unwrap();
        Target::parse(method, &uri)
            .map(|target| (target.path.to_owned(), target.query.map(str::to_owned)))
    }

    #[test]
    fn keeps_path_and_query_as_sent() {
        for (name, target, path, query) in [
            ("plain", "/a", "/a", None),
            ("empty query", "/a?", "/a", Some("")),
            ("query kept", "/a?b=2&a=1&b=1", "/a", Some("b=2&a=1&b=1")),
            ("escapes kept", "/a%2fb/%2F", "/a%2fb/%2F", None),
            ("dots kept", "/a/../b//c/.", "/a/../b//c/.", None),
            ("absolute form", "http://host/a?b", "/a", Some("b")),
            ("absolute form without a path", "http://host", "/", None),
            (
                "absolute form with a query alone",
                "http://host?q",
                "/",
                Some("q"),
            ),
        ] {
            let found = parse(&Method::GET, target).unwrap();
            assert_eq!(found, (path.to_owned(), query.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn takes_an_asterisk_with_options_only() {
        assert!(parse(&Method::OPTIONS, "*").is_ok());
        assert!(parse(&Method::GET, "*").is_err());
    }

    #[test]
    fn refuses_the_authority_form_and_other_schemes() {
        assert!(parse(&Method::GET, "host:80").is_err());
        assert!(parse(&Method::GET, "ftp://host/a").is_err());
    }
}
