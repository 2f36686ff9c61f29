//! The events about signing credentials. The [module](super) lists them.

use countersign::{CredentialsRefresh, ErrorChain, SignError};

pub(super) fn refreshed(done: &CredentialsRefresh) {
    match done {
        CredentialsRefresh::Changed(credentials) => {
            tracing::info!(
                target: "countersign",
                outcome = "credentials_changed",
                ?credentials,
            );
        }
        CredentialsRefresh::Failed(failure) => failed(&ErrorChain::new(&**failure).to_string()),
        _ => {}
    }
}

/// The provider missed the deadline, but the current credentials could still sign the request.
pub(super) fn late(error: &SignError) {
    failed(&error.to_string());
}

fn failed(reason: &str) {
    tracing::warn!(
        target: "countersign",
        outcome = "credentials_failed",
        reason,
        "the current credentials stay in use"
    );
}
