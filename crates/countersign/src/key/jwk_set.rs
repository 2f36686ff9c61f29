use std::{error::Error, fmt};

use serde_json::Value;

use super::{Jwk, jwk::refused};
use crate::{error::ConfigError, scheme::Algorithm, wire::distinct_json};

/// Public keys in JSON (RFC 7517 section 5), as another party publishes them.
///
/// Keys that cannot be used are left out, and [listed](Self::unusable): a set may hold keys of
/// kinds that are newer than this crate, and keys for other uses.
#[derive(Debug)]
pub struct JwkSet {
    keys: Vec<Result<Jwk, ConfigError>>,
}

/// The reason for which a [`JwkSet`] has no key for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkNotFound {
    /// No usable key has this name.
    Unknown,
    /// Several usable keys have this name. Neither the first nor the last of them counts.
    Ambiguous,
}

impl JwkSet {
    /// The longest text in bytes.
    pub const MAX_LEN: usize = 512 * 1024;

    /// The greatest number of keys, usable or not.
    pub const MAX_KEYS: usize = 100;

    /// Reads a set.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the text is longer than
    /// [`MAX_LEN`](Self::MAX_LEN), is no object of JSON with a list `keys`, has a member twice, or
    /// has more than [`MAX_KEYS`](Self::MAX_KEYS) keys.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > Self::MAX_LEN {
            return Err(refused("expected a set of at most 512 KiB"));
        }
        let keys = match distinct_json::parse(text) {
            Some(Value::Object(mut set)) => set.remove("keys"),
            _ => None,
        };
        let Some(Value::Array(keys)) = keys else {
            return Err(refused("expected an object of JSON with the list keys"));
        };
        if keys.len() > Self::MAX_KEYS {
            return Err(refused("expected a set of at most 100 keys"));
        }
        let keys = keys.into_iter().map(|key| match key {
            Value::Object(members) => Jwk::of(members),
            _ => Err(refused("expected an object of JSON")),
        });
        Ok(Self {
            keys: keys.collect(),
        })
    }

    /// Yields the usable keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter().flatten()
    }

    /// Yields why the other keys are not used, with their places in the list, counted from zero.
    pub fn unusable(&self) -> impl Iterator<Item = (usize, &ConfigError)> {
        let keys = self.keys.iter().enumerate();
        keys.filter_map(|(place, key)| Some((place, key.as_ref().err()?)))
    }

    /// Returns the only usable key of this name and, if given, this algorithm. Without a name, the
    /// only usable key.
    ///
    /// # Errors
    ///
    /// [`JwkNotFound`]. Two keys under one name are [ambiguous](JwkNotFound::Ambiguous), also if
    /// they are equal.
    pub fn by_kid(
        &self,
        kid: Option<&str>,
        algorithm: Option<Algorithm>,
    ) -> Result<&Jwk, JwkNotFound> {
        let mut named = self
            .keys()
            .filter(|key| kid.is_none_or(|kid| key.kid() == Some(kid)) && is_for(key, algorithm));
        match (named.next(), named.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(JwkNotFound::Ambiguous),
            (None, _) => Err(JwkNotFound::Unknown),
        }
    }

    /// Returns the usable key with this [thumbprint](Jwk::thumbprint) and, if given, this
    /// algorithm.
    ///
    /// # Errors
    ///
    /// [`JwkNotFound::Unknown`]. A `kid` that claims to be a thumbprint does not count.
    pub fn by_thumbprint(
        &self,
        thumbprint: &str,
        algorithm: Option<Algorithm>,
    ) -> Result<&Jwk, JwkNotFound> {
        self.keys()
            .find(|key| key.thumbprint() == thumbprint && is_for(key, algorithm))
            .ok_or(JwkNotFound::Unknown)
    }
}

fn is_for(key: &Jwk, algorithm: Option<Algorithm>) -> bool {
    algorithm.is_none_or(|algorithm| key.algorithms().contains(&algorithm))
}

impl fmt::Display for JwkNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "expected a usable key of this name in the set, found none",
            Self::Ambiguous => "expected one usable key of this name in the set, found several",
        })
    }
}

impl Error for JwkNotFound {}
