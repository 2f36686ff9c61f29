//! Settings that a diagnosis tries in place of the verifier's own. They admit no request: a
//! diagnosis runs only after the refusal.

use http::Method;

use super::{
    FamilyVerifier,
    canonical_uri::{PathRule, SigV4PathEncoding, SigV4PathNormalization},
    credential_scope::Credential,
    query_parameters,
    scope::Scope,
    verify_settings::{PayloadHashRule, SigV4Presigned, SigV4VerifySettings, Strictness},
};
use crate::head::RequestHead;

/// A scope named by a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssertedScope {
    pub(crate) day: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

impl AssertedScope {
    /// Reads the scope of the credential, from the header or the query.
    pub(crate) fn of(head: &RequestHead<'_>) -> Option<Self> {
        let in_query = head.uri().query();
        let in_query = in_query.and_then(query_parameters::asserted_credential);
        let credential = if let Some(credential) = in_query {
            Credential::parse_encoded(credential).ok()?
        } else {
            let value = head.headers().get(http::header::AUTHORIZATION)?;
            let (_, value) = value.to_str().ok()?.split_once("Credential=")?;
            let (value, _) = value.split_once(',').unwrap_or((value, ""));
            Credential::parse(value.trim()).ok()?
        };
        let scope = credential.scope;
        Some(Self {
            day: scope.date.to_owned(),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
        })
    }
}

/// One relaxed setting, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relaxation {
    /// Accepts targets with several readings.
    Targets,
    /// Accepts unsigned payloads.
    UnsignedPayload,
    /// Accepts heads that declare no hash of the body.
    UndeclaredHash,
    /// Accepts signatures in URLs.
    Presigned,
    /// Accepts the request's scope if it is not configured.
    Scope,
}

impl Relaxation {
    pub(crate) const ALL: [Self; 5] = [
        Self::Targets,
        Self::UnsignedPayload,
        Self::UndeclaredHash,
        Self::Presigned,
        Self::Scope,
    ];
}

/// A rule for encoding the path.
pub(crate) type PathForm = (SigV4PathEncoding, SigV4PathNormalization);

impl FamilyVerifier {
    /// Returns the accepted regions and services.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings()
            .map(|settings| (&*settings.scope.region, &*settings.scope.service))
    }

    /// Returns settings for the request's scope only.
    pub(crate) fn for_scope(scope: &AssertedScope) -> Option<Self> {
        SigV4VerifySettings::new(&scope.region, &scope.service)
            .ok()
            .map(Self::of)
    }

    /// Returns the same settings with one of them relaxed for this request.
    pub(crate) fn relaxed(&self, relaxation: Relaxation, head: &RequestHead<'_>) -> Self {
        let mut relaxed = self.clone();
        if relaxation == Relaxation::Scope {
            relaxed.accept_scope_of(head);
            return relaxed;
        }
        for settings in relaxed.settings_mut() {
            relax(settings, relaxation, head.method());
        }
        relaxed
    }

    /// Yields the same settings with every other rule for the path, each once.
    pub(crate) fn other_path_forms(&self) -> Vec<(PathForm, Self)> {
        use SigV4PathEncoding::{Double, Single};
        use SigV4PathNormalization::{Disabled, Enabled};
        let forms = [
            (Double, Enabled),
            (Single, Disabled),
            (Single, Enabled),
            (Double, Disabled),
        ];
        forms
            .into_iter()
            .map(|form| {
                let mut other = self.clone();
                for settings in other.settings_mut() {
                    settings.scope.path = PathRule {
                        encoding: form.0,
                        normalization: form.1,
                    };
                }
                (form, other)
            })
            .collect()
    }

    fn accept_scope_of(&mut self, head: &RequestHead<'_>) {
        let Some(AssertedScope {
            region, service, ..
        }) = AssertedScope::of(head)
        else {
            return;
        };
        let is_known = self.settings_for(&region, &service).is_some();
        let known = self.settings().next().cloned();
        if let (false, Some(mut settings)) = (is_known, known)
            && let Ok(scope) = Scope::new(&region, &service)
        {
            let path = settings.scope.path;
            settings.scope = Scope { path, ..scope };
            self.merge(Self::of(settings));
        }
    }
}

fn relax(settings: &mut SigV4VerifySettings, relaxation: Relaxation, method: &Method) {
    match relaxation {
        Relaxation::Targets => {
            settings.paths = Strictness::Lenient;
            settings.queries = Strictness::Lenient;
            settings.query_names = Strictness::Lenient;
        }
        Relaxation::UnsignedPayload => {
            *settings = settings.clone().insecure_accept_unsigned_payload();
        }
        Relaxation::UndeclaredHash => settings.payload_hash = PayloadHashRule::Optional,
        Relaxation::Presigned => {
            let payload = settings.scope.presigned_payload();
            let presigned = settings.presigned.clone();
            let presigned = presigned
                .unwrap_or_else(|| SigV4Presigned::new().with_payload(payload))
                .with_method(method.clone());
            settings.presigned = Some(presigned);
        }
        Relaxation::Scope => {}
    }
}
