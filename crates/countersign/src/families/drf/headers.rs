use http::{
    HeaderName,
    header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};

use crate::error::{ConfigError, ConfigErrorKind};

/// The header names of the DRF scheme. Defaults: `X-HMAC-Timestamp`, `X-HMAC-Signature` and
/// `X-HMAC-Nonce`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrfHeaders {
    pub(super) timestamp: HeaderName,
    pub(super) signature: HeaderName,
    pub(super) nonce: HeaderName,
}

impl DrfHeaders {
    /// Sets other names for timestamp and signature, for services with their own conventions. The
    /// nonce stays in `X-HMAC-Nonce`, which such services do not know.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if two of the three names are equal, or one already has another
    /// meaning.
    pub fn new(timestamp: HeaderName, signature: HeaderName) -> Result<Self, ConfigError> {
        Self {
            timestamp,
            signature,
            nonce: X_HMAC_NONCE.clone(),
        }
        .checked()
    }

    /// Sets the name of the header that holds the nonce.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_nonce(mut self, nonce: HeaderName) -> Result<Self, ConfigError> {
        self.nonce = nonce;
        self.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        const TAKEN: [HeaderName; 5] = [
            AUTHORIZATION,
            CONNECTION,
            CONTENT_LENGTH,
            HOST,
            TRANSFER_ENCODING,
        ];
        let refused = |problem| Err(ConfigError::new(ConfigErrorKind::Setting, problem));
        let Self {
            timestamp,
            signature,
            nonce,
        } = &self;
        let pairs = [
            (timestamp, signature),
            (timestamp, nonce),
            (signature, nonce),
        ];
        if let Some((name, _)) = pairs.iter().find(|(one, other)| one == other) {
            return refused(format!(
                "expected a header each for timestamp, signature and nonce, found {name} twice"
            ));
        }
        if let Some(name) = [timestamp, signature, nonce]
            .into_iter()
            .find(|name| TAKEN.contains(name))
        {
            return refused(format!("header {name}: it already has another meaning"));
        }
        Ok(self)
    }
}

impl Default for DrfHeaders {
    fn default() -> Self {
        Self {
            timestamp: X_HMAC_TIMESTAMP.clone(),
            signature: X_HMAC_SIGNATURE.clone(),
            nonce: X_HMAC_NONCE.clone(),
        }
    }
}

static X_HMAC_TIMESTAMP: HeaderName = HeaderName::from_static("x-hmac-timestamp");
static X_HMAC_SIGNATURE: HeaderName = HeaderName::from_static("x-hmac-signature");
static X_HMAC_NONCE: HeaderName = HeaderName::from_static("x-hmac-nonce");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_one_name_for_both_and_names_that_are_taken() {
        let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
        for (timestamp, signature, valid) in [
            ("x-time", "x-mac", true),
            ("x-time", "X-Time", false),
            ("x-time", "authorization", false),
            ("host", "x-mac", false),
            ("content-length", "x-mac", false),
            ("x-hmac-nonce", "x-mac", false),
            ("x-time", "x-hmac-nonce", false),
        ] {
            let headers = DrfHeaders::new(name(timestamp), name(signature));
            assert_eq!(headers.is_ok(), valid, "{timestamp} {signature}");
        }
        for (nonce, valid) in [
            ("x-once", true),
            ("x-time", false),
            ("x-mac", false),
            ("host", false),
        ] {
            let headers = DrfHeaders::new(name("x-time"), name("x-mac")).unwrap();
            assert_eq!(headers.with_nonce(name(nonce)).is_ok(), valid, "{nonce}");
        }
    }
}
