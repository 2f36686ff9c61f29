use std::fmt;

use http::HeaderValue;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::{Authority, without_user},
};

#[derive(Clone, Debug)]
pub(super) enum Authorities {
    Only(Vec<BoundAuthority>),
    Any,
}

/// An authority that URLs may name, and the host that replaces it in the signature and the request,
/// if any.
#[derive(Clone)]
pub(super) struct BoundAuthority {
    pub(super) authority: Box<str>,
    pub(super) signed_host: Option<HeaderValue>,
}

impl BoundAuthority {
    /// Returns whether the authority `found` in a URL of this scheme names this authority.
    pub(super) fn is(&self, found: &str, scheme: Option<&str>) -> bool {
        // An http URL of `user-service` names `user-service:80`.
        let default_port = match scheme {
            Some("http") => Some(":80"),
            Some("https") => Some(":443"),
            _ => None,
        };
        let without_port = default_port.and_then(|port| self.authority.strip_suffix(port));
        self.authority.eq_ignore_ascii_case(found)
            || without_port.is_some_and(|authority| authority.eq_ignore_ascii_case(found))
    }
}

impl fmt::Debug for BoundAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signed_host {
            Some(host) => write!(f, "{:?} as {host:?}", self.authority),
            None => self.authority.fmt(f),
        }
    }
}

impl Authorities {
    pub(super) fn parse<I>(authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut bound = Vec::new();
        for authority in authorities {
            let authority = authority.as_ref();
            Authority::parse(authority).map_err(|problem| {
                ConfigError::new(
                    ConfigErrorKind::Authority,
                    format!("authority {:?}: {problem}", without_user(authority)),
                )
            })?;
            bound.push(BoundAuthority {
                authority: authority.into(),
                signed_host: None,
            });
        }
        if bound.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                "authorities: expected at least one to sign for, found none",
            ));
        }
        Ok(Self::Only(bound))
    }
}

/// Lists the authorities that a signer is bound to for an error: the first eight.
pub(super) fn listed(bound: &[BoundAuthority]) -> String {
    const MOST: usize = 8;
    let first: Vec<&str> = bound
        .iter()
        .take(MOST)
        .map(|bound| &*bound.authority)
        .collect();
    let is = if bound.len() == 1 { "is" } else { "are" };
    match bound.len().saturating_sub(MOST) {
        0 => format!("{is} {}", first.join(", ")),
        more => format!("{is} {} and {more} more", first.join(", ")),
    }
}
