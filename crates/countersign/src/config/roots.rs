//! Reads the roots of a TOML file, from which callers' keys are derived.

use toml::Spanned;

use super::{
    callers::add,
    schema::{Caller, Derived, Root},
    secret_texts::SecretTexts,
    toml_text::{line, validity},
};
use crate::{
    derived_keyring::{DerivedCallers, DerivedKeyring},
    error::{ConfigError, ConfigErrorKind},
    key::RootKey,
    key_id::ensure_no_key,
    keyring::Keyring,
    scheme::Scheme,
};

impl Derived {
    pub(super) fn into_keyring(
        self,
        text: &str,
        explicit: &[Spanned<Caller>],
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
        let root = RootKey::new(&self.version, &secret)?;
        let validity = validity(self.state, self.not_before, self.not_after)?;
        Ok(root.with_validity(validity))
    }
}
