use std::borrow::Cow;

use http::{HeaderName, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::{
    credential_scope::Credential, parse, query_parameters, scope::Scope,
    verify_settings::SigV4VerifySettings,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Rejection, RejectionKind, reason},
    families::{Carrier, ParsedHead, Requirements, VerifierOfFamily, stale_parameter},
    head::RequestHead,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// The settings for each accepted scope, each scope once.
#[derive(Clone, Debug)]
pub(crate) struct FamilyVerifier(SmallVec<[Box<SigV4VerifySettings>; 1]>);

impl FamilyVerifier {
    pub(crate) fn plain(scheme: Scheme) -> Result<Self, ConfigError> {
        Err(ConfigError::new(
            ConfigErrorKind::Setting,
            format!("{scheme}: expected a region and a service, accept a SigV4VerifySettings"),
        ))
    }

    pub(super) fn of(settings: SigV4VerifySettings) -> Self {
        Self(SmallVec::from_buf([Box::new(settings)]))
    }

    /// Adds settings. If a scope is accepted twice, the later settings win.
    pub(crate) fn merge(&mut self, other: Self) {
        for settings in other.0 {
            let Scope {
                region, service, ..
            } = &settings.scope;
            self.0.retain(|known| !known.scope.is(region, service));
            self.0.push(settings);
        }
    }

    #[cfg(feature = "diagnose")]
    pub(super) fn settings(&self) -> impl Iterator<Item = &SigV4VerifySettings> {
        self.0.iter().map(|settings| &**settings)
    }

    #[cfg(feature = "diagnose")]
    pub(super) fn settings_mut(&mut self) -> impl Iterator<Item = &mut SigV4VerifySettings> {
        self.0.iter_mut().map(|settings| &mut **settings)
    }

    /// Returns the rejection for a request with another scope.
    #[cold]
    pub(super) fn foreign(&self, region: &str, service: &str) -> Rejection {
        let accepted = self.0.iter().map(|settings| settings.scope.to_string());
        let accepted: Vec<String> = accepted.collect();
        let accepted: Vec<&str> = accepted.iter().map(String::as_str).collect();
        Rejection::invalid_signature(reason!(
            "credential: expected region and service to be one of those configured ({}), found \
             \"{}/{}\"",
            &accepted,
            Escaped::text(region),
            Escaped::text(service)
        ))
    }

    /// Returns the settings for a scope.
    pub(super) fn settings_for(&self, region: &str, service: &str) -> Option<&SigV4VerifySettings> {
        let mut accepted = self.0.iter().map(|settings| &**settings);
        accepted.find(|settings| settings.scope.is(region, service))
    }
}

impl VerifierOfFamily for FamilyVerifier {
    fn schemes(&self) -> &[Scheme] {
        &[Scheme::SigV4]
    }

    /// Reports a signature in the header and in the query, even if the query is not accepted. The
    /// caller decides about a request with two signatures.
    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        authorization: Option<(&'r str, &'r str)>,
        _requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        let scheme = Scheme::SigV4;
        if let Some((name, parameters)) = authorization
            && name.strip_suffix(',').unwrap_or(name) == scheme.name()
        {
            found.push(Carrier { scheme, parameters });
        }
        if head
            .uri()
            .query()
            .is_some_and(query_parameters::carry_signature)
        {
            let parameters = "";
            found.push(Carrier { scheme, parameters });
        }
    }

    fn parse<'r>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(self, carrier, head, requirements, now)
    }

    fn asserted_key_id<'r>(
        &self,
        carrier: Carrier<'r>,
        head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        let in_query = head
            .uri()
            .query()
            .and_then(query_parameters::asserted_credential);
        if let Some(credential) = in_query {
            let credential = Credential::parse_encoded(credential).ok()?;
            return Some(credential.access_key_id);
        }
        let mut parameters = carrier.parameters.split([',', ' ', '\t']);
        let credential =
            parameters.find_map(|parameter| parameter.trim_start().strip_prefix("Credential="))?;
        let end = credential.rmatch_indices('/').nth(3).map(|(at, _)| at);
        credential
            .get(..end.unwrap_or(credential.len()))
            .map(Cow::Borrowed)
    }

    fn challenges(
        &self,
        realm: &str,
        kind: RejectionKind,
        add: &mut dyn FnMut(HeaderName, String),
    ) {
        let stale = stale_parameter(kind);
        for settings in &self.0 {
            add(
                WWW_AUTHENTICATE,
                format!(
                    "{} realm=\"{realm}\", region=\"{}\", service=\"{}\"{stale}",
                    Scheme::SigV4,
                    settings.scope.region,
                    settings.scope.service
                ),
            );
        }
    }

    /// A signature in a URL needs expected hosts, because its holder can send the URL to any host.
    fn check(&self, requirements: &Requirements) -> Result<(), ConfigError> {
        if self.0.iter().any(|settings| settings.presigned.is_some()) {
            requirements.ensure_expected_hosts(format_args!("presigned {}", Scheme::SigV4))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{families::sigv4::SigV4Presigned, verify::Verifier};

    fn settings(region: &str) -> SigV4VerifySettings {
        SigV4VerifySettings::new(region, "s").unwrap()
    }

    #[test]
    fn asks_for_a_region_and_a_service() {
        let error = Verifier::builder()
            .accept(Scheme::SigV4)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting);
        assert!(Verifier::builder().accept(settings("r")).build().is_ok());
    }

    #[test]
    fn presigned_urls_ask_for_expected_hosts() {
        let presigned = settings("r").with_presigned(SigV4Presigned::new());
        let builder = Verifier::builder().accept(presigned);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Authority);
    }

    #[test]
    fn challenges_name_each_scope_once() {
        let verifier = Verifier::builder()
            .accept_only(settings("r"))
            .accept(settings("q"))
            .accept(settings("r"))
            .build()
            .unwrap();
        assert!(verifier.accepted_schemes().eq([Scheme::SigV4]));
        let text = |kind| {
            let headers = verifier.challenges("api", kind).into_iter();
            headers.map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(
            text(RejectionKind::Malformed),
            [
                r#"AWS4-HMAC-SHA256 realm="api", region="q", service="s""#,
                r#"AWS4-HMAC-SHA256 realm="api", region="r", service="s""#,
            ]
        );
        assert!(
            text(RejectionKind::Expired)[0]
                .to_str()
                .unwrap()
                .ends_with(r#", error="stale""#)
        );
    }
}
