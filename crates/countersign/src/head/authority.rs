use http::{Uri, header::HOST};

use super::RequestHead;
use crate::{
    error::{Escaped, Rejection, reason},
    wire::ByteSet,
};

/// The greatest length of an authority: 255 bytes of name, a colon and a port.
const MAX_LEN: usize = 261;

/// The form of the authority in the signed text.
///
/// A verifier uses one form only. With two, a signature for one authority could be valid for
/// another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostForm {
    /// As sent: `user-service:8081` is signed with its port.
    #[default]
    AsSent,
    /// Without the port, for callers that sign the bare name while their HTTP client sends
    /// `name:port`. The signature then covers the name but not the port.
    StripPort,
}

/// The authority of a request as sent, and the end of its host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authority<'r> {
    text: &'r str,
    host_len: usize,
}

impl<'r> Authority<'r> {
    /// Returns the one authority of a request, from the URI (absolute form, `:authority`) or
    /// `Host`. If both are present, they must be equal byte for byte.
    ///
    /// There is no default, and forwarded headers are ignored.
    pub(crate) fn of(head: &RequestHead<'r>) -> Result<Self, Rejection> {
        Self::agreed(head.uri(), head.single(&HOST)?)
    }

    /// Returns the authority on which the URI and `Host` agree.
    #[inline]
    pub(crate) fn agreed(uri: &'r Uri, host: Option<&'r str>) -> Result<Self, Rejection> {
        let text = match (uri.authority(), host) {
            (Some(authority), Some(host)) if authority.as_str() != host => {
                return Err(Rejection::malformed(reason!(
                    "authority: expected Host and the URI to agree, found \"{}\" in Host and \
                    \"{}\" in the URI",
                    Escaped::text(without_user(host)),
                    Escaped::text(without_user(authority.as_str()))
                )));
            }
            (Some(authority), _) => authority.as_str(),
            (None, Some(host)) => host,
            (None, None) => {
                return Err(Rejection::malformed(
                    "authority: expected the header host, found none",
                ));
            }
        };
        Self::parse(text).map_err(|problem| {
            Rejection::malformed(reason!(
                "{}, found \"{}\"",
                problem,
                Escaped::text(without_user(text))
            ))
        })
    }

    /// Parses `host`, `host:port`, `[v6]` or `[v6]:port`. Refuses user information and an empty
    /// port.
    #[inline]
    pub(crate) fn parse(text: &'r str) -> Result<Self, &'static str> {
        const WRONG: &str = "authority: expected a host, or a host and a port";
        if text.is_empty() || text.len() > MAX_LEN {
            return Err(WRONG);
        }
        let host_len = if let Some(rest) = text.strip_prefix('[') {
            let (address, _) = rest.split_once(']').ok_or(WRONG)?;
            let v6 = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            if address.is_empty() || !address.bytes().all(v6) {
                return Err(WRONG);
            }
            address.len().saturating_add(2)
        } else {
            let host_len = text.bytes().rposition(|byte| byte == b':');
            let host_len = host_len.unwrap_or(text.len());
            let name = text.get(..host_len).ok_or(WRONG)?;
            if !name.bytes().all(|byte| NAME_BYTES.has(byte)) {
                return Err(WRONG);
            }
            host_len
        };
        let port = text.get(host_len..).ok_or(WRONG)?;
        let is_port = |port: &str| {
            (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
        };
        if host_len == 0 || !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
            return Err(WRONG);
        }
        Ok(Self { text, host_len })
    }

    pub(crate) fn as_str(self) -> &'r str {
        self.text
    }

    /// Returns the authority in the signed form.
    #[inline]
    pub(crate) fn in_form(self, form: HostForm) -> &'r str {
        match form {
            HostForm::AsSent => self.text,
            // Invariant: `host_len` is at most the length and ends at an ASCII character.
            HostForm::StripPort => self.text.get(..self.host_len).unwrap_or(self.text),
        }
    }
}

/// Removes user information, which may hold a password, for an error.
pub(crate) fn without_user(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or_default()
}

/// Unreserved characters of RFC 3986 section 2.3.
static NAME_BYTES: ByteSet =
    ByteSet::of(b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, Uri};

    use super::*;
    use crate::error::RejectionKind;

    #[test]
    fn parses_hosts_and_ports() {
        for (text, host) in [
            ("user-service.internal", "user-service.internal"),
            ("User-Service.Internal", "User-Service.Internal"),
            ("user-service:8081", "user-service"),
            ("10.0.0.1:9000", "10.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:db8::1]:8443", "[2001:db8::1]"),
            ("xn--bcher-kva.example:1", "xn--bcher-kva.example"),
        ] {
            let authority = Authority::parse(text).unwrap();
            assert_eq!(authority.in_form(HostForm::AsSent), text);
            assert_eq!(authority.in_form(HostForm::StripPort), host);
        }
    }

    #[test]
    fn refuses_what_is_no_authority() {
        for text in [
            "",
            ":80",
            "host:",
            "host:80:80",
            "host:8x",
            "host:123456",
            "user@host",
            "a:b@host",
            "a b",
            "a,b",
            "a/b",
            "a?b",
            "a#b",
            "[::1",
            "[]",
            "[::1]80",
            "[::1]x:80",
            "::1",
            "é",
            "a\tb",
            "[g]",
            "host:+1",
            &":".repeat(100_000),
            &"a".repeat(262),
        ] {
            assert!(Authority::parse(text).is_err(), "{text:.20}");
        }
    }

    #[test]
    fn a_password_in_an_authority_is_in_no_refusal() {
        let uri: Uri = "/".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("user:hunter2@a"));
        let head = RequestHead::new(&Method::GET, &uri, &headers);
        let refused = Authority::of(&head).unwrap_err().to_string();
        assert!(refused.ends_with("found \"a\""), "{refused}");
        let uri: Uri = "http://other:hunter3@a/".parse().unwrap();
        let head = RequestHead::new(&Method::GET, &uri, &headers);
        let refused = Authority::of(&head).unwrap_err().to_string();
        assert!(!refused.contains("hunter"), "{refused}");
    }

    fn authority_of(uri: &str, hosts: &[&str]) -> Result<String, RejectionKind> {
        let uri: Uri = uri.parse().unwrap();
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        Authority::of(&RequestHead::new(&Method::GET, &uri, &headers))
            .map(|authority| authority.as_str().to_owned())
            .map_err(|rejection| rejection.kind())
    }

    #[test]
    fn takes_the_authority_from_host_or_uri_and_never_invents_one() {
        for (name, uri, hosts, expected) in [
            ("host alone", "/", &["a:1"][..], Ok("a:1")),
            (":authority alone", "http://a:1/", &[], Ok("a:1")),
            ("both equal", "http://a:1/", &["a:1"], Ok("a:1")),
            (
                "both, another port",
                "http://a:1/",
                &["a:2"],
                Err(RejectionKind::Malformed),
            ),
            (
                "both, another case",
                "http://a/",
                &["A"],
                Err(RejectionKind::Malformed),
            ),
            ("neither", "/", &[], Err(RejectionKind::Malformed)),
            ("two hosts", "/", &["a", "a"], Err(RejectionKind::Malformed)),
            (
                "two hosts and a uri",
                "http://a/",
                &["a", "b"],
                Err(RejectionKind::Malformed),
            ),
            (
                "user information",
                "http://u@a/",
                &[],
                Err(RejectionKind::Malformed),
            ),
            ("empty host", "/", &[""], Err(RejectionKind::Malformed)),
        ] {
            assert_eq!(
                authority_of(uri, hosts),
                expected.map(str::to_owned),
                "{name}"
            );
        }
    }
}
