//! Builds the verifier of a section.

use countersign::{
    AcceptedScheme, CavageVerifySettings, ConfigError, DrfVerifySettings,
    MessageSignaturesVerifySettings, Scheme, SigV4PathEncoding, SigV4PathNormalization,
    SigV4VerifySettings, StandardWebhooksVerifySettings, Verifier,
};

use super::{
    check::setting,
    file::{Accept, PathForm, SchemeName},
};
use crate::routes::Route;

/// Builds a verifier that accepts these schemes for these hosts.
pub(super) fn verifier(accept: &[Accept], hosts: &[String]) -> Result<Verifier, ConfigError> {
    let mut builder = Verifier::builder().expected_hosts(hosts);
    let mut accept = accept.iter();
    let Some(first) = accept.next() else {
        return Err(setting("accept: expected at least one scheme, found none"));
    };
    builder = builder.accept_only(accepted(first)?);
    for scheme in accept {
        builder = builder.accept(accepted(scheme)?);
    }
    builder.build()
}

fn accepted(accept: &Accept) -> Result<AcceptedScheme, ConfigError> {
    let needs = |name: &str, value: &Option<String>| {
        let problem = || setting(format!("accept {:?}: expected {name}", accept.scheme));
        value.clone().ok_or_else(problem)
    };
    let routes = || accept.routes.iter().map(|route| Route::parse(route));
    Ok(match accept.scheme {
        SchemeName::HmacSha256 => Scheme::HmacSha256.into(),
        SchemeName::Ed25519 => Scheme::Ed25519.into(),
        SchemeName::Cavage => CavageVerifySettings::new().into(),
        SchemeName::MessageSignatures => MessageSignaturesVerifySettings::new().into(),
        SchemeName::SigV4 => {
            let region = needs("region", &accept.region)?;
            let service = needs("service", &accept.service)?;
            let settings = SigV4VerifySettings::new(&region, &service)?;
            match accept.path {
                None => settings.into(),
                // Keys of S3 are paths that nobody normalizes.
                Some(PathForm::S3) => settings
                    .with_path_encoding(SigV4PathEncoding::Single)
                    .with_path_normalization(SigV4PathNormalization::Disabled)
                    .insecure_accept_noncanonical_paths()
                    .into(),
            }
        }
        SchemeName::Drf => {
            let mut settings = DrfVerifySettings::for_caller(&needs("caller", &accept.caller)?)?;
            for route in routes() {
                let route = route?;
                settings = settings.with_route(route.method().clone(), route.path())?;
            }
            settings.into()
        }
        SchemeName::StandardWebhooks => {
            let caller = needs("caller", &accept.caller)?;
            let mut settings = StandardWebhooksVerifySettings::for_caller(&caller)?;
            for route in routes() {
                let route = route?;
                settings = settings.with_route(route.method().clone(), route.path())?;
            }
            settings.into()
        }
    })
}
