use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::HOST, uri::PathAndQuery};

use crate::head::RequestHead;

/// A request head that a diagnosis may change.
#[derive(Clone)]
pub(super) struct HeadCopy {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// One change of a head.
#[derive(Clone)]
pub(super) enum Edit {
    Method(Method),
    Authority(String),
    Path(String),
    Query(Option<String>),
    /// Sets a header to one line, or removes it.
    Header(HeaderName, Option<HeaderValue>),
}

impl HeadCopy {
    pub(super) fn of(head: &RequestHead<'_>) -> Self {
        Self {
            method: head.method().clone(),
            uri: head.uri().clone(),
            headers: head.headers().clone(),
        }
    }

    pub(super) fn head(&self) -> RequestHead<'_> {
        RequestHead::new(&self.method, &self.uri, &self.headers)
    }

    /// Returns the approximate size of the head in bytes.
    pub(super) fn bytes(&self) -> usize {
        let lines = self.headers.iter();
        let lines = lines.map(|(name, value)| name.as_str().len().saturating_add(value.len()));
        let target = self
            .uri
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        lines.fold(target, usize::saturating_add)
    }

    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(super) fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// Returns the authority of the URI, or of `Host`.
    pub(super) fn authority(&self) -> Option<&str> {
        let of_uri = self.uri.authority().map(http::uri::Authority::as_str);
        of_uri.or_else(|| self.text_of(&HOST))
    }

    /// Returns the first line of a header, if it is ASCII.
    pub(super) fn text_of(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns a copy with one change. `None` if the HTTP types cannot hold the change, or if it
    /// changes nothing.
    pub(super) fn with(&self, edit: &Edit) -> Option<Self> {
        let mut copy = self.clone();
        match edit {
            Edit::Method(method) if *method != copy.method => copy.method = method.clone(),
            Edit::Method(_) => return None,
            Edit::Authority(authority) => copy.set_authority(authority)?,
            Edit::Path(path) => copy.set_target(path, self.query())?,
            Edit::Query(query) => copy.set_target(self.path(), query.as_deref())?,
            Edit::Header(name, None) => {
                copy.headers.remove(name)?;
            }
            Edit::Header(name, Some(value)) => {
                let mut lines = self.headers.get_all(name).iter();
                if lines.next() == Some(value) && lines.next().is_none() {
                    return None;
                }
                copy.headers.insert(name.clone(), value.clone());
            }
        }
        Some(copy)
    }

    fn set_authority(&mut self, authority: &str) -> Option<()> {
        if self.authority() == Some(authority) {
            return None;
        }
        let host = HeaderValue::from_str(authority).ok()?;
        if self.uri.authority().is_some() {
            let mut parts = self.uri.clone().into_parts();
            parts.authority = Some(authority.parse().ok()?);
            self.uri = Uri::from_parts(parts).ok()?;
        }
        if self.uri.authority().is_none() || self.headers.contains_key(HOST) {
            self.headers.insert(HOST, host);
        }
        Some(())
    }

    fn set_target(&mut self, path: &str, query: Option<&str>) -> Option<()> {
        if (path, query) == (self.path(), self.query()) || !path.starts_with('/') {
            return None;
        }
        let text = match query {
            Some(query) => [path, "?", query].concat(),
            None => path.to_owned(),
        };
        let target: PathAndQuery = text.parse().ok()?;
        // The HTTP types truncate a text where a fragment begins.
        if target.as_str() != text {
            return None;
        }
        let mut parts = self.uri.clone().into_parts();
        parts.path_and_query = Some(target);
        self.uri = Uri::from_parts(parts).ok()?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(uri: &str) -> HeadCopy {
        HeadCopy {
            method: Method::GET,
            uri: uri.parse().unwrap(),
            headers: HeaderMap::new(),
        }
    }

    #[test]
    fn an_authority_is_changed_wherever_it_stands() {
        let edit = Edit::Authority("b".to_owned());
        let changed = copy("http://a/x").with(&edit).unwrap();
        assert_eq!(changed.uri, "http://b/x");
        assert!(changed.headers.is_empty());
        let changed = copy("/x").with(&edit).unwrap();
        assert_eq!(changed.authority(), Some("b"));
        assert_eq!(changed.uri, "/x");
    }

    #[test]
    fn a_change_of_nothing_is_none() {
        let copy = copy("http://a/x?y");
        for edit in [
            Edit::Authority("a".to_owned()),
            Edit::Path("/x".to_owned()),
            Edit::Query(Some("y".to_owned())),
            Edit::Method(Method::GET),
            Edit::Header(HOST, None),
            Edit::Path("no path".to_owned()),
            Edit::Path("/x#y".to_owned()),
        ] {
            assert!(copy.with(&edit).is_none());
        }
        assert_eq!(copy.with(&Edit::Query(None)).unwrap().uri, "http://a/x");
    }
}
