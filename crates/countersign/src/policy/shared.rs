use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Policy;

/// A handle of the policy in force, which can be replaced while requests are judged by it.
///
/// Handles are cheap to clone and share the policy: [`replace`](Self::replace) on one swaps it for all, at once and
/// without a lock for readers. It takes a whole [`Policy`], so what cannot be read never comes into force: on an error of
/// [`Policy::from_toml_file`] there is nothing to replace with, and the last good one stays.
#[derive(Clone, Debug)]
pub struct SharedPolicy(Arc<ArcSwap<Policy>>);

impl SharedPolicy {
    /// Puts a policy in force.
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(policy)))
    }

    /// Puts another policy in force, for every handle of this one. A request that is being judged is judged by the policy
    /// it began with.
    pub fn replace(&self, policy: Policy) {
        self.0.store(Arc::new(policy));
    }

    /// The policy in force.
    pub fn current(&self) -> Arc<Policy> {
        self.0.load_full()
    }
}

impl From<Policy> for SharedPolicy {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}
