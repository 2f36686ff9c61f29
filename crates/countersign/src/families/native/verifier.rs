use std::borrow::Cow;

use http::{HeaderName, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::parse;
use crate::{
    error::{ConfigError, Rejection, RejectionKind},
    families::{Carrier, ParsedHead, Requirements, VerifierOfFamily, stale_parameter},
    head::RequestHead,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// The accepted schemes of the two, each once.
#[derive(Clone, Debug)]
pub(crate) struct FamilyVerifier(SmallVec<[Scheme; 2]>);

impl FamilyVerifier {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "other families ask for settings, and the table treats them alike"
    )]
    pub(crate) fn plain(scheme: Scheme) -> Result<Self, ConfigError> {
        Ok(Self(SmallVec::from_slice(&[scheme])))
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for scheme in other.0 {
            if !self.0.contains(&scheme) {
                self.0.push(scheme);
            }
        }
    }
}

impl FamilyVerifier {
    /// Accepts both schemes, for a diagnosis.
    #[cfg(feature = "diagnose")]
    pub(crate) fn of_both() -> Self {
        Self(SmallVec::from_slice(&[Scheme::HmacSha256, Scheme::Ed25519]))
    }
}

impl VerifierOfFamily for FamilyVerifier {
    fn schemes(&self) -> &[Scheme] {
        &self.0
    }

    #[inline]
    fn carriers<'r>(
        &self,
        _head: &RequestHead<'r>,
        authorization: Option<(&'r str, &'r str)>,
        _requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        if let Some((name, parameters)) = authorization
            && let Some(scheme) = self.0.iter().find(|scheme| scheme.name() == name)
        {
            found.push(Carrier {
                scheme: *scheme,
                parameters,
            });
        }
    }

    #[inline]
    fn parse<'r>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(carrier, head, requirements, now)
    }

    fn asserted_key_id<'r>(
        &self,
        carrier: Carrier<'r>,
        _head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        carrier
            .parameters
            .split(',')
            .find_map(|parameter| parameter.trim_start().strip_prefix("credential="))
            .map(Cow::Borrowed)
    }

    fn challenges(
        &self,
        realm: &str,
        kind: RejectionKind,
        add: &mut dyn FnMut(HeaderName, String),
    ) {
        let stale = stale_parameter(kind);
        for scheme in &self.0 {
            add(
                WWW_AUTHENTICATE,
                format!(
                    "{scheme} realm=\"{realm}\", \
                 signed-headers=\"host;x-date;x-content-sha256;x-nonce\"{stale}"
                ),
            );
        }
    }

    /// `ED25519` needs expected hosts, because every callee knows the same public key.
    fn check(&self, requirements: &Requirements) -> Result<(), ConfigError> {
        if self.0.contains(&Scheme::Ed25519) {
            requirements.ensure_expected_hosts(Scheme::Ed25519)?;
        }
        Ok(())
    }
}
