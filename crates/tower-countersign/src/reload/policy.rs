//! Reloads a policy from a file.

use std::path::Path;

use countersign::{ConfigError, Policy, SharedPolicy};

use super::{Reload, Reloading};
use crate::metrics;

impl Reload {
    /// Reads a policy from a TOML file with [`Policy::from_toml_file`]. After a reload, every layer
    /// with a clone uses the new policy. While the file is bad, layers use the last good policy.
    ///
    /// # Errors
    ///
    /// As [`Policy::from_toml_file`] and [`watch`](Self::watch).
    pub fn policy(&self, path: impl AsRef<Path>) -> Result<(SharedPolicy, Reloading), ConfigError> {
        self.policy_with(path, |path| Policy::from_toml_file(path))
    }

    /// Reads a policy with `load`, such as from JSON with [`Policy::from_json_file`].
    ///
    /// Each load logs one event at level `WARN` for each resource that was kept out of the policy
    /// (see [`Policy::unreachable`]).
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

/// Logs the resources that no request can match.
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
