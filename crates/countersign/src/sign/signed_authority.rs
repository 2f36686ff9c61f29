use std::fmt;

use http::{HeaderValue, Uri, header::HOST, request::Parts};

use super::{
    Signer,
    authorities::{Authorities, listed},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Rejection, SignError, SignErrorKind},
    head::{Authority, RequestHead, without_user},
};

impl Signer {
    /// Signs requests to `authority` for `host`, and sends `host` as their `Host`. Use this for a
    /// callee reached through a tunnel or an endpoint of another name.
    ///
    /// `authority` must be one that the signer is bound to, in the same spelling. Only HTTP/1.1
    /// sends a `Host` that differs from the URL. Over HTTP/2 the request names both, and the callee
    /// refuses it.
    ///
    /// ```
    /// use countersign::{Secret, Signer, SigningKey};
    ///
    /// let key = SigningKey::hmac_sha256(&Secret::generate()?);
    /// // `ssh -L 9000:accounts.internal:8081 …` listens on 127.0.0.1:9000.
    /// let signer = Signer::new("billing", key, ["127.0.0.1:9000"])?
    ///     .with_signed_host("127.0.0.1:9000", "accounts.internal:8081")?;
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Authority`] if `host` is not an authority, or `authority` is not one that
    /// the signer is bound to.
    pub fn with_signed_host(mut self, authority: &str, host: &str) -> Result<Self, ConfigError> {
        let refused = |problem: String| ConfigError::new(ConfigErrorKind::Authority, problem);
        let not_a_host = |problem: &dyn fmt::Display| {
            refused(format!("signed host {:?}: {problem}", without_user(host)))
        };
        Authority::parse(host).map_err(|problem| not_a_host(&problem))?;
        let value = HeaderValue::from_str(host).map_err(|error| not_a_host(&error))?;
        let bound = match &mut self.authorities {
            Authorities::Only(bound) => bound
                .iter_mut()
                .find(|bound| *bound.authority == *authority),
            Authorities::Any => None,
        };
        let Some(bound) = bound else {
            return Err(refused(format!(
                "signed host for {:?}: expected an authority that the signer is bound to",
                without_user(authority)
            )));
        };
        bound.signed_host = Some(value);
        Ok(self)
    }

    /// Signs for every authority.
    ///
    /// # Attack
    ///
    /// Anyone who can choose a URL that this service calls gets a signature for it. With an HMAC
    /// key, the signature is for the host in the URL. With an Ed25519 key, any service that trusts
    /// the caller accepts it.
    #[must_use]
    pub fn insecure_any_authority(mut self) -> Self {
        self.authorities = Authorities::Any;
        self
    }

    /// Returns the authority of a request, if the signer is bound to it.
    pub(crate) fn bound_authority<'r>(
        &self,
        head: &RequestHead<'r>,
    ) -> Result<Authority<'r>, SignError> {
        let of =
            |rejection: Rejection| SignError::new(SignErrorKind::Authority, rejection.to_string());
        let scheme = head.uri().scheme_str();
        if let Some(expected) = self.signed_host(head.uri()) {
            let found = head.single(&HOST).map_err(of)?.unwrap_or_default();
            if expected.as_bytes() != found.as_bytes() {
                return Err(SignError::new(
                    SignErrorKind::Authority,
                    format!(
                        "expected Host {expected:?}, which the signer is set to, found {found:?}"
                    ),
                ));
            }
            return Authority::parse(found)
                .map_err(|problem| SignError::new(SignErrorKind::Authority, problem));
        }
        let authority = Authority::of(head).map_err(of)?;
        self.ensure_bound_to(authority, scheme)?;
        Ok(authority)
    }

    /// Returns the host to sign for, if it differs from the URI's.
    fn signed_host(&self, uri: &Uri) -> Option<&HeaderValue> {
        let Authorities::Only(bound) = &self.authorities else {
            return None;
        };
        let (authority, scheme) = (uri.authority()?, uri.scheme_str());
        let bound = bound
            .iter()
            .find(|bound| bound.is(authority.as_str(), scheme))?;
        bound.signed_host.as_ref()
    }

    /// Returns the bound authorities, or `None` if the signer signs for every authority.
    pub(crate) fn bound_authorities(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.authorities {
            Authorities::Only(bound) => Some(bound.iter().map(|bound| &*bound.authority)),
            Authorities::Any => None,
        }
    }

    fn ensure_bound_to(
        &self,
        authority: Authority<'_>,
        scheme: Option<&str>,
    ) -> Result<(), SignError> {
        let found = authority.as_str();
        let Authorities::Only(bound) = &self.authorities else {
            return Ok(());
        };
        if bound.iter().any(|bound| bound.is(found, scheme)) {
            Ok(())
        } else {
            Err(SignError::new(
                SignErrorKind::Authority,
                format!(
                    "authority {found}: expected one that the signer is bound to, which {}",
                    listed(bound)
                ),
            ))
        }
    }

    /// Brings the authority of a request to the form in which it is sent. Sets `Host` if this signs
    /// for [another host](Self::with_signed_host) than the URL's. Call this before each
    /// [`sign`](Self::sign).
    ///
    /// # Errors
    ///
    /// As [`normalize_authority`](Self::normalize_authority).
    pub fn prepare_authority(&self, parts: &mut Parts) -> Result<(), SignError> {
        // An earlier attempt may have set it.
        let set_before = match parts.headers.get(HOST) {
            Some(host) if parts.uri.authority().is_some() && self.signs_for(host) => {
                parts.headers.remove(HOST)
            }
            _ => None,
        };
        Self::normalize_authority(parts)?;
        let host = self.signed_host(&parts.uri).cloned();
        if set_before.is_some() && set_before != host {
            return Err(SignError::new(
                SignErrorKind::Authority,
                "expected the Host that the signer is set to for this URL, found another",
            ));
        }
        if let Some(host) = host {
            parts.headers.insert(HOST, host);
        }
        Ok(())
    }

    /// Returns whether this host is signed and sent in place of an authority.
    fn signs_for(&self, host: &HeaderValue) -> bool {
        match &self.authorities {
            Authorities::Only(bound) => bound
                .iter()
                .any(|bound| bound.signed_host.as_ref() == Some(host)),
            Authorities::Any => false,
        }
    }

    /// Brings the authority of a request to its canonical form: no default port and no empty port.
    ///
    /// A client omits `:80` of an http URL in `Host` but keeps it in `:authority`. Without this
    /// step, the signed authority could differ from the sent one.
    ///
    /// # Errors
    ///
    /// [`SignErrorKind::Authority`] if the URI has no authority or holds user information, or if
    /// `Host` names another authority.
    pub fn normalize_authority(parts: &mut Parts) -> Result<(), SignError> {
        let refused = |problem: &str| Err(SignError::new(SignErrorKind::Authority, problem));
        let Some(authority) = parts.uri.authority() else {
            if parts.headers.contains_key(HOST) {
                return Ok(());
            }
            return refused("expected an absolute URI or a Host header, found neither");
        };
        if authority.as_str().contains('@') {
            return refused("expected no user information in the URI");
        }
        let text = authority.as_str();
        let default_port = match parts.uri.scheme_str() {
            Some("https") => ":443",
            _ => ":80",
        };
        let plain = text
            .strip_suffix(default_port)
            .or_else(|| text.strip_suffix(':'))
            .unwrap_or(text);
        let plain = http::uri::Authority::try_from(plain)
            .or_else(|_| refused("expected an authority in the URI").map(|()| authority.clone()))?;
        let mut hosts = parts.headers.get_all(HOST).iter();
        if let Some(host) = hosts.next() {
            if hosts.next().is_some() {
                return refused("expected Host once, found more than once");
            }
            let same = [text, plain.as_str()]
                .iter()
                .any(|known| host.as_bytes().eq_ignore_ascii_case(known.as_bytes()));
            if !same {
                return refused("expected Host and the URI to name one authority, found two");
            }
            let host = HeaderValue::from_str(plain.as_str())
                .or_else(|_| refused("expected an authority in the URI").map(|()| host.clone()))?;
            parts.headers.insert(HOST, host);
        }
        if plain.as_str() != text {
            let mut uri = parts.uri.clone().into_parts();
            uri.authority = Some(plain);
            parts.uri = Uri::from_parts(uri)
                .map_err(|error| SignError::new(SignErrorKind::Target, error.to_string()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::{Secret, SigningKey},
        payload::PayloadDigest,
        timestamp::Timestamp,
    };

    fn tunnelled() -> Signer {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        Signer::new("a", key, ["127.0.0.1:9000", "users:80"])
            .unwrap()
            .with_signed_host("127.0.0.1:9000", "accounts:8081")
            .unwrap()
            .with_signed_host("users:80", "people")
            .unwrap()
    }

    fn prepared(uri: &str, host: Option<&str>) -> Result<Option<String>, SignErrorKind> {
        let mut request = http::Request::get(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let tunnel = tunnelled();
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let prepared = tunnel.prepare_authority(&mut parts);
        let signed = prepared.and_then(|()| tunnel.sign(&parts, PayloadDigest::of(b""), now));
        let _ = signed.map_err(|error| error.kind())?;
        let host = parts.headers.get(HOST);
        Ok(host.map(|host| host.to_str().unwrap().to_owned()))
    }

    #[test]
    fn signs_for_the_host_that_it_was_told_to_and_for_bound_authorities_only() {
        let host = |host: &str| Ok(Some(host.to_owned()));
        for (name, uri, sent, expected) in [
            ("set", "http://127.0.0.1:9000/", None, host("accounts:8081")),
            (
                "set before",
                "http://127.0.0.1:9000/",
                Some("accounts:8081"),
                host("accounts:8081"),
            ),
            ("default port", "http://users:80/", None, host("people")),
            (
                "default port left out",
                "http://users/",
                None,
                host("people"),
            ),
            (
                "the host of another authority",
                "http://users/",
                Some("accounts:8081"),
                Err(SignErrorKind::Authority),
            ),
            (
                "a host that nobody named",
                "http://127.0.0.1:9000/",
                Some("evil"),
                Err(SignErrorKind::Authority),
            ),
            (
                "not bound to what the host is called",
                "http://accounts:8081/",
                None,
                Err(SignErrorKind::Authority),
            ),
        ] {
            assert_eq!(prepared(uri, sent), expected, "{name}");
        }
    }

    #[test]
    fn signs_no_request_whose_host_is_not_the_one_that_it_was_told_to_send() {
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let (parts, ()) = http::Request::get("http://127.0.0.1:9000/")
            .body(())
            .unwrap()
            .into_parts();
        let signed = tunnelled().sign(&parts, PayloadDigest::of(b""), now);
        assert_eq!(signed.unwrap_err().kind(), SignErrorKind::Authority);
    }

    #[test]
    fn refuses_a_signed_host_for_an_authority_that_it_is_not_bound_to() {
        assert!(tunnelled().with_signed_host("elsewhere", "a").is_err());
        assert!(tunnelled().with_signed_host("users:80", "a/b").is_err());
        let any = tunnelled().insecure_any_authority();
        assert!(any.with_signed_host("users:80", "a").is_err());
    }

    fn signs(bound: &str, uri: &str) -> bool {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let signer = Signer::new("a", key, [bound]).unwrap();
        let (mut parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        Signer::normalize_authority(&mut parts).unwrap();
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        signer.sign(&parts, PayloadDigest::of(b""), now).is_ok()
    }

    #[test]
    fn an_error_lists_the_authorities_that_the_signer_is_bound_to() {
        let many: Vec<String> = (1..=10)
            .map(|number| format!("host-{number}:8081"))
            .collect();
        for (bound, expected) in [
            (&many[..1], "is host-1:8081"),
            (&many[..2], "are host-1:8081, host-2:8081"),
            (
                &many[..],
                "are host-1:8081, host-2:8081, host-3:8081, host-4:8081, host-5:8081, host-6:8081, \
                host-7:8081, host-8:8081 and 2 more",
            ),
        ] {
            let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
            let signer = Signer::new("a", key, bound).unwrap();
            let request = http::Request::get("http://host-1/").body(()).unwrap();
            let (parts, ()) = request.into_parts();
            let now = Timestamp::from_unix_seconds(1_767_323_045);
            let error = signer
                .sign(&parts, PayloadDigest::of(b""), now)
                .unwrap_err();
            assert_eq!(error.kind(), SignErrorKind::Authority);
            assert_eq!(
                error.to_string(),
                format!(
                    "authority host-1: expected one that the signer is bound to, which {expected}"
                )
            );
        }
    }

    #[test]
    fn signs_for_the_authorities_it_is_bound_to_and_no_other() {
        for (bound, uri, expected) in [
            ("users", "http://users/", true),
            ("users", "http://Users/", true),
            ("users", "http://users:80/", true),
            ("users:80", "http://users/", true),
            ("users:80", "http://users:80/", true),
            ("users:443", "https://users/", true),
            ("users:8081", "http://users:8081/", true),
            ("users:80", "https://users/", false),
            ("users:443", "http://users/", false),
            ("users", "http://users:8081/", false),
            ("users:8081", "http://users/", false),
            ("users", "http://users.evil/", false),
            ("users", "http://evil/users", false),
            ("users", "http://user/", false),
        ] {
            assert_eq!(signs(bound, uri), expected, "{bound} for {uri}");
        }
    }
}
