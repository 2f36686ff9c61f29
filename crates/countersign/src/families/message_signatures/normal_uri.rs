//! URIs in normal form (RFC 3986 sections 6.2.2 and 6.2.3).

use std::borrow::Cow;

use super::{message::UriScheme, parse::normalized, rules::TargetUri};
use crate::{
    error::{Reason, reason},
    head::{Authority, Target},
};

/// The parts of a URI that have a normal form. The query has none.
#[derive(Debug)]
pub(super) struct NormalUri<'u> {
    pub(super) authority: Cow<'u, str>,
    pub(super) path: String,
}

impl TargetUri {
    /// Returns the parts in normal form, if the rule asks for them. `authority` is in lower case
    /// and without the default port.
    pub(super) fn of<'u>(
        self,
        authority: &'u str,
        target: Target<'_>,
    ) -> Result<Option<NormalUri<'u>>, Reason> {
        match self {
            Self::AsSent => Ok(None),
            Self::Normalized => {
                let authority = without_root_dot(authority)
                    .ok_or_else(|| reason!("authority: expected no empty label"))?;
                let path = normal_path(target.path)
                    .ok_or_else(|| reason!("target: expected two digits after each %"))?;
                Ok(Some(NormalUri { authority, path }))
            }
        }
    }
}

/// Returns the path in normal form: dot segments removed, then escapes in upper case and those of
/// unreserved characters decoded. Repeated slashes stay.
///
/// `None` if an escape lacks its digits. An escaped dot is decoded last, so the result may hold
/// `..`: never route by it.
pub(super) fn normal_path(path: &str) -> Option<String> {
    let without_dots = without_dot_segments(path);
    let mut normal = String::with_capacity(without_dots.len());
    let mut rest = without_dots.as_str();
    while let Some((before, escape)) = rest.split_once('%') {
        normal.push_str(before);
        let (digits, behind) = escape.split_at_checked(2)?;
        let mut byte = [0];
        base16ct::mixed::decode(digits, &mut byte).ok()?;
        let [byte] = byte;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            normal.push(char::from(byte));
        } else {
            normal.push('%');
            normal.extend(digits.chars().map(|digit| digit.to_ascii_uppercase()));
        }
        rest = behind;
    }
    normal.push_str(rest);
    if normal.is_empty() {
        normal.push('/');
    }
    Some(normal)
}

/// Removes `.` and `..` (RFC 3986 section 5.2.4). Linear: `..` cuts what was written.
fn without_dot_segments(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => written.truncate(written.rfind('/').unwrap_or_default()),
            other => written.extend(["/", other]),
        }
        if is_last && matches!(segment, "." | "..") {
            written.push('/');
        }
    }
    written
}

/// Returns a host without the dot of the root. `None` for an empty label.
pub(super) fn without_root_dot(authority: &str) -> Option<Cow<'_, str>> {
    if authority.starts_with('[') {
        return Some(Cow::Borrowed(authority));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.split('.').any(str::is_empty) {
        return None;
    }
    if name.len() == host.len() {
        return Some(Cow::Borrowed(authority));
    }
    Some(Cow::Owned(match port {
        Some(port) => [name, ":", port].concat(),
        None => name.to_owned(),
    }))
}

/// Returns the name of the agent that an https URL identifies: the URL in normal form, without
/// query and fragment. `None` for a URL of another scheme, without a host or with user information.
pub(super) fn agent(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "/"),
    };
    Authority::parse(authority).ok()?;
    let authority = normalized(authority, Some(UriScheme::Https));
    Some(["https://", &authority, &normal_path(path)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_normal_form() {
        for (path, expected) in [
            ("/", Some("/")),
            ("", Some("/")),
            ("/a/./b", Some("/a/b")),
            ("/a/../b", Some("/b")),
            ("/../a", Some("/a")),
            ("/a/..", Some("/")),
            ("/a/.", Some("/a/")),
            ("/a//b", Some("/a//b")),
            ("/a/.//b", Some("/a//b")),
            ("/a//../b", Some("/a/b")),
            ("/%7efoo%2f%41", Some("/~foo%2FA")),
            ("/%2e%2e/a", Some("/../a")),
            ("/%e2%98%83", Some("/%E2%98%83")),
            ("/%zz", None),
            ("/%4", None),
            ("/%", None),
        ] {
            assert_eq!(normal_path(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_host_has_no_root_dot_and_no_empty_label() {
        for (authority, expected) in [
            ("a.example", Some("a.example")),
            ("a.example.", Some("a.example")),
            ("a.example.:8443", Some("a.example:8443")),
            ("a.example:8443", Some("a.example:8443")),
            ("[::1]:80", Some("[::1]:80")),
            ("a..example", None),
            (".", None),
            (":443", None),
        ] {
            assert_eq!(
                without_root_dot(authority).as_deref(),
                expected,
                "{authority}"
            );
        }
    }

    #[test]
    fn an_agent_is_its_url_without_query() {
        for (url, expected) in [
            ("https://a.test/keys", Some("https://a.test/keys")),
            (
                "HTTPS://A.Test:443/./keys?v=1#f",
                Some("https://a.test/keys"),
            ),
            ("https://a.test", Some("https://a.test/")),
            ("https://a.test:8443/", Some("https://a.test:8443/")),
            ("http://a.test/", None),
            ("https://user@a.test/", None),
            ("https:///", None),
            ("a.test", None),
            ("https://a.test/ b", None),
        ] {
            assert_eq!(agent(url).as_deref(), expected, "{url}");
        }
    }
}
