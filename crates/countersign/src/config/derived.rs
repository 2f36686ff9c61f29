//! Keys in TOML: the roots from which the callers' keys are derived.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::{
    file::{Caller, File, SecretTexts, State, add, ensure_distinct, parse_timestamp},
    toml_text::line,
};
use crate::{
    derived_keyring::{DerivedCallers, DerivedKeyring},
    error::{ConfigError, ConfigErrorKind},
    key::RootKey,
    key_id::ensure_no_key,
    keyring::Keyring,
    read_text::read_text,
    scheme::Scheme,
    sign::Signer,
    verify::Verifier,
};

impl DerivedKeyring {
    /// Reads roots, and for whom keys are derived from them, from the `derived` of a TOML text. Its `callers`, if it has any,
    /// are the [explicit](crate::DerivedKeyringBuilder::explicit) ones, as [`Keyring::from_toml`] reads them.
    ///
    /// ```
    /// # use countersign::{DerivedKeyring, Verifier};
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
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
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1)).replace("<64 other digits>", &digits(2));
    /// let verifier = Verifier::builder().expected_hosts(["user-service:8081"]).build()?;
    /// let keys = DerivedKeyring::from_toml(text, &verifier)?;
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `derived` | value | default |
    /// |---|---|---|
    /// | `callee` | the name that the keys were derived for: this service's own | must be given |
    /// | `allow` or `deny` | names of callers, as in [`DerivedCallers`]; exactly one of the two | must be given |
    /// | `roots` | 1 to 4 tables, as below | must be given |
    ///
    /// | key of `derived.roots` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the root, and of what is derived from it | must be given |
    /// | `secret_hex`, `secret_base64` or `secret_text` | the root; exactly one of the three | must be given |
    /// | `state` | `"active"`, `"accept-only"` or `"revoked"` | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no bound |
    ///
    /// If the text also holds [`targets`](crate::SharedSigner::from_toml), none of their keys may be one of these; see
    /// [`ensure_distinct_from`](Self::ensure_distinct_from).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, with its line, and for an unknown key; else as
    /// [`Keyring::from_toml`], [`RootKey::new`], [`DerivedKeyringBuilder::build`](crate::DerivedKeyringBuilder::build) and
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
        let keys = derived.into_keyring(text, file.callers, hosts_are_expected)?;
        ensure_distinct(text, file.targets, |signer| {
            keys.ensure_distinct_from(&[signer])
        })?;
        Ok(keys)
    }

    /// Reads roots and callers from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read, is none or is longer than 16 MiB; else as
    /// [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(
        path: impl AsRef<Path>,
        verifier: &Verifier,
    ) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, verifier).map_err(|error| error.within(path.display()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derived {
    callee: String,
    allow: Option<Vec<String>>,
    deny: Option<Vec<String>>,
    #[serde(default)]
    roots: Vec<Spanned<Root>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    version: String,
    secret_hex: Option<Zeroizing<String>>,
    secret_base64: Option<Zeroizing<String>>,
    secret_text: Option<Zeroizing<String>>,
    #[serde(default)]
    state: State,
    not_before: Option<toml::value::Datetime>,
    not_after: Option<toml::value::Datetime>,
}

impl Derived {
    fn into_keyring(
        self,
        text: &str,
        explicit: Vec<Spanned<Caller>>,
        hosts_are_expected: bool,
    ) -> Result<DerivedKeyring, ConfigError> {
        let callers = match (self.allow, self.deny) {
            (Some(allow), None) => DerivedCallers::allow(allow),
            (None, Some(deny)) => DerivedCallers::deny(deny),
            (allow, _) => {
                let found = if allow.is_some() { "both" } else { "none" };
                return Err(ConfigError::new(
                    ConfigErrorKind::File,
                    format!("derived: expected exactly one of allow and deny, found {found}"),
                ));
            }
        };
        ensure_no_key(&self.callee).map_err(|error| error.within("derived: callee"))?;
        callers
            .names()
            .try_for_each(ensure_no_key)
            .map_err(|error| error.within("derived: allow or deny"))?;
        let mut builder = DerivedKeyring::builder_for(&self.callee, callers, hosts_are_expected);
        if !explicit.is_empty() {
            builder = builder.explicit(add(Keyring::builder(), text, explicit)?.build()?);
        }
        for root in self.roots {
            let place = line(text, &root.span());
            let root = root.into_inner();
            ensure_no_key(&root.version).map_err(|error| error.within(&place))?;
            let place = format!("{place}: derived: root {}", root.version);
            let root = root.into_root_key().map_err(|error| error.within(place))?;
            builder = builder.root(root);
        }
        builder.build()
    }
}

impl Root {
    fn into_root_key(self) -> Result<RootKey, ConfigError> {
        let texts = SecretTexts {
            hex: &self.secret_hex,
            base64: &self.secret_base64,
            text: &self.secret_text,
        };
        let secret = texts.secret(Scheme::HmacSha256)?;
        let mut root = RootKey::new(&self.version, &secret)?.with_state(self.state.into());
        if let Some(not_before) = self.not_before {
            root = root.with_not_before(parse_timestamp("not_before", not_before)?);
        }
        if let Some(not_after) = self.not_after {
            root = root.with_not_after(parse_timestamp("not_after", not_after)?);
        }
        Ok(root)
    }
}

/// With what a file's text verifies, for the keys that it signs with.
pub(super) enum Verifying {
    Nothing,
    Callers(Keyring),
    Derived(DerivedKeyring),
}

impl Verifying {
    pub(super) fn of(
        text: &str,
        callers: Vec<Spanned<Caller>>,
        derived: Option<Derived>,
    ) -> Result<Self, ConfigError> {
        match derived {
            // Whether the verifier expects hosts is asked where these are read to verify.
            Some(derived) => derived.into_keyring(text, callers, true).map(Self::Derived),
            None if callers.is_empty() => Ok(Self::Nothing),
            None => {
                let keys = add(Keyring::builder(), text, callers)?.build()?;
                Ok(Self::Callers(keys))
            }
        }
    }

    pub(super) fn ensure_distinct_from(&self, signer: &Signer) -> Result<(), ConfigError> {
        match self {
            Self::Nothing => Ok(()),
            Self::Callers(keys) => keys.ensure_distinct_from(&[signer]),
            Self::Derived(keys) => keys.ensure_distinct_from(&[signer]),
        }
    }
}
