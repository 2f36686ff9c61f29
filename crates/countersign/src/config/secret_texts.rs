use zeroize::Zeroizing;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::Secret,
    scheme::Scheme,
};

/// The keys of a TOML table that can hold a secret.
pub(super) struct SecretTexts<'t> {
    pub(super) hex: &'t Option<Zeroizing<String>>,
    pub(super) base64: &'t Option<Zeroizing<String>>,
    pub(super) text: &'t Option<Zeroizing<String>>,
}

impl SecretTexts<'_> {
    const NAMES: [&'static str; 3] = ["secret_hex", "secret_base64", "secret_text"];

    /// Returns whether the table holds at least one secret.
    pub(super) fn is_given(&self) -> bool {
        self.given().next().is_some()
    }

    fn given(&self) -> impl Iterator<Item = &'static str> {
        let is_given = [self.hex, self.base64, self.text].map(Option::is_some);
        Self::NAMES
            .into_iter()
            .zip(is_given)
            .filter_map(|(name, is_given)| is_given.then_some(name))
    }

    /// Returns the one secret, decoded by the name of its key and the rules of the scheme.
    pub(super) fn secret(&self, scheme: Scheme) -> Result<Secret, ConfigError> {
        let [hex, base64, text] = Self::NAMES;
        let is_webhook = scheme == Scheme::StandardWebhooks;
        match (self.hex, self.base64, self.text) {
            (Some(given), None, None) => Secret::from_hex(given).map_err(|error| error.within(hex)),
            (None, Some(given), None) => {
                let read = if is_webhook {
                    Secret::from_webhook_secret
                } else {
                    Secret::from_base64
                };
                read(given).map_err(|error| error.within(base64))
            }
            (None, None, Some(given)) => {
                let read = if is_webhook {
                    Secret::from_webhook_text
                } else {
                    Secret::from_text
                };
                read(given).map_err(|error| error.within(text))
            }
            _ => Err(self.not_one(&[])),
        }
    }

    /// Makes the error of a table with no secret or several. `others` lists the table's keys for
    /// other kinds of secrets, and whether each is given.
    pub(super) fn not_one(&self, others: &[(&'static str, bool)]) -> ConfigError {
        let known = Self::NAMES.into_iter();
        let known: Vec<_> = known.chain(others.iter().map(|(name, _)| *name)).collect();
        let given = others.iter().filter(|(_, is_given)| *is_given);
        let found: Vec<_> = self.given().chain(given.map(|(name, _)| *name)).collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(" and ")
        };
        ConfigError::new(
            ConfigErrorKind::Key,
            format!(
                "expected exactly one of {}, found {found}",
                known.join(", ")
            ),
        )
    }
}
