use std::{collections::BTreeMap, sync::Arc};

use super::{
    SharedSigner,
    target_signers::{ByAuthority, Elsewhere, Target, TargetSigners, Targets},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::{Authority, without_user},
};

/// Builds [`TargetSigners`].
#[derive(Debug, Default)]
#[must_use]
pub struct TargetSignersBuilder {
    targets: Vec<(Target, Vec<String>)>,
    elsewhere: Elsewhere,
}

impl TargetSignersBuilder {
    /// Adds a target. Its signer signs requests to the authorities that it is bound to.
    ///
    /// The authorities are read once, here. A [`SharedSigner`] that is later replaced by one for
    /// other authorities is not selected for those: replace the whole set instead.
    pub fn target(mut self, name: &str, signer: impl Into<SharedSigner>) -> Self {
        let target = Target {
            name: name.into(),
            signer: Some(signer.into()),
        };
        self.targets.push((target, Vec::new()));
        self
    }

    /// Adds a target that is called without a signature. Each authority is a host, or a host and a
    /// port, as for [`Signer::new`](crate::Signer::new).
    pub fn unsigned<I>(mut self, name: &str, authorities: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let authorities = authorities.into_iter();
        let authorities = authorities.map(|authority| authority.as_ref().to_owned());
        let target = Target {
            name: name.into(),
            signer: None,
        };
        self.targets.push((target, authorities.collect()));
        self
    }

    /// Sends requests to all other authorities without a signature.
    ///
    /// # Attack
    ///
    /// Anyone who can change a URL or a setting gets a request that should be signed, unsigned and
    /// at a host of the attacker's choice. The host can answer as if it were the callee.
    pub fn insecure_unsigned_elsewhere(mut self) -> Self {
        self.elsewhere = Elsewhere::Unsigned;
        self
    }

    /// Builds the set.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`] if two targets have one name.
    /// - [`ConfigErrorKind::Authority`] if there is no target, two targets have one authority, a
    ///   target has no authority, an authority cannot be parsed, or a signer signs for every
    ///   authority.
    pub fn build(self) -> Result<TargetSigners, ConfigError> {
        let mut authorities: BTreeMap<Box<str>, Arc<Target>> = BTreeMap::new();
        let mut names: Vec<Box<str>> = Vec::new();
        for (target, unsigned) in self.targets {
            if names.contains(&target.name) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Name,
                    format!("target {:?}: listed twice", target.name),
                ));
            }
            names.push(target.name.clone());
            let place = format!("target {:?}", target.name);
            let target = Arc::new(target);
            for authority in target
                .authorities(unsigned)
                .map_err(|error| error.within(place))?
            {
                bind(&mut authorities, authority, &target)?;
            }
        }
        if authorities.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                "targets: expected at least one, found none",
            ));
        }
        Ok(TargetSigners::of(Targets::ByAuthority(ByAuthority {
            authorities,
            elsewhere: self.elsewhere,
        })))
    }
}

impl Target {
    /// Returns the authorities in lower case. Several keys of one target may be bound to different
    /// ones.
    fn authorities(&self, unsigned: Vec<String>) -> Result<Vec<Box<str>>, ConfigError> {
        let refused = |problem: String| ConfigError::new(ConfigErrorKind::Authority, problem);
        let mut found: Vec<Box<str>> = Vec::new();
        let Some(signer) = &self.signer else {
            for authority in unsigned {
                Authority::parse(&authority).map_err(|problem| {
                    refused(format!("{:?}: {problem}", without_user(&authority)))
                })?;
                found.push(authority.to_ascii_lowercase().into());
            }
            if found.is_empty() {
                return Err(refused(
                    "expected at least one authority, found none".to_owned(),
                ));
            }
            return Ok(found);
        };
        signer.try_for_each(|signer| {
            let bound = signer.bound_authorities().ok_or_else(|| {
                refused("expected a signer bound to authorities, found one for any".to_owned())
            })?;
            found.extend(bound.map(|authority| authority.to_ascii_lowercase().into()));
            Ok(())
        })?;
        Ok(found)
    }
}

/// Adds an authority of a target, unless another target has it. An authority with and without the
/// default port of a URL is the same.
fn bind(
    authorities: &mut BTreeMap<Box<str>, Arc<Target>>,
    authority: Box<str>,
    target: &Arc<Target>,
) -> Result<(), ConfigError> {
    let with_port = [":80", ":443"].map(|port| format!("{authority}{port}"));
    let stripped = [":80", ":443"]
        .into_iter()
        .filter_map(|port| authority.strip_suffix(port));
    let same = with_port
        .iter()
        .map(String::as_str)
        .chain(stripped)
        .chain([&*authority]);
    for same in same {
        match authorities.get(same) {
            Some(other) if !Arc::ptr_eq(other, target) => {
                return Err(ConfigError::new(
                    ConfigErrorKind::Authority,
                    format!(
                        "authority {authority}: expected in one target, found in {:?} and {:?}",
                        other.name, target.name
                    ),
                ));
            }
            Some(_) | None => {}
        }
    }
    authorities.insert(authority, Arc::clone(target));
    Ok(())
}
