use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Policy;

/// A handle to the policy in force. The policy can be replaced while requests are evaluated.
///
/// Handles are cheap to clone and share the policy. [`replace`](Self::replace) on one handle
/// replaces the policy for all of them, atomically and without a lock for readers. It takes a whole
/// [`Policy`]: if [`Policy::from_toml_file`] fails, the last good policy stays in force.
#[derive(Clone, Debug)]
pub struct SharedPolicy(Arc<ArcSwap<Policy>>);

impl SharedPolicy {
    /// Makes a handle to this policy.
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(policy)))
    }

    /// Replaces the policy of every handle. A request that is already being evaluated keeps its
    /// policy.
    pub fn replace(&self, policy: Policy) {
        self.0.store(Arc::new(policy));
    }

    /// Returns the policy in force.
    pub fn current(&self) -> Arc<Policy> {
        self.0.load_full()
    }
}

impl From<Policy> for SharedPolicy {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}
