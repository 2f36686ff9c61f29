//! The layers of the service.

use countersign::{CallerKey, Keyring, Policy, Secret};
use tower_countersign::{AuthorizeLayer, BoxError, VerifyLayer};

use crate::{CALLERS, key_of};

/// Creates two layers, for verification and for authorization. Add the first one last, so that it
/// is the outer one.
///
/// # Errors
///
/// If the secret is weak. The error holds no key.
pub fn verified(
    secret: &Secret,
    host: &str,
) -> Result<(VerifyLayer<Keyring>, AuthorizeLayer), BoxError> {
    let mut keys = Keyring::builder();
    for caller in CALLERS {
        let key = key_of(caller, secret)?.verifying_key();
        keys = keys.caller(caller, CallerKey::new("1", key)?);
    }
    let policy = Policy::from_toml(
        r#"
        [[statements]]
        id = "billing posts and reads"
        effect = "allow"
        callers = ["billing"]
        methods = ["POST"]
        paths = ["/ledger.Ledger/*"]

        [[statements]]
        id = "audit reads"
        effect = "allow"
        callers = ["audit"]
        methods = ["POST"]
        paths = ["/ledger.Ledger/Entries"]
        "#,
    )?;
    let verify = VerifyLayer::new(keys.build()?).with_expected_hosts([host])?;
    Ok((verify, AuthorizeLayer::new(policy)))
}
