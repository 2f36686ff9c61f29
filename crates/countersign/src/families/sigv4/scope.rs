use std::fmt;

use super::{
    canonical_uri::{PathRule, SigV4PathEncoding},
    credential_scope,
    verify_settings::SigV4PresignedPayload,
};
use crate::error::{ConfigError, ConfigErrorKind};

/// The region and the service that signatures are for, and the service's rule for paths.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
    pub(super) path: PathRule,
}

impl Scope {
    /// Refuses a region or service that no credential scope can hold.
    pub(super) fn new(region: &str, service: &str) -> Result<Self, ConfigError> {
        for (what, name) in [("region", region), ("service", service)] {
            if !credential_scope::is_name(name) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Setting,
                    format!("{what}: expected 1 to 64 letters, digits and - _ . characters"),
                ));
            }
        }
        Ok(Self {
            region: region.into(),
            service: service.into(),
            path: PathRule::of_service(service),
        })
    }

    pub(super) fn is(&self, region: &str, service: &str) -> bool {
        (&*self.region, &*self.service) == (region, service)
    }

    /// Returns how the service covers the body of presigned requests, by its name.
    pub(super) fn presigned_payload(&self) -> SigV4PresignedPayload {
        match PathRule::of_service(&self.service).encoding {
            SigV4PathEncoding::Single => SigV4PresignedPayload::Unsigned,
            SigV4PathEncoding::Double => SigV4PresignedPayload::Sha256,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.region, self.service)
    }
}
