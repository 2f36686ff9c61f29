//! What a log learns of the credentials that requests are signed with. The [module](super) lists the events.

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

/// The provider did not answer before the deadline, and the request could be signed all the same.
pub(super) fn late(error: &SignError) {
    failed(&error.to_string());
}

fn failed(reason: &str) {
    tracing::warn!(
        target: "countersign",
        outcome = "credentials_failed",
        reason,
        "the credentials at hand go on signing"
    );
}
