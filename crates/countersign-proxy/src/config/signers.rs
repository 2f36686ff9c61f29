//! Finds the signer of a section.

use std::time::SystemTime;

use countersign::{
    ConfigError, Keyring, PayloadDigest, SharedCredentialsFile, SigV4Credentials,
    SigV4PathEncoding, SigV4PathNormalization, SigV4SignSettings, SignErrorKind, Signer,
    TargetSigners, Timestamp,
};
use http::{Request, uri::Authority};
use tower_countersign::reload::{Reload, Reloading};

use super::{
    Config,
    check::setting,
    file::{Aws, PathForm, SignedUpstream},
};
use crate::forward::{Upstream, uri};

/// Returns the authority that is signed.
pub(super) fn authority(
    to: &SignedUpstream<'_>,
    upstream: &Upstream,
) -> Result<Authority, ConfigError> {
    match to.authority {
        Some(text) => text
            .parse()
            .map_err(|_| setting("authority: expected a host, or a host and a port")),
        None => upstream.authority().ok_or_else(|| {
            setting("authority: expected the host to sign, because the upstream is a Unix socket")
        }),
    }
}

/// Returns the signer, and checks that it signs for the authority.
pub(super) fn signers(
    config: &Config,
    to: &SignedUpstream<'_>,
    authority: &Authority,
    upstream: &Upstream,
    keys: Option<&Keyring>,
    reloading: &mut Vec<Reloading>,
) -> Result<TargetSigners, ConfigError> {
    let signers = match (to.target, to.aws) {
        (Some(target), None) => of_target(config, target, keys, reloading)?,
        (None, Some(aws)) => of_aws(config, aws, authority)?.into(),
        _ => {
            return Err(setting(
                "expected either a target of the keys' file or aws, found both or neither",
            ));
        }
    };
    let probe = uri(
        upstream.scheme(),
        authority.clone(),
        &http::Uri::from_static("/"),
    );
    let probe = probe.ok_or_else(|| setting("authority: expected a host"))?;
    let request = Request::get(probe).body(());
    let request = request.map_err(|_| setting("authority: expected a host"))?;
    let (mut parts, ()) = request.into_parts();
    let now = Timestamp::from(SystemTime::now());
    // Credentials that come later are no error of the configuration.
    let signed = signers.select(&parts, now).and_then(|signer| match signer {
        Some(signer) => signer.prepare_authority(&mut parts).and_then(|()| {
            signer
                .sign(&parts, PayloadDigest::of(b""), now)
                .map(|_| true)
        }),
        None => Ok(false),
    });
    match signed {
        Ok(true) => Ok(signers),
        Ok(false) => Err(setting("target: expected a key, found an unsigned target")),
        Err(error) if error.kind() == SignErrorKind::Credentials => Ok(signers),
        Err(error) => Err(setting(format!(
            "target: expected a signer for {authority}: {error}"
        ))),
    }
}

fn of_target(
    config: &Config,
    target: &str,
    keys: Option<&Keyring>,
    reloading: &mut Vec<Reloading>,
) -> Result<TargetSigners, ConfigError> {
    let Some(file) = &config.file.keys.file else {
        return Err(setting("target: expected keys.file, found none"));
    };
    let (callers, name) = (keys.cloned(), target.to_owned());
    let (signer, watch) = Reload::new().signer_with(config.path(file), move |path| {
        let signer = countersign::SharedSigner::from_toml_file(path, &name)?;
        // A secret of both directions lets a caller send requests in our name.
        if let Some(callers) = &callers {
            signer.ensure_distinct_from(callers)?;
        }
        Ok(signer)
    })?;
    reloading.push(watch);
    Ok(signer.into())
}

fn of_aws(config: &Config, aws: &Aws, authority: &Authority) -> Result<Signer, ConfigError> {
    let settings = match &aws.credentials_file {
        None => {
            let credentials = SigV4Credentials::from_env()?;
            SigV4SignSettings::new(&aws.region, &aws.service, credentials)?
        }
        Some(path) => {
            let profile = aws.profile.as_deref().unwrap_or("default");
            let file = SharedCredentialsFile::open(config.path(path), profile)?;
            SigV4SignSettings::new(&aws.region, &aws.service, file)?
        }
    };
    let settings = match aws.path {
        None => settings,
        Some(PathForm::S3) => settings
            .with_path_encoding(SigV4PathEncoding::Single)
            .with_path_normalization(SigV4PathNormalization::Disabled),
    };
    Signer::sigv4(settings, [authority.as_str()])
}
