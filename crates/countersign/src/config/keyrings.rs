//! Reads the keyrings of a TOML file.

use std::path::Path;

use super::{both_directions::ensure_distinct, callers::add, schema::File};
use crate::{
    derived_keyring::DerivedKeyring,
    document::read_text,
    error::{ConfigError, ConfigErrorKind},
    keyring::{Keyring, KeyringBuilder},
    verify::Verifier,
};

impl Keyring {
    /// Reads a keyring from the `callers` of a TOML text.
    ///
    /// ```
    /// # use countersign::Keyring;
    /// # let digit = |n: u8, seed: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed);
    /// # let digits = |seed: u8| (0..32).map(|n| digit(n, seed)).collect::<String>();
    /// let text = r#"
    /// [[callers]]
    /// name = "billing"
    ///
    /// [[callers.keys]]
    /// version = "2026-01"
    /// secret_hex = "<64 hexadecimal digits>"
    /// not_after = 2026-07-01T00:00:00Z
    ///
    /// [[callers.keys]]
    /// version = "2025-10"
    /// state = "accept-only"
    /// secret_hex = "<64 other digits>"
    ///
    /// [[callers]]
    /// name = "audit"
    ///
    /// [[callers.keys]]
    /// version = "1"
    /// ed25519_public_key_hex = "402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38"
    /// "#;
    /// # let text = text.replace("<64 hexadecimal digits>", &digits(1));
    /// # let text = &text.replace("<64 other digits>", &digits(2));
    /// let keys = Keyring::from_toml(text)?;
    /// assert_eq!(keys.len(), 2);
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `callers.keys` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the key | required |
    /// | one of the seven key texts below | the key | required |
    /// | `algorithm` | the [`Algorithm`](crate::Algorithm), which a key of RSA needs | the key's |
    /// | `scheme` | the [`Scheme`](crate::Scheme) that the key is for | by the kind of the key |
    /// | `key_id` | the key id in requests, such as an access key id | the caller's name |
    /// | `state` | `"active"`, `"accept-only"` or `"revoked"` | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no limit |
    /// | `nonce` | `"required"` or `"optional"` | `"required"` if clients send nonces |
    /// | `insecure_three_headers` | whether the caller signs three headers and no nonce | `false` |
    ///
    /// Give exactly one of `secret_hex`, `secret_base64`, `secret_text` and
    /// `ed25519_public_key_hex`, by [the rule for texts](crate::Secret#the-text-of-a-key), or of
    /// `secret_jwk`, `public_key_jwk` ([`Jwk`](crate::Jwk)) and `public_key_pem`. For Standard
    /// Webhooks, `secret_base64` may begin with `whsec_`, and `secret_text` is the secret itself.
    /// The default scheme is `"ED25519"` for the digits of a public key, `"RFC 9421"` for a JWK and
    /// for PEM, and `"HMAC-SHA256"` for any other secret.
    ///
    /// A caller may have `public_key_jwks` in place of its keys or beside them: a JWK Set, whose
    /// keys are known by their `kid`, or by their thumbprints if they have none.
    ///
    /// If the text also holds [`targets`](crate::SharedSigner::from_toml), their keys must differ
    /// from the callers' keys. A text with roots is refused: read it with
    /// [`DerivedKeyring::from_toml`](crate::DerivedKeyring::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, and for an unknown key or
    /// value. Otherwise as [`KeyringBuilder::build`](crate::KeyringBuilder::build) and
    /// [`ensure_distinct_from`](Self::ensure_distinct_from).
    ///
    /// Errors name the line, the known names and the nearest one. No error holds a key.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file = File::parse(text)?;
        keyring_of(text, &file)
    }

    /// Reads a keyring from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read, is not a regular file, or is longer
    /// than 16 MiB. Otherwise as [`from_toml`](Self::from_toml), with the name of the file.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?).map_err(|error| error.within(path.display()))
    }
}

impl KeyringBuilder {
    /// Adds the callers of a TOML file like [`Keyring::from_toml_file`], for a service that also
    /// has keys from elsewhere. Compares the keys of the file's targets with those of its callers.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_toml_file`], except for errors that only [`build`](Self::build) finds.
    pub fn callers_from_toml_file(self, path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let add_file = || {
            let text = read_text(path)?;
            let file = File::parse(&text)?;
            // Checks the file alone first: the keys of its targets must differ from its callers'
            // keys.
            keyring_of(&text, &file)?;
            add(self, &text, &file.callers)
        };
        add_file().map_err(|error| error.within(path.display()))
    }
}

impl DerivedKeyring {
    /// Reads roots and the names to derive keys for, from the `derived` table of a TOML text. Its
    /// `callers`, if any, are the [explicit](crate::DerivedKeyringBuilder::explicit) ones, read
    /// like [`Keyring::from_toml`].
    ///
    /// ```
    /// # use countersign::{DerivedKeyring, Verifier};
    /// # let digit = |n: u8, seed: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed);
    /// # let digits = |seed: u8| (0..32).map(|n| digit(n, seed)).collect::<String>();
    /// let text = r#"
    /// [derived]
    /// callee = "user-service"
    /// deny = ["retired-service"]
    ///
    /// [[derived.roots]]
    /// version = "2026-01"
    /// secret_hex = "<64 hexadecimal digits>"
    /// not_after = 2027-01-01T00:00:00Z
    ///
    /// [[derived.roots]]
    /// version = "2025-10"
    /// state = "accept-only"
    /// secret_hex = "<64 other digits>"
    /// "#;
    /// # let text = text.replace("<64 hexadecimal digits>", &digits(1));
    /// # let text = &text.replace("<64 other digits>", &digits(2));
    /// let verifier = Verifier::builder().expected_hosts(["user-service:8081"]).build()?;
    /// let keys = DerivedKeyring::from_toml(text, &verifier)?;
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `derived` | value | default |
    /// |---|---|---|
    /// | `callee` | the name of this service, for which the keys were derived | required |
    /// | `allow` or `deny` | as in `DerivedCallers`; exactly one of the two | required |
    /// | `roots` | 1 to 4 tables, as below | required |
    ///
    /// | key of `derived.roots` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the root and of the keys derived from it | required |
    /// | `secret_hex`, `secret_base64` or `secret_text` | the root; exactly one | required |
    /// | `state` | `"active"`, `"accept-only"` or `"revoked"` | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no limit |
    ///
    /// If the text also holds [`targets`](crate::SharedSigner::from_toml), their keys must differ
    /// from these. See [`ensure_distinct_from`](Self::ensure_distinct_from).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, with its line, and for an
    /// unknown key. Otherwise as [`Keyring::from_toml`], [`RootKey::new`](crate::RootKey::new),
    /// [`DerivedKeyringBuilder::build`](crate::DerivedKeyringBuilder::build) and
    /// [`ensure_distinct_from`](Self::ensure_distinct_from). No error holds a key.
    pub fn from_toml(text: &str, verifier: &Verifier) -> Result<Self, ConfigError> {
        let file = File::parse(text)?;
        let Some(derived) = file.derived else {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                "derived: expected once in the file, found none",
            ));
        };
        let hosts_are_expected = !verifier.expected_hosts().is_empty();
        let keys = derived.into_keyring(text, &file.callers, hosts_are_expected)?;
        ensure_distinct(text, &file.targets, |signer| {
            keys.ensure_distinct_from(&[signer])
        })?;
        Ok(keys)
    }

    /// Reads roots and callers from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read, is not a regular file, or is longer
    /// than 16 MiB. Otherwise as [`from_toml`](Self::from_toml), with the name of the file.
    pub fn from_toml_file(
        path: impl AsRef<Path>,
        verifier: &Verifier,
    ) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, verifier).map_err(|error| error.within(path.display()))
    }
}

/// Builds the keyring of a file that lists all of its keys.
fn keyring_of(text: &str, file: &File) -> Result<Keyring, ConfigError> {
    if file.derived.is_some() {
        return Err(ConfigError::new(
            ConfigErrorKind::File,
            "derived: expected none beside keys that are all listed, found it: \
            DerivedKeyring::from_toml reads both",
        ));
    }
    let keyring = add(Keyring::builder(), text, &file.callers)?.build()?;
    ensure_distinct(text, &file.targets, |signer| {
        keyring.ensure_distinct_from(&[signer])
    })?;
    Ok(keyring)
}
