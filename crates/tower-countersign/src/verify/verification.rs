use std::{collections::BTreeSet, sync::Arc};

use countersign::{KeyId, Rejection};

use super::settings::Settings;
use crate::refusal::Refusal;

/// The settings and the stores with which requests are verified.
pub(super) struct Verification<K, R> {
    pub(super) settings: Settings,
    /// The name of this service in the replay store.
    pub(super) audience: Arc<str>,
    pub(super) keys: K,
    pub(super) replay: R,
}

impl<K, R> Verification<K, R> {
    pub(super) fn new(settings: Settings, keys: K, replay: R) -> Self {
        let audience = settings.audience.clone().unwrap_or_else(|| {
            let hosts = settings.verifier.expected_hosts().iter();
            let hosts: BTreeSet<_> = hosts.map(|host| host.to_ascii_lowercase()).collect();
            hosts.into_iter().collect::<Vec<_>>().join(",").into()
        });
        Self {
            settings,
            audience,
            keys,
            replay,
        }
    }
}

/// A refusal, with the caller if the signature matched.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) caller: Option<KeyId>,
}

impl Refused {
    #[cold]
    pub(super) fn by(caller: &KeyId, refusal: impl Into<Refusal>) -> Self {
        Self {
            refusal: refusal.into(),
            caller: Some(caller.clone()),
        }
    }
}

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(error: E) -> Self {
        let refusal = error.into();
        let caller = refusal.rejection().and_then(Rejection::proven_caller);
        Self {
            caller: caller.cloned(),
            refusal,
        }
    }
}
