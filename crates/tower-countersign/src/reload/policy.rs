//! A policy from a file.

use std::path::Path;

use countersign::{ConfigError, Policy, SharedPolicy};

use super::{Reload, Reloading};
use crate::metrics;

impl Reload {
    /// The policy of a TOML file, as [`Policy::from_toml_file`] reads it. Every layer with a handle of it judges by the new
    /// one at once; while the file is bad, by the last good one.
    ///
    /// # Errors
    ///
    /// As [`Policy::from_toml_file`] and [`watch`](Self::watch).
    pub fn policy(&self, path: impl AsRef<Path>) -> Result<(SharedPolicy, Reloading), ConfigError> {
        self.policy_with(path, |path| Policy::from_toml_file(path))
    }

    /// A policy that is read in a way of its own, such as from JSON with [`Policy::from_json_file`].
    ///
    /// For each resource that was kept out of a policy (see [`Policy::unreachable`]) there is an event
    /// at the level `WARN`, at every load.
    ///
    /// # Errors
    ///
    /// As `load` the first time and [`watch`](Self::watch).
    pub fn policy_with(
        &self,
        path: impl AsRef<Path>,
        load: impl Fn(&Path) -> Result<Policy, ConfigError> + Send + 'static,
    ) -> Result<(SharedPolicy, Reloading), ConfigError> {
        let path = std::path::absolute(&path).unwrap_or_else(|_| path.as_ref().to_owned());
        let policy = SharedPolicy::new(load(&path)?);
        let shared = policy.clone();
        let reloading = self
            .counted(metrics::Source::Policy)
            .watch(path, load, move |loaded| {
                warn_of_unreachable(&loaded);
                shared.replace(loaded);
            })?;
        Ok((policy, reloading))
    }
}

/// Tells the operator what a policy does not do here.
fn warn_of_unreachable(policy: &Policy) {
    for unreachable in policy.unreachable() {
        tracing::warn!(
            target: "countersign",
            outcome = "statement_unreachable",
            statement = %unreachable.statement,
            denies = unreachable.denies,
            kept_out = unreachable.kept_out,
            resource = %unreachable.resource,
            reason = %unreachable,
            "no request to this service can match a resource of the policy"
        );
    }
}
