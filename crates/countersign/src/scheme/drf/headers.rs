use http::{
    HeaderName,
    header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};

use crate::error::{ConfigError, ConfigErrorKind};

/// The names of the two headers of the DRF profile, by default `X-HMAC-Timestamp` and `X-HMAC-Signature`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrfHeaders {
    pub(super) timestamp: HeaderName,
    pub(super) signature: HeaderName,
}

impl DrfHeaders {
    /// Other names, for services that chose theirs.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the two are one name, or one of them has a meaning of its own.
    pub fn new(timestamp: HeaderName, signature: HeaderName) -> Result<Self, ConfigError> {
        const TAKEN: [HeaderName; 5] = [
            AUTHORIZATION,
            CONNECTION,
            CONTENT_LENGTH,
            HOST,
            TRANSFER_ENCODING,
        ];
        let refused = |problem| Err(ConfigError::new(ConfigErrorKind::Setting, problem));
        if timestamp == signature {
            return refused(format!(
                "expected two headers, found {signature} for timestamp and signature"
            ));
        }
        if let Some(name) = [&timestamp, &signature]
            .into_iter()
            .find(|name| TAKEN.contains(name))
        {
            return refused(format!("header {name}: it has a meaning of its own"));
        }
        Ok(Self {
            timestamp,
            signature,
        })
    }
}

impl Default for DrfHeaders {
    fn default() -> Self {
        Self {
            timestamp: X_HMAC_TIMESTAMP.clone(),
            signature: X_HMAC_SIGNATURE.clone(),
        }
    }
}

static X_HMAC_TIMESTAMP: HeaderName = HeaderName::from_static("x-hmac-timestamp");
static X_HMAC_SIGNATURE: HeaderName = HeaderName::from_static("x-hmac-signature");

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
        ] {
            let headers = DrfHeaders::new(name(timestamp), name(signature));
            assert_eq!(headers.is_ok(), valid, "{timestamp} {signature}");
        }
    }
}
