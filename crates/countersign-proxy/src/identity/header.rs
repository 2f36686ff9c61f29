//! Sets the headers of the identity.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_countersign::VerifiedCaller;

use super::proof;
use crate::message::look_alike::LookAlikes;

/// The verified caller's name. Without this header, nobody has been verified.
pub(crate) const CALLER: HeaderName = HeaderName::from_static("countersign-caller");
/// What was verified, as a dictionary of RFC 9651.
pub(crate) const PROOF: HeaderName = HeaderName::from_static("countersign-proof");
/// A secret that the proxy and the upstream share.
pub(crate) const SECRET: HeaderName = HeaderName::from_static("countersign-secret");

/// The headers that an upstream gets, and those that it must never get from anyone else.
#[derive(Clone)]
pub(crate) struct Identity {
    alike: Arc<LookAlikes>,
    also: Arc<[HeaderName]>,
    secret: Option<HeaderValue>,
}

impl Identity {
    /// `also`: further names for the caller's name. `secret` is marked as sensitive.
    pub(crate) fn new(also: Vec<HeaderName>, secret: Option<HeaderValue>) -> Self {
        let secret = secret.map(|mut secret| {
            secret.set_sensitive(true);
            secret
        });
        Self {
            alike: Arc::new(LookAlikes::new(&also)),
            also: also.into(),
            secret,
        }
    }

    /// Returns the names that are removed from requests and answers.
    pub(crate) fn look_alikes(&self) -> &Arc<LookAlikes> {
        &self.alike
    }

    /// Replaces all headers of the identity with those of this caller. On an open route there is no
    /// caller, and only the secret is set.
    pub(crate) fn set(&self, headers: &mut HeaderMap, caller: Option<&VerifiedCaller>) {
        self.alike.remove_from(headers);
        for (name, value) in self.of(caller) {
            headers.insert(name, value);
        }
    }

    /// Returns the headers of this caller.
    pub(crate) fn of(&self, caller: Option<&VerifiedCaller>) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        if let Some(caller) = caller
            // A name consists of visible ASCII characters, so this always succeeds.
            && let Ok(name) = HeaderValue::from_str(caller.id().as_str())
        {
            for also in &*self.also {
                headers.push((also.clone(), name.clone()));
            }
            headers.push((CALLER, name));
            if let Some(proof) = proof::of(caller) {
                headers.push((PROOF, proof));
            }
        }
        if let Some(secret) = &self.secret {
            headers.push((SECRET, secret.clone()));
        }
        headers
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("also", &self.also)
            .finish_non_exhaustive()
    }
}
