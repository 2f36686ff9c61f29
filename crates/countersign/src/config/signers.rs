//! The signers of a TOML file.

use std::path::Path;

use toml::Spanned;

use super::{
    both_directions::Verifying,
    schema::{File, Target},
    targets::known_targets,
    toml_text::line,
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    read_text::read_text,
    sign::{SharedSigner, Signer, TargetSigners},
};

impl SharedSigner {
    /// Reads the keys for one target from the `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::{SharedSigner, Timestamp};
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[targets]]
    /// name = "user-service"
    /// caller = "billing"
    /// authorities = ["user-service.internal:8081"]
    ///
    /// [[targets.keys]]
    /// version = "2025-10"
    /// secret_hex = "<64 hexadecimal digits>"
    ///
    /// [[targets.keys]]
    /// version = "2026-01"
    /// not_before = 2026-01-01T00:00:00Z
    /// secret_hex = "<64 other digits>"
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1)).replace("<64 other digits>", &digits(2));
    /// let signer = SharedSigner::from_toml(text, "user-service")?;
    /// assert_eq!(signer.version_at(Timestamp::from_unix_seconds(1_767_323_045)).unwrap(), "2026-01");
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// A target has the keys that [`Signer::from_toml`] lists, with its one key beside its name, or in their place up to
    /// [`MAX_KEYS`](Self::MAX_KEYS) of these:
    ///
    /// | key of `targets.keys` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the key | must be given |
    /// | `secret_hex`, `secret_base64`, `secret_text` or `ed25519_seed_hex` | the key; exactly one of the four | must be given |
    /// | `state` | `"active"`, or `"accept-only"` or `"revoked"`, which sign nothing | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no bound |
    ///
    /// # Errors
    ///
    /// As [`Signer::from_toml`] and [`new`](Self::new).
    pub fn from_toml(text: &str, target: &str) -> Result<Self, ConfigError> {
        let (target, verifying) = find(text, target)?;
        let place = line(text, &target.span());
        let signer = target.get_ref().to_shared_signer(text);
        let signer = signer.map_err(|error| error.within(place))?;
        signer.try_for_each(|signer| verifying.ensure_distinct_from(signer))?;
        Ok(signer)
    }

    /// Reads the keys for one target from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>, target: &str) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, target).map_err(|error| error.within(path.display()))
    }
}

impl TargetSigners {
    /// Reads all `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::TargetSigners;
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[targets]]
    /// name = "user-service"
    /// caller = "billing"
    /// authorities = ["user-service.internal:8081"]
    /// secret_hex = "<64 hexadecimal digits>"
    ///
    /// [[targets]]
    /// name = "audit"
    /// caller = "billing"
    /// authorities = ["audit.internal:8082"]
    /// secret_hex = "<64 other digits>"
    ///
    /// [[targets]]
    /// name = "metrics"
    /// authorities = ["metrics.internal:9090"]
    /// unsigned = true
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1)).replace("<64 other digits>", &digits(2));
    /// let signers = TargetSigners::from_toml(text)?;
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// A target has the settings that [`SharedSigner::from_toml`] lists. One with `unsigned = true`
    /// has its `name` and `authorities` and no other setting.
    ///
    /// # Errors
    ///
    /// As [`SharedSigner::from_toml`] for each target, and as
    /// [`TargetSignersBuilder::build`](crate::TargetSignersBuilder::build).
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file = File::parse(text)?;
        let verifying = Verifying::of(text, &file.callers, file.derived)?;
        let mut builder = Self::builder();
        for target in file.targets {
            let place = line(text, &target.span());
            let target = target.into_inner();
            let (name, authorities) = (target.name.clone(), target.authorities.clone());
            let signer = target.to_optional_signer(text);
            builder = match signer.map_err(|error| error.within(&place))? {
                Some(signer) => {
                    signer
                        .try_for_each(|signer| verifying.ensure_distinct_from(signer))
                        .map_err(|error| error.within(format_args!("{place}: target {name}")))?;
                    builder.target(&name, signer)
                }
                None => builder.unsigned(&name, authorities),
            };
        }
        builder.build()
    }

    /// Reads all `targets` of a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as
    /// [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?).map_err(|error| error.within(path.display()))
    }
}

impl Signer {
    /// Reads the signer for one target from the `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::Signer;
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[targets]]
    /// name = "user-service"
    /// caller = "billing"
    /// authorities = ["user-service.internal:8081"]
    /// secret_hex = "<64 hexadecimal digits>"
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1));
    /// let signer = Signer::from_toml(text, "user-service")?;
    /// assert_eq!(signer.caller().unwrap(), &"billing");
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `targets` | value | default |
    /// |---|---|---|
    /// | `name` | what this service calls the target | must be given |
    /// | `caller` | the name that the target knows this service by | must be given |
    /// | `authorities` | the hosts, with their ports, to sign for | must be given |
    /// | `secret_hex`, `secret_base64`, `secret_text` or `ed25519_seed_hex` | the key; exactly one of the four | must be given |
    /// | `covering` | further headers to cover | none |
    /// | `signed_host` | the host that is signed and sent in place of the URL's: see [`with_signed_host`](Self::with_signed_host) | the URL's |
    /// | `insecure_three_headers` | whether the target knows three headers and no nonce | `false` |
    /// | `unsigned` | whether the target is called without a signature: see [`TargetSigners::from_toml`] | `false` |
    ///
    /// A target with several keys is read by [`SharedSigner::from_toml`]. If the text also holds
    /// [`callers`](crate::Keyring::from_toml) or [roots](crate::DerivedKeyring::from_toml), the key may be none of theirs.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, with its line, or has not exactly one such target
    /// with one key; else as [`new`](Self::new), [`covering`](Self::covering) and [`Keyring::ensure_distinct_from`](crate::Keyring::ensure_distinct_from). No error holds a
    /// key.
    pub fn from_toml(text: &str, target: &str) -> Result<Self, ConfigError> {
        let (target, verifying) = find(text, target)?;
        let place = line(text, &target.span());
        let signer = target.get_ref().to_signer();
        let signer = signer.map_err(|error| error.within(place))?;
        verifying.ensure_distinct_from(&signer)?;
        Ok(signer)
    }

    /// Reads the signer for one target from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>, target: &str) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, target).map_err(|error| error.within(path.display()))
    }
}

/// The one of this name, and what the same text verifies with.
fn find(text: &str, name: &str) -> Result<(Spanned<Target>, Verifying), ConfigError> {
    let file = File::parse(text)?;
    let is_named = |target: &Spanned<Target>| target.get_ref().name == name;
    let (mut of_name, others): (Vec<_>, Vec<_>) = file.targets.into_iter().partition(is_named);
    let found = of_name.pop();
    let wrong = |found: String| {
        ConfigError::new(
            ConfigErrorKind::File,
            format!("target {name:?}: expected once in the file, found {found}"),
        )
    };
    let Some(found) = found else {
        return Err(wrong(format!("none{}", known_targets(name, &others))));
    };
    if let Some(other) = of_name.pop() {
        let [first, second] = [&other, &found].map(|target| line(text, &target.span()));
        return Err(wrong(format!("it at {first} and at {second}")));
    }
    let verifying = Verifying::of(text, &file.callers, file.derived)?;
    Ok((found, verifying))
}
