//! Reads the signers of a TOML file.

use std::path::Path;

use toml::Spanned;

use super::{
    both_directions::Verifying,
    schema::{File, Target},
    targets::known_targets,
    toml_text::line,
};
use crate::{
    document::read_text,
    error::{ConfigError, ConfigErrorKind},
    sign::{SharedSigner, Signer, TargetSigners},
};

impl SharedSigner {
    /// Reads the keys for one target from the `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::{SharedSigner, Timestamp};
    /// # let digit = |n: u8, seed: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed);
    /// # let digits = |seed: u8| (0..32).map(|n| digit(n, seed)).collect::<String>();
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
    /// # let text = text.replace("<64 hexadecimal digits>", &digits(1));
    /// # let text = &text.replace("<64 other digits>", &digits(2));
    /// let signer = SharedSigner::from_toml(text, "user-service")?;
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// assert_eq!(signer.version_at(now).unwrap(), "2026-01");
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// A target has the keys that [`Signer::from_toml`] lists. Its secret is beside its name, or in
    /// up to [`MAX_KEYS`](Self::MAX_KEYS) tables `targets.keys`:
    ///
    /// | key of `targets.keys` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the key | required |
    /// | one of the four key texts below | the key | required |
    /// | `state` | `"active"`, or `"accept-only"` or `"revoked"`, which sign nothing | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no limit |
    ///
    /// Give exactly one of `secret_hex`, `secret_base64`, `secret_text` and `ed25519_seed_hex`.
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
    /// [`ConfigErrorKind::File`] if the file cannot be read. Otherwise as
    /// [`from_toml`](Self::from_toml), with the name of the file.
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
    /// # let digit = |n: u8, seed: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed);
    /// # let digits = |seed: u8| (0..32).map(|n| digit(n, seed)).collect::<String>();
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
    /// # let text = text.replace("<64 hexadecimal digits>", &digits(1));
    /// # let text = &text.replace("<64 other digits>", &digits(2));
    /// let signers = TargetSigners::from_toml(text)?;
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// A target has the settings that [`SharedSigner::from_toml`] lists. A target with `unsigned =
    /// true` has only `name` and `authorities` besides.
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
    /// [`ConfigErrorKind::File`] if the file cannot be read. Otherwise as
    /// [`from_toml`](Self::from_toml), with the name of the file.
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
    /// # let digit = |n: u8, seed: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed);
    /// # let digits = |seed: u8| (0..32).map(|n| digit(n, seed)).collect::<String>();
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
    /// | `name` | the target's name in this service | required |
    /// | `caller` | this service's name in the target | required |
    /// | `authorities` | the hosts, with their ports, to sign for | required |
    /// | one of the four key texts below | the key | required |
    /// | `covering` | further headers to cover | none |
    /// | `signed_host` | the host to sign and send: [`Signer::with_signed_host`] | the URL's |
    /// | `insecure_three_headers` | whether the target knows three headers, no nonce | `false` |
    /// | `unsigned` | whether to call unsigned: [`TargetSigners::from_toml`] | `false` |
    ///
    /// Give exactly one of `secret_hex`, `secret_base64`, `secret_text` and `ed25519_seed_hex`. For
    /// a target with several keys, use [`SharedSigner::from_toml`]. If the text also holds
    /// [`callers`](crate::Keyring::from_toml) or [roots](crate::DerivedKeyring::from_toml), their
    /// keys must differ from this one.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, with its line, or does not
    /// have exactly one such target with one key. Otherwise as [`new`](Self::new),
    /// [`with_covered_header`](Self::with_covered_header) and
    /// [`Keyring::ensure_distinct_from`](crate::Keyring::ensure_distinct_from). No error holds a
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
    /// [`ConfigErrorKind::File`] if the file cannot be read. Otherwise as
    /// [`from_toml`](Self::from_toml), with the name of the file.
    pub fn from_toml_file(path: impl AsRef<Path>, target: &str) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, target).map_err(|error| error.within(path.display()))
    }
}

/// Returns the target of this name, and the keys that the same text verifies with.
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
